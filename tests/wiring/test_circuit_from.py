"""The one door: every kind of object gives the same circuit, and meaning comes by rules that are told."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, circuit_from, from_graph, read, write

from ..support.strategies import circuits

EDGES = [("eye", "hub", 2), ("ear", "hub", -1), ("hub", "leg", -3), ("hub", "hub", 1)]
ROLES = {"sensory": ["eye", "ear"], "motor": ["leg"]}


def graph() -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_nodes_from(["eye", "ear", "hub", "leg"])
    made.add_weighted_edges_from(EDGES)
    return made


def matrix() -> np.ndarray:
    return nx.to_numpy_array(graph())


def through_pandas() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(EDGES, columns=["source", "target", "weight"])


def through_polars() -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame(EDGES, schema=["pre", "post", "weight"], orient="row")


def through_igraph() -> Any:
    igraph = pytest.importorskip("igraph")
    return igraph.Graph.TupleList(EDGES, directed=True, weights=True)


DOORS: dict[str, Any] = {
    "networkx": graph,
    "multigraph": lambda: nx.MultiDiGraph(graph()),
    "numpy": matrix,
    "scipy": lambda: scipy.sparse.csr_array(matrix()),
    "coo with duplicates": lambda: scipy.sparse.coo_array(
        (np.array([1, 1, -1, -3, 1.0]), (np.array([0, 0, 1, 2, 2]), np.array([2, 2, 2, 3, 2]))), shape=(4, 4)
    ),
    "triples": lambda: EDGES,
    "pandas": through_pandas,
    "pandas matrix": lambda: pytest.importorskip("pandas").DataFrame(
        matrix(), index=list(graph()), columns=list(graph())
    ),
    "polars": through_polars,
    "igraph": through_igraph,
}


@pytest.mark.parametrize("door", DOORS)
def test_all_doors_give_the_same_circuit(door: str) -> None:
    names = list(graph()) if door in ("numpy", "scipy", "coo with duplicates") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the duplicates are added up
        circuit = circuit_from(DOORS[door](), names=names, roles=ROLES)
    assert sorted(circuit.synapses()) == [
        ("ear", "hub", -1),
        ("eye", "hub", 1),
        ("hub", "hub", 1),
        ("hub", "leg", -1),
    ]
    assert {(u, v): w for u, v, w in circuit.edges(data="weight")} == {(u, v): abs(w) for u, v, w in EDGES}
    assert dict(circuit.nodes(data="role")) == {
        "eye": "sensory",
        "ear": "sensory",
        "hub": "inter",
        "leg": "motor",
    }
    assert circuit.check() == []
    if door not in ("triples", "pandas", "polars", "igraph"):  # a list has the neurons in another order
        assert circuit.digest() == circuit_from(graph(), roles=ROLES).digest()


class TestPolarity:
    def test_two_doors_one_answer(self) -> None:
        """A signed graph keeps its signs through `from_graph`, too."""
        for source in (graph(), nx.from_scipy_sparse_array(DOORS["scipy"](), create_using=nx.DiGraph)):
            nodes = list(source)
            circuit = from_graph(source, nodes[:2], nodes[3:])
            other = circuit_from(source, roles={"sensory": nodes[:2], "motor": nodes[3:]})
            assert circuit.synapses() == other.synapses()
            assert sorted(sign for _, _, sign in circuit.synapses()) == [-1, -1, 1, 1]

    def test_from_graph_takes_a_list_of_inhibitory_neurons(self) -> None:
        source = nx.DiGraph([("a", "b"), ("b", "c"), ("b", "b")])
        circuit = from_graph(source, ["a"], ["c"], inhibitory=["b"])
        assert circuit.synapses() == [("a", "b", 1), ("b", "c", -1), ("b", "b", -1)]
        with pytest.raises(ValueError, match="inhibitory: there is no node 'bb' in the graph"):
            from_graph(source, ["a"], ["c"], inhibitory=["bb"])

    def test_from_graph_adds_the_weights_of_parallel_edges(self) -> None:
        source = nx.MultiDiGraph([("a", "b", {"weight": 4, "type": "chemical"}), ("a", "b", {"weight": 1})])
        assert from_graph(source, ["a"], ["b"]).edges["a", "b"]["weight"] == 5

    @pytest.mark.parametrize(
        ("polarity", "negative"),
        [
            ("weight sign", {("ear", "hub"), ("hub", "leg")}),
            (["hub"], {("hub", "hub"), ("hub", "leg")}),
            ({"eye": 1, "ear": -1, "hub": "+"}, {("ear", "hub")}),
            ({("eye", "hub"): -1, "eye": 1, "ear": 1, "hub": 1}, {("eye", "hub")}),
            (("nt", {"GABA": -1, None: 1}), {("hub", "hub"), ("hub", "leg")}),
            ("nt", {("hub", "hub"), ("hub", "leg")}),
            ("sign", {("eye", "hub")}),
            (1, set()),
            (-1, {(u, v) for u, v, _ in EDGES}),
        ],
    )
    def test_where_signs_come_from(self, polarity: Any, negative: set[Any]) -> None:
        source = graph()
        nx.set_node_attributes(source, {"eye": "ACh", "ear": "ACh", "hub": "GABA"}, "nt")
        for pre, post, data in source.edges(data=True):
            data["sign"] = "inhibitory" if (pre, post) == ("eye", "hub") else "Excitatory"
        circuit = circuit_from(source, roles=ROLES, polarity=polarity)
        assert {(u, v) for u, v, sign in circuit.synapses() if sign == -1} == negative
        assert circuit.origin is not None
        assert circuit.origin.drawn == 0

    def test_signs_are_drawn_only_when_asked(self) -> None:
        source = nx.gnp_random_graph(20, 0.3, seed=1, directed=True)
        roles = {"sensory": [], "motor": [3]}
        with pytest.raises(CircuitError, match=r"has no polarity, nor has any other; polarity="):
            circuit_from(source, roles=roles)
        circuit = circuit_from(source, roles=roles, polarity=0.25, seed=3)
        count = circuit.number_of_edges()
        assert sum(sign < 0 for _, _, sign in circuit.synapses()) == round(0.25 * count)
        assert circuit.origin is not None
        assert circuit.origin.drawn == count
        assert f"The polarity of {count} synapses was drawn at random (seed 3)" in str(circuit.origin)
        assert circuit.digest() == circuit_from(source, roles=roles, polarity=0.25, seed=3).digest()

    def test_weights_without_a_negative_one_are_told(self) -> None:
        with pytest.warns(UserWarning, match="no weight is negative, so all synapses are excitatory"):
            circuit_from(abs(matrix()), roles={"motor": [3]})

    @pytest.mark.parametrize(
        ("polarity", "message"),
        [
            (["hubb"], "polarity: there is no neuron 'hubb'; did you mean 'hub'\\?"),
            ("wait", "polarity: there is no attribute 'wait'; they are .*; did you mean 'weight'\\?"),
            ("weight", "has polarity 2; expected \\+1 or -1, or a meaning for it: polarity=\\('weight'"),
            ({"hub": 3}, "polarity: 'hub' is given 3; expected \\+1 or -1"),
            ({"hub": -1}, "has no polarity: 'eye' is not in polarity="),
        ],
    )
    def test_mistakes(self, polarity: Any, message: str) -> None:
        with pytest.raises(CircuitError, match=message):
            circuit_from(graph(), roles=ROLES, polarity=polarity)


class TestRoles:
    def test_inferred_from_degree_and_depth(self) -> None:
        chain = nx.DiGraph(
            [("s", "i"), ("i", "c"), ("c", "m"), ("i", "i2"), ("i2", "c"), ("s", "x"), ("x", "m")]
        )
        chain.add_node("alone")
        roles = dict(circuit_from(chain, roles="infer", polarity=1).nodes(data="role"))
        assert roles == {
            "s": "sensory", "i": "inter", "c": "command", "m": "motor", "i2": "inter", "x": "inter", "alone":
            "inter",
        }  # fmt: skip
        with pytest.raises(CircuitError, match="roles='infer': there is no neuron without incoming edges"):
            circuit_from(nx.cycle_graph(4, nx.DiGraph), roles="infer", polarity=1)

    def test_words_and_several_roles(self) -> None:
        source = nx.DiGraph([("a", "b"), ("b", "c")])
        kinds = {"a": "Sensory neuron", "b": "interneuron; motor", "c": "MN"}
        nx.set_node_attributes(source, kinds, "Type")
        circuit = circuit_from(source, roles="Type", polarity=1)
        assert dict(circuit.nodes(data="role")) == {"a": "sensory", "b": "inter", "c": "motor"}
        assert "Of the several roles of 1 neuron the first counts" in str(circuit.origin)
        source.nodes["b"]["Type"] = "modulatory"
        with pytest.raises(
            CircuitError, match=r"unknown role 'modulatory'; .* roles=\('Type', \{'modulatory'"
        ):
            circuit_from(source, roles="Type", polarity=1)
        meaning = ("Type", {"modulatory": "command"})
        assert circuit_from(source, roles=meaning, polarity=1).nodes["b"]["role"] == "command"
        with pytest.raises(CircuitError, match="'Type' looks like them: roles='Type'"):
            circuit_from(source, polarity=1)

    @pytest.mark.parametrize(
        ("roles", "message"),
        [
            ({"sensory": ["eyes"]}, "roles: there is no neuron 'eyes'; did you mean 'eye'\\?"),
            ({"eye": "sensor"}, "roles: unknown role 'sensor'; .*did you mean 'sensory'\\?"),
            ("rolle", "roles: there is no attribute 'rolle'"),
        ],
    )
    def test_mistakes(self, roles: Any, message: str) -> None:
        with pytest.raises(CircuitError, match=message):
            circuit_from(graph(), roles=roles)


class TestNames:
    def test_blanks_make_no_second_neuron(self) -> None:
        edges = [("I1L ", "I2", 1), ("I1L    ", "I3", 1), ("I1L", "I4", -1)]
        with pytest.warns(UserWarning, match="2 nodes have the name of another one after cleaning"):
            circuit = circuit_from(edges, roles="infer")
        assert list(circuit) == ["I1L", "I2", "I3", "I4"]
        assert circuit.origin is not None
        assert circuit.origin.cleaned == 2
        assert len(circuit_from(edges, roles="infer", clean_names=False)) == 6

    def test_case_and_zeros_on_request(self) -> None:
        edges = [("VD01", "vd2", 1), ("VD1", "M10", 1), ("VD2", "M10", -1)]
        assert len(circuit_from(edges, roles="infer")) == 5
        circuit = circuit_from(edges, roles="infer", clean_names=["zeros", "case"])
        assert list(circuit) == ["VD1", "vd2", "M10"]
        with pytest.raises(ValueError, match=r"clean_names takes .*, got 'zero'; did you mean 'zeros'"):
            circuit_from(edges, clean_names="zero")

    def test_where_names_come_from(self) -> None:
        source = nx.DiGraph([(0, 1, {"polarity": 1})])
        nx.set_node_attributes(source, {0: "eye", 1: "leg"}, "name")
        nx.set_node_attributes(source, {0: "sensory", 1: "motor"}, "role")
        assert list(circuit_from(source)) == [0, 1]
        for names in ("name", {0: "eye", 1: "leg"}, ["eye", "leg"], lambda k: ["eye", "leg"][k]):
            assert list(circuit_from(source, names=names)) == ["eye", "leg"]
        with pytest.raises(CircuitError, match=r"names: there is no attribute 'nam'; .* did you mean 'name'"):
            circuit_from(source, names="nam")
        with pytest.raises(CircuitError, match="names: 3 names were given for 2 nodes"):
            circuit_from(source, names=["a", "b", "c"])
        with pytest.raises(CircuitError, match="'x' is given twice"):
            circuit_from(source, names=["x", "x"])


class TestSensors:
    EDGES = (("a", "h", 1), ("h", "a", -1), ("a", "a", 1), ("b", "h", 1), ("h", "m", 1))
    ROLES = {"sensory": ["a", "b"], "motor": ["m"]}  # noqa: RUF012

    def test_split(self) -> None:
        with pytest.warns(UserWarning, match="split 1 sensory neuron with 2 synapses onto them into"):
            circuit = circuit_from(self.EDGES, roles=self.ROLES)
        assert circuit.neurons("sensory") == ["a.in", "b"]
        assert circuit.nodes["a"]["role"] == "inter"
        assert circuit.nodes["a.in"] == {"role": "sensory", "input_of": "a"}
        assert circuit.edges["a.in", "a"] == {"polarity": 1}
        assert circuit.number_of_edges() == len(self.EDGES) + 1
        assert circuit.check() == []
        assert circuit.origin is not None
        assert circuit.origin.split == 1

    def test_split_takes_the_other_role(self) -> None:
        source = nx.DiGraph([("a", "m"), ("m", "a")])
        nx.set_node_attributes(source, {"a": "sensory/motor", "m": "motor"}, "role")
        assert circuit_from(source, polarity=1, sensors="split").neurons("motor") == ["a", "m"]

    def test_drop_and_keep(self) -> None:
        dropped = circuit_from(self.EDGES, roles=self.ROLES, sensors="drop")
        assert {(u, v) for u, v, _ in dropped.synapses()} == {("a", "h"), ("b", "h"), ("h", "m")}
        assert dropped.origin is not None
        assert dropped.origin.dropped == 2
        kept = circuit_from(self.EDGES, roles=self.ROLES, sensors="keep")
        assert {problem.kind for problem in kept.check()} == {"onto-sensory"}


def test_different_signs_of_one_pair_are_refused() -> None:
    source = nx.MultiDiGraph([("a", "b", {"polarity": 1}), ("a", "b", {"polarity": -1})])
    with pytest.raises(CircuitError, match="2 edges of synapse 'a' -> 'b' have different polarities"):
        circuit_from(source, roles="infer")
    chosen = circuit_from(source, roles="infer", parallel="first")
    assert chosen.synapses() == [("a", "b", 1)]


def test_edges_without_weight_are_counted() -> None:
    source = nx.MultiDiGraph([("a", "b"), ("a", "b"), ("b", "c")])
    circuit = circuit_from(source, roles="infer", polarity=1, parallel="sum")
    assert {(u, v): w for u, v, w in circuit.edges(data="weight")} == {("a", "b"): 2, ("b", "c"): 1}
    assert "the number of edges is the weight" in str(circuit.origin)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.ones((2, 3)), r"a matrix of synapses is square, .* got shape \(2, 3\)"),
        (np.array([["a"]]), "a matrix of synapses holds numbers"),
        (np.array([[np.nan, 1], [0, 0]]), r"entry \(0, 0\) of the matrix is nan"),
        ([("a",)], r"edge 0: expected \(pre, post\)"),
        ([("a", ["b"])], r"edge 0: a neuron's name must be hashable, got \['b'\]"),
        ([("a", "b", "much")], r"edge 0: .* has weight 'much'; expected a number"),
        ([("a", "b", float("inf"))], r"edge 0: .* has weight inf; expected a number"),
    ],
)
def test_what_is_no_graph(source: Any, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        circuit_from(source, roles="infer")


def test_what_is_nothing_at_all() -> None:
    with pytest.raises(TypeError, match=r"expected a path, an open file, a graph, .* got int"):
        circuit_from(3)
    with pytest.raises(TypeError, match="read\\(\\) takes a path or an open file, got DiGraph; circuit_from"):
        read(graph())


def test_copies_of_a_circuit_have_no_origin() -> None:
    circuit = circuit_from(EDGES, roles=ROLES)
    assert circuit.origin is not None
    assert circuit.copy().origin is None
    assert Circuit().origin is None


ENDINGS = [".json", ".graphml", ".csv", ".tsv", ".gexf", ".gml", ".net", ".dot", ".json.gz"]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=circuits(), labels=st.sampled_from([None, "label", "name", "id"]))
def test_every_format_keeps_the_digest(
    ending: str, source: nx.DiGraph, labels: str | None, tmp_path: Path
) -> None:
    if ending == ".dot":
        pytest.importorskip("pydot")
    circuit = Circuit(source)
    if labels is not None:  # what looks like a name is none in our own files
        nx.set_node_attributes(circuit, {name: f"x{k}" for k, name in enumerate(circuit)}, labels)
    write(circuit, tmp_path / f"c{ending}")
    again = read(tmp_path / f"c{ending}")
    assert again.digest() == circuit.digest()
    assert dict(again.nodes(data=True)) == dict(circuit.nodes(data=True))


def test_wiring_alone_needs_networkx_and_numpy_only(tmp_path: Path) -> None:
    """Who only reads, checks and writes circuits needs neither MLX nor SciPy, matplotlib or rich."""
    code = (
        "import sys\n"
        "for name in ('mlx', 'scipy', 'matplotlib', 'rich', 'pandas', 'sklearn'): sys.modules[name] = None\n"
        "from ganglion.wiring import auto_ncp, check, circuit_from, connectomes, read, write\n"
        f"write(auto_ncp(8, 2, inputs=3), {str(tmp_path / 'c.gml.gz')!r})\n"
        f"print(len(check(read({str(tmp_path / 'c.gml.gz')!r}))), len(connectomes.tap_withdrawal()))\n"
        "print(circuit_from([('a', 'b', 1), ('b', 'c', -1)], roles='infer').synapses())\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "0 11\n[('a', 'b', 1), ('b', 'c', -1)]\n"
