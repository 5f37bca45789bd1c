"""The state of a training run: everything that a checkpoint keeps and callbacks can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim

from ..arguments import counted, short
from ..errors import FileError
from ..interchange.files import parameters_of
from ..interchange.tensors import Arrays
from .finite import Guard
from .history import History


@dataclass
class Run:
    """A run of `fit`, as callbacks see it.

    Attributes:
        model: what is trained, in place.
        optimizer: with its state.
        epochs: how many passes over the data are asked for.
        steps_per_epoch: batches in one pass.
        epoch: finished passes.
        batch: batches done in the current pass.
        history: losses and times of the finished passes.
        best: parameters after the epoch with the lowest validation loss; None without validation.
        stop: set this to a reason, and the run ends after the current step.
        guard: the last weights that were finite.
        carried: the state that the last window of recordings left; None where there are no windows.
    """

    model: nn.Module
    optimizer: optim.Optimizer
    epochs: int
    steps_per_epoch: int
    epoch: int = 0
    batch: int = 0
    history: History = field(default_factory=History)
    best: Arrays | None = None
    stop: str | None = None
    guard: Guard | None = field(default=None, repr=False)
    carried: Any = field(default=None, repr=False)
    _loss_sum: float = 0.0
    _items: int = 0

    def stepped(self, loss: float, items: int) -> None:
        """Count a step of `items` items and this loss."""
        self.batch += 1
        self._loss_sum += loss * items
        self._items += items

    def passed(self, seconds: float, validation: float | None) -> None:
        """Count a finished pass, and keep its parameters if they are the best so far."""
        self.history.loss.append(self.loss)
        self.history.seconds.append(seconds)
        self.epoch, self.batch, self._loss_sum, self._items = self.epoch + 1, 0, 0.0, 0
        if validation is not None:
            self.history.validation.append(validation)
            if self.history.stale == 0:
                best = parameters_of(self.model)  # in objects of their own, which nobody changes in place
                self.best = {name: mx.array(array) for name, array in best.items()}

    def require_sound(self) -> None:
        """Raise FloatingPointError if a weight is not finite, and go back to the last ones that were."""
        if self.guard is not None:
            self.guard.require()

    def to_json(self) -> dict[str, Any]:
        """What `restore` needs besides the arrays."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "loss_sum": self._loss_sum,
            "items": self._items,
            "history": self.history.to_json(),
        }

    def restore(self, state: Mapping[str, Any], best: Arrays | None) -> None:
        """Go on where `to_json` was written.

        Raises:
            FileError: it is something else.
        """
        counts = [state.get(name) for name in ("epoch", "batch", "items")]
        if not all(type(count) is int and count >= 0 for count in counts):
            raise FileError(f"the checkpoint's epoch, batch and items are {counts}: expected numbers")
        if not isinstance(state.get("loss_sum"), int | float):
            raise FileError(f"the checkpoint's loss_sum is {short(state.get('loss_sum'))}: expected a number")
        self.history = History.from_json(state.get("history"))
        self.epoch, self.batch, self._items = state["epoch"], state["batch"], state["items"]
        self._loss_sum, self.best = float(state["loss_sum"]), best

    @property
    def step(self) -> int:
        """Optimizer steps done so far."""
        return self.epoch * self.steps_per_epoch + self.batch

    @property
    def loss(self) -> float:
        """Mean training loss of the current pass so far; of the last one between two passes."""
        if self._items:
            return self._loss_sum / self._items
        return self.history.loss[-1] if self.history.loss else float("nan")


class Callback:
    """Something to do while a run trains: override what you need.

    Every process of a distributed run calls its callbacks; one that stops the run must do so on all of them.

    Example:
        >>> class Hot(gl.training.Callback):
        ...     def on_epoch(self, run):
        ...         if run.history.loss[-1] < 0.01:
        ...             run.stop = "good enough"
    """

    def on_start(self, run: Run) -> None:
        """Before the first step, after a checkpoint was resumed."""

    def on_step(self, run: Run) -> None:
        """After each optimizer step."""

    def on_epoch(self, run: Run) -> None:
        """After each pass over the data and its validation."""

    def on_end(self, run: Run) -> None:
        """At the end, also after an error."""


class EarlyStopping(Callback):
    """Stop a run when the validation loss has not improved for `patience` epochs."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_start(self, run: Run) -> None:
        self.on_epoch(run)

    def on_epoch(self, run: Run) -> None:
        if run.history.stale >= self.patience:
            run.stop = f"no better validation loss for {counted(self.patience, 'epoch')}"
