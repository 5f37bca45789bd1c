"""Threads that share the neurons of one block, and totals that are added up some blocks at a time."""

from __future__ import annotations

from collections.abc import Iterator

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import nodes, pairs
from ganglion.compile.kernels.cpu import lanes_for

pytestmark = pytest.mark.skipif(not nodes.usable(), reason="kernels are no nodes here")
THREADS = ("1", "2", "3")


def results(rnn: gl.LTC, x: mx.array, timespans: mx.array) -> list[np.ndarray]:
    """Outputs, the last state and all gradients."""
    outputs, state = rnn(x, timespans=timespans)

    def loss(parameters: dict, x: mx.array) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x, timespans=timespans)[0]).sum()

    gradients = mx.grad(loss, argnums=(0, 1))(rnn.trainable_parameters(), x)
    found = [outputs, state, *(value for _, value in tree_flatten(gradients))]
    mx.eval(found)
    return [np.array(value) for value in found]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with mx.stream(mx.cpu):
        yield monkeypatch


@pytest.mark.parametrize(
    ("kind", "batch"), [("plain", 9), ("plain", 37), ("electrical", 37), ("events", 37), ("many neurons", 9)]
)
def test_a_crew_computes_what_one_thread_does(kind: str, batch: int, threads: pytest.MonkeyPatch) -> None:
    circuit = gl.auto_ncp(100, 4, inputs=70, sparsity=0.8, seed=3)  # neurons for more than one share
    if kind == "many neurons":  # for shares that grow with them, and are others for other numbers of threads
        circuit = gl.random(6400, inputs=70, outputs=4, sparsity=0.9996, seed=3)
    if kind == "electrical":
        circuit.add_edge("inter_0", "command_1", kind="electrical", polarity=1, weight=0.5)
    rng = np.random.default_rng(0)
    x = mx.array(rng.normal(size=(batch, 6, 70)).astype(np.float32))
    timespans = mx.array(rng.uniform(0.0, 2.0, (batch, 6)).astype(np.float32))
    if kind == "events":
        x = x * 0 + mx.array(np.where(np.arange(6)[:, None] == 3, 0, 1).astype(np.float32))
        timespans = timespans * mx.array(np.where(np.arange(6) == 2, 0, 1).astype(np.float32))
    found = []
    for least in (1 << 62, 1):
        threads.setattr(pairs, "CREW_SYNAPSES", least)
        for count in THREADS if least == 1 else ("1",):
            threads.setenv("GANGLION_NUM_THREADS", count)
            rnn = gl.LTC(circuit, engine="fused", key=mx.random.key(1))
            found.append(results(rnn, x, timespans))
    alone, first, *others = found
    for k, (one, two) in enumerate(zip(alone, first, strict=True)):
        if k < 2:  # outputs and states; sums over rows of a crew have another order
            np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=2e-6 * np.abs(one).max(initial=0.0))
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_totals_of_many_blocks_are_those_of_one_row_for_each(threads: pytest.MonkeyPatch) -> None:
    """The other way into MLX keeps a row for every block, and adds them in the same order."""
    circuit = gl.fully_connected(200, inputs=2, outputs=2)
    batch = 1800
    rows = (1 << 24) // (4 * circuit.number_of_edges() + 1000)
    assert batch / lanes_for(batch) > rows  # or there is nothing to add up twice
    rng = np.random.default_rng(0)
    x = mx.array(rng.normal(size=(batch, 1, 2)).astype(np.float32))
    timespans = mx.ones((batch, 1))
    found = []
    for usable in (True, False):
        threads.setattr(nodes, "usable", lambda usable=usable: usable)
        rnn = gl.LTC(circuit, engine="fused", ode_unfolds=1, key=mx.random.key(1))
        found.append(results(rnn, x, timespans))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
