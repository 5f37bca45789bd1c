"""Time constants against the NumPy reference, and saliency against finite differences of it."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import ganglion as gl

from ..reference import ltc
from ..reference.graph import Wires
from ..support.networks import LAYOUTS, difference, random_parameters, relative_error
from ..support.strategies import SEEDS, circuits

BATCH, STEPS, INPUTS = 3, 7, 3


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.fixture
def rnn() -> gl.LTC:
    return gl.LTC(gl.auto_ncp(16, 2, inputs=INPUTS), key=mx.random.key(1))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("positive", ["clip", "softplus"])
@given(circuit=circuits(), seed=SEEDS)
@settings(max_examples=8)
def test_time_constants_are_those_of_the_equation(
    layout: str, positive: str, circuit: nx.DiGraph, seed: int
) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    rnn = gl.LTC(gl.compile_circuit(circuit, layout=layout), positive=positive)
    reference = ltc.LTC(wires, random_parameters(rnn, rng), positive=positive)
    x = rng.uniform(-1, 1, (BATCH, STEPS, len(wires.sensors))).astype(np.float32)
    recording = gl.record(rnn, x, timespans=0.3)
    tau = gl.time_constants(rnn, recording)
    states = reference.run(x, timespans=0.3)[1]
    for t in range(STEPS):
        total = reference.conductances(states[:, t], x[:, t])[0]
        expected = reference._positive("cm") / (reference._positive("gleak") + total)
        assert relative_error(tau[:, t], expected) < 1e-4
    assert difference(gl.time_constants(rnn, recording.sequence(1)), tau[1]) < 1e-5


def test_a_neuron_relaxes_with_its_time_constant() -> None:
    """The time constant is that of the motion itself: what is left of a deviation decays by exp(-t / tau)."""
    circuit = gl.Circuit()
    circuit.add_neuron("drive", role="sensory")
    circuit.add_neuron("motor", role="motor")
    circuit.add_synapse("drive", "motor", polarity=1)
    rnn = gl.LTC(circuit, solver="rk4", ode_unfolds=20, engine="ops", key=mx.random.key(0))
    for level in (0.0, 1.0):
        x = np.full((20, 1), level, np.float32)
        recording = gl.record(rnn, x, timespans=0.05)
        rest = gl.record(rnn, x, timespans=10.0).states[-1, 0]
        decay = -np.polyfit(recording.times, np.log(np.abs(recording.states[:, 0] - rest)), 1)[0]
        assert gl.time_constants(rnn, recording)[5, 0] == pytest.approx(1 / decay, rel=1e-2)


def test_the_limits_of_a_time_constant(rnn: gl.LTC) -> None:
    recording = gl.record(rnn, floats(STEPS, INPUTS))
    rnn.cell.w, rnn.cell.sensory_w = mx.zeros_like(rnn.cell.w), mx.zeros_like(rnn.cell.sensory_w)
    leak = np.array(rnn.cell.cm / rnn.cell.gleak)
    assert relative_error(gl.time_constants(rnn, recording), np.tile(leak, (STEPS, 1))) < 1e-6
    rnn.cell.gleak = mx.zeros_like(rnn.cell.gleak)
    assert np.isposinf(gl.time_constants(rnn, recording)).all()


def test_time_constants_of_options_and_gaps(rnn: gl.LTC) -> None:
    x = floats(BATCH, STEPS, INPUTS)
    compiled = rnn.cell.compiled
    for options in ({"mixed_memory": True}, {"input_mapping": None}, {"reverse": True}, {"proj_size": 3}):
        network = gl.LTC(compiled, key=mx.random.key(1), **options)
        tau = gl.time_constants(network, gl.record(network, x))
        assert tau.shape == (BATCH, STEPS, 16)
        assert tau.dtype == np.float32
        inner = getattr(network.cell, "cell", network.cell)
        assert (tau > 0).all()
        assert (tau <= np.array(inner.cm / inner.gleak)).all()
    x[0, 2, 1] = np.nan
    tau = gl.time_constants(rnn, gl.record(rnn, x))
    assert np.isnan(tau[0, 2:]).any()
    assert np.isfinite(tau[1:]).all()


def test_networks_without_time_constants_are_refused(rnn: gl.LTC) -> None:
    recording = gl.record(rnn, floats(STEPS, INPUTS))
    circuit = rnn.cell.compiled
    for network, message in (
        (gl.CfC(circuit), "time constants of CfC with a CfCCell: expected an LTC"),
        (gl.RNN(gl.CTRNNCell(circuit)), "with a CTRNNCell"),
        (rnn.cell, "time constants of LTCCell"),
    ):
        with pytest.raises(TypeError, match=message):
            gl.time_constants(network, recording)


def test_recordings_of_other_circuits_are_refused(rnn: gl.LTC) -> None:
    for other, message in (
        (gl.auto_ncp(17, 2, inputs=INPUTS), "has 17 neurons, but the network has 16"),
        (gl.auto_ncp(16, 2, inputs=4), "has 4 sensors, but the network has 3"),
        (
            gl.random(16, inputs=3, outputs=2),
            "neuron 2 is 'inter_0' in the recording, but 'command_0' in the",
        ),
    ):
        recording = gl.record(gl.LTC(other), floats(STEPS, len(other.neurons("sensory"))))
        with pytest.raises(ValueError, match=message):
            gl.time_constants(rnn, recording)


@given(circuit=circuits(), seed=SEEDS)
@settings(max_examples=8)
def test_saliency_is_the_slope_of_the_outputs(circuit: nx.DiGraph, seed: int) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    rnn = gl.LTC(circuit)
    reference = ltc.LTC(wires, random_parameters(rnn, rng))
    x = rng.uniform(-1, 1, (BATCH, STEPS, len(wires.sensors)))
    by_sample = gl.saliency(rnn, x, timespans=0.3, per_sample=True)
    summed = gl.saliency(rnn, x, timespans=0.3)
    expected = np.empty((BATCH, STEPS, len(wires.sensors), wires.motors))
    for t in range(STEPS):
        for i in range(len(wires.sensors)):
            ends = []
            for shift in (-1e-5, 1e-5):
                moved = x.copy()
                moved[:, t, i] += shift
                ends.append(reference.run(moved, timespans=0.3)[0][:, -1])
            expected[:, t, i] = (ends[1] - ends[0]) / 2e-5
    assert relative_error(by_sample, expected) < 1e-4
    assert relative_error(summed, expected.sum(axis=1)) < 1e-3
    alone = gl.saliency(rnn, x[1], timespans=0.3)
    assert difference(alone, summed[1]) < 1e-5


@pytest.mark.parametrize("kind", [gl.LTC, gl.CfC])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_saliency_is_the_same_on_every_layout_and_engine(kind: Any, layout: str) -> None:
    circuit, x = gl.auto_ncp(16, 2, inputs=INPUTS), floats(BATCH, STEPS, INPUTS)
    compiled = gl.compile_circuit(circuit, layout=layout)
    plain, fused = (
        gl.saliency(kind(c, engine=engine, key=mx.random.key(1)), x)
        for c, engine in ((compiled, "ops"), (circuit, "fused"))
    )
    assert relative_error(fused, plain) < 1e-4


def test_saliency_respects_causes_and_synapses(rnn: gl.LTC) -> None:
    x = floats(BATCH, STEPS, INPUTS)
    early = gl.saliency(rnn, x, at=2, per_sample=True)
    assert (early[:, 3:] == 0).all()
    assert np.abs(early[:, :3]).max() > 0
    assert difference(early[:, :3], gl.saliency(rnn, x[:, :3], per_sample=True)) < 1e-6
    lengths = [2, 7, 5]
    padded = gl.saliency(rnn, x, lengths=lengths)
    for k, length in enumerate(lengths):
        assert difference(padded[k], gl.saliency(rnn, x[k, :length])) < 1e-5


def test_saliency_of_every_kind_of_network(rnn: gl.LTC) -> None:
    x, circuit = floats(BATCH, STEPS, INPUTS), rnn.cell.compiled
    last_only = gl.LTC(circuit, return_sequences=False, return_state=False, key=mx.random.key(1))
    assert difference(gl.saliency(last_only, x), gl.saliency(rnn, x)) < 1e-6
    assert difference(gl.saliency(last_only, x[0]), gl.saliency(rnn, x[0])) < 1e-6
    for network, outputs in (
        (gl.Bidirectional(rnn), 4),
        (gl.Stack([rnn, gl.NCPDense(5)]), 5),
        (gl.LTC(circuit, mixed_memory=True), 2),
        (gl.CfC(gl.dense(INPUTS, 6)), 6),
        (gl.RNN(gl.LiquidCell(4)), 4),  # learns its inputs at this call
    ):
        found = gl.saliency(network, x)
        assert found.shape == (BATCH, INPUTS, outputs)
        assert np.isfinite(found).all()
    gl.viz.plot_saliency(gl.record(rnn, x), gl.saliency(rnn, x), sequence=2)
    gl.viz.plot_time_constants(gl.record(rnn, x), gl.time_constants(rnn, gl.record(rnn, x)), sequence=2)


def test_wrong_arguments_of_saliency_are_refused(rnn: gl.LTC) -> None:
    x = floats(STEPS, INPUTS)
    for network in (rnn.cell, gl.NCPDense(2), lambda x: x):
        with pytest.raises(TypeError, match="saliency needs a network over sequences, such as an LTC, got"):
            gl.saliency(network, x)
    for at in (STEPS, -STEPS - 1):
        with pytest.raises(ValueError, match=f"at is {at}: expected a sample of the 7"):
            gl.saliency(rnn, x, at=at)
    with pytest.raises(ValueError, match="at is 3: expected a sample of the 1 that"):
        gl.saliency(gl.LTC(rnn.cell.compiled, return_sequences=False), x, at=3)
    with pytest.raises(ValueError, match="expected \\(B, T, 3\\) or \\(T, 3\\)"):
        gl.saliency(rnn, x[:, :2])
    with pytest.raises(TypeError, match="real numbers"):
        gl.saliency(rnn, x + 1j)
