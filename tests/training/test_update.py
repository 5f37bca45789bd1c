"""The compiled update of `fit`: the same weights to the bit, and nothing frozen that may change."""

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
from ganglion.training import update

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
X = np.random.default_rng(0).normal(size=(24, 4, 3)).astype(np.float32)
Y = np.tanh(X.cumsum(axis=1)[..., :2])
Make = Callable[[], Any]

OPTIMIZERS: dict[str, Make] = {
    "Adam": lambda: optim.Adam(0.01, bias_correction=True),
    "AdamW, cosine": lambda: optim.AdamW(optim.cosine_decay(0.02, 30), weight_decay=0.1),
    "SGD": lambda: optim.SGD(0.1),
    "momentum, steps": lambda: optim.SGD(optim.step_decay(0.1, 0.5, 5), momentum=0.9, nesterov=True),
    "RMSprop, exponential": lambda: optim.RMSprop(optim.exponential_decay(0.01, 0.95)),
    "Adagrad": lambda: optim.Adagrad(0.05),
    "AdaDelta": lambda: optim.AdaDelta(1.0),
    "Adamax": lambda: optim.Adamax(0.01),
    "Lion, joined": lambda: optim.Lion(
        optim.join_schedules([optim.linear_schedule(0.0, 1e-2, 8), optim.cosine_decay(1e-2, 20)], [8])
    ),
    "Adafactor": lambda: optim.Adafactor(),
    "two": lambda: optim.MultiOptimizer(
        [optim.Adam(0.01), optim.SGD(0.05)], [lambda name, _: "sensory" in name]
    ),
}


def trained(make: Make, *, compiled: bool, network: Any = gl.LTC, **options: Any) -> dict[str, np.ndarray]:
    """The weights and the optimizer's state after 16 steps, the first of them plain."""
    model, optimizer = network(CIRCUIT, engine="ops", key=mx.random.key(0)), make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "LONG", 0.0 if compiled else 1e9)
        gl.fit(
            model, (X, Y), loss=gl.training.mse, optimizer=optimizer, epochs=4, batch_size=6,
            progress=False, **options,
        )  # fmt: skip
    arrays: Any = tree_flatten({"model": model.parameters(), "optimizer": optimizer.state})
    return {name: np.array(array) for name, array in arrays}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.filterwarnings("ignore:this Adam")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_are_the_same_to_the_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    keep = update.Update._compile
    monkeypatch.setattr(update.Update, "_compile", lambda *a: (calls.append(True), keep(*a))[1])
    plain = trained(OPTIMIZERS[name], compiled=False)
    assert not calls
    assert same(trained(OPTIMIZERS[name], compiled=True), plain)
    assert calls == [True]


@pytest.mark.parametrize(
    "options", [{"clip_norm": 0.05}, {"polarity": "fixed"}, {"positive": "softplus"}], ids=str
)
def test_clipping_and_constraints_too(options: dict[str, Any]) -> None:
    clip = {name: value for name, value in options.items() if name == "clip_norm"}
    of_network = {name: value for name, value in options.items() if name not in clip}

    def network(*args: Any, **more: Any) -> Any:
        return gl.LTC(*args, **more, **of_network)

    plain, compiled = (
        trained(OPTIMIZERS["SGD"], compiled=compiled, network=network, **clip) for compiled in (False, True)
    )
    assert same(compiled, plain)


class Changes(gl.training.Callback):
    """Changes what the optimizer is set to while it runs."""

    def on_step(self, run: Any) -> None:
        if run.step == 8:
            run.optimizer.betas = [0.5, 0.9]
        if run.step == 10:
            run.optimizer.learning_rate = 0.1
        if run.step == 12:
            run.optimizer.betas[0] = 0.1


def test_what_a_callback_changes_counts() -> None:
    found = [
        trained(OPTIMIZERS["Adam"], compiled=compiled, callbacks=callbacks)
        for compiled, callbacks in ((True, [Changes()]), (False, [Changes()]), (False, []))
    ]
    assert same(*found[:2])
    assert not same(*found[1:])


class Own(optim.SGD):
    """An optimizer that does something else at every step, unseen by MLX."""

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: Any) -> mx.array:
        self.turn = getattr(self, "turn", 0) + 1
        return parameter - gradient * (0.01 if self.turn % 2 else 0.02)


def own_schedule() -> Callable[[mx.array], mx.array]:
    rates = iter(np.linspace(0.1, 0.01, 200))
    return lambda step: mx.array(next(rates))


@pytest.mark.parametrize("make", [lambda: Own(0.1), lambda: optim.SGD(own_schedule())])
def test_what_may_differ_at_every_step_is_not_compiled(make: Make) -> None:
    assert not update.compilable(make(), [])
    assert same(trained(make, compiled=True), trained(make, compiled=False))


def test_constraints_of_ones_own_are_not_compiled() -> None:
    class Bounded(nn.Module):
        def apply_constraints(self) -> None: ...

    assert not update.compilable(optim.SGD(0.1), [Bounded()])
    assert update.compilable(optim.SGD(0.1), [gl.LTC(CIRCUIT)])


def test_without_a_compiler_it_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(OPTIMIZERS["Adam"], compiled=False)
    monkeypatch.setattr(update.shutil, "which", lambda name: None)
    assert not update.compilable(optim.SGD(0.1), [])
    assert same(trained(OPTIMIZERS["Adam"], compiled=True), expected)


def test_what_mlx_cannot_compile_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(OPTIMIZERS["Adam"], compiled=False)

    def broken(function: Any) -> Any:
        def run(*arrays: Any) -> Any:
            function(*arrays)  # which leaves a half-done step behind
            raise RuntimeError("no")

        return mx.compile(run)

    class Broken:
        compile = staticmethod(broken)

        def __getattr__(self, name: str) -> Any:
            return getattr(mx, name)

    monkeypatch.setattr(update, "mx", Broken())
    assert same(trained(OPTIMIZERS["Adam"], compiled=True), expected)
