"""Steps over windows, each of which begins in the state that the last one left."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_map

from ..cells import Bidirectional
from ..cells.constraints import constrained
from ..cells.sharing import with_penalty
from .carrier import Carried, Enough
from .finite import Loss
from .ready import gives_scalar
from .update import Update
from .windows import Cut


def require_carrier(model: nn.Module, takes_state: bool) -> None:
    """Refuse a network whose state cannot be carried from window to window.

    Raises:
        TypeError: its call takes no state, or returns none.
        ValueError: it reads backwards.
    """
    name = type(model).__name__
    if not takes_state:
        raise TypeError(f"carry_state: the call of this {name} takes no state=, which would be carried")
    if not getattr(model, "return_state", True):
        raise TypeError(f"carry_state: this {name} returns no state: make it with return_state=True")
    if any(isinstance(part, Bidirectional) or getattr(part, "reverse", False) for part in model.modules()):
        raise ValueError(f"carry_state: this {name} reads backwards, so that it has no state to go on from")


def measured(model: nn.Module, loss: Loss, cut: Cut) -> mx.array:
    """The loss of a window by itself, from zeros and behind what leads to it."""
    before = None if cut.lead is None else _rows(led(model, loss, None, cut.lead), cut)
    return loss(Carried(model, before), *cut.arrays)


def led(model: nn.Module, loss: Loss, state: Any, lead: tuple[mx.array, ...]) -> Any:
    """The state behind samples that cost nothing and have no gradient, from a state in front of them."""
    network = Carried(model, state, only=True)
    with suppress(Enough):
        loss(network, *lead)  # which alone knows how the network is called
    after = network.left()
    mx.eval(after)
    return after


class CarriedStep:
    """``step(cut, weight)`` trains on one window and returns its loss; the state waits for the next one.

    Gradients end where the window begins. The arguments are those of `Step`, without processes, where
    items are the windows of all recordings.

    Attributes:
        state: of all recordings of the batch, as the network returns it; None where they begin.
    """

    def __init__(
        self, model: nn.Module, optimizer: optim.Optimizer, loss: Loss, clip_norm: float | None, items: int
    ) -> None:
        self._model, self._loss = model, loss
        self._before: Any = None
        self._after: Any = None
        penalized = with_penalty(model, gives_scalar(self._carried), items)

        def run(model: nn.Module, *batch: mx.array) -> tuple[mx.array, Any]:
            return penalized(model, *batch), self._after

        self._gradients = nn.value_and_grad(model, run)
        self._update = Update(model, optimizer, constrained(model), clip_norm)
        self.state: Any = None
        self.kept, self.unseen = None, False  # the model always knows what steps have moved

    def settle(self) -> None:
        """Nothing waits, see `Step`."""

    def __call__(self, cut: Cut, weight: float) -> mx.array:
        before = None if cut.fresh else self.state
        if cut.lead is not None:
            before = led(self._model, self._loss, None, cut.lead)
        self._before = None if before is None else _rows(before, cut)
        if before is None and cut.whole is not None and len(cut.rows):
            # Where recordings begin that have not done so, the loss alone knows.
            before = led(self._model, self._loss, None, cut.whole)
        if cut.counts:
            (value, after), gradients = self._gradients(self._model, *cut.arrays)
            self._update(gradients)
        elif len(cut.rows):
            value, after = mx.array(0.0), led(self._model, self._loss, self._before, cut.arrays)
        else:
            value, after = mx.array(0.0), before
        waits = cut.whole is not None and len(cut.rows)
        self.state = _put(before, after, cut) if waits else after
        mx.eval(value, self.state)
        return cast(mx.array, value)

    def _carried(self, model: nn.Module, *batch: mx.array) -> mx.array:
        network = Carried(model, self._before)
        value = self._loss(network, *batch)
        self._after = network.left()
        return value


def _rows(state: Any, cut: Cut) -> Any:
    """The states of the recordings that have samples in a window."""
    return state if cut.whole is None else tree_map(lambda array: array[mx.array(cut.rows)], state)


def _put(before: Any, after: Any, cut: Cut) -> Any:
    """The states of all recordings: those behind the window, and of the others those in front of it."""
    place = np.full(cut.count, -1)
    place[cut.rows] = np.arange(len(cut.rows))
    here, there = mx.array(np.maximum(place, 0)), mx.array(place >= 0)

    def put(new: mx.array, old: mx.array) -> mx.array:
        return mx.where(there.reshape(-1, *(1,) * (new.ndim - 1)), new[here], old)

    return tree_map(put, after, before)
