"""Known faults of ncps 1.0.1, one test each: what it does, as far as it shows without torch, and what we do.

Batched irregular time spans, which ncps mixes up when the batch has as many rows as there are units, are in
`test_sequences.py`; pictures in `tests/viz`.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import ncps.wirings
import numpy as np
import pytest

import ganglion as gl

from ..support.golden import Golden
from ..support.networks import difference, random_parameters


def built(inputs: int = 8) -> Any:
    wiring = ncps.wirings.AutoNCP(32, 4)
    wiring.build(inputs)
    return wiring


def test_a_second_network_changes_the_first_ones_wiring() -> None:
    wiring = built()
    before = wiring.adjacency_matrix.copy()
    wiring.build(8)  # what a second ncps model over the wiring does
    assert not np.array_equal(wiring.adjacency_matrix, before)

    circuit = gl.auto_ncp(32, 4, inputs=8)
    first = gl.LTC(circuit)
    plan = first.cell.compiled.plan
    assert gl.LTC(circuit).cell.compiled.plan == plan
    circuit.remove_neuron("inter_0")
    assert first.cell.compiled.plan is plan
    assert first(mx.zeros((1, 2, 8)))[1].shape == (1, 32)


def test_a_wired_cfc_ignores_recurrent_synapses() -> None:
    """In ncps, recurrence inside a layer is dense; here a synapse that is cut is cut."""
    circuit = gl.auto_ncp(32, 4, inputs=8)
    commands = set(circuit.neurons("command"))
    inside = [edge for edge in circuit.edges if set(edge) <= commands]
    cut = circuit.copy()
    cut.remove_edges_from(inside)
    names = [gl.CfC(c, ncps_compat=True).cell.compiled.plan.digest for c in (circuit, cut)]
    assert names[0] == names[1]  # the synapses make no difference there
    assert gl.CfC(circuit).cell.compiled.plan != gl.CfC(cut).cell.compiled.plan


@pytest.mark.parametrize("compat", [True, False])
def test_the_time_gates_of_a_wired_cfc_have_no_mask(compat: bool) -> None:
    circuit = gl.auto_ncp(16, 2, inputs=4)
    rnn = gl.CfC(circuit, ncps_compat=compat, schedule="synchronous")
    random_parameters(rnn, np.random.default_rng(0))
    gates = {name: value for name, value in rnn.cell.parameters().items() if "time_a" in name}
    plan = gl.compile_circuit(circuit).plan
    beyond = len(gates["time_a_w"]) + len(gates["sensory_time_a_w"]) - len(plan.recurrent) - len(plan.sensory)
    assert (beyond > 0) == compat


def test_the_state_of_a_wired_cfc_is_in_another_order_than_the_neurons() -> None:
    golden = Golden.load("cfc-default-auto_ncp-irregular")
    assert not np.array_equal(golden["state_ids"], np.arange(16))
    circuit = getattr(gl, golden.config["generator"])(**golden.config["arguments"])
    rnn = gl.CfC(circuit, ncps_compat=True)
    gl.load_ncps(rnn, golden.state_dict)
    recording = gl.record(rnn, **{name: mx.array(value) for name, value in golden.inputs.items()})
    for k, name in enumerate(recording.neurons):
        column = golden["states"][..., list(golden["state_ids"]).index(k)]
        assert difference(recording.of(name), column) < 1e-5


def test_a_wired_cfc_of_one_layer_returns_all_units() -> None:
    golden = Golden.load("cfc-default-random-irregular-h0")
    assert golden["outputs"].shape[-1] == 14  # of which four are outputs
    circuit = getattr(gl, golden.config["generator"])(**golden.config["arguments"])
    rnn = gl.CfC(circuit, ncps_compat=True)
    assert rnn(mx.zeros((2, 3, 6)))[0].shape == (2, 3, 4)
    assert rnn.compute_output_shape((2, 3, 6)) == (2, 3, 4)


def test_ncps_configs_cannot_be_read_back() -> None:
    wiring = ncps.wirings.NCP(8, 6, 4, 4, 3, 5, 4)
    wiring.build(8)
    with pytest.raises((TypeError, KeyError)):
        ncps.wirings.NCP.from_config(wiring.get_config())

    rnn = gl.LTC(gl.from_ncps(wiring))
    twin = gl.NCPLayer.from_config(rnn.get_config())
    assert type(twin) is gl.LTC
    assert twin.cell.compiled.plan == rnn.cell.compiled.plan


def test_recurrent_synapses_collapse() -> None:
    wiring = ncps.wirings.NCP(
        inter_neurons=8, command_neurons=8, motor_neurons=4, sensory_fanout=4, inter_fanout=3,
        recurrent_command_synapses=40, motor_fanin=4, seed=1,
    )  # fmt: skip
    wiring.build(8)
    commands = slice(4, 12)
    got = int(np.abs(wiring.adjacency_matrix[commands, commands]).sum())
    assert got < 40  # asked for 40
    compiled = gl.compile_circuit(gl.from_ncps(wiring))  # what there is comes over, and counts tell the truth
    plan = compiled.plan
    assert len(plan.recurrent) == wiring.synapse_count
    assert len(plan.sensory) == wiring.sensory_synapse_count
    assert len(plan.sensory) != len(plan.recurrent)
    inside = [(pre, post) for pre in range(4, 12) for post in range(4, 12)]
    pairs = set(zip(plan.recurrent.pre.tolist(), plan.recurrent.post.tolist(), strict=True))
    assert len(pairs & set(inside)) == got


def test_parameters_are_dense() -> None:
    golden = Golden.load("ltc-clip-random-irregular")
    dense = sum(value.size for name, value in golden.state_dict.items() if "mask" not in name)
    circuit = getattr(gl, golden.config["generator"])(**golden.config["arguments"])
    ours = sum(value.size for value in gl.LTC(circuit).cell.parameters().values())
    assert ours < dense / 2
