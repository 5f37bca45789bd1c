"""Sums over groups of rows that never scatter: what the edge and block layouts are made of.

MLX adds rows up by index with a scatter, which on the CPU takes 20 to 30 times longer than reading them. Here
a group of d rows is cut into runs whose lengths are the powers of two in d. All runs of one length lie side
by side, so a reshape and a sum over one axis adds all of them at once; a neuron's few partial sums are then
gathered. There is no padding among the rows, and there are at most log2(largest d) + 1 sums.

Every linear map of this module carries its own vjp, which is another map of this module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..synapses import Index, pointers

RowMap = Callable[[mx.array], mx.array]


def linear(forward: RowMap, adjoint: RowMap, rows: mx.array) -> mx.array:
    """``forward(rows)``, whose vjp is `adjoint` instead of what MLX would derive."""

    @mx.custom_function
    def mapped(rows: mx.array) -> mx.array:
        return forward(rows)

    @mapped.vjp
    def mapped_vjp(rows: mx.array, cotangent: mx.array, _: mx.array) -> mx.array:
        return adjoint(cotangent)

    return cast(mx.array, mapped(rows))


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
        return linear(lambda r: r[self.order], self.inverse, rows)


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
        """(size,) from (K,) values."""
        return linear(self._put, self.pick, values)

    def pick(self, array: mx.array) -> mx.array:
        """(K,) the values at the places, from (size,): the adjoint of `put`."""
        return linear(lambda a: a[self.place], self.put, array)

    def _put(self, values: mx.array) -> mx.array:
        return mx.put_along_axis(mx.zeros((self.size,), values.dtype), self.place, values, axis=0)


@dataclass(frozen=True)
class Segments:
    """K rows in n groups, laid out in runs of powers of two.

    Attributes:
        owner: (K,) the group of each row, in the order of the runs.
        runs: (number, length) of the runs of each length, longest first.
        partial: (n, width) which partial sums make up each group; `zero`, a row of zeros, fills up.
        zero: the number of partial sums.
    """

    owner: mx.array
    runs: tuple[tuple[int, int], ...]
    partial: mx.array
    zero: int

    @classmethod
    def of(cls, owner: Index, n: int) -> tuple[Segments, Index]:
        """The segments of rows that are sorted by `owner`, and the order in which they take the rows."""
        ptr = pointers(owner, n)
        counts = np.diff(ptr)
        none: Index = np.zeros(0, np.int32)
        order, owners, runs, used = [none], [none], [], np.zeros(n, np.int32)
        for level in reversed(range(int(counts.max(initial=0)).bit_length())):
            groups = np.flatnonzero(counts >> level & 1).astype(np.int32)
            if len(groups):
                starts: Index = ptr[groups] + used[groups]
                order.append(
                    (starts[:, None] + np.arange(1 << level, dtype=np.int32)).ravel().astype(np.int32)
                )
                used[groups] += 1 << level
                runs.append((len(groups), 1 << level))
                owners.append(groups)
        places = np.concatenate(order)
        partial, zero = _partial(np.concatenate(owners), n)
        return cls(indices(owner[places]), tuple(runs), indices(partial), zero), places

    def sum(self, rows: mx.array) -> mx.array:
        """(n, C) the sum of each group of (K, C) rows."""
        return linear(self._sum, self.expand, rows)

    def expand(self, values: mx.array) -> mx.array:
        """(K, C) the value of its group for each row, from (n, C): the adjoint of `sum`."""
        return linear(lambda v: v[self.owner], self.sum, values)

    def _sum(self, rows: mx.array) -> mx.array:
        columns, start, sums = rows.shape[1], 0, []
        for number, length in self.runs:
            run = rows[start : start + number * length]
            start += number * length
            sums.append(run.reshape(number, length, columns).sum(axis=1) if length > 1 else run)
        sums.append(mx.zeros((1, columns), rows.dtype))
        return mx.concatenate(sums)[self.partial].sum(axis=1)


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
        """(K, C) the source's value for each link, from (n_pre, C)."""
        return linear(lambda v: v[self.pre], lambda c: self.source.sum(self.turn(c)), values)

    def sum(self, rows: mx.array) -> mx.array:
        """(n_post, C) the sum of (K, C) over the links onto each target."""
        return self.target.sum(rows)


def indices(ids: NDArray[np.integer]) -> mx.array:
    """NumPy indices as MLX likes them: 32 bits, without sign."""
    return mx.array(ids.astype(np.uint32))


def _partial(owner: Index, n: int) -> tuple[Index, int]:
    """(n, width) the partial sums of each group, from the group of each partial sum; and their number."""
    order = np.argsort(owner, kind="stable")
    groups = owner[order]
    rank = np.arange(len(owner)) - pointers(owner, n)[groups]
    partial = np.full((n, int(rank.max(initial=0)) + 1), len(owner), np.int32)
    partial[groups, rank] = order
    return partial, len(owner)
