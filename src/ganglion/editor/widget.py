"""The editor in a notebook: an anywidget that shows the page of the standalone editor."""

from __future__ import annotations

import json
import weakref
from typing import Any

import anywidget

from .bundle import asset
from .document import Document
from .hub import Hub
from .messages import Malformed
from .session import EditSession


class Widget(anywidget.AnyWidget):
    """A session that a notebook shows; `gl.edit` makes it. Every view of it shows the same session.

    Attributes:
        session: what is edited.
        document: its file, if there is one.
    """

    _esm = asset("editor.js")[0]
    _css = asset("editor.css")[0]

    def __init__(self, session: EditSession, document: Document | None = None, **options: Any) -> None:
        super().__init__()
        self.session, self.document = session, document
        title = document.path.name if document else "circuit"
        self._hub = Hub(session, document, title=title, host="notebook", **options)
        self._release = document.hold() if document else lambda: None
        self._channel = self._hub.join(lambda text: self.send(json.loads(text)))
        self.on_msg(self._receive)
        _notice_after_cells(self._hub)

    @property
    def circuit(self) -> Any:
        """The circuit that is edited."""
        return self.session.circuit

    @property
    def network(self) -> Any:
        """The network over the circuit as it is now, with its weights; None if there is none yet."""
        return self._hub.network

    def __repr__(self) -> str:
        return f"The editor of {self.session.circuit!r}: reload the page where it shows as this line"

    def close(self) -> None:
        """End the session; what is not saved stays in the journal, if there is a file."""
        self._hub.close()
        self._release()
        super().close()

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        try:
            self._hub.receive(self._channel, json.dumps(content))
        except Malformed as error:
            self.send({"type": "refused", "why": str(error), "revision": self.session.revision})


def _notice_after_cells(hub: Hub) -> None:
    """Look for changes of the circuit when a cell has run, as long as the hub is there."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    held = weakref.ref(hub)

    def after(*_: Any) -> None:
        hub = held()
        if hub is not None:
            hub.notice()

    shell.events.register("post_run_cell", after)
