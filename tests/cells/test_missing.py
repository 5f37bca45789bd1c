"""What MissingValueCell makes of a sequence at once, beside a loop in float64 that says it step by step."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl

FEATURES = 2


class Seen(gl.NCPRNNCell):
    """Shows what it reads."""

    def step(self, prepared, x, state, timespan):  # type: ignore[no-untyped-def]
        return x


def by_hand(x, spans, mask, ends, reverse):  # type: ignore[no-untyped-def]
    """(B, T, 3 I) last value, whether it is there, and the time since, at each sample."""
    shown = np.zeros((*x.shape[:2], 3 * FEATURES))
    for row in range(len(x)):
        order = np.flatnonzero(mask[row])[:: -1 if reverse else 1]
        last, since, output = np.zeros(FEATURES), np.zeros(FEATURES), np.zeros(3 * FEATURES)
        for place, t in enumerate(order):
            here = ~np.isnan(x[row, t])
            # backwards, a gap lies before the sample that was read before
            since = since + spans[row, order[place - 1] if reverse else t]
            last = np.where(here, x[row, t], last)
            output = np.concatenate([last, here, since])
            since = np.where(here, 0.0, since)
            shown[row, t] = output
            ended = ends[row, order[place + 1]] if reverse and place + 1 < len(order) else ends[row, t]
            if ended and not (reverse and place + 1 == len(order)):
                last, since = np.zeros(FEATURES), np.zeros(FEATURES)
    return shown


@settings(max_examples=60, deadline=None)
@given(data=st.data(), reverse=st.booleans())
def test_a_sequence_is_observed_as_step_by_step(data: st.DataObject, reverse: bool) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    batch, steps = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 40))
    x = rng.normal(size=(batch, steps, FEATURES)).astype(np.float32)
    x[rng.random(x.shape) < data.draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))] = np.nan
    spans = rng.random((batch, steps)).astype(np.float32)
    mask = rng.random((batch, steps)) < data.draw(st.sampled_from([0.5, 1.0]))
    ends = rng.random((batch, steps)) < data.draw(st.sampled_from([0.0, 0.3]))
    rnn = gl.RNN(gl.MissingValueCell(Seen(gl.dense(3 * FEATURES, 3 * FEATURES))), reverse=reverse)
    outputs, _ = rnn(mx.array(x), timespans=spans, mask=mask, ends=ends)
    expected = by_hand(x, spans, mask, ends, reverse)
    np.testing.assert_allclose(np.array(outputs)[mask], expected[mask], atol=2e-6)


@pytest.mark.parametrize("cut", [1, 7, 19])
def test_a_sequence_goes_on_from_its_state(cut: int) -> None:
    rng = np.random.default_rng(cut)
    x = rng.normal(size=(3, 20, FEATURES)).astype(np.float32)
    x[rng.random(x.shape) < 0.6] = np.nan
    spans = rng.random((3, 20)).astype(np.float32)
    rnn = gl.RNN(gl.MissingValueCell(Seen(gl.dense(3 * FEATURES, 3 * FEATURES))))
    whole, last = rnn(mx.array(x), timespans=spans)
    first, state = rnn(mx.array(x[:, :cut]), timespans=spans[:, :cut])
    second, state = rnn(mx.array(x[:, cut:]), state, spans[:, cut:])
    np.testing.assert_allclose(np.array(mx.concatenate([first, second], axis=1)), np.array(whole), atol=1e-6)
    for part, expected in zip(state, last, strict=True):
        np.testing.assert_allclose(np.array(part), np.array(expected), atol=1e-6)


def test_gradients_of_inputs_and_spans_are_those_of_central_differences() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 9, FEATURES)).astype(np.float32)
    x[rng.random(x.shape) < 0.5] = np.nan
    spans = rng.random((2, 9)).astype(np.float32)
    weights = rng.normal(size=(2, 9, 3 * FEATURES))
    rnn = gl.RNN(gl.MissingValueCell(Seen(gl.dense(3 * FEATURES, 3 * FEATURES))), engine="ops")

    def loss(x: mx.array, spans: mx.array) -> mx.array:
        return (rnn(x, timespans=spans)[0] * mx.array(weights.astype(np.float32))).sum()

    d_x, d_spans = mx.grad(loss, argnums=(0, 1))(mx.array(x), mx.array(spans))
    every, none = np.ones((2, 9), bool), np.zeros((2, 9), bool)

    def moved(which: np.ndarray, at: tuple[int, ...], by: float) -> float:
        changed = which.astype(np.float64)
        changed[at] += by
        given = (changed, spans) if which is x else (x, changed)
        return float((by_hand(*given, every, none, False) * weights).sum())

    for which, found in ((x, d_x), (spans, d_spans)):
        for at in np.ndindex(which.shape):
            if np.isnan(which[at]):
                assert np.array(found)[at] == 0
            else:
                slope = (moved(which, at, 1e-4) - moved(which, at, -1e-4)) / 2e-4
                np.testing.assert_allclose(np.array(found)[at], slope, atol=1e-4)
