"""What a page may ask: a type of message is a method `_on_...`, and what is not one of them is refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
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
from .limits import require_small
from .live import Live
from .messages import Message, flag, list_of, number, sentence, text_of, whole
from .revisions import Revisions
from .session import EditSession

Answer = Callable[[Message], None]
REFUSED = (
    CircuitError,
    FileError,
    nx.NetworkXError,
    ImportError,
    OSError,
    ValueError,
    TypeError,
    OverflowError,
)
"""What is wrong with a message rather than with the editor."""
LOG = 500
"""Revisions whose labels a new page is told."""


class Requests:
    """Does what pages ask.

    Args:
        session, document, live, training: what it is asked of; training is None if nothing is trained.
        revisions: how pages hear of edits.
        greeting: all that a page is told first, but for the circuit.
    """

    def __init__(
        self,
        session: EditSession,
        document: Document | None,
        live: Live,
        training: Any,
        revisions: Revisions,
        greeting: Callable[[], list[Message]],
    ) -> None:
        self._session, self._document, self._live, self._training = session, document, live, training
        self._revisions, self._greeting = revisions, greeting

    def handle(self, message: Message, client: str, answer: Answer) -> None:
        """Do what a message asks, and answer it."""
        try:
            action = getattr(self, f"_on_{message['type'].replace('-', '_')}", None)
            if action is None:
                raise CircuitError(f"there is no message of type {label(message['type'], 60)}")
            action(message, client, answer)
        except REFUSED as error:
            answer({"type": "refused", "why": sentence(error), "revision": self._session.revision})
        except (RecursionError, MemoryError):
            answer({"type": "refused", "why": "that is too large", "revision": self._session.revision})

    def _on_hello(self, message: Message, client: str, answer: Answer) -> None:
        welcome, *rest = self._greeting()
        answer(welcome)
        self._on_resync(message, client, answer)
        for told in rest:
            answer(told)

    def _on_resync(self, message: Message, client: str, answer: Answer) -> None:
        session = self._session
        with session.lock:
            session.notice()
            answer(
                {
                    "type": "snapshot",
                    "revision": session.revision,
                    "circuit": _document(session.circuit) | {"places": _places(session.circuit)},
                    "opened": session.opened,
                    "log": [[entry.revision, entry.label, entry.by] for entry in session.entries[-LOG:]],
                    **self._revisions.standing(client),
                }
            )

    def _on_revision(self, message: Message, client: str, answer: Answer) -> None:
        revision = whole(message, "revision", least=0, most=self._session.revision)
        circuit = _document(self._session.at(revision))
        answer({"type": "revision", "revision": revision, "circuit": circuit})

    def _on_edit(self, message: Message, client: str, answer: Answer) -> None:
        edit = edits.from_json(message.get("edit"))
        with self._revisions.asked_by(client, message.get("id")):
            require_small(self._session.circuit, edit)
            self._session.apply(edit, client)

    def _on_undo(self, message: Message, client: str, answer: Answer) -> None:
        with self._revisions.asked_by(client, message.get("id")):
            self._session.undo(client if self._session.next_undo(client) else None)

    def _on_redo(self, message: Message, client: str, answer: Answer) -> None:
        with self._revisions.asked_by(client, message.get("id")):
            self._session.redo(client if self._session.next_redo(client) else None)

    def _on_preview(self, message: Message, client: str, answer: Answer) -> None:
        edit = edits.from_json(message.get("edit"))
        with self._session.lock:
            self._session.notice()
            require_small(self._session.circuit, edit)
            done = edit.run(self._session.circuit)
            done.inverse.run(self._session.circuit)
        answer({"type": "preview", "changes": [change.to_json() for change in done.changes]})

    def _on_play(self, message: Message, client: str, answer: Answer) -> None:
        self._live.play(flag(message, "on"), number(message, "speed", None))

    def _on_step(self, message: Message, client: str, answer: Answer) -> None:
        self._live.steps(whole(message, "count", 1))

    def _on_reset(self, message: Message, client: str, answer: Answer) -> None:
        self._live.reset()

    def _on_live(self, message: Message, client: str, answer: Answer) -> None:
        self._live.switch(flag(message, "on"))

    def _on_signal(self, message: Message, client: str, answer: Answer) -> None:
        self._live.set_signal(str(name_from(message.get("sensor"))), message.get("signal"))

    def _on_inputs(self, message: Message, client: str, answer: Answer) -> None:
        self._live.set_table(text_of(message, "text"))

    def _on_what_if(self, message: Message, client: str, answer: Answer) -> None:
        neurons = [str(name_from(name)) for name in list_of(message, "neurons")]
        pairs = [tuple(str(name_from(name)) for name in pair) for pair in list_of(message, "synapses")]
        if any(len(pair) != 2 for pair in pairs):
            raise CircuitError("a synapse is [pre, post]")
        self._live.what_if(neurons, pairs, whole(message, "steps", 50), answer)  # type: ignore[arg-type]

    def _on_rank(self, message: Message, client: str, answer: Answer) -> None:
        self._live.rank(whole(message, "steps", 50), answer)

    def _on_saliency(self, message: Message, client: str, answer: Answer) -> None:
        self._live.saliency(whole(message, "steps", 20), answer)

    def _on_save(self, message: Message, client: str, answer: Answer) -> None:
        if self._document is None:
            raise CircuitError("this circuit has no file: export it instead")
        name = message.get("path")
        if name is not None and (not isinstance(name, str) or Path(name).name != name):
            raise CircuitError(f"a copy is saved beside the file, under a plain name; got {label(name, 60)}")
        self._document.save(None if name is None else self._document.path.with_name(name))

    def _on_export(self, message: Message, client: str, answer: Answer) -> None:
        stem = self._document.path.stem if self._document else "circuit"
        with self._session.lock:
            for name, text in exported(message.get("what"), self._session, self._live.probe.network, stem):
                answer(
                    {
                        "type": "file",
                        "name": name,
                        "mime": MIME.get(name.rsplit(".")[-1], "text/plain"),
                        "text": text,
                    }
                )

    def _on_open(self, message: Message, client: str, answer: Answer) -> None:
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
        with self._revisions.asked_by(client, message.get("id")):
            batch = replacement(self._session.circuit, circuit)
            self._session.apply(edits.Batch(batch.edits, f"open {name}"), client)

    def _on_train(self, message: Message, client: str, answer: Answer) -> None:
        if self._training is None:
            raise CircuitError("nothing is being trained: pass fit= to gl.edit")
        training = self._training
        actions = {"pause": training.pause, "continue": training.go_on, "stop": training.stop}
        action = message.get("action")
        if not isinstance(action, str) or action not in actions:
            raise CircuitError(f"action must be one of {', '.join(actions)}, got {label(action, 60)}")
        actions[action]()

    def _on_ping(self, message: Message, client: str, answer: Answer) -> None:
        answer({"type": "pong"})


def _places(circuit: nx.DiGraph[Any]) -> list[list[float]] | None:
    """Where `plot_circuit` puts neurons, for a circuit that has no places."""
    if any("x" in data for _, data in circuit.nodes(data=True)):
        return None
    from ..viz.layout import page_places  # late: it takes matplotlib along

    return page_places(circuit)


def _document(circuit: nx.DiGraph[Any]) -> Any:
    """A circuit as its JSON file has it."""
    return json.loads(json_format.encode(circuit))
