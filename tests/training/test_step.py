"""The compiled step of `fit`: the same weights to the bit, and nothing frozen that may change."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import in_graphs
from ganglion.training import loop, step, update
from ganglion.training.data import Batches, as_data

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
X = np.random.default_rng(0).normal(size=(22, 4, 3)).astype(np.float32)
Y = np.tanh(X.cumsum(axis=1)[..., :2])
KINDS = (Y[..., 0] > 0).astype(np.int32)


class Watch(gl.training.Callback):
    """Does something after a step of a number."""

    def __init__(self, at: int, what: Any) -> None:
        self.at, self.what = at, what

    def on_step(self, run: gl.training.Run) -> None:
        if run.step == self.at:
            self.what(run.model)


class Deeper(nn.Module):
    """A module around a network, with what draws random numbers."""

    def __init__(self, own: bool = False) -> None:
        super().__init__()
        self.rnn = gl.CfC(CIRCUIT, key=mx.random.key(0))
        self.drop = nn.Dropout(0.5)
        self.own = own

    def __call__(self, x: mx.array) -> mx.array:
        outputs: mx.array = self.drop(self.rnn(x)[0])
        return outputs


Deeper.__module__ = "mlx.nn.of_this_test"  # or it would be a module of one's own, which is not compiled


def trained(
    model: nn.Module, *, compiled: bool, targets: Any = Y, loss: Any = gl.training.mse, **options: Any
) -> tuple[dict[str, np.ndarray], int]:
    """The weights, the optimizer's state and the losses of 16 steps, and how often a step was compiled."""
    optimizer, compilations = optim.Adam(0.01, bias_correction=True), []
    keep = step.Step._compile
    mx.random.seed(5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "LONG", 0.0 if compiled else 1e9)
        patch.setattr(step.Step, "_compile", lambda *a: (keep(*a), compilations.append(a[0]._pure))[0])
        history = gl.fit(
            model, (X, targets), loss=loss, optimizer=optimizer, epochs=4, batch_size=6,
            progress=False, **options,
        )  # fmt: skip
    assert all(compilations)
    tree = {"model": model.parameters(), "optimizer": optimizer.state}
    arrays: Any = tree_flatten(tree)
    found = {name: np.array(array) for name, array in arrays}
    return {**found, "losses": np.array(history.loss)}, len(compilations)


def times_compiled(make: Any, **options: Any) -> int:
    """How often a step was compiled, where that changes nothing."""
    plain, never = trained(make(), compiled=False, **options)
    ours, times = trained(make(), compiled=True, **options)
    assert never == 0
    assert plain.keys() == ours.keys()
    for name, array in plain.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)
    return times


@pytest.fixture(autouse=True)
def _needs_kernels_in_graphs() -> None:
    if not in_graphs():
        pytest.skip("kernels are no nodes of MLX's graph here, so that steps are not compiled")


def test_steps_are_the_same_to_the_bit() -> None:
    assert times_compiled(lambda: gl.LTC(CIRCUIT, key=mx.random.key(0)), clip_norm=0.5) == 2  # two shapes
    assert times_compiled(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0))) == 2
    classes = {"targets": KINDS, "loss": gl.training.cross_entropy}
    assert times_compiled(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0)), **classes) == 2


def test_random_numbers_are_drawn_as_without() -> None:
    assert times_compiled(Deeper) == 2


def test_what_changes_between_steps_is_seen() -> None:
    def frozen(model: nn.Module) -> None:
        model.cell.freeze(keys=["ff1_w"])

    def make() -> gl.CfC:
        return gl.CfC(CIRCUIT, key=mx.random.key(0))

    assert times_compiled(make, callbacks=[Watch(7, frozen)]) == 4
    other = gl.CfC(gl.auto_ncp(12, 2, inputs=3, seed=2), key=mx.random.key(0)).cell

    def rewired(model: nn.Module) -> None:
        object.__setattr__(model.cell, "compiled", other.compiled)

    for what in (
        lambda model: model.drop.eval(),
        lambda model: setattr(model.drop, "_p_1", 0.9),
        lambda model: setattr(model.rnn, "checkpoint_every", 2),
    ):
        assert times_compiled(Deeper, callbacks=[Watch(7, what)]) == 4
    before = make()
    found = step.Options(before)
    assert found == step.Options(before)
    rewired(before)
    assert found != step.Options(before)


def test_what_a_judge_changes_is_seen() -> None:
    def judge(model: nn.Module) -> float:
        model.drop._p_1 = 0.9
        return 1.0

    assert times_compiled(Deeper, validation=judge) == 4


def test_what_changes_at_every_step_is_not_compiled_at_every_step() -> None:
    def momentum(run: gl.training.Run) -> None:
        run.optimizer.betas = [0.9 / run.step, 0.99]

    watch = Watch(0, None)
    watch.on_step = momentum  # type: ignore[method-assign]
    assert times_compiled(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0)), callbacks=[watch]) == 0


