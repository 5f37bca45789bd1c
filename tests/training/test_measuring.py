"""Validation that MLX compiles finds the numbers, and says the words, that it would without."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.compile.kernels import in_graphs
from ganglion.training import measuring, update

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
X = np.random.default_rng(0).normal(size=(22, 4, 3)).astype(np.float32)
Y = np.tanh(X.cumsum(axis=1)[..., :2])
CLASSES = (Y[..., 0] > 0).astype(np.int32)


@pytest.fixture(autouse=True)
def _needs_kernels_in_graphs() -> None:
    if not in_graphs():
        pytest.skip("kernels are no nodes of MLX's graph here, so that nothing is compiled")


class Changes(gl.training.Callback):
    """Changes what validation sees of the model after an epoch."""

    def on_epoch(self, run: gl.training.Run) -> None:
        model: Any = run.model
        if run.epoch == 3:
            model.cell.time_a_b = model.cell.time_a_b + 1
        if run.epoch == 5:
            model.cell.freeze(keys=["ff1_b"])


def judged(
    compiled: bool, targets: Any = Y, loss: Any = gl.training.mse, held_out: Any = None
) -> list[float]:
    """The validation losses of epochs."""
    optimizer = optim.Adam(0.02, bias_correction=True)
    model = gl.CfC(CIRCUIT, key=mx.random.key(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "LONG", 0.0 if compiled else 1e9)
        history = gl.fit(
            model, (X, targets), loss=loss, optimizer=optimizer, epochs=7, batch_size=6, progress=False,
            validation=(X[:14], targets[:14] if held_out is None else held_out), callbacks=[Changes()],
        )  # fmt: skip
    return history.validation


@pytest.mark.parametrize("what", [{}, {"targets": CLASSES, "loss": gl.training.cross_entropy}])
def test_numbers_are_the_same_to_the_bit(what: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, times = judged(False, **what), []
    keep = measuring.Measure._compile
    monkeypatch.setattr(measuring.Measure, "_compile", lambda *a: (times.append(1), keep(*a))[1])
    assert judged(True, **what) == plain
    assert 2 <= len(times) <= 4  # two shapes, again after a change of what is trained


@pytest.mark.parametrize("compiled", [False, True])
def test_faults_are_told_as_without(compiled: bool) -> None:
    bad = Y[:14].copy()
    bad[9, 0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="array 1 of the validation data holds nan at item 9"):
        judged(compiled, held_out=bad)


def test_what_differs_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, keep = judged(False), measuring.Measure._measured
    monkeypatch.setattr(measuring.Measure, "_measured", lambda self, *a: keep(self, *a) + 1)
    assert judged(True) == plain
