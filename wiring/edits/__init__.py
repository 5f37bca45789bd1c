"""Every change of a circuit as a value: what pages, journals, undo and scripts have in common.

`edit.apply(circuit)` changes the circuit, or raises `CircuitError` and changes nothing, and returns the edit
that takes it back. `edit.to_json()` and `from_json` are how edits travel and are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ...errors import CircuitError
from ..roles import label
from .composed import GENERATORS, Batch, Connect, Generate, Redraw
from .edit import Done, Edit
from .primitives import Add, Remove, Rename, Set

__all__ = [
    "GENERATORS",
    "Add",
    "Batch",
    "Connect",
    "Done",
    "Edit",
    "Generate",
    "Redraw",
    "Remove",
    "Rename",
    "Set",
    "from_json",
]

KINDS: dict[str, type[Edit]] = {
    kind.kind: kind for kind in (Add, Remove, Set, Rename, Connect, Redraw, Generate, Batch)
}
DEEPEST = 20


def from_json(data: Any) -> Edit:
    """The edit that an object of JSON stands for; the inverse of `edit.to_json()`.

    Raises:
        CircuitError: it stands for none; the message says why.

    Example:
        >>> from_json({"kind": "remove", "neurons": ["inter_0"]}).apply(circuit)
    """
    try:
        return _from_json(data, 0)
    except RecursionError:
        raise CircuitError("the edit is nested too deeply") from None


def _from_json(data: Any, depth: int) -> Edit:
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise CircuitError(
            f"an edit is an object whose kind is one of {', '.join(KINDS)}; got {label(data, 60)}"
        )
    given = {key: value for key, value in data.items() if key != "kind"}
    if kind == "projection":
        own = {key: given.pop(key) for key in ("name", "remove") if key in given}
        return Redraw(**own, fields=given)
    unknown = set(given) - {field.name for field in fields(KINDS[kind])}
    if unknown:
        raise CircuitError(f"an edit of kind {kind!r} has no field {label(min(map(str, unknown)), 60)}")
    if kind == "batch" and isinstance(given.get("edits"), list):
        if depth >= DEEPEST:
            raise CircuitError(f"edits are nested more than {DEEPEST} deep")
        given["edits"] = [_from_json(edit, depth + 1) for edit in given["edits"]]
    return KINDS[kind](**given)
