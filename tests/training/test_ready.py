"""What is refused before training begins, or told apart when it fails."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3)
X = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
Y = np.zeros((4, 6, 2), np.float32)
HIDDEN = np.ma.array(X, mask=X > 1)
STAMPS = 1.7e9 + np.arange(6) * 0.1


def fit(data: Any, model: nn.Module | None = None, rate: float = 0.01, **options: Any) -> Any:
    network = gl.CfC(CIRCUIT) if model is None else model
    given = {"loss": gl.training.mse, "optimizer": optim.Adam(rate, bias_correction=True), "epochs": 2}
    return gl.fit(network, data, progress=False, **(given | options))


def frozen() -> nn.Module:
    network = gl.CfC(CIRCUIT)
    network.freeze()
    return network


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"data": (X,)}, TypeError, r"the data give 1 array to the loss mse\(model, \.\.\.\).*'y'"),
        (
            {"data": (X, Y), "loss": nn.losses.mse_loss},
            TypeError,
            r"nn\.losses\.mse_loss, which takes predict",
        ),
        (
            {"data": (X, Y), "loss": lambda m, x, y: m(x)[0] - y},
            ValueError,
            r"the loss has shape \(4, 6, 2\)",
        ),
        ({"data": (X, Y), "loss": lambda m, x, y: 0.5}, TypeError, "the loss gave 0.5: expected an array of"),
        ({"data": (X, Y), "model": frozen()}, ValueError, r"CfC has nothing to train: .* unfreeze\(\)"),
        ({"data": (X, Y, np.ones((4, 6), bool))}, TypeError, r"are booleans.*\(x, y, timespans, mask\)"),
        ({"data": (HIDDEN, Y)}, TypeError, "array 0 of the data is a NumPy masked array"),
        ({"data": (X, Y, np.tile(STAMPS, (4, 1)))}, ValueError, "give the time since the sample before"),
        (
            {"data": (X, Y, STAMPS + 3600.0 * np.arange(4)[:, None])},
            ValueError,
            "cannot tell apart",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        fit(**options)


@pytest.mark.parametrize("make", [gl.CfC, gl.LTC, lambda circuit: gl.Bidirectional(gl.CfC(circuit))])
def test_a_call_refuses_it_too(make: Any) -> None:
    network = make(CIRCUIT)
    with pytest.raises(TypeError, match="timespans are booleans: expected times; give a mask as mask="):
        network(X, timespans=X[..., 0] > 0)
    with pytest.raises(TypeError, match="timespans are booleans"):
        network(X, timespans=mx.array(X[..., 0] > 0))
    with pytest.raises(TypeError, match="the input is a NumPy masked array"):
        network(HIDDEN)
    for stamps in (STAMPS, np.tile(STAMPS, (4, 1)), STAMPS.tolist(), STAMPS + 3600.0 * np.arange(4)[:, None]):
        with pytest.raises(ValueError, match=r"times such as 17.* that grow from step to step"):
            network(X, timespans=stamps)
    whole = np.ma.array(X, mask=False)
    assert np.array_equal(np.array(network(whole)[0]), np.array(network(X)[0]))


def test_time_spans_of_64_bits_that_differ_little_are_taken() -> None:
    network, spans = gl.LTC(CIRCUIT), np.full((4, 6), 0.1)
    spans += np.diff(1.7e9 + 0.1 * np.arange(25)).reshape(4, 6) - 0.1  # as differences of stamps have it
    assert np.ptp(spans) > 0
    outputs, expected = (np.array(network(X, timespans=given)[0]) for given in (spans, 0.1))
    assert np.allclose(outputs, expected, atol=1e-5)
    network(X, timespans=np.full(6, 1e9))
    network(X, timespans=np.arange(6.0))


def test_the_epsilon_that_is_zero_in_half_precision_is_named() -> None:
    network = gl.CfC(CIRCUIT)
    network.set_dtype(mx.float16)
    with pytest.raises(FloatingPointError, match=r"the eps=1e-08 of Adam is zero .* eps=1e-4"):
        fit((X, Y), network, rate=1e-6, batch_size=2)
    network = gl.CfC(CIRCUIT)
    network.set_dtype(mx.float16)
    fit((X, Y), network, optimizer=optim.Adam(1e-4, eps=1e-4, bias_correction=True), batch_size=2)


def test_one_class_of_a_sequence_names_the_option() -> None:
    with pytest.raises(ValueError, match="make the network with return_sequences=False"):
        gl.training.cross_entropy(gl.CfC(CIRCUIT), mx.array(X), mx.array([0, 1, 0, 1]))
    with pytest.raises(ValueError, match="expected whole numbers from 0 to 1"):
        gl.training.cross_entropy(gl.CfC(CIRCUIT), mx.array(X), mx.full((4, 6), 0.5))
