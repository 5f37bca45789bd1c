"""Files as other tools write them: each gives what a person sees in the tool."""

from __future__ import annotations

import gzip
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, circuit_from, read, write

HERE = Path(__file__).parent / "dialects"
AB = ({"a": "sensory", "b": "motor"}, [("a", "b", -1)])
EYE = ({"ASEL": "sensory", "SMDVL": "motor"}, [("ASEL", "SMDVL", -1)])
GEPHI = (EYE[0], [("ASEL", "SMDVL", -1), ("SMDVL", "SMDVL", 1)])
YED = ({"ASEL": "sensory", "AIYL": "inter", "SMDVL": "motor"}, [("ASEL", "AIYL", 1), ("AIYL", "SMDVL", -1)])
EXPECTED: dict[str, tuple[dict[str, str], list[Any], dict[str, Any]]] = {
    "cytoscape.graphml": (*EYE, {}),
    "gephi.graphml": (*GEPHI, {}),
    "nofor.graphml": (*GEPHI, {}),
    "notype.graphml": (*GEPHI, {}),
    "yed.graphml": (*YED, {}),
    "yed_strpol.graphml": (*YED, {}),
    "nxmulti.graphml": (*AB, {}),
    "nx.graphml.gz": (*AB, {}),
    "nl2.json": (*AB, {}),
    "nl3.json": (*AB, {}),
    "adj.json": (*AB, {}),
    "cyjs.json": (*AB, {}),
    "g.gexf": (*AB, {}),
    "g.gml": (*AB, {}),
    "g.net": (*AB, {"polarity": -1}),
    "g.dot": (*AB, {}),
    **{f"{table}/c.csv": (*EYE, {}) for table in ("semicolon", "tab", "case", "order", "index", "blankrow")},
    "norole/c.csv": (*EYE, {"roles": {"sensory": ["ASEL"], "motor": ["SMDVL"]}}),
    "nopol/c.csv": (*EYE, {"polarity": ["ASEL"]}),
}


