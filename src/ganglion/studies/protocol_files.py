"""Protocols as JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from ..arguments import label
from ..errors import FileError
from ..storage import read_document, read_file, replace_files
from .perturbations import Cut, Flip, Lesion, Perturbation, Scale, Silence, Stimulate
from .signals import SIGNALS

FORMAT, VERSION = "ganglion-protocol", 2
"""In version 1 a current was in the own unit of a neuron."""
PERTURBATIONS: dict[str, type[Perturbation]] = {
    kind.kind: kind for kind in (Silence, Lesion, Cut, Scale, Flip, Stimulate)
}
TIMES = ("start", "stop")


def write_protocol(protocol: Any, file: Path) -> None:
    """Write a protocol whole."""
    parts: list[dict[str, Any]] = [{"kind": s.kind, **asdict(s)} for s in protocol.signals]
    for each in protocol.perturbations:
        change = each.perturbation
        if type(change) is not PERTURBATIONS.get(change.kind):
            raise ValueError(f"{change}: no file holds a {type(change).__name__}, only its parts one by one")
        own = {f.name: getattr(change, f.name) for f in fields(change)}
        parts.append({"kind": change.kind, **own, "start": each.start, "stop": each.stop})
    head = {"every": protocol.every, "until": protocol.until, "unit": protocol.unit}
    document = {"format": FORMAT, "version": VERSION, **head, "parts": parts}
    try:
        text = json.dumps(document, indent=1, allow_nan=False)
    except TypeError:
        raise ValueError("a function that tells neurons is in no file: name them, or their role") from None
    replace_files({file: text.encode()})


def read_protocol(protocol: Any, during: Any, file: Path) -> Any:
    """A protocol from a file, by the classes of it and of its perturbations."""
    try:
        document = read_document(read_file(file), FORMAT, VERSION, since=1)
        head = {name: document.get(name) for name in ("every", "until", "unit")}
        parts = document.get("parts")
        if not isinstance(parts, list):
            raise FileError('has no "parts", a list')
        signals, perturbations = [], []
        for k, part in enumerate(parts):
            kind, given = _kind(k, part)
            if kind == Stimulate.kind and document["version"] == 1:
                given["absolute"] = True
            if kind in SIGNALS:
                signals.append(_made(k, SIGNALS[kind], given))
            else:
                times = {name: given.pop(name, None) for name in TIMES}
                change = _made(k, PERTURBATIONS[kind], given)
                perturbations.append(during(change, times["start"], times["stop"]))
        return protocol(**head, signals=tuple(signals), perturbations=tuple(perturbations))
    except FileError as error:
        told = str(error)
        raise FileError(told if told.startswith(str(file)) else f"{file} {told}") from None
    except (TypeError, ValueError) as error:
        raise FileError(f"{file}: {error}") from None


def _kind(k: int, part: Any) -> tuple[str, dict[str, Any]]:
    kind = part.get("kind") if isinstance(part, Mapping) else None
    if not isinstance(kind, str) or kind not in {**SIGNALS, **PERTURBATIONS}:
        raise FileError(
            f"has {label(kind if kind is not None else part, 60)} as the kind of part {k}: expected "
            f"{', '.join([*SIGNALS, *PERTURBATIONS])}"
        )
    return kind, {name: value for name, value in part.items() if name != "kind"}


def _made(k: int, kind: Any, given: Mapping[str, Any]) -> Any:
    known = fields(kind)
    for name in given:
        if name not in {f.name for f in known}:
            raise FileError(f"has a {kind.kind} as part {k} with {label(name, 60)}, which it does not have")
    for f in known:
        if f.default is MISSING and f.name not in given:
            raise FileError(f"has a {kind.kind} as part {k} without {f.name!r}")
    return kind(**given)
