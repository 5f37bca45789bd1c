"""What is done for millions of synapses at once gives what going through them one by one does."""

from __future__ import annotations

import csv
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import ganglion as gl
from ganglion.errors import CircuitError
from ganglion.wiring import guards
from ganglion.wiring.bulk import data_of, names_of, targets_of
from ganglion.wiring.checks import errors_of
from ganglion.wiring.files import at_once, csv_format
from ganglion.wiring.files.graphml_quick import plain_graph
from ganglion.wiring.files.graphml_reader import Reader

SAMPLES = sorted((Path(__file__).resolve().parents[1]).rglob("*.graphml"))


def circuit(**weights: Any) -> gl.Circuit:
    made = gl.auto_ncp(12, 3, inputs=4, seed=2)
    for k, (pre, post, _) in enumerate(made.synapses()):
        for name, values in weights.items():
            if k < len(values):
                made.edges[pre, post][name] = values[k]
    return made


def graphml(body: str, keys: str = "", graph: str = 'edgedefault="directed"') -> bytes:
    space = "http://graphml.graphdrawing.org/xmlns"
    head = f'<?xml version="1.0"?>\n<graphml xmlns="{space}">{keys}<graph {graph}>\n'
    return f"{head}{body}</graph></graphml>".encode()


def test_views_and_graphs_give_their_synapses() -> None:
    whole = circuit(weight=[2.0])
    some = whole.subgraph(["command_0", "command_1", "motor_0", "motor_1"])
    for graph in (whole, some, some.copy()):
        assert data_of(graph) == [data for _, _, data in graph.edges(data=True)]
        assert [list(targets) for targets in targets_of(graph)] == [list(graph.adj[name]) for name in graph]
    assert names_of(data_of(whole)) == {"polarity", "weight"}


@pytest.mark.parametrize("fault", ["onto-sensory", "polarity", "none", "electrical", "sound"])
def test_errors_are_those_of_the_check(fault: str) -> None:
    made = circuit()
    pre, post, _ = made.synapses()[5]
    if fault == "onto-sensory":
        made.add_edge("motor_0", "sensory_1", polarity=1)
    elif fault == "polarity":
        made.edges[pre, post]["polarity"] = 2
    elif fault == "none":
        del made.edges[pre, post]["polarity"]
    elif fault == "electrical":
        made.edges[pre, post]["gap"] = -1.0
    expected = [problem for problem in gl.check(made) if problem.severity == "error"]
    assert errors_of(made) == expected
    assert bool(expected) == (fault != "sound")
    if expected:
        with pytest.raises(CircuitError, match=re.escape(expected[0].message)):
            gl.compile_circuit(made)


def test_the_size_of_a_large_circuit_is_said_once_and_before_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guards, "LARGE", 1000)
    for make in (
        lambda: gl.auto_ncp(64, 8, inputs=16),
        lambda: gl.fully_connected(40, inputs=4),
        lambda: gl.random(64, inputs=8, sparsity=0.5),
    ):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            made = make()
        sizes = [str(warning.message) for warning in told]
        if made.number_of_edges() > 1100:
            assert len(sizes) == 1
            assert "synapses takes some 0.0 GB" in sizes[0]
            assert told[0].filename == __file__


# GraphML


def same(data: bytes) -> bool:
    """Whether the quick reader takes a file; then it must read what the other one does."""
    quick = plain_graph(data)
    if quick is None:
        return False
    slow = Reader().read(data)
    for name in ("form", "own", "graph", "directed", "names", "notes"):
        assert getattr(quick, name) == getattr(slow, name), name
    assert [(node.id, node.data) for node in quick.nodes] == [(node.id, node.data) for node in slow.nodes]
    assert [edge[:3] for edge in quick.edges] == [edge[:3] for edge in slow.edges]
    return True


