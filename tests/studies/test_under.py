"""A loss for recordings of which some were made under a perturbation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.studies import Lesion, Silence, under

CIRCUIT = gl.auto_ncp(10, 2, inputs=2, seed=1)
RNG = np.random.default_rng(0)
X, Y = (mx.array(RNG.normal(size=(6, 12, 2)).astype(np.float32)) for _ in range(2))
SPANS = mx.full((6, 12), 0.25)
DONE = [None, Silence("inter_1", 0.5), Lesion("command_0")]
WHICH = mx.array([2, 0, 1, 0, 2, 1])
LOSS = under(gl.training.likelihood, DONE)


def network() -> gl.Observed:
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(1), time_scale=1.0)
    return gl.observe(rnn, ["motor_0", "inter_0"], gl.Calcium(0.2, 1.0, noise=0.1))


def one_by_one(model: Any, x: mx.array, y: mx.array, which: mx.array, timespans: mx.array) -> mx.array:
    """The mean over recordings, each by itself in a block."""
    total = mx.array(0.0)
    for k in range(len(x)):
        done, batch = DONE[int(which[k].item())], (x[k : k + 1], y[k : k + 1], timespans[k : k + 1])
        if done is None:
            total = total + gl.training.likelihood(model, *batch)
        else:
            with gl.perturbed(model, done):
                total = total + gl.training.likelihood(model, *batch)
    return total / len(x)


def test_each_recording_is_run_under_its_own() -> None:
    seen = network()
    value, gradients = nn.value_and_grad(seen, LOSS)(seen, X, Y, WHICH, SPANS)
    wanted, others = nn.value_and_grad(seen, one_by_one)(seen, X, Y, WHICH, SPANS)
    assert value.item() == pytest.approx(wanted.item(), rel=1e-6)
    assert wanted.item() != pytest.approx(gl.training.likelihood(seen, X, Y, SPANS).item(), rel=1e-4)
    named: Any = dict(tree_flatten(others))
    for name, gradient in tree_flatten(gradients):
        np.testing.assert_allclose(gradient, named[name], rtol=1e-4, atol=1e-4 * value.item(), err_msg=name)


def fitted(loss: Callable[..., Any], **arguments: Any) -> list[float]:
    adam = optim.Adam(0.01, bias_correction=True)
    data = (X, Y, WHICH, SPANS)
    history = gl.fit(
        network(), data, loss=loss, optimizer=adam, epochs=2, batch_size=3, validation=data, progress=False,
        **arguments,
    )  # fmt: skip
    return [*history.loss, *history.validation]


def test_fit_and_its_validation_take_it() -> None:
    assert fitted(LOSS) == pytest.approx(fitted(one_by_one), rel=1e-5)


def test_the_state_of_every_recording_is_carried_from_window_to_window() -> None:
    """One window of all that the washout leaves is the recording without its beginning."""
    gaps = mx.where(mx.arange(12)[:, None] < 4, mx.array(np.nan), Y)
    whole = LOSS(network(), X, gaps, WHICH, SPANS).item()
    adam = optim.Adam(0.0, bias_correction=True)
    history = gl.fit(
        network(), (X, Y, WHICH, SPANS), loss=LOSS, optimizer=adam, epochs=1, batch_size=6, progress=False,
        carry_state=True, window=4, washout=4,
    )  # fmt: skip
    assert history.loss == [pytest.approx(whole, rel=1e-5)]


def test_fit_finds_time_spans_behind_the_numbers() -> None:
    assert list(inspect.signature(LOSS).parameters) == [
        "model", "x", "y", "which", "timespans", "mask", "state",
    ]  # fmt: skip
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(1))
    loss, adam = under(gl.training.mse, DONE), optim.Adam(0.01, bias_correction=True)
    gl.fit(rnn, (X, Y, WHICH, SPANS), loss=loss, optimizer=adam, epochs=1, progress=False)
    assert rnn.cell.time_scale == pytest.approx(0.25)


def test_a_loss_of_somebodys_own_calls_the_network_in_its_way() -> None:
    """With arguments by their place, and with lengths, of which each recording has its own."""
    rnn, lengths = gl.LTC(CIRCUIT, key=mx.random.key(1)), mx.array([12, 3, 5, 7, 2, 9])

    def by_place(model: Any, x: mx.array, y: mx.array, spans: mx.array) -> mx.array:
        return (model(x, None, spans)[0] * y[..., :1]).sum()

    def by_name(model: Any, x: mx.array, y: mx.array, spans: mx.array) -> mx.array:
        return (model(x, timespans=spans)[0] * y[..., :1]).sum()

    def short(model: Any, x: mx.array, y: mx.array, lengths: mx.array) -> mx.array:
        return (model(x, lengths=lengths)[0] * y[..., :1]).sum()

    one, other = (under(loss, DONE)(rnn, X, Y, WHICH, SPANS).item() for loss in (by_place, by_name))
    assert one == other
    alone = [
        under(short, DONE)(rnn, X[k : k + 1], Y[k : k + 1], WHICH[k : k + 1], lengths[k : k + 1]).item()
        for k in range(6)
    ]
    assert under(short, DONE)(rnn, X, Y, WHICH, lengths).item() == pytest.approx(sum(alone), rel=1e-5)


def test_noise_is_that_of_a_recordings_place_in_the_batch() -> None:
    class Noisy(gl.EquationCell):
        dynamics = "dv/dt = tanh(b) - v"
        parameters: ClassVar = {"b": gl.neuron(0.1, 0.2)}
        noise: ClassVar = {"v": "0.5"}

    seen: list[np.ndarray] = []

    def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:
        seen.append(np.array(model(x)[0]))
        return mx.array(0.0)

    rnn = gl.RNN(Noisy(CIRCUIT, seed=1))
    under(loss, [None, Silence("inter_0"), Silence("inter_1")])(rnn, X, Y, WHICH)
    np.testing.assert_allclose(seen[0], np.array(rnn(X)[0]), atol=1e-6)  # of motor neurons without synapses


def test_a_checkpoint_knows_what_was_done(tmp_path: Any) -> None:
    fitted(LOSS, checkpoint=tmp_path)
    fitted(under(gl.training.likelihood, list(DONE)), checkpoint=tmp_path)
    with pytest.raises(gl.FileError, match="another loss"):
        fitted(under(gl.training.likelihood, [None, Silence("inter_2", 0.5), DONE[2]]), checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ([0, 1, 3, 0, 0, 0], "says 3 of a recording: expected whole numbers from 0 to 2"),
        ([0.5, 0, 0, 0, 0, 0], "says 0.5 of a recording"),
        ([0, 1], r"shape \(2,\): expected \(6,\)"),
    ],
)
def test_numbers_of_no_perturbation_are_refused(which: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LOSS(network(), X, Y, mx.array(which), SPANS)


def test_what_is_no_loss_and_no_perturbation_is_refused() -> None:
    for loss, done, message in (
        (3, DONE, "loss must be a function"),
        (gl.training.mse, ["AVA"], "each of perturbations must be one"),
        (gl.training.mse, "AVA", "must be a list of perturbations"),
    ):
        with pytest.raises(TypeError, match=message):
            under(loss, done)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty list"):
        under(gl.training.mse, [])
