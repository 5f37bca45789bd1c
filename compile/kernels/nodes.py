"""The library through which kernels become nodes of MLX's graph: built against MLX, tried, then trusted.

It uses the headers and the library that MLX comes with, whose interface changes with its versions. So there
is one build for each of them, told apart by when and where they were installed, and no build is loaded that
did not compute right in a process of its own before.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx

from ...errors import KernelError
from .build import Extra, build_ahead, compiler, load_library
from .source import SOURCE
from .threads import pool

PARTS = ("crew.h", "pair.h", "nodes.h", "update.h", "entry.h")
SYMBOLS = (
    *("ganglion_begin", "ganglion_pair", "ganglion_call", "ganglion_trial_forward"),
    *("ganglion_parts", "ganglion_update", "ganglion_same"),
)
TRIAL_TIMEOUT = 120.0
DONE, NO_MEMORY, FAILED, FOLLOWED, FAILED_BEFORE = 0, -1, -2, -3, -4  # the words of entry.h
ROOM = 4000  # bytes for the words of an error
_INT, _POINTER = ctypes.c_int64, ctypes.c_void_p
_known = False  # whether anybody has waited for the library
_builder: threading.Thread | None = None


def usable() -> bool:
    """Whether there is the library here."""
    return isinstance(_found(), ctypes.PyDLL)


def coming() -> bool:
    """Whether the library is still being built: by a thread, from the first call on."""
    global _builder
    if _known or os.environ.get("GANGLION_NODES") == "0":
        return False
    if _builder is None:
        try:
            _builder = build_ahead(*_to_build("nodes", _source(), tried))
        except KernelError:  # who asks for the library is told
            return False
    return _builder is not None and _builder.is_alive()


def library() -> ctypes.PyDLL:
    """The library, ready to be called; it keeps Python's lock, but where it computes.

    Raises:
        KernelError: there is none, see `why_not`.
    """
    found = _found()
    if isinstance(found, str):
        raise KernelError(found)
    return found


def why_not() -> str:
    """Why there is no library: no compiler, an MLX that it does not fit, or GANGLION_NODES is "0"."""
    found = _found()
    return found if isinstance(found, str) else ""


def forget_spare() -> None:
    """Give back the memory that waits for the next call."""
    if usable():
        library().ganglion_forget()


@cache
def _found() -> ctypes.PyDLL | str:
    """The library, or why there is none; told in a warning if it was there to be built, and failed."""
    global _known
    _known = True
    if os.environ.get("GANGLION_NODES") == "0":
        return "GANGLION_NODES is 0"
    try:
        compiler()
    except KernelError as error:
        return str(error)
    try:
        return built("nodes", _source(), SYMBOLS, tried)
    except KernelError as error:
        if _builds():  # or the kernels will say so themselves
            warnings.warn(
                f"fused kernels run, but slower than they could, and not inside mx.compile: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
        return str(error)


def _builds() -> bool:
    """Whether there are libraries at all, from the compiler or the package."""
    try:
        pool()
    except KernelError:
        return False
    return True


def built(name: str, source: str, symbols: tuple[str, ...], trial: Callable[[Path], None]) -> ctypes.PyDLL:
    """A library against MLX, tried and ready.

    Raises:
        KernelError: it cannot be built, or does not fit this MLX.
    """
    *wanted, extra = _to_build(name, source, trial)
    return prepared(load_library(*wanted, *symbols, extra=extra)._handle)


def _source() -> str:
    return "\n".join((SOURCE / part).read_text() for part in PARTS)


def _to_build(name: str, source: str, trial: Callable[[Path], None]) -> tuple[str, str, Extra]:
    """What is built of a text against MLX: the text, the name, and what it needs beyond a kernel.

    Raises:
        KernelError: this MLX has no headers.
    """
    home = Path(mx.__file__).parent
    include, libraries = home / "include", home / "lib"
    if not (include / "mlx" / "mlx.h").is_file():
        raise KernelError(f"this MLX has no headers in {include}")
    rounded = ("-ffp-contract=off",) if name == "nodes" else ()  # for update.h, see there
    flags = ("-std=c++20", "-O2", f"-I{include}", f"-L{libraries}", "-lmlx", *rounded)
    asked = Path(__file__).with_name("trial.py").read_text()  # another trial may find it good that failed
    return source, name, Extra(flags, (version("mlx"), sys.version, asked, *_contents(home)), trial)


def prepared(handle: int) -> ctypes.PyDLL:
    """A loaded library with its functions declared, that has proved to read arrays as they are.

    Raises:
        KernelError: it reads something else.
    """
    found = ctypes.PyDLL("nodes", handle=handle)
    returns: dict[str, Any] = dict.fromkeys(("ganglion_index", "ganglion_pair"), _POINTER)
    returns |= {"ganglion_mlx": ctypes.c_char_p, "ganglion_built_for": ctypes.c_char_p}
    returns |= dict.fromkeys(("ganglion_begin", "ganglion_drop_index", "ganglion_drop_pair"))
    for name, kind in returns.items():
        getattr(found, name).restype = kind
    found.ganglion_begin.argtypes = [_INT, *[_POINTER] * 3]
    found.ganglion_look.argtypes = [_POINTER, _POINTER]
    found.ganglion_index.argtypes = found.ganglion_drop_index.argtypes = [_POINTER]
    found.ganglion_pair.argtypes = [_POINTER] * 3
    found.ganglion_drop_pair.argtypes = [_POINTER]
    found.ganglion_parts.argtypes = [*[_POINTER] * 3, ctypes.c_char_p, _INT]
    found.ganglion_update.argtypes = [
        *(
            ctypes.c_int,
            _POINTER,
            _INT,
            ctypes.c_char_p,
            _INT,
            _POINTER,
            _INT,
            _POINTER,
            ctypes.c_char_p,
            _INT,
        )
    ]
    found.ganglion_same.argtypes = [_POINTER, _POINTER, _INT]
    found.ganglion_call.argtypes = [
        *(_POINTER, _POINTER, _INT, _POINTER, _INT, _INT, _INT, ctypes.c_int, ctypes.c_char_p, _INT)
    ]
    built_for, runs = (name().decode() for name in (found.ganglion_built_for, found.ganglion_mlx))
    if not runs.startswith(built_for):
        raise KernelError(f"the headers are of MLX {built_for}, its library is {runs}")
    state = (ctypes.cast(f, _POINTER) for f in _state_functions())
    found.ganglion_begin(object.__basicsize__, id(mx.array), *state)
    for shape in ((), (3,), (2, 5)):
        values = mx.random.uniform(shape=shape, key=mx.random.key(len(shape)))
        mx.eval(values)
        saw = (_INT * 4)()
        expected = [values.size, values.ndim, shape[0] if shape else 0]
        total = round(1000 * sum(map(float, values.reshape(-1).tolist())))  # type: ignore[arg-type]
        if found.ganglion_look(id(values), saw) or saw[:3] != expected or abs(saw[3] - total) > 1:
            raise KernelError(f"the layout of arrays in MLX {version('mlx')} is another one")
    return found


def tried(built: Path, trial: str = "main") -> None:
    """Run a trial of `trial.py` over a build in a process of its own, which may crash.

    Raises:
        KernelError: it does, or computes something wrong.
    """
    program = (
        "import sys; sys.path[:] = sys.argv[2:]; "
        f"from ganglion.compile.kernels.trial import {trial}; {trial}(sys.argv[1])"
    )
    # Isolated: the working directory is nothing to import from, unless this process does.
    command = [sys.executable, "-I", "-c", program, str(built), *map(os.path.abspath, sys.path)]
    environment = {**os.environ, "GANGLION_NODES": "0"}
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=TRIAL_TIMEOUT,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise KernelError(f"it did not end within {TRIAL_TIMEOUT:.0f} s when it was tried") from None
    if ran.returncode:
        last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = last[0] if last and ran.returncode > 0 else f"signal {-ran.returncode}"
        raise KernelError(f"it failed when it was tried ({reason[:500]})")


def _contents(home: Path) -> tuple[str, ...]:
    """What tells the headers and the library that MLX comes with from any others.

    It is where they are, how large, and when they were written, which the system counts and nobody sets: to
    read 23 MB takes longer than all else before the first result.
    """
    parts = []
    for folder in ("include", "lib"):
        found = []
        for place, _, files in os.walk(home / folder):
            for name in files:
                path = os.path.join(place, name)
                status = os.stat(path)
                found.append((path, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        parts.append(hashlib.sha256(repr(sorted(found)).encode()).hexdigest())
    return tuple(parts)


def _state_functions() -> tuple[Any, Any]:
    return ctypes.pythonapi.PyEval_SaveThread, ctypes.pythonapi.PyEval_RestoreThread
