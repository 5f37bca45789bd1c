"""Synapses with states of their own in plain MLX operations: a row per synapse, whatever the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import mlx.core as mx
import numpy as np

from ...compile.layouts.dense import DenseProjection
from ...compile.layouts.segments import PLAIN, Links, Permutation
from ...compile.synapses import Index, Synapses
from .expression import HELD, SOURCES, Expression, name

Value = Callable[[Expression], Any]


@dataclass(frozen=True, eq=False)
class Kept:
    """Which synapses are there in a perturbation that cuts some; a state has room for all of them.

    Attributes:
        whole: how many there are without it, by kind.
        only: the numbers of those that are kept, of kinds that lose some.
    """

    whole: Mapping[str, int]
    only: Mapping[str, Index] = field(default_factory=dict)

    def places(self, kind: str) -> Index:
        """Where the synapses of a kind lie in a state."""
        every: Index = np.arange(self.whole[kind], dtype=np.int32)
        return self.only.get(kind, every)

    def cleared(self, kind: str, state: mx.array) -> mx.array:
        """(B, K) in which synapses that are cut are at 0, whatever they were."""
        if kind not in self.only:
            return state
        there = np.zeros(self.whole[kind], bool)
        there[self.only[kind]] = True
        return mx.where(mx.array(there), state, 0.0)


class Products:
    """What `Links` do, by products with ones and zeros: MLX exports them, and no reading by index."""

    def __init__(self, pre: Index, post: Index, n_pre: int, n_post: int) -> None:
        count = len(pre)
        every: Index = np.arange(count, dtype=np.int32)
        signs = np.ones(count, np.int8)
        self._reading = DenseProjection(Synapses(pre, every, signs, n_pre, count))
        self._summing = DenseProjection(Synapses(every, post, signs, count, n_post))
        self._weights = [each.weights(mx.ones((count,))) for each in (self._reading, self._summing)]
        self.order = every

    def take(self, values: mx.array) -> mx.array:
        """(K, B) the source's value for each link, from (n_pre, B)."""
        return self._reading.matmul(values.T, self._weights[0]).T

    def sum(self, rows: mx.array) -> mx.array:
        """(n_post, B) the sum of (K, B) over the links onto each target."""
        return self._summing.matmul(rows.T, self._weights[1]).T


@lru_cache(maxsize=64)
def all_kept(recurrent: int, sensory: int) -> Kept:
    """What a cell has that nothing perturbs; the same for cells of one size, so that they share kernels."""
    return Kept({"recurrent": recurrent, "sensory": sensory})


@dataclass(frozen=True)
class Wires:
    """The synapses of one kind, each with states; values of K synapses are (K, B), in an order of their own.

    Attributes:
        kind: "recurrent" or "sensory".
        sources, neurons: links from the sources of synapses, and from the neurons that they lead to.
        stored: links from where states lie to the synapses that are there, and back; None where that is all.
        order: from the order of the plan to that of the links.
        parameters: of the synapses, (K, 1).
    """

    kind: str
    sources: Links | Products
    neurons: Links | Products
    stored: Links | Products | None
    order: Permutation | None
    parameters: Mapping[Expression, mx.array]

    @classmethod
    def of(cls, kind: str, synapses: Synapses, parameters: Mapping[str, mx.array], kept: Kept) -> Wires:
        """The wires of synapses, with their parameters in the order of the plan."""
        s, plain = synapses, PLAIN.get()
        links = Products if plain else Links.of
        sources = links(s.pre, s.post, s.n_pre, s.n_post)
        neurons = links(s.post, s.post, s.n_post, s.n_post)
        stored = None
        if kind in kept.only:
            stored = links(kept.only[kind], kept.only[kind], *(kept.whole[kind],) * 2)
        order = None if plain else Permutation.of(sources.order)
        own = {name(kind, key): value if order is None else order(value) for key, value in parameters.items()}
        return cls(kind, sources, neurons, stored, order, {part: v[:, None] for part, v in own.items()})

    @property
    def count(self) -> int:
        """K."""
        return len(self.sources.order)

    def entered(self, state: mx.array) -> mx.array:
        """(K, B) from a state in the order of the plan, of all synapses."""
        rows = state.T
        if self.stored is not None:
            rows = self.stored.take(rows)
        return rows if self.order is None else self.order(rows)

    def left(self, rows: mx.array) -> mx.array:
        """The way back; synapses that are cut are at 0."""
        rows = rows if self.order is None else self.order.inverse(rows)
        return (rows if self.stored is None else self.stored.sum(rows)).T

    def summed(self, rows: mx.array) -> mx.array:
        """(B, N) sums over the synapses onto each neuron."""
        return self.sources.sum(rows).T


class AtSynapses:
    """The values of expressions at the synapses of a kind, each computed once.

    Args:
        wires: the synapses.
        source, neuron: what gives values of sources (B, n_pre), and of neurons (B, N).
        states: (K, B) each.
    """

    def __init__(self, wires: Wires, source: Value, neuron: Value, states: Mapping[str, mx.array]) -> None:
        self.wires, self._source, self._neuron = wires, source, neuron
        self._known: dict[Expression, Any] = dict(wires.parameters)
        self._known |= {name(HELD[wires.kind], key): state for key, state in states.items()}
        self._own = frozenset({wires.kind, HELD[wires.kind]})

    def __call__(self, part: Expression, computed: Callable[..., Any]) -> Any:
        """The value of an expression, a number or (K, B); `computed` does an operation."""
        if part not in self._known:
            self._known[part] = self._found(part, computed)
        return self._known[part]

    def _found(self, part: Expression, computed: Callable[..., Any]) -> Any:
        if part.op == "number":
            return part.number
        if part.kinds & self._own or (part.kinds & SOURCES and not part.kinds <= SOURCES):
            return computed(part, [self(inner, computed) for inner in part.inputs])
        value = (self._source if part.kinds <= SOURCES else self._neuron)(part)
        if not isinstance(value, mx.array):
            return value
        rows = (value if value.ndim > 1 else value[None]).T
        rows = rows if PLAIN.get() else mx.contiguous(rows)  # MLX exports none of these
        if part.kinds <= {"span", "step"}:  # one number per row of the batch
            return rows
        return (self.wires.sources if part.kinds <= SOURCES else self.wires.neurons).take(rows)
