"""Files: replaced whole, so that a reader finds the old content or the new one, and read without surprises.

Only regular files are read, because a pipe may never end and a device never does. Documents are JSON objects
that say their format and its version.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from .arguments import label
from .errors import FileError
from .versions import version_fault

KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


def open_file(path: Path) -> BinaryIO:
    """A regular file, open for reading.

    Raises:
        FileError: it is something else.
        OSError: it is not there or cannot be read.
    """
    try:  # not waiting for the other end of a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        with suppress(OSError):  # of a socket or a device the system says nothing that helps
            _require_regular(path, os.stat(path).st_mode)
        raise
    except ValueError:
        raise FileError(f"{label(str(path))} is no path: a path has no character of the number 0") from None
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_file(path: Path) -> bytes:
    """The content of a regular file; raises as `open_file`."""
    with open_file(path) as file:
        return file.read()


def read_document(data: str | bytes, form: str, version: int, *, since: int | None = None) -> dict[str, Any]:
    """A JSON object that says that it is of this format and version, or of one from `since` on.

    Raises:
        FileError: it is no JSON, or of another format or version; the message begins with the verb.
    """
    try:
        document = json.loads(data, parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise FileError(f"is not sound JSON: {str(error)[:80]}") from None
    if not isinstance(document, dict) or document.get("format") != form:
        raise FileError(f'has no "format": "{form}"')
    if (fault := version_fault(document, version, since=since)) is not None:
        raise FileError(f"is of version {fault.removeprefix('is ')}")
    return document


def finite(text: str) -> float:
    """A number as JSON has it: Python reads NaN and Infinity, too, and 1e400 as an infinite number.

    Raises:
        ValueError: it is not finite.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:60]} is not JSON: it is no finite number")
    return number


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: this is {KINDS.get(stat.S_IFMT(mode), 'no file')}, expected a file")


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write the files: all of them, or none if there is an error.

    Each file is written under a temporary name in its directory, flushed to the disk and then renamed. A
    single rename is atomic. Two are not: a circuit of several files has its old ones set aside first, so that
    a crash in between leaves a missing file, which `read` reports, and never old and new files side by side.
    Two writers of the same several files must take turns, or a file of each may remain. What a crash leaves
    under other names is removed when the same files are next written.

    Raises:
        OSError: a directory is missing, the target is a device or a pipe, or the disk refuses; the old files
            stay as they were.
    """
    for path in contents:
        _require_writable(path)
    targets = [Path(os.path.realpath(path)) for path in contents]  # a symbolic link stays a link
    token = secrets.token_hex(6)
    new = [path.with_name(f"{_stem(path)}-{token}.tmp") for path in targets]
    old = [path.with_name(f"{_stem(path)}-{token}.old") for path in targets]
    with ExitStack() as temporary:
        for path, target, data in zip(new, targets, contents.values(), strict=True):
            try:
                temporary.enter_context(_written(path, data, target))
            except OSError as error:  # from writing or, once more, from closing; neither names the target
                raise OSError(error.errno, error.strerror, str(target)) from None
        if len(targets) == 1:
            os.replace(new[0], targets[0])
        else:
            _exchange(new, targets, old)
        for directory in {path.parent for path in targets}:
            flush_directory(directory)
    _sweep(targets)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """For libraries that write a file themselves: where to, so that `replace_files` can put it at `path`.

    If there is an error inside the block, nothing is written.

    Raises:
        OSError: as `replace_files`, before the block already where that can be known.
    """
    _require_writable(path)
    with tempfile.TemporaryDirectory(prefix="ganglion-") as folder:
        made = Path(folder, path.name)
        try:
            yield made
        except OSError as error:  # of the folder for temporary files, which says nothing to the caller
            raise (OSError(error.errno, error.strerror, str(path)) if error.strerror else error) from None
        except RuntimeError as error:
            if "Unable to write" not in str(error):
                raise
            raise OSError(f"cannot write {path}: the disk takes no more, says MLX") from None
        replace_files({path: read_file(made)})


def make_directory(path: Path, contents: Mapping[str, bytes]) -> None:
    """A new directory with these files, which is there whole or not at all.

    What a crash leaves under a temporary name is removed by `sweep_directory`.

    Raises:
        OSError: there is one already, or the disk refuses.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        new.mkdir()
        replace_files({new / name: content for name, content in contents.items()})
        os.rename(new, path)
        flush_directory(path.parent)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise


def remove_directory(path: Path) -> None:
    """Remove a directory of `make_directory`: it is there whole or not at all meanwhile."""
    aside = path.with_name(f".{path.name}.old.tmp")
    os.rename(path, aside)
    shutil.rmtree(aside, ignore_errors=True)


def sweep_directory(parent: Path, pattern: str) -> None:
    """Remove what a crash has left of directories of such names; nobody else may be making one."""
    for left_over in parent.glob(f".{pattern}.tmp"):
        shutil.rmtree(left_over, ignore_errors=True)


def _require_writable(path: Path) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(f"cannot write {path}: it is no regular file")  # a rename would replace a device
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no directory {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {path}: it is a directory")
    # A rename would not ask, because it needs leave to write to the directory only.
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"cannot write {path}: the file is read-only")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"cannot write {path}: the directory {path.parent} is read-only")


def _stem(target: Path) -> str:
    """How temporary names of a file begin; a hash, because its own name may be as long as names can be."""
    return f".ganglion-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}"


@contextmanager
def _written(path: Path, data: bytes, target: Path) -> Iterator[None]:
    """A new file, through to the disk, with the permissions of the target, or the usual ones.

    It is there, if it was not renamed, and locked against `_sweep` until the end of the block.
    """
    try:
        with path.open("xb") as file:
            with suppress(OSError):  # some file systems have no locks; nothing is swept there
                fcntl.flock(file, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if target.exists():
                os.chmod(path, stat.S_IMODE(target.stat().st_mode))
            yield
    finally:
        path.unlink(missing_ok=True)


def _sweep(targets: Iterable[Path]) -> None:
    """Remove what writers that crashed have left: other temporary files of these names that nobody holds."""
    for target in targets:
        for path in target.parent.glob(f"{_stem(target)}-*"):
            with suppress(OSError), path.open("rb") as file:
                if os.fstat(file.fileno()).st_size:  # one that is still empty may be about to be locked
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


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
    """Make renames last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
