"""A circuit in words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import networkx as nx

from .. import shown
from ..arguments import counted
from .checks import dead_ends, reached_from, unreached
from .electrical import chemical_of, drawn_sign, pairs_of
from .roles import ROLES, is_polarity, is_role, label, require_digraph, text_of, with_role

NO_ROLE = "no role"


@dataclass(frozen=True)
class Pathway:
    """All synapses from the neurons of one role to those of another.

    Attributes:
        pre, post: the two roles.
        synapses: how many chemical ones there are, those without a legal polarity included.
        excitatory, inhibitory: how many have polarity +1 and -1.
        density: synapses divided by the number of (pre, post) pairs.
    """

    pre: str
    post: str
    synapses: int
    excitatory: int
    inhibitory: int
    density: float

    def __str__(self) -> str:
        return f"{_signs(self)}, density {self.density:.1%}"


@dataclass(frozen=True)
class Degrees:
    """Least, mean and greatest number of chemical synapses per neuron."""

    least: int
    mean: float
    greatest: int

    def __str__(self) -> str:
        return f"{self.least} to {self.greatest}, {self.mean:.1f} on average"


@dataclass(frozen=True, repr=False)
class Summary:
    """What `summary(circuit)` counts; printed, it is a page to read.

    Attributes:
        name: the name of the graph, or "".
        neurons: number of neurons of each role.
        pathways: the pairs of roles that synapses connect, from the inputs to the outputs.
        synapses, excitatory, inhibitory, self_synapses: numbers of chemical synapses.
        electrical: pairs of neurons that electrical synapses join; they have neither sign nor direction, and
            are no part of the other numbers, depth and paths apart.
        sensory_density: sensory synapses divided by I * N.
        recurrent_density: recurrent synapses divided by N * N.
        in_degree: synapses onto a neuron with state; None without such neurons.
        out_degree: synapses from a neuron; None without neurons.
        depth: least and greatest distance of a motor neuron from the sensory neurons, in synapses along the
            shortest path; None if none is reached.
        unreached: neurons to which no path leads from a sensory neuron.
        dead_ends: neurons from which no path leads to a motor neuron.
    """

    name: str
    neurons: dict[str, int]
    pathways: tuple[Pathway, ...]
    synapses: int
    excitatory: int
    inhibitory: int
    self_synapses: int
    sensory_density: float
    recurrent_density: float
    in_degree: Degrees | None
    out_degree: Degrees | None
    depth: tuple[int, int] | None
    unreached: tuple[Hashable, ...]
    dead_ends: tuple[Hashable, ...]
    electrical: int = 0

    def _rows(self) -> list[tuple[str, str]]:
        of_roles = ", ".join(f"{count} {role}" for role, count in self.neurons.items())
        return [
            ("neurons", f"{sum(self.neurons.values())} ({of_roles})"),
            ("synapses", _signs(self)),
            *((f"  {path.pre} -> {path.post}", str(path)) for path in self.pathways),
            *([("electrical", counted(self.electrical, "pair"))] if self.electrical else []),
            ("self-synapses", str(self.self_synapses)),
            ("density", f"sensory {self.sensory_density:.1%}, recurrent {self.recurrent_density:.1%}"),
            ("in-degree", f"{self.in_degree} (neurons with state)" if self.in_degree else "none"),
            ("out-degree", f"{self.out_degree}" if self.out_degree else "none"),
            ("depth", _depth_in_words(self.depth)),
            ("unreached", _names(self.unreached)),
            ("dead ends", _names(self.dead_ends)),
        ]

    @property
    def _title(self) -> str:
        return f"Circuit {self.name!r}" if self.name else "Circuit"

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(head) for head, _ in rows)
        return "\n".join([self._title, *(f"  {head:<{width}}  {text}" for head, text in rows)])

    def _repr_html_(self) -> str:
        return shown.table(self._title, self._rows())


def summary(circuit: nx.DiGraph[Any]) -> Summary:
    """The circuit in words and numbers.

    Works on any digraph, sound or not; a neuron without legal role is counted under "no role".

    Args:
        circuit: any `networkx.DiGraph`.

    Raises:
        TypeError: `circuit` is not a directed networkx graph, or has parallel edges.

    Example:
        >>> print(summary(circuit))
        >>> summary(circuit).neurons["command"]
    """
    require_digraph(circuit, "summary()")
    joined = pairs_of(circuit)
    chemical = chemical_of(circuit) if joined else circuit
    role_of = {
        name: data["role"] if is_role(data.get("role")) else NO_ROLE
        for name, data in circuit.nodes(data=True)
    }
    present = Counter(role_of.values())
    neurons = {role: present[role] for role in (*ROLES, NO_ROLE) if role in ROLES or present[role]}
    pathways = _pathways(chemical, role_of, neurons)
    with_state = [name for name, role in role_of.items() if role != "sensory"]
    sensory = sum(path.synapses for path in pathways if path.pre == "sensory" != path.post)
    recurrent = sum(path.synapses for path in pathways if "sensory" not in (path.pre, path.post))
    distances = reached_from(circuit, with_role(circuit, "sensory"))
    depths = [distances[name] for name in with_role(circuit, "motor") if name in distances]
    return Summary(
        name=text_of(circuit.name) or "",
        neurons=neurons,
        pathways=pathways,
        synapses=chemical.number_of_edges(),
        excitatory=sum(path.excitatory for path in pathways),
        inhibitory=sum(path.inhibitory for path in pathways),
        self_synapses=sum(chemical.has_edge(name, name) for name in chemical),
        sensory_density=_share(sensory, neurons["sensory"] * len(with_state)),
        recurrent_density=_share(recurrent, len(with_state) ** 2),
        in_degree=_degrees(count for _, count in chemical.in_degree(with_state)),
        out_degree=_degrees(count for _, count in chemical.out_degree()),
        depth=(min(depths), max(depths)) if depths else None,
        unreached=tuple(unreached(circuit)),
        dead_ends=tuple(dead_ends(circuit)),
        electrical=len(joined),
    )


def _pathways(
    circuit: nx.DiGraph[Any], role_of: dict[Hashable, str], neurons: dict[str, int]
) -> tuple[Pathway, ...]:
    signs: Counter[tuple[str, str, int]] = Counter()
    for pre, post, data in circuit.edges(data=True):
        sign: Any = data.get("polarity")
        signs[role_of[pre], role_of[post], int(sign) if is_polarity(sign) else 0] += 1
    found = []
    for pre, post in product(neurons, neurons):
        excitatory, inhibitory, illegal = (signs[pre, post, sign] for sign in (1, -1, 0))
        total = excitatory + inhibitory + illegal
        if total:
            density = _share(total, neurons[pre] * neurons[post])
            found.append(Pathway(pre, post, total, excitatory, inhibitory, density))
    return tuple(found)


def _signs(found: Pathway | Summary) -> str:
    unsigned = found.synapses - found.excitatory - found.inhibitory
    also = f", {unsigned} without legal polarity" if unsigned else ""
    return f"{found.synapses} ({found.excitatory} excitatory, {found.inhibitory} inhibitory{also})"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _degrees(counts: Iterable[int]) -> Degrees | None:
    counts = list(counts)
    return Degrees(min(counts), sum(counts) / len(counts), max(counts)) if counts else None


def _depth_in_words(depth: tuple[int, int] | None) -> str:
    if depth is None:
        return "no sensory neuron reaches a motor neuron"
    least, greatest = depth
    range_ = str(least) if least == greatest else f"{least} to {greatest}"
    return f"{range_} (synapses on the shortest path from a sensory to a motor neuron)"


def _names(names: Sequence[Hashable], shown: int = 5) -> str:
    listed = ", ".join(map(label, names[:shown])) or "none"
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown} more"


def page(circuit: nx.DiGraph[Any]) -> str:
    """The circuit in a notebook: its summary, and a picture of it."""
    index = {name: k for k, name in enumerate(circuit)}
    roles = [str(data.get("role")) for _, data in circuit.nodes(data=True)]
    synapses = [(index[pre], index[post], drawn_sign(data)) for pre, post, data in circuit.edges(data=True)]
    picture = shown.circuit_picture([str(text_of(name)) for name in circuit], roles, synapses)
    return shown.page(summary(circuit)._repr_html_(), picture)
