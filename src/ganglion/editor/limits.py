"""How much a page may ask for: a message must not make a circuit that fills the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx

from ..errors import CircuitError
from ..wiring.edits import Add, Batch, Connect, Edit, Generate, Redraw, Set
from ..wiring.projections import population, projections

LIMITS = {"frame": 8 * 2**20, "neurons": 20_000, "synapses": 500_000}
"""Bytes of one message, and the size of a circuit that a page can make."""
RATE = 500
"""Messages per second, on average over a second."""


def require_small(circuit: nx.DiGraph[Any], edit: Edit) -> None:
    """Refuse an edit that could make the circuit larger than `LIMITS`, before anything is drawn.

    Raises:
        CircuitError: it could.
    """
    neurons, synapses = _most(circuit, edit, _Before())
    for what, held, more in (
        ("neurons", len(circuit), neurons),
        ("synapses", circuit.number_of_edges(), synapses),
    ):
        if more and held + more > LIMITS[what]:
            raise CircuitError(
                f"the circuit could get {held + more:,} {what}; a page can make {LIMITS[what]:,} at most"
            )


@dataclass
class _Before:
    """What the edits of a batch that come before one may have done.

    Attributes:
        added: how many neurons they add.
        moved: how many neurons they may put into other groups.
        projections: whether they may change the projections.
    """

    added: int = 0
    moved: int = 0
    projections: bool = False


def _most(circuit: nx.DiGraph[Any], edit: Edit, before: _Before) -> tuple[int, int]:
    """How many neurons and synapses an edit may add."""
    neurons, synapses = 0, 0
    if isinstance(edit, Batch):
        counts = [_most(circuit, part, before) for part in edit.edits]
        return sum(n for n, _ in counts), sum(s for _, s in counts)
    if isinstance(edit, Add):
        neurons, synapses = len(edit.neurons), len(edit.synapses)
    elif isinstance(edit, Set):
        before.moved += len(edit.neurons)
        before.projections |= bool(edit.circuit)
    elif isinstance(edit, Generate):
        neurons, synapses = _generated(edit.generator, dict(edit.arguments or {}))
    elif isinstance(edit, Connect):
        synapses = _drawn(circuit, edit.pre, edit.post, edit.rule, edit.to_json(), before)
        before.projections |= edit.projection is not None
    elif isinstance(edit, Redraw) and not edit.remove:
        synapses = _redrawn(circuit, edit, before)
    before.added += neurons
    return neurons, synapses


def _redrawn(circuit: nx.DiGraph[Any], edit: Redraw, before: _Before) -> int:
    """At most how many synapses a projection gets; it may be one of the same batch."""
    if before.projections:
        return (len(circuit) + before.added) ** 2
    held = projections(circuit).get(edit.name)
    data = {**(held.to_json() if held else {}), **(edit.fields or {})}
    sides = [data.get(side, ()) for side in ("pre", "post")]
    return _drawn(circuit, sides[0], sides[1], data.get("rule"), data, before)


def _generated(generator: str, arguments: dict[str, Any]) -> tuple[int, int]:
    """All whole numbers of a generator together, seed aside, are at least its neurons."""
    neurons = sum(sum(_numbers(value)) for key, value in arguments.items() if key != "seed")
    share = 1 - _share(arguments.get("sparsity", 0.0))
    return neurons, int(neurons**2 * share * (1 if generator in ("fully_connected", "random") else 0.25))


def _numbers(value: Any) -> list[int]:
    if isinstance(value, list):
        return [number for part in value for number in _numbers(part)]
    return [value] if type(value) is int and value > 0 else []


def _drawn(
    circuit: nx.DiGraph[Any], pre: Any, post: Any, rule: Any, data: dict[str, Any], before: _Before
) -> int:
    """At most how many synapses a rule draws."""
    try:
        n_pre, n_post = _members(circuit, pre, before), _members(circuit, post, before)
    except (CircuitError, TypeError):
        return 0  # it will be refused for that
    counts = {
        "all_to_all": n_pre * n_post,
        "one_to_one": n_post,
        "fixed_indegree": _count(data.get("indegree")) * n_post,
        "fixed_outdegree": _count(data.get("outdegree")) * n_pre,
        "pairwise_bernoulli": int(n_pre * n_post * min(1.0, _share(data.get("p")))),
        "fixed_total_number": _count(data.get("total")),
    }
    return min(counts.get(rule, 0), n_pre * n_post)


def _members(circuit: nx.DiGraph[Any], group: Any, before: _Before) -> int:
    """At most how many neurons a group has when its turn comes; a list says it, whoever adds them."""
    if not isinstance(group, str):
        return len(group)
    return len(population(circuit, group)) + before.added + before.moved


def _count(value: Any) -> int:
    return value if type(value) is int else 0


def _share(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value == value else 0.0
