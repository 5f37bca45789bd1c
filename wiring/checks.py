"""What is wrong with a circuit: every problem at once, for any digraph, in linear time."""

from __future__ import annotations

import html
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx

from .attributes import meant, strange
from .bulk import data_of, names_of, targets_of
from .electrical import gaps_of, is_electrical, problems_of, unknown_kinds
from .roles import ROLES, is_polarity, is_role, label, require_digraph, synapse_label, text_of, with_role


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a circuit; `str(problem)` is a line to read.

    Attributes:
        severity: "error" if the circuit cannot be compiled, "warning" if part of it is useless.
        kind: what is wrong, in one of the words listed at `check`.
        message: a sentence that names the neuron or synapse, what it has and what was expected.
        neuron: the neuron at fault, as it is in the graph, or None.
        synapse: the synapse at fault as (pre, post), or None.
    """

    severity: Literal["error", "warning"]
    kind: str
    message: str
    neuron: Hashable | None = None
    synapse: tuple[Hashable, Hashable] | None = None

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


class Problems(list[Problem]):
    """Problems in a list, which a notebook shows as lines, and says where there is none."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p>No problem was found.</p>"
        return f"<ul>{''.join(f'<li>{html.escape(str(problem))}</li>' for problem in self)}</ul>"


def check(circuit: nx.DiGraph[Any]) -> Problems:
    """Every problem of a circuit, errors first; an empty list if it is sound.

    Errors, by kind:

    - `no-neurons`: the circuit is empty.
    - `no-motor`: no neuron is an output.
    - `role`: a neuron has no role or an unknown one.
    - `name`: a neuron's `str()` fails or is empty.
    - `duplicate-name`: two neurons have the same `str()`.
    - `polarity`: a synapse's polarity is missing or neither +1 nor -1.
    - `kind`: a synapse's kind is neither "chemical" nor "electrical".
    - `onto-sensory`: a synapse ends on a sensory neuron.
    - `electrical`: an electrical synapse of a sensory neuron, of a neuron with itself, or of no strength.

    Warnings, by kind:

    - `no-sensory`: no neuron is an input.
    - `unreached`: no path leads from a sensory neuron to this neuron.
    - `dead-end`: no path leads from this neuron to a motor neuron.
    - `attribute`: an attribute that means a number, such as `weight`, is none, or a negative one where
      that means nothing; or its name is nearly that of one with a meaning, as `wieght`.
    - `alike`: two names differ by blanks only.

    Without sensory (motor) neurons all neurons are unreached (dead ends); that is said once, not for each.

    Args:
        circuit: any `networkx.DiGraph`, of whatever names and attributes.

    Raises:
        TypeError: `circuit` is not a directed networkx graph, or has parallel edges.

    Example:
        >>> for problem in gl.check(circuit):
        ...     print(problem)
    """
    found = errors_of(circuit)
    return Problems([*found, *_attributes(circuit), *_paths(circuit)] if len(circuit) else found)


def errors_of(circuit: nx.DiGraph[Any]) -> list[Problem]:
    """The errors alone, which take a tenth of the time: warnings follow every path.

    Raises:
        TypeError: `circuit` is not a directed networkx graph, or has parallel edges.
    """
    require_digraph(circuit, "check()")
    if len(circuit) == 0:
        return [Problem("error", "no-neurons", "the circuit has no neurons")]
    return [
        *_roles(circuit),
        *_names(circuit),
        *_synapses(circuit),
        *(Problem("error", "kind", message, synapse=pair) for message, pair in unknown_kinds(circuit)),
        *(Problem("error", "electrical", message, synapse=pair) for message, pair in problems_of(circuit)),
    ]


def reached_from(graph: nx.DiGraph[Any], sources: Iterable[Hashable]) -> dict[Hashable, int]:
    """Every neuron that `sources` reach, with the least number of synapses to it: 0 for the sources.

    Electrical synapses lead both ways.
    """
    back = [(gap.post, gap.pre) for gap in gaps_of(graph)]
    if back:
        graph = nx.DiGraph(graph.edges)
        graph.add_edges_from(back)
        sources = list(sources)
        graph.add_nodes_from(sources)
    found = dict.fromkeys(sources, 0)
    layer, places, targets = list(found), {name: k for k, name in enumerate(graph)}, targets_of(graph)
    while layer:
        distance = found[layer[0]] + 1
        following = []
        for pre in layer:
            for post in targets[places[pre]]:
                if post not in found:
                    found[post] = distance
                    following.append(post)
        layer = following
    return found


def unreached(graph: nx.DiGraph[Any]) -> list[Hashable]:
    """The neurons to which no path leads from a sensory neuron, in the order of the graph."""
    reached = reached_from(graph, with_role(graph, "sensory"))
    return [name for name in graph if name not in reached]


def dead_ends(graph: nx.DiGraph[Any]) -> list[Hashable]:
    """The neurons from which no path leads to a motor neuron, in the order of the graph."""
    reaching = reached_from(graph.reverse(copy=False), with_role(graph, "motor"))
    return [name for name in graph if name not in reaching]


