"""A network of each family of kernels, and how far its two engines are apart."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import ganglion as gl

BOUNDS = {"outputs": 1e-5, "gradients": 1e-4}


def networks() -> dict[str, gl.RNN]:
    """One of each family."""
    circuit = gl.auto_ncp(12, 3, inputs=4, seed=1)
    coupled = circuit.copy()
    coupled.add_edge("inter_0", "command_1", kind="electrical", polarity=1, weight=0.5)
    key = mx.random.key(0)
    return {
        "LTC": gl.LTC(circuit, engine="fused", key=key),
        "LTC, electrical": gl.LTC(gl.Circuit(coupled), engine="fused", key=key),
        "LTC, mixed memory": gl.LTC(circuit, mixed_memory=True, engine="fused", key=key),
        "CfC": gl.CfC(circuit, engine="fused", key=key),
        "CfC, pure": gl.CfC(circuit, mode="pure", engine="fused", key=key),
        "CfC, no gate": gl.CfC(circuit, mode="no_gate", engine="fused", key=key),
        "CfC, dense": gl.CfC(gl.dense(4, 10), engine="fused", key=key),
    }


def apart(rnn: gl.RNN) -> dict[str, float]:
    """The largest difference between the two engines, of the largest number."""
    rng = np.random.default_rng(0)
    x = mx.array(rng.normal(size=(7, 5, 4)).astype(np.float32))
    timespans = mx.array(rng.uniform(0.1, 2.0, (7, 5)).astype(np.float32))

    def loss(parameters: dict[str, Any], x: mx.array) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x, timespans=timespans)[0]).sum()

    found: dict[str, list[np.ndarray]] = {}
    for engine in ("fused", "ops"):
        rnn.engine = engine
        outputs = [np.array(rnn(x, timespans=timespans)[0])]
        gradients = mx.grad(loss, argnums=(0, 1))(rnn.trainable_parameters(), x)
        found[engine] = outputs + [np.array(value) for _, value in tree_flatten(gradients)]
    far = [
        float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-3))
        for a, b in zip(found["fused"], found["ops"], strict=True)
    ]
    return {"outputs": far[0], "gradients": max(far[1:])}
