"""A session as a Python script: the circuit as it was opened, then every edit, by the names users know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pprint import pformat
from typing import Any

import networkx as nx

from ..wiring.edits import Add, Batch, Edit, Generate, Redraw, Remove, Rename
from ..wiring.edits.difference import replacement

WIDTH = 100


def script(start: nx.DiGraph[Any], done: Iterable[Edit]) -> str:
    """The lines of a script that leaves the edited circuit in `circuit`.

    Example:
        >>> namespace = {}
        >>> exec(script(start, done), namespace)
        >>> namespace["circuit"]
    """
    first = replacement(nx.DiGraph(), start)
    body = [_line(step) for step in first.edits if step != type(step)()]
    body += [_line(edit) for edit in done]
    used = any("edits." in line for line in body)
    head = ["import ganglion as gl", *(["from ganglion.wiring import edits"] if used else [])]
    return "\n".join([*head, "", "circuit = gl.Circuit()", *body, ""])


def _line(edit: Edit) -> str:
    """One statement: a method of the circuit where it does the very same, else the edit itself."""
    if isinstance(edit, Batch) and edit.edits:
        return "\n".join([*([f"# {_comment(edit.label)}"] if edit.label else []), *map(_line, edit.edits)])
    if isinstance(edit, Rename):
        return f"circuit.rename({pformat(dict(edit.names), width=WIDTH, sort_dicts=False)})"
    if isinstance(edit, Remove) and not edit.synapses:
        return f"circuit.remove_neurons({pformat(list(edit.neurons), width=WIDTH, compact=True)})"
    if isinstance(edit, Remove) and not edit.neurons:
        return f"circuit.remove_synapses({pformat(list(edit.synapses), width=WIDTH, compact=True)})"
    if isinstance(edit, Add) and not edit.neurons and not edit.ranks and _plain(edit):
        synapses = [(pre, post, data["polarity"]) for pre, post, data in edit.synapses]
        return f"circuit.add_synapses({pformat(synapses, width=WIDTH, compact=True)})"
    return f"{_value(edit)}.apply(circuit)"


def _plain(edit: Add) -> bool:
    return all(set(data) == {"polarity"} for _, _, data in edit.synapses)


def _value(edit: Edit) -> str:
    """The edit as a call of its class."""
    given = [
        f"{field.name}={pformat(getattr(edit, field.name), width=WIDTH, sort_dicts=False)}"
        for field in fields(edit)
        if getattr(edit, field.name) != field.default
    ]
    if isinstance(edit, Generate | Redraw):  # an empty object stands for None
        given = [part for part in given if not part.endswith("={}")]
    inner = ", ".join(given)
    if len(inner) > WIDTH:
        inner = "\n    " + ",\n    ".join(part.replace("\n", "\n    ") for part in given) + ",\n"
    return f"edits.{type(edit).__name__}({inner})"


def _comment(text: str) -> str:
    return " ".join(text.split())
