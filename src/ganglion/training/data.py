"""Data as batches, in an order that a seed and the epoch decide: so a resumed run can go on in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

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

    MLX arrays are indexed where they are; NumPy arrays, memory maps included, are read batch by batch.
    """

    arrays: tuple[Any, ...]

    def __post_init__(self) -> None:
        sizes = [len(array) for array in self.arrays]
        if not sizes or len(set(sizes)) > 1 or not sizes[0]:
            raise ValueError(f"the data are arrays of {sizes} items: expected the same number, at least 1")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, items: Index) -> Batch:
        index = mx.array(items)
        return tuple(
            array[index] if isinstance(array, mx.array) else mx.array(_narrow(array[items]))
            for array in self.arrays
        )


def as_data(data: Any) -> Data:
    """The data that a caller gave, ready to be asked for batches.

    Raises:
        TypeError: not a tuple of arrays, nor an object with items.
        ValueError: arrays of different lengths, or nothing in them.
    """
    if isinstance(data, tuple | list):
        return Arrays(tuple(array if hasattr(array, "shape") else np.asarray(array) for array in data))
    if hasattr(data, "shape") or not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        raise TypeError(
            f"the data are a {type(data).__name__}: expected a tuple of arrays such as (inputs, targets), "
            "or an object with len(data) and data[indices]"
        )
    checked: Data = data
    return checked


@dataclass(frozen=True)
class Batches:
    """Batches of one data set, in a new order each epoch.

    Attributes:
        data: the items.
        size: items per batch, over all processes together; the last batch of an epoch may be smaller.
        seed: decides the orders; None keeps the order of the data.
        ranks: the processes of the run, each of which gets a part of every batch.
    """

    data: Data
    size: int
    seed: int | None = None
    ranks: Ranks = field(default_factory=Ranks)

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
            if self.ranks.size == 1:
                yield self.data[items], len(items), 1.0
                continue
            part = np.array_split(items, self.ranks.size)[self.ranks.rank]
            weight = self.ranks.size * len(part) / len(items)
            # A process that is left without items computes one for nothing, to stay in step with the others.
            yield self.data[part if len(part) else items[:1]], len(items), weight

    def _order(self, epoch: int) -> Index:
        if self.seed is None:
            return np.arange(len(self.data))
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.data))


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers as MLX computes with them."""
    if array.dtype == np.float64:
        return array.astype(np.float32)
    return array.astype(np.int32) if array.dtype == np.int64 else array
