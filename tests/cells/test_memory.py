"""The predicted memory is what a run takes, within a quarter."""

from __future__ import annotations

from statistics import median
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.networks.memory import peak_bytes

CIRCUIT = gl.auto_ncp(64, 8, inputs=16)
NETWORKS = {
    "ltc": lambda: gl.LTC(CIRCUIT),
    "cfc": lambda: gl.CfC(CIRCUIT),
    "cfc-dense": lambda: gl.CfC(gl.dense(16, 64)),
    "ltc-ops": lambda: gl.LTC(gl.compile_circuit(CIRCUIT, layout="edge"), ode_unfolds=2, engine="ops"),
    "cfc-ops": lambda: gl.CfC(gl.compile_circuit(CIRCUIT, layout="dense"), engine="ops"),
    "mixed": lambda: gl.CfC(CIRCUIT, mixed_memory=True),
    "stack": lambda: gl.Stack([gl.Bidirectional(gl.CfC(CIRCUIT)), gl.NCPDense(4)]),
}


def squares(result: Any) -> mx.array:
    return mx.square(mx.concatenate([value.reshape(-1) for _, value in tree_flatten(result)])).sum()


@pytest.mark.parametrize("name", NETWORKS)
def test_memory_is_predicted_within_a_quarter(name: str) -> None:
    fused = name in ("ltc", "cfc", "cfc-dense", "stack")
    network, batch, steps = NETWORKS[name](), 48 if fused else 16, 80 if fused else 20
    x = mx.zeros((batch, steps, 16))
    network.build(x.shape)
    mx.eval(x, network.parameters())
    predicted = network.memory(batch, steps)
    assert predicted.parameters == sum(value.nbytes for _, value in tree_flatten(network.parameters()))
    follow = nn.value_and_grad(network, lambda model: squares(model(x)))
    # Arrays are freed while operations run on, sooner or later as chance will have it.
    measured = median(peak_bytes(lambda: follow(network)) for _ in range(3))
    assert predicted.training == pytest.approx(measured, rel=0.25)
    measured = median(peak_bytes(lambda: network(x)) for _ in range(7 if fused else 3))
    assert predicted.forward == pytest.approx(measured, rel=0.25)


def test_short_sequences_are_measured_as_they_are() -> None:
    memory = gl.LTC(CIRCUIT).memory(4, 1)
    assert 0 < memory.forward <= memory.training
    assert str(memory).startswith("parameters ")
    assert "training " in str(memory)


def test_sizes_that_are_none() -> None:
    with pytest.raises(ValueError, match="batch must be 1 or more, got 0"):
        gl.LTC(CIRCUIT).memory(0, 5)
    with pytest.raises(ValueError, match="RNN is not built yet"):
        gl.RNN(gl.LiquidCell(8)).memory(2, 5)
