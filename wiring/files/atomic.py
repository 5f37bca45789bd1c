"""Files that are replaced whole: a reader finds the old content or the new one, never a part of either."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write the files: all of them, or none if there is an error.

    Each file is written under a temporary name in its directory, flushed to the disk and then renamed. A
    single rename is atomic. Two are not: a circuit of several files has its old ones set aside first, so that
    a crash in between leaves a missing file, which `read` reports, and never old and new files side by side.
    Two writers of the same several files must take turns, or a file of each may remain.

    Raises:
        OSError: a directory is missing or the disk refuses; the old files stay as they were.
    """
    targets = [Path(os.path.realpath(path)) for path in contents]  # a symbolic link stays a link
    for target in targets:
        _require_writable(target)
    token = secrets.token_hex(6)
    new = [path.with_name(f".ganglion-{token}-{k}.tmp") for k, path in enumerate(targets)]
    old = [path.with_name(f".ganglion-{token}-{k}.old") for k, path in enumerate(targets)]
    try:
        for path, target, data in zip(new, targets, contents.values(), strict=True):
            _write_flushed(path, data, like=target)
        if len(targets) == 1:
            os.replace(new[0], targets[0])
        else:
            _exchange(new, targets, old)
        for directory in {path.parent for path in targets}:
            flush_directory(directory)
    finally:
        for path in new:
            path.unlink(missing_ok=True)


def _require_writable(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no directory {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a directory")
    # A rename would not ask, because it needs leave to write to the directory only.
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"cannot write {path}: the file is read-only")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"cannot write {path}: the directory {path.parent} is read-only")


def _write_flushed(path: Path, data: bytes, like: Path) -> None:
    """Write a new file through to the disk, with the permissions of `like`, or the usual ones."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if like.exists():
        os.chmod(path, stat.S_IMODE(like.stat().st_mode))


def _exchange(new: list[Path], targets: list[Path], old: list[Path]) -> None:
    """Put the new files in place of the old ones, or undo it all."""
    undo: list[tuple[Path, Path]] = []
    try:
        for target, aside in reversed(list(zip(targets, old, strict=True))):
            if target.exists():
                os.replace(target, aside)
                undo.append((aside, target))
        for path, target in zip(new, targets, strict=True):
            os.replace(path, target)
            undo.append((target, path))
    except BaseException:
        for source, destination in reversed(undo):
            os.replace(source, destination)
        raise
    for aside in old:
        aside.unlink(missing_ok=True)


def flush_directory(path: Path) -> None:
    """Make renames last through a power cut; only POSIX lets a directory be flushed."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
