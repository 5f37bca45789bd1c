"""The circuit in the making: neurons by name and a list of synapses, which each rule of the import
changes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ...errors import CircuitError
from ..files.raw import Attributes, Edge, Node, RawGraph
from ..origin import Origin
from ..roles import label
from ..words import listed, suggestion


@dataclass
class Draft:
    """What the rules work on.

    Attributes:
        raw: what was read; it knows where things stand in the source.
        origin: the report, to which every rule adds.
        neurons: by name, in the order of the source.
        synapses: edges whose ends are names.
        strict: whether a neuron without role or a synapse without polarity is an error.
    """

    raw: RawGraph
    origin: Origin
    strict: bool = True
    neurons: dict[Hashable, Node] = field(default_factory=dict)
    synapses: list[Edge] = field(default_factory=list)

    def node_attributes(self) -> list[str]:
        """The names of all attributes of neurons."""
        return _keys(node.data for node in self.neurons.values())

    def edge_attributes(self) -> list[str]:
        """The names of all attributes of synapses."""
        return _keys(edge.data for edge in self.synapses)

    def require_known(self, argument: str, names: Any) -> None:
        """Refuse names that no neuron has."""
        for name in names:
            if not isinstance(name, Hashable) or name not in self.neurons:
                raise CircuitError(
                    f"{argument}: there is no neuron {label(name)}{suggestion(name, self.neurons)}"
                )

    def no_attribute(self, argument: str, name: Any, known: list[str]) -> CircuitError:
        """The error for an attribute that nothing has."""
        those = f"they are {listed(known, 12)}" if known else "there are none"
        return CircuitError(
            f"{argument}: there is no attribute {label(name)}; {those}{suggestion(name, known)}"
        )


def _keys(attributes: Any) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(attributes)))


def rename_key(data: Attributes, old: str, new: str) -> None:
    """Give an attribute another name, in its place."""
    items = [(new if key == old else key, value) for key, value in data.items() if key == old or key != new]
    data.clear()
    data.update(items)
