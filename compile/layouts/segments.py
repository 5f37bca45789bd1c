"""Sums over groups of rows that never scatter: what the edge and block layouts are made of.

MLX adds rows up by index with a scatter, which on the CPU takes 20 to 30 times longer than reading them. Here
a group of d rows is cut into runs whose lengths are the powers of two in d. All runs of one length lie side
by side, so a reshape and a sum over one axis adds all of them at once; a neuron's few partial sums are then
gathered. There is no padding among the rows, and there are at most log2(largest d) + 1 sums.

Every linear map of this module acts on axis 0, whatever axes follow, and carries its own vjp, which is
another map of this module. So `mx.vmap` is one more axis at the end, and nothing is scattered there either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..synapses import Index, pointers

RowMap = Callable[[mx.array], mx.array]
PLAIN = ContextVar("PLAIN", default=False)
"""Whether operations go without gradients of their own, as MLX can export none: it derives some instead."""


@contextmanager
def plain(value: bool) -> Iterator[None]:
    """Inside, operations go without gradients of their own, or with them."""
    token = PLAIN.set(value)
    try:
        yield
    finally:
        PLAIN.reset(token)


def linear(forward: RowMap, adjoint: RowMap, rows: mx.array) -> mx.array:
    """``forward(rows)``, whose vjp is `adjoint` instead of what MLX would derive.

    Both act on axis 0 of arrays with any further axes.
    """
    if PLAIN.get():
        return forward(rows)

    @mx.custom_function
    def mapped(rows: mx.array) -> mx.array:
        return forward(rows)

    @mapped.vjp
    def mapped_vjp(rows: mx.array, cotangent: mx.array, _: mx.array) -> mx.array:
        return adjoint(cotangent)

    @mapped.vmap
    def mapped_vmap(rows: mx.array, axis: int) -> tuple[mx.array, int]:
        return linear(forward, adjoint, mx.moveaxis(rows, axis, -1)), rows.ndim - 1

    return cast(mx.array, mapped(rows))


def pick(array: mx.array, place: mx.array) -> mx.array:
    """``array[place]`` along axis 0, which for single numbers MLX does ten times faster along an axis."""
    return mx.take_along_axis(array, place, axis=0) if array.ndim == 1 else mx.take(array, place, axis=0)


@dataclass(frozen=True)
class Permutation:
    """Rows in another order, and the way back.

    Attributes:
        order: (K,) which row comes where.
        back: (K,) the inverse permutation.
    """

    order: mx.array
    back: mx.array

    @classmethod
    def of(cls, order: Index) -> Permutation:
        """The permutation that reads rows in `order`."""
        back = np.empty_like(order)
        back[order] = np.arange(len(order), dtype=order.dtype)
        return cls(indices(order), indices(back))

    @property
    def inverse(self) -> Permutation:
        """The way back as a permutation."""
        return Permutation(self.back, self.order)

    def __call__(self, rows: mx.array) -> mx.array:
        """(K, ...) rows, reordered."""
        return linear(lambda r: pick(r, self.order), self.inverse, rows)


@dataclass(frozen=True)
class Placement:
    """K values written to places of their own in a larger array that is zero elsewhere.

    Attributes:
        place: (K,) where each value goes.
        size: how many places there are.
    """

    place: mx.array
    size: int

    def put(self, values: mx.array) -> mx.array:
        """(size, ...) from (K, ...) values."""
        return linear(self._put, self.pick, values)

    def pick(self, array: mx.array) -> mx.array:
        """(K, ...) the values at the places, from (size, ...): the adjoint of `put`."""
        return linear(lambda a: pick(a, self.place), self.put, array)

    def _put(self, values: mx.array) -> mx.array:
        rest = values.shape[1:]
        place = mx.broadcast_to(self.place.reshape(-1, *(1 for _ in rest)), values.shape)
        return mx.put_along_axis(mx.zeros((self.size, *rest), values.dtype), place, values, axis=0)


@dataclass(frozen=True)
class Segments:
    """K rows in n groups, laid out in runs of powers of two.

    Attributes:
        owner: (K,) the group of each row, in the order of the runs.
        runs: (number, length) of the runs of each length, longest first; of long lists in several parts.
        partial: (n, width) which partial sums make up each group; a row of zeros behind the last fills up.
    """

    owner: mx.array
    runs: tuple[tuple[int, int], ...]
    partial: mx.array

    @classmethod
    def of(cls, owner: Index, n: int, most: int | None = None) -> tuple[Segments, Index]:
        """The segments of rows that are sorted by `owner`, and the order in which they take the rows.

        Runs of one length are parted after some `most` rows, if given.
        """
        ptr = pointers(owner, n)
        counts = np.diff(ptr)
        none: Index = np.zeros(0, np.int32)
        order, owners, runs, used = [none], [none], [], np.zeros(n, np.int32)
        for level in reversed(range(int(counts.max(initial=0)).bit_length())):
            length = 1 << level
            groups = np.flatnonzero(counts & length).astype(np.int32)
            if len(groups):
                starts: Index = ptr[groups] + used[groups]
                order.append((starts[:, None] + np.arange(length, dtype=np.int32)).ravel().astype(np.int32))
                used[groups] += length
                owners.append(groups)
                at_once = len(groups) if most is None else max(1, most // length)
                runs += [(min(at_once, len(groups) - k), length) for k in range(0, len(groups), at_once)]
        places = np.concatenate(order)
        partial = _partial(np.concatenate(owners), n)
        return cls(indices(owner[places]), tuple(runs), indices(partial)), places

    @property
    def bounds(self) -> list[int]:
        """Where the second and all further runs begin among the rows."""
        return [int(end) for end in np.cumsum([number * length for number, length in self.runs])[:-1]]

    def split(self, rows: mx.array) -> list[mx.array]:
        """(K, ...) rows, run by run; without rows there is no run."""
        return list(mx.split(rows, self.bounds)) if self.runs else []

    def sum(self, rows: mx.array) -> mx.array:
        """(n, ...) the sum of each group of (K, ...) rows."""
        return linear(self._sum, self.expand, rows)

    def expand(self, values: mx.array) -> mx.array:
        """(K, ...) the value of its group for each row, from (n, ...): the adjoint of `sum`."""
        return linear(lambda v: pick(v, self.owner), self.sum, values)

    def total(self, runs: list[mx.array], like: mx.array) -> mx.array:
        """(n, ...) the sum of each group, from the rows of its runs, (number, length, ...) for each length.

        Args:
            runs: the rows; none if there are no rows at all.
            like: an array whose dtype and axes beyond the first the sums have.
        """
        sums = [rows.sum(axis=1) if rows.shape[1] > 1 else rows[:, 0] for rows in runs]
        zero = mx.zeros((1, *like.shape[1:]), like.dtype)
        return mx.take(mx.concatenate([*sums, zero]), self.partial, axis=0).sum(axis=1)

    def _sum(self, rows: mx.array) -> mx.array:
        pairs = zip(self.split(rows), self.runs, strict=True)
        shaped = [run.reshape(*shape, *rows.shape[1:]) for run, shape in pairs]
        return self.total(shaped, rows)


@dataclass(frozen=True)
class Links:
    """K links from n_pre sources onto n_post targets, ready to read rows and to add them up.

    Links are held in the order of the target's runs; `order` says which synapse stands where.

    Attributes:
        pre: (K,) the source of each link.
        target: the links of each target.
        source: the links of each source.
        turn: from the order of `target` to that of `source`.
        order: (K,) the synapse of each link.
    """

    pre: mx.array
    target: Segments
    source: Segments
    turn: Permutation
    order: Index

    @classmethod
    def of(cls, pre: Index, post: Index, n_pre: int, n_post: int) -> Links:
        """Links from synapses that are sorted by `post`."""
        target, order = Segments.of(post, n_post)
        pre = pre[order]
        by_pre = np.argsort(pre, kind="stable").astype(np.int32)
        source, places = Segments.of(pre[by_pre], n_pre)
        return cls(indices(pre), target, source, Permutation.of(by_pre[places]), order)

    def take(self, values: mx.array) -> mx.array:
        """(K, ...) the source's value for each link, from (n_pre, ...)."""
        return linear(lambda v: pick(v, self.pre), lambda c: self.source.sum(self.turn(c)), values)

    def sum(self, rows: mx.array) -> mx.array:
        """(n_post, ...) the sum of (K, ...) over the links onto each target."""
        return self.target.sum(rows)


def indices(ids: NDArray[np.integer]) -> mx.array:
    """NumPy indices as MLX likes them: 32 bits, without sign."""
    return mx.array(ids.astype(np.uint32))


def _partial(owner: Index, n: int) -> Index:
    """(n, width) the partial sums of each group, from the group of each partial sum."""
    order = np.argsort(owner, kind="stable")
    groups = owner[order]
    rank = np.arange(len(owner)) - pointers(owner, n)[groups]
    partial = np.full((n, int(rank.max(initial=0)) + 1), len(owner), np.int32)
    partial[groups, rank] = order
    return partial
