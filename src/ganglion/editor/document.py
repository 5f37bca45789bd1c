"""A circuit's file while it is edited: opened with what a crash left, journalled, saved whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import networkx as nx

from ..arguments import at_home
from ..errors import CircuitError
from ..wiring import Circuit, read, write
from ..wiring.files import json_format
from ..wiring.files.formats import writable
from .journal import Journal, JournalState
from .session import EditSession

IDLE = 60.0
"""Seconds without an edit after which a circuit is saved by itself."""


class Watcher(Protocol):
    """Hears what becomes of a document, in whichever thread finds it."""

    def journalled(self, state: JournalState) -> None:
        """What of the revisions is safe has changed."""

    def saved(self, path: Path, revision: int, aside: Path | None) -> None:
        """The circuit was written to its file, or a copy of it to another.

        ``aside`` keeps what something else had written into the file meanwhile.
        """


class Document:
    """A session over the circuit in a file, with its journal beside it.

    If the process that edited the file last was killed, its journal holds what was not saved: these edits are
    done again, so that they can also be undone, and `recovered` counts them. A journal that does not belong
    to the content of the file, because the file was changed by something else since, is set aside and named
    in `notice`.

    Args:
        path: ends in .json, .graphml or .csv; a file that is not there yet starts as an empty circuit.
        circuit: a circuit to edit and save there, instead of what is in the file.
        autosave: write the file by itself when nobody has edited for a minute; edits are in the journal
            until then.

    Raises:
        CircuitError: the file is no circuit, or another process is editing it.
        ValueError: an unknown ending.
        OSError: the file cannot be read.

    Example:
        >>> document = Document("c.json")
        >>> document.session.apply(edits.Remove(neurons=["inter_0"]))
        >>> document.save()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        circuit: nx.DiGraph[Any] | None = None,
        *,
        autosave: bool = False,
    ) -> None:
        self.path = at_home("the path", path)
        circuit = self._read() if circuit is None else circuit
        held = content(circuit)
        self.notice: str | None = None
        self.journal, records = self._open_journal(held)
        follow = [record for record in records if "revision" in record]
        first = follow[0]["revision"] if follow and isinstance(follow[0]["revision"], int) else 1
        self._known = self._written()
        self.session = EditSession(circuit, revision=first - 1)
        self.saved: int | None = self.session.revision
        self.recovered = self._replay(follow, held)
        self.session.journal = self.journal
        self.closed = False
        self._watchers: list[Watcher] = []
        self._holders: set[object] = set()
        self._idle: threading.Timer | None = None
        if self.journal is not None:
            self.journal.changed = self._journalled
        if autosave:
            self.session.observe(lambda _: self._wait())
            if self.recovered:
                self._wait()

    @property
    def state(self) -> JournalState:
        """What of the revisions is safe."""
        if self.journal is None:
            return JournalState(False, self.session.revision - (self.saved or 0), self.notice)
        return self.journal.state

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write the circuit to its file, or as a copy to another, whole or not at all.

        What something else has written into the file since it was read or saved is kept beside it, as
        ``c.json.1``, and a warning says so.

        Raises:
            CircuitError: the format does not hold something in the circuit; the message names it.
            OSError: the file cannot be written; it stays as it was, and so does the journal.
        """
        with self.session.lock:
            self.session.notice()
            circuit = self.session.circuit
            if path is not None and Path(path) != self.path:
                write(circuit, path)
                self._told(Path(path))
                return Path(path)
            if self.journal is not None and self.path.suffix.lower() == ".json":
                self.journal.append({"saving": content(circuit)})
            aside = self._keep_foreign()
            write(circuit, self.path)
            self._known = self._written()
            self.saved = self.session.revision
            if self.journal is not None:
                # What a format turned into something else, such as names into texts, counts as it is read.
                lossless = self.path.suffix.lower() == ".json"
                self.journal.start(content(circuit if lossless else read(self.path)))
            self._told(self.path, aside)
            return self.path

    def _written(self) -> dict[Path, str]:
        """What is in the files that the circuit is kept in, by their SHA-256."""
        files = [path for path in writable(self.path).targets(self.path) if path.is_file()]
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def _keep_foreign(self) -> Path | None:
        """Copy files that something else has written to other names, and return the first of those."""
        found = self._written()
        foreign = [path for path, held in found.items() if self._known.get(path) != held]
        kept = []
        for path in foreign:
            kept.append(_free(path))
            shutil.copy2(path, kept[-1])
        if not kept:
            return None
        text = f"something else had written into {foreign[0]}; that is kept as {kept[0].name}"
        warnings.warn(text, UserWarning, stacklevel=3)
        return kept[0]

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` of saves and of the journal; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def hold(self) -> Callable[[], None]:
        """Keep the document open for one more editor; returns what lets go. The last to let go closes it."""
        holder = object()
        self._holders.add(holder)

        def release() -> None:
            if holder in self._holders:
                self._holders.remove(holder)
                if not self._holders:
                    self.close()

        return release

    @property
    def held(self) -> bool:
        """Whether an editor shows it."""
        return bool(self._holders)

    def close(self) -> None:
        """Let go of the journal, which is removed if everything is saved."""
        self.closed = True
        if self._idle is not None:
            self._idle.cancel()
        if self.journal is not None:
            self.journal.close(remove=self.saved == self.session.revision)
            self.session.journal = self.journal = None

    def _told(self, path: Path, aside: Path | None = None) -> None:
        for watcher in list(self._watchers):
            watcher.saved(path, self.session.revision, aside)

    def _journalled(self, state: JournalState) -> None:
        for watcher in list(self._watchers):
            watcher.journalled(state)

    def _wait(self) -> None:
        """Save when nothing else happens for a while."""
        if self._idle is not None:
            self._idle.cancel()
        if self.closed:
            return
        self._idle = threading.Timer(IDLE, self._save_idle)
        self._idle.daemon = True
        self._idle.start()

    def _save_idle(self) -> None:
        with (
            self.session.lock,
            suppress(CircuitError, OSError),
        ):  # the journal has it, and a save will say why
            if not self.closed and self.saved != self.session.revision:
                self.save()

    def _read(self) -> Circuit:
        if any(path.exists() for path in (self.path, *writable(self.path).targets(self.path))):
            return read(self.path)
        with suppress(FileNotFoundError):
            self.path.stat()  # a link that leads in a circle could not be saved, either
        if not self.path.parent.is_dir():
            raise FileNotFoundError(2, "there is no such directory", str(self.path.parent))
        return Circuit()

    def _open_journal(self, held: str) -> tuple[Journal | None, list[dict[str, Any]]]:
        """The journal, and what in it follows on the content of the file."""
        try:
            journal = Journal(self._beside)
        except OSError as error:
            self.notice = f"edits are not kept until they are saved: {self._beside}: {error.strerror}"
            return None, []
        try:
            return journal, _after(journal.records(), held)
        except CircuitError as error:
            return self._set_aside(journal, error), []

    @property
    def _beside(self) -> Path:
        return self.path.with_name(self.path.name + ".journal")

    def _replay(self, records: list[dict[str, Any]], held: str) -> int:
        """Do again what was not saved, and leave a journal of just that; returns how many edits it was."""
        done = 0
        try:
            for record in records:
                self.session.replay(record)
                done += 1
        except CircuitError as error:
            assert self.journal is not None  # the records come from it
            self.journal = self._set_aside(self.journal, error)
        if self.journal is not None and (done < len(records) or not records):
            self.journal.start(held)
            for entry in self.session.entries:
                self.journal.append(entry.record())
        return done

    def _set_aside(self, journal: Journal, error: CircuitError) -> Journal:
        """Keep a journal that cannot be used under another name, and open a new one."""
        aside = _free(self._beside)
        journal.rename(aside)
        journal.close()
        self.notice = f"the journal was set aside as {aside.name}: {error}"
        return Journal(self._beside)


def _free(path: Path) -> Path:
    """The same name with the first number behind it that nothing has yet."""
    names = (path.with_name(f"{path.name}.{k}") for k in count(1))
    return next(name for name in names if not name.exists())


def content(circuit: nx.DiGraph[Any]) -> str:
    """The SHA-256 of everything in a circuit, in its order."""
    return hashlib.sha256(json_format.encode(circuit)).hexdigest()


def _after(records: list[dict[str, Any]], held: str) -> list[dict[str, Any]]:
    """The records that follow on the content of the file."""
    saves = [k for k, record in enumerate(records) if record.get("saving") == held]
    if saves:  # the file was written, and then there was no time to start the journal anew
        return records[saves[-1] + 1 :]
    if records and records[0].get("content") != held:
        raise CircuitError("it does not belong to what is in the file now")
    return records[1:]
