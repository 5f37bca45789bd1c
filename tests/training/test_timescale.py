"""What `fit` says of time spans that do not suit an LTC's time constants."""

from __future__ import annotations

import warnings

import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3)


def said(unit: float, network: gl.RNN | None = None, **bad: float) -> list[str]:
    """The warnings of a fit whose time spans are about `unit`."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 20, 3)).astype(np.float32)
    y = np.zeros((8, 20, 2), np.float32)
    spans = unit * rng.uniform(0.5, 1.5, (8, 20)).astype(np.float32)
    mask = np.ones((8, 20), bool)
    if bad:
        mask[:, 3], x[:, 3], spans[:, 3] = False, np.nan, bad["span"]
    network = gl.LTC(CIRCUIT) if network is None else network
    optimizer = optim.Adam(0.01, bias_correction=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gl.fit(
            network, (x, y, spans, mask), loss=gl.training.mse, optimizer=optimizer, epochs=1, progress=False
        )
    return [str(one.message) for one in caught if "time spans have the median" in str(one.message)]


@pytest.mark.parametrize("unit", [0.2, 1.0, 2.0])
def test_spans_like_the_time_constants_pass(unit: float) -> None:
    assert said(unit) == []


@pytest.mark.parametrize(
    ("unit", "what"), [(1e-3, "hardly move"), (1e3, "forget all between two samples"), (3.6e6, "forget all")]
)
def test_spans_of_another_unit_are_told(unit: float, what: str) -> None:
    (message,) = said(unit)
    assert what in message
    assert float(message.split("median ")[1].split(" ")[0]) == pytest.approx(unit, rel=0.1)


def test_the_remedy_that_is_named_works() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 20, 3)).astype(np.float32)
    spans = np.full((4, 20), 1e3, np.float32)
    network = gl.LTC(CIRCUIT)
    scaled = gl.Scaled(network, ["a", "b", "c"], ["y", "z"], time_unit=1e3)
    near, far = scaled(x, timespans=spans)[0], network(x, timespans=spans / 1e3)[0]
    np.testing.assert_allclose(np.array(near), np.array(far), atol=1e-6)
    assert said(1.0, gl.LTC(CIRCUIT)) == []


def test_samples_that_are_not_there_count_for_nothing() -> None:
    assert said(1.0, span=float("nan")) == []
    assert len(said(1e3, span=0.0)) == 1


def test_a_cell_without_time_constants_passes() -> None:
    assert said(1e3, gl.CfC(CIRCUIT)) == []
