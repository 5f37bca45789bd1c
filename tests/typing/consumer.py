"""A program of a user, as mypy and pyright read it in `tests/test_types.py`; it never runs.

A line that ends with ``# error`` has to be an error, every other line none.
"""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import ganglion as gl

circuit = gl.auto_ncp(16, 2, inputs=3)
x = mx.zeros((4, 5, 3))

ltc = gl.LTC(circuit, ode_unfolds=3, engine="ops", proj_size=None, initial_ranges={"w": (0.1, 0.2)})
cfc = gl.CfC(gl.dense(3, 8), mode="pure", backbone_activation=nn.relu, return_state=False)
gl.LTC(circuit, ode_unfold=3)  # error
gl.LTC(circuit, ode_unfolds="three")  # error
gl.CfC(circuit, solver="rk4")  # error

outputs, state = ltc(x, timespans=[0.1] * 5, lengths=np.array([5, 4, 3, 2]))
states: mx.array = ltc(x, return_states=True, stream=mx.cpu)[-1]
ltc(x, records=True)  # error
ltc(x, return_states="yes")  # error

recording: gl.Recording = gl.record(ltc, x, ends=np.zeros((4, 5), bool))
potentials = recording.of("motor_0") + 1.0
gl.record(ltc, x, mark=None)  # error

output, after = gl.LTCCell(circuit)(x[:, 0], timespan=0.5)
shape: tuple[int, ...] = output.shape
after_that: str = output  # error

layer = gl.NCPDense(8, "relu", wiring=np.ones((3, 8)))
layer = gl.NCPDense(8, mx.tanh, wiring={"rule": "fixed_indegree", "indegree": 2, "seed": 1})
layer = gl.NCPDense("eight")  # error
network = gl.Stack([ltc, gl.NCPDense(2)], dropout=0.1)
both = gl.Bidirectional(gl.CfC(circuit), merge="sum")
sizes: tuple[int, ...] = network.compute_output_shape((4, 5, 3))


class Own(gl.NCPRNNCell):
    """A cell in the form of Keras."""

    def __call__(self, inputs: mx.array, states: mx.array) -> tuple[mx.array, mx.array]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return states, states


own = gl.RNN(Own(8))
version: str = gl.__version__