def _roles(graph: nx.DiGraph[Any]) -> Iterator[Problem]:
    expected = f"expected one of {', '.join(ROLES)}"
    if not with_role(graph, "motor"):
        yield Problem("error", "no-motor", "the circuit has no motor neuron, so it has no outputs")
    for name, data in graph.nodes(data=True):
        if "role" not in data:
            yield Problem("error", "role", f"neuron {label(name)} has no role; {expected}", name)
        elif not is_role(data["role"]):
            message = f"neuron {label(name)} has role {label(data['role'])}; {expected}"
            yield Problem("error", "role", message, name)


def _names(graph: nx.DiGraph[Any]) -> Iterator[Problem]:
    first: dict[str, Hashable] = {}
    for name in graph:
        text = text_of(name)
        if text is None:
            message = f"neuron {label(name)} has a name whose str() fails or is empty"
            yield Problem("error", "name", message, name)
        elif text in first:
            message = (
                f"neurons {label(first[text])} ({type(first[text]).__name__}) and {label(name)} "
                f"({type(name).__name__}) have the same name {text!r}"
            )
            yield Problem("error", "duplicate-name", message, name)
        else:
            first[text] = name


def _synapses(graph: nx.DiGraph[Any]) -> Iterator[Problem]:
    sensory = set(with_role(graph, "sensory"))
    if _sound(graph, sensory):
        return
    for pre, post, data in graph.edges(data=True):
        if "polarity" not in data:
            message = f"{synapse_label(pre, post)} has no polarity; expected +1 or -1"
            yield Problem("error", "polarity", message, synapse=(pre, post))
        elif not is_polarity(data["polarity"]):
            message = f"{synapse_label(pre, post)} has polarity {label(data['polarity'])}; expected +1 or -1"
            yield Problem("error", "polarity", message, synapse=(pre, post))
        if post in sensory and not is_electrical(data):
            message = f"{synapse_label(pre, post)} ends on a sensory neuron; sensory neurons are inputs"
            yield Problem("error", "onto-sensory", message, synapse=(pre, post))


def _sound(graph: nx.DiGraph[Any], sensory: set[Hashable]) -> bool:
    """Whether a look at all synapses at once finds nothing that could be wrong with one."""
    data = data_of(graph)
    signs = [held.get("polarity") for held in data]
    return set(map(type, signs)) <= {int} and set(signs) <= {1, -1} and not any(map(graph.in_degree, sensory))


def _attributes(graph: nx.DiGraph[Any]) -> Iterator[Problem]:
    for name, data in graph.nodes(data=True):
        for key, value, expected in strange("neuron", data):
            message = f"neuron {label(name)} has {key} {label(value)}; expected {expected}"
            yield Problem("warning", "attribute", message, name)
    names = names_of(data_of(graph))
    numbers = names - {"polarity"}
    for pre, post, data in graph.edges(data=True) if numbers else ():
        for key, value, expected in strange("synapse", data):
            message = f"{synapse_label(pre, post)} has {key} {label(value)}; expected {expected}"
            yield Problem("warning", "attribute", message, synapse=(pre, post))
    yield from _misspelt(graph, names)
    tidied: dict[str, Hashable] = {}
    for name in graph:
        if isinstance(name, str):
            other = tidied.setdefault(" ".join(name.split()), name)
            if other != name:
                message = f"the names {label(other)} and {label(name)} differ by blanks only"
                yield Problem("warning", "alike", message, name)


def _misspelt(graph: nx.DiGraph[Any], of_synapses: set[str]) -> Iterator[Problem]:
    """Names of attributes that mean nothing and are nearly names that do, each once."""
    of_neurons = set().union(*graph.nodes.values())
    for key in sorted(key for key in of_neurons if meant("neuron", key)):
        name = next(name for name, data in graph.nodes(data=True) if key in data)
        message = f"neuron {label(name)} has the attribute {key!r}, which means nothing{meant('neuron', key)}"
        yield Problem("warning", "attribute", message, name)
    for key in sorted(key for key in of_synapses if meant("synapse", key)):
        pre, post = next((pre, post) for pre, post, data in graph.edges(data=True) if key in data)
        of = synapse_label(pre, post)
        message = f"{of} has the attribute {key!r}, which means nothing{meant('synapse', key)}"
        yield Problem("warning", "attribute", message, synapse=(pre, post))


def _paths(graph: nx.DiGraph[Any]) -> Iterator[Problem]:
    if not with_role(graph, "sensory"):
        yield Problem("warning", "no-sensory", "the circuit has no sensory neuron, so it has no inputs")
    else:
        for name in unreached(graph):
            message = f"no path leads from a sensory neuron to neuron {label(name)}"
            yield Problem("warning", "unreached", message, name)
    if with_role(graph, "motor"):
        for name in dead_ends(graph):
            message = f"no path leads from neuron {label(name)} to a motor neuron"
            yield Problem("warning", "dead-end", message, name)
