"""The attributes of neurons and synapses that mean something, each declared once.

Any other attribute is carried along, through edits and files, and means nothing to Ganglion.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import networkx as nx

from ..arguments import counted
from ..errors import CircuitError
from .bulk import data_of, names_of
from .roles import label, synapse_label
from .words import suggestion


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Attributes:
        name: as in the graph.
        on: "neuron" or "synapse".
        number: whether it is a finite number.
        used: whether a plan, and so a cell, depends on it.
        meaning: in a few words.
        expected: what a number must be beyond finite: "of at least 0" or "above 0"; nothing if it may be any.
    """

    name: str
    on: str
    number: bool
    used: bool
    meaning: str
    expected: str = ""

    def fits(self, value: Any) -> bool:
        """Whether a value is a number that it may have."""
        return _finite(value) and {"": True, "above 0": value > 0, "of at least 0": value >= 0}[self.expected]


ATTRIBUTES = (
    Attribute("role", "neuron", False, True, "sensory, inter, command or motor"),
    Attribute("polarity", "synapse", True, True, "+1 excitatory, -1 inhibitory"),
    Attribute("kind", "synapse", False, True, "chemical (if it is not set) or electrical"),
    Attribute("weight", "synapse", True, False, "strength, a count or a trained value", "of at least 0"),
    Attribute(
        "gap",
        "synapse",
        True,
        True,
        "strength of an electrical synapse beside a chemical one",
        "of at least 0",
    ),
    Attribute("delay", "synapse", True, False, "time from a spike to its effect", "of at least 0"),
    Attribute("tau", "neuron", True, False, "time constant", "above 0"),
    Attribute("bias", "neuron", True, False, "input that is always there"),
    Attribute("threshold", "neuron", True, False, "state at which a neuron acts"),
    Attribute("cm", "neuron", True, False, "capacitance", "above 0"),
    Attribute("gleak", "neuron", True, False, "leak conductance", "of at least 0"),
    Attribute("vleak", "neuron", True, False, "leak potential"),
    Attribute("input_of", "neuron", False, False, "the neuron whose input this one was split off"),
    Attribute("group", "neuron", False, False, "a group that projections may name"),
)
"""The table. What is not used is kept, and compiling a circuit says so once."""

_NUMBERS = {on: {a.name: a for a in ATTRIBUTES if a.on == on and a.number} for on in ("neuron", "synapse")}
_UNUSED = {a.name: a for a in ATTRIBUTES if a.number and not a.used}


def unused(graph: nx.DiGraph[Any], used: Collection[str] = ()) -> list[str]:
    """The numbers in a graph that a cell does not use, in words: "delay (12 synapses)".

    `used` are those that it does because it was told to.
    """
    counts: Counter[str] = Counter()
    if not (names_of(data_of(graph)) | set().union(*graph.nodes.values())) & _UNUSED.keys():
        return []
    for on, data in _records(graph):
        counts.update(key for key in data if key in _UNUSED and _UNUSED[key].on == on and key not in used)
    return [f"{name} ({counted(count, _UNUSED[name].on)})" for name, count in counts.items()]


def strange(on: str, data: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """The attributes of a neuron or a synapse that are not numbers as they should be, and what to expect.

    The sign of a weight is the polarity of its synapse, so that a negative one would say something else.
    """
    for key in [key for key in _NUMBERS[on] if key in data and key != "polarity"]:
        value, attribute = data[key], _NUMBERS[on][key]
        if not attribute.fits(value) and not (
            key == "gap" and value is None
        ):  # of a strength that is not known
            finite = "a number" if _finite(value) else "a finite number"
            since = ", since the sign is the polarity" if key == "weight" else ""
            yield key, value, f"{finite} {attribute.expected}{since}".replace(" ,", ",").rstrip()


def meant(on: str, name: Any) -> str:
    """ "; did you mean 'weight'?" for a name that means nothing and is nearly one that does, else nothing.

    All other names are the user's own. Their first letter and a digit at the end tell `height` and `delay2`
    from slips, and more than a letter behind the word `weight_sd` and `delayed`. Of three letters nearly any
    name is near, so that only two letters exchanged (`tua`) or one doubled (`taau`) are a slip.
    """
    known = [attribute.name for attribute in ATTRIBUTES if attribute.on == on]
    if not isinstance(name, str) or name in known or name[-1:].isdigit():
        return ""
    low = name.casefold()
    if low in known:
        return f"; did you mean {low!r}?"
    if on == "synapse" and low == "sign":
        return "; did you mean 'polarity'?"
    for short in (k for k in known if len(k) <= 3 and k[0] == low[:1]):
        if sorted(short) == sorted(low) or re.sub(r"(.)\1+", r"\1", low) == short:
            return f"; did you mean {short!r}?"
    near = [k for k in known if len(k) > 3 and low[:1] == k[0] and not low[:-2].startswith(k)]
    return suggestion(name, near if len(low) > 2 else [], cutoff=0.8)


def require_sound(on: str, owner: str, data: dict[str, Any]) -> None:
    """Raise CircuitError for an attribute whose name is nearly right, or that is not the number it should be.

    Without it a slip such as `polarty=-1` would be carried along and mean nothing. None is a number
    that is not known.
    """
    for key in data:
        if hint := meant(on, key):
            raise CircuitError(f"{owner} is given the attribute {key!r}, which means nothing{hint}")
    for key, value, expected in strange(on, {key: value for key, value in data.items() if value is not None}):
        raise CircuitError(f"{owner} is given {key} {label(value)}; expected {expected}")


def require_weights(graph: nx.DiGraph[Any]) -> None:
    """Raise CircuitError for a weight that no file is read with, before it stands in one."""
    for pre, post, value in graph.edges(data="weight", default=0):
        if not _finite(value):
            raise CircuitError(
                f"{synapse_label(pre, post)} has weight {label(value)}; expected a finite number, without "
                "which the file could not be read"
            )


def _finite(value: Any) -> bool:
    return (type(value) in (int, float) and math.isfinite(value)) or (
        not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    )  # fmt: skip


def _records(graph: nx.DiGraph[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, data in graph.nodes(data=True):
        yield "neuron", data
    for _, _, data in graph.edges(data=True):
        yield "synapse", data
