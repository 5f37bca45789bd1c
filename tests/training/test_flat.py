"""Steps over long arrays: the bits of MLX's optimizers, and a model that knows them when somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import in_graphs
from ganglion.compile.kernels.updates import parts, updated
from ganglion.training import step, update
from ganglion.training.flat import Layout

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
X = np.random.default_rng(0).normal(size=(22, 4, 3)).astype(np.float32)
Y = np.tanh(X.cumsum(axis=1)[..., :2])
Make = Callable[[], optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "adam": lambda: optim.Adam(0.05, eps=1e-6),
    "corrected": lambda: optim.Adam(optim.cosine_decay(0.05, 12), betas=[0.8, 0.95], bias_correction=True),
    "decayed": lambda: optim.AdamW(0.05, weight_decay=0.1, bias_correction=True),
    "sgd": lambda: optim.SGD(0.05, weight_decay=0.01),
    "momentum": lambda: optim.SGD(0.05, momentum=0.9, nesterov=True),
    "dampened": lambda: optim.SGD(0.05, momentum=0.9, dampening=0.3),
}


class Epochs(gl.training.Callback):
    """Does something after each epoch."""

    def __init__(self, what: Callable[[gl.training.Run], Any]) -> None:
        self.what = what

    def on_epoch(self, run: gl.training.Run) -> None:
        self.what(run)


@pytest.fixture(autouse=True)
def _compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_graphs():
        pytest.skip("kernels are no nodes of MLX's graph here, so that steps are not compiled")
    monkeypatch.setattr(update, "LONG", 0.0)


def ltc() -> gl.LTC:
    """A network some of whose parameters an optimizer would move below zero."""
    network = gl.LTC(CIRCUIT, key=mx.random.key(0))
    network.cell.gleak = network.cell.gleak * 0.01
    return network


def trained(model: nn.Module, optimizer: optim.Optimizer, *watchers: Any, epochs: int = 5) -> dict[str, Any]:
    """The weights, the optimizer's state and the losses."""
    options: dict[str, Any] = {"epochs": epochs, "batch_size": 6, "progress": False, "callbacks": watchers}
    history = gl.fit(model, (X, Y), loss=gl.training.mse, optimizer=optimizer, **options)
    named: Any = tree_flatten([model.parameters(), optimizer.state])
    return {**{name: np.array(array) for name, array in named}, "losses": np.array(history.loss)}


def both(make: Callable[[], nn.Module], optimizer: Make, *watchers: Any) -> int:
    """How many steps ran over long arrays, of a run that must be the same as without."""
    run_long, times = step.Step._run_long, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step.Step, "_run_long", lambda *a: (times.append(1), run_long(*a))[1])
        with patch.context() as slow:
            slow.setattr(update, "LONG", 1e9)
            seen = trained(make(), optimizer(), *watchers)
        assert not times
        unseen = trained(make(), optimizer(), *watchers)
    assert seen.keys() == unseen.keys()
    for name, array in seen.items():
        np.testing.assert_array_equal(unseen[name], array, err_msg=name)
    return len(times)


@pytest.mark.filterwarnings("ignore:this Adam takes its first steps")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_the_optimizer_to_the_bit(name: str) -> None:
    assert both(ltc, OPTIMIZERS[name]) >= 14  # of 20: two shapes are compiled first


def test_constraints_are_kept() -> None:
    model = ltc()
    trained(model, optim.SGD(0.3), epochs=5)
    assert any((np.array(model.cell[name]) == 0).any() for name in ("w", "gleak", "cm"))
    assert all((np.array(model.cell[name]) >= 0).all() for name in ("w", "gleak", "cm"))


def test_frozen_parameters_and_modules_around() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = gl.CfC(CIRCUIT, key=mx.random.key(0))
            self.layers = [nn.Tanh(), nn.Linear(2, 2), nn.Tanh()]
            self.layers[1].update({"weight": mx.array([[1.0, 0.5], [-0.5, 1.0]]), "bias": mx.zeros(2)})
            self.rnn.cell.freeze(keys=["ff1_b"])

        def __call__(self, x: mx.array) -> mx.array:
            outputs = self.rnn(x)[0]
            for layer in self.layers:
                outputs = layer(outputs)
            return outputs

    Around.__module__ = "mlx.nn.of_this_test"  # or it would be a module of one's own, which is not compiled
    assert both(Around, OPTIMIZERS["corrected"]) >= 14


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (ltc, lambda: optim.RMSprop(0.01)),
        (ltc, lambda: optim.MultiOptimizer([optim.Adam(0.01), optim.SGD(0.01)], [lambda n, _: "w" in n])),
        (lambda: gl.LTC(CIRCUIT, polarity="fixed", key=mx.random.key(0)), OPTIMIZERS["adam"]),
        (lambda: gl.Bidirectional(ltc()), OPTIMIZERS["adam"]),
    ],
)
def test_others_are_left_to_mlx(make: Any, optimizer: Make) -> None:
    model, moves = make(), optimizer()
    moves.init(model.trainable_parameters())
    assert Layout.of(model, moves, [model]) is None