def test_our_own_files_are_read_quickly(tmp_path: Path) -> None:
    made = circuit(weight=[1.5, 2.0], label=["a <b>", " ", "c"], fixed=[True, False])
    made.graph["title"] = "x & y"
    gl.write(made, tmp_path / "c.graphml")
    assert same((tmp_path / "c.graphml").read_bytes())
    assert list(gl.read(tmp_path / "c.graphml").edges(data=True)) == list(made.edges(data=True))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_files_of_other_programs_are_read_the_same(path: Path) -> None:
    same(path.read_bytes())


KEYS = (
    '<key id="d0" for="edge" attr.name="weight" attr.type="double"><default>2.5</default></key>'
    '<key id="d0" for="node" attr.name="role" attr.type="string"/>'
    '<key id="d1" attr.name="kind" attr.type="string"/><key id="d2" for="edge"/>'
)
NODES = '<node id="a"><data key="d0">sensory</data></node><node id="b"><data key="d0"> </data></node>'


@pytest.mark.parametrize(
    ("body", "quickly"),
    [
        (f'{NODES}<edge source="a" target="b"/>', True),
        (f'{NODES}<edge source="a" target="b"><data key="d0">3</data><data key="d1">x</data></edge>', True),
        (f'{NODES}<edge source="a" target="b"><data key="d2">3</data></edge>', True),
        (f'{NODES}<edge source="a" target="b" directed="false"/>', False),
        (f'{NODES}<!-- said --><edge source="a" target="b"/>', False),
        (f'{NODES}<edge source="a" target="b"><desc>said</desc></edge>', False),
        (f'{NODES}<edge source="a" target="b"><data key="d0">much</data></edge>', False),
        (f'{NODES}<edge source="a" target="b"><data key="d0">1</data><data key="d0">1</data></edge>', False),
        (f'{NODES}<edge source="a" target="b"><data key="no">1</data></edge>', False),
        (f'{NODES}<edge source="a"/>', False),
        (f'{NODES}<node id="c"><graph edgedefault="directed"><node id="d"/></graph></node>', False),
    ],
)
def test_what_is_not_plain_is_left_to_the_reader(body: str, quickly: bool) -> None:
    if quickly:
        assert same(graphml(body, KEYS))
    else:
        assert plain_graph(graphml(body, KEYS)) is None


def test_other_encodings_and_things_in_other_places_are_left_to_the_reader() -> None:
    edge = f'{NODES}<edge source="a" target="b"/>'
    assert plain_graph(graphml(edge, KEYS, 'edgedefault="undirected"')) is None
    assert plain_graph(graphml(edge, KEYS).replace(b'"1.0"', b'"1.0" encoding="latin-1"')) is None
    assert plain_graph(graphml(edge, KEYS).replace(b"</graph>", b"</graph><data key='d1'>x</data>")) is None
    assert plain_graph(graphml(edge, KEYS).replace(b"</graph>", b"</graph><node id='x'/>")) is None
    assert plain_graph(graphml(edge, KEYS + KEYS)) is None


def test_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "c.graphml"
    path.write_bytes(
        graphml(f'{NODES}\n<edge source="a"\n target="b"/>\n<edge source="a" target="c"/>', KEYS)
    )
    with pytest.raises(CircuitError, match=r"c\.graphml, line 6: .*there is no neuron 'c'"):
        gl.circuit_from(path, roles="infer", polarity=1)


# CSV


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"weight": [1.5, 2.0], "count": [3], "label": ["a,b", 'c"d', "e\nf"], "fixed": [True, False]},
        {"weight": [1, 2.5]},  # of two types, which becomes one
    ],
)
def test_columns_are_written_as_rows_are(weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = circuit(**weights)
    by_columns = csv_format.encode(made)
    monkeypatch.setattr(csv_format, "_plain_kinds", lambda *_: None)
    assert csv_format.encode(made) == by_columns


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["x\0y"], "holds the character '\\\\x00', which CSV cannot hold"),
        ([""], "is an empty text"),
        ([10**5000], "cannot be written"),
        (["x", 1], "another one is of type str"),
        ([[1]], "is a list; CSV holds texts"),
        (["x" * (csv.field_size_limit() + 1)], "holds over [0-9]+ characters in one cell"),
    ],
)
def test_what_csv_cannot_hold_is_named(values: list[Any], message: str) -> None:
    with pytest.raises(CircuitError, match=f"synapse .*{message}"):
        csv_format.encode(circuit(label=values))


