"""Data as batches, in an order that a seed and the epoch decide: so a resumed run can go on in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import numbers, refuse_masked
from ..rounding import narrow, refuse_lost, refuse_stamps
from .ranks import Ranks

Batch = tuple[mx.array, ...]
Index = NDArray[np.int64]


class Data(Protocol):
    """What `fit` trains on, if not a tuple of arrays: items by index, several at once."""

    def __len__(self) -> int: ...

    def __getitem__(self, items: Index) -> Batch: ...


@dataclass(frozen=True)
class Arrays:
    """Arrays with the items along the first axis: (inputs, targets), or more, as the loss takes them.

    MLX arrays are indexed where they are; NumPy arrays, memory maps included, are read batch by batch, after
    one look at those of 64 bits.

    Raises:
        ValueError: arrays of different lengths, nothing in them, or numbers that float32 cannot tell apart.
    """

    arrays: tuple[Any, ...]

    def __post_init__(self) -> None:
        if alone := [k for k, array in enumerate(self.arrays) if not array.shape]:
            raise ValueError(f"array {alone[0]} of the data is one number: expected an item in each row")
        sizes = [len(array) for array in self.arrays]
        if not sizes or len(set(sizes)) > 1 or not sizes[0]:
            raise ValueError(f"the data are arrays of {sizes} items: expected the same number, at least 1")
        for k, array in enumerate(self.arrays):
            if not isinstance(array, mx.array):
                refuse_masked(f"array {k} of the data", array)
                if array.dtype.kind not in "biuf":
                    raise ValueError(f"array {k} of the data holds {array.dtype}: expected real numbers")
                refuse_lost(array, f"array {k} of the data")
                if array.ndim == 2:
                    refuse_stamps(array, f"array {k} of the data")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, items: Index) -> Batch:
        index = mx.array(items)
        return tuple(
            array[index] if isinstance(array, mx.array) else mx.array(narrow(array[items]))
            for array in self.arrays
        )


def sampled(model: Any, data: Any) -> Any:
    """Data whose inputs are protocols, or one, with their samples and, if none are given, their time spans.

    Raises:
        TypeError: protocols beside something else.
        ValueError: protocols of different lengths, time spans of another number of them, or one that does
            more than feed sensors.
    """
    if not isinstance(data, tuple | list) or not data:
        return data
    first, *others = data
    protocols = list(first) if isinstance(first, list | tuple) else [first]
    known = [hasattr(each, "perturbations") for each in protocols]
    if not any(known):
        return data
    if not all(known):
        other = type(protocols[known.index(False)]).__name__
        raise TypeError(f"the inputs are protocols and a {other}: expected protocols alone, or samples")
    spans: list[Any] = [None] * len(protocols)
    if len(others) > 1:
        given = numbers("timespans", others[1])
        if given.ndim < 2 or len(given) != len(protocols):
            raise ValueError(
                f"timespans have shape {given.shape}: expected ({len(protocols)}, T), a row for each protocol"
            )
        spans = list(given)
    found = [each.inputs(model, own) for each, own in zip(protocols, spans, strict=True)]
    if len({x.shape for x, _ in found}) > 1:
        lengths = sorted({len(x) for x, _ in found})
        raise ValueError(f"the protocols have {lengths} samples: expected the same number in each")
    x, times = (np.stack(parts).astype(np.float32) for parts in zip(*found, strict=True))
    return (x, *others[:1], times, *others[2:])


def as_data(data: Any, name: str = "the data") -> Data:
    """The data that a caller gave, ready to be asked for batches; `name` is what errors call them.

    Raises:
        TypeError: not a tuple of arrays, nor an object with items.
        ValueError: arrays of different lengths, nothing in them, or numbers that float32 cannot tell apart.
    """
    if isinstance(data, tuple | list):
        return Arrays(tuple(array if hasattr(array, "shape") else np.asarray(array) for array in data))
    if (
        hasattr(data, "shape")
        or isinstance(data, str | bytes | Mapping)
        or not (hasattr(data, "__len__") and hasattr(data, "__getitem__"))
    ):
        raise TypeError(
            f"{name} are a {type(data).__name__}: expected a tuple of arrays such as (inputs, targets), "
            "or an object with len(data) and data[indices]"
        )
    checked: Data = data
    if not len(checked):
        raise ValueError(f"{name} are a {type(data).__name__} of no items: expected at least 1")
    return checked


@dataclass(frozen=True)
class Batches:
    """Batches of one data set, in a new order each epoch.

    Attributes:
        data: the items.
        size: items per batch, over all processes together; the last batch of an epoch may be smaller.
        seed: decides the orders; None keeps the order of the data.
        ranks: the processes of the run, each of which gets a part of every batch.
        name: what an error calls the data.
    """

    data: Data
    size: int
    seed: int | None = None
    ranks: Ranks = field(default_factory=Ranks)
    name: str = "the data"

    def __len__(self) -> int:
        return -(-len(self.data) // self.size)

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Batch, int, float]]:
        """The batches of an epoch from batch `start` on.

        Yields:
            This process's part, the number of items of the whole batch, and the weight of the part: its
            share of the batch, times the number of processes, so that the weights average to 1.
        """
        order = self._order(number)
        for first in range(start * self.size, len(order), self.size):
            items = order[first : first + self.size]
            part, weight = self._part(items)
            yield self.data[part], len(items), weight

    def items(self, epoch: int, batch: int) -> list[int]:
        """Which items of the data this process's part of a batch is."""
        order = self._order(epoch)[batch * self.size : (batch + 1) * self.size]
        found: list[int] = self._part(order)[0].tolist()
        return found

    def suspicious(self) -> bool:
        """Whether a value in the data is not finite; it may stand for padding, or for one that is missing."""
        if not isinstance(self.data, Arrays):
            return False
        floats = [array for array in self.data.arrays if "float" in str(array.dtype)]
        return any(
            not bool(mx.isfinite(a).all().item() if isinstance(a, mx.array) else np.isfinite(a).all())
            for a in floats
        )

    def _part(self, items: Index) -> tuple[Index, float]:
        """This process's part of a batch's items, and its weight."""
        if self.ranks.size == 1:
            return items, 1.0
        part = np.array_split(items, self.ranks.size)[self.ranks.rank]
        # A process that is left without items computes one for nothing, to stay in step with the others.
        return part if len(part) else items[:1], self.ranks.size * len(part) / len(items)

    def _order(self, epoch: int) -> Index:
        if self.seed is None:
            return np.arange(len(self.data))
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.data))
