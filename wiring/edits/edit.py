"""What an edit is: a frozen value that changes a circuit whole or not at all, and gives its inverse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import networkx as nx

from ...errors import CircuitError
from ..files.plain import name_from, plain, plain_name
from ..projections import KEY as PROJECTIONS
from ..projections import read_projections
from ..roles import is_role, label, require_digraph, require_polarity, require_role, synapse_label

if TYPE_CHECKING:
    Graph = nx.DiGraph[Any]
else:
    Graph = nx.DiGraph

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """What an edit did.

    Attributes:
        changes: the primitive edits (`Add`, `Remove`, `Set`, `Rename`) that do the same.
        inverse: the edit that takes it back.
    """

    changes: tuple[Edit, ...]
    inverse: Edit


@dataclass(frozen=True)
class Edit(ABC):
    """One change of a circuit, as a value: `edit.apply(circuit)` returns the edit that takes it back.

    Edits hold what JSON holds: NumPy scalars become numbers, tuples and arrays in attributes become lists.
    They work on any `networkx.DiGraph` of neurons and synapses.

    Raises:
        CircuitError: the edit is malformed, or does not fit the circuit, which stays as it was.
    """

    kind: ClassVar[str] = ""

    @abstractmethod
    def run(self, circuit: Graph) -> Done:
        """Change the circuit, or raise `CircuitError` and change nothing."""

    @abstractmethod
    def __str__(self) -> str:
        """What it does, in a few words for a menu."""

    def apply(self, circuit: Graph) -> Edit:
        """Change the circuit and return the inverse.

        Example:
            >>> inverse = edits.Remove(neurons=["inter_0"]).apply(circuit)
            >>> inverse.apply(circuit)       # the same circuit again, in the same order
        """
        require_digraph(circuit, "apply()")
        return self.run(circuit).inverse

    def to_json(self) -> dict[str, Any]:
        """The edit as an object of JSON; fields at their defaults are left out."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        return {"kind": self.kind} | {
            name: plain(value) for name, value in given.items() if value != defaults[name]
        }

    def _put(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)  # the dataclass is frozen


# Reading the fields of an edit


def entries(owner: str, given: Any) -> list[Any]:
    """A field that is a list."""
    if not isinstance(given, str | dict | bytes):
        with suppress(TypeError, IndexError):  # an array without axes claims to be iterable
            return list(given)
    raise CircuitError(f"{owner} must be a list, got {label(given, 60)}")


def name_of(given: Any) -> Hashable:
    """A neuron's name."""
    name: Hashable = name_from(plain_name(given) if isinstance(given, Hashable) else given)
    return name


def record(owner: str, given: Any, lengths: tuple[int, ...], form: str) -> list[Any]:
    """One entry of a list: a list of one of these lengths."""
    values = entries(owner, given)
    if len(values) not in lengths:
        raise CircuitError(f"{owner} takes {form}, got {label(given, 60)}")
    return values


def key_of(owner: str, key: Any) -> str:
    """The name of an attribute; those that files use themselves are none."""
    if isinstance(key, str) and key and key not in ("id", "source", "target"):
        return key
    raise CircuitError(f"{owner}: {label(key, 60)} is no name for an attribute")


def attribute_of(owner: str, key: str, value: Any) -> Any:
    """The value of an attribute as JSON holds it; what the editor reads itself must be what it expects."""
    try:
        value = plain(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise CircuitError(f"attribute {key!r} of {owner} cannot be kept: {error}") from None
    if key in ("x", "y") and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise CircuitError(f"attribute {key!r} of {owner} must be a number, got {label(value, 60)}")
    if key in ("note", "group", "projection") and not isinstance(value, str):
        raise CircuitError(f"attribute {key!r} of {owner} must be a text, got {label(value, 60)}")
    if key == "group" and (is_role(value) or not value):
        raise CircuitError(f"{owner}: a group cannot be called {value!r}; that is a role or empty")
    if key == PROJECTIONS:
        read_projections(value)
    return value


def attributes_of(owner: str, given: Any, such_as: Attributes) -> Attributes:
    """The attributes of one neuron or synapse."""
    if not isinstance(given, dict):
        raise CircuitError(
            f"the attributes of {owner} must be a dictionary, such as {such_as}, got {label(given, 60)}"
        )
    return {key_of(owner, key): attribute_of(owner, key, value) for key, value in given.items()}


def neuron_attributes(name: Hashable, given: Any) -> Attributes:
    """The attributes of a neuron, with a legal role."""
    attributes = attributes_of(f"neuron {label(name)}", given, {"role": "inter"})
    return attributes | {"role": require_role(attributes.get("role"))}


def synapse_attributes(pre: Hashable, post: Hashable, given: Any) -> Attributes:
    """The attributes of a synapse, with a legal polarity."""
    sign = given if type(given) is int and given in (1, -1) else 1
    attributes = attributes_of(synapse_label(pre, post), given, {"polarity": sign})
    return attributes | {"polarity": require_polarity(attributes.get("polarity"), pre, post)}


def fresh(attributes: Attributes) -> Attributes:
    """A copy that shares nothing that can be changed."""
    return {key: plain(value) for key, value in attributes.items()}
