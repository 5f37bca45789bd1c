"""Sums over synapses in plain MLX operations, and the values of expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias

import mlx.core as mx

from ...compile import CompiledCircuit
from ...compile.layouts import Projection
from ...compile.layouts.dense import DenseProjection
from ...compile.layouts.edge import EdgeProjection
from ...compile.layouts.segments import PLAIN
from .algebra import separated
from .delays import Delays
from .expression import SOURCES, SYNAPTIC, Expression, in_order, name, symbols
from .folding import Folded, folded
from .functions import FUNCTIONS
from .model import Total

Known: TypeAlias = "dict[Expression, Any]"
Sum: TypeAlias = "Callable[[Callable[[Expression], Any]], list[mx.array]]"
LARGEST = 1 << 22
"""Above so many pairs of a source at a time and a neuron, synapses with delays are no dense matrix."""


def evaluate(wanted: Iterable[Expression], known: Known) -> list[Any]:
    """The values of expressions, from those of names; every part that they share is computed once."""

    def value(part: Expression) -> Any:
        if part not in known:
            known[part] = part.number if part.op == "number" else computed(part, map(value, part.inputs))
        return known[part]

    return [value(part) for part in wanted]


def computed(part: Expression, inputs: Iterable[Any]) -> Any:
    """One operation, of arrays and numbers."""
    values = list(inputs)
    if part.op in ("+", "*"):
        found = values[0]
        for other in values[1:]:
            found = found + other if part.op == "+" else found * other
        return found
    if part.op == "/":
        return values[0] / values[1]
    if callable(part.value):
        return part.value(*map(as_array, values))
    return FUNCTIONS[part.op].mlx(*map(as_array, values))


def as_array(value: Any) -> mx.array:
    """A number as an array; an array as it is."""
    return value if isinstance(value, mx.array) else mx.array(value, mx.float32)


def sums_of(
    compiled: CompiledCircuit,
    kind: str,
    totals: list[Total],
    p: Mapping[str, mx.array],
    delays: Delays | None,
) -> dict[str, tuple[Sum, tuple[str, ...]]]:
    """For each sum over the synapses of a kind, what computes it, and the names of all that this computes."""
    projection = _projection(compiled, kind)
    if projection is None:
        return {total.name: (_nothing, (total.name,)) for total in totals}
    if delays is not None and delays.of(kind) is not None:
        synapses = delays.delayed(kind, projection.synapses)
        small = PLAIN.get() or synapses.n_pre * synapses.n_post <= LARGEST
        dense = projection.name == "dense" and small
        projection = DenseProjection(synapses) if dense else EdgeProjection(synapses)
    values = {name(kind, key): _of_links(compiled, kind, p[key]) for key in _named(totals, kind)}
    return _sums(projection, totals, values)


def _projection(compiled: CompiledCircuit, kind: str) -> Projection | None:
    if kind == "electrical":
        return None if compiled.electrical is None else compiled.electrical.projection
    return compiled.recurrent if kind == "recurrent" else compiled.sensory


def _of_links(compiled: CompiledCircuit, kind: str, value: mx.array) -> mx.array:
    """A parameter per synapse; electrical ones are two links each."""
    coupling = compiled.electrical
    return coupling.both_ways(value) if kind == "electrical" and coupling is not None else value


def _named(totals: list[Total], kind: str) -> list[str]:
    return symbols([total.of for total in totals], kind)


def _nothing(_: Any) -> list[Any]:
    return [0.0]


def _sums(
    projection: Projection, totals: list[Total], values: Mapping[Expression, mx.array]
) -> dict[str, tuple[Sum, tuple[str, ...]]]:
    """What computes each sum: a product with weights where that is all, else synapse by synapse."""
    found: dict[str, tuple[Sum, tuple[str, ...]]] = {}
    others: dict[tuple[str, ...], list[Total]] = {}
    for total in totals:
        products = separated(total.of, SYNAPTIC, SOURCES)
        if products is not None and len(products) <= 2:
            found[total.name] = (_products(projection, products, dict(values)), (total.name,))
        else:
            others.setdefault(tuple(symbols([total.of], *SOURCES)), []).append(total)
    for read, group in others.items():
        together = tuple(total.name for total in group)
        compute = _each(projection, [total.of for total in group], read, dict(values))
        found |= {total.name: (compute, together) for total in group}
    return found


def _at_sources(projection: Projection, shown: Any) -> mx.array:
    """What sources show; a number is what each of them does."""
    value = as_array(shown)
    return value if value.ndim else mx.full((1, projection.synapses.n_pre), value)


def _products(projection: Projection, products: list[tuple[Expression, Expression]], values: Known) -> Sum:
    """A sum of products of what is of parameters and what is of sources."""
    count = len(projection.synapses)
    weights = [
        projection.weights(mx.broadcast_to(as_array(weight), (count,)))
        for weight in evaluate([w for w, _ in products], values)
    ]

    def compute(weights: list[mx.array], value: Callable[[Expression], Any]) -> list[mx.array]:
        total = None
        for (_, of), weight in zip(products, weights, strict=True):
            part = projection.matmul(_at_sources(projection, value(of)), weight)
            total = part if total is None else total + part
        return [mx.zeros((1, projection.synapses.n_post)) if total is None else total]

    return partial(compute, weights)  # where exports find what parameters come to


def _each(projection: Projection, of: list[Expression], read: tuple[str, ...], values: Known) -> Sum:
    """Sums of whatever each synapse brings."""
    kind = next(iter(frozenset().union(*(e.kinds for e in of)) & SYNAPTIC), "recurrent")
    parts = folded(of, kind)
    spread = [projection.spread(value) for value in evaluate(parts.parts, values)]
    folds = [Folded.symbol(k) for k in range(len(spread))]
    names = [part for part in in_order(parts.of) if part.op == "name" and part.symbol.kind in SOURCES]

    def currents(shown: list[mx.array], given: Iterable[mx.array]) -> tuple[mx.array, ...]:
        known: Known = dict(zip(folds, given, strict=True)) | dict(zip(names, shown, strict=True))
        return tuple(evaluate(parts.of, known))

    def compute(spread: list[mx.array], value: Callable[[Expression], Any]) -> list[mx.array]:
        shown = [_at_sources(projection, value(part)) for part in names]
        if len(names) == 1:
            return list(projection.sums(lambda v, *given: currents([v], given), shown[0], *spread))
        return [projection.reduce(a) for a in currents([projection.gather(v) for v in shown], spread)]

    return partial(compute, spread)
