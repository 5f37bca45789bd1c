"""The models of the half-cheetah task: 32 hidden units and a linear map to the 17 observations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn

import ganglion as gl

UNFOLDS = 6

# The authors' code starts from these, and keeps c / dt = 0.5 per solver step where ours keeps c.
LTC_RANGES = {"w": (0.01, 1.0), "sensory_w": (0.01, 1.0), "gleak": (1.0, 1.0), "cm": (0.5 / UNFOLDS,) * 2}


class Readout(nn.Module):
    """A recurrent network and a linear map of all its units."""

    def __init__(self, rnn: nn.Module, units: int, outputs: int) -> None:
        super().__init__()
        self.rnn = rnn
        self.readout = nn.Linear(units, outputs)

    def __call__(self, x: mx.array, timespans: mx.array | None = None) -> mx.array:
        return self.readout(gl.training.outputs_of(self.rnn, x, timespans))


class CTRNNCell(gl.NCPRNNCell):
    """The paper's CT-RNN, dh/dt = -h + tanh(W [x, h] + b), by six Euler steps of 0.1 per sample."""

    def __init__(self, sizes: gl.Dense) -> None:
        super().__init__(sizes)
        self.map = nn.Linear(sizes.inputs + sizes.units, sizes.units)
        self.built = True

    def step(self, prepared: None, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        for _ in range(UNFOLDS):
            state = state + 0.1 * timespan * (mx.tanh(self.map(mx.concatenate([x, state], axis=-1))) - state)
        return state


def full_circuit(inputs: int, units: int, seed: int) -> gl.Circuit:
    """Every input and every unit reach every unit, half of the synapses inhibitory; all units are outputs."""
    circuit = gl.Circuit()
    sensors, motors = [f"sensory_{k}" for k in range(inputs)], [f"motor_{k}" for k in range(units)]
    circuit.add_neurons(sensors, role="sensory")
    circuit.add_neurons(motors, role="motor")
    circuit.connect(sensors, motors, inhibitory=0.5, seed=seed)
    circuit.connect(motors, motors, inhibitory=0.5, seed=seed + 1)
    return circuit


def ltc(inputs: int, units: int, seed: int, engine: str, **options: Any) -> nn.Module:
    """The published LTC: semi-implicit solver, affine inputs, the states as outputs."""
    options |= {"ode_unfolds": UNFOLDS, "output_mapping": None, "initial_ranges": LTC_RANGES}
    return gl.LTC(full_circuit(inputs, units, 1000 * seed), engine=engine, **options)


def cfc(inputs: int, units: int, seed: int, engine: str, **options: Any) -> nn.Module:
    """The CfC over the circuit of the LTC."""
    return gl.CfC(full_circuit(inputs, units, 1000 * seed), engine=engine, **options)


def stc(inputs: int, units: int, seed: int, engine: str) -> nn.Module:
    """The saturated LTC over the circuit of the LTC."""
    return gl.RNN(gl.STC(full_circuit(inputs, units, 1000 * seed)), engine=engine)


def lrc(inputs: int, units: int, seed: int, engine: str) -> nn.Module:
    """The LRC, of symmetric elastance, over the circuit of the LTC."""
    return gl.RNN(gl.LRC(full_circuit(inputs, units, 1000 * seed), elastance="symmetric"), engine=engine)


def lstm(inputs: int, units: int, seed: int, engine: str) -> nn.Module:
    """MLX's LSTM."""
    return nn.LSTM(inputs, units)


def ctrnn(inputs: int, units: int, seed: int, engine: str) -> nn.Module:
    """The CT-RNN, in plain operations."""
    return gl.RNN(CTRNNCell(gl.dense(inputs, units)), engine="ops")


Make = Callable[[int, int, int, str], nn.Module]
MODELS: dict[str, tuple[Make, dict[str, Any]]] = {
    "LTC": (ltc, {"learning_rate": 0.01}),
    "LTC fixed": (partial(ltc, polarity="fixed"), {"learning_rate": 0.01}),
    "CfC": (cfc, {"learning_rate": 0.01}),
    "CfC fixed": (partial(cfc, polarity="fixed"), {"learning_rate": 0.01}),
    "STC": (stc, {"learning_rate": 0.01}),
    "LRC": (lrc, {"learning_rate": 0.01}),
    "LSTM": (lstm, {"learning_rate": 0.001}),
    "CT-RNN": (ctrnn, {"learning_rate": 0.001}),
}
"""Name -> how to make the network, and its learning rate: the published one, 0.01 for CfC, STC and LRC."""
