"""NIR: the graph says what the network computes, by the definitions of its nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import nir
import numpy as np
import pytest

import ganglion as gl


def evaluated(path: Path, x: Any, span: float) -> Any:
    """The graph's definition: LI solved exactly over steps in which its input is held."""
    n = nir.read(path).nodes
    neurons, v, outputs = n["neurons"], np.zeros(n["neurons"].tau.shape), []

    def shown(v: Any) -> Any:
        return (v > n["spikes"].threshold) * 1.0 if "spikes" in n else v

    kept = np.exp(-span / neurons.tau)
    for sample in x:
        current = n["sensory"].weight @ sample + n["recurrent"].weight @ shown(v)
        v = kept * v + (1 - kept) * (neurons.v_leak + neurons.r * current)
        outputs.append(n["motor"].weight @ shown(v))
    return np.array(outputs)


@pytest.fixture(scope="module")
def circuit() -> gl.Circuit:
    return gl.auto_ncp(10, 3, inputs=4, seed=3)


def test_spiking_neurons(circuit: gl.Circuit, tmp_path: Path) -> None:
    rnn = gl.RNN(gl.LIF(circuit, time_scale=0.5, key=mx.random.key(0)), engine="ops")
    rnn.cell.threshold = mx.linspace(0.1, 0.3, 10)
    rnn.cell.bias = mx.linspace(0.0, 0.3, 10)
    x = 3 * np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    gl.export_nir(rnn, tmp_path / "a.nir", timespan=0.7)
    outputs = np.array(rnn(x, timespans=0.7)[0])
    assert 0.1 < outputs.mean() < 0.9
    assert np.array_equal(evaluated(tmp_path / "a.nir", x, 0.7), outputs)


def test_leaky_integrators(circuit: gl.Circuit, tmp_path: Path) -> None:
    cell = gl.CTRNNCell(
        circuit, activation="linear", tau=1.6, time_scale=0.5, ode_unfolds=1, key=mx.random.key(0)
    )
    cell.rate_b = mx.linspace(-0.5, 0.5, 10)
    rnn = gl.RNN(cell, engine="ops")
    x = np.repeat(np.random.default_rng(0).normal(size=(4, 4)), 50, 0).astype(np.float32)
    gl.export_nir(rnn, tmp_path / "a.nir")
    outputs = np.array(rnn(x, timespans=0.005)[0])
    assert np.abs(outputs).max() > 0.2
    assert np.abs(evaluated(tmp_path / "a.nir", x, 0.005) - outputs).max() < 5e-3
    assert nir.read(tmp_path / "a.nir").nodes["neurons"].tau == pytest.approx(0.8)


def test_the_graph_is_the_law(circuit: gl.Circuit, tmp_path: Path) -> None:
    rnn = gl.RNN(gl.CTRNNCell(circuit, activation="linear"))
    gl.export_nir(rnn, tmp_path / "a.nir")
    weight = nir.read(tmp_path / "a.nir").nodes["recurrent"].weight
    recurrent = rnn.cell.compiled.plan.recurrent
    assert set(zip(*np.nonzero(weight), strict=True)) == set(zip(recurrent.post, recurrent.pre, strict=True))


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda c: gl.LTC(c), ValueError, "no node for the equation of LTCCell"),
        (lambda c: gl.RNN(gl.LeakyRate(c)), ValueError, "no node for the equation of LeakyRate"),
        (lambda c: gl.RNN(gl.CTRNNCell(c)), ValueError, "no node for the activation 'tanh'"),
        (lambda c: gl.RNN(gl.CTRNNCell(c, activation="linear", clip=1.0)), ValueError, "with a clip"),
        (lambda c: gl.RNN(gl.LIF(c), reverse=True), ValueError, "reads forwards"),
        (lambda c: gl.NCPDense(4), TypeError, "takes an RNN over a cell, got NCPDense"),
    ],
)
def test_what_it_refuses(
    make: Any, error: type[Exception], said: str, circuit: gl.Circuit, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        gl.export_nir(make(circuit), tmp_path / "a.nir")
    assert not list(tmp_path.iterdir())


def test_a_neuron_without_leak_and_a_wrong_name(circuit: gl.Circuit, tmp_path: Path) -> None:
    rnn = gl.RNN(gl.LIF(circuit))
    with pytest.raises(gl.FileError, match=r"must end in \.nir"):
        gl.export_nir(rnn, tmp_path / "a.h5")
    rnn.cell.leak = mx.zeros(10)
    with pytest.raises(ValueError, match="neuron 'motor_0' has leak 0"):
        gl.export_nir(rnn, tmp_path / "a.nir")
