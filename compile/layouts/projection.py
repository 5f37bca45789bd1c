"""What every layout offers to a cell: a few operations over the synapses of one population pair."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...errors import LayoutError
from ...shown import human_bytes
from ..synapses import Synapses
from .segments import Permutation, Segments
from .select import selected

# From the presynaptic value and spread parameters to one or several currents, all per synapse.
Currents: TypeAlias = "Callable[..., tuple[mx.array, ...]]"

# Temporaries of more numbers than this are computed in parts: 4 MB stay in cache, and the memory of larger
# arrays goes back to the system after each use and costs more to get anew than the arithmetic.
PART = 1 << 20

# The most bytes that one weight may take for the sake of pairs without a synapse: 16384 x 16384 numbers.
LIMIT = 1 << 30


class Projection(ABC):
    """Synapses laid out for execution: K synapses from `n_pre` neurons onto `n_post` neurons.

    A cell writes its equation once, in terms of these operations, and any layout runs it. A value "per
    synapse" has whatever shape the layout likes; only these operations look inside.

    ====================  ========================================  ==================================
    operation             from                                      to
    ====================  ========================================  ==================================
    ``spread(w)``         (K,) parameter vector, in plan order      per synapse
    ``gather(v)``         (B, n_pre) values of neurons              per synapse, presynaptic value
    ``reduce(a)``         per synapse                               (B, n_post) sum onto each neuron
    ``sums(f, v, *p)``    f, (..., n_pre), spread parameters        (..., n_post) per current of f
    ``weights(w)``        (K,) weight vector, in plan order         what ``matmul`` takes
    ``matmul(x, w)``      (..., n_pre) and weights                  (..., n_post), ``x @ w``
    ====================  ========================================  ==================================

    ``sums`` is ``gather``, then f, then ``reduce``, in parts that bound the memory of what lies between.

    Example:
        >>> s = compiled.recurrent
        >>> current, = s.sums(lambda v, w: (w * mx.sigmoid(v),), v, s.spread(w))      # (B, N)
    """

    name: str

    def __init__(self, synapses: Synapses) -> None:
        self.synapses = synapses

    @property
    @abstractmethod
    def size(self) -> int:
        """How many values one sample has per synapse, padding included."""

    @abstractmethod
    def spread(self, w: mx.array) -> mx.array:
        """A parameter vector (K,) as a value per synapse."""

    def weights(self, w: mx.array) -> mx.array:
        """A weight vector (K,) in the form that `matmul` takes."""
        return self.spread(w)

    @abstractmethod
    def gather(self, v: mx.array) -> mx.array:
        """The presynaptic value of every synapse, from (B, n_pre)."""

    @abstractmethod
    def reduce(self, a: mx.array) -> mx.array:
        """The sum over the synapses onto each neuron, (B, n_post)."""

    def matmul(self, x: mx.array, w: mx.array) -> mx.array:
        """``x @ w`` over the synapses only: (..., n_pre) and `weights` to (..., n_post).

        NaN and infinities reach the neurons that have a synapse from them, and no other; so do those of
        gradients, backwards.
        """
        rows = flat_batch(x)
        shape = (*x.shape[:-1], self.synapses.n_post)
        if not len(rows):
            return mx.zeros(shape, mx.result_type(x, w))
        if self.no_gaps:
            return self._product(rows, w).reshape(shape)
        return selected(self._product, rows, w, self._mask_weights).reshape(shape)

    @abstractmethod
    def _product(self, x: mx.array, w: mx.array) -> mx.array:
        """(B, n_post) from (B, n_pre) and `weights`, whose zeros are taken for weights, too."""

    @property
    def no_gaps(self) -> bool:
        """Whether there is a synapse wherever this layout computes one."""
        return len(self.synapses) == self.synapses.n_pre * self.synapses.n_post

    @cached_property
    def _mask_weights(self) -> mx.array:
        return self.weights(mx.ones((len(self.synapses),)))

    @abstractmethod
    def onto(self, start: int, stop: int) -> Projection:
        """The same layout for only the synapses onto the neurons ``start:stop``."""

    def sums(self, currents: Currents, v: mx.array, *parameters: mx.array) -> tuple[mx.array, ...]:
        """The currents onto each neuron, summed over its synapses.

        Args:
            currents: from the presynaptic value and the parameters, all per synapse, to a tuple of values per
                synapse; an elementwise function.
            v: (..., n_pre) values of the presynaptic neurons.
            parameters: values that `spread` gave.

        Returns:
            As many arrays (..., n_post) as `currents` returned.
        """
        rows = flat_batch(v)
        found = self._sums(currents, rows if len(rows) else mx.zeros((1, v.shape[-1])), parameters)
        if not len(rows):
            found = tuple(sums[:0] for sums in found)
        return tuple(sums.reshape(*v.shape[:-1], self.synapses.n_post) for sums in found)

    def _sums(
        self, currents: Currents, v: mx.array, parameters: tuple[mx.array, ...]
    ) -> tuple[mx.array, ...]:
        """`sums` for (B, n_pre), in parts of the batch."""
        at_once = max(1, PART // max(1, self.size))
        parts = []
        for start in range(0, v.shape[0], at_once):
            per_synapse = currents(self.gather(v[start : start + at_once]), *parameters)
            parts.append([self.reduce(a) for a in per_synapse])
        if len(parts) == 1:
            return tuple(parts[0])
        return tuple(mx.concatenate(list(sums)) for sums in zip(*parts, strict=True))

    @cached_property
    def by_post(self) -> tuple[Permutation, Segments]:
        """The synapses as segments of rows by postsynaptic neuron, and the way to them from plan order."""
        segments, order = Segments.of(self.synapses.post, self.synapses.n_post)
        return Permutation.of(order), segments

    @property
    def mask(self) -> mx.array:
        """(n_pre, n_post) float32: 1 where there is a synapse pre -> post, else 0."""
        return self._matrix(np.ones(len(self.synapses), np.float32))

    @property
    def polarity(self) -> mx.array:
        """(n_pre, n_post) float32: +1 excitatory, -1 inhibitory, 0 where there is no synapse."""
        return self._matrix(self.synapses.polarity)

    def _matrix(self, values: NDArray[np.generic]) -> mx.array:
        s = self.synapses
        what = f"a dense mask of {s.n_pre} x {s.n_post} neurons"
        refuse_large(s.n_pre * s.n_post, what, "the index arrays in .synapses")
        matrix = np.zeros((s.n_pre, s.n_post), np.float32)
        matrix[s.pre, s.post] = values
        return mx.array(matrix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.synapses!r})"


def refuse_large(entries: int, what: str, instead: str) -> None:
    """Raise LayoutError if arrays of so many entries would be beyond the limit."""
    needed = 4 * entries
    if needed > LIMIT:
        raise LayoutError(
            f"{what} takes {human_bytes(needed)} per weight, beyond the limit of {human_bytes(LIMIT)}: "
            f"use {instead}"
        )


def flat_batch(v: mx.array) -> mx.array:
    """(B, n) from (..., n)."""
    return v.reshape(math.prod(v.shape[:-1]), v.shape[-1])
