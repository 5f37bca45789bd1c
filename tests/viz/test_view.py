import types

import networkx as nx
import numpy as np
import pytest

from ganglion.compile import compile_circuit
from ganglion.errors import CircuitError
from ganglion.viz.view import view


def test_graph_becomes_arrays(circuit):
    seen = view(circuit)
    assert seen.names == tuple(circuit)
    assert seen.synapses == list(circuit.edges)
    assert seen.polarity.tolist() == [sign for _, _, sign in circuit.edges(data="polarity")]
    assert seen.drawn_roles == ["sensory", "inter", "command", "motor"]


def test_nodes_of_any_type_are_found_by_node_and_by_name():
    graph = nx.DiGraph()
    graph.add_node(7, role="sensory")
    graph.add_node(("a", 1), role="motor")
    graph.add_edge(7, ("a", 1), polarity=-1)
    seen = view(graph)
    assert seen.find(7) == seen.find("7") == 0
    assert seen.find(("a", 1)) == seen.find("('a', 1)") == 1


def test_plan_is_seen_with_sensors_first():
    def part(pre, post, polarity):
        return types.SimpleNamespace(pre=np.array(pre), post=np.array(post), polarity=np.array(polarity))

    plan = types.SimpleNamespace(
        neurons=("m", "i"), sensors=("s",), roles=("motor", "inter"),
        sensory=part([0], [1], [1]), recurrent=part([1, 1], [0, 1], [-1, 1]),
        electrical=part([0], [1], [1]),
    )  # fmt: skip
    for source in (plan, types.SimpleNamespace(plan=plan)):
        seen = view(source)
        assert seen.names == ("s", "m", "i")
        assert seen.synapses == [("s", "i"), ("i", "m"), ("i", "i"), ("m", "i")]
        assert seen.polarity.tolist() == [1, -1, 1, 0]
        assert seen.roles == ("sensory", "motor", "inter")


def test_compiled_circuit_has_the_synapses_of_its_graph(circuit):
    seen = view(compile_circuit(circuit))
    assert set(seen.synapses) == set(circuit.edges)
    signs = dict(zip(seen.synapses, seen.polarity.tolist(), strict=True))
    assert signs == nx.get_edge_attributes(circuit, "polarity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.add_node("x"), "'x' has role None"),
        (lambda g: g.add_edge("inter_0", "motor_0"), "'inter_0' -> 'motor_0' has polarity None"),
        (lambda g: g.add_edge("inter_0", "motor_0", polarity=0.5), "polarity 0.5; expected"),
    ],
)
def test_unsound_circuits_are_refused_by_name(circuit, change, message):
    change(circuit)
    with pytest.raises(CircuitError, match=message):
        view(circuit)


def test_what_is_no_circuit_is_refused():
    with pytest.raises(
        TypeError, match="expected a DiGraph, a Plan, a compiled circuit or a network to draw, got list"
    ):
        view([1, 2])
    with pytest.raises(TypeError, match="expected a DiGraph to draw, got Graph"):
        view(nx.Graph())
    with pytest.raises(CircuitError, match="no neurons"):
        view(nx.DiGraph())
