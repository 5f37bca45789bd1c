"""How a call ended: well, with a clear error, or in one of the ways that must not be.

An error is clear if Ganglion raised it on purpose, as a TypeError, a ValueError or an error of the system
about a file, in a sentence of bounded length. What NumPy, MLX, networkx or Python throw from inside is not:
its words are about something that the caller never saw.
"""

from __future__ import annotations

import ast
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import networkx as nx
import numpy as np

import ganglion

HOUSE = Path(ganglion.__file__).resolve().parent
ROOMS = (HOUSE, *(HOUSE.parents[1] / room for room in ("wiring", "compile", "cells", "viz")))
CLEAR = (TypeError, ValueError, OSError, RuntimeError, nx.NetworkXError, LookupError, FloatingPointError)
"""Kinds that an argument may cost; a KeyError or IndexError where a value is looked up by what was given."""
LONGEST = 1200
SECONDS = 30
STAND_INS: dict[str, tuple[type, ...]] = {
    "bool": (bool, np.bool_),
    "int": (int, np.integer),
    "str": (str,),
}
"""Annotations that mean one kind of value alone: whatever else passes is taken for what it is not."""


@dataclass
class End:
    """How it ended: `kind` is "answer" or "clear", or what is wrong."""

    kind: str
    message: str = ""
    where: str = ""

    @property
    def fine(self) -> bool:
        return self.kind in ("answer", "clear")


class Late(BaseException):
    """A call that does not end."""


def ending(call: Callable[[], Any], given: dict[str, tuple[str, Any]]) -> End:
    """Run a call; `given` are the changed arguments as name -> (annotation, value)."""
    try:
        with _limited():
            call()
    except Late:
        return End("hang")
    except AssertionError as error:
        return _at(End("unclear", f"AssertionError: {error}"), error.__traceback__)
    except Exception as error:
        return _classified(error)
    except BaseException as error:
        return End("exit", type(error).__name__)
    for name, (annotation, value) in given.items():
        if name == "polarity":  # any number that is +1 or -1
            continue
        kinds = STAND_INS.get(annotation.removesuffix(" | None"))
        passes = value is None and annotation.endswith("None")
        if (
            kinds
            and not passes
            and (not isinstance(value, kinds) or (annotation[:3] == "int" and value is True))
        ):
            return End("stand-in", f"{name}: {annotation} took a {type(value).__name__}")
    return End("answer")


def _classified(error: Exception) -> End:
    try:
        message = str(error)
    except Exception as other:
        return End("unclear", f"{type(error).__name__} without text: {type(other).__name__}")
    kind = type(error).__name__
    end = End("clear", f"{kind}: {message[:160]}")
    if not isinstance(error, CLEAR) or not _on_purpose(error):
        end.kind = "unclear"
    elif len(message) > LONGEST or message.count("\n") > 12 or len(message) < 8:
        end.kind = f"a message of {len(message)} characters"
    return _at(end, error.__traceback__)


def _on_purpose(error: Exception) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    if Path(last.filename).resolve().parent == Path(__file__).resolve().parent:
        return isinstance(error, TypeError)  # Python's own word about names of arguments
    path = Path(last.filename).resolve()
    if not any(path.is_relative_to(room) for room in ROOMS):
        return isinstance(error, OSError) and error.filename is not None
    if last.lineno is not None and any(a <= last.lineno <= b for a, b in _raises(path)):
        return True
    return isinstance(error, OSError) and error.filename is not None


@cache
def _raises(path: Path) -> list[tuple[int, int]]:
    tree = ast.parse(path.read_text())
    return [(n.lineno, n.end_lineno or n.lineno) for n in ast.walk(tree) if isinstance(n, ast.Raise)]


def _at(end: End, tb: TracebackType | None) -> End:
    frames = [f for f in traceback.extract_tb(tb) if "tests/fuzz" not in f.filename]
    ours = [f for f in frames if any(Path(f.filename).resolve().is_relative_to(r) for r in ROOMS)]
    if ours:
        end.where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}"
    return end


@contextmanager
def _limited() -> Iterator[None]:
    """No call takes longer than `SECONDS`, and the warnings that mean a mistake of ours are errors."""

    def late(_: int, frame: FrameType | None) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    limit = sys.getrecursionlimit()
    try:
        with warnings.catch_warnings(), np.errstate(all="warn"):
            warnings.simplefilter("ignore")
            for kind in (RuntimeWarning, DeprecationWarning, SyntaxWarning, FutureWarning, ResourceWarning):
                warnings.simplefilter("error" if kind is not ResourceWarning else "ignore", kind)
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        sys.setrecursionlimit(limit)
