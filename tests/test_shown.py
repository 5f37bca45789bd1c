"""Every value that a notebook shows is a table or a picture of what it holds, with nothing loaded or run."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.palette import EITHER

BAD = "<script>alert(1)</script>"
VOID = {"circle", "path", "rect"}


class Tree(HTMLParser):
    """Checks that every tag is closed, and counts them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"


def circuit() -> gl.Circuit:
    return gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)


def values() -> dict[str, Any]:
    rnn = gl.LTC(circuit())
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
    y = np.zeros((4, 6, 2), np.float32)
    optimizer = optim.Adam(0.01, bias_correction=True)
    compiled = gl.compile_circuit(circuit())
    return {
        "circuit": circuit(),
        "summary": circuit().summary(),
        "compiled": compiled,
        "plan": compiled.plan,
        "report": compiled.report(),
        "ltc": rnn,
        "cfc without wiring": gl.CfC(gl.dense(3, 8)),
        "recording": gl.record(rnn, x),
        "memory": rnn.memory(2, 4),
        "history": gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optimizer, epochs=2, progress=False),
    }


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return {name: value._repr_html_() for name, value in values().items()}


def test_all_are_whole_and_load_nothing(shown: dict[str, str]) -> None:
    for name, text in shown.items():
        tree = Tree(text)
        assert not {"script", "link", "img", "iframe", "style"} & set(tree.tags), name
        assert not re.search(r"\b(?:src|href)=|url\(|on\w+=", text), name


@pytest.mark.parametrize(
    ("name", "tags", "words"),
    [
        ("circuit", {"table": 1, "svg": 1, "circle": 15}, "synapses"),
        ("summary", {"table": 1}, "depth"),
        ("compiled", {"table": 1, "svg": 2}, "layout auto"),
        ("plan", {"table": 1, "svg": 2}, "12 neurons"),
        ("report", {"table": 1}, "bytes/weight"),
        ("ltc", {"table": 2, "svg": 2}, "LTCCell"),
        ("cfc without wiring", {"table": 1}, "parameters"),
        ("recording", {"table": 1, "svg": 3, "path": 2, "line": 2}, "4 x 6 x 12"),
        ("memory", {"table": 1}, "training"),
        ("history", {"table": 1, "svg": 2, "line": 1}, "last loss"),
    ],
)
def test_what_each_shows(shown: dict[str, str], name: str, tags: dict[str, int], words: str) -> None:
    tree = Tree(shown[name])
    assert {tag: tree.tags.count(tag) for tag in tags} == tags
    assert words in tree.words


def test_every_synapse_of_a_small_circuit_is_drawn_with_its_sign(shown: dict[str, str]) -> None:
    signs = [sign for *_, sign in circuit().synapses()]
    assert shown["circuit"].count(f'stroke="{EITHER.excitatory}"') == signs.count(1)
    assert shown["circuit"].count(f'stroke="{EITHER.inhibitory}"') == signs.count(-1)


def test_markup_in_names_stays_text() -> None:
    bad = gl.Circuit(name=BAD)
    bad.add_neuron(BAD, role="motor")
    for value in (
        bad,
        bad.summary(),
        gl.LTC(bad),
        gl.compile_circuit(bad),
        gl.record(gl.LTC(bad), mx.zeros((3, 0))),
    ):
        assert BAD not in value._repr_html_()


def test_odd_values_are_shown_too() -> None:
    broken = gl.Circuit()
    assert "0 (" in Tree(broken._repr_html_()).words
    broken.add_node("stray")
    broken.add_edge("stray", "other")
    Tree(broken._repr_html_())
    large = gl.random(400, inputs=4, outputs=2, sparsity=0.9, seed=1)
    assert "svg" not in Tree(large._repr_html_()).tags
    assert len(gl.compile_circuit(large)._repr_html_()) < 3_000_000
    history = gl.training.History(
        loss=[1.0, float("nan"), 0.5], validation=[float("inf")] * 3, seconds=[0.1] * 3
    )
    Tree(history._repr_html_())
    Tree(gl.training.History()._repr_html_())


def test_a_picture_shows_its_figure_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notebook shows by itself what is open, and closes it behind the cell."""
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib import pyplot as plt

    shown: list[Any] = []
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    picture = gl.viz.plot_circuit(circuit())
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "agg")
    picture._ipython_display_()
    assert shown == []
    assert capsys.readouterr().out == f"{picture!r}\n"
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    picture._ipython_display_()
    assert shown == []
    plt.close(picture.figure)
    picture._ipython_display_()
    assert shown == [picture.figure]
    assert capsys.readouterr().out == ""


def test_what_has_many_numbers_prints_one_line() -> None:
    circuit = gl.auto_ncp(8, 2, inputs=2, seed=1)
    rnn = gl.LTC(circuit)
    model = gl.Scaled(rnn, list("ab"), list("yz"))
    assert repr(rnn.stream()) == f"Stream(LTC, engine={rnn.stream().engine!r})"
    assert repr(model.stream(3)) == f"ScaledStream(LTC, batch_size=3, engine={rnn.stream().engine!r})"
    assert repr(gl.ensemble([rnn, gl.LTC(circuit)])) == "Ensemble(2 members: LTC)"
    assert repr(rnn.cell.strengths()) == f"Strengths({rnn.cell.compiled.plan!r})"