def test_what_is_changed_between_epochs_counts() -> None:
    def change(run: gl.training.Run) -> None:
        model: Any = run.model
        if run.epoch == 2:
            run.optimizer.learning_rate = 0.01
            model.cell.ff1_b = model.cell.ff1_b + 1
        if run.epoch == 3:
            model.cell.freeze(keys=["ff2_b"])
        assert run.optimizer.step == 4 * run.epoch

    assert both(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0)), OPTIMIZERS["adam"], Epochs(change)) >= 6


def test_what_nobody_changed_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    long, times = Layout.long, []
    monkeypatch.setattr(Layout, "long", lambda *a: (times.append(1), long(*a))[1])
    trained(ltc(), optim.Adam(0.05), epochs=4)
    few = len(times)
    trained(ltc(), optim.Adam(0.05), epochs=8)
    assert len(times) == 2 * few


def test_what_is_changed_in_place_between_epochs_counts() -> None:
    def change(run: gl.training.Run) -> None:
        cell: Any = run.model.cell
        if run.epoch == 2:
            cell.ff1_b *= 0.5
        if run.epoch == 3:
            run.optimizer.state["cell"]["ff2_b"]["m"][0] = 1.0

    assert both(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0)), OPTIMIZERS["adam"], Epochs(change)) >= 14


def test_frozen_parameters_are_kept_in_their_range() -> None:
    def frozen() -> gl.LTC:
        network = ltc()
        network.cell.freeze(keys=["gleak"])
        return network

    def change(run: gl.training.Run) -> None:
        if run.epoch == 2:
            run.model.cell.gleak = -run.model.cell.gleak

    assert both(frozen, OPTIMIZERS["adam"], Epochs(change)) >= 14


@pytest.mark.parametrize("epochs", [3, 5])
def test_weights_that_the_last_step_of_an_epoch_breaks_are_refused(epochs: int) -> None:
    def rate(step: mx.array) -> mx.array:
        return mx.where(step == 11, float("nan"), 0.01)

    rate.__module__ = "mlx.optimizers.of_this_test"
    model = gl.CfC(CIRCUIT, key=mx.random.key(0))
    with pytest.raises(FloatingPointError, match=r"^cell\.ff1_w is not finite any more"):
        trained(model, optim.Adam(rate), epochs=epochs)
    assert all(mx.isfinite(array).all() for _, array in tree_flatten(model.trainable_parameters()))


def test_an_interruption_leaves_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    call = step.Step.__call__

    def interrupted(self: step.Step, *given: Any) -> Any:
        if self.kept is not None and int(self.kept.state.scalars["step"]) == 10:
            raise KeyboardInterrupt
        return call(self, *given)

    model, optimizer = gl.CfC(CIRCUIT, key=mx.random.key(0)), optim.Adam(0.05)
    with monkeypatch.context() as patch:
        patch.setattr(step.Step, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trained(model, optimizer)
    assert optimizer.step == 10

    class Stops(gl.training.Callback):
        def on_step(self, run: gl.training.Run) -> None:
            run.stop = "enough" if run.step == 10 else None

    other = gl.CfC(CIRCUIT, key=mx.random.key(0))
    trained(other, optim.Adam(0.05), Stops())
    for (name, one), (_, two) in zip(
        tree_flatten(model.parameters()), tree_flatten(other.parameters()), strict=True
    ):
        assert mx.array_equal(one, two), name


def test_what_differs_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Layout.moved
    monkeypatch.setattr(
        Layout,
        "moved",
        lambda self, state, *a: rule(self, state._replace(long=[x + 1e-3 for x in state.long]), *a),
    )
    assert both(ltc, OPTIMIZERS["adam"]) == 0


def test_numbers_that_do_not_fit_are_refused() -> None:
    flat, one, step_number = mx.zeros(6), mx.array(1.0), mx.array(1, mx.uint64)
    with pytest.raises(ValueError, match="expected as many of float32"):
        parts(flat, [(2,), (2, 3)])
    with pytest.raises(ValueError, match="expected as many"):
        updated("sgd", (0.0, 0.0, 1.0, 0.0), one, step_number, [flat, flat], [mx.zeros(5)], [False])
    with pytest.raises(ValueError, match="something else than float32"):
        updated("sgd", (0.0, 0.0, 1.0, 0.0), one, mx.array(1), [flat, flat], [flat], [False])


def test_nan_is_no_number_below_zero() -> None:
    flat, step_number = mx.array([1.0, float("nan"), -2.0]), mx.array(1, mx.uint64)
    new, _ = updated("sgd", (0.0, 0.0, 1.0, 0.0), mx.array(0.0), step_number, [flat, flat], [flat], [True])
    np.testing.assert_array_equal(np.array(new), [1.0, np.nan, 0.0])
