"""A network fed one sample at a time does what it does with the whole sequence."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

B, T, I, N, M = 3, 6, 4, 12, 2  # noqa: E741
CIRCUIT = gl.auto_ncp(N, M, inputs=I)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, I)).astype(np.float32)
SPANS = RNG.uniform(0.3, 2.0, (B, T)).astype(np.float32)
NETWORKS = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, **o),
    "ltc-softplus": lambda **o: gl.LTC(CIRCUIT, positive="softplus", input_mapping=None, **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, **o),
    "cfc-pure": lambda **o: gl.CfC(CIRCUIT, mode="pure", **o),
    "cfc-dense": lambda **o: gl.CfC(gl.dense(I, N), backbone_units=8, **o),
    "projected": lambda **o: gl.LTC(CIRCUIT, proj_size=3, **o),
}
ON_OPERATIONS = {
    "mixed memory": lambda: gl.CfC(CIRCUIT, mixed_memory=True),
    "ct-gru": lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)),
    "missing values": lambda: gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(N, M, inputs=3 * I)))),
    "rk4": lambda: gl.LTC(CIRCUIT, solver="rk4"),
}


def whole(rnn: Any, **given: Any) -> np.ndarray:
    return np.array(rnn(mx.array(X), timespans=mx.array(SPANS), **given)[0])


def stepped(stream: gl.Stream) -> np.ndarray:
    return np.stack([np.array(stream(X[:, t], SPANS[:, t])) for t in range(T)], axis=1)


@pytest.mark.parametrize("engine", ["auto", "fused", "ops"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_equals_the_sequence(name: str, engine: str) -> None:
    rnn = NETWORKS[name](engine=engine)
    stream = rnn.stream(B)
    assert stream.engine == ("ops" if engine == "ops" else "fused")
    np.testing.assert_allclose(stepped(stream), whole(rnn), atol=1e-6)
    np.testing.assert_allclose(stream.state, rnn(mx.array(X), timespans=mx.array(SPANS))[1], atol=1e-6)


@pytest.mark.parametrize("name", ON_OPERATIONS)
def test_a_cell_without_kernel_streams_on_operations(name: str) -> None:
    rnn = ON_OPERATIONS[name]()
    stream = rnn.stream(B)
    assert stream.engine == "ops"
    np.testing.assert_allclose(stepped(stream), whole(rnn), atol=1e-6)


@pytest.mark.parametrize("engine", ["fused", "ops"])
@pytest.mark.parametrize("batch", [1, 16, 40])
def test_any_number_of_rows(engine: str, batch: int) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    x = RNG.normal(size=(batch, 4, I)).astype(np.float32)
    stream = rnn.stream(batch)
    y = mx.stack([stream(x[:, t], 0.5) for t in range(4)], axis=1)
    np.testing.assert_allclose(y, rnn(mx.array(x), timespans=0.5)[0], atol=1e-6)


@pytest.mark.parametrize("engine", ["fused", "ops"])
def test_one_sequence_has_no_batch_axis(engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    stream = rnn.stream()
    y = mx.stack([stream(sample.tolist(), float(span)) for sample, span in zip(X[0], SPANS[0], strict=True)])
    np.testing.assert_allclose(y, rnn(mx.array(X[0]), timespans=mx.array(SPANS[0]))[0], atol=1e-6)
    assert stream.state.shape == (N,)


@pytest.mark.parametrize("name", ["ltc", "mixed memory"])
def test_reset_starts_all_or_some_rows_anew(name: str) -> None:
    stream = (NETWORKS | ON_OPERATIONS)[name]().stream(B)
    first = np.array(stream(X[:, 0]))
    stream(X[:, 1])
    stream.reset()
    np.testing.assert_array_equal(stream(X[:, 0]), first)

    stream(X[:, 1])
    stream.reset([True, False, True])
    again = np.array(stream(X[:, 0]))
    np.testing.assert_allclose(again[[0, 2]], first[[0, 2]], atol=1e-7)
    assert not np.allclose(again[1], first[1])


@pytest.mark.parametrize("name", ["ltc", "mixed memory"])
def test_the_state_can_be_read_and_set(name: str) -> None:
    rnn = (NETWORKS | ON_OPERATIONS)[name]()
    stream = rnn.stream(B)
    for t in range(3):
        stream(X[:, t])
    kept, after = stream.state, np.array(stream(X[:, 3]))
    stream(X[:, 4])
    stream.state = kept
    np.testing.assert_array_equal(stream(X[:, 3]), after)
    _, state = rnn(mx.array(X[:, :3]))
    stream.state = state
    np.testing.assert_allclose(stream(X[:, 3]), after, atol=1e-6)


def test_outputs_stay_what_they_were() -> None:
    stream = gl.LTC(CIRCUIT).stream()
    first = stream(X[0, 0])
    before = np.array(first)
    stream(X[0, 1])
    np.testing.assert_array_equal(first, before)


def test_a_stream_uses_the_parameters_of_its_beginning() -> None:
    rnn = gl.LTC(CIRCUIT)
    stream, before = rnn.stream(B), whole(rnn)
    rnn.cell.w = rnn.cell.w + 0.3
    np.testing.assert_allclose(stepped(stream), before, atol=1e-6)
    np.testing.assert_allclose(stepped(rnn.stream(B)), whole(rnn), atol=1e-6)


def test_a_stream_refuses_what_does_not_fit() -> None:
    rnn = gl.LTC(CIRCUIT)
    for stream, expected in ((rnn.stream(), r"\(4,\)"), (rnn.stream(B), r"\(3, 4\)")):
        for x in (np.zeros((B + 1, I)), np.zeros((B, I)) if stream.state.ndim == 1 else np.zeros(I)):
            with pytest.raises(ValueError, match=rf"the sample has shape .*expected {expected}"):
                stream(x)
        with pytest.raises(ValueError, match=r"input of one step has shape \(3, 5\)"):
            stream(np.zeros((B, I + 1)))
    stream = rnn.stream(B)
    for span in (0.0, -1.0, np.nan, np.inf, np.array([1.0, 0.0, 1.0])):
        with pytest.raises(ValueError, match="expected positive, finite"):
            stream(X[:, 0], span)
    with pytest.raises(ValueError, match=r"time span has shape \(2,\)"):
        stream(X[:, 0], [1.0, 1.0])
    with pytest.raises(TypeError, match="the input must hold real numbers, got list"):
        stream([["a"] * I] * B)
    with pytest.raises(ValueError, match=r"reset of rows \[True\]: expected 3 booleans"):
        stream.reset([True])
    with pytest.raises(ValueError, match=r"state has shape \(3, 2\): expected \(3, 12\)"):
        stream.state = np.zeros((B, 2))
    with pytest.raises(ValueError, match="batch_size is 0"):
        rnn.stream(0)
    with pytest.raises(ValueError, match="reads backwards"):
        gl.LTC(CIRCUIT, reverse=True).stream()
    with pytest.raises(gl.KernelError, match="MixedMemoryCell"):
        gl.LTC(CIRCUIT, mixed_memory=True, engine="fused").stream()
    with pytest.raises(ValueError, match="LiquidCell learns its inputs when it is built"):
        gl.RNN(gl.LiquidCell(8)).stream()
