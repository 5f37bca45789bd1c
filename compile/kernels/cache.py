"""The cache of built kernels: private to the user, checked at every use, bounded in size.

A file is called ``KERNEL-PROCESSOR-DIGEST-CONTENT.so``: what it computes, the kind of processor it was built
for, a digest of source, compiler and flags, and one of the file itself, so that one cut short is noticed.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...errors import KernelError
from .trusted import UntrustedError, open_private, private_directory, trusted_directory

MOST = 64 * 2**20
"""Bytes that are kept; what was not used for longest goes first. A kernel has some 40,000."""

LARGEST = 16 * 2**20
"""Bytes of one file; a kernel is far smaller."""

REFUSED = ".refused"
"""How names of files end that say why a build does not work."""

ABANDONED = 600.0
"""Seconds after which a build that left its folder behind was killed."""

_own: dict[int, Path] = {}  # a fresh directory for each process; a fork needs another


class Entry(NamedTuple):
    """A file of the cache: its name, bytes, and when it was last used, in seconds since 1970."""

    name: str
    size: int
    used: float


def chosen_directory() -> Path:
    """Where built kernels are kept, $GANGLION_CACHE or in the user's cache; it may not be there yet.

    Raises:
        KernelError: the user has no home directory.
    """
    if chosen := os.environ.get("GANGLION_CACHE"):
        return Path(chosen).absolute() / "kernels"
    try:
        if sys.platform == "darwin":
            parent = Path.home() / "Library" / "Caches"
        else:
            parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise KernelError(f"{error}: set GANGLION_CACHE to a directory of your own") from error
    return parent.absolute() / "ganglion" / "kernels"


def cache_directory() -> Path:
    """A directory for built kernels that is the user's alone.

    It is `chosen_directory` if only the user and root can change it and the way to it. Otherwise it is a
    fresh one for this process, and a warning says why, once.

    Raises:
        KernelError: there is no place for a fresh one, either.
    """
    try:
        return private_directory(chosen_directory())
    except (UntrustedError, KernelError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename or 'the cache'}: {error.strerror or error}"
    return _own_directory(reason)


def find(directory: Path, stem: str) -> tuple[Path, int] | None:
    """The cached file whose name begins so and an open descriptor of it, if it is ours alone and whole.

    What was checked is what the descriptor reads, whatever becomes of the path. Whatever else is found under
    the name is removed.

    Raises:
        OSError: it cannot be read for a reason that is not its own.
    """
    for path in sorted(directory.glob(f"{stem}-*.so")):
        try:
            descriptor = open_private(path)
        except FileNotFoundError:  # another process removed it
            continue
        except UntrustedError:
            remove(path)
            continue
        if path.stem == f"{stem}-{_content(descriptor)}":
            with suppress(OSError):  # the cache may lie on a file system that cannot be written
                os.utime(descriptor)
            return path, descriptor
        os.close(descriptor)
        remove(path)
    return None


def add(directory: Path, stem: str, built: Path) -> None:
    """Take over a built file, which appears under its name at once and whole; then remove what is too much.

    Raises:
        OSError: it is not there, or the directory cannot be written.
    """
    built.chmod(0o700)
    descriptor = os.open(built, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        path = directory / f"{stem}-{_content(descriptor)}.so"
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if path.is_dir():
        remove(path)
    os.replace(built, path)
    _trim(directory, path.name)


def refuse(directory: Path, stem: str, reason: str) -> None:
    """Remember why what begins so does not work, so that no other process tries it."""
    handle, written = tempfile.mkstemp(dir=directory, prefix="build-")
    with os.fdopen(handle, "w") as file:
        file.write(reason)
    os.replace(written, directory / f"{stem}{REFUSED}")


def refused(directory: Path, stem: str) -> str | None:
    """Why what begins so does not work, if that is known."""
    try:
        with open(open_private(directory / f"{stem}{REFUSED}"), errors="replace") as file:
            return file.read(4000) or None
    except (UntrustedError, OSError):
        return None


def remove(path: Path) -> None:
    """Remove a file or a folder of the cache; nothing if another process was quicker."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def entries(directory: Path) -> list[Entry]:
    """What the cache holds, the latest used first."""
    found = []
    for path in directory.glob("*.so"):
        with suppress(OSError):
            status = path.lstat()
            found.append(Entry(path.name, status.st_size, status.st_mtime))
    return sorted(found, key=lambda entry: -entry.used)


def clear(directory: Path) -> int:
    """Remove all kernels and what builds left; how many kernels there were. Running processes keep theirs."""
    held = entries(directory)
    for entry in held:
        remove(directory / entry.name)
    for left in (*directory.glob("build-*"), *directory.glob(f"*{REFUSED}")):
        remove(left)
    return len(held)


def _trim(directory: Path, newest: str) -> None:
    """Remove what was not used for longest, until the rest is within bounds, and what killed builds left."""
    total = 0
    for entry in entries(directory):
        total += entry.size
        if total > MOST and entry.name != newest:
            remove(directory / entry.name)
    for left in directory.glob("build-*"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > ABANDONED:
                remove(left)


def _own_directory(reason: str) -> Path:
    """A fresh directory of this process, removed when it ends."""
    process = os.getpid()
    if process in _own:
        with suppress(UntrustedError, OSError):  # what cleans /tmp may have removed it
            return private_directory(_own[process])
    _tell_once(reason)
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        try:
            path = Path(tempfile.mkdtemp(prefix="ganglion-", dir=trusted_directory(Path(parent))))
        except (UntrustedError, OSError):
            continue
        atexit.register(_forget, process, path)
        _own[process] = path
        return path
    raise KernelError(f"there is no place for built kernels: {reason}; set GANGLION_CACHE")


@cache
def _tell_once(reason: str) -> None:
    warnings.warn(
        f"the cache of built kernels is not used, and they are built for this process only: {reason}; "
        f"set GANGLION_CACHE to a directory that only you can write",
        RuntimeWarning,
        stacklevel=2,
    )


def _forget(process: int, path: Path) -> None:
    if os.getpid() == process:  # a forked child has its own
        remove(path)


def _content(descriptor: int) -> str:
    """A digest of a file; nothing if it is larger than any kernel."""
    if os.fstat(descriptor).st_size > LARGEST:
        return ""
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return hashlib.sha256(file.read()).hexdigest()[:24]
