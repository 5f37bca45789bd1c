"""A look at a run when it has ended: what in its network and its data stands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..cells import RNN, NCPRNNCell
from ..interchange import Scaled
from ..interchange.modes import modes_kept
from .data import Arrays, Batches
from .losses import mse, of_targets, outputs_of, places
from .run import Run
from .summary import Summary

STUCK = 0.05
"""Outputs that spread less than this part of what the targets do are a mean and no more."""
STILL = 1e-3
"""A neuron whose state spreads less than this does not move."""
ENOUGH = 100
"""Steps after which a network should say more than the mean."""


def summarize(run: Run, batches: Batches, validation: Any, loss: Callable[..., Any]) -> Summary:
    """The summary of a run whose network has its last parameters."""
    history, best = run.history, run.history.best
    kept = best if run.best is not None else None
    what = "number" if callable(validation) else "loss"
    by = "without validation" if kept is None else f"by its validation {what} {history.validation[kept]:.4g}"
    changes, synapses, zeros = _signs(run.model)
    padding, samples = _padding(batches, loss)
    seen = getattr(validation, "batches", validation)
    seen = seen if isinstance(seen, Batches) else batches
    batch = seen.data[np.arange(min(seen.size, len(seen.data)))]
    still, neurons = _still(run.model, batch)
    return Summary(
        epochs=len(history.loss),
        kept=kept,
        by=by,
        dropped=0 if kept is None else len(history.validation) - 1 - kept,
        refused=sum(not np.isfinite(value) for value in history.validation),
        sign_changes=changes,
        synapses=synapses,
        zeros=zeros,
        still=still,
        neurons=neurons,
        padding=padding,
        samples=samples,
        stuck=_stuck(run, batch) if loss is mse and run.step >= ENOUGH else None,
    )


def _signs(model: nn.Module) -> tuple[int, int, int]:
    """Weights against the sign of their synapse, all that have a sign, and those at zero, gaps included."""
    against = count = zeros = 0
    for cell in model.modules():
        if isinstance(cell, NCPRNNCell) and hasattr(cell, "compiled"):
            for values, polarity in cell.signed_weights():
                found = np.array(values.astype(mx.float32))
                against += int((found * polarity < 0).sum())
                count += found.size
                zeros += int((found == 0).sum())
            now = cell.effective()
            for name in cell.conducting_parameters("electrical"):
                zeros += int((np.array(now[name].astype(mx.float32)) == 0).sum())
    return against, count, zeros


def _padding(batches: Batches, loss: Callable[..., Any]) -> tuple[int, int]:
    place = places(loss).get("mask")
    if place is None or not isinstance(batches.data, Arrays) or place >= len(batches.data.arrays):
        return 0, 0
    mask = np.array(batches.data.arrays[place])
    if of_targets(mask):
        return 0, 0
    return int((mask == 0).sum()), mask.size


def _still(model: nn.Module, batch: Sequence[mx.array]) -> tuple[int, int]:
    """How many neurons of a network do not move while it reads a batch; 0 of 0 for any other module."""
    inputs = batch[0]
    if not isinstance(model, RNN) or not isinstance(inputs, mx.array) or inputs.ndim != 3:
        return 0, 0
    if inputs.shape[-1] != model.input_size:
        return 0, 0
    with modes_kept(model):
        model.eval()
        states = model(mx.where(mx.isfinite(inputs), inputs, 0.0), record=True)[-1].states
    spread = states.reshape(-1, states.shape[-1]).std(axis=0)
    return int((spread < STILL).sum()), spread.size


def _stuck(run: Run, batch: Sequence[mx.array]) -> str | None:
    """Whether the outputs that `mse` compares hardly spread beside its targets, and what may help.

    How a loss of one's own calls the model is not known here.
    """
    given = {name: batch[place] for name, place in places(mse).items() if place < len(batch)}
    if isinstance(run.model, Scaled) or of_targets(given.get("mask")):
        return None
    with modes_kept(run.model):
        run.model.eval()
        said = outputs_of(run.model, given["x"], given.get("timespans"), given.get("mask"))
    if said.shape != given["y"].shape:
        return None
    spread, wanted = (_spread(array, given.get("mask")) for array in (said, given["y"]))
    if not (wanted > 0).any() or (spread >= STUCK * wanted)[wanted > 0].any():
        return None
    return (
        "the outputs hardly differ from their mean: a lower learning rate, clip_norm=1.0, targets scaled to "
        "about 1 or other initial weights may help"
    )


def _spread(values: mx.array, mask: mx.array | None) -> NDArray[np.float64]:
    """(M,) the standard deviation of each output over all valid samples."""
    flat = np.array(values.astype(mx.float32)).astype(np.float64).reshape(-1, values.shape[-1])
    if mask is not None and values.ndim > 2:
        flat = flat[np.array(mask).reshape(-1) != 0]
    found: NDArray[np.float64] = np.nanstd(flat, axis=0)
    return found
