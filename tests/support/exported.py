"""Networks of every kind that can be exported as a step, and those that cannot."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import ganglion as gl

from .electrical import with_pairs

STEPS = 1000
FEWER = ("ltc_rk4", "liquid", "ctrnn", "ctrnn_rk4", "ctgru", "own")
"""Networks without a kernel, whose thousand steps in Python take seconds: GANGLION_LONG=1 does them all."""
CIRCUIT = gl.auto_ncp(20, 3, inputs=4, seed=2)
WIDE = gl.auto_ncp(20, 3, inputs=12, seed=2)
DENSE = gl.dense(4, 9)


class Leaky(gl.NCPRNNCell):
    """A cell of a user."""

    homes: ClassVar = {"w": "sensory"}

    def __init__(self, circuit: Any) -> None:
        super().__init__(circuit)
        self.w = mx.array(self.compiled.plan.sensory.polarity, mx.float32)

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        sensory = self.compiled.sensory
        drive = sensory.matmul(x, sensory.weights(self.w))
        return drive + (state - drive) * mx.exp(-timespan)

    def decode(self, states: mx.array) -> mx.array:
        return states


class Tiring(gl.EquationCell):
    """Synapses that tire, of a user, too."""

    parameters = {"w": gl.synapse("signed_glorot"), "tau": gl.neuron(0.5, 2.0, positive=True)}  # noqa: RUF012
    synapse = {"i": "w * (1 - d) * sigmoid(4 * v_pre)"}  # noqa: RUF012
    sensory = {"i": "w * (1 - d) * x"}  # noqa: RUF012
    synapse_states = "0.8 * dd/dt = -d + 0.5 * (1 - d) * sigmoid(4 * v_pre)"
    sensory_states = "dd/dt = -d + 0.1 * (1 - d) * relu(x) * (1 - v)"
    dynamics = "tau * dv/dt = i - v"
    unfolds = 3


def deep() -> gl.Stack:
    """Layers of all kinds, some of a user."""
    inner = gl.Stack(
        [gl.CfC(gl.auto_ncp(8, 3, inputs=5, seed=3), mixed_memory=True), nn.LayerNorm(3), nn.tanh]
    )
    return gl.Stack(
        [nn.Linear(4, 5), inner, gl.NCPDense(4, "relu"), gl.LTC(CIRCUIT, proj_size=3, time_scale=3.0),
         nn.Linear(3, 6),
         lambda x: 9.0 * x, gl.NCPDense(6, wiring=gl.auto_ncp(6, 2, inputs=6, seed=4)), nn.softmax],
        dropout=0.3,
    )  # fmt: skip


def activations() -> gl.Stack:
    """The activations of MLX, side by side."""
    kinds = [
        nn.GELU(), nn.Mish(), nn.SELU(), nn.ELU(), nn.CELU(), nn.Softplus(), nn.Softsign(), nn.LogSigmoid(),
        nn.SiLU(), nn.ReLU6(), nn.LeakyReLU(), nn.HardTanh(), nn.Hardswish(), nn.PReLU(), nn.LogSoftmax(),
        nn.Softmax(), nn.RMSNorm(3), nn.BatchNorm(3), mx.sin, mx.square,
    ]  # fmt: skip
    stack = gl.Stack([gl.LTC(CIRCUIT), lambda x: mx.concatenate([kind(2.0 * x) for kind in kinds], axis=-1)])
    stack.kinds = kinds  # so that they go into evaluation with it
    return stack.eval()


NETWORKS: dict[str, Any] = {
    "ltc": lambda: gl.LTC(CIRCUIT),
    "ltc_softplus": lambda: gl.LTC(CIRCUIT, positive="softplus", input_mapping=None, output_mapping=None),
    "ltc_electrical": lambda: gl.LTC(with_pairs(CIRCUIT), time_scale=0.4),
    "ltc_rk4": lambda: gl.LTC(CIRCUIT, solver="rk4", ode_unfolds=3, initial_ranges={"cm": (6.0, 8.0)}),
    "ltc_full": lambda: gl.LTC(gl.fully_connected(8, inputs=4, outputs=2, seed=1)),
    "ltc_tied": lambda: gl.LTC(CIRCUIT, tie={"w": ("role", "role"), "cm": "role"}, polarity="fixed"),
    "cfc": lambda: gl.CfC(CIRCUIT),
    "cfc_synchronous": lambda: gl.CfC(CIRCUIT, mode="no_gate", schedule="synchronous"),
    "cfc_pure": lambda: gl.CfC(CIRCUIT, mode="pure", time_scale=2.5),
    "cfc_ncps": lambda: gl.CfC(CIRCUIT, ncps_compat=True),
    "ltc_memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "cfc_memory": lambda: gl.CfC(CIRCUIT, mode="pure", mixed_memory=True),
    "projected": lambda: gl.LTC(CIRCUIT, proj_size=2),
    "dense_gelu": lambda: gl.CfC(DENSE, backbone_activation="gelu", backbone_layers=2, backbone_units=11),
    "dense_memory": lambda: gl.CfC(DENSE, mode="no_gate", features=gl.NCPDense(3, "relu"), mixed_memory=True),
    "dense_bare": lambda: gl.CfC(DENSE, mode="pure", backbone_layers=0),
    "liquid": lambda: gl.RNN(gl.LiquidCell(DENSE, backbone_units=7)),
    "ctrnn": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT, clip=0.5)),
    "ctrnn_rk4": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT, solver="rk4", activation="softplus", ode_unfolds=3)),
    "ctgru": lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)),
    "missing_ltc": lambda: gl.RNN(gl.MissingValueCell(gl.LTCCell(WIDE))),
    "missing_memory": lambda: gl.RNN(gl.MissingValueCell(gl.MixedMemoryCell(gl.CfCCell(WIDE))), proj_size=2),
    "own": lambda: gl.RNN(Leaky(CIRCUIT)),
    "tiring": lambda: gl.RNN(Tiring(CIRCUIT)),
    "tiring_late": lambda: gl.RNN(Tiring(CIRCUIT, delays=2)),
    "silent": lambda: gl.CfC(CIRCUIT, key=mx.random.key(3)),
    "deep": deep,
    "activations": activations,
    "scaled_stack": lambda: gl.Scaled(
        gl.Stack([gl.CfC(CIRCUIT, time_scale=0.8), gl.NCPDense(2)]), list("abcd"), list("xy"),
        mean=[3.0, 0.1, 0.0, -1.0], spread=[0.5, 1.0, 2.0, 3.0], offset=[1.0, 2.0], scale=[4.0, 5.0],
        time_unit=0.5,
    ),
}  # fmt: skip


BACKWARDS: dict[str, tuple[Any, str]] = {
    "reverse": (lambda: gl.LTC(CIRCUIT, reverse=True), "reads backwards needs the whole sequence"),
    "bidirectional": (lambda: gl.Bidirectional(gl.LTC(CIRCUIT)), "reads backwards needs the whole sequence"),
    "inside": (
        lambda: gl.Stack([nn.Linear(4, 4), gl.CfC(CIRCUIT, reverse=True)]),
        r"layer 1 \(CfC\): a network that reads backwards",
    ),
    "scaled": (
        lambda: gl.Scaled(gl.LTC(CIRCUIT, reverse=True), list("abcd"), list("xyz")),
        "reads backwards needs the whole sequence",
    ),
    "convolution": (
        lambda: gl.Stack([gl.LTC(CIRCUIT), nn.Conv1d(3, 3, 3, padding=1)]),
        r"layer 1 \(Conv1d\): its outputs depend on samples before or after",
    ),
}


def samples(name: str, network: Any) -> tuple[np.ndarray, np.ndarray]:
    """(T, I) samples and their time spans, some of which are no time at all."""
    rng = np.random.default_rng(0)
    steps = 100 if name in FEWER and "GANGLION_LONG" not in os.environ else STEPS
    x = rng.normal(size=(steps, network.input_size)).astype(np.float32)
    if name.startswith("missing"):
        x[rng.random(x.shape) < 0.4] = np.nan
    spans = rng.uniform(0.2, 2.0, steps).astype(np.float32)
    spans[[3, -9]], spans[[4, -8]] = 0.0, 1e-40
    return x, spans
