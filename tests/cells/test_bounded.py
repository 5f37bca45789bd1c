"""A bounded stream does what a stream does, and allocates nothing in a step."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

from .test_streaming import CIRCUIT, NETWORKS, B, I, M

ROWS = 64  # whose arrays are well beyond what NumPy keeps in reserve for small ones


def stack() -> gl.Stack:
    backbone = gl.CfC(gl.dense(5, 8), backbone_units=8)
    layers = [gl.NCPDense(I, "tanh"), gl.LTC(CIRCUIT), nn.Linear(M, 5), nn.relu, backbone, gl.NCPDense(2)]
    made = gl.Stack([*layers, nn.Sigmoid(), gl.NCPDense(3, "lecun_tanh")], dropout=0.3)
    made.build((1, 1, I))
    return made.eval()


def scaled() -> gl.Scaled:
    names = list("abcd"), list("xy")
    return gl.Scaled(
        gl.LTC(CIRCUIT), *names, mean=[1.6e9, 0.0, 1.0, 2.0], spread=0.5, offset=1.0, scale=7.0, time_unit=0.1
    )


KINDS: dict[str, Any] = {**NETWORKS, "stack": stack, "scaled": scaled}


def assert_same_states(one: Any, other: Any) -> None:
    for (_, a), (_, b) in zip(tree_flatten(one.state), tree_flatten(other.state), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_flags_are_no_times() -> None:
    bounded = gl.BoundedStream(gl.LTC(gl.auto_ncp(8, 2, inputs=3)).stream(2))
    for flags in (np.array([True, True]), mx.array([True, False])):
        with pytest.raises(TypeError, match="booleans"):
            bounded(np.zeros((2, 3), np.float32), flags)
    with pytest.raises(ValueError, match=r"time span has shape \(1, 2\)"):
        bounded(np.zeros((2, 3), np.float32), np.ones((1, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_it_does_what_a_stream_does(kind: str) -> None:
    rng, network = np.random.default_rng(3), KINDS[kind]()
    stream, bounded = network.stream(B), gl.BoundedStream(network.stream(B))
    middle = 1.6e9 * np.eye(1, stream._shape[1]) if kind == "scaled" else 0.0
    for t in range(30):
        x, spans = rng.normal(size=stream._shape) + middle, rng.uniform(0, 2, B)
        flags: dict[str, Any] = {}
        if t > 10:
            mask = rng.random(B) < 0.7
            x[~mask], spans[~mask] = np.nan, -1.0
            flags = {"mask": mask, "ends": rng.random(B) < 0.2, "starts": (rng.random(B) < 0.2) * 1.0}
        if kind == "missing values":
            x[rng.random(x.shape) < 0.3] = np.nan
        shown = bounded(x, spans, **flags)
        np.testing.assert_allclose(shown, stream(x, spans, **flags), atol=2e-6)
        assert shown is bounded.outputs
    assert_same_states(bounded, stream)
    for one in (stream, bounded):
        one.reset([True, False, True])
    x = rng.normal(size=stream._shape) + middle
    np.testing.assert_allclose(bounded(x), stream(x), atol=2e-6)
    assert_same_states(bounded, stream)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_allocates_nothing(kind: str) -> None:
    bounded = gl.BoundedStream(KINDS[kind]().stream(ROWS))
    x = np.ones((ROWS, bounded._given.shape[1]), np.float32)
    spans, some = np.ones(ROWS, np.float32), np.arange(ROWS) % 2 == 0

    def steps(n: int) -> None:
        for _ in range(n):
            bounded(x, 0.5)
            bounded(x, spans, mask=some, ends=some, starts=some)

    steps(20)
    gc.collect()
    of_mlx = mx.get_active_memory() + mx.get_cache_memory()
    tracemalloc.start()
    try:
        steps(20)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        steps(200)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 256  # nothing stays,
    assert peak - before < 2000  # and beside the frames and numbers of Python, nothing comes:
    assert x.nbytes >= 1000
    assert bounded._given.nbytes > 2000  # the smallest array of doubles would be seen
    assert mx.get_active_memory() + mx.get_cache_memory() == of_mlx


def test_a_stream_does_allocate() -> None:
    """So that the test before can fail."""
    stream, x = gl.LTC(CIRCUIT).stream(ROWS), np.ones((ROWS, I))
    stream(x)
    tracemalloc.start()
    try:
        stream(x)
        assert tracemalloc.get_traced_memory()[1] > 2000
    finally:
        tracemalloc.stop()


def test_one_row_has_no_batch_axis() -> None:
    network = gl.LTC(CIRCUIT)
    stream = network.stream()
    stream([1.0] * I)
    bounded = gl.BoundedStream(stream)  # goes on from there, and leaves the stream alone
    np.testing.assert_array_equal(bounded.outputs, stream(np.zeros(I), mask=False))
    before = np.array(stream.state)
    for x in (np.ones(I), [0.5] * I, mx.zeros(I), np.full(I, 1e300), np.full(I, np.inf), np.arange(I)):
        given = bounded(x, 0.25)
        np.testing.assert_array_equal(stream.state, before)
        np.testing.assert_allclose(given, stream(x, 0.25), atol=1e-6)
        assert given.shape == (M,)
        before = np.array(stream.state)
    bounded(np.ones(I), 1e-300, mask=True, ends=True)
    assert not np.array(bounded.state).any()
    bounded.state = before
    np.testing.assert_array_equal(bounded.state, before)
    bounded.reset()
    assert not bounded.outputs.any()


def test_columns_by_name_in_the_units_of_the_data() -> None:
    network = scaled()
    bounded, stream = gl.BoundedStream(network.stream()), network.stream()
    sample = {"d": 1.0, "c": 2.0, "b": 3.0, "a": 1.6e9 + 0.25}
    for _ in range(3):
        np.testing.assert_allclose(bounded(sample, 0.05), stream(sample, 0.05), atol=1e-6)
        np.testing.assert_allclose(bounded(sample), stream(sample), atol=1e-6)
    assert bounded.outputs.dtype == np.float64
    with pytest.raises(ValueError, match="the sample has no 'd': expected a, b, c, d"):
        bounded({"a": 1.0, "b": 2.0, "c": 3.0})
    with pytest.raises(ValueError, match=r"the sample has shape \(3,\): expected \(4,\)"):
        bounded([1.0, 2.0, 3.0])


def test_copies_go_on_by_themselves() -> None:
    bounded = gl.BoundedStream(gl.CfC(CIRCUIT).stream(B))
    x = np.random.default_rng(1).normal(size=(3, B, I))
    bounded(x[0])
    for copied in (copy.copy, copy.deepcopy):
        other = copied(bounded)
        np.testing.assert_array_equal(other.outputs, bounded.outputs)
        other(x[2])
        np.testing.assert_array_equal(copied(bounded).state, bounded.state)
        assert not np.array_equal(other.state, bounded.state)
    with pytest.raises(TypeError, match="a stream cannot be pickled"):
        pickle.dumps(bounded)


def test_bad_samples_are_refused_and_change_nothing() -> None:
    bounded = gl.BoundedStream(gl.LTC(CIRCUIT).stream(B))
    x = np.ones((B, I), np.float32)
    bounded(x)
    state, shown = np.array(bounded.state), bounded.outputs.copy()
    ends, row = np.ones(B, bool), np.ones(B)
    for arguments, options, message in (
        ((x[0],), {}, r"the sample has shape \(4,\): expected \(3, 4\)"),
        ((x[:, :3],), {}, r"shape \(3, 3\)"),
        ((x, -1.0), {}, r"the time span is -1\.0: expected a finite number of at least 0"),
        ((x, float("nan")), {}, "the time span is nan"),
        ((x, 1e39), {}, "the time span is inf"),
        ((x, row * [1, -1, 1]), {}, r"the time span of row 1 is -1\.0"),
        ((x, [1.0, 1.0]), {}, r"the time span has shape \(2,\)"),
        ((x,), {"mask": [1, 0]}, r"mask has shape \(2,\): expected \(3,\)"),
        ((x,), {"starts": ends, "ends": [2, 0, 0]}, "ends"),
        ((x, -row), {"mask": [1, 0, 0], "starts": ends}, r"the time span of row 0 is -1\.0"),
    ):
        with pytest.raises(ValueError, match=message):
            bounded(*arguments, **options)
        np.testing.assert_array_equal(bounded.state, state)
        np.testing.assert_array_equal(bounded.outputs, shown)
    for given, message in (
        (([["a"] * I] * B,), "the input must hold real numbers"),
        ((x, "1"), "time span"),
        ((x, 10**400), "the time span must hold real numbers"),
    ):
        with pytest.raises(TypeError, match=message):
            bounded(*given)
    bounded(x, -1.0, mask=[0, 0, 0])  # where there is no sample, its time span may be anything
    np.testing.assert_array_equal(bounded.state, state)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)), "CTGRUCell in plain operations: its steps make arrays"),
        (lambda: gl.LTC(CIRCUIT, engine="ops"), "LTCCell in plain operations"),
        (lambda: gl.Stack([gl.LTC(CIRCUIT), nn.LayerNorm(M)]), "LayerNorm: its steps make arrays"),
        (lambda: gl.Stack([gl.LTC(CIRCUIT), nn.gelu]), "gelu: its steps make arrays"),
        (
            lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(5, wiring=gl.auto_ncp(5, 2, inputs=M))]),
            "NCPDense",
        ),
        (lambda: gl.Stack([gl.LTC(CIRCUIT), nn.Linear(M, 2)], dropout=0.5), "Dropout"),
    ],
)
def test_what_makes_arrays_is_named(network: Any, message: str) -> None:
    made = network()
    if isinstance(made, gl.Stack):
        made.train()
    with pytest.raises(ValueError, match=message):
        gl.BoundedStream(made.stream())
    with pytest.raises(TypeError, match=r"a stream, such as rnn\.stream"):
        gl.BoundedStream(made)
