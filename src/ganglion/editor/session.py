"""An editing session: edits are done, undone and redone, numbered, told to observers and journalled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import networkx as nx

from ..arguments import function_of, label, text, whole
from ..errors import CircuitError
from ..wiring import Circuit, edits
from ..wiring.edits import Batch, Edit, Set
from ..wiring.edits.difference import difference, replacement
from ..wiring.order import require_thawed, twin
from ..wiring.roles import require_digraph
from .script import script

PYTHON = "python"
"""Who an edit is by if nobody else is named."""
OUTSIDE = "changed in Python"


@dataclass(frozen=True)
class Entry:
    """One revision of a session.

    Attributes:
        revision: its number; counted from that of the circuit as it was opened.
        edit: what was applied.
        changes: the primitive edits that do the same.
        inverse: the edit that takes it back.
        by: who made it.
        label: what it does, in a few words.
        undoes: the revision that it takes back, if it is an undo, or an undo that it takes back, if a redo.
    """

    revision: int
    edit: Edit
    changes: tuple[Edit, ...]
    inverse: Edit
    by: str
    label: str
    undoes: int | None = None

    def record(self) -> dict[str, Any]:
        """The revision as an object of JSON, for a journal."""
        taken = {} if self.undoes is None else {"undoes": self.undoes}
        return {"revision": self.revision, "by": self.by, **taken, "edit": self.edit.to_json()}


class Log(Protocol):
    """What a session writes its revisions to."""

    def append(self, record: dict[str, Any]) -> None:
        """Keep one record."""


class EditSession:
    """A circuit while it is edited: the circuit itself, its revisions, undo and redo.

    Every edit is applied whole or refused whole. Undo applies the inverse of an edit now, if it still fits,
    else says why not. Changes that were made to the circuit without the session are found before the next
    edit, and become a revision of their own. Several threads may use a session; hold `session.lock` to read
    the circuit while others edit.

    Args:
        circuit: the circuit to edit, in place: a Circuit or any `networkx.DiGraph` whose neurons have a role
            and whose synapses have a polarity. A new Circuit if not given.
        journal: where revisions are kept, such as a `Journal`.
        revision: the number of the circuit as it is opened.

    Raises:
        CircuitError: a neuron without a legal role, or a synapse without a legal polarity.
        TypeError: `circuit` is no directed graph, or has parallel edges.

    Example:
        >>> session = gl.EditSession(circuit)
        >>> session.apply(edits.Remove(neurons=["inter_0"]))
        >>> session.undo()
        >>> print(session.as_python())
    """

    def __init__(
        self, circuit: nx.DiGraph[Any] | None = None, *, journal: Log | None = None, revision: int = 0
    ) -> None:
        circuit = Circuit() if circuit is None else circuit
        require_digraph(circuit, "EditSession()")
        require_thawed(circuit)
        whole("revision", revision, 0)
        replacement(nx.DiGraph(), circuit)  # every neuron, synapse and attribute can be said in an edit
        self.circuit = circuit
        self.journal = journal
        self.lock = threading.RLock()
        self._start = twin(circuit)
        self._known = twin(circuit)  # as the session left it, to find what others did
        self._opened = revision
        self._entries: list[Entry] = []
        self._done: list[Entry] = []
        self._undone: list[Entry] = []
        self._observers: list[Callable[[Entry], None]] = []
        self._batch: list[Edit] | None = None

    @property
    def revision(self) -> int:
        """The number of the last revision."""
        return self._opened + len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All revisions, from the first on."""
        return tuple(self._entries)

    @property
    def opened(self) -> int:
        """The number of the circuit as it was opened."""
        return self._opened

    def at(self, revision: int) -> nx.DiGraph[Any]:
        """The circuit as it was at an earlier revision of this session, as a copy.

        Raises:
            CircuitError: the session has no such revision.
        """
        with self.lock:
            self.notice()
            if not self._opened <= revision <= self.revision:
                known = f"{self._opened} to {self.revision}"
                raise CircuitError(f"this session has the revisions {known}, not {revision}")
            circuit = twin(self._known)
            for entry in reversed(self._entries[revision - self._opened :]):
                entry.inverse.run(circuit)
            return circuit

    def __repr__(self) -> str:
        return f"EditSession({self.circuit!r}, revision {self.revision})"

    # Editing

    def apply(self, edit: Edit, by: str = PYTHON) -> Entry | None:
        """Apply an edit and return its revision; inside `batch` there is none yet.

        Raises:
            CircuitError: the edit does not fit; the circuit stays as it was.
        """
        if not isinstance(edit, Edit):
            raise TypeError(f"a session applies edits, got {type(edit).__name__}")
        text("by", by)
        with self.lock:
            if self._batch is not None:
                edit.run(self.circuit)
                self._batch.append(edit)
                return None
            self.notice()
            entry = self._run(edit, by, str(edit))
            self._done.append(entry)
            self._undone = [other for other in self._undone if other.by != by]
            self._keep(entry)
            return entry

    def undo(self, by: str | None = None) -> Entry:
        """Take back the last edit, or the last one by this author, and return the revision that does it.

        Raises:
            CircuitError: there is nothing to undo, or the inverse does not fit any more. It is then
                forgotten, so that the next undo reaches the edit before it.
        """
        return self._take_back(self._done, self._undone, by, "undo")

    def redo(self, by: str | None = None) -> Entry:
        """Do the last undone edit again; as `undo`."""
        return self._take_back(self._undone, self._done, by, "redo")

    def next_undo(self, by: str | None = None) -> Entry | None:
        """What the next `undo` would take back."""
        return next((e for e in reversed(self._done) if by in (None, e.by)), None)

    def next_redo(self, by: str | None = None) -> Entry | None:
        """What the next `redo` would do again."""
        return next((e for e in reversed(self._undone) if by in (None, e.by)), None)

    @contextmanager
    def batch(self, label: str = "", by: str = PYTHON) -> Iterator[None]:
        """Make one revision of all edits inside, such as the steps of a drag; none if one of them is refused.

        Example:
            >>> with session.batch("drag"):
            ...     for x in range(100):
            ...         session.apply(edits.Set(neurons=[("inter_0", "x", x)]))
        """
        with self.lock:
            if self._batch is not None:
                raise CircuitError("a batch cannot be opened inside a batch")
            self.notice()
            self._batch = []
            inner: list[Edit] = self._batch
            try:
                yield
            finally:
                self._batch = None
                self._restore()
            steps = _coalesced(inner)
            if steps:
                self.apply(steps[0] if len(steps) == 1 and not label else Batch(steps, label), by)

    def notice(self) -> Entry | None:
        """Find what was done to the circuit without the session, and make it a revision.

        Raises:
            CircuitError: the circuit was changed to something that no edit makes; the message says what.
        """
        with self.lock:
            if self._batch is not None:
                return None
            change = difference(self._known, self.circuit)
            if change is None:
                return None
            done = change.run(self._known)
            change = replace(change, label=OUTSIDE)
            entry = Entry(self.revision + 1, change, done.changes, done.inverse, PYTHON, OUTSIDE)
            self._entries.append(entry)
            self._done.append(entry)
            self._keep(entry)
            return entry

    # Others

    def observe(self, observer: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `observer` with every new revision, in the thread that made it; returns what ends that."""
        function_of("observer", observer, "an entry of the journal")
        self._observers.append(observer)
        return lambda: self._observers.remove(observer) if observer in self._observers else None

    def as_python(self) -> str:
        """A Python script that builds the circuit: as it was when opened, then the edits that stand."""
        with self.lock:
            return script(self._start, [entry.edit for entry in self._standing()])

    def replay(self, record: dict[str, Any]) -> Entry:
        """Do what a record of a journal says.

        Raises:
            CircuitError: the record is none, or does not fit.
        """
        if not isinstance(record, dict):
            raise CircuitError(f"a record of a journal is an object, got {label(record, 60)}")
        by, undoes = record.get("by", PYTHON), record.get("undoes")
        if not isinstance(by, str):
            raise CircuitError(f"a revision is by somebody with a name, got {label(by, 60)}")
        for source, target in ((self._done, self._undone), (self._undone, self._done)):
            for entry in source:
                if entry.revision == undoes:
                    return self._invert(entry, source, target)
        # Otherwise what is taken back was saved before, and is only known by its inverse.
        other = self.apply(edits.from_json(record.get("edit")), by)
        assert other is not None  # there is no batch
        return other

    # Inside

    def _run(self, edit: Edit, by: str, label: str, undoes: int | None = None) -> Entry:
        edit = edits.from_json(edit.to_json())  # what a journal holds is what is applied
        done = edit.run(self.circuit)
        for change in done.changes:
            change.run(self._known)
        entry = Entry(self.revision + 1, edit, done.changes, done.inverse, by, label, undoes)
        self._entries.append(entry)
        return entry

    def _take_back(self, source: list[Entry], target: list[Entry], by: str | None, what: str) -> Entry:
        if by is not None:
            text("by", by)
        with self.lock:
            if self._batch is not None:
                raise CircuitError(f"cannot {what} inside a batch")
            self.notice()
            entry = next((e for e in reversed(source) if by in (None, e.by)), None)
            if entry is None:
                raise CircuitError(f"there is nothing to {what}")
            return self._invert(entry, source, target)

    def _invert(self, entry: Entry, source: list[Entry], target: list[Entry]) -> Entry:
        source.remove(entry)
        try:
            back = self._run(entry.inverse, entry.by, entry.label, entry.revision)
        except CircuitError as error:
            raise CircuitError(f"{entry.label!r} cannot be taken back any more: {error}") from None
        target.append(back)
        self._keep(back)
        return back

    def _keep(self, entry: Entry) -> None:
        if self.journal is not None:
            self.journal.append(entry.record())
        for observer in list(self._observers):
            observer(entry)

    def _restore(self) -> None:
        """Bring the circuit back to what the session knows."""
        change = difference(self.circuit, self._known)
        if change is not None:
            change.run(self.circuit)

    def _standing(self) -> list[Entry]:
        """The revisions without those that were undone at once, like pairs of brackets."""
        standing: list[Entry] = []
        for entry in self._entries:
            if standing and entry.undoes == standing[-1].revision:
                standing.pop()
            else:
                standing.append(entry)
        return standing


def _coalesced(steps: list[Edit]) -> list[Edit]:
    """The steps, with what is set several times in a row set once, to the last value."""
    merged: list[Edit] = []
    for step in steps:
        last = merged[-1] if merged else None
        if isinstance(step, Set) and isinstance(last, Set):
            merged[-1] = Set(
                _latest(last.neurons, step.neurons, 2),
                _latest(last.synapses, step.synapses, 3),
                _latest(last.circuit, step.circuit, 1),
            )
        else:
            merged.append(step)
    return merged


def _latest(old: Any, new: Any, width: int) -> list[tuple[Any, ...]]:
    return list({entry[:width]: entry for entry in (*old, *new)}.values())
