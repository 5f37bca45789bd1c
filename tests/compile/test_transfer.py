"""Weights over edits: what survives keeps its values, what is removed acts as if its weights were zero."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.belonging import without_digests

from ..support.networks import random_parameters
from ..support.strategies import SEEDS, circuits

NETWORKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ltc": (gl.LTC, {"ode_unfolds": 3}),
    "ltc without mappings": (gl.LTC, {"ode_unfolds": 3, "input_mapping": None, "output_mapping": None}),
    "ltc fixed": (gl.LTC, {"ode_unfolds": 2, "polarity": "fixed", "engine": "ops"}),
    "cfc": (gl.CfC, {}),
    "cfc pure": (gl.CfC, {"mode": "pure"}),
    "cfc synchronous": (gl.CfC, {"mode": "no_gate", "schedule": "synchronous"}),
    "cfc compat": (gl.CfC, {"ncps_compat": True}),
    "cfc compat pure": (gl.CfC, {"ncps_compat": True, "mode": "pure"}),
}
on_all_networks = pytest.mark.parametrize("kind", NETWORKS)


def network(kind: str, circuit: Any, seed: int = 0) -> Any:
    make, options = NETWORKS[kind]
    rnn = make(circuit, **options)
    random_parameters(rnn, np.random.default_rng(seed))
    return rnn


def circuit() -> gl.Circuit:
    return gl.ncp(
        inter=7, command=5, motor=3, inputs=4, sensory_fanout=4, inter_fanout=3,
        recurrent_command_synapses=6, motor_fanin=3, seed=5,
    )  # fmt: skip


def by_name(rnn: Any) -> dict[tuple[str, ...], float]:
    """Every parameter value of a cell under the names of its neurons."""
    cell = rnn.cell
    values: dict[tuple[str, ...], float] = {}
    for name, array in cell.trainable_parameters().items():
        plan = cell.compiled.plan
        if getattr(cell, "ncps_compat", False) and name.removeprefix("sensory_").startswith("ff"):
            plan = cell.signal
        for side, names in (("recurrent", plan.neurons), ("sensory", plan.sensors)):
            s = getattr(plan, side)
            per_synapse = name.endswith("_w") or name.removeprefix("sensory_") in ("w", "mu", "sigma", "erev")
            if per_synapse and name.startswith("sensory_") == (side == "sensory") and "put_" not in name:
                for i, j, value in zip(s.pre, s.post, array.tolist(), strict=True):
                    values[name, names[i], plan.neurons[j]] = value
                break
        else:
            owners = plan.sensors if name.startswith("input_") else plan.neurons
            values |= {(name, owner): value for owner, value in zip(owners, array.tolist(), strict=False)}
    return values


def without_outgoing(rnn: Any, neuron: str) -> Any:
    """The same network with the outgoing weights of one neuron set to zero."""
    make, options = type(rnn), rnn._arguments() | rnn._kept
    twin = make(**{name: value for name, value in options.items() if name != "key"})
    twin.update(rnn.parameters())
    for name, value in tree_flatten(twin.cell.trainable_parameters()):
        if not (name.endswith("_w") or name in ("w", "sensory_w")) or "put_" in name:
            continue
        plan = twin.cell.compiled.plan
        if getattr(twin.cell, "ncps_compat", False) and "ff" in name:
            plan = twin.cell.signal
        names, s = (
            (plan.sensors, plan.sensory) if name.startswith("sensory_") else (plan.neurons, plan.recurrent)
        )
        here = np.array([names[i] == neuron for i in s.pre], bool)
        twin.cell[name] = mx.where(mx.array(here), 0.0, value) if len(here) else value
    return twin


@on_all_networks
@pytest.mark.parametrize("neuron", ["inter_3", "command_0", "command_4", "sensory_2", "motor_1"])
def test_a_removed_neuron_acts_as_one_without_outgoing_weights(kind: str, neuron: str) -> None:
    rnn = network(kind, circuit())
    ablated = gl.lesion(rnn, neurons=[neuron])
    x = np.random.default_rng(1).uniform(-1, 1, (3, 6, 4)).astype(np.float32)
    reference = without_outgoing(rnn, neuron)
    sensors = [k for k, name in enumerate(rnn.cell.sensors) if name != neuron]
    kept = [k for k, name in enumerate(rnn.cell.neurons) if name != neuron]
    expected = reference(mx.array(x), record=True)[-1]
    found = ablated(mx.array(x[:, :, sensors]), record=True)[-1]
    assert found.neurons == tuple(expected.neurons[k] for k in kept)
    np.testing.assert_allclose(found.states, expected.states[..., kept], atol=1e-6)
    motors = [k for k in kept if k < 3]
    np.testing.assert_allclose(found.outputs, expected.outputs[..., motors], atol=1e-6)


@on_all_networks
def test_every_surviving_value_is_kept(kind: str) -> None:
    rnn = network(kind, circuit())
    before = by_name(rnn)
    ablated = gl.lesion(rnn, neurons=["inter_3", "sensory_0", "motor_1"])
    after = by_name(ablated)
    gone = {"inter_3", "sensory_0", "motor_1"}
    assert after == {key: value for key, value in before.items() if not gone & set(key[1:])}
    assert by_name(rnn) == before


@pytest.mark.parametrize("kind", ["ltc", "cfc", "cfc pure"])
def test_single_synapses(kind: str) -> None:
    rnn = network(kind, circuit())
    plan = rnn.cell.compiled.plan
    pairs = [
        (plan.neurons[plan.recurrent.pre[5]], plan.neurons[plan.recurrent.post[5]]),
        (plan.sensors[plan.sensory.pre[3]], plan.neurons[plan.sensory.post[3]]),
    ]
    before, after = by_name(rnn), by_name(gl.lesion(rnn, synapses=pairs))
    assert after == {key: value for key, value in before.items() if key[1:] not in pairs}
    assert len(after) < len(before)


@given(circuit=circuits(largest=4), seed=SEEDS, data=st.data())
def test_lesions_of_any_circuit(circuit: nx.DiGraph, seed: int, data: st.DataObject) -> None:
    rnn = network("ltc", circuit, seed)
    removable = [n for n in (*rnn.cell.neurons, *rnn.cell.sensors) if n != "motor_0"]
    neurons = data.draw(st.lists(st.sampled_from(removable or [""]), unique=True)) if removable else []
    pruned = gl.Circuit(circuit)
    for name in neurons:
        pruned.remove_neuron(name)
    ablated = gl.lesion(rnn, neurons=neurons)
    assert ablated.cell.compiled.plan == gl.compile_circuit(pruned).plan
    before = by_name(rnn)
    assert by_name(ablated) == {k: v for k, v in before.items() if not set(neurons) & set(k[1:])}


def test_a_role_or_one_name_can_be_removed() -> None:
    rnn = network("ltc", circuit())
    plan = gl.compile_circuit(circuit()).plan
    command = plan.neurons[plan.role_slice("command")]
    for group, gone in (("command", command), (command[0], command[:1]), ("inter_0", ["inter_0"])):
        left = gl.circuit_of(gl.lesion(rnn, group).cell.compiled)
        assert set(plan.neurons + plan.sensors) - set(left) == set(gone)


@pytest.mark.parametrize("kind", ["ltc", "cfc", "cfc pure", "cfc compat"])
def test_growing_back_restores_shape_and_names(kind: str) -> None:
    whole = circuit()
    rnn = network(kind, whole)
    old = gl.compile_circuit(whole).plan
    ablated = gl.lesion(rnn, neurons=["command_2"])
    smaller = gl.compile_circuit(_pruned(whole, "command_2")).plan
    compat = "compat" in kind
    regrown = network(kind, whole, seed=9)
    parameters = gl.transfer(ablated.parameters(), smaller, old, key=mx.random.key(3), ncps_compat=compat)
    again = gl.transfer(ablated.parameters(), smaller, old, key=mx.random.key(3), ncps_compat=compat)
    regrown.update(parameters)
    assert regrown.cell.neurons == rnn.cell.neurons
    before, after = by_name(rnn), by_name(regrown)
    assert before.keys() == after.keys()
    for key, value in before.items():
        if "command_2" not in key[1:]:
            assert after[key] == value, key
    assert any(after[key] != before[key] for key in before)
    for (_, one), (_, two) in zip(tree_flatten(parameters), tree_flatten(again), strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(two))


def _pruned(circuit: gl.Circuit, name: str) -> gl.Circuit:
    pruned = gl.Circuit(circuit)
    pruned.remove_neuron(name)
    return pruned


def test_renames_follow() -> None:
    old = circuit()
    new = gl.Circuit(old)
    new.rename({"inter_0": "AVA", "sensory_1": "touch"})
    rnn = network("ltc", old)
    plans = gl.compile_circuit(old).plan, gl.compile_circuit(new).plan
    carried = gl.transfer(rnn.parameters(), *plans, renames={"inter_0": "AVA", "sensory_1": "touch"})
    twin = network("ltc", new)
    twin.update(carried)
    x = mx.random.normal((2, 4, 4))
    np.testing.assert_array_equal(np.array(twin(x)[0]), np.array(rnn(x)[0]))


def test_a_new_order_of_neurons_is_followed_by_name() -> None:
    old = circuit()
    shuffled = gl.Circuit()
    for name in sorted(old, key=lambda name: hash(str(name)) % 97):
        shuffled.add_neuron(name, old.nodes[name]["role"])
    shuffled.add_edges_from(old.edges(data=True))
    rnn, twin = network("cfc", old), network("cfc", shuffled, seed=4)
    plans = gl.compile_circuit(old).plan, gl.compile_circuit(shuffled).plan
    twin.update(gl.transfer(rnn.parameters(), *plans))
    assert by_name(rnn) == by_name(twin)


def test_fresh_values_can_be_given() -> None:
    new = circuit()
    old = _pruned(new, "inter_0")
    rnn, target = network("cfc", old), network("cfc", new, seed=2)
    plans = gl.compile_circuit(old).plan, gl.compile_circuit(new).plan
    fresh = by_name(target)
    target.update(gl.transfer(rnn.parameters(), *plans, fresh=target.parameters()))
    after, before = by_name(target), by_name(rnn)
    assert after == {key: before.get(key, value) for key, value in fresh.items()}


def test_a_lesion_keeps_options_layout_and_frozen_parameters() -> None:
    compiled = gl.compile_circuit(circuit(), "block", 16, "rcm")
    rnn = gl.LTC(compiled, ode_unfolds=2, positive="softplus", engine="ops", return_sequences=False)
    rnn.cell.freeze(keys=["mu", "sigma"])
    rnn.eval()
    ablated = gl.lesion(rnn, neurons=["inter_1"])
    assert type(ablated) is gl.LTC
    assert (ablated.engine, ablated.return_sequences, ablated.training) == ("ops", False, False)
    assert (ablated.cell.ode_unfolds, ablated.cell.positive) == (2, "softplus")
    found = ablated.cell.compiled
    assert (found.layout, found.block_size, found.order) == ("block", 16, "rcm")
    assert set(ablated.cell.trainable_parameters()) == set(rnn.cell.trainable_parameters())
    assert "mu" not in ablated.cell.trainable_parameters()


def test_cells_and_other_networks() -> None:
    cell = gl.CfCCell(circuit())
    assert gl.lesion(cell, neurons=["inter_0"]).n_neurons == cell.n_neurons - 1
    other = gl.RNN(gl.CTRNNCell(circuit()))
    ablated = gl.lesion(other, neurons=["inter_0"], synapses=[])
    assert ablated(mx.zeros((1, 2, 4)))[0].shape == (1, 2, 3)
    assert by_name(ablated) == {k: v for k, v in by_name(other).items() if "inter_0" not in k}


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ({"neurons": ["AVA"]}, "no neuron 'AVA'"),
        ({"synapses": [("motor_0", "inter_0")]}, "no synapse 'motor_0' -> 'inter_0'"),
        ({"synapses": [("AVA", "inter_0")]}, "no synapse 'AVA' -> 'inter_0'"),
        ({"neurons": ["motor_0", "motor_1", "motor_2"]}, "no motor neuron would be left"),
    ],
)
def test_what_cannot_be_removed(removed: dict[str, Any], message: str) -> None:
    with pytest.raises(gl.CircuitError, match=message):
        gl.lesion(network("ltc", circuit()), **removed)


def test_networks_without_a_circuit_have_no_neurons_to_remove() -> None:
    with pytest.raises(TypeError, match="CfC is not over a circuit"):
        gl.lesion(gl.CfC(gl.dense(4, 8)), neurons=["motor_0"])


def test_parameters_that_do_not_fit() -> None:
    plan = gl.compile_circuit(circuit()).plan
    smaller = gl.compile_circuit(_pruned(circuit(), "inter_0")).plan
    parameters = gl.LTCCell(plan).parameters()
    with pytest.raises(ValueError, match=r"w has shape \(3,\): expected \(\d+,\), one value per entry"):
        gl.transfer({**parameters, "w": mx.zeros((3,))}, plan, plan)
    with pytest.raises(ValueError, match="the parameters were trained on another circuit, of digest"):
        gl.transfer(parameters, smaller, plan)
    with pytest.raises(
        ValueError, match=r"w has shape \(36,\): expected \(33,\), one value per entry of 'recurrent'"
    ):
        gl.transfer(without_digests(parameters), smaller, plan)
    with pytest.raises(ValueError, match="'nobody' is renamed, but the old plan has no such neuron"):
        gl.transfer(parameters, plan, plan, renames={"nobody": "AVA"})
    with pytest.raises(ValueError, match="two neurons are renamed to 'AVA'"):
        gl.transfer(parameters, plan, plan, renames={"inter_0": "AVA", "inter_1": "AVA"})
    with pytest.raises(TypeError, match="w: not the parameters of an LTC, CfC, CTRNN or CTGRU"):
        gl.transfer({"w": mx.zeros((3,))}, plan, plan)
    with pytest.raises(TypeError, match=r"gl.carried\(network, circuit\) carries a network"):
        gl.transfer(gl.LTC(plan), plan, plan)
