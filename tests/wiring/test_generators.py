"""Generators: their arguments, and the circuits that ncps does not have."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import (
    Circuit,
    auto_ncp,
    check,
    from_graph,
    fully_connected,
    layered,
    ncp,
    random,
)

NCP = {
    "inter": 4,
    "command": 3,
    "motor": 2,
    "inputs": 5,
    "sensory_fanout": 2,
    "inter_fanout": 2,
    "recurrent_command_synapses": 3,
    "motor_fanin": 2,
}


def contents(circuit: Circuit) -> tuple[Any, ...]:
    return list(circuit.nodes(data=True)), list(circuit.edges(data=True))


def share_inhibitory(circuit: Circuit) -> float:
    return float(np.mean(circuit.to_arrays().polarity < 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: fully_connected(8, inputs=3, outputs=2, seed=seed),
        lambda seed: random(8, inputs=3, outputs=2, sparsity=0.5, seed=seed),
        lambda seed: auto_ncp(16, 4, inputs=3, seed=seed),
        lambda seed: ncp(**NCP, seed=seed),
        lambda seed: layered([8, 6], inputs=3, outputs=2, command=4, skip=0.2, seed=seed),
        lambda seed: from_graph(nx.path_graph(9), 2, 2, inhibitory=0.5, seed=seed),
    ],
)
def test_the_seed_decides(make: Callable[[int], Circuit]) -> None:
    assert contents(make(7)) == contents(make(7))
    assert contents(make(7)) != contents(make(8))
    assert type(make(7)) is Circuit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fully_connected(0, inputs=1), "units must be 1 or more, got 0"),
        (lambda: fully_connected(4, inputs=0), "inputs must be 1 or more, got 0"),
        (
            lambda: fully_connected(4, inputs=1, outputs=5),
            "outputs must not exceed units, got 5 outputs of 4 units",
        ),
        (lambda: random(4, inputs=1, outputs=0), "outputs must be 1 or more, got 0"),
        (lambda: random(4, inputs=1, sparsity=1.0), "sparsity must be from 0.0 to below 1.0, got 1.0"),
        (lambda: random(4, inputs=1, sparsity=-0.1), "sparsity must be from 0.0 to below 1.0, got -0.1"),
        (
            lambda: random(4, inputs=1, sparsity=float("nan")),
            "sparsity must be from 0.0 to below 1.0, got nan",
        ),
        (lambda: random(4, inputs=1, seed=-1), "seed must be 0 or more, got -1"),
        (lambda: random(4, inputs=1, seed=2**32), "seed must be below 2**32, got 4294967296"),
        (
            lambda: auto_ncp(8, 6, inputs=1),
            "outputs must be below units - 2, which is 6, got 6 outputs of 8 units",
        ),
        (lambda: auto_ncp(8, 2, inputs=1, sparsity=0.05), "sparsity must be from 0.1 to 1.0, got 0.05"),
        (
            lambda: ncp(**{**NCP, "sensory_fanout": 5}),
            "sensory_fanout must not exceed the 4 inter neurons, got 5",
        ),
        (
            lambda: ncp(**{**NCP, "inter_fanout": 4}),
            "inter_fanout must not exceed the 3 command neurons, got 4",
        ),
        (
            lambda: ncp(**{**NCP, "motor_fanin": 4}),
            "motor_fanin must not exceed the 3 command neurons, got 4",
        ),
        (lambda: ncp(**{**NCP, "motor_fanin": -1}), "motor_fanin must be 0 or more, got -1"),
        (lambda: ncp(**{**NCP, "motor": 0}), "motor must be 1 or more, got 0"),
        (
            lambda: ncp(**{**NCP, "recurrent_command_synapses": -2}),
            "recurrent_command_synapses must be 0 or more, got -2",
        ),
        (lambda: layered([4, 0], inputs=1, outputs=1), "layers[1] must be 1 or more, got 0"),
        (lambda: layered([4], inputs=1, outputs=1, density=1.5), "density must be from 0.0 to 1.0, got 1.5"),
        (lambda: layered([4], inputs=1, outputs=1, fanout=0), "fanout must be 1 or more, got 0"),
        (
            lambda: layered([4], inputs=1, outputs=1, inhibitory=2),
            "inhibitory must be from 0.0 to 1.0, got 2",
        ),
    ],
)
def test_values_out_of_range(make: Callable[[], Circuit], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fully_connected(4.0, inputs=1), "units must be a whole number, got 4.0"),
        (lambda: random(4, inputs="three"), "inputs must be a whole number, got 'three'"),
        (lambda: random(4, inputs=True), "inputs must be a whole number, got True"),
        (lambda: random(4, inputs=1, seed=None), "seed must be a whole number, got None"),
        (lambda: auto_ncp(16, 4, inputs=1, sparsity="0.5"), "sparsity must be a number, got '0.5'"),
        (
            lambda: layered(8, inputs=1, outputs=1),
            "layers must be a list of the sizes of the inter layers, such as [32, 16], got 8",
        ),
    ],
)
def test_values_of_the_wrong_kind(make: Callable[[], Circuit], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make()


def test_numpy_numbers_are_numbers() -> None:
    small = np.int8(100)  # whose square does not fit into an int8
    circuit = random(small, inputs=np.int64(2), outputs=small, sparsity=np.float32(0.5), seed=np.uint32(3))
    assert contents(circuit) == contents(random(100, inputs=2, outputs=100, sparsity=0.5, seed=3))


class TestLayered:
    def test_layers_and_roles(self) -> None:
        circuit = layered([3, 2], inputs=2, outputs=1, command=2, density=1.0, recurrent=0.0)
        layer = circuit.nodes(data="layer")
        assert circuit.neurons() == [
            *("sensory_0", "sensory_1", "motor_0", "command_0", "command_1"),
            *(f"inter_{k}" for k in range(5)),
        ]
        assert [layer[f"inter_{k}"] for k in range(5)] == [1, 1, 1, 2, 2]
        assert (layer["sensory_0"], layer["command_1"], layer["motor_0"]) == (0, 3, 4)
        assert circuit.number_of_edges() == 2 * 3 + 3 * 2 + 2 * 2 + 2 * 1
        assert all(layer[post] == layer[pre] + 1 for pre, post in circuit.edges)

    @given(
        layers=st.lists(st.integers(1, 7), max_size=4),
        sizes=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6)),
        density=st.floats(0, 1),
        fanout=st.none() | st.integers(1, 9),
        skip=st.floats(0, 1),
        recurrent=st.floats(0, 1),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_every_neuron_is_used(
        self, layers: list[int], sizes: tuple[int, int, int], **settings: Any
    ) -> None:
        inputs, outputs, command = sizes
        circuit = layered(layers, inputs=inputs, outputs=outputs, command=command, **settings)
        assert check(circuit) == []
        layer = dict(circuit.nodes(data="layer"))
        steps = {(layer[post] - layer[pre], layer[pre]) for pre, post in circuit.edges}
        assert {step for step, _ in steps} <= {0, 1, 2}
        assert {circuit.nodes[pre]["role"] for pre, post in circuit.edges if layer[pre] == layer[post]} <= {
            "command"
        }
        assert len(set(layer.values())) == len(layers) + 2 + (command > 0)
        if settings["fanout"]:  # exactly so many, plus what completes the neurons that none chose
            for name in circuit.neurons("sensory"):
                next_layer = [post for post in circuit if layer[post] == 1]
                chosen = [post for post in circuit[name] if layer[post] == 1]
                assert len(chosen) >= min(settings["fanout"], len(next_layer))

    def test_numbers_of_synapses(self) -> None:
        circuit = layered(
            [20, 20],
            inputs=20,
            outputs=20,
            command=20,
            density=0.5,
            recurrent=0.1,
            skip=0.05,
            inhibitory=0.25,
        )
        assert circuit.number_of_edges() == 4 * 200 + 40 + 3 * 20
        assert share_inhibitory(circuit) == 0.25

    def test_fanout(self) -> None:
        circuit = layered([50], inputs=40, outputs=50, fanout=9)
        assert all(circuit.out_degree(name) == 9 for name in circuit.neurons("sensory"))

    def test_layers_may_be_any_list_of_numbers(self) -> None:
        circuit = layered(np.array([3, 2]), inputs=2, outputs=1)
        assert contents(circuit) == contents(layered((3, 2), inputs=2, outputs=1))

    def test_no_inter_layer(self) -> None:
        assert layered([], inputs=2, outputs=2, density=1.0).synapses("sensory", "motor") != []


GRAPHS = {
    "small world": nx.watts_strogatz_graph(40, 4, 0.2, seed=1),
    "scale free": nx.scale_free_graph(40, seed=1),  # directed, with parallel edges
    "preferential attachment": nx.barabasi_albert_graph(40, 2, seed=1),
    "grid": nx.grid_2d_graph(5, 5),  # nodes are tuples
    "social": nx.karate_club_graph(),  # has attributes
    "directed": nx.gnp_random_graph(30, 0.15, seed=1, directed=True),
}


class TestFromGraph:
    @pytest.mark.parametrize("per", ["synapse", "neuron"])
    @pytest.mark.parametrize("name", GRAPHS)
    def test_counts(self, name: str, per: Any) -> None:
        graph = GRAPHS[name]
        nodes, edges = list(graph.nodes(data=True)), list(graph.edges(data=True))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            circuit = from_graph(graph, inputs=4, outputs=3, per=per)
        assert (list(graph.nodes(data=True)), list(graph.edges(data=True))) == (nodes, edges)
        assert [p for p in check(circuit) if p.severity == "error"] == []
        assert len(circuit.neurons("sensory")) == 4
        assert len(circuit.neurons("motor")) == 3
        plain = nx.DiGraph(graph)
        assert list(circuit)[4:] == list(plain)
        assert set(circuit.subgraph(plain).edges) == set(plain.edges)

    def test_inputs_are_dealt_to_the_neurons_by_turns(self) -> None:
        circuit = from_graph(nx.path_graph(6), inputs=2, outputs=[5])
        assert [(pre, post) for pre, post, _ in circuit.synapses("sensory")] == [
            *(("sensory_0", post) for post in (0, 2, 4)),
            *(("sensory_1", post) for post in (1, 3)),
        ]
        circuit = from_graph(nx.path_graph(3), inputs=4, outputs=[2])
        assert {(pre, post) for pre, post, _ in circuit.synapses("sensory")} == {
            *(("sensory_0", 0), ("sensory_1", 1), ("sensory_2", 0), ("sensory_3", 1)),
        }

    def test_inputs_reach_the_motor_neurons_if_there_are_no_others(self) -> None:
        circuit = from_graph(nx.path_graph(2), inputs=1, outputs=2)
        assert {post for _, post, _ in circuit.synapses("sensory")} == {0, 1}

    def test_outputs_are_the_nodes_with_most_incoming_synapses(self) -> None:
        graph = nx.DiGraph([(0, 3), (1, 3), (0, 2), (1, 2), (4, 4), (0, 4), (5, 0)])
        assert from_graph(graph, inputs=1, outputs=1).neurons("motor") == [3]  # before 2 in the graph
        assert from_graph(graph, inputs=1, outputs=2).neurons("motor") == [3, 2]

    def test_listed_nodes(self) -> None:
        graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("b", "a")])
        with pytest.warns(UserWarning, match=r"dropped 2 edges of the graph, the first of them 'b' -> 'a'"):
            circuit = from_graph(graph, inputs=["a"], outputs=["c"], inhibitory=0)
        assert dict(circuit.nodes(data="role")) == {"a": "sensory", "b": "inter", "c": "motor"}
        assert circuit.synapses() == [("a", "b", 1), ("b", "c", 1)]
        assert check(circuit) == []

    def test_an_undirected_graph_loses_nothing(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            circuit = from_graph(nx.path_graph(3), inputs=[0], outputs=[2])
        assert set(circuit.edges) == {(0, 1), (1, 2), (2, 1)}

    def test_what_the_graph_has_is_kept(self) -> None:
        graph = nx.DiGraph(name="made by hand")
        graph.add_node("eye", role="sensory", side="left")
        graph.add_node("hub", role="command")
        graph.add_edge("eye", "hub", polarity=-1.0, delay=3)
        graph.add_edge("hub", "leg", weight=0.5)
        circuit = from_graph(graph, inputs=2, outputs=1, inhibitory=0)
        assert circuit.graph == {"name": "made by hand"}
        assert circuit.nodes["eye"] == {"role": "sensory", "side": "left"}
        assert dict(circuit.nodes(data="role")) == {
            "sensory_0": "sensory",
            "eye": "sensory",
            "hub": "command",
            "leg": "motor",
        }
        assert circuit.edges["eye", "hub"] == {"polarity": -1, "delay": 3}
        assert type(circuit.edges["eye", "hub"]["polarity"]) is int
        assert circuit.edges["hub", "leg"] == {"polarity": 1, "weight": 0.5}
        assert circuit.synapses("sensory_0") == [("sensory_0", "hub", 1)]

    def test_a_circuit_comes_back_as_it_is(self) -> None:
        circuit = auto_ncp(16, 4, inputs=3)
        assert contents(from_graph(circuit, inputs=3, outputs=4)) == contents(circuit)

    def test_names_that_are_taken(self) -> None:
        graph = nx.relabel_nodes(nx.path_graph(3), {0: "sensory_0"})
        assert from_graph(graph, inputs=2, outputs=1).neurons("sensory") == ["sensory_1", "sensory_2"]

    def test_share_of_inhibitory_synapses(self) -> None:
        graph = nx.watts_strogatz_graph(50, 4, 0.2, seed=1)  # 200 synapses
        assert share_inhibitory(from_graph(graph, [0], [1], inhibitory=0)) == 0
        assert share_inhibitory(from_graph(graph, [0], [1], inhibitory=1)) == 1
        circuit = from_graph(graph, inputs=10, outputs=2, inhibitory=0.25)
        assert share_inhibitory(circuit) == round(0.25 * 248) / 248

    def test_dales_law(self) -> None:
        circuit = from_graph(nx.complete_graph(20), inputs=5, outputs=2, inhibitory=0.4, per="neuron")
        signs = {name: {sign for _, _, sign in circuit.synapses(name)} for name in circuit}
        assert all(len(sign) == 1 for sign in signs.values())
        assert sum(sign == {-1} for sign in signs.values()) == 10

    def test_dales_law_holds_for_what_is_there(self) -> None:
        graph = nx.complete_graph(6, create_using=nx.DiGraph)
        graph.edges[0, 1]["polarity"] = -1
        circuit = from_graph(graph, inputs=1, outputs=1, inhibitory=0, per="neuron")
        assert {sign for _, _, sign in circuit.synapses(0)} == {-1}
        graph.edges[0, 2]["polarity"] = 1
        with pytest.raises(CircuitError, match="neuron 0 has excitatory and inhibitory synapses"):
            from_graph(graph, inputs=1, outputs=1, per="neuron")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"graph": nx.Graph()}, "the graph has no nodes"),
            ({"inputs": ["x"]}, "inputs: there is no node 'x' in the graph"),
            ({"inputs": [[1]]}, "inputs: there is no node [1] in the graph"),
            ({"inputs": [0, 1, 0]}, "inputs: node 0 is given twice"),
            ({"inputs": []}, "inputs names no node, and the graph has no sensory neuron"),
            ({"inputs": 0}, "inputs must be 1 or more, got 0"),
            ({"outputs": []}, "outputs names no node, and the graph has no motor neuron"),
            ({"outputs": 5}, "outputs is 5, but only 4 nodes can be motor neurons"),
            ({"inputs": [2], "outputs": [2]}, "outputs: node 2 is a sensory neuron already"),
            ({"inhibitory": 1.2}, "inhibitory must be from 0.0 to 1.0, got 1.2"),
            ({"per": "axon"}, "unknown per 'axon': expected one of synapse, neuron"),
        ],
    )
    def test_values_that_do_not_fit(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            from_graph(**{"graph": nx.path_graph(4), "inputs": 1, "outputs": 1, **arguments})

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"graph": [(0, 1)]}, "expected a networkx graph, got list"),
            ({"inputs": "node"}, "inputs must be a number or a list of nodes, got 'node'"),
            ({"outputs": 1.5}, "outputs must be a number or a list of nodes, got 1.5"),
            ({"outputs": True}, "outputs must be a whole number, got True"),
        ],
    )
    def test_values_of_the_wrong_kind(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            from_graph(**{"graph": nx.path_graph(4), "inputs": 1, "outputs": 1, **arguments})

    def test_more_roles_than_asked_for(self) -> None:
        circuit = auto_ncp(16, 4, inputs=3)
        with pytest.raises(ValueError, match="inputs is 2, but the graph has 3 sensory neurons already"):
            from_graph(circuit, inputs=2, outputs=4)
        with pytest.raises(ValueError, match="outputs is 1, but the graph has 4 motor neurons already"):
            from_graph(circuit, inputs=3, outputs=1)

    def test_illegal_graphs(self) -> None:
        graph = nx.path_graph(3)
        graph.nodes[1]["role"] = "hub"
        with pytest.raises(CircuitError, match="node 1 has role 'hub'; expected one of sensory, inter"):
            from_graph(graph, 1, 1)
        graph = nx.path_graph(3)
        graph.edges[0, 1]["polarity"] = 0
        with pytest.raises(CircuitError, match=r"synapse 0 -> 1 has polarity 0; expected \+1 or -1"):
            from_graph(graph, 1, 1)
        with pytest.raises(CircuitError, match="two nodes are called '1'"):
            from_graph(nx.Graph([(0, 1), (1, "1")]), 1, 1)
        graph = nx.MultiDiGraph()
        graph.add_edges_from([("a", "b", {"polarity": 1}), ("a", "b", {"polarity": -1})])
        with pytest.raises(CircuitError, match="parallel edges of synapse 'a' -> 'b' have both polarities"):
            from_graph(graph, ["a"], ["b"])
