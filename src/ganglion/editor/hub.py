"""Where pages and Python meet: messages from pages become edits, and what happens is told to every page.

A transport (WebSocket, widget) joins with a function that sends text, and hands over every text it receives.
What a page may ask is each method `_on_...`; what it hears starts with `"type"` below and in `live`.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx

from ..errors import CircuitError, FileError
from ..wiring import edits, read
from ..wiring.edits.difference import replacement
from ..wiring.files import json_format
from ..wiring.files.formats import endings, of_ending
from ..wiring.files.plain import name_from
from ..wiring.roles import label
from .document import Document
from .exports import MIME, exported
from .journal import JournalState
from .limits import LIMITS, require_small
from .live import Live
from .messages import Message, flag, journal_message, list_of, number, parse, sentence, text_of, whole
from .session import EditSession, Entry

PROTOCOL = 1


@dataclass(eq=False)
class Channel:
    """One way to pages: a WebSocket with one page, or a widget with all its views."""

    send: Callable[[str], None]
    clients: set[str] = field(default_factory=set)


class Hub:
    """A session with the pages that show it.

    Args:
        session: what is edited.
        document: the file that it is saved to, if there is one.
        network, recording, live: as of `Live`.
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
        live: bool = True,
        fit: Mapping[str, Any] | None = None,
        title: str = "circuit",
        host: str = "standalone",
    ) -> None:
        self.session, self.document, self.title, self.host = session, document, title, host
        self._recording = recording is not None
        self._channels: list[Channel] = []
        self._last: dict[str, Message] = {}
        self._lock = threading.RLock()
        self._asking: tuple[str, Any] | None = None  # whose edit is being applied
        if fit is not None:
            from .training import require_trainable

            require_trainable(network, fit)
        self._live = Live(session, self.tell, network=network, recording=recording, on=live)
        self._leave = session.observe(self._heard)
        self._given, self._training = network, None if fit is None else self._train(network, fit)
        if document is not None and document.journal is not None:
            document.journal.changed = self._journalled

    @property
    def network(self) -> Any:
        """The network as it is now: that which is trained (pause it to read it), or that which runs."""
        if self._training is not None:
            return self._training.network
        return self._live.probe.network or self._given

    def join(self, send: Callable[[str], None]) -> Channel:
        """A new way to pages. `send` must return at once; it is called in several threads."""
        channel = Channel(send)
        with self._lock:
            self._channels.append(channel)
        return channel

    def part(self, channel: Channel) -> None:
        """The end of a way."""
        with self._lock:
            if channel in self._channels:
                self._channels.remove(channel)

    def tell(self, message: Message) -> None:
        """Send a message to all pages. The last of each kind that describes a state is kept for new ones."""
        if message["type"] in ("facts", "network", "signals", "live", "frame"):
            self._last[message["type"]] = message
        text = json.dumps(message)
        with self._lock:
            channels = list(self._channels)
        for channel in channels:
            channel.send(text)

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

        try:
            action = getattr(self, f"_on_{message['type'].replace('-', '_')}", None)
            if action is None:
                raise CircuitError(f"there is no message of type {label(message['type'], 60)}")
            action(message, client, answer)
        except (
            CircuitError,
            FileError,
            nx.NetworkXError,
            OSError,
            ValueError,
            TypeError,
            OverflowError,
        ) as error:
            answer({"type": "refused", "why": sentence(error), "revision": self.session.revision})
        except (RecursionError, MemoryError):
            answer({"type": "refused", "why": "that is too large", "revision": self.session.revision})

    def notice(self) -> None:
        """Find what was done to the circuit in Python; call it now and then, and after a cell has run."""
        try:
            self.session.notice()
        except CircuitError as error:
            self.tell(
                {
                    "type": "refused",
                    "why": f"the circuit was changed in Python: {error}",
                    "revision": self.session.revision,
                }
            )
        except RuntimeError:  # it is being changed in another thread right now
            return

    def close(self, why: str = "the session ended") -> None:
        """Tell every page, and stop the network."""
        if self._training is not None:
            self._training.close()
        self._live.close()
        self._leave()
        self.tell({"type": "closed", "why": why})

    # Messages

    def _on_hello(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        document = self.document
        answer(
            {
                "type": "welcome",
                "protocol": PROTOCOL,
                "title": self.title,
                "file": document.path.name if document else None,
                "readonly": False,
                "host": self.host,
                "limits": LIMITS,
                "recording": self._recording,
                "training": self._training is not None,
                "recovered": document.recovered if document else 0,
                "notice": document.notice if document else None,
            }
        )
        self._on_resync(message, client, answer)
        for kind in ("network", "signals", "facts", "frame"):
            if kind in self._last:
                answer(self._last[kind])
        answer(self._live.state())
        if self._training is not None:
            answer(self._training.message())
        if document is not None:
            answer(journal_message(document.state))

    def _on_resync(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        with self.session.lock:
            self.session.notice()
            circuit = json.loads(json_format.encode(self.session.circuit))
            answer(
                {
                    "type": "snapshot",
                    "revision": self.session.revision,
                    "circuit": circuit,
                    **self._standing(client),
                }
            )

    def _on_edit(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        edit = edits.from_json(message.get("edit"))
        with self._asked_by(client, message.get("id")):
            require_small(self.session.circuit, edit)
            self.session.apply(edit, client)

    def _on_undo(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        with self._asked_by(client, message.get("id")):
            self.session.undo(client if self.session.next_undo(client) else None)

    def _on_redo(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        with self._asked_by(client, message.get("id")):
            self.session.redo(client if self.session.next_redo(client) else None)

    def _on_preview(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        edit = edits.from_json(message.get("edit"))
        with self.session.lock:
            self.session.notice()
            require_small(self.session.circuit, edit)
            done = edit.run(self.session.circuit)
            done.inverse.run(self.session.circuit)
        answer({"type": "preview", "changes": [change.to_json() for change in done.changes]})

    def _on_play(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.play(flag(message, "on"), number(message, "speed", None))

    def _on_step(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.steps(whole(message, "count", 1))

    def _on_reset(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.reset()

    def _on_live(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.switch(flag(message, "on"))

    def _on_signal(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.set_signal(str(name_from(message.get("sensor"))), message.get("signal"))

    def _on_inputs(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.set_table(text_of(message, "text"))

    def _on_what_if(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        neurons = [str(name_from(name)) for name in list_of(message, "neurons")]
        pairs = [tuple(str(name_from(name)) for name in pair) for pair in list_of(message, "synapses")]
        if any(len(pair) != 2 for pair in pairs):
            raise CircuitError("a synapse is [pre, post]")
        self._live.what_if(neurons, pairs, whole(message, "steps", 50), answer)  # type: ignore[arg-type]

    def _on_rank(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        self._live.rank(whole(message, "steps", 50), answer)

    def _on_save(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        if self.document is None:
            raise CircuitError("this circuit has no file: export it instead")
        name = message.get("path")
        if name is not None and (not isinstance(name, str) or Path(name).name != name):
            raise CircuitError(f"a copy is saved beside the file, under a plain name; got {label(name, 60)}")
        path = self.document.save(None if name is None else self.document.path.with_name(name))
        self.tell({"type": "saved", "file": path.name, "revision": self.session.revision, "synced": True})

    def _on_export(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        stem = self.document.path.stem if self.document else "circuit"
        with self.session.lock:
            for name, text in exported(message.get("what"), self.session, self._live.probe.network, stem):
                answer(
                    {
                        "type": "file",
                        "name": name,
                        "mime": MIME.get(name.rsplit(".")[-1], "text/plain"),
                        "text": text,
                    }
                )

    def _on_open(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        name, text = text_of(message, "name"), text_of(message, "text")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"dropped{Path(name).suffix.lower()}"
            if of_ending(path) is None:
                raise CircuitError(f"a circuit can be dropped as {endings()}, got {label(name, 60)}")
            path.write_text(text, encoding="utf-8")
            try:
                circuit = read(path)
            except CircuitError as error:
                raise CircuitError(str(error).replace(str(path), name)) from None
        with self._asked_by(client, message.get("id")):
            batch = replacement(self.session.circuit, circuit)
            self.session.apply(edits.Batch(batch.edits, f"open {name}"), client)

    def _on_train(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        if self._training is None:
            raise CircuitError("nothing is being trained: pass fit= to gl.edit")
        training = self._training
        actions = {"pause": training.pause, "continue": training.go_on, "stop": training.stop}
        action = message.get("action")
        if not isinstance(action, str) or action not in actions:
            raise CircuitError(f"action must be one of {', '.join(actions)}, got {label(action, 60)}")
        actions[action]()

    def _on_ping(self, message: Message, client: str, answer: Callable[[Message], None]) -> None:
        answer({"type": "pong"})

    # Inside

    def _train(self, network: Any, options: Mapping[str, Any]) -> Any:
        from .training import Training

        return Training(self.session, network, options, self.tell, self._live.show)

    def _asked_by(self, client: str, number: Any) -> _Asked:
        return _Asked(self, client, number)

    def _heard(self, entry: Entry) -> None:
        """A new revision, in the thread that made it, which holds the session's lock."""
        asked = {} if self._asking is None else {"id": self._asking[1]}
        by = entry.by if self._asking is None else self._asking[0]
        with self._lock:
            clients = {client for channel in self._channels for client in channel.clients}
        standing = {client: self._standing(client) for client in clients}
        self.tell(
            {
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
        )

    def _standing(self, client: str) -> dict[str, Any]:
        session = self.session
        undo = session.next_undo(client) or session.next_undo()
        redo = session.next_redo(client) or session.next_redo()
        return {
            "undo": undo.label if undo else None,
            "redo": redo.label if redo else None,
            "saved": self.document.saved if self.document else None,
        }

    def _journalled(self, state: JournalState) -> None:
        self.tell(journal_message(state))


class _Asked:
    """Holds the session while an edit of a client is applied, so that its answer says whose it is."""

    def __init__(self, hub: Hub, client: str, number: Any) -> None:
        self._hub, self._asking = hub, (client, number)

    def __enter__(self) -> None:
        self._hub.session.lock.acquire()
        self._hub.session.notice()
        self._hub._asking = self._asking

    def __exit__(self, *error: Any) -> None:
        self._hub._asking = None
        self._hub.session.lock.release()