def test_functions_of_ones_own_in_a_model_are_not_compiled() -> None:
    def make(layer: Any) -> nn.Module:
        return nn.Sequential(gl.CfC(CIRCUIT, key=mx.random.key(0)), layer)

    assert not step.compilable(make(lambda outputs: outputs[0]))
    assert not step.compilable(make([{"of": lambda outputs: outputs[0]}]))
    assert step.compilable(make(mx.tanh))
    assert step.compilable(make(nn.gelu))
    deeper = Deeper()
    deeper.last = lambda outputs: outputs
    assert not step.compilable(deeper)


def test_what_may_differ_from_step_to_step_is_not_compiled() -> None:
    def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:
        return gl.training.mse(model, x, y)

    def make(**options: Any) -> gl.CfC:
        return gl.CfC(CIRCUIT, key=mx.random.key(0), **options)

    assert times_compiled(make, loss=loss) == 0
    assert times_compiled(lambda: make(engine="ops")) == 0
    assert not step.compilable(type("Own", (Deeper,), {})())


def test_a_step_that_differs_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "_equal", lambda *_: False)
    with pytest.raises(AssertionError):  # of what `trained` asks of every compilation
        trained(gl.CfC(CIRCUIT, key=mx.random.key(0)), compiled=True)


def test_few_shapes_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "MOST", 1)
    assert times_compiled(lambda: gl.CfC(CIRCUIT, key=mx.random.key(0))) == 1


def test_a_class_that_there_is_not_is_an_error_there_too() -> None:
    bad = KINDS.copy()
    bad[3, 1] = 2
    with pytest.raises(ValueError, match="the classes reach from 0 to 2: expected whole numbers from 0 to 1"):
        trained(
            gl.CfC(CIRCUIT, key=mx.random.key(0)), compiled=True, targets=bad, loss=gl.training.cross_entropy
        )
    model = gl.CfC(CIRCUIT, key=mx.random.key(0))
    inside = mx.compile(lambda x, y: gl.training.cross_entropy(model, x, y))
    assert np.isnan(inside(mx.array(X), mx.array(bad)).item())
    assert inside(mx.array(X), mx.array(KINDS)) == gl.training.cross_entropy(
        model, mx.array(X), mx.array(KINDS)
    )


@pytest.mark.parametrize("compiled", [True, False])
def test_such_a_class_leaves_no_nan_behind(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """Neither in the weights nor in the optimizer, in whose state the next run would begin."""
    monkeypatch.setattr(update, "LONG", 0.0 if compiled else 1e9)
    classes = np.zeros((48, 4), np.int32)
    classes[Batches(as_data((classes,)), 6, 0).items(0, 6)[0], 0] = 2
    model, optimizer = gl.CfC(CIRCUIT, key=mx.random.key(0)), optim.Adam(0.01, bias_correction=True)
    with pytest.raises(ValueError, match="the classes reach from 0 to 2"):
        gl.fit(
            model, (np.tile(X, (3, 1, 1))[:48], classes), loss=gl.training.cross_entropy, optimizer=optimizer,
            epochs=1, batch_size=6, progress=False,
        )  # fmt: skip
    left: Any = tree_flatten([model.trainable_parameters(), optimizer.state])
    assert all(mx.isfinite(array).all().item() for _, array in left)
    assert optimizer.step == 6


def test_a_step_is_counted_as_if_the_next_one_had_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled step runs while Python prepares the next one, unless somebody looks at what it leaves."""
    monkeypatch.setattr(update, "LONG", 0.0)
    targets = np.zeros((48, 4, 2), np.float32)
    targets[Batches(as_data((targets,)), 6, 0).items(0, 6)[0], 0] = np.nan
    found, begun = [], []
    count = loop._count
    monkeypatch.setattr(loop, "_count", lambda *given: (begun.append(len(given[3])), count(*given)))
    for callbacks in ([], [Watch(0, None)]):
        model, optimizer = gl.CfC(CIRCUIT, key=mx.random.key(0)), optim.Adam(0.01, bias_correction=True)
        with pytest.raises(FloatingPointError, match=r"at step 7 \(epoch 1, batch 7\).*at item") as error:
            gl.fit(
                model, (np.tile(X, (3, 1, 1))[:48], targets), loss=gl.training.mse, optimizer=optimizer,
                epochs=1, batch_size=6, progress=False, callbacks=callbacks,
            )  # fmt: skip
        assert optimizer.step == 6
        found.append(
            (str(error.value), max(begun), dict(tree_flatten([model.parameters(), optimizer.state])))
        )
        begun.clear()
    (told, most, left), (told_too, one, left_too) = found
    assert (told, most, one) == (told_too, 2, 1)
    assert all(mx.array_equal(array, left_too[name]) for name, array in left.items())


def test_an_interruption_while_it_compiles_leaves_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    for owner, name in ((step, "_equal"), (step.Step, "_state")):
        model = gl.CfC(CIRCUIT, key=mx.random.key(0))
        whole, calls = getattr(owner, name), []

        def third(*given: Any, whole: Any = whole, calls: Any = calls) -> Any:
            calls.append(given)
            return whole(*given) if len(calls) < 3 else interrupted()  # within the function that is traced

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted if name == "_equal" else third)
            with pytest.raises(KeyboardInterrupt):
                trained(model, compiled=True)
        mx.eval(model.parameters())
        assert all(np.isfinite(np.array(array)).all() for _, array in tree_flatten(model.parameters()))  # type: ignore[misc]
