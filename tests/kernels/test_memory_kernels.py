"""Mixed memory in the kernels: an LSTM in front of the step of every family."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import sequence

from ..support.networks import difference, relative_error
from .emulate import EmulatedRunner

I, N, M = 3, 12, 2  # noqa: E741
CIRCUIT = gl.auto_ncp(N, M, inputs=I, seed=4)
KINDS: dict[str, Any] = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, mixed_memory=True, **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, mixed_memory=True, **o),
    "dense": lambda **o: gl.CfC(gl.dense(I, 7), backbone_units=8, mixed_memory=True, **o),
}


def results(rnn: Any, batch: int, steps: int, *, eventful: bool) -> dict[str, np.ndarray]:
    """Outputs, states and all gradients of a loss of both, by name."""
    rng = np.random.default_rng(batch)
    x, spans = rng.normal(size=(batch, steps, I)), rng.uniform(0.2, 2.0, (batch, steps))
    state = tuple(mx.array(rng.uniform(-1, 1, (batch, rnn.cell.n_neurons))) for _ in range(2))
    given = {}
    if eventful:
        mask = rng.random((batch, steps)) < 0.7
        mask[:, steps // 2] = False
        given = {"mask": mask, "ends": rng.random((batch, steps)) < 0.2}
        x[~mask] = spans[~mask] = np.nan
        spans[mask & (rng.random(mask.shape) < 0.1)] = 0.0

    def run(x: mx.array, state: Any, spans: mx.array) -> Any:
        return rnn(x, state, spans, **given)

    def loss(*arguments: Any) -> mx.array:
        y, (h, c) = run(*arguments)
        return mx.square(y).sum() + (h * mx.arange(h.shape[1])).sum() + mx.square(c).sum()

    arguments = mx.array(x.astype(np.float32)), state, mx.array(spans.astype(np.float32))
    y, last = run(*arguments)
    found = mx.grad(loss, argnums=(0, 1, 2))(*arguments)
    _, by_parameter = nn.value_and_grad(rnn, lambda _: loss(*arguments))(rnn)
    arrays = {"y": y, "last": last, "inputs": found, "parameters": by_parameter}
    return {name: np.array(array) for name, array in tree_flatten(arrays)}


# More than 32 steps fill what waits for the gradients of the LSTM's weights; operations take long for them.
CASES = [("ltc", 5, 35, 1), ("ltc", 1, 7, 1), ("ltc", 3, 12, 5), ("cfc", 3, 7, 1), ("cfc", 3, 7, 3)]
CASES += [("dense", 5, 35, 1), ("dense", 3, 12, 5)]


@pytest.mark.parametrize(("kind", "batch", "steps", "every"), CASES)
def test_a_memory_in_the_kernel_is_that_of_operations(kind: str, batch: int, steps: int, every: int) -> None:
    fused = KINDS[kind](engine="fused", checkpoint_every=every, key=mx.random.key(0))
    plain = KINDS[kind](engine="ops", key=mx.random.key(0))
    for eventful in (False, True):
        expected = results(plain, batch, steps, eventful=eventful)
        found = results(fused, batch, steps, eventful=eventful)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert np.isfinite(found[name]).all(), name
            if name.startswith(("y", "last")):
                assert difference(found[name], array) < 1e-5, name
            else:
                assert relative_error(found[name], array) < 1e-4, name


@pytest.mark.parametrize("kind", ["ltc", "dense"])  # to build them takes longer than to run them
def test_a_memory_on_a_gpu_is_that_of_the_cpu(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rnns = [KINDS[kind](engine="fused", checkpoint_every=every, key=mx.random.key(0)) for every in (1, 3)]
    expected = [results(rnn, 3, 5, eventful=True) for rnn in rnns]
    monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
    for rnn, before in zip(rnns, expected, strict=True):
        for name, array in results(rnn, 3, 5, eventful=True).items():
            assert relative_error(array, before[name]) < 1e-4, name


def test_a_stream_with_a_memory_is_the_sequence() -> None:
    rnn, x = gl.LTC(CIRCUIT, mixed_memory=True, engine="fused"), mx.random.normal((4, 6, I))
    outputs, last = rnn(x)
    stream = rnn.stream(4)
    assert stream.engine == "fused"
    for t in range(6):
        assert difference(stream(x[:, t]), np.array(outputs[:, t])) < 1e-6
    for found, expected in zip(stream.state, last, strict=True):
        assert difference(found, np.array(expected)) < 1e-6


def test_containers_keep_the_kernel_of_a_memory() -> None:
    rnn = gl.LTC(CIRCUIT, mixed_memory=True, engine="fused")
    x = mx.random.normal((4, 6, I))
    for network in (gl.Bidirectional(rnn), gl.Stack([rnn, gl.NCPDense(3)])):
        network(x, lengths=[6, 2, 3, 1])  # "fused" is an error where there is no kernel
    holes = gl.RNN(
        gl.MissingValueCell(gl.LTC(gl.auto_ncp(N, M, inputs=3 * I), mixed_memory=True).cell), engine="fused"
    )
    assert np.isfinite(np.array(holes(mx.where(x > 1, mx.nan, x))[0])).all()


def test_a_subclass_with_a_step_of_its_own_is_not_run_by_the_kernel() -> None:
    class Own(gl.LTCCell):
        def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
            return super().step(prepared, x, state, timespan) * 0.5

    rnn = gl.RNN(gl.MixedMemoryCell(Own(CIRCUIT)), engine="fused")
    with pytest.raises(gl.KernelError, match="there is no fused kernel for Own"):
        rnn(mx.zeros((2, 3, I)))
