"""The Circuit: conversion, editing, arrays, and that it stays a networkx graph."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import ganglion as gl
from ganglion.errors import CircuitError
from ganglion.wiring import ROLES, Circuit, CircuitArrays, check


def reflex() -> Circuit:
    """Two eyes, an inter neuron that excites itself, a command neuron and a muscle."""
    circuit = Circuit(name="reflex")
    circuit.add_neurons(["left", "right"], role="sensory")
    circuit.add_neuron("muscle", role="motor", length=3.5)
    circuit.add_neuron("go", role="command")
    circuit.add_neuron("hub", role="inter")
    circuit.add_synapses(
        [("left", "hub"), ("right", "hub", -1), ("hub", "hub"), ("hub", "go"), ("go", "muscle")]
    )
    circuit.edges["go", "muscle"]["delay"] = 2
    return circuit


def contents(graph: nx.DiGraph) -> tuple[Any, ...]:
    """Everything in a graph, in its order."""
    return list(graph.nodes(data=True)), list(graph.edges(data=True)), dict(graph.graph)


def unchanged(circuit: Circuit, message: str) -> Any:
    """Expect a CircuitError that matches, and the circuit as it was."""

    class Guard:
        def __enter__(self) -> None:
            self.before = copy.deepcopy(contents(circuit))
            self.raises = pytest.raises(CircuitError, match=message)
            self.raises.__enter__()

        def __exit__(self, *error: Any) -> bool:
            handled = self.raises.__exit__(*error)
            assert contents(circuit) == self.before
            return bool(handled)

    return Guard()


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    """Sound circuits of up to eight neurons with any roles, in any order."""
    roles = draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=8))
    circuit = Circuit()
    for k, role in enumerate(roles):
        circuit.add_neuron(f"n{k}", role=role)
    targets = [name for name in circuit if circuit.nodes[name]["role"] != "sensory"]
    for pre in circuit:
        for post in targets:
            if sign := draw(st.sampled_from([0, 1, -1])):
                circuit.add_synapse(pre, post, sign)
    return circuit


class TestConversion:
    def test_a_digraph_converts_with_all_attributes(self) -> None:
        graph = nx.DiGraph(reflex())
        assert type(graph) is nx.DiGraph
        circuit = Circuit(graph, owner="me")
        assert contents(circuit)[:2] == contents(graph)[:2]
        assert circuit.graph == {"name": "reflex", "owner": "me"}

    def test_the_copy_is_independent(self) -> None:
        graph = nx.DiGraph(reflex())
        circuit = Circuit(graph)
        circuit.flip("left", "hub")
        circuit.set_role("go", "inter")
        assert graph.edges["left", "hub"]["polarity"] == 1
        assert graph.nodes["go"]["role"] == "command"

    def test_a_view_converts(self) -> None:
        assert list(Circuit(reflex().subgraph(["hub", "go"]))) == ["go", "hub"]
        assert list(Circuit(nx.reverse_view(reflex())).predecessors("hub")) == ["go", "hub"]

    def test_whatever_networkx_takes(self) -> None:
        """The same nodes, edges and attributes as `networkx.DiGraph`."""
        sources = [
            [("a", "b"), ("b", "c", {"polarity": -1})],
            {"a": {"b": {"polarity": -1}}, "b": {}},
            {"a": ["b", "c"], "b": []},
            nx.path_graph(3),
            np.array([[0, -1.5], [2, 0]]),
            scipy.sparse.csr_array([[0, -1], [1, 0]]),
            reflex(),
        ]
        for source in sources:
            assert contents(Circuit(source, name="x")) == contents(nx.DiGraph(source, name="x"))
        assert contents(Circuit(incoming_graph_data=[("a", "b")])) == contents(nx.DiGraph([("a", "b")]))

    def test_what_is_missing_is_named(self) -> None:
        found = {str(problem) for problem in check(Circuit([("a", "b")]))}
        assert "error: neuron 'a' has no role; expected one of sensory, inter, command, motor" in found
        assert "error: synapse 'a' -> 'b' has no polarity; expected +1 or -1" in found

    def test_parallel_edges_are_not_merged_in_silence(self) -> None:
        graph = nx.MultiDiGraph([("a", "b", {"weight": 4}), ("a", "b", {"weight": 1}), ("b", "a")])
        with pytest.warns(UserWarning, match=r"of 2 parallel edges, such as the 2 of synapse 'a' -> 'b'"):
            circuit = Circuit(graph)
        assert contents(circuit) == contents(nx.DiGraph(graph))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Circuit(nx.MultiDiGraph([("a", "b"), ("b", "a")]))

    @pytest.mark.parametrize("other", [3, "abc", object()])
    def test_anything_else_is_refused(self, other: Any) -> None:
        with pytest.raises(nx.NetworkXError):
            Circuit(other)


class TestNetworkx:
    def test_copies_are_circuits(self) -> None:
        circuit = reflex()
        for twin in (
            circuit.copy(),
            copy.copy(circuit),
            copy.deepcopy(circuit),
            pickle.loads(pickle.dumps(circuit)),
            circuit.to_directed(),
            nx.compose(circuit, Circuit()),
            nx.relabel_nodes(circuit, {}),
            circuit.subgraph(circuit).copy(),
        ):
            assert type(twin) is Circuit
            assert twin is not circuit
            assert contents(twin) == contents(circuit)

    def test_deep_copies_are_independent(self) -> None:
        circuit = reflex()
        for twin in (circuit.copy(), copy.deepcopy(circuit), pickle.loads(pickle.dumps(circuit))):
            twin.remove_neuron("hub")
            twin.set_role("go", "motor")
        assert contents(circuit) == contents(reflex())

    def test_views_are_circuits_and_protect_the_original(self) -> None:
        circuit = reflex()
        view = circuit.subgraph(["hub", "go"])
        assert isinstance(view, Circuit)
        assert view.synapses() == [("hub", "hub", 1), ("hub", "go", 1)]
        assert view.subgraph("hub").synapses() == [("hub", "hub", 1)]
        for edit in (
            lambda: view.add_neuron("new"),
            lambda: view.flip("hub", "go"),
            lambda: view.set_role("hub", "motor"),
            lambda: view.rename({"hub": "centre"}),
            lambda: view.connect("go", "hub"),
            lambda: view.remove_synapse("hub", "go"),
        ):
            with pytest.raises(nx.NetworkXError, match="Frozen graph"):
                edit()
        assert contents(circuit) == contents(reflex())

    def test_a_view_of_a_role(self) -> None:
        circuit = reflex()
        circuit.add_synapse("muscle", "muscle")
        assert circuit.subgraph("motor").synapses() == [("muscle", "muscle", 1)]
        assert list(circuit.subgraph("sensory")) == list(nx.subgraph(circuit, "sensory")) == ["left", "right"]
        assert list(circuit.subgraph("command").copy()) == ["go"]
        assert list(circuit.subgraph(["left", "nobody"])) == ["left"]  # as networkx does
        with pytest.raises(CircuitError, match="there is no neuron 'motr'; expected a role"):
            circuit.subgraph("motr")
        circuit.add_neuron("motor")
        with pytest.raises(CircuitError, match="'motor' is a role and a neuron"):
            circuit.subgraph("motor")

    def test_a_chain_of_views_is_one_view(self) -> None:
        circuit = reflex()
        view = circuit
        for _ in range(50):
            view = view.subgraph(list(view))
            view = view.edge_subgraph(view.edges).subgraph(["hub", "go", "left"])
        assert view._graph is circuit  # type: ignore[attr-defined]
        assert view.synapses() == [("left", "hub", 1), ("hub", "hub", 1), ("hub", "go", 1)]
        reverse = circuit.reverse(copy=False).subgraph(["hub", "go"])
        assert list(reverse.edges) == [("go", "hub"), ("hub", "hub")]
        cut = circuit.edge_subgraph([("left", "hub"), ("hub", "go")]).subgraph(["hub", "go", "muscle"])
        assert list(cut.edges) == [("hub", "go")]

    def test_views_keep_the_order_of_the_graph(self) -> None:
        circuit = Circuit()
        circuit.add_neurons([f"n{k}" for k in range(100)], role="motor")
        circuit.connect("motor", "motor", "pairwise_bernoulli", p=0.3, seed=1)
        kept = [f"n{k}" for k in range(0, 100, 7)]
        view = circuit.subgraph(reversed(kept))
        assert list(view) == list(view.copy()) == kept
        assert view.copy().synapses() == circuit.synapses(kept, kept)
        assert contents(pickle.loads(pickle.dumps(view.copy()))) == contents(view)

    def test_views_of_synapses_keep_the_order_of_the_graph(self) -> None:
        circuit = Circuit()
        circuit.add_neurons([f"n{k}" for k in range(100)], role="motor")
        circuit.connect("motor", "motor", "fixed_outdegree", outdegree=3, seed=1, inhibitory=0.5)
        kept = circuit.synapses()[::40]
        view = circuit.edge_subgraph([("n0", "nobody"), *reversed(kept)])
        ends = {name for pre, post, _ in kept for name in (pre, post)}
        assert list(view) == list(view.copy()) == [name for name in circuit if name in ends]
        assert view.synapses() == view.copy().synapses() == kept
        assert isinstance(view, Circuit)
        with pytest.raises(nx.NetworkXError, match="Frozen graph"):
            view.flip(*kept[0][:2])

    def test_reverse_and_undirected(self) -> None:
        circuit = reflex()
        assert circuit.reverse().has_edge("hub", "left")
        assert nx.utils.graphs_equal(circuit.reverse().reverse(), circuit)
        undirected = circuit.to_undirected()
        assert type(undirected) is nx.Graph
        assert undirected.number_of_edges() == 5

    def test_algorithms_run(self) -> None:
        circuit = reflex()
        assert nx.shortest_path(circuit, "left", "muscle") == ["left", "hub", "go", "muscle"]
        assert set(nx.betweenness_centrality(circuit)) == set(circuit)
        assert len(list(nx.strongly_connected_components(circuit))) == 5
        assert isinstance(nx.ego_graph(circuit, "hub"), Circuit)
        assert nx.to_numpy_array(circuit, weight="polarity").sum() == 3
        assert isinstance(nx.from_edgelist([(0, 1)], create_using=Circuit), Circuit)

    def test_two_circuits_are_grafted(self) -> None:
        grafted = nx.compose(reflex(), nx.relabel_nodes(reflex(), lambda name: f"second {name}"))
        assert isinstance(grafted, Circuit)
        grafted.add_synapse("go", "second hub", polarity=-1)
        assert check(grafted) == []


class TestQueries:
    def test_neurons_in_graph_order(self) -> None:
        assert reflex().neurons() == ["left", "right", "muscle", "go", "hub"]
        assert reflex().neurons("sensory") == ["left", "right"]
        assert Circuit().neurons("motor") == []

    def test_an_unknown_role_is_refused(self) -> None:
        with pytest.raises(
            CircuitError, match="unknown role 'muscle'; expected one of sensory, inter, command"
        ):
            reflex().neurons("muscle")

    def test_synapses_between_groups(self) -> None:
        circuit = reflex()
        assert circuit.synapses("sensory", "inter") == [("left", "hub", 1), ("right", "hub", -1)]
        assert circuit.synapses("hub") == [("hub", "hub", 1), ("hub", "go", 1)]
        assert circuit.synapses(post=["go", "muscle"]) == [("go", "muscle", 1), ("hub", "go", 1)]
        assert len(circuit.synapses()) == 5
        assert circuit.synapses([], "motor") == []

    def test_a_missing_polarity_reads_none(self) -> None:
        circuit = reflex()
        circuit.add_edge("left", "go")
        assert ("left", "go", None) in circuit.synapses("left")


class TestBuilding:
    def test_attributes_are_kept(self) -> None:
        circuit = reflex()
        assert circuit.nodes["muscle"] == {"role": "motor", "length": 3.5}
        circuit.add_synapse("left", "go", -1, delay=4)
        assert circuit.edges["left", "go"] == {"polarity": -1, "delay": 4}

    def test_any_hashable_is_a_name(self) -> None:
        circuit = Circuit()
        circuit.add_neurons([(0, 1), 7, "7a", frozenset({1})], role="motor")
        circuit.add_synapse((0, 1), 7)
        assert circuit.synapses((0, 1)) == [((0, 1), 7, 1)]

    def test_polarities_become_ints(self) -> None:
        circuit = reflex()
        circuit.add_synapse("left", "go", np.float32(-1.0))
        assert type(circuit.edges["left", "go"]["polarity"]) is int

    def test_a_taken_name_is_refused(self) -> None:
        circuit = reflex()
        with unchanged(circuit, "the name 'go' is taken"):
            circuit.add_neuron("go")
        with unchanged(circuit, "the name 'a' is taken"):
            circuit.add_neurons(["a", "b", "a"])
        circuit.add_neuron("1")
        with unchanged(circuit, "the name 1 is taken"):
            circuit.add_neurons(["fine", 1])

    @pytest.mark.parametrize(
        ("name", "message"),
        [("", "not empty, got ''"), (None, "got None"), (["a"], r"must be hashable, got \['a'\]")],
    )
    def test_a_name_without_text_is_refused(self, name: Any, message: str) -> None:
        circuit = reflex()
        with unchanged(circuit, message):
            circuit.add_neurons(["fine", name])

    @pytest.mark.parametrize("role", ["muscle", "", None, 3, ["motor"], np.zeros(2)])
    def test_an_unknown_role_is_refused(self, role: Any) -> None:
        circuit = reflex()
        with unchanged(circuit, "unknown role .* expected one of sensory, inter, command, motor"):
            circuit.add_neuron("new", role=role)
        with unchanged(circuit, "unknown role"):
            circuit.set_role("hub", role)

    def test_a_text_is_not_a_list_of_names(self) -> None:
        with pytest.raises(TypeError, match="takes a list of names, got 'AVA'"):
            Circuit().add_neurons("AVA")

    @pytest.mark.parametrize("polarity", [0, 2, -3, 0.5, float("nan"), True, None, "1", "excitatory", [1]])
    def test_an_illegal_polarity_is_refused(self, polarity: Any) -> None:
        circuit = reflex()
        message = rf"synapse 'left' -> 'go' has polarity {re.escape(repr(polarity))}; expected \+1 or -1"
        with unchanged(circuit, message):
            circuit.add_synapse("left", "go", polarity)
        with unchanged(circuit, message):
            circuit.add_synapses([("right", "go"), ("left", "go", polarity)])

    def test_the_way_to_both_kinds_of_synapse_is_named_and_goes(self) -> None:
        circuit = reflex()
        circuit.add_neuron("rest")
        with unchanged(circuit, r"is chemical; an .* as in circuit.edges\['go', 'muscle'\]\['gap'\] = 1.0"):
            circuit.add_synapse("go", "muscle", kind="electrical")
        circuit.edges["go", "muscle"]["gap"] = 1.0
        circuit.add_synapse("go", "rest", kind="electrical")
        assert len(gl.compile_circuit(circuit).plan.electrical) == 2
        with unchanged(circuit, "is electrical; remove it and give its strength to the chemical one as gap="):
            circuit.add_synapse("go", "rest")

    @pytest.mark.parametrize(
        ("pre", "post", "message"),
        [
            ("left", "nobody", "synapse 'left' -> 'nobody': there is no neuron 'nobody'"),
            ("nobody", "go", "synapse 'nobody' -> 'go': there is no neuron 'nobody'"),
            (["left"], "go", r"there is no neuron \['left'\]"),
            ("go", "left", "synapse 'go' -> 'left' ends on a sensory neuron; sensory neurons are inputs"),
            ("go", "muscle", "synapse 'go' -> 'muscle' exists already"),
        ],
    )
    def test_an_impossible_synapse_is_refused(self, pre: Any, post: Any, message: str) -> None:
        circuit = reflex()
        with unchanged(circuit, message):
            circuit.add_synapse(pre, post)
        with unchanged(circuit, message):
            circuit.add_synapses([("left", "go"), (pre, post)])

    def test_a_synapse_given_twice_is_refused(self) -> None:
        circuit = reflex()
        with unchanged(circuit, "synapse 'left' -> 'go' is given twice"):
            circuit.add_synapses([("left", "go"), ("left", "go", -1)])

    @pytest.mark.parametrize("synapse", [("left",), 5, ("left", "go", 1, 2)])
    def test_a_malformed_synapse_is_refused(self, synapse: Any) -> None:
        circuit = reflex()
        with pytest.raises(TypeError, match=r"expected \(pre, post\) or \(pre, post, polarity\), got"):
            circuit.add_synapses([("left", "go"), synapse])
        with pytest.raises(TypeError, match=r"expected \(pre, post\) or \(pre, post, polarity\), got"):
            circuit.remove_synapses([("hub", "go"), synapse])
        assert contents(circuit) == contents(reflex())


def test_a_circuit_prints_its_size() -> None:
    assert repr(reflex()) == f"Circuit({len(reflex())} neurons, {len(reflex().edges)} synapses)"


class TestChanging:
    def test_lesions(self) -> None:
        circuit = reflex()
        circuit.remove_neurons("sensory")
        circuit.remove_neuron("hub")
        assert circuit.neurons() == ["muscle", "go"]
        assert circuit.synapses() == [("go", "muscle", 1)]
        circuit.remove_neurons([])
        assert len(circuit) == 2

    def test_cuts(self) -> None:
        circuit = reflex()
        circuit.remove_synapse("hub", "hub")
        circuit.remove_synapses(circuit.synapses("sensory"))
        assert circuit.synapses() == [("go", "muscle", 1), ("hub", "go", 1)]

    def test_what_is_not_there_cannot_be_removed(self) -> None:
        circuit = reflex()
        with unchanged(circuit, "there is no neuron 'nobody'"):
            circuit.remove_neuron("nobody")
        with unchanged(circuit, "there is no neuron 'nobody'"):
            circuit.remove_neurons(["hub", "nobody"])
        with unchanged(circuit, "there is no synapse 'hub' -> 'left'"):
            circuit.remove_synapse("hub", "left")
        with unchanged(circuit, "there is no synapse 'hub' -> 'left'"):
            circuit.remove_synapses([("hub", "hub"), ("hub", "left")])
        with unchanged(circuit, "there is no synapse"):
            circuit.flip("hub", "left")

    def test_flip_twice_is_nothing(self) -> None:
        circuit = reflex()
        circuit.flip("go", "muscle")
        assert circuit.edges["go", "muscle"] == {"polarity": -1, "delay": 2}
        circuit.flip("go", "muscle")
        assert contents(circuit) == contents(reflex())

    def test_flip_needs_a_polarity(self) -> None:
        circuit = reflex()
        circuit.add_edge("left", "go")
        with unchanged(circuit, r"synapse 'left' -> 'go' has polarity None; expected \+1 or -1"):
            circuit.flip("left", "go")

    def test_set_role(self) -> None:
        circuit = reflex()
        circuit.set_role("hub", "command")
        assert circuit.neurons("command") == ["go", "hub"]
        with unchanged(circuit, "neuron 'hub' receives 3 synapses, the first from 'left', so it cannot"):
            circuit.set_role("hub", "sensory")
        with unchanged(circuit, "there is no neuron 'nobody'"):
            circuit.set_role("nobody", "motor")

    def test_rename_keeps_order_and_attributes(self) -> None:
        circuit = reflex()
        circuit.rename({"left": "right", "right": "left", "muscle": "tail"})
        assert circuit.neurons() == ["right", "left", "tail", "go", "hub"]
        assert circuit.nodes["tail"] == {"role": "motor", "length": 3.5}
        assert circuit.edges["go", "tail"] == {"polarity": 1, "delay": 2}
        assert circuit.edges["left", "hub"]["polarity"] == -1
        assert circuit.name == "reflex"
        circuit.rename({"left": "right", "right": "left", "tail": "muscle"})
        assert contents(circuit) == contents(reflex())

    def test_bad_renames_are_refused(self) -> None:
        circuit = reflex()
        with unchanged(circuit, "there is no neuron 'nobody'"):
            circuit.rename({"hub": "centre", "nobody": "somebody"})
        with unchanged(circuit, "cannot rename 'hub' to 'go': the name is taken or given twice"):
            circuit.rename({"hub": "go"})
        with unchanged(circuit, "cannot rename 'left' to 'eye': the name is taken or given twice"):
            circuit.rename({"left": "eye", "right": "eye"})
        for name in ("", None, ["centre"]):
            with unchanged(circuit, "a neuron's name must"):
                circuit.rename({"hub": name})

    def test_rename_mends_a_duplicate(self) -> None:
        circuit = Circuit()
        circuit.add_nodes_from([1, "1"], role="motor")
        assert [problem.kind for problem in check(circuit) if problem.severity == "error"] == [
            "duplicate-name"
        ]
        circuit.rename({1: "one"})
        assert [problem.kind for problem in check(circuit) if problem.severity == "error"] == []


class TestArrays:
    def test_values_and_types(self) -> None:
        arrays = reflex().to_arrays()
        assert arrays.names == ("left", "right", "muscle", "go", "hub")
        assert arrays.roles == ("sensory", "sensory", "motor", "command", "inter")
        assert arrays.pre.tolist() == [0, 1, 3, 4, 4]
        assert arrays.post.tolist() == [4, 4, 2, 4, 3]
        assert arrays.polarity.tolist() == [1, -1, 1, 1, 1]
        assert (arrays.pre.dtype, arrays.post.dtype, arrays.polarity.dtype) == (np.int32, np.int32, np.int8)
        with pytest.raises(ValueError, match="read-only"):
            arrays.pre[0] = 1

    def test_empty(self) -> None:
        arrays = Circuit().to_arrays()
        assert arrays.pre.shape == arrays.post.shape == arrays.polarity.shape == (0,)
        assert len(Circuit.from_arrays(arrays)) == 0

    @given(circuits())
    def test_round_trip(self, circuit: Circuit) -> None:
        twin = Circuit.from_arrays(circuit.to_arrays())
        assert type(twin) is Circuit
        assert contents(twin) == contents(circuit)
        assert check(twin) == check(circuit)

    def test_names_become_texts(self) -> None:
        circuit = Circuit()
        circuit.add_neurons([3, (0, 1)], role="motor")
        assert circuit.to_arrays().names == ("3", "(0, 1)")

    @pytest.mark.parametrize(
        ("fault", "message"),
        [
            (lambda c: c.add_node("new"), "neuron 'new' has role None; expected one of"),
            (lambda c: c.add_node("new", role="boss"), "neuron 'new' has role 'boss'; expected one of"),
            (lambda c: c.add_edge("left", "go"), r"synapse 'left' -> 'go' has polarity None; expected \+1"),
            (lambda c: c.add_edge("left", "go", polarity=3), r"synapse 'left' -> 'go' has polarity 3"),
            (lambda c: c.add_edge("go", "left", polarity=1), "synapse 'go' -> 'left' ends on a sensory"),
            (lambda c: c.add_nodes_from([1, "1"], role="inter"), "2 neurons have the name '1'"),
            (lambda c: c.add_node("", role="inter"), "must have a text that is not empty, got ''"),
        ],
    )
    def test_an_unsound_circuit_has_no_arrays(self, fault: Any, message: str) -> None:
        circuit = reflex()
        fault(circuit)
        with pytest.raises(CircuitError, match=message):
            circuit.to_arrays()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"pre": [0, 9]}, r"pre\[1\] is 9; expected a neuron's index below 3"),
            ({"post": [-1, 2]}, r"post\[0\] is -1; expected a neuron's index"),
            ({"pre": [0.5, 1]}, r"pre must hold whole numbers, got 0\.5"),
            ({"pre": ["a", "b"]}, "pre must hold whole numbers, got <U1"),
            ({"pre": [[0, 1]]}, r"pre must be a vector, got shape \(1, 2\)"),
            ({"pre": [0]}, "pre, post and polarity differ in length: 1, 2 and 2"),
            ({"polarity": [1]}, "pre, post and polarity differ in length: 2, 2 and 1"),
            ({"polarity": [1, 0]}, r"synapse 'b' -> 'c' has polarity 0; expected \+1 or -1"),
            ({"polarity": [1, 0.5]}, r"polarity must hold whole numbers, got 0\.5"),
            ({"polarity": [1, float("nan")]}, "polarity must hold whole numbers, got nan"),
            ({"pre": [0, 2**40]}, "pre.1. is 1099511627776; expected a neuron's index"),
            ({"post": [1, 0]}, "synapse 'b' -> 'a' ends on a sensory neuron"),
            ({"pre": [1, 1], "post": [2, 2]}, "synapse 'b' -> 'c' is given more than once"),
            ({"roles": ("sensory", "inter")}, "2 roles were given for 3 names"),
            ({"roles": ("sensory", "boss", "motor")}, "neuron 'b' has role 'boss'"),
            ({"names": ("a", "b", "b")}, "2 neurons have the name 'b'"),
            ({"names": ("a", "", "b")}, "must have a text"),
        ],
    )
    def test_faulty_arrays(self, change: dict[str, Any], message: str) -> None:
        sound: dict[str, Any] = {
            "pre": [0, 1],
            "post": [1, 2],
            "polarity": [1, -1],
            "roles": ("sensory", "inter", "motor"),
            "names": ("a", "b", "c"),
        }
        CircuitArrays(**sound)
        with pytest.raises(CircuitError, match=message):
            CircuitArrays(**{**sound, **change})

    def test_the_callers_arrays_stay_writeable(self) -> None:
        mine = np.array([0], dtype=np.int32)
        CircuitArrays(mine, [1], [1], ("sensory", "motor"), ("a", "b"))
        mine[0] = 1

    def test_a_large_circuit(self) -> None:
        circuit = Circuit()
        circuit.add_neurons(range(400), role="motor")
        circuit.connect("motor", "motor", "fixed_total_number", total=100_000, seed=1)
        arrays = circuit.to_arrays()
        assert len(arrays.pre) == 100_000
        assert contents(Circuit.from_arrays(arrays))[1][0][2] == {"polarity": 1}


class Editing(RuleBasedStateMachine):
    """Any sequence of edits, sensible or not: a refusal changes nothing and the circuit stays sound."""

    names = st.sampled_from(["a", "b", "c", "1", 1, 2, (0, 1), "(0, 1)", "inter", ""])
    groups = st.one_of(st.sampled_from([*ROLES, "a", 1, "nobody"]), st.lists(names, max_size=3))
    roles = st.sampled_from([*ROLES, "boss"])
    signs = st.sampled_from([1, -1, 0, 1.0, True])

    @initialize()
    def start(self) -> None:
        self.circuit = Circuit()

    def attempt(self, method: str, *args: Any, **options: Any) -> None:
        before = copy.deepcopy(contents(self.circuit))
        try:
            getattr(self.circuit, method)(*args, **options)
        except (CircuitError, ValueError):
            assert contents(self.circuit) == before

    @rule(names=st.lists(names, max_size=4), role=roles)
    def add_neurons(self, names: list[Any], role: str) -> None:
        self.attempt("add_neurons", names, role)

    @rule(pairs=st.lists(st.tuples(names, names), max_size=3), sign=signs)
    def add_synapses(self, pairs: list[Any], sign: Any) -> None:
        self.attempt("add_synapses", pairs, sign)

    @rule(pre=groups, post=groups, self_synapses=st.booleans(), skip=st.booleans())
    def connect(self, pre: Any, post: Any, self_synapses: bool, skip: bool) -> None:
        self.attempt("connect", pre, post, self_synapses=self_synapses, skip_existing=skip)

    @rule(pre=groups, post=groups, p=st.floats(0, 1), seed=st.integers(0, 9))
    def connect_at_random(self, pre: Any, post: Any, p: float, seed: int) -> None:
        options = {"p": p, "inhibitory": 0.5, "seed": seed, "skip_existing": True}
        self.attempt("connect", pre, post, "pairwise_bernoulli", **options)

    @rule(group=groups)
    def remove_neurons(self, group: Any) -> None:
        self.attempt("remove_neurons", group)

    @rule(pre=names, post=names)
    def remove_synapse(self, pre: Any, post: Any) -> None:
        self.attempt("remove_synapse", pre, post)

    @rule(pre=names, post=names)
    def flip(self, pre: Any, post: Any) -> None:
        self.attempt("flip", pre, post)

    @rule(name=names, role=roles)
    def set_role(self, name: Any, role: str) -> None:
        self.attempt("set_role", name, role)

    @rule(new=st.dictionaries(names, names, max_size=2))
    def rename(self, new: dict[Any, Any]) -> None:
        self.attempt("rename", new)

    @invariant()
    def stays_sound(self) -> None:
        circuit = getattr(self, "circuit", Circuit())
        errors = {problem.kind for problem in check(circuit) if problem.severity == "error"}
        assert errors <= {"no-neurons", "no-motor"}

    @precondition(lambda self: len(self.circuit) > 0)
    @rule()
    def arrays_come_back(self) -> None:
        arrays = self.circuit.to_arrays()
        twin = Circuit.from_arrays(arrays).to_arrays()
        assert (twin.names, twin.roles) == (arrays.names, arrays.roles)
        assert twin.pre.tolist() == arrays.pre.tolist()
        assert twin.polarity.tolist() == arrays.polarity.tolist()


TestEditing = Editing.TestCase


def test_the_shape_of_what_a_network_over_it_gives() -> None:
    circuit = gl.auto_ncp(16, 3, inputs=4)
    shape = (2, 7, 4)
    assert circuit.compute_output_shape(shape) == (2, 7, 3) == gl.LTC(circuit).compute_output_shape(shape)
    for wrong in ((2, 7, 3), ()):
        with pytest.raises(ValueError, match=r"the circuit reads 4, expected \(\.\.\., 4\)"):
            circuit.compute_output_shape(wrong)
