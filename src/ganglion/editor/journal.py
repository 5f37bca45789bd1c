"""The journal of an editing session: one line a revision, appended before the edit is answered.

    {"journal": "ganglion-edits", "version": 1, "content": "<SHA-256 of the circuit the revisions follow on>"}
    {"revision": 1, "by": "python", "edit": {"kind": "remove", "neurons": ["inter_0"]}}
    {"revision": 2, "by": "python", "undoes": 1, "edit": {"kind": "add", "neurons": [["inter_0", ...]], ...}}
    {"saving": "<SHA-256 of the circuit that is about to be written to the file>"}

A line is written with one call, so a process that is killed loses at most the edit in flight; a torn last
line is left out when the journal is read. Against a loss of power the journal is flushed to the disk when
editing pauses, and on save. If the disk refuses a line, editing goes on, `state` says so, and the line is
tried again with the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CircuitError
from ..versions import version_fault

HEADER: dict[str, Any] = {"journal": "ganglion-edits", "version": 1}
PAUSE = 0.5
"""Seconds without an edit after which the journal is flushed to the disk."""


@dataclass(frozen=True)
class JournalState:
    """What of the revisions is safe.

    Attributes:
        synced: everything is on the disk, also if the power is lost now.
        pending: revisions that would be lost with the process, because the disk refused them.
        error: why it did, or None.
    """

    synced: bool = True
    pending: int = 0
    error: str | None = None


class Journal:
    """A file to which revisions are appended. Only one process may hold it.

    Args:
        path: the file; it is made if there is none.
        changed: called with every new `JournalState`, in whichever thread finds it.

    Raises:
        CircuitError: another editor or process holds the journal, or the file is no journal.
        OSError: the file cannot be made or read.
    """

    def __init__(self, path: Path, changed: Callable[[JournalState], None] | None = None) -> None:
        self.path = path
        self.state = JournalState()
        self.changed = changed
        self._lock = threading.RLock()
        self._waiting: list[bytes] = []
        self._timer: threading.Timer | None = None
        self._file = _locked(path)
        self._length = os.fstat(self._file).st_size

    def rename(self, path: Path) -> None:
        """Keep the file under another name; it stays held until it is closed."""
        os.rename(self.path, path)
        self.path = path

    def records(self) -> list[dict[str, Any]]:
        """What was kept, the header first; a torn last line is left out, and cut off the file.

        Raises:
            CircuitError: this is no journal, or a line other than the last is broken.
        """
        with self._lock:
            data = os.pread(self._file, self._length, 0)
            whole = data[: data.rfind(b"\n") + 1]
            found = []
            for number, line in enumerate(whole.splitlines(), 1):
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    record = None
                if not isinstance(record, dict):
                    raise CircuitError(f"{self.path}, line {number}: this is no record of a journal")
                found.append(record)
            if found and found[0].get("journal") != HEADER["journal"]:
                raise CircuitError(f"{self.path} is no journal of this version of Ganglion")
            if found and (fault := version_fault(found[0], HEADER["version"])) is not None:
                raise CircuitError(f"{self.path} is no journal of this version of Ganglion: it {fault}")
            if len(whole) < len(data):
                self._cut(len(whole))
            return found

    def start(self, content: str) -> None:
        """Empty the journal; what comes follows on the circuit of this content."""
        with self._lock:
            self._waiting.clear()
            with suppress(OSError):
                self._cut(0)
            self.append(HEADER | {"content": content})
            self.sync()

    def append(self, record: dict[str, Any]) -> None:
        """Keep a record; if the disk refuses, `state` says so."""
        with self._lock:
            self._waiting.append(json.dumps(record).encode() + b"\n")
            error = None
            while self._waiting:
                try:
                    self._write(self._waiting[0])
                except OSError as problem:
                    error = problem.strerror or str(problem)
                    break
                del self._waiting[0]
            self._tell(JournalState(False, len(self._waiting), error))
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(PAUSE, self.sync)
            self._timer.daemon = True
            self._timer.start()

    def sync(self) -> None:
        """Flush to the disk what was appended."""
        with self._lock:
            if self._file < 0:
                return
            try:
                os.fsync(self._file)
            except OSError as error:
                self._tell(JournalState(False, len(self._waiting), error.strerror))
            else:
                self._tell(JournalState(not self._waiting, len(self._waiting), self.state.error))

    def close(self, *, remove: bool = False) -> None:
        """Flush and let go of the file; `remove` takes it away, when nothing in it is needed any more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._file >= 0:
                self.sync()
                if remove:
                    self.path.unlink(missing_ok=True)
                os.close(self._file)
                self._file = -1

    def _write(self, line: bytes) -> None:
        """The whole line or nothing of it."""
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError(28, "No space left on device")
        except OSError:
            with suppress(OSError):
                self._cut(self._length)
            raise
        self._length += written

    def _cut(self, length: int) -> None:
        os.ftruncate(self._file, length)
        self._length = length

    def _tell(self, state: JournalState) -> None:
        if state != self.state:
            self.state = state
            if self.changed is not None:
                self.changed(state)


def _locked(path: Path) -> int:
    """A file of this name that nobody else holds.

    Between opening and locking, who held it before may have removed or renamed it: what is locked then is no
    longer what the next process would open, so that it is opened anew.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise CircuitError(f"{path}: another editor or another process is editing this circuit") from None
        except OSError:
            pass  # some file systems have no locks
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)
