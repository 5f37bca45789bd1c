"""What pages and docstrings call an argument or an attribute is one; nothing runs text in passing."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import ganglion as gl

ROOT = Path(__file__).parents[1]
CALL = re.compile(r"\bgl\.((?:\w+\.)*\w+)\(([^()`]*)\)")
ARGUMENT = re.compile(r"(?:^|, )(\w+)=")
ROOMS = ("", ".cells", ".compile", ".interchange", ".meaning", ".studies", ".training", ".viz", ".wiring")


def strange(text: str) -> list[str]:
    """Calls such as `gl.fit(checkpoints=...)` with an argument that the function does not take."""
    found = []
    for name, arguments in CALL.findall(text):
        thing: Any = gl
        for part in name.split("."):
            thing = getattr(thing, part, None)
        if not callable(thing):
            continue
        taken = inspect.signature(thing).parameters
        if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            continue
        found += [f"gl.{name}({given}=)" for given in ARGUMENT.findall(arguments) if given not in taken]
    return found


def texts() -> list[Path]:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    rooms = [ROOT / room for room in ("wiring", "compile", "cells", "viz", "src/ganglion")]
    return pages + [path for room in rooms for path in sorted(room.rglob("*.py"))]


def test_a_wrong_name_is_found() -> None:
    assert strange("give that to `gl.fit(checkpoints=...)`, `gl.fit(x, checkpoint=a)`") == [
        "gl.fit(checkpoints=)"
    ]


def test_arguments_that_texts_name_are_taken() -> None:
    wrong = {str(path.relative_to(ROOT)): found for path in texts() if (found := strange(path.read_text()))}
    assert wrong == {}


def public() -> list[type]:
    found: dict[str, type] = {}
    for room in ROOMS:
        module = importlib.import_module(f"ganglion{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and dataclasses.is_dataclass(thing):
                found[f"{thing.__module__}.{thing.__qualname__}"] = thing
    return list(found.values())


@pytest.mark.parametrize("kind", public(), ids=lambda kind: kind.__name__)
def test_attributes_that_a_docstring_lists_are_there(kind: type) -> None:
    part = re.search(r"Attributes:\n((?: {4,}.*\n?|\n)+)", inspect.getdoc(kind) or "")
    listed = re.findall(r"^ {4}(\w[\w, ]*):", part[1], re.MULTILINE) if part else []
    names = {name for line in listed for name in re.split(r", ", line)}
    fields = {field.name for field in dataclasses.fields(kind)}
    assert {name for name in names if name not in fields and not hasattr(kind, name)} == set()