def test_a_polarity_that_is_no_number_is_named() -> None:
    made = circuit()
    pre, post = next(iter(made.edges))
    made.edges[pre, post]["polarity"] = [1]  # which no set holds
    with pytest.raises(CircuitError, match=rf"'{pre}' -> '{post}' has polarity \[1\]; expected \+1 or -1"):
        csv_format.encode(made)


# Our own files at once


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a file is read at once; then it must give what the rules of the import do."""
    made: list[gl.Circuit | None] = []
    whole = at_once.Plain.circuit

    def noted(self: at_once.Plain, called: str) -> gl.Circuit | None:
        made.append(whole(self, called))
        return made[-1]

    slow = gl.read(path)
    with monkeypatch.context() as patch:
        patch.setattr(at_once, "LEAST", 0)
        patch.setattr(at_once, "CHUNK", 300)
        patch.setattr(at_once, "KNOWN", 2)
        patch.setattr(at_once.Plain, "circuit", noted)
        quick = gl.read(path)
    for one in (quick, slow):
        assert type(one) is gl.Circuit
    assert quick.graph == slow.graph
    assert list(quick.nodes(data=True)) == list(slow.nodes(data=True))
    assert [list(d) for *_, d in quick.edges(data=True)] == [list(d) for *_, d in slow.edges(data=True)]
    assert list(quick.edges(data=True)) == list(slow.edges(data=True))
    assert list(map(list, quick.pred.values())) == list(map(list, slow.pred.values()))
    assert quick.origin == slow.origin
    return bool(made) and made[0] is quick


@pytest.mark.parametrize("ending", [".graphml", ".json", ".csv", ".tsv", ".csv.gz"])
@pytest.mark.parametrize(
    ("attributes", "quickly"),
    [
        ({}, True),
        ({"weight": [1.5, 2.0], "count": [3], "label": ["a b", " ", "ü"], "fixed": [True, False]}, True),
        ({"weight": [1e300, 0.1 + 0.2, 5e-324]}, True),
        ({"kind": ["electrical"]}, False),
        ({"gap": [2.0]}, False),
    ],
)
def test_files_of_our_own_are_read_at_once(
    ending: str, attributes: dict[str, Any], quickly: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = circuit(**attributes)
    made.nodes["motor_0"]["tau"] = 2.5
    gl.write(made, tmp_path / f"c{ending}")
    assert both(tmp_path / f"c{ending}", monkeypatch) is quickly


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' target="command_0">', ' target="nobody">'),
        (">-1</data>", ">2</data>"),
        (">-1</data>", "></data>"),
        ("</graph>", '<edge source="inter_0" target="inter_0"></edge>\n</graph>'),
        (">sensory</data>", ">Sensory</data>"),
        ('<node id="motor_0">', '<node id="motor_1">'),
        ('<key id="d0"', '<key id="d1"'),
        ("<edge ", "<edge\t"),
        ('<edge source="inter_0"', '<!-- said --><edge source="inter_0"'),
        ("</node>", "</node>\n"),
    ],
)
def test_what_is_wrong_is_left_to_those_who_know_lines(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.graphml"
    gl.write(circuit(), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    found = []
    for least in (10**9, 0):
        monkeypatch.setattr(at_once, "LEAST", least)
        try:
            found.append(list(gl.read(path).edges(data=True)))
        except CircuitError as error:
            found.append(str(error))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"target": "command_0"', '"target": "nobody"'),
        ('"polarity": -1', '"polarity": 2'),
        ('"polarity": -1', '"polarity": -1.0'),
        ('"polarity": -1', '"polarity": -1, "polarity": 1'),
        ('"polarity": -1', '"polarity": -1, "target": "motor_0"'),
        ('"polarity": -1', '"polarity": -1, "@id": 3'),
        ('"polarity": -1', '"polarity": -1, "id": 3'),
        ('"polarity": -1', '"polarity": -1, "many": [1, 2]'),
        ('"polarity": -1', '"polarity": -1, "weight": NaN'),
        ('"polarity": -1', '"polarity": -1, "weight": 1e400'),
        ('"polarity": -1', '"polarity": -1, "weight": null'),
        ('"polarity": -1}', '"polarity": -1}, {"polarity": 1}'),
        ('"polarity": -1},\n', '"polarity": -1}\n'),
        ('"polarity": -1},\n', '"polarity": -1},,\n'),
        ('"polarity": -1},\n', '"polarity": -1},\n\n'),
        ("\n]}", ",\n]}"),
        ("\n]}", '\n], "edges": [\n]}'),
        ('"edges": [', '"edges": [], "edges": ['),
        ('"graph": {}', '"graph": {\n"edges": [\n]}'),
        ('"source": "inter_0"', '"source": "inter\\u005f0"'),
        ('"source": "inter_0"', '"source": 0'),
        ('"id": "motor_0"', '"id": "motor_1"'),
        ('"id": "motor_0"', '"id": ""'),
        *[
            ('"nodes": [', f'"nodes": [{{"id": {name}, "role": "inter"}},')
            for name in ("true", "[]", '[1, "a"]', '""', '" "', '"a\\n"', '"\\ud800"', "1.5", "1e400", "null")
        ],
        ('"role": "motor"', '"role": "Motor"'),
        ('"role": "motor"', '"role": "motor", "many": [1, [2]]'),
        ('"version": 1', '"version": 2'),
        ('"multigraph": false', '"multigraph": true'),
        ('"ganglion-circuit"', '"other"'),
    ],
)
def test_json_with_faults_is_left_to_its_reader(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, made = tmp_path / "c.json", circuit()
    gl.write(made, path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    found = []
    for least in (10**9, -1):
        monkeypatch.setattr(at_once, "LEAST", least)
        try:
            read = gl.read(path)
            found.append((read.graph, list(read.nodes(data=True)), list(read.edges(data=True))))
        except CircuitError as error:
            found.append(str(error))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("synapses", "motor_0,", "nobody,"),
        ("synapses", ",-1\n", ",0\n"),
        ("synapses", ",-1\n", ",-1.0\n"),
        ("synapses", ",-1\n", ",\n"),
        ("synapses", ",-1\n", ",-1,3\n"),
        ("synapses", ",-1\n", ",-1\n\n"),
        ("synapses", ",-1\n", ',"-1\n'),
        ("synapses", "pre,post,polarity", "pre,post,polarity,weight"),
        ("synapses", "pre,post,polarity\n", "pre,post,polarity\ntwice\n"),
        ("neurons", ",motor", ",Motor"),
        ("neurons", "motor_1,", "motor_0,"),
        ("neurons", "neuron,role", "neuron,role,"),
        ("neurons", "false", "1"),
        ("neurons", "motor_1,motor,\n", ",,\nmotor_1,motor,\n"),
    ],
)
def test_tables_with_faults_are_left_to_them_too(
    table: str, old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = circuit()
    made.nodes["motor_0"]["on"] = False
    gl.write(made, tmp_path / "c.csv")
    path = tmp_path / f"c.{table}.csv"
    text = path.read_text().replace("\r\n", "\n")
    assert old in text
    last = text.splitlines()[-1]
    path.write_text(text.replace(old, new, 1).replace("twice", last).removesuffix("\n"))
    found = []
    for least in (10**9, -1):
        monkeypatch.setattr(at_once, "LEAST", least)
        try:
            found.append(list(gl.read(tmp_path / "c.csv").edges(data=True)))
        except CircuitError as error:
            found.append(str(error))
    assert found[0] == found[1]
