"""Long recordings: windows in order, with the state that the one before left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

CIRCUIT = gl.auto_ncp(10, 2, inputs=2, seed=4)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 22, 2)).astype(np.float32)
SPANS = RNG.uniform(0.2, 1.0, (4, 22)).astype(np.float32)
Y = np.tanh(np.cumsum(X, axis=1)[..., :1] * [1.0, -0.5]).astype(np.float32)


def network(seed: int = 0) -> gl.LTC:
    return gl.LTC(CIRCUIT, time_scale=1.0, key=mx.random.key(seed))


def adam() -> optim.Adam:
    return optim.Adam(0.02, bias_correction=True)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in tree_flatten(model.parameters())}


def equal(one: nn.Module, other: nn.Module, atol: float = 0.0) -> None:
    for name, value in weights(other).items():
        np.testing.assert_allclose(weights(one)[name], value, rtol=0, atol=atol, err_msg=name)


def fit(model: nn.Module, data: Any, epochs: int = 2, **given: Any) -> gl.training.History:
    given = {"loss": gl.training.mse, "batch_size": 2, "window": 6, "carry_state": True} | given
    return gl.fit(model, data, optimizer=adam(), epochs=epochs, progress=False, **given)


def test_it_is_the_loop_that_one_would_write() -> None:
    """Two recordings at a time, six samples at a time, behind four that cost nothing."""
    found, written = network(), network()
    history = fit(found, (X, Y, SPANS), washout=4, clip_norm=0.5)
    optimizer, curve = adam(), []

    def loss(model: gl.LTC, state: mx.array, x: mx.array, y: mx.array, spans: mx.array) -> Any:
        outputs, last = model(x, state, spans)
        return mx.square(outputs - y).mean(), last

    for epoch in range(2):
        order, losses = np.random.default_rng([0, epoch]).permutation(4), []
        for rows in (order[:2], order[2:]):
            x, y, spans = (mx.array(array[rows]) for array in (X, Y, SPANS))
            _, state = written(x[:, :4], timespans=spans[:, :4])
            for first in (4, 10, 16):
                cut = slice(first, first + 6)
                (value, state), gradients = nn.value_and_grad(written, loss)(
                    written, state, x[:, cut], y[:, cut], spans[:, cut]
                )
                gradients, _ = optim.clip_grad_norm(gradients, 0.5)
                optimizer.update(written, gradients)
                written.apply_constraints()
                mx.eval(written.parameters(), state)
                losses.append(float(value.item()))
        curve.append(np.mean(losses))
    equal(found, written, atol=1e-6)
    np.testing.assert_allclose(history.loss, curve, rtol=1e-5)


def test_the_state_and_the_indicator_s_are_carried() -> None:
    """At a learning rate of nothing, windows say what one run over the recording does."""
    seen = gl.observe(network(), "command", gl.Calcium(0.3, 2.0))
    whole = seen(mx.array(X), timespans=mx.array(SPANS))[0]
    said: list[np.ndarray] = []

    def loss(model: Any, x: mx.array, y: mx.array, spans: mx.array) -> mx.array:
        outputs = model(x, timespans=spans)[0]
        said.append(outputs)
        return mx.square(outputs - y).mean()

    class Watch(gl.training.Callback):
        def on_step(self, run: Any) -> None:
            state, (r, c) = run.carried
            assert state.shape == (4, 10)
            assert r.shape == c.shape == (4, len(seen.neurons))
            carried.append(np.array(c))

    carried: list[np.ndarray] = []
    y = mx.zeros_like(whole)
    gl.fit(
        seen, (X, np.array(y), SPANS), loss=loss, optimizer=optim.SGD(0.0), epochs=1, batch_size=4, seed=0,
        carry_state=True, window=8, callbacks=[Watch()], progress=False,
    )  # fmt: skip
    order = np.random.default_rng([0, 0]).permutation(4)
    at = [7, 15, 21]
    for c, k in zip(carried, at, strict=True):
        expected = (np.array(whole)[order, k] - np.array(seen.indicator.offset)) / np.array(
            seen.indicator.gain
        )
        np.testing.assert_allclose(c, expected, rtol=1e-4, atol=1e-6)


def test_recordings_of_unequal_length_end_one_by_one() -> None:
    """What stands behind the end of one has no influence, nor does what it is trained beside."""
    lengths = np.array([22, 9, 15, 6])
    mask = np.arange(22) < lengths[:, None]
    found = []
    for fill in (0.0, np.nan):
        x, y = np.where(mask[..., None], X, np.float32(fill)), np.where(mask[..., None], Y, np.float32(fill))
        model = network()
        fit(model, (x, y, SPANS, mask.astype(np.float32)), washout=2, batch_size=4, epochs=1)
        found.append(model)
    equal(*found)
    alone = network()  # behind sample 15 one recording is left, in the order of the data or not
    optimizer, spans = adam(), mx.array(SPANS)
    state: Any = alone(mx.array(X[:, :2]), timespans=spans[:, :2])[1]
    state = mx.array(np.array(state))
    for first in (2, 8, 14, 20):
        cut = slice(first, min(first + 6, 22))
        rows = np.flatnonzero(mask[:, cut].any(axis=1))
        index = mx.array(rows)

        def loss(
            model: Any, state: mx.array = state, cut: slice = cut, rows: Any = rows, index: mx.array = index
        ) -> Any:
            given = {"timespans": spans[index][:, cut], "mask": mask[rows][:, cut]}
            outputs, last = model(mx.array(X[rows][:, cut]), state[index], **given)
            there = mx.array(mask[rows][:, cut].astype(np.float32))
            errors = mx.square(outputs - mx.array(Y[rows][:, cut])).mean(axis=-1) * there
            return (errors.sum(axis=1) / there.sum(axis=1)).mean(), last

        (_, last), gradients = nn.value_and_grad(alone, loss)(alone)
        optimizer.update(alone, gradients)
        alone.apply_constraints()
        state = np.array(state)
        state[rows] = np.array(last)
        state = mx.array(state)
    equal(found[0], alone, atol=1e-5)


def test_a_window_without_a_target_only_carries_the_state_on() -> None:
    y = Y.copy()
    y[:, 6:12] = np.nan
    model = gl.observe(network(), "motor")
    steps: list[dict[str, np.ndarray]] = []

    class Watch(gl.training.Callback):
        def on_step(self, run: Any) -> None:
            steps.append(weights(run.model))

    history = fit(model, (X, y, SPANS), epochs=1, batch_size=4, callbacks=[Watch()])
    assert len(steps) == 4
    assert all(np.array_equal(steps[0][name], steps[1][name]) for name in steps[0])
    assert any(not np.array_equal(steps[1][name], steps[2][name]) for name in steps[0])
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize("every", [1, 3])
def test_a_run_that_was_ended_goes_on_to_the_bit(tmp_path: Path, every: int) -> None:
    made: Callable[[], gl.Observed] = lambda: gl.observe(network(), "motor", gl.Calcium(0.3, 2.0))  # noqa: E731
    data, held_out = (X, Y, SPANS), (X[:2], Y[:2], SPANS[:2])
    whole = made()
    expected = fit(whole, data, washout=3, validation=held_out)

    class End(gl.training.Callback):
        def on_step(self, run: Any) -> None:
            if run.step == 9:  # in the second epoch, behind the first of four windows
                raise KeyboardInterrupt

    again = made()
    with pytest.raises(KeyboardInterrupt):
        fit(again, data, washout=3, validation=held_out, checkpoint=tmp_path / "run", checkpoint_every=every,
            callbacks=[End()])  # fmt: skip
    resumed = made()
    history = fit(resumed, data, washout=3, validation=held_out, checkpoint=tmp_path / "run",
                  checkpoint_every=every)  # fmt: skip
    equal(resumed, whole)
    assert history.loss == expected.loss
    assert history.validation == expected.validation
    with pytest.raises(gl.FileError, match="window 6, not 5"):
        fit(made(), data, washout=3, window=5, validation=held_out, checkpoint=tmp_path / "run")


def test_a_washout_alone_is_for_whole_sequences() -> None:
    """The loss is that of what is left, and its validation too."""
    model = network()
    given = {"washout": 10, "carry_state": False, "window": None, "batch_size": 4}
    history = fit(model, (X, Y), epochs=1, validation=(X, Y), **given)
    start = np.mean((np.array(network()(X)[0]) - Y)[:, 10:] ** 2)
    np.testing.assert_allclose(history.loss[0], start, rtol=1e-5)
    end = np.mean((np.array(model(X)[0]) - Y)[:, 10:] ** 2)
    np.testing.assert_allclose(history.validation[0], end, rtol=1e-5)


def test_recordings_begin_where_the_loss_says() -> None:
    """At rest, for the first window and no other."""
    seen = gl.observe(network(), "motor", gl.Calcium(0.3, 2.0))

    def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:
        return mx.square(model(x, state="rest")[0] - y).mean()

    resting = np.array(seen(mx.array(X), state="rest")[0])
    assert np.abs(np.array(seen(mx.array(X))[0]) - resting).max() > 1e-2
    given: dict[str, Any] = {"optimizer": optim.SGD(0.0), "epochs": 1, "carry_state": True, "window": 11}
    history = gl.fit(seen, (X, resting), loss=loss, progress=False, **given)
    assert history.loss[0] < 1e-9


def test_a_recording_that_begins_late_begins_where_the_loss_says() -> None:
    """And one that is over within the washout costs nothing."""
    model, mask = network(), np.ones((4, 22), np.float32)
    mask[1, :13] = 0

    def loss(model: Any, x: mx.array, y: mx.array, mask: mx.array) -> mx.array:
        errors = mx.square(model(x, state="rest", mask=mask)[0] - y).mean(axis=-1)
        return (errors * mask).sum() / mask.sum()

    resting = np.array(model(mx.array(X), state="rest", mask=mask)[0])
    given: dict[str, Any] = {"optimizer": optim.SGD(0.0), "epochs": 1, "progress": False}
    given |= {"carry_state": True, "window": 11, "batch_size": 4}
    assert gl.fit(model, (X, resting, mask), loss=loss, **given).loss[0] < 1e-12
    mask[1] = np.arange(22) < 3
    found = []
    for rows in ([0, 1, 2, 3], [0, 2, 3]):
        model = network()
        data = (X[rows], Y[rows], SPANS[rows], mask[rows])
        fit(model, data, washout=3, batch_size=4, epochs=1, validation=data)
        found.append(model)
    equal(*found, atol=1e-6)


def test_containers_carry_the_states_of_their_networks() -> None:
    for model in (
        gl.Stack([nn.Linear(2, 2), gl.LTC(CIRCUIT), gl.CfC(gl.auto_ncp(6, 2, inputs=2, seed=1))]),
        gl.Scaled(
            gl.observe(network(), "motor", gl.Calcium(0.0, 1.0)), ["a", "b"], ["c", "d"], time_unit=0.5
        ),
        gl.RNN(gl.MixedMemoryCell(gl.CfCCell(CIRCUIT))),
    ):
        history = fit(model, (X, Y, SPANS), epochs=1)
        assert np.isfinite(history.loss).all()


def test_what_cannot_be_carried_is_refused() -> None:
    data, rnn = (X, Y), network()
    with pytest.raises(ValueError, match=r"carry_state=True and window= belong together"):
        fit(rnn, data, window=None)
    with pytest.raises(ValueError, match=r"carry_state=True and window= belong together"):
        fit(rnn, data, carry_state=False)
    with pytest.raises(ValueError, match="22 entries along axis 1, for samples or outputs"):
        fit(rnn, (X, np.zeros((4, 22), np.float32)))
    with pytest.raises(ValueError, match="washout is 22, but the data have 22 samples"):
        fit(rnn, data, washout=22)
    with pytest.raises(ValueError, match="the data have no target behind the washout"):
        fit(gl.observe(rnn, "motor"), (X, np.full_like(Y, np.nan)))
    with pytest.raises(ValueError, match="reads backwards"):
        fit(gl.LTC(CIRCUIT, reverse=True), data)
    with pytest.raises(TypeError, match="returns no state"):
        fit(gl.LTC(CIRCUIT, return_state=False), data)
    with pytest.raises(TypeError, match=r"the call of this Linear takes no state="):
        fit(nn.Linear(2, 2), data)
    with pytest.raises(ValueError, match="array 1 of the data has 2 entries along axis 1 and array 0 22"):
        fit(rnn, (X, Y[:, -1]), loss=lambda model, x, y: mx.square(model(x)[0][:, -1] - y).mean())
    with pytest.raises(ValueError, match="for one process"):
        fit(rnn, data, distributed=True)
    with pytest.raises(ValueError, match="calls the network twice"):
        fit(rnn, data, loss=lambda model, x, y: mx.square(model(x)[0] + model(x)[0] - y).mean())
    with pytest.raises(TypeError, match="does not call the network"):
        fit(rnn, data, loss=lambda model, x, y: mx.square(y).mean())
