"""Samples that are left out: their time goes to the next one, and nothing is lost without a word."""

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import ganglion as gl

CIRCUIT = gl.auto_ncp(8, 1, inputs=2, sparsity=0.3, seed=1)
RNG = np.random.default_rng(0)


def summed(spans, seen):
    """The definition, row by row."""
    found, since = [], 0.0
    for span, there in zip(spans, seen, strict=True):
        since += span if np.isfinite(span) and span >= 0 else 0.0
        found.append(since if there else 0.0)
        since = 0.0 if there else since
    return found


@given(st.data(), array_shapes(min_dims=1, max_dims=2, max_side=12))
def test_spans_are_summed_over_what_is_left_out(data, shape):
    seen = data.draw(arrays(bool, shape))
    spans = data.draw(arrays(float, shape, elements=st.floats(0, 10)))
    spans[~seen] = np.where(data.draw(arrays(bool, shape)), np.nan, spans)[~seen]
    found = gl.since_seen(spans, seen)
    rows = [
        summed(a, b) for a, b in zip(spans.reshape(-1, shape[-1]), seen.reshape(-1, shape[-1]), strict=True)
    ]
    np.testing.assert_allclose(found.reshape(len(rows), -1), rows, atol=1e-12)
    follows = np.append(np.zeros((*shape[:-1], 1), bool), seen[..., :-1], axis=-1) & seen
    assert np.array_equal(found[follows], spans[follows])


@pytest.mark.parametrize("cell", [gl.LTC, gl.CfC])
def test_a_gap_is_one_long_time_span(cell):
    rnn = cell(CIRCUIT, key=mx.random.key(1))
    x, spans = RNG.normal(size=(3, 12, 2)), RNG.uniform(0.1, 2.0, (3, 12))
    seen = RNG.random((3, 12)) < 0.6
    seen[:, -1] = True
    outputs, _ = rnn(x, timespans=gl.since_seen(spans, seen), mask=seen)
    for row in range(3):
        alone, _ = rnn(x[row, seen[row]], timespans=gl.since_seen(spans[row], seen[row])[seen[row]])
        np.testing.assert_allclose(np.array(outputs)[row, seen[row]], alone, atol=1e-6)
    lost, _ = rnn(x, timespans=spans, mask=seen)
    assert np.abs(np.array(lost - outputs)).max() > 1e-4


@pytest.mark.parametrize(
    ("spans", "mask", "said"),
    [
        ([1.0, 2.0], [True], r"\(2,\) and the mask \(1,\)"),
        ([1.0, np.nan], [True, True], "step 1 is nan"),
        ([[1.0, -2.0]], [[True, True]], "row 0 at step 1 is -2"),
        ([1.0, 2.0], [0.5, 1], "0.5"),
        (3.0, True, "expected"),
    ],
)
def test_what_is_no_time_or_mask_is_refused(spans, mask, said):
    with pytest.raises(ValueError, match=said):
        gl.since_seen(spans, mask)


def fit_with(spans, mask):
    x, y = RNG.normal(size=(4, 6, 2)), RNG.normal(size=(4, 6, 1))
    gl.fit(
        gl.CfC(CIRCUIT),
        (x, y, spans, mask),
        loss=gl.training.mse,
        optimizer=optim.Adam(0.01, bias_correction=True),
        epochs=1,
        batch_size=4,
        progress=False,
    )


def test_fit_warns_of_time_that_a_mask_takes_away():
    spans, mask = np.ones((4, 6)), np.ones((4, 6))
    mask[:, 2:4] = 0
    mask[1, 4:] = 0  # the end of a shorter sequence, after which nothing comes
    with pytest.warns(UserWarning, match=r"leaves out 6 samples .*since_seen"):
        fit_with(spans, mask)


def test_fit_is_quiet_where_no_time_is_lost(recwarn):
    mask = np.ones((4, 6))
    mask[:, 2:4] = 0
    fit_with(gl.since_seen(np.ones((4, 6)), mask), mask)
    ends = np.ones((4, 6))
    ends[:, 4:] = 0
    fit_with(np.ones((4, 6)), ends)
    assert not [w for w in recwarn if "since_seen" in str(w.message)]


def test_observed_rows_keep_their_own_times(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("t,a,b\n0,1,5\n2,,6\n3,3,\n7,4,8\n")
    (one,) = gl.read_series(table, inputs=["a"], targets=["b"], time="t", missing="mask")
    seen = one.observed()
    assert one.times.tolist() == [0, 2, 3, 7]
    assert seen.times.tolist() == [0, 3, 7]
    assert np.diff(seen.times).tolist() == seen.timespans()[1:].tolist()
    assert gl.since_seen(one.timespans(), one.mask)[one.mask].tolist() == seen.timespans().tolist()
    assert one.part(slice(1, 3)).times.tolist() == [2, 3]
    assert repr(one) == "Series: 4 samples, 3 seen, from 0 to 7; 1 input, 1 target"
    assert repr(one.part(slice(0, 0))) == "Series: 0 samples, 0 seen; 1 input, 1 target"


def test_a_padded_mask_is_a_mask():
    mask, lengths = gl.pad([np.ones(2, bool), np.ones(3, bool)])
    assert mask.dtype == bool
    assert mask.tolist() == [[True, True, False], [True] * 3]
    assert lengths.tolist() == [2, 3]


def test_predict_takes_which_samples_there_are():
    model = gl.Scaled(
        gl.CfC(CIRCUIT),
        ["a", "b"],
        ["c"],
        mean=[0, 0],
        spread=[1, 1],
        offset=[0.0],
        scale=[2.0],
        time_unit=1.0,
    )
    x, spans = RNG.normal(size=(2, 5, 2)), np.ones((2, 5))
    mask = np.array([[1, 1, 0, 1, 1], [1, 0, 0, 0, 0]], bool)
    spans = gl.since_seen(spans, mask)
    np.testing.assert_allclose(
        model.predict(x, spans, mask=mask), model(x, timespans=spans, mask=mask)[0], atol=1e-6
    )
    alone = model.predict(x[1:, :1], spans[1:, :1])
    np.testing.assert_allclose(model.predict(x, spans, lengths=[5, 1])[1:, :1], alone, atol=1e-6)
