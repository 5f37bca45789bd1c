"""Building kernels at run time with the system's C++ compiler, and loading them from the cache."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...errors import KernelError
from . import prebuilt
from .cache import add, cache_directory, find, refuse, refused, remove
from .prebuilt import FLAGS, SHARED
from .processor import NATIVE, features, processor_name

TIMEOUT = 300.0
_turns: dict[str, threading.Lock] = {}
"""Of each library, for whose turn it is to build it; others are built meanwhile."""


class Extra(NamedTuple):
    """What a library needs that is built against another one.

    Attributes:
        flags: of the compiler, behind ours.
        identity: what else the result depends on.
        trial: runs a build before it is kept, and raises `KernelError` if it does not work.
    """

    flags: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    trial: Callable[[Path], None] | None = None


_highest = 2  # the last number under which a kernel is held


def _forget_builds() -> None:
    """After a fork, the threads that were building are not there to release their locks."""
    _turns.clear()


os.register_at_fork(after_in_child=_forget_builds)


def load_library(source: str, name: str, *symbols: str, extra: Extra | None = None) -> ctypes.CDLL:
    """Load what the package carries of C++ source; else take it from the cache or compile it, and load it.

    Two processes may build at once and one be killed. Threads take turns at a library, so that one builds
    what all need. What was built with a trial and failed is not built again; the cache remembers why.

    Args:
        source: the text.
        name: how its file's name begins.
        symbols: the functions that it must have.
        extra: what it needs beyond a kernel.

    Raises:
        KernelError: there is no compiler, or it fails, or the result cannot be kept or loaded.
    """
    if extra is None and (ready := _carried(source, name, symbols)) is not None:
        return ready
    with _told_of(name):
        extra = extra or Extra()
        directory, stem = cache_directory(), _stem(source, name, extra)
        with _turn(stem):
            found = find(directory, stem)
            if found is None:
                if extra.trial and (reason := refused(directory, stem)):
                    raise KernelError(f"{reason} (`ganglion cache --clear` lets it be built again)")
                _compile(source, directory, stem, extra)
                found = find(directory, stem)
            if found is None:
                raise KernelError(f"cannot build the kernel {name}: it vanished from {directory}")
            return _load(*found, symbols)


def build_ahead(source: str, name: str, extra: Extra) -> threading.Thread | None:
    """Build in a thread what `load_library` will ask for; None if the cache has it, or why it does not work.

    The process does not end before the thread, so that what was begun once is there the next time. What goes
    wrong is nobody's concern until the library is asked for.

    Raises:
        KernelError: there is no compiler.
    """
    with _told_of(name):
        directory, stem = cache_directory(), _stem(source, name, extra)
        if any(directory.glob(f"{stem}-*.so")) or refused(directory, stem):
            return None

    def build() -> None:
        with suppress(KernelError, OSError), _turn(stem):
            if not any(directory.glob(f"{stem}-*.so")):  # or the process itself was quicker
                _compile(source, directory, stem, extra)

    thread = threading.Thread(target=build, name=f"ganglion builds {name}")
    thread.start()
    return thread


def _turn(stem: str) -> threading.Lock:
    return _turns.setdefault(stem, threading.Lock())


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """What the system refuses, such as a full disk or one more process, as an error of the kernel."""
    try:
        yield
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise KernelError(f"cannot build the kernel {name}: {place}{error.strerror or error}") from error


def _stem(source: str, name: str, extra: Extra) -> str:
    """How the name of a library's file begins in the cache."""
    return f"{name}-{processor_name()}-{_digest(source, extra)}"


def origin(source: str, name: str, *symbols: str) -> str:
    """Where `load_library` has a library from, in words."""
    found = prebuilt.find(source, name)
    if found is None or _carried(source, name, symbols) is None:
        return "built on this machine"
    return f"carried by the package for {found[1].name}"


@cache
def _carried(source: str, name: str, symbols: tuple[str, ...]) -> ctypes.CDLL | None:
    """The library of the package; nothing if there is none, or the system cannot load it."""
    if (found := prebuilt.find(source, name)) is None:
        return None
    with suppress(
        OSError, AttributeError
    ):  # as where the C library is older than that of the wheel's platform
        library = ctypes.CDLL(str(found[0]))
        for symbol in symbols:
            library[symbol]
        return library
    return None