@pytest.fixture(autouse=True)
def _silence() -> Any:
    """Nothing is lost here, so nothing may be warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_of_a_tool(name: str) -> None:
    if name.endswith(".dot"):
        pytest.importorskip("pydot")
    roles, synapses, meaning = EXPECTED[name]
    circuit = read(HERE / name, **meaning)
    assert dict(circuit.nodes(data="role")) == roles
    assert circuit.synapses() == synapses
    assert all(type(sign) is int for _, _, sign in circuit.synapses())
    assert circuit.check() == []
    assert circuit.origin is not None
    assert str(HERE / name) in str(circuit.origin)


def test_weights_and_ids_are_kept() -> None:
    for name in ("gephi", "nofor", "notype"):
        circuit = read(HERE / f"{name}.graphml")
        assert circuit.nodes["ASEL"]["id"] == "0"
        assert circuit.edges["ASEL", "SMDVL"]["weight"] == 3
    for name in ("nxmulti.graphml", "nl2.json", "adj.json", "cyjs.json", "g.gexf", "g.gml"):
        assert read(HERE / name).edges["a", "b"]["weight"] == 2.5
    assert read(HERE / "g.net", polarity=-1).edges["a", "b"]["weight"] == 2.5
    assert read(HERE / "order" / "c.csv").edges["ASEL", "SMDVL"]["weight"] == 3


@pytest.mark.parametrize(
    ("name", "argument"), [("norole/c.csv", "roles="), ("nopol/c.csv", "polarity="), ("g.net", "polarity=")]
)
def test_what_is_missing_names_the_argument(name: str, argument: str) -> None:
    with pytest.raises(CircuitError, match=argument):
        read(HERE / name)


def test_a_list_of_edges_with_types() -> None:
    path = HERE / "one_file_typed.csv"
    circuit = circuit_from(path, roles="infer", polarity=1, electrical="drop")
    assert list(circuit.edges(data="weight")) == [
        ("ADAL", "AIBL", 1),
        ("ADLL", "AVDR", 4),
    ]
    assert circuit.origin is not None
    assert circuit.origin.dropped == 2
    assert dict(circuit.nodes(data="role"))["ADLL"] == "sensory"
    kept = circuit_from(path, roles={"motor": ["AVDR"]}, polarity=1)
    assert kept.edges["ADLL", "AVDR"] == {"weight": 4, "polarity": 1, "gap": 1}
    assert kept.edges["ADAL", "ADFL"] == {"kind": "electrical", "weight": 1, "polarity": 1}
    assert kept.number_of_edges() == 3
    with pytest.warns(UserWarning, match="1 parallel edge became part of 1 synapse"):
        both = circuit_from(path, roles={"motor": ["AVDR"]}, polarity=1, electrical="synapses")
    assert both.edges["ADLL", "AVDR"] == {"weight": 5, "polarity": 1}
    assert both.edges["AVDR", "ADLL"] == {"weight": 1, "polarity": 1, "made_from": "electrical"}
    assert both.edges["ADFL", "ADAL"] == both.edges["ADAL", "ADFL"]
    with pytest.raises(CircuitError, match=r"line 2: .* has no polarity, .*polarity="):
        circuit_from(path, roles="infer", electrical="drop", kind=("type", {"electrical": "chemical"}))


class TestYed:
    def test_groups_become_an_attribute(self, tmp_path: Path) -> None:
        text = (HERE / "yed.graphml").read_text()
        start, stop = text.index('<node id="n0">'), text.index('<node id="n1">')
        group = (
            '<node id="n9" yfiles.foldertype="group"><data key="d7"><y:ProxyAutoBoundsNode><y:NodeLabel>head'
            f'</y:NodeLabel></y:ProxyAutoBoundsNode></data><graph edgedefault="directed" id="n9:">'
            f"{text[start:stop]}</graph></node>"
        )
        (tmp_path / "c.graphml").write_text(text[:start] + group + text[stop:])
        circuit = read(tmp_path / "c.graphml")
        assert sorted(circuit) == ["AIYL", "ASEL", "SMDVL"]
        assert circuit.nodes["ASEL"]["group"] == "head"
        assert "1 groups of nodes are kept" in str(circuit.origin)

    def test_a_node_without_a_label_keeps_its_id(self, tmp_path: Path) -> None:
        text = (HERE / "yed.graphml").read_text().replace(">SMDVL<", "><")
        (tmp_path / "c.graphml").write_text(text)
        assert list(read(tmp_path / "c.graphml")) == ["ASEL", "AIYL", "n2"]

    def test_two_nodes_with_one_label(self, tmp_path: Path) -> None:
        text = (HERE / "yed.graphml").read_text().replace(">SMDVL<", ">ASEL<")
        (tmp_path / "c.graphml").write_text(text)
        with pytest.raises(
            CircuitError, match="'ASEL' is given twice: two nodes have this 'label'; names='id'"
        ):
            read(tmp_path / "c.graphml")
        assert list(read(tmp_path / "c.graphml", names="id")) == ["n0", "n1", "n2"]


def test_vectors_of_graph_tool(tmp_path: Path) -> None:
    text = (HERE / "gephi.graphml").read_text()
    text = text.replace('attr.type="float" for="node" id="x"', 'attr.type="vector_float" for="node" id="x"')
    (tmp_path / "c.graphml").write_text(text.replace("-343.6", "1.5, -2"))
    assert read(tmp_path / "c.graphml").nodes["ASEL"]["x"] == [1.5, -2.0]


def test_an_undirected_file_is_a_synapse_each_way(tmp_path: Path) -> None:
    graph = nx.Graph([("a", "b", {"polarity": 1}), ("b", "b", {"polarity": -1})])
    nx.set_node_attributes(graph, "motor", "role")
    nx.write_graphml(graph, tmp_path / "c.graphml")
    nx.write_gexf(graph, tmp_path / "c.gexf")
    nx.write_gml(graph, tmp_path / "c.gml")
    (tmp_path / "c.json").write_text(json.dumps(nx.node_link_data(graph, edges="links")))
    (tmp_path / "adj.json").write_text(json.dumps(nx.adjacency_data(graph)))
    for name in ("c.graphml", "c.gexf", "c.gml", "c.json", "adj.json"):
        circuit = read(tmp_path / name)
        assert set(circuit.synapses()) == {("a", "b", 1), ("b", "a", 1), ("b", "b", -1)}
        assert "became two synapses, one each way" in str(circuit.origin)


def test_each_edge_has_a_direction_of_its_own(tmp_path: Path) -> None:
    """As Gephi writes them, into tables too: one that has none in a directed graph, and the reverse."""
    (tmp_path / "edges.csv").write_text(
        "Source,Target,Type,polarity\na,b,Directed,1\nb,c,Undirected,-1\nc,c,mutual,1\n"
    )
    nodes = "".join(f'<node id="{name}"/>' for name in "abc")
    edges = "".join(
        f'<edge source="{pre}" target="{post}"{way}/>'
        for pre, post, way in (("a", "b", ' type="directed"'), ("b", "c", ""), ("c", "c", ""))
    )
    graph = f'<graph defaultedgetype="undirected"><nodes>{nodes}</nodes><edges>{edges}</edges></graph>'
    (tmp_path / "c.gexf").write_text(f"<gexf>{graph}</gexf>")
    for name, sign in (("edges.csv", "polarity"), ("c.gexf", 1)):
        circuit = circuit_from(tmp_path / name, roles={"motor": ["a", "b", "c"]}, polarity=sign)
        assert {(pre, post) for pre, post, _ in circuit.synapses()} == {
            ("a", "b"),
            ("b", "c"),
            ("c", "b"),
            ("c", "c"),
        }
        assert "1 edge without a direction became two synapses" in str(circuit.origin)
    assert circuit.edges["a", "b"] == {"polarity": 1}
    kinds = "pre,post,type\na,b,undirected\nb,c,electrical\n"  # a column that says something else
    (tmp_path / "kinds.csv").write_text(kinds)
    with pytest.raises(CircuitError, match="undirected"):
        circuit_from(tmp_path / "kinds.csv", roles={"motor": ["a", "b", "c"]}, polarity=1)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("w.npy", r"numpy\.load\(path\)"),
        ("w.mtx.gz", r"scipy\.io\.mmread"),
        ("w.xlsx", "read_excel"),
        ("w.sif", "format='TSV'"),
    ],
)
def test_what_others_read_names_the_call(name: str, call: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x93NUMPY")
    with pytest.raises(
        ValueError, match=rf"{re.escape(name)}: such files are read by circuit_from\(.*{call}"
    ):
        read(tmp_path / name)
    with (tmp_path / name).open("rb") as file, pytest.raises(ValueError, match=call):
        circuit_from(file)


@pytest.mark.parametrize("ending", [".json", ".graphml", ".csv", ".tsv", ".gexf", ".gml", ".net", ".dot"])
def test_compressed_and_open_files(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if ending == ".dot":
        pytest.importorskip("pydot")
    circuit = read(HERE / "yed.graphml")
    monkeypatch.setenv("HOME", str(tmp_path))
    write(circuit, f"~/c{ending}.gz")
    assert read(f"~/c{ending}.gz").digest() == circuit.digest()
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert all(data.startswith(b"\x1f\x8b") for data in first.values())
    write(circuit, tmp_path / f"c{ending}.gz")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    if ending in (".csv", ".tsv"):
        return
    with (tmp_path / f"c{ending}.gz").open("rb") as file:
        assert read(file).digest() == circuit.digest()
    data = gzip.decompress((tmp_path / f"c{ending}.gz").read_bytes())
    for opened in (io.BytesIO(data), io.StringIO(data.decode())):
        assert read(opened).digest() == circuit.digest()  # without a name: the content tells
    assert read(io.BytesIO(data), format=ending[1:]).digest() == circuit.digest()


def test_a_damaged_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "c.json.gz"
    write(read(HERE / "yed.graphml"), path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(CircuitError, match=r"c\.json\.gz: the compressed file is damaged"):
        read(path)


class TestTables:
    def write(self, path: Path, text: str) -> Path:
        path.write_text(text)
        return path

    def test_a_matrix(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "m.csv", ",eye,hub,leg\neye,0,1.5,0\nhub,0,0,-2\nleg,0,0,0\n")
        circuit = circuit_from(path, roles="infer")
        assert circuit.synapses() == [("eye", "hub", 1), ("hub", "leg", -1)]
        assert list(circuit.edges(data="weight")) == [("eye", "hub", 1.5), ("hub", "leg", 2)]
        bare = self.write(tmp_path / "n.csv", "0 1 0 0\n0 0 -1 0\n0 0 0 1\n0 0 0 0\n")
        assert circuit_from(bare, roles="infer").synapses() == [(0, 1, 1), (1, 2, -1), (2, 3, 1)]
        small = self.write(tmp_path / "s.csv", "0,1\n2,3\n")
        with pytest.raises(CircuitError, match=r"may be a matrix or a list of edges: ends=\(0, 1\)"):
            circuit_from(small)

    def test_without_a_header(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "e.txt", "# from SNAP\neye hub 2\nhub leg -3\n")
        circuit = circuit_from(path, roles="infer", format="csv")
        assert circuit.synapses() == [("eye", "hub", 1), ("hub", "leg", -1)]
        two = self.write(tmp_path / "f.csv", "eye,hub\nhub,leg\n")
        with pytest.raises(CircuitError, match=r"ends=\(0, 1\) says that there is no header"):
            circuit_from(two, roles="infer", polarity=1)
        assert len(circuit_from(two, ends=(0, 1), roles="infer", polarity=1)) == 3

    def test_columns_by_name_and_a_table_of_neurons(self, tmp_path: Path) -> None:
        edges = self.write(
            tmp_path / "e.csv", "Neuron 1;Neuron 2;Nbr;nt\nVD01;DD1;3,5;GABA\nAVA ;VD01;2;ACh\n"
        )
        neurons = self.write(
            tmp_path / "n.csv", "name\ttype\nAVA\tSensory neuron\nVD01\tinterneuron\nDD1\tmn\n"
        )
        circuit = circuit_from(edges, roles="infer", polarity="nt")
        assert list(circuit.edges(data="weight")) == [("VD01", "DD1", 3.5), ("AVA", "VD01", 2)]
        assert circuit.origin is not None
        assert circuit.origin.cleaned == 1
        listed = circuit_from(edges, neurons=neurons, roles="type", polarity="nt", clean_names=["zeros"])
        assert dict(listed.nodes(data="role")) == {"AVA": "sensory", "VD1": "inter", "DD1": "motor"}

    def test_numbers_that_are_names_stay_texts(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "e.csv", "pre,post,polarity,note\n007,12,1,0042\n")
        circuit = circuit_from(path, roles="infer")
        assert list(circuit) == ["007", "12"]
        assert circuit.edges["007", "12"]["note"] == "0042"

    def test_rows_of_one_pair_never_become_one_in_silence(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "e.csv", "pre,post,polarity,n\na,b,1,4\na,b,1,2\nb,c,-1,1\n")
        with pytest.warns(UserWarning, match="1 parallel edge became part of 1 synapse"):
            circuit = circuit_from(path, roles="infer")
        assert circuit.edges["a", "b"] == {"polarity": 1, "weight": 6}
        with pytest.raises(CircuitError, match="is given 2 times; parallel='sum'"):
            circuit_from(path, roles="infer", parallel="refuse")
        for way in ("strongest", "first", "weight"):
            chosen = circuit_from(path, roles="infer", parallel=way)
            assert chosen.edges["a", "b"]["weight"] == 4
            assert chosen.origin is not None
            assert chosen.origin.merged == 1

    def test_what_a_row_lacks_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "e.csv", "pre,post,polarity\na,b,1\n\na,,1\n")
        with pytest.raises(CircuitError, match=r"e\.csv, line 4: this edge has one end only"):
            circuit_from(path)
        path = self.write(tmp_path / "e.csv", "pre,post,polarity\na,b,1\n\na,c,maybe\n")
        with pytest.raises(CircuitError, match=r"line 4: .* has polarity 'maybe'; .*polarity=\('polarity'"):
            circuit_from(path)


def test_a_broken_circuit_can_be_kept(tmp_path: Path) -> None:
    broken = Circuit([("a", "b")])
    broken.add_node("c", role="motor")
    for ending in ("json", "graphml", "csv", "tsv", "gexf", "gml", "net"):
        with pytest.raises(CircuitError, match="has no role"):
            write(broken, tmp_path / f"c.{ending}")
        write(broken, tmp_path / f"c.{ending}", strict=False)
        again = read(tmp_path / f"c.{ending}", strict=False)
        assert [str(problem) for problem in again.check()] == [str(problem) for problem in broken.check()]
        assert again.digest() == broken.digest()
