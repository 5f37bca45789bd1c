"""A network in the units of its data loses nothing that its data tell apart."""

from __future__ import annotations

import warnings

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

UNITS = {"mean": [1.7e9, 2.0**40], "spread": [50.0, 3.0], "offset": [1e8], "scale": [2.0], "time_unit": 0.25}


@pytest.fixture
def rnn() -> gl.LTC:
    mx.random.seed(0)
    return gl.LTC(gl.auto_ncp(6, 1, inputs=2, sparsity=0.2))


def samples() -> tuple[np.ndarray, np.ndarray]:
    """(2, 9, 2) in the units of the data, and what the network is to see of them."""
    seen = np.random.default_rng(0).integers(-9, 9, (2, 9, 2)).astype(np.float64)
    return seen * [1.0, 1.0] + [1.7e9, 2.0**40], seen / [50.0, 3.0]


@pytest.mark.parametrize("kind", [np.float64, np.int64, "list"])
def test_predictions_lose_nothing(kind: object, rnn: gl.LTC) -> None:
    x, seen = samples()
    model = gl.Scaled(rnn, ["t", "n"], ["y"], **UNITS)
    inside = np.array(rnn(mx.array(seen.astype(np.float32)))[0], np.float64)
    given = x.tolist() if kind == "list" else x.astype(kind)
    assert np.array_equal(model.predict(given), 1e8 + 2.0 * inside)
    with pytest.warns(UserWarning, match=r"values of 'y' about 1e\+08 are 8 apart at least: predict\(\)"):
        outputs, _ = model(given)
    assert np.allclose(np.array(outputs), 1e8 + 2.0 * inside, rtol=1e-7)


def test_floats_of_mlx_are_centred_exactly(rnn: gl.LTC) -> None:
    """Multiples of 128 about a mean that float32 does not have."""
    model = gl.Scaled(rnn, ["t", "n"], ["y"], mean=[1.7e9 + 13, 0.0], spread=[640.0, 1.0])
    seen = np.random.default_rng(0).integers(-9, 9, (5, 2)) * [128.0, 1.0]
    x = mx.array((seen + np.array([1.7e9, 0])).astype(np.float32))
    inputs, _ = model.scaled(x)
    assert np.allclose(np.array(inputs), (seen - [13, 0]) / [640, 1], atol=1e-6)


@pytest.mark.parametrize("batch", [None, 2])
def test_a_stream_is_a_call_with_and_without_time_spans(batch: int | None, rnn: gl.LTC) -> None:
    x, _ = samples()
    x = x if batch else x[0]
    model = gl.Scaled(rnn, ["t", "n"], ["y"], **{**UNITS, "offset": [3.0]})
    spans = np.random.default_rng(1).uniform(0.1, 0.5, 9)
    for given in (None, spans):
        stream, outputs = model.stream(batch), np.array(model(x, timespans=given)[0])
        for t in range(9):
            said = stream(x[..., t, :]) if given is None else stream(x[..., t, :], float(given[t]))
            assert np.allclose(np.array(said), outputs[..., t, :], atol=1e-5)


def test_the_units_are_kept_in_float64(rnn: gl.LTC, tmp_path: object) -> None:
    model = gl.Scaled(rnn, ["t", "n"], ["y"], **{**UNITS, "mean": [1.7e9 + 0.125, 1.0]})
    gl.save(model, f"{tmp_path}/m.safetensors")
    x, _ = samples()
    assert np.array_equal(gl.load(f"{tmp_path}/m.safetensors").predict(x), model.predict(x))


def test_a_mask_reaches_the_network(rnn: gl.LTC) -> None:
    x, _ = samples()
    model = gl.Scaled(rnn, ["t", "n"], ["y"], mean=UNITS["mean"], spread=UNITS["spread"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole, _ = model(x)
        padded = x.copy()
        padded[:, 5:] = np.nan
        held, _ = model(padded, mask=np.tile(np.arange(9) < 5, (2, 1)))
    assert np.allclose(np.array(held)[:, :5], np.array(whole)[:, :5], atol=1e-6)
