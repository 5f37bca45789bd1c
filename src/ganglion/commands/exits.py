"""How a command ends: one sentence and an exit code, whatever was thrown."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ..distribution import how_to_install
from ..errors import CircuitError, FileError, KernelError, LayoutError
from .output import (
    ClosedOutputError,
    discard_output,
    flush_output,
    prepare_output,
    printable,
    say,
    warnings_as_lines,
)

FAULT, INTERRUPTED, CLOSED_PIPE = 2, 130, 141
"""Exit codes: the request cannot be served; what a shell says of a program that SIGINT or SIGPIPE ended."""

EXTRAS = {
    "mlx": "cpu",
    "pydot": "dot",
    "onnx": "onnx",
    "h5py": "sonata",
    "nir": "nir",
    "sklearn": "demo",
    **dict.fromkeys(("anywidget", "starlette", "uvicorn", "websockets"), "editor"),
}
"""Which extra brings a module that a plain installation may lack."""

LONGEST = 500
"""Characters of a message."""

REQUESTS = (OSError, CircuitError, FileError, KernelError, LayoutError, FloatingPointError, MemoryError)
"""What a user can do something about; anything else is a mistake of ours."""


def run_command(name: Callable[[], str], command: Callable[[], None]) -> int:
    """Run a command, and return its exit code.

    Args:
        name: what messages begin with.
        command: what to do; a `SystemExit` of it goes on, with what it printed written out.
    """
    try:
        prepare_output()
        with _interrupts_repeated(), warnings_as_lines(name):
            try:
                command()
            finally:
                flush_output()
    except BrokenPipeError:  # as with "| head -1": nobody listens any more, and there is nothing to say
        discard_output()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        say(f"{name()}: interrupted")
        return INTERRUPTED
    except ClosedOutputError as error:
        say(f"{name()}: {error}")
        return FAULT
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:  # perhaps of standard output
            discard_output()
        say(f"{name()}: {explained(error)}")
        return FAULT
    return 0


def explained(error: Exception) -> str:
    """One sentence for a problem; for a mistake of ours, also where its traceback is kept."""
    if isinstance(error, ImportError):
        module = (error.name or "").partition(".")[0]
        if extra := EXTRAS.get(module):
            return f"needs the package {error.name}, an extra: {how_to_install(extra)}"
        if error.name is None:  # a sentence of ours, and none of Python's
            return _line(str(error))
    if isinstance(error, FileNotFoundError) and error.strerror and not error.filename and _nowhere():
        return "the current folder is not there any more"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _line(f"{where}{error.strerror}")
    if isinstance(error, MemoryError):
        return _line(f"there is not enough memory{f': {error}' if str(error) else ''}")
    if isinstance(error, RuntimeError) and str(error) == os.strerror(errno.EAGAIN):  # of MLX, for a thread
        return f"there is not enough memory, or no room for a thread: {error}"
    if isinstance(error, REQUESTS):
        return _line(str(error))
    told = _line(f"{type(error).__name__}: {error}")
    return f"a mistake inside Ganglion: {told}; the traceback is in {_kept(error)}"


def _nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _kept(error: Exception) -> str:
    """Write a traceback to a file; its name."""
    text = "".join(traceback.format_exception(error))
    try:
        descriptor, name = tempfile.mkstemp(prefix="ganglion-", suffix=".txt")
        with open(descriptor, "w", errors="backslashreplace") as file:
            file.write(text)
    except OSError as problem:
        say(text)
        return f"the lines above, because of a file: {problem.strerror}"
    return name


def _line(text: str) -> str:
    """A list of problems, or a file whose name has a line end, on one line that can be read."""
    return printable(" ".join(text.split()), LONGEST)


@contextmanager
def _interrupts_repeated() -> Iterator[None]:
    """Interrupt by SIGINT, and again where Python drops an interrupt, because it came inside a destructor.

    An exception cannot leave a destructor, so Python prints it and goes on; training would, too. A command
    that was started with SIGINT ignored, as by some test runners, can be interrupted all the same.
    """
    if threading.current_thread() is not threading.main_thread():  # only there are signals handled
        yield
        return
    dropped = sys.unraisablehook

    waiting = False

    def later() -> None:  # when the destructor is left; it wakes up who sleeps, too
        nonlocal waiting
        waiting = True
        signal.setitimer(signal.ITIMER_REAL, 0.01)

    def repeat(unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            dropped(unraisable)
        else:
            later()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGALRM and not waiting:  # somebody else's alarm
            if callable(theirs := before[signal.SIGALRM]):
                theirs(number, frame)
            return
        while frame is not None and frame.f_code is not repeat.__code__:
            frame = frame.f_back
        if frame is None:
            raise KeyboardInterrupt
        later()  # the hook would lose it again

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGALRM)}
    sys.unraisablehook = repeat
    try:
        yield
    finally:
        sys.unraisablehook = dropped
        if waiting:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
