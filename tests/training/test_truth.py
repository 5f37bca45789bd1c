"""What a loss, a mode, a number and a weight are said to be is what they are."""

from __future__ import annotations

import math
import warnings
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.rounding import narrow, refuse_lost
from ganglion.training import recipe

MSE, CROSS = gl.training.mse, gl.training.cross_entropy


def network(seed: int = 0, **options: Any) -> gl.LTC:
    mx.random.seed(seed)
    return gl.LTC(gl.random(4, inputs=2, outputs=2), ode_unfolds=2, **options)


def adam(rate: float = 0.05) -> optim.Adam:
    return optim.Adam(rate, bias_correction=True)


def fit(model: nn.Module, data: Any, **options: Any) -> gl.training.History:
    settings = {"loss": MSE, "optimizer": adam(), "epochs": 3, "batch_size": 4, "progress": False, **options}
    return gl.fit(model, data, **settings)


def task(items: int = 10, steps: int = 5) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(items, steps, 2)).astype(np.float32)
    return x, np.tanh(x)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in tree_flatten(model.parameters())}


def sound(model: nn.Module) -> bool:
    return all(np.isfinite(array).all() for array in weights(model).values())


# Masks: padding has no influence, whatever stands there.

LENGTHS = np.array([5, 2, 4, 1])
MASK = np.arange(5) < LENGTHS[:, None]
NETWORKS = {
    "forwards": lambda: network(),
    "backwards": lambda: network(reverse=True),
    "both ways": lambda: gl.Bidirectional(network(), merge="sum"),
}


def row_by_row(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    """The mean over sequences of the mean over their samples, each sequence run alone without padding."""
    means = []
    for row, n in enumerate(LENGTHS):
        said = np.array(model(mx.array(x[row : row + 1, :n]))[0], np.float64)[0]
        means.append(((said - y[row, :n]) ** 2).mean())
    return float(np.mean(means))


@pytest.mark.parametrize("padding", [0.0, 1e6, math.nan, math.inf])
@pytest.mark.parametrize("kind", NETWORKS)
def test_padding_changes_neither_loss_nor_gradients(kind: str, padding: float) -> None:
    x, y = task(4)
    model = NETWORKS[kind]()
    expected = row_by_row(model, x, y)
    x_padded, y_padded = (np.where(MASK[..., None], a, padding).astype(np.float32) for a in (x, y))
    batch = [mx.array(a) for a in (x_padded, y_padded, np.ones((4, 5), np.float32), MASK.astype(np.float32))]
    value, gradients = nn.value_and_grad(model, MSE)(model, *batch)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    assert all(np.isfinite(np.array(g)).all() for _, g in tree_flatten(gradients))


def test_the_last_outputs_are_those_of_the_last_valid_samples() -> None:
    """As many sequences as samples, where errors of shape (B,) would broadcast against a mask (B, T)."""
    x, y = task(5)
    lengths = np.array([5, 2, 4, 1, 3])
    mask = np.arange(5) < lengths[:, None]
    model = network(return_sequences=False)
    said = [np.array(model(mx.array(x[k : k + 1, :n]))[0], np.float64)[0] for k, n in enumerate(lengths)]
    expected = ((np.stack(said) - y[:, 0]) ** 2).mean()
    spans = mx.ones((5, 5))
    found = MSE(model, mx.array(x), mx.array(y[:, 0]), spans, mx.array(mask.astype(np.float32)))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_takes_a_mask() -> None:
    x, _ = task(4)
    labels = np.random.default_rng(1).integers(0, 2, (4, 5))
    model = network(reverse=True)
    means = []
    for row, n in enumerate(LENGTHS):
        logits = np.array(model(mx.array(x[row : row + 1, :n]))[0], np.float64)[0]
        chosen = np.take_along_axis(logits, labels[row, :n, None], -1)[:, 0]
        means.append((np.log(np.exp(logits).sum(-1)) - chosen).mean())
    padded = mx.array(np.where(MASK, labels, -7).astype(np.int32))
    found = CROSS(model, mx.array(x), padded, None, mx.array(MASK))
    assert found.item() == pytest.approx(float(np.mean(means)), rel=1e-5)
    with pytest.raises(
        ValueError, match="the classes reach from -7 to 1: expected whole numbers from 0 to 1"
    ):
        CROSS(model, mx.array(x), padded)
    with pytest.raises(ValueError, match=r"the classes have shape \(4, 4\): expected \(4, 5\)"):
        CROSS(model, mx.array(x), padded[:, :4])


class Around(nn.Module):
    """A module of one's own that takes no mask."""

    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.rnn = rnn

    def __call__(self, x: mx.array) -> mx.array:
        return self.rnn(x)[0]


def test_a_module_without_mask_is_refused_where_padding_would_count() -> None:
    x, y = task(4)
    x[~MASK] = np.nan
    batch = (mx.array(x), mx.array(y), None, mx.array(MASK))
    model = Around(network())
    assert MSE(model, *batch).item() == pytest.approx(MSE(model.rnn, *batch).item(), rel=1e-6)
    with pytest.raises(TypeError, match="Around takes no mask, and reads backwards: padding would count"):
        MSE(Around(network(reverse=True)), *batch)
    with pytest.raises(TypeError, match="returns one output per sequence"):
        MSE(Around(network(return_sequences=False)), mx.array(x), mx.array(y[:, 0]), None, mx.array(MASK))


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.full((4, 5), 0.5), "mask holds 0.5: expected booleans"),
        (np.full((4, 5), 2.0), "mask holds 2: expected booleans"),
        (np.ones((5, 4)), r"mask has shape \(5, 4\): expected \(4, 5\)"),
        (MASK & (LENGTHS[:, None] != 4), "sequence 2 of the batch has no valid sample"),
    ],
)
def test_masks_that_are_none_are_refused(mask: np.ndarray, reason: str) -> None:
    x, y = task(4)
    with pytest.raises((TypeError, ValueError), match=reason):
        MSE(network(), mx.array(x), mx.array(y), None, mx.array(mask.astype(np.float32)))


