"""The editor in a browser: a document, a hub and a server together."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable
from typing import Any

from .document import Document
from .hub import Hub
from .server import Server
from .session import EditSession


class Standalone:
    """A session that a browser shows; `gl.edit` and `ganglion edit` make it.

    Attributes:
        session: what is edited.
        document: its file, if there is one.
        url: the address of the page; who knows it can edit.

    Example:
        >>> with gl.edit("c.json") as editor:
        ...     editor.session.apply(edits.Remove(neurons=["inter_0"]))
        ...     editor.document.save()
    """

    def __init__(
        self,
        session: EditSession,
        document: Document | None = None,
        *,
        port: int = 0,
        browser: bool = True,
        **options: Any,
    ) -> None:
        self.session, self.document = session, document
        title = document.path.name if document else "circuit"
        hub = Hub(session, document, title=title, **options)
        try:
            self._server = Server(hub, port)
        except OSError:
            hub.close()
            raise
        self._release = document.hold() if document else lambda: None
        if browser:
            webbrowser.open(self.url)

    @property
    def url(self) -> str:
        """The address of the page, with its token."""
        return self._server.url

    @property
    def circuit(self) -> Any:
        """The circuit that is edited."""
        return self.session.circuit

    @property
    def network(self) -> Any:
        """The network over the circuit as it is now, with its weights; None if there is none yet."""
        return self._server.hub.network

    def wait(self) -> None:
        """Until the server is closed, or interrupted."""
        self._server.wait()

    def close(self) -> None:
        """Stop the server; what is not saved stays in the journal, if there is a file."""
        self._server.close()
        self._release()

    def __enter__(self) -> Standalone:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Standalone({self.session.circuit!r}, {self.url})"


def serve(
    path: str | os.PathLike[str],
    *,
    port: int = 0,
    browser: bool = True,
    live: bool = True,
    autosave: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Edit a file in the browser until interrupted; what `ganglion edit` does.

    Raises:
        CircuitError, OSError, ValueError: the file cannot be opened, or the port is taken.
    """
    document = Document(path, autosave=autosave)
    try:
        editor = Standalone(document.session, document, port=port, browser=browser, live=live)
    except BaseException:
        document.close()
        raise
    with editor:
        if document.recovered:
            tell(f"{document.recovered} edits that were not saved are there again")
        if document.notice:
            tell(document.notice)
        tell(f"editing {document.path} at {editor.url} (Ctrl-C ends)")
        editor.wait()
