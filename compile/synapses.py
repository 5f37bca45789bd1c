"""The synapses from one population of neurons onto another, as index arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, instance, label, numbers, whole
from ..errors import CircuitError

Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Synapses:
    """K synapses from `n_pre` neurons onto `n_post` neurons, sorted by (post, pre).

    The sorting is what makes a parameter vector of shape (K,) meaningful: entry k belongs to the synapse
    ``pre[k] -> post[k]``, and all synapses onto neuron j are the slice ``ptr[j]:ptr[j + 1]``.

    Attributes:
        pre: (K,) int32 presynaptic neuron of each synapse.
        post: (K,) int32 postsynaptic neuron of each synapse, ascending.
        polarity: (K,) int8, +1 excitatory or -1 inhibitory.
        n_pre: number of presynaptic neurons.
        n_post: number of postsynaptic neurons.

    Raises:
        CircuitError: an index out of range, a polarity that is none, or another order.

    Example:
        >>> synapses = Synapses.sorted([0, 1], [1, 1], [1, -1], n_pre=2, n_post=2)
        >>> synapses.ptr.tolist()                  # [0, 0, 2]
    """

    pre: Index
    post: Index
    polarity: NDArray[np.int8]
    n_pre: int
    n_post: int

    def __post_init__(self) -> None:
        self._check()
        # Digests, pointers and layouts are computed once from these arrays.
        for array in (self.pre, self.post, self.polarity):
            array.flags.writeable = False

    def _check(self) -> None:
        """Refuse what kernels, which look at no index, would read or write outside their arrays for."""
        arrays = {"pre": self.pre, "post": self.post, "polarity": self.polarity}
        for name, array in arrays.items():
            instance(name, array, np.ndarray, "an array of NumPy")
        whole("n_pre", self.n_pre, 0)
        whole("n_post", self.n_post, 0)
        n = len(self.pre) if self.pre.ndim else -1
        for name, ids, size in (("pre", self.pre, self.n_pre), ("post", self.post, self.n_post)):
            if ids.shape != (n,) or ids.dtype != np.int32:
                raise CircuitError(f"{name} has shape {ids.shape} of {ids.dtype}: expected ({n},) of int32")
            if n and not 0 <= ids.min() <= ids.max() < size:
                raise CircuitError(
                    f"{name} reaches from {ids.min()} to {ids.max()}: expected 0 to {size - 1}"
                )
        if self.polarity.shape != (n,) or not (np.abs(self.polarity) == 1).all():
            raise CircuitError(f"polarity must be +1 or -1 for each of {n} synapses")
        order = self.post.astype(np.int64) * max(self.n_pre, 1) + self.pre
        if n and not (order[1:] > order[:-1]).all():
            raise CircuitError(
                "synapses must be sorted by (post, pre), each of them once: use Synapses.sorted"
            )

    @classmethod
    def sorted(cls, pre: object, post: object, polarity: object, n_pre: int, n_post: int) -> Synapses:
        """Synapses from arrays in any order."""
        pre_ids, post_ids = _whole_numbers("pre", pre), _whole_numbers("post", post)
        if pre_ids.shape != post_ids.shape:
            raise CircuitError(f"pre has {len(pre_ids)} entries and post {len(post_ids)}")
        order = cls.order(pre_ids, post_ids, whole("n_pre", n_pre, 0))
        signs = _whole_numbers("polarity", polarity).astype(np.int8)
        if signs.shape != pre_ids.shape:
            raise CircuitError(f"polarity has {len(signs)} entries for {counted(len(pre_ids), 'synapse')}")
        return cls(pre_ids[order], post_ids[order], signs[order], n_pre, n_post)

    @classmethod
    def none(cls, n: int) -> Synapses:
        """No synapses among n neurons."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int8), n, n)

    @staticmethod
    def order(pre: Index, post: Index, n_pre: int) -> NDArray[np.intp]:
        """The order in which synapses are sorted by (post, pre)."""
        # One 64-bit key sorts several times faster than lexsort over two arrays.
        return np.argsort(post.astype(np.int64) * max(n_pre, 1) + pre, kind="stable")

    @cached_property
    def ptr(self) -> Index:
        """(n_post + 1,) where the synapses of each postsynaptic neuron begin."""
        return pointers(self.post, self.n_post)

    @cached_property
    def by_pre(self) -> Index:
        """(K,) the synapses sorted by (pre, post): the transposed index."""
        return np.argsort(self.pre, kind="stable").astype(np.int32)

    @cached_property
    def pre_ptr(self) -> Index:
        """(n_pre + 1,) where the synapses of each presynaptic neuron begin in `by_pre`."""
        return pointers(self.pre, self.n_pre)

    @property
    def density(self) -> float:
        """The fraction of all possible synapses that exist; 0 for an empty population."""
        possible = self.n_pre * self.n_post
        return len(self) / possible if possible else 0.0

    def span(self, start: int, stop: int) -> slice:
        """Where the synapses onto the neurons ``start:stop`` lie in a parameter vector."""
        return slice(int(self.ptr[start]), int(self.ptr[stop]))

    def find(self, pre: Index, post: Index) -> Index:
        """Where the synapses ``pre[k] -> post[k]`` lie in a parameter vector; -1 where there is none."""
        width = max(self.n_pre, 1)
        keys = self.post.astype(np.int64) * width + self.pre
        wanted = np.asarray(post, np.int64) * width + pre
        place = np.minimum(np.searchsorted(keys, wanted), len(self) - 1)
        if not len(self):
            return np.full(len(wanted), -1, np.int32)
        # A presynaptic id outside its range would alias to a neighbour's key.
        known = (np.asarray(pre) >= 0) & (np.asarray(pre) < self.n_pre) & (np.asarray(post) >= 0)
        found = (keys[place] == wanted) & known
        return np.where(found, place, -1).astype(np.int32)

    def onto(self, start: int, stop: int) -> Synapses:
        """Only the synapses onto the neurons ``start:stop``, which become ``0:stop - start``."""
        part = self.span(start, stop)
        return Synapses(
            self.pre[part], self.post[part] - np.int32(start), self.polarity[part], self.n_pre, stop - start
        )

    def only(self, kept: Index) -> Synapses:
        """Some of the synapses, by ascending number."""
        return Synapses(self.pre[kept], self.post[kept], self.polarity[kept], self.n_pre, self.n_post)

    def __len__(self) -> int:
        return len(self.pre)

    def __repr__(self) -> str:
        return f"Synapses({len(self)} from {self.n_pre} onto {self.n_post}, density {self.density:.3g})"


def _whole_numbers(name: str, values: object) -> Index:
    """A vector of whole numbers of 32 bits, whatever they came in."""
    given = numbers(name, values)
    with np.errstate(invalid="ignore"):  # what is too large differs afterwards
        ids: Index = given.astype(np.int32) if np.isfinite(given).all() else np.zeros(0, np.int32)
    if given.ndim != 1 or not np.array_equal(ids, given):
        raise CircuitError(f"{name} must be a vector of whole numbers of 32 bits, got {label(values)}")
    return ids


def pointers(ids: Index, n: int) -> Index:
    """(n + 1,) running count of `ids` below each of 0..n."""
    return np.concatenate([[0], np.cumsum(np.bincount(ids, minlength=n))]).astype(np.int32)
