"""A circuit while it is written: the rules that all formats share."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import networkx as nx
import numpy as np

from ...errors import CircuitError
from ..bulk import data_of, names_of
from ..roles import label, require_name, require_polarity, require_role, synapse_label
from .raw import Attributes

Neuron = tuple[Hashable, Attributes]
Synapse = tuple[Hashable, Hashable, Attributes]


def neurons_of(circuit: nx.DiGraph[Any], strict: bool = True) -> Iterator[Neuron]:
    """Every neuron with its attributes; a broken circuit's, whatever role they have, if not `strict`.

    Raises:
        CircuitError: a neuron has no legal name or role, or an attribute whose name is no text.
    """
    for name, data in circuit.nodes(data=True):
        require_name(name)
        require_texts(f"neuron {label(name)}", data)
        yield name, {**data, "role": _role(name, data)} if strict else dict(data)


def synapses_of(circuit: nx.DiGraph[Any], strict: bool = True) -> Iterator[Synapse]:
    """Every synapse with its attributes, the polarity as an int; whatever it is, if not `strict`.

    Raises:
        CircuitError: a synapse has no legal polarity, or an attribute whose name is no text.
    """
    told = not all(isinstance(key, str) for key in names_of(data_of(circuit)))
    for pre, post, data in circuit.edges(data=True):
        if told:
            require_texts(synapse_label(pre, post), data)
        yield pre, post, {**data, "polarity": _polarity(pre, post, data)} if strict else dict(data)


def texts_of_names(circuit: nx.DiGraph[Any]) -> dict[Hashable, str]:
    """The name of every neuron as text, for formats that hold no other names.

    Raises:
        CircuitError: two names have the same text.
    """
    texts: dict[Hashable, str] = {}
    owners: dict[str, Hashable] = {}
    for name in circuit:
        text = require_name(name)
        if text in owners:
            raise CircuitError(
                f"neurons {label(owners[text])} and {label(name)} would both be called {label(text)} in this "
                "format; "
                "rename one, or write .json"
            )
        texts[name], owners[text] = text, name
    return texts


def unboxed(value: Any) -> Any:
    """A NumPy scalar as the Python number it stands for; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def text_in_file(owner: str, value: Any) -> str:
    """A text, number or boolean as GraphML and CSV write it.

    Raises:
        CircuitError: an integer of more digits than Python turns into text.
    """
    value = unboxed(value)
    try:
        return str(value).lower() if isinstance(value, bool) else str(value)
    except ValueError as error:
        raise CircuitError(f"{owner} cannot be written: {error}") from None


def _role(name: Hashable, attributes: Attributes) -> str:
    if "role" not in attributes:
        raise CircuitError(f"neuron {label(name)} has no role")
    try:
        return require_role(attributes["role"])
    except CircuitError as error:
        raise CircuitError(f"neuron {label(name)}: {error}") from None


def _polarity(pre: Hashable, post: Hashable, attributes: Attributes) -> int:
    if "polarity" not in attributes:
        raise CircuitError(f"{synapse_label(pre, post)} has no polarity")
    return require_polarity(attributes["polarity"], pre, post)


def require_texts(owner: str, attributes: Attributes) -> None:
    for key in attributes:
        if not isinstance(key, str):
            raise CircuitError(
                f"{owner} has an attribute named {label(key)}; in files only texts name attributes"
            )
