"""The learning curve of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .. import shown
from ..errors import FileError
from .summary import Summary

CURVES = ("loss", "validation", "seconds")


@dataclass(repr=False)
class History:
    """What happened in every epoch of a run.

    Attributes:
        loss: mean training loss of each epoch, measured while it trains.
        validation: validation loss after each epoch, infinite where it was no number; empty without
            validation data.
        seconds: time each epoch took, validation included.
        summary: what became of the run: which epoch was kept by which number, what was dropped, and what in
            the network or the data stands out; ``print(history.summary)`` is one line.

    Example:
        >>> optimizer = optim.Adam(0.01, bias_correction=True)
        >>> history = gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optimizer, epochs=20)
        >>> history                                # one line; gl.viz.plot_history(history) draws it
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    summary: Summary | None = field(default=None, compare=False)

    @property
    def best(self) -> int | None:
        """The first epoch, from 0, with the lowest validation loss; None if none was finite."""
        lowest = min(self.validation, default=math.inf)
        return self.validation.index(lowest) if math.isfinite(lowest) else None

    @property
    def stale(self) -> int:
        """How many epochs in a row have not improved the validation loss."""
        return len(self.validation) if self.best is None else len(self.validation) - 1 - self.best

    def __repr__(self) -> str:
        if not self.loss:
            return "History(no epoch)"
        parts = [f"{len(self.loss)} epoch{'s' * (len(self.loss) > 1)}", f"loss {self.loss[-1]:.4g}"]
        if self.best is not None:
            parts.append(f"validation {self.validation[self.best]:.4g} at best, in epoch {self.best + 1}")
        return f"History({', '.join([*parts, f'{sum(self.seconds):.3g} s'])})"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, object]] = [("epochs", len(self.loss))]
        rows += [("last loss", f"{self.loss[-1]:.4g}")] if self.loss else []
        if self.best is not None:
            rows += [("best validation", f"{self.validation[self.best]:.4g}, epoch {self.best + 1}")]
        rows += [("seconds", f"{sum(self.seconds):.3g}")] if self.seconds else []
        curves = shown.curves_picture({"loss": self.loss, "validation": self.validation}, "loss by epoch")
        words = shown.text("", str(self.summary)) if self.summary is not None else ""
        return shown.page(shown.table("History", rows), curves, words)

    def to_json(self) -> dict[str, list[float]]:
        """The curves by name."""
        return {name: getattr(self, name) for name in CURVES}

    @classmethod
    def from_json(cls, document: Any) -> History:
        """The history that `to_json` wrote.

        Raises:
            FileError: it is something else.
        """
        if not isinstance(document, dict) or document.keys() != set(CURVES):
            raise FileError(f"a history has {', '.join(sorted(CURVES))}")
        for name, curve in document.items():
            if not isinstance(curve, list) or not all(type(value) in (int, float) for value in curve):
                raise FileError(f"the history's {name} must be a list of numbers")
        return cls(**document)
