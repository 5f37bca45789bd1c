"""Directories and files that nobody but their owner can change, checked as OpenSSH checks those of its keys.

What is loaded from a cache runs as the user. So the cache is a directory that only the user can write, every
directory above it can be changed by the user and root alone, and so can every link on the way. Then nobody
else can put a thing into it, or another directory into its place, at any time: not only at that of the check.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = 0o022
"""Leave to write for the group and all others."""

LINKS = 40
"""Symbolic links on one path, as many as Linux follows."""


class UntrustedError(Exception):
    """Somebody else could change a directory or a file, or it is of another kind."""


def private_directory(path: Path) -> Path:
    """The directory `path`, made with mode 0700 if it is missing: ours, and closed to everybody else.

    Returns:
        Its path without symbolic links.

    Raises:
        UntrustedError: it, or a directory or link on the way to it, can be changed by somebody else.
        OSError: it cannot be made.
    """
    found = trusted_directory(path, make=True)
    status = os.lstat(found)
    if status.st_uid != os.geteuid():
        raise UntrustedError(f"{found} belongs to {_user(status.st_uid)}")
    if stat.S_IMODE(status.st_mode) & 0o077:  # who knows what others have put into it
        raise UntrustedError(f"{found} is open to other users (mode {_mode(status)}; expected 0700)")
    return found


def trusted_directory(path: Path, *, make: bool = False) -> Path:
    """The directory `path` without symbolic links, if only the user and root can change it or the way to it.

    A directory that all may write to, like /tmp, may be on the way if it is sticky: what belongs to the user
    cannot be moved or removed by others there.

    Args:
        path: where it should be.
        make: make what is missing, with mode 0700.

    Raises:
        UntrustedError: somebody else can.
        OSError: it is missing and cannot be made.
    """
    here, todo, links = Path("/"), [*reversed(Path(os.path.abspath(path)).parts[1:])], 0
    _require_ours(here, os.lstat(here))
    while todo:
        name = todo.pop()
        if name in ("..", "."):
            here = here.parent if name == ".." else here
            continue
        step = here / name
        status = _status(step, make=make)
        _require_ours(step, status)
        if not stat.S_ISLNK(status.st_mode):
            here = step
            continue
        links += 1
        if links > LINKS:
            raise UntrustedError(f"{path} leads through more than {LINKS} symbolic links")
        target = Path(os.readlink(step))
        todo += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        here = Path("/") if target.is_absolute() else here
    return here


def open_private(path: Path) -> int:
    """A descriptor of a regular file in a private directory: what it reads is what was checked.

    Raises:
        UntrustedError: it is a link or no regular file, has other names, or belongs to or can be written by
            somebody else.
        OSError: it cannot be opened.
    """
    try:  # without waiting for the writer of a FIFO
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise UntrustedError(f"{path} is a symbolic link") from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.ENXIO, errno.EOPNOTSUPP):  # another's; a socket
            raise UntrustedError(f"{path} cannot be opened: {error.strerror}") from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        wrong = "is no regular file"
    elif status.st_uid != os.geteuid():
        wrong = f"belongs to {_user(status.st_uid)}"
    elif status.st_mode & OTHERS:
        wrong = f"can be written by others (mode {_mode(status)})"
    elif status.st_nlink != 1:
        wrong = f"has {status.st_nlink} names (hard links)"
    else:
        return descriptor
    os.close(descriptor)
    raise UntrustedError(f"{path} {wrong}")


def _status(path: Path, *, make: bool) -> os.stat_result:
    """What is at a path whose directory is trusted; a new directory if nothing is."""
    try:
        return os.lstat(path)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # another process was quicker
        os.mkdir(path, 0o700)
    return os.lstat(path)


def _require_ours(path: Path, status: os.stat_result) -> None:
    """A directory or link that only the user and root can change."""
    if status.st_uid not in (0, os.geteuid()):
        raise UntrustedError(f"{path} belongs to {_user(status.st_uid)}")
    if stat.S_ISLNK(status.st_mode):
        return
    if not stat.S_ISDIR(status.st_mode):
        raise UntrustedError(f"{path} is no directory")
    if status.st_mode & OTHERS and not status.st_mode & stat.S_ISVTX:
        raise UntrustedError(f"{path} can be written by others (mode {_mode(status)})")


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"


def _user(number: int) -> str:
    """A user in words."""
    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except (KeyError, OSError):
        return f"the user with the number {number}"
