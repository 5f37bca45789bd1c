"""Where pages and Python meet: what pages ask is done, and what happens is told to every page.

A transport (WebSocket, widget) joins with a function that sends text, and hands over every text it receives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import CircuitError
from .document import Document
from .journal import JournalState
from .limits import LIMITS
from .live import Live
from .messages import Message, journal_message, parse
from .pages import Channel, Pages
from .requests import Requests
from .revisions import Revisions
from .session import EditSession

PROTOCOL = 1


class Hub:
    """A session with the pages that show it.

    Args:
        session: what is edited.
        document: the file that it is saved to, if there is one; it is held until the hub is closed.
        network, recording, protocol, live: as of `Live`.
        fit: arguments of `gl.fit`, to train the network.
        title: what pages show as their name.
        host: "standalone" or "notebook".
    """

    def __init__(
        self,
        session: EditSession,
        document: Document | None = None,
        *,
        network: Any = None,
        recording: Any = None,
        protocol: Any = None,
        live: bool = True,
        fit: Mapping[str, Any] | None = None,
        title: str = "circuit",
        host: str = "standalone",
    ) -> None:
        self.session, self._document, self._title, self._host = session, document, title, host
        self._recording = recording is not None
        self._pages = Pages()
        if fit is not None:
            from .training import Training, require_trainable

            require_trainable(network, fit)
        given = {"network": network, "recording": recording, "protocol": protocol}
        self._live = Live(session, self._pages.tell, **given, on=live)
        revisions = Revisions(session, self._pages, lambda: document.saved if document else None)
        self._given, self._training = network, None
        if fit is not None:
            self._training = Training(session, network, fit, self._pages.tell, self._live.show)
        self._requests = Requests(session, document, self._live, self._training, revisions, self._greeting)
        self._leave = [revisions.leave] + ([document.watch(self)] if document else [])

    @property
    def network(self) -> Any:
        """The network as it is now: that which is trained (pause it to read it), or that which runs."""
        if self._training is not None:
            return self._training.network
        return self._live.probe.network or self._given

    def join(self, send: Callable[[str], None]) -> Channel:
        """A new way to pages. `send` must return at once; it is called in several threads."""
        return self._pages.join(send)

    def part(self, channel: Channel) -> None:
        """The end of a way."""
        self._pages.part(channel)

    def receive(self, channel: Channel, text: str) -> None:
        """Do what a page asks, and answer it.

        Raises:
            Malformed: this is no message.
        """
        message = parse(text)
        client, number = message["client"], message.get("id")
        channel.clients.add(client)

        def answer(reply: Message) -> None:
            channel.send(json.dumps({**reply, "to": client, "id": number}))

        self._requests.handle(message, client, answer)

    def notice(self) -> None:
        """Find what was done to the circuit in Python; call it now and then, and after a cell has run."""
        try:
            self.session.notice()
        except CircuitError as error:
            why = f"the circuit was changed in Python: {error}"
            self._pages.tell({"type": "refused", "why": why, "revision": self.session.revision})
        except RuntimeError:  # it is being changed in another thread right now
            return

    def close(self, why: str = "the session ended") -> None:
        """Tell every page, and stop the network."""
        if self._training is not None:
            self._training.close()
        self._live.close()
        for leave in self._leave:
            leave()
        self._pages.tell({"type": "closed", "why": why})

    # What a document tells

    def journalled(self, state: JournalState) -> None:
        """What of the revisions is safe has changed."""
        self._pages.tell(journal_message(state))

    def saved(self, path: Path, revision: int, aside: Path | None) -> None:
        """A file was written."""
        kept = {} if aside is None else {"aside": aside.name}
        self._pages.tell({"type": "saved", "file": path.name, "revision": revision, "synced": True, **kept})

    def _greeting(self) -> list[Message]:
        """All that a new page is told, but for the circuit."""
        document, training = self._document, self._training
        welcome: Message = {
            "type": "welcome",
            "protocol": PROTOCOL,
            "title": self._title,
            "file": document.path.name if document else None,
            "readonly": False,
            "host": self._host,
            "limits": LIMITS,
            "recording": self._recording,
            "training": training is not None,
            "recovered": document.recovered if document else 0,
            "notice": document.notice if document else None,
        }
        told = [welcome, *self._pages.last, self._live.state()]
        told += [training.message()] if training is not None else []
        return told + ([journal_message(document.state)] if document else [])
