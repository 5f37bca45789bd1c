"""How pages follow a session: every revision is told to all of them, with whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .messages import Message
from .pages import Pages
from .session import EditSession, Entry


class Revisions:
    """Tells pages of a session's revisions.

    Args:
        session: what is edited.
        pages: who is told.
        saved: the revision that was saved last; None without a file.
    """

    def __init__(self, session: EditSession, pages: Pages, saved: Callable[[], int | None]) -> None:
        self._session, self._pages, self._saved = session, pages, saved
        self._asking: tuple[str, Any] | None = None  # whose edit is being applied
        self.leave = session.observe(self._heard)

    @contextmanager
    def asked_by(self, client: str, number: Any) -> Iterator[None]:
        """Hold the session while an edit of a client is applied, so that its answer says whose it is."""
        with self._session.lock:
            self._session.notice()
            self._asking = client, number
            try:
                yield
            finally:
                self._asking = None

    def standing(self, client: str) -> dict[str, Any]:
        """What undo and redo of this client would do, and what is saved."""
        session = self._session
        undo = session.next_undo(client) or session.next_undo()
        redo = session.next_redo(client) or session.next_redo()
        return {
            "undo": undo.label if undo else None,
            "redo": redo.label if redo else None,
            "saved": self._saved(),
        }

    def _heard(self, entry: Entry) -> None:
        """A new revision, in the thread that made it, which holds the session's lock."""
        by, asked = entry.by, dict[str, Any]()
        if self._asking is not None:
            by, asked["id"] = self._asking
        standing = {client: self.standing(client) for client in self._pages.clients}
        message: Message = {
            "type": "diff",
            "revision": entry.revision,
            "base": entry.revision - 1,
            "changes": [change.to_json() for change in entry.changes],
            "edit": "undo" if entry.undoes is not None else entry.edit.kind,
            "label": entry.label,
            "by": by,
            "undo": {client: state["undo"] for client, state in standing.items()},
            "redo": {client: state["redo"] for client, state in standing.items()},
            **asked,
        }
        self._pages.tell(message)
