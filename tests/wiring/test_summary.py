"""summary(): a circuit in words and numbers."""

from __future__ import annotations

import networkx as nx
import pytest

from ganglion.wiring import Circuit, summary


def reflex() -> Circuit:
    circuit = Circuit(name="reflex")
    circuit.add_neurons(["left", "right"], role="sensory")
    circuit.add_neurons(["hub", "idle"])
    circuit.add_neurons(["go"], role="command")
    circuit.add_neurons(["near", "far"], role="motor")
    circuit.add_synapses([("left", "hub"), ("right", "hub", -1), ("right", "near"), ("hub", "hub", -1)])
    circuit.add_synapses([("hub", "go"), ("go", "far"), ("idle", "hub")])
    return circuit


def test_numbers() -> None:
    counted = reflex().summary()
    assert counted == summary(nx.DiGraph(reflex()))
    assert counted.neurons == {"sensory": 2, "inter": 2, "command": 1, "motor": 2}
    assert (counted.synapses, counted.excitatory, counted.inhibitory) == (7, 5, 2)
    assert counted.self_synapses == 1
    assert counted.sensory_density == 3 / (2 * 5)
    assert counted.recurrent_density == 4 / 25
    assert counted.in_degree is not None
    assert (counted.in_degree.least, counted.in_degree.mean, counted.in_degree.greatest) == (0, 7 / 5, 4)
    assert counted.out_degree is not None
    assert (counted.out_degree.least, counted.out_degree.mean, counted.out_degree.greatest) == (0, 1, 2)
    assert counted.depth == (1, 3)
    assert counted.unreached == ("idle",)
    assert counted.dead_ends == ()


def test_pathways_run_from_the_inputs_to_the_outputs() -> None:
    found = [
        (path.pre, path.post, path.excitatory, path.inhibitory, path.density)
        for path in reflex().summary().pathways
    ]
    assert found == [
        ("sensory", "inter", 1, 1, 2 / 4),
        ("sensory", "motor", 1, 0, 1 / 4),
        ("inter", "inter", 1, 1, 2 / 4),
        ("inter", "command", 1, 0, 1 / 2),
        ("command", "motor", 1, 0, 1 / 2),
    ]


def test_words() -> None:
    assert str(reflex().summary()).splitlines() == [
        "Circuit 'reflex'",
        "  neurons             7 (2 sensory, 2 inter, 1 command, 2 motor)",
        "  synapses            7 (5 excitatory, 2 inhibitory)",
        "    sensory -> inter  2 (1 excitatory, 1 inhibitory), density 50.0%",
        "    sensory -> motor  1 (1 excitatory, 0 inhibitory), density 25.0%",
        "    inter -> inter    2 (1 excitatory, 1 inhibitory), density 50.0%",
        "    inter -> command  1 (1 excitatory, 0 inhibitory), density 50.0%",
        "    command -> motor  1 (1 excitatory, 0 inhibitory), density 50.0%",
        "  self-synapses       1",
        "  density             sensory 30.0%, recurrent 16.0%",
        "  in-degree           0 to 4, 1.4 on average (neurons with state)",
        "  out-degree          0 to 2, 1.0 on average",
        "  depth               1 to 3 (synapses on the shortest path from a sensory to a motor neuron)",
        "  unreached           'idle'",
        "  dead ends           none",
    ]
    assert repr(reflex().summary()) == str(reflex().summary())


def test_an_unsound_circuit_is_described_too() -> None:
    circuit = reflex()
    circuit.add_node("lost", role="boss")
    circuit.add_edge("lost", "left", polarity=3)
    text = str(circuit.summary())
    assert "8 (2 sensory, 2 inter, 1 command, 2 motor, 1 no role)" in text
    assert "no role -> sensory  1 (0 excitatory, 0 inhibitory, 1 without legal polarity)" in text


def test_an_empty_circuit() -> None:
    counted = Circuit().summary()
    assert counted.in_degree is None
    assert counted.depth is None
    assert "no sensory neuron reaches a motor neuron" in str(counted)
    assert str(counted).startswith("Circuit\n")


def test_long_lists_are_cut() -> None:
    circuit = Circuit()
    circuit.add_neurons(range(9), role="motor")
    assert "unreached      0, 1, 2, 3, 4 and 4 more" in str(circuit.summary())


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match=r"summary\(\) takes a networkx.DiGraph, got MultiDiGraph"):
        summary(nx.MultiDiGraph())


def test_electrical_synapses_are_counted_by_themselves() -> None:
    """They have neither sign nor direction: as excitatory synapses one way they were two wrong numbers."""
    circuit = reflex()
    before = circuit.summary()
    circuit.add_synapse("hub", "near", kind="electrical", weight=2)
    circuit.add_edge("far", "near", kind="electrical", polarity=1)
    circuit.edges["go", "far"]["gap"] = 3.0
    after = circuit.summary()
    assert (before.electrical, after.electrical) == (0, 3)
    for name in ("synapses", "excitatory", "inhibitory", "pathways", "in_degree", "out_degree"):
        assert getattr(before, name) == getattr(after, name)
    assert "\n  electrical          3 pairs\n" in str(after)
    assert "electrical" not in str(before)
    assert repr(circuit) == "Circuit(7 neurons, 7 chemical synapses, 3 electrical synapses)"
    circuit.remove_neurons(["far", "left", "right", "go", "near"])
    circuit.add_synapse("hub", "idle", gap=1)
    assert repr(circuit) == "Circuit(2 neurons, 3 chemical synapses, 1 electrical synapse)"
    assert ("electrical", "1 pair") in [
        tuple(line.split(maxsplit=1)) for line in str(circuit.summary()).splitlines()
    ]
