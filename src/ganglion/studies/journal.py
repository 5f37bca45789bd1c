"""Where trials are recorded: Optuna's storage, in a journal file by default, safe against kills."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..storage import open_file


def optuna() -> Any:
    """Optuna, which says only what goes wrong.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import optuna as found
    except ImportError:
        raise ImportError("experiments need Optuna: pip install 'ganglion-mlx[studies]'") from None
    found.logging.set_verbosity(found.logging.WARNING)
    return found


BEGIN = b'{"op_code"'
"""How a journal of Optuna's begins, and every line of it."""


def require_journal(path: Path) -> None:
    """Refuse a file of something else, of which the lock would cut off an unfinished last line.

    Raises:
        FileError: it is no journal, or no regular file.
        OSError: it cannot be read.
    """
    with open_file(path) as file:
        begun = file.read(len(BEGIN))
    if begun != BEGIN[: len(begun)]:
        raise FileError(f"{path}: this is no store of experiments; give another store=")


class FileLock:
    """A lock of a journal that the system releases when its holder dies, whatever killed it.

    A line that a writer was killed in the middle of is cut off by the next one, or all behind it would be
    unreadable.
    """

    def __init__(self, path: str) -> None:
        self._path, self._file = path, None

    def acquire(self) -> bool:
        file: Any = open(f"{self._path}.lock", "ab")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        with open(self._path, "r+b") as journal:
            end = journal.seek(0, os.SEEK_END)
            if end:
                journal.seek(end - 1)
                if journal.read(1) != b"\n":
                    journal.truncate(_last_line(journal, end))
        return True

    def release(self) -> None:
        file: Any = self._file
        self._file = None
        file.close()


def _last_line(journal: Any, end: int) -> int:
    """Where the last whole line ends."""
    while end:
        start = max(0, end - 65536)
        journal.seek(start)
        found = journal.read(end - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        end = start
    return 0


def _journal(backend: Any, store: str) -> Any:
    """The file, of which a second at most is lost when the power fails: those trials are run again.

    Optuna waits for the disk at every line, which takes longer than recording a trial. What a process wrote
    outlives it in any case.
    """

    class Journal(backend):  # type: ignore[misc]
        _flushed = 0.0

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            lines = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
            lock.acquire()
            try:
                with open(store, "ab") as file:
                    file.write(lines)
                    file.flush()
                    if time.monotonic() - self._flushed > 1.0:
                        os.fsync(file.fileno())
                        self._flushed = time.monotonic()
            finally:
                lock.release()

    lock = FileLock(store)
    return Journal(store, lock)


@lru_cache(maxsize=8)
def study_of(store: str, name: str, direction: str, process: int) -> Any:
    """The study of a name in a file or database; one for each process, which Optuna's storages need.

    Raises:
        FileError: the file is no journal, or is damaged.
        ValueError: there is no such database.
    """
    found = optuna()
    sampler = found.samplers.TPESampler(seed=0, constant_liar=True)
    try:
        storage: Any = store
        if "://" not in store:
            storage = found.storages.JournalStorage(
                _journal(found.storages.journal.JournalFileBackend, store)
            )
        return found.create_study(
            study_name=name, storage=storage, direction=direction, load_if_exists=True, sampler=sampler
        )
    except (OSError, ImportError):
        raise
    except Exception as error:  # of JSON, of Optuna, of a database: each has errors of its own
        kind = FileError if "://" not in store else ValueError
        told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise kind(f"{store} is no store of experiments that can be read: {told}") from None


@contextmanager
def claimed(folder: Path, number: int) -> Iterator[bool]:
    """Whether this process has a trial for itself, until the block or the process ends."""
    file = _claims(str(folder), os.getpid())
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, number)


@lru_cache(maxsize=8)
def _claims(folder: str, process: int) -> Any:
    """The file whose bytes are locked, open once in each process: closing it anywhere would unlock all."""
    return open(Path(folder, "claims.lock"), "ab")
