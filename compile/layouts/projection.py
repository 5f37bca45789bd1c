"""What every layout offers to a cell: four operations over the synapses of one population pair."""

from __future__ import annotations

from abc import ABC, abstractmethod

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..synapses import Synapses


class Projection(ABC):
    """Synapses laid out for execution: K synapses from `n_pre` neurons onto `n_post` neurons.

    A cell writes its equation once, in terms of four operations, and any layout runs it. A value "per
    synapse" has whatever shape the layout likes; only these operations look inside.

    ==============  =======================================  ==================================
    operation       from                                     to
    ==============  =======================================  ==================================
    ``spread(w)``   (K,) parameter vector, in plan order     per synapse
    ``gather(v)``   (..., n_pre) values of neurons           per synapse, presynaptic value
    ``reduce(a)``   per synapse                              (..., n_post) sum onto each neuron
    ``matmul``      (..., n_pre) and a spread parameter      (..., n_post), ``x @ w``
    ==============  =======================================  ==================================

    Example:
        >>> s = compiled.recurrent
        >>> current = s.reduce(s.spread(w) * mx.sigmoid(s.gather(v)))      # (B, N)
    """

    name: str

    def __init__(self, synapses: Synapses) -> None:
        self.synapses = synapses

    @abstractmethod
    def spread(self, w: mx.array) -> mx.array:
        """A parameter vector (K,) as a value per synapse."""

    @abstractmethod
    def gather(self, v: mx.array) -> mx.array:
        """The presynaptic value of every synapse, from (..., n_pre)."""

    @abstractmethod
    def reduce(self, a: mx.array) -> mx.array:
        """The sum over the synapses onto each neuron, (..., n_post)."""

    @abstractmethod
    def matmul(self, x: mx.array, w: mx.array) -> mx.array:
        """``x @ w`` over the synapses only: (..., n_pre) with a spread parameter to (..., n_post)."""

    @abstractmethod
    def onto(self, start: int, stop: int) -> Projection:
        """The same layout for only the synapses onto the neurons ``start:stop``."""

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
        matrix = np.zeros((s.n_pre, s.n_post), np.float32)
        matrix[s.pre, s.post] = values
        return mx.array(matrix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.synapses!r})"
