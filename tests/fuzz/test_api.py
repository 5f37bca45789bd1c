"""Every public name refuses what it cannot use; `make fuzz-api` makes ten thousand such calls."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import ganglion as gl

from . import api, calls
from .ends import ending
from .rows import tidy

ROOMS = (
    "",
    ".wiring",
    ".wiring.edits",
    ".compile",
    ".cells",
    ".viz",
    ".training",
    ".training.series",
    ".interchange",
    ".meaning",
    ".editor",
    ".ops",
    ".studies",
    ".wiring.connectomes",
)


def public() -> set[str]:
    """The names of all callables that a room or the face lists."""
    found = set()
    for room in ROOMS:
        module = importlib.import_module(f"ganglion{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            error = inspect.isclass(thing) and issubclass(thing, Exception)
            if callable(thing) and not error and not hasattr(thing, "__origin__"):
                found.add(name)
    return found


def test_every_public_name_has_a_row() -> None:
    parts = [name.partition(".") for name in calls.TABLE]
    named = {*calls.TABLE, *calls.UNTRIED, *(end for part in parts for end in (part[0], part[2]))}
    assert public() - named - {"Source", "activation_of"} == set()
    assert {name for name in calls.UNTRIED if name in calls.TABLE} == set()


NEEDS = {"from_ncps", "celegans", "flywire", "larva", "changed"}
"""Rows whose right call would need a wiring of ncps, files of others or a projection."""


@pytest.mark.parametrize("chunk", range(8))
def test_the_rows_themselves_are_right(chunk: int) -> None:
    with api.somewhere():
        for name in sorted(set(calls.TABLE) - NEEDS)[chunk::8]:
            call = calls.TABLE[name]()
            assert ending(lambda call=call: call.function(**call.arguments), {}).kind == "answer", name
            tidy()


@pytest.mark.parametrize("seed", range(4))
def test_wrong_calls_end_in_a_clear_error(seed: int) -> None:
    bad = [str(tried) for tried in api.attempts(len(calls.TABLE), seed) if not tried.end.fine]
    assert bad == []


def test_errors_from_inside_are_told_apart() -> None:
    assert ending(lambda: {}["x"], {}).kind == "unclear"
    assert ending(lambda: gl.auto_ncp("x", 2, inputs=3), {}).kind == "clear"
    assert ending(lambda: gl.nothing, {}).kind == "unclear"
    assert ending(lambda: gl.dense(3, 4), {"units": ("int", "4")}).kind == "stand-in"
    assert ending(lambda: gl.read(Path("nowhere.json")), {}).kind == "clear"
