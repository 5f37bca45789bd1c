"""Targets at sampling times of their own."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(8, 2, inputs=2, seed=4)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 2))
SPANS = np.array([0.5, 0.25, 1.0, 0.5, 0.5, 0.25])  # at 0.5, 0.75, 1.75, 2.25, 2.75 and 3


def test_a_span_is_parted_where_a_target_lies_and_stays_elsewhere() -> None:
    times = np.array([1.0, 0.75, 2.25 + 1e-9, 0.0, 1.5])
    grid = gl.union_grid([X], [SPANS], [times[:, None] * 10.0], [times])
    clock = np.cumsum(grid.timespans[0], dtype=np.float64)
    np.testing.assert_allclose(clock, [0.0, 0.5, 0.75, 1.0, 1.5, 1.75, 2.25, 2.75, 3.0], rtol=1e-6)
    np.testing.assert_array_equal(grid.x[0], X.astype(np.float32)[[0, 0, 1, 2, 2, 2, 3, 4, 5]])
    expected = [0.0, np.nan, 7.5, 10.0, 15.0, np.nan, 22.5, np.nan, np.nan]
    np.testing.assert_allclose(grid.y[0, :, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(grid.timespans[0, [2, 6, 7, 8]], SPANS[[1, 3, 4, 5]].astype(np.float32))
    assert grid.mask.all()


def test_every_neuron_has_times_of_its_own_and_recordings_have_lengths() -> None:
    y: list[Any] = [[[1.0, 2.0], [3.0]], np.array([[5.0, np.nan]])]
    times: list[Any] = [[[0.5, 1.0], [1.0]], [0.1]]
    grid = gl.union_grid([X, X[:2]], [SPANS, 0.25], y, times)
    assert grid.x.shape == (2, 7, 2)
    np.testing.assert_array_equal(grid.mask.sum(axis=1), [7, 3])
    np.testing.assert_array_equal(grid.y[0, :3], [[1.0, np.nan], [np.nan, np.nan], [2.0, 3.0]])
    np.testing.assert_array_equal(grid.y[1, :, 0], [5.0, *[np.nan] * 6])
    np.testing.assert_allclose(grid.timespans[1, :3], [0.1, 0.15, 0.25], rtol=1e-6)


def test_the_network_reads_the_same_input_over_time() -> None:
    """The more exact the solver, the less there is between the two grids; at the old times and no others."""
    times = np.array([0.2, 1.3, 2.9])
    grid = gl.union_grid([X], [SPANS], [np.zeros((3, 1))], [times])
    old = np.isnan(grid.y[0, :, 0])
    apart = []
    for unfolds in (6, 60):
        rnn = gl.LTC(CIRCUIT, ode_unfolds=unfolds, key=mx.random.key(0))
        parted = rnn(mx.array(grid.x), timespans=mx.array(grid.timespans))[0]
        plain = rnn(mx.array(X[None].astype(np.float32)), timespans=mx.array(SPANS[None]))[0]
        apart.append(np.abs(np.array(parted)[0, old] - np.array(plain)[0]).max())
    assert apart[1] < 0.2 * apart[0] < 0.02


def test_it_trains_an_observed_network() -> None:
    times = [np.sort(RNG.uniform(0, 3, 5)) for _ in range(4)]
    y = [np.sin(moments)[:, None] * np.ones(2) for moments in times]
    data = gl.union_grid([X] * 3 + [X[:4, :]], [SPANS] * 3 + [1.0], y, times)
    seen = gl.observe(gl.LTC(CIRCUIT), "motor", gl.Calcium(0.1, 0.5))
    optimizer = optim.Adam(0.05, bias_correction=True)
    history = gl.fit(seen, data, loss=gl.training.mse, optimizer=optimizer, epochs=12, progress=False)
    assert history.loss[-1] < 0.8 * history.loss[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"times": [[3.5]]}, "0 has a target of neuron 0 at time 3.5: the recording is from 0 to 3$"),
        ({"times": [[-1.0]]}, "at time -1: the recording is from 0"),
        ({"times": [[np.nan]]}, "at time nan"),
        ({"times": [[1.0, 2.0]]}, r"y of recording 0 has shape \(1, 1\) and times \(2,\)"),
        ({"y": [[[1.0], [2.0]]], "times": [[1.0, 1.0]]}, "two targets of neuron 0 at time 1"),
        ({"x": [X[0]]}, r"x of recording 0 has shape \(2,\): expected \(T, I\)"),
        ({"timespans": [SPANS[:3]]}, r"timespans of recording 0 have shape \(3,\): expected one, or \(6,\)"),
        ({"timespans": [-1.0]}, "timespans of recording 0: expected finite numbers of at least 0"),
        ({"times": []}, r"are of \[1, 1, 1, 0\] recordings"),
        ({"y": [[[1.0], [2.0]]], "times": [[[0.1]]]}, "targets of 2 neurons, and times of 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changed: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"x": [X], "timespans": [SPANS], "y": [[[1.0]]], "times": [[1.0]]}
    with pytest.raises(ValueError, match=words):
        gl.union_grid(**given | changed)