def _load(path: Path, descriptor: int, symbols: tuple[str, ...]) -> ctypes.CDLL:
    """Load a library, by the descriptor that was checked where the system can; remove what does not load."""
    place = _held(descriptor) or str(path)
    try:
        library = ctypes.CDLL(place)
        for symbol in symbols:
            library[symbol]
    except (OSError, AttributeError) as error:
        remove(path)
        raise KernelError(f"cannot load the kernel {path}: {str(error).replace(place, str(path))}") from error
    finally:
        os.close(descriptor)
    return library


def _held(descriptor: int) -> str | None:
    """A name for the loader of an open file; None where there is none, as on macOS.

    The loader takes two libraries of one name for the same. So the file stays open under a number that no
    kernel had before, even if somebody closed all files.
    """
    global _highest
    with suppress(OSError):
        number = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _highest + 1)
        _highest = number
        if os.path.exists(f"/proc/self/fd/{number}"):
            return f"/proc/self/fd/{number}"
        os.close(number)
    return None


@cache
def compiler() -> tuple[str, ...]:
    """The C++ compiler as a command: $CXX if set, else the first of c++, g++ and clang++.

    Raises:
        KernelError: there is none, or CXX is no command.
    """
    try:
        chosen = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:
        raise KernelError(f"CXX is {os.environ['CXX']!r}, which is no command: {error}") from error
    for command in (chosen,) if chosen else (["c++"], ["g++"], ["clang++"]):
        if found := shutil.which(command[0]):
            return (found, *command[1:])
    raise KernelError(f"no C++ compiler: looked for {chosen[0] if chosen else 'c++, g++ and clang++'}")


def _digest(source: str, extra: Extra) -> str:
    """What a built file depends on: the source, the command and the machine."""
    parts = (source, *compiler(), *_identity(), *FLAGS, *SHARED, NATIVE, features(), *extra.flags)
    parts += extra.identity
    return hashlib.sha256(os.fsencode("\0".join(parts))).hexdigest()[:24]


@cache
def _identity() -> tuple[str, ...]:
    """Which compiler the command really is: a newer one under the same name builds anew."""
    found = os.stat(compiler()[0])
    return (os.path.realpath(compiler()[0]), str(found.st_size), str(found.st_mtime_ns))


def _compile(source: str, directory: Path, stem: str, extra: Extra) -> None:
    """Build a file in a folder of the cache, try it, then add it.

    Raises:
        KernelError: the compiler fails.
        OSError: the disk does, or the compiler cannot be started.
    """
    _say_once(compiler()[0], str(directory))
    with tempfile.TemporaryDirectory(dir=directory, prefix="build-") as scratch:
        text, built = Path(scratch) / "kernel.cpp", Path(scratch) / "kernel.so"
        text.write_text(source)
        command = [*compiler(), *FLAGS, *SHARED, NATIVE, str(text), *extra.flags, "-o", str(built)]
        # Without the name of the scratch directory, it is the same message every time, and told once.
        shown = shlex.join(command).replace(f"{scratch}/", "")
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise KernelError(f"{shown} did not end within {TIMEOUT:.0f} s") from error
        told = ran.stderr.decode(errors="replace").replace(f"{scratch}/", "").splitlines()[:12]
        try:
            if ran.returncode:
                raise KernelError("\n".join((f"{shown} failed (exit code {ran.returncode}):", *told))[:4000])
            if not built.is_file():
                raise KernelError(f"{shown} made no library")
            if extra.trial:
                extra.trial(built)
        except KernelError as error:
            if extra.trial:
                refuse(directory, stem, str(error))
            raise
        add(directory, stem, built)


@cache
def _say_once(command: str, directory: str) -> None:
    """A build takes a while: one line on stderr says why."""
    with suppress(OSError, ValueError, AttributeError):  # stderr may be closed or missing
        told = (
            f"ganglion: building kernels for this processor with {command}, once, for some seconds; "
            f"kept in {directory}"
        )
        print(told, file=sys.stderr)
