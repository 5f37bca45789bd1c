"""Long recordings in windows: in order, and what of them only brings the state about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from .data import Batch, Batches, Data
from .finite import Loss
from .losses import of_targets, places

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """A window of the recordings of a batch.

    Attributes:
        arrays: what the loss is given.
        count: how many recordings the batch has.
        rows: which of them have samples in the window; the others wait in the state that they have.
        whole: the arrays with the rows of those that wait; None if nobody does.
        lead: the samples before the window that only bring the state about; None for none.
        fresh: whether the recordings begin here.
        counts: whether there is a target; without one, the window only brings the state about, too.
    """

    arrays: Batch
    count: int
    rows: Index
    whole: Batch | None
    lead: Batch | None
    fresh: bool
    counts: bool

    def __iter__(self) -> Iterator[mx.array]:
        return iter(self.arrays)


@dataclass(frozen=True)
class Windows:
    """Batches of recordings, cut into windows.

    Attributes:
        batches: the recordings.
        length: samples in a window; None for one window of all that the washout leaves.
        washout: samples at the beginning of each recording that cost nothing.
        mask, targets: where in a batch the loss finds them; None if it does not.
    """

    batches: Batches
    length: int | None
    washout: int
    mask: int | None
    targets: int | None

    @classmethod
    def of(cls, batches: Batches, length: int | None, washout: int, loss: Loss) -> Windows:
        """The windows of recordings, as a loss takes them.

        Raises:
            ValueError: no axis of time, arrays that disagree about it, or nothing but washout.
        """
        known = places(loss)
        found = cls(batches, length, washout, known.get("mask"), known.get("y"))
        steps = found.steps
        if steps <= washout:
            raise ValueError(
                f"washout is {washout}, but {batches.name} have {steps} samples: nothing would be left"
            )
        return found

    @property
    def steps(self) -> int:
        """T: the samples of every recording, padding included."""
        return self._steps(self.batches.data[np.arange(1)])

    @property
    def per_batch(self) -> int:
        """How many windows a recording has."""
        return 1 if self.length is None else -(-(self.steps - self.washout) // self.length)

    @property
    def data(self) -> Data:
        """The recordings."""
        return self.batches.data

    @property
    def name(self) -> str:
        """What an error calls the recordings."""
        return self.batches.name

    @property
    def ranks(self) -> Any:
        """The processes of the run: one."""
        return self.batches.ranks

    def __len__(self) -> int:
        return len(self.batches) * self.per_batch

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Cut, int, float]]:
        """The windows of an epoch from window `start` on, with how many recordings count and the weight 1.

        Raises:
            ValueError: batches of unequal length, or an epoch without a target.
        """
        per, steps, counted = self.per_batch, self.steps, start > 0
        for k, (batch, _, _) in enumerate(self.batches.epoch(number, start // per), start // per):
            if self._steps(batch) != steps:
                raise ValueError(
                    f"{self.name} have {steps} samples in one batch and {self._steps(batch)} in another"
                )
            for window in range(max(0, start - k * per), per):
                cut = self._cut(batch, window)
                counted = counted or cut.counts
                yield cut, len(cut.rows) if cut.counts else 0, 1.0
        if not counted:
            raise ValueError(f"{self.name} have no target behind the washout: every one is NaN or left out")

    def items(self, epoch: int, batch: int) -> list[int]:
        """Which recordings a window is of."""
        per = self.per_batch
        found = self.batches.items(epoch, batch // per)
        cut = self._cut(self.batches.data[np.array(found)], batch % per)
        return [found[row] for row in cut.rows]

    def suspicious(self) -> bool:
        """Whether a value in the data is not finite."""
        return self.batches.suspicious()

    def _cut(self, batch: Batch, window: int) -> Cut:
        first = self.washout + window * (self.length or 0)
        last = self.steps if self.length is None else min(first + self.length, self.steps)
        part = self._part(batch, first, last)
        count, whole = len(batch[0]), None
        rows = np.arange(count)
        mask = None if self.mask is None or self.mask >= len(part) else part[self.mask]
        if mask is not None and not of_targets(mask):
            rows = np.flatnonzero(np.array(mask.astype(mx.bool_)).any(axis=1))
            if len(rows) < count:
                whole, part = part, tuple(array[mx.array(rows)] for array in part)
        fresh = window == 0
        lead = self._part(batch, 0, self.washout) if fresh and self.washout else None
        return Cut(part, count, rows, whole, lead, fresh, self._counts(part))

    def _counts(self, part: Batch) -> bool:
        """Whether there is a target in a window."""
        known = [
            mx.array(np.array(part[place]) != 0)
            for place in (self.mask,)
            if place is not None and place < len(part)
        ]
        if self.targets is not None and self.targets < len(part):
            known.append(~mx.isnan(part[self.targets]))
        return all(bool(each.any().item()) for each in known)

    def _part(self, batch: Batch, first: int, last: int) -> Batch:
        return tuple(array[:, first:last] if array.ndim > 1 else array for array in batch)

    def _steps(self, batch: Batch) -> int:
        """T: the length of the axis behind that of the recordings, which all arrays share."""
        sizes = {k: array.shape[1] for k, array in enumerate(batch) if array.ndim > 1}
        if 0 not in sizes:
            raise ValueError(f"array 0 of {self.name} has no axis of time to cut: expected (B, T, ...)")
        for k, size in sizes.items():
            if size != sizes[0]:
                raise ValueError(
                    f"array {k} of {self.name} has {size} entries along axis 1 and array 0 {sizes[0]}: to be "
                    "cut into windows, both are expected to be samples"
                )
        y = len(batch) if self.targets is None else self.targets
        if y < len(batch) and (batch[0].ndim, batch[y].ndim) == (3, 2) and "float" in str(batch[y].dtype):
            raise ValueError(
                f"the targets of {self.name} have {sizes[y]} entries along axis 1, for samples or outputs: "
                "to be cut into windows, they are (B, T, M), and (B, T, 1) where each is one number"
            )
        return sizes[0]
