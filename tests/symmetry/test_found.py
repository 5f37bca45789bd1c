"""What the drawn cases of `test_written_and_read` once found, each by itself."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.editor.journal import Journal
from ganglion.wiring.files.formats import FORMATS


def graph(key: str) -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_node("s", role="sensory", **{key: 1})
    made.add_node("m", role="motor")
    made.add_edge("s", "m", polarity=1)
    return made


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("key", ["a\tb", "a,b", "a:b", " ", "a\nb"])
def test_marks_in_the_name_of_an_attribute(key: str, ending: str, tmp_path: Path) -> None:
    gl.write(graph(key), tmp_path / f"c{ending}")
    assert gl.read(tmp_path / f"c{ending}").nodes["s"][key] == 1


def test_an_attribute_without_a_name_is_no_column(tmp_path: Path) -> None:
    with pytest.raises(gl.CircuitError, match="without a name"):
        gl.write(graph(""), tmp_path / "c.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "heavy", True])
@pytest.mark.parametrize("ending", [form.endings[0] for form in FORMATS])
def test_a_weight_that_no_file_is_read_with_is_not_written(
    ending: str, value: object, strict: bool, tmp_path: Path
) -> None:
    made = graph("key")
    made.edges["s", "m"]["weight"] = value
    with pytest.raises(gl.CircuitError, match=r"synapse 's' -> 'm' has weight .*; expected a finite number"):
        gl.write(made, tmp_path / f"c{ending}", strict=strict)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".gml", ".gexf", ".json", ".graphml", ".csv"])
def test_no_message_repeats_what_is_in_a_file_without_end(ending: str, tmp_path: Path) -> None:
    gl.write(graph("key"), tmp_path / f"c{ending}")
    for path in tmp_path.iterdir():
        path.write_text(path.read_text().replace("sensory", "s" * 100_000).replace("key", "k" * 100_000))
    with pytest.raises(gl.CircuitError) as caught:
        gl.read(tmp_path / f"c{ending}")
    assert len(str(caught.value)) < 1200


def test_a_bias_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="forget_bias must be finite"):
        gl.MixedMemoryCell(gl.LTCCell(gl.auto_ncp(8, 2, inputs=3)), forget_bias=float("nan"))


def test_a_time_span_beyond_float32_is_refused_by_a_stream_as_by_a_call() -> None:
    rnn = gl.LTC(gl.auto_ncp(8, 2, inputs=3))
    for call in (lambda: rnn(mx.zeros((2, 3)), timespans=1e300), lambda: rnn.stream()(np.zeros(3), 1e300)):
        with pytest.raises(ValueError, match="time span"):
            call()


def test_a_config_without_a_part_of_its_circuit_is_refused() -> None:
    config = gl.CfC(gl.auto_ncp(8, 2, inputs=3)).get_config()
    for key in ("layout", "order", "block_size", "plan"):
        broken = {**config, "circuit": {k: v for k, v in config["circuit"].items() if k != key}}
        with pytest.raises(ValueError, match="circuit in a config is not sound: there is no"):
            gl.CfC.from_config(broken)


def test_a_journal_whose_header_holds_lists_is_none(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"journal": ["x"], "version": {}}\n')
    journal = Journal(tmp_path / "j")
    try:
        with pytest.raises(gl.CircuitError, match="no journal of this version"):
            journal.records()
    finally:
        journal.close()
