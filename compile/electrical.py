"""Electrical synapses of a plan in a layout: the currents between neurons, which go both ways."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from ..arguments import counted
from ..errors import CircuitError
from .layouts import Projection, lay_out
from .layouts.segments import indices, linear, pick
from .plan import Plan
from .synapses import Synapses


@dataclass(frozen=True, eq=False)
class Coupling:
    """L electrical synapses as 2 L directed links, each with the conductance of its pair.

    Attributes:
        projection: the links, laid out.
        pair: (2 L,) the pair of each link.
        ends: (2, L) the two links of each pair.
    """

    projection: Projection
    pair: mx.array
    ends: mx.array

    @classmethod
    def of(cls, pairs: Synapses, layout: str = "edge") -> Coupling:
        """The coupling of pairs, each of which is given once."""
        pre, post = np.concatenate([pairs.pre, pairs.post]), np.concatenate([pairs.post, pairs.pre])
        order = Synapses.order(pre, post, pairs.n_pre)
        links = Synapses(pre[order], post[order], np.ones(len(order), np.int8), pairs.n_pre, pairs.n_post)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return cls(lay_out(links, layout), indices(order % max(len(pairs), 1)), indices(place.reshape(2, -1)))

    def both_ways(self, g: mx.array) -> mx.array:
        """(2 L,) the conductance of each link, from (L,) of the pairs."""
        first, second = self.ends
        return linear(lambda v: pick(v, self.pair), lambda c: pick(c, first) + pick(c, second), g)

    def weights(self, g: mx.array) -> mx.array:
        """(L,) conductances in the form that `inflow` and `load` take."""
        return self.projection.weights(self.both_ways(g))

    def inflow(self, v: mx.array, weights: mx.array) -> mx.array:
        """sum_k g_jk v_k for every neuron j, from (..., N) potentials."""
        return self.projection.matmul(v, weights)

    def load(self, weights: mx.array) -> mx.array:
        """(1, N) sum_k g_jk: the conductance of all electrical synapses of each neuron."""
        return self.projection.matmul(mx.ones((1, self.projection.synapses.n_pre)), weights)


def refuse_electrical(plan: Plan, name: str) -> None:
    """Raise CircuitError for what would leave the electrical synapses of a circuit out."""
    if len(plan.electrical):
        raise CircuitError(
            f"the circuit has {counted(len(plan.electrical), 'electrical synapse')}, and a {name} has none: "
            "gl.LTC runs them; gl.circuit_from(circuit, electrical='synapses') makes excitatory synapses of "
            "them, and 'drop' leaves them out"
        )