# Modes.


class NoisyLayer(nn.Module):
    """A network between a BatchNorm and a Dropout, which keeps the modes that it was run in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.rnn, self.dropout = nn.BatchNorm(2), network(), nn.Dropout(0.5)
        self._seen: list[tuple[bool, bool]] = []

    def __call__(self, x: mx.array) -> mx.array:
        self._seen.append((self.norm.training, self.dropout.training))
        return self.dropout(self.rnn(self.norm(x))[0])


def test_modules_in_evaluation_mode_stay_there() -> None:
    model = NoisyLayer()
    model.norm.eval()
    before = np.array(model.norm.running_mean)
    fit(model, task(8), validation=task(4), epochs=3)
    assert model._seen == [*[(False, True)] * 2, (False, False)] * 3
    assert np.array_equal(np.array(model.norm.running_mean), before)
    assert (model.training, model.norm.training, model.dropout.training) == (True, False, True)


def test_a_model_in_evaluation_mode_trains_in_training_mode() -> None:
    model = NoisyLayer()
    model.eval()
    fit(model, task(8), validation=task(4), epochs=1)
    assert model._seen == [(True, True), (True, True), (False, False)]
    assert not any(module.training for module in model.modules())


def test_modes_come_back_after_an_error() -> None:
    model = NoisyLayer()
    model.dropout.eval()

    def loss(model: NoisyLayer, x: mx.array, y: mx.array) -> mx.array:
        if not model.training:
            raise RuntimeError("on purpose")
        return MSE(model, x, y)

    with pytest.raises(RuntimeError, match="on purpose"):
        fit(model, task(8), loss=loss, validation=task(4), epochs=1)
    assert (model.training, model.norm.training, model.dropout.training) == (True, True, False)


# Numbers that are not finite, and weights that would not be.


@pytest.mark.parametrize("array", [0, 1])
def test_nan_in_the_validation_data_is_named_before_training(array: int) -> None:
    held_out = task(6)
    held_out[array][4, 2, 1] = np.nan
    model = network()
    before = weights(model)
    reason = rf"the validation loss is not finite: array {array} of the validation data holds nan at item 4"
    with pytest.raises(FloatingPointError, match=reason):
        fit(model, task(), validation=held_out)
    assert all(np.array_equal(array, before[name]) for name, array in weights(model).items())


def test_nan_under_a_mask_is_no_fault() -> None:
    x, y = task(4)
    x[~MASK], y[~MASK] = np.nan, np.nan
    data = (x, y, np.ones((4, 5)), MASK)
    assert all(math.isfinite(v) for v in fit(network(), data, validation=data).validation)


def test_an_epoch_whose_validation_is_no_number_is_never_the_best() -> None:
    given = iter([0.5, math.nan, 0.4, math.inf])
    history = fit(network(), task(), validation=lambda model: next(given), epochs=4)
    assert history.validation == [0.5, math.inf, 0.4, math.inf]
    assert (history.best, history.stale) == (2, 1)


def test_a_function_chooses_the_best_epoch() -> None:
    """By the sum of the weights, made small by training towards large targets."""
    x, y = task()
    model, seen = network(), []

    def judge(model: nn.Module) -> float:
        assert not model.training
        seen.append(weights(model))
        return [3.0, 1.0, 2.0][len(seen) - 1]

    history = fit(model, (x, y), validation=judge)
    assert history.validation == [3.0, 1.0, 2.0]
    assert all(np.array_equal(array, seen[1][name]) for name, array in weights(model).items())


class Watch(gl.training.Callback):
    def __init__(self) -> None:
        self.kept: list[dict[str, np.ndarray]] = []

    def on_step(self, run: gl.training.Run) -> None:
        self.kept.append(weights(run.model))


def exploding(model: nn.Module, x: mx.array, y: mx.array) -> mx.array:
    """Infinite as soon as the weights have moved far."""
    return MSE(model, x, y) * mx.exp(mx.abs(model.cell.mu).sum())


def test_a_blow_up_leaves_the_last_finite_weights_and_their_optimizer() -> None:
    model, watch, optimizer = network(), Watch(), optim.SGD(1e3, momentum=0.5)
    with pytest.raises(FloatingPointError, match="the weights grew too large") as caught:
        fit(model, task(), loss=exploding, optimizer=optimizer, callbacks=[watch], epochs=50)
    assert "a lower learning rate or clip_norm may help" in str(caught.value)
    assert sound(model)
    finite = [kept for kept in watch.kept if all(np.isfinite(a).all() for a in kept.values())]
    assert all(np.array_equal(array, finite[-1][name]) for name, array in weights(model).items())
    assert optimizer.step == len(finite)
    assert np.isfinite(optimizer.state["cell"]["mu"]["v"]).all()


def test_a_blow_up_in_the_last_step_is_one() -> None:
    """The loss is finite, its gradient is not, and no other step would have told."""

    def loss(model: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        return MSE(model, x, y) + mx.sqrt(mx.abs(model.cell.vleak[0] * 0.0)).sum()

    model = network()
    with pytest.raises(FloatingPointError, match=r"cell\.vleak is not finite any more"):
        fit(model, task(4), loss=loss, epochs=1)
    assert sound(model)


def test_a_blow_up_writes_no_checkpoint(tmp_path: Any) -> None:
    def loss(model: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        return MSE(model, x, y) + mx.sqrt(mx.abs(model.cell.vleak[0] * 0.0)).sum()

    with pytest.raises(FloatingPointError):
        fit(network(), task(8), loss=loss, checkpoint=tmp_path / "run", checkpoint_every=1)
    assert not list((tmp_path / "run").glob("step-*"))


def test_data_too_large_are_told_from_a_blow_up() -> None:
    x, y = task()
    with pytest.raises(FloatingPointError, match=r"the data are finite and reach 1e\+30: scale them"):
        fit(network(), (x, y + np.float32(1e30)))


def divided(**options: Any) -> Any:
    class Divided(gl.EquationCell):
        parameters = {  # noqa: RUF012
            "w": gl.synapse(1.0),
            "tau": gl.neuron(1.0, positive=True),
            "b": gl.neuron(0.0),
        }
        synapse = {"i": "w * v_pre"}  # noqa: RUF012
        dynamics = "dv/dt = (i + b - v) / tau"

    return gl.RNN(Divided(gl.auto_ncp(8, 2, inputs=2), **options), engine="ops")


def test_a_divisor_of_0_is_named() -> None:
    model = divided()
    model.cell.tau = model.cell.tau * mx.array([0.0] + [1.0] * 7)
    told = r"scale them to about 1; 0 or not finite, .*: cell\.tau \(in 1 of 8 places\); see positive"
    with pytest.raises(FloatingPointError, match=told) as caught:
        fit(model, task(8), epochs=1)
    assert "cell.b" not in str(caught.value)


def test_a_divisor_that_training_took_to_0_is_named() -> None:
    def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:
        return MSE(model, x, y) + 100 * model.cell.tau.sum()

    told = r"clip_norm may help; 0 or not finite, .*: cell\.tau \(in 8 of 8 places\)"
    with pytest.raises(FloatingPointError, match=told):
        fit(divided(), task(8), loss=loss, optimizer=optim.SGD(0.1))
    fit(divided(positive="softplus"), task(8), loss=loss, optimizer=optim.SGD(0.001))


@pytest.mark.parametrize("value", [math.nan, math.inf, 0, -1.0, "1"])
def test_a_norm_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"clip_norm must be (finite and above 0|a number)"):
        fit(network(), task(), clip_norm=value)


def test_an_export_leaves_the_modes_alone(tmp_path: Any) -> None:
    model = gl.Stack([network(), nn.BatchNorm(2), gl.NCPDense(1)], dropout=0.5)
    model.layers[1].eval()
    gl.export_mlx(model, tmp_path / "m.mlxfn", mx.zeros((1, 5, 2)))
    assert [layer.training for layer in (model, *model.layers, model.dropout)] == [
        True,
        True,
        False,
        True,
        True,
    ]


# Numbers of 64 bits.


@pytest.mark.parametrize(
    "column",
    [
        2**40 + np.arange(20), 1.7e9 + np.arange(160.0), 1e8 + np.sin(np.arange(50.0)),
        np.array([2**63 + 1, 2**63 + 2], np.uint64), np.array([1.0, 1e39]),
    ],
)  # fmt: skip
def test_numbers_that_float32_cannot_hold_are_refused(column: np.ndarray) -> None:
    x = np.zeros((len(column), 5, 2), column.dtype)
    x[:, :, 1] = column[:, None]
    with pytest.raises(ValueError, match="feature 1 of array 0 of the data holds"):
        fit(network(), (x, np.zeros((len(column), 5, 2))))


@pytest.mark.parametrize(
    "column", [np.arange(9), 2**31 + 2**33 * np.arange(9), np.linspace(0, 1, 9), np.full(9, 1.7e9)]
)
def test_numbers_that_float32_can_hold_are_taken(column: np.ndarray) -> None:
    refuse_lost(column, "it")
    assert np.allclose(narrow(column).astype(np.float64), column, rtol=1e-6)


# The optimizer.


def test_adam_without_bias_correction_is_told_once() -> None:
    recipe.WARNED.clear()
    with pytest.warns(UserWarning, match=r"3\.16 times .* optim\.Adam\(\.\.\., bias_correction=True\)"):
        fit(network(), task(), optimizer=optim.Adam(0.01), epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(network(), task(), optimizer=optim.Adam(0.01), epochs=1)
        recipe.WARNED.clear()
        fit(network(), task(), optimizer=adam(), epochs=1)
        fit(network(), task(), optimizer=optim.Adamax(0.01), epochs=1)


# Layers that the first input builds.


def test_fit_builds_what_is_not_built() -> None:
    x, y = task()
    model = gl.Stack([network(), gl.NCPDense(1)])
    fit(model, (x, y[..., :1]))
    head = Around(gl.Stack([network(), gl.NCPDense(1)]))
    fit(head, (x, y[..., :1]))
    for trained in (model, head.rnn):
        fresh = gl.Stack([network(), gl.NCPDense(1)])
        fresh.build((1, 1, 2))
        assert trained.layers[1].weight.shape == fresh.layers[1].weight.shape
