"""What commands write to: any encoding, any width, and no output that is lost in silence."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

NARROWEST, WIDEST = 20, 1000
"""Columns between which the width that is given by the terminal or by COLUMNS counts."""


SIZES = ("COLUMNS", "LINES")
"""What the environment says of the terminal's size."""


class ClosedOutputError(Exception):
    """Standard output is closed, so that what a command says would be lost."""


def prepare_output() -> None:
    """Let standard output and error take any character, and no file take their place.

    Raises:
        ClosedOutputError: standard output is closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # the next file that is opened would become standard output
            os.open(os.devnull, os.O_RDWR)
    stream: Any
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # closed, or a test's or a notebook's own
            stream.reconfigure(errors="backslashreplace" if stream is sys.stderr else "replace")
    if sys.stdout is None:
        raise ClosedOutputError("standard output is closed")


def flush_output() -> None:
    """Write out what waits.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Drop what waits for an output that takes nothing, about which Python would complain when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say(text: str) -> None:
    """A line on standard error, as far as there is one."""
    with suppress(OSError, ValueError, AttributeError):
        print(text, file=sys.stderr, flush=True)


@contextmanager
def warnings_as_lines(name: Callable[[], str]) -> Iterator[None]:
    """Say each warning once, in a line that begins with the command's name and not with a file of ours."""
    told: set[str] = set()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
            if not issubclass(category, UserWarning):
                usual(message, category, *where, **options)
            elif str(message) not in told:
                told.add(str(message))
                say(f"{name()}: {message}")

        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def console(**options: Any) -> Console:
    """A console of rich on standard output, of a width in which something can be read."""
    from rich.console import Console

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    # rich reads any number there, and Python no longer ones than of 4300 digits.
    environment = {name: value for name, value in os.environ.items() if name not in SIZES or len(value) < 10}
    made = Ours(_environ=environment, **options)
    made.width = min(max(made.width, NARROWEST), WIDEST)
    return made


def printable(text: str, most: int = 200) -> str:
    """A text from a file, without what would steer a terminal, and cut if it is long."""
    text = text if len(text) <= most else f"{text[:most]}..."
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def speaks_unicode(stream: TextIO | Any) -> bool:
    """Whether a stream can say more than ASCII and its relatives can."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")
