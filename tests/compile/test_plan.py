"""The plan: names, orders and index arrays of a circuit, and the passes that make it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from tests.support.strategies import circuits

import ganglion as gl
from ganglion.compile import Plan, Synapses, make_plan
from ganglion.errors import CircuitError


def small() -> gl.Circuit:
    """A sensor, two inter neurons, a command neuron and a motor neuron, added in no helpful order."""
    circuit = gl.Circuit()
    for name, role in (("a", "inter"), ("eye", "sensory"), ("m", "motor"), ("c", "command"), ("b", "inter")):
        circuit.add_neuron(name, role)
    for pre, post, sign in (("eye", "b", 1), ("eye", "a", -1), ("a", "c", 1), ("b", "c", -1), ("c", "m", 1)):
        circuit.add_synapse(pre, post, sign)
    circuit.add_synapse("c", "c", -1)
    return circuit


def test_states_are_motor_command_inter_and_in_graph_order_inside_a_role() -> None:
    plan = make_plan(small())
    assert plan.neurons == ("m", "c", "a", "b")
    assert plan.sensors == ("eye",)
    assert plan.roles == ("motor", "command", "inter", "inter")
    assert (plan.n_inputs, plan.n_neurons, plan.n_outputs) == (1, 4, 1)
    assert plan.role_slice("inter") == slice(2, 4)


def test_synapses_are_sorted_by_post_then_pre_with_their_signs() -> None:
    plan = make_plan(small())
    named = [
        (plan.neurons[i], plan.neurons[j], int(sign))
        for i, j, sign in zip(plan.recurrent.pre, plan.recurrent.post, plan.recurrent.polarity, strict=True)
    ]
    assert named == [("c", "m", 1), ("c", "c", -1), ("a", "c", 1), ("b", "c", -1)]
    assert plan.sensory.post.tolist() == [2, 3]
    assert plan.sensory.polarity.tolist() == [-1, 1]


@given(circuits())
def test_a_plan_holds_exactly_the_circuit(circuit: gl.Circuit) -> None:
    plan = make_plan(circuit)
    named = {
        (names[i], plan.neurons[j]): int(sign)
        for names, s in ((plan.neurons, plan.recurrent), (plan.sensors, plan.sensory))
        for i, j, sign in zip(s.pre, s.post, s.polarity, strict=True)
    }
    assert named == {(str(i), str(j)): sign for i, j, sign in circuit.edges(data="polarity")}
    assert sorted(plan.neurons + plan.sensors) == sorted(map(str, circuit))


@given(circuits())
def test_pointers_delimit_the_synapses_of_each_neuron(circuit: gl.Circuit) -> None:
    for synapses in (make_plan(circuit).recurrent, make_plan(circuit).sensory):
        for j in range(synapses.n_post):
            assert set(synapses.post[synapses.span(j, j + 1)].tolist()) <= {j}
        for i in range(synapses.n_pre):
            own = synapses.by_pre[synapses.pre_ptr[i] : synapses.pre_ptr[i + 1]]
            assert (synapses.pre[own] == i).all()
            assert (np.diff(synapses.post[own]) > 0).all()
        assert synapses.ptr[-1] == synapses.pre_ptr[-1] == len(synapses)


def test_onto_keeps_only_the_synapses_onto_a_range() -> None:
    synapses = Synapses.sorted([0, 1, 2, 0], [2, 1, 1, 0], [1, -1, 1, 1], n_pre=3, n_post=3)
    part = synapses.onto(1, 3)
    assert part.pre.tolist() == [1, 2, 0]
    assert part.post.tolist() == [0, 0, 1]
    assert (part.n_pre, part.n_post) == (3, 2)


@given(circuits())
def test_compiling_twice_gives_equal_plans_and_digests(circuit: gl.Circuit) -> None:
    first, second = make_plan(circuit), make_plan(gl.Circuit(circuit))
    assert first == second
    assert hash(first) == hash(second)
    assert first.digest == second.digest


def test_any_difference_changes_the_digest() -> None:
    digests = {make_plan(small()).digest}
    for edit in (
        lambda c: c.flip("a", "c"),
        lambda c: c.rename({"a": "z"}),
        lambda c: c.remove_synapse("c", "c"),
        lambda c: c.set_role("b", "command"),
    ):
        circuit = small()
        edit(circuit)
        digests.add(make_plan(circuit).digest)
    assert len(digests) == 5


def test_from_arrays_equals_the_plan_of_the_graph() -> None:
    arrays = small().to_arrays()
    plan = Plan.from_arrays(arrays.pre, arrays.post, arrays.polarity, arrays.roles, arrays.names)
    assert plan == make_plan(small())


def test_from_arrays_names_neurons_by_role() -> None:
    plan = Plan.from_arrays([0, 2], [2, 1], [1, -1], ["sensory", "motor", "inter"])
    assert plan.neurons == ("motor_0", "inter_0")
    assert plan.sensors == ("sensory_0",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [1, 1], [1], ["sensory", "motor"]), "differ in length"),
        (([0], [5], [1], ["sensory", "motor"]), r"post\[0\] is 5"),
        (([0], [1], [2], ["sensory", "motor"]), "polarity 2; expected"),
        (([1], [0], [1], ["sensory", "motor"]), "sensory neurons are inputs"),
        (([0, 0], [1, 1], [1, 1], ["sensory", "motor"]), "more than once"),
        (([0], [1], [1], ["sensory", "muscle"]), "'muscle'"),
        (([0], [1], [1], ["sensory", "inter"]), "no motor neuron"),
    ],
)
def test_from_arrays_refuses_what_breaks_a_rule(arguments: tuple[list[object], ...], message: str) -> None:
    with pytest.raises(gl.CircuitError, match=message):
        Plan.from_arrays(*arguments)


def test_an_unsound_circuit_is_refused_with_every_problem() -> None:
    graph = nx.DiGraph()
    graph.add_node("s", role="sensory")
    graph.add_node("x", role="glia")
    graph.add_edge("x", "s", polarity=7)
    with pytest.raises(gl.CircuitError) as caught:
        gl.compile_circuit(graph)
    for part in ("glia", "7", "motor", "sensory"):
        assert part in str(caught.value)


@pytest.mark.parametrize("source", [None, 3, nx.Graph(), "c.json"])
def test_only_circuits_can_be_compiled(source: object) -> None:
    with pytest.raises(TypeError, match=type(source).__name__):
        gl.compile_circuit(source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "csr"}, "unknown layout 'csr'.*dense"),
        ({"order": "random"}, "unknown order 'random'.*role"),
        ({"block_size": 7}, "unknown block_size 7.*8, 16, 32, 64"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(gl.LayoutError, match=message):
        gl.compile_circuit(small(), **options)


def test_masks_are_pre_by_post_and_polarity_carries_the_sign() -> None:
    compiled = gl.compile_circuit(small(), layout="dense")
    names = compiled.plan.neurons
    mask, polarity = np.array(compiled.recurrent.mask), np.array(compiled.recurrent.polarity)
    assert mask.shape == polarity.shape == (4, 4)
    assert mask[names.index("a"), names.index("c")] == 1
    assert mask[names.index("c"), names.index("a")] == 0
    assert polarity[names.index("b"), names.index("c")] == -1
    assert np.array_equal(np.abs(polarity), mask)
    assert np.array(compiled.sensory.mask).tolist() == [[0, 0, 1, 1]]


def test_describe_tells_sizes_density_and_memory() -> None:
    text = make_plan(small()).describe()
    assert "4 neurons (1 motor, 1 command, 2 inter), 1 sensory neuron" in text
    assert "recurrent: 4 synapses of 4 x 4 (25.0%), 2 inhibitory" in text
    assert "dense" in text
    assert "edge" in text


def test_compiled_circuits_are_equal_when_plan_and_options_are() -> None:
    assert gl.compile_circuit(small()) == gl.compile_circuit(small())
    assert gl.compile_circuit(small(), layout="edge") != gl.compile_circuit(small(), layout="dense")


def test_the_arrays_of_a_plan_cannot_be_changed_behind_its_digest() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_plan(small()).recurrent.polarity[0] = -1


def test_find_knows_no_synapse_of_an_unknown_neuron() -> None:
    synapses = Synapses.sorted([0, 1], [1, 1], [1, 1], n_pre=2, n_post=2)
    assert synapses.find(np.array([0, 2, -1, 0]), np.array([1, 0, 1, 0])).tolist() == [0, -1, -1, -1]


def test_a_hopeless_circuit_gets_a_short_message() -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(500))
    with pytest.raises(gl.CircuitError, match="more, which") as caught:
        gl.compile_circuit(graph)
    assert len(str(caught.value).splitlines()) < 25


def test_numbers_that_no_cell_uses_are_told() -> None:
    circuit = gl.auto_ncp(8, 2, inputs=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gl.compile_circuit(circuit)
    for pre, post, _ in circuit.synapses("sensory"):
        circuit.edges[pre, post].update(weight=2.0, delay=1, note="x")
    circuit.nodes["motor_0"]["tau"] = 0.5
    count = len(circuit.synapses("sensory"))
    told = rf"do not use .*: tau \(1 neuron\), weight \({count} synapses\), delay \({count} synapses\)"
    with pytest.warns(UserWarning, match=told):
        gl.compile_circuit(circuit)


@pytest.mark.parametrize(
    ("source", "way"),
    [
        (np.eye(3), "gl.circuit_from"),
        ([("a", "b")], "gl.circuit_from"),
        (nx.Graph(), "gl.circuit_from"),
        ("c.json", "gl.read"),
    ],
)
def test_what_is_no_circuit_names_the_way(source: object, way: str) -> None:
    with pytest.raises(TypeError, match=way):
        gl.LTC(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", "a"), "two neurons are named 'a'"),
        ((["a"], "b"), r"a neuron is named \['a'\]: expected"),
    ],
)
def test_names_are_names_and_of_one_neuron_each(names: tuple[Any, ...], said: str) -> None:
    plan = Plan.from_arrays([0, 1], [1, 2], [1, 1], ["sensory", "inter", "motor"], ["s", "i", "m"])
    with pytest.raises(CircuitError, match=said):
        replace(plan, neurons=names)
