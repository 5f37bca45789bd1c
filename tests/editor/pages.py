"""A page without a browser: it speaks the editor's messages over a WebSocket and keeps a copy."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import ganglion as gl
from ganglion.wiring import edits

PATIENCE = 60.0


class Page:
    """One client; `circuit` follows the diffs as a page does."""

    def __init__(self, url: str, client: str = "ann", **options: Any) -> None:
        parts = urlsplit(url)
        token = options.pop("token", parse_qs(parts.query).get("token", [""])[0])
        origin = options.pop("origin", f"http://{parts.netloc}")
        self.client = client
        address = f"ws://{parts.netloc}/session?token={token}"
        self._entered = connect(address, origin=origin, max_size=None, proxy=None, **options)
        self.socket = self._entered.__enter__()
        self.numbers = itertools.count(1)
        self.circuit: gl.Circuit = gl.Circuit()
        self.revision = -1
        self.early: list[dict[str, Any]] = []  # what came while the page said hello

    def send(self, kind: str, **fields: Any) -> int:
        number = next(self.numbers)
        self.socket.send(json.dumps({"type": kind, "client": self.client, "id": number, **fields}))
        return number

    def hear(self) -> dict[str, Any]:
        """The next message; diffs and snapshots are applied."""
        message = json.loads(self.socket.recv(timeout=PATIENCE))
        if message["type"] == "snapshot":
            self.circuit = circuit_from(message["circuit"])
            self.revision = message["revision"]
        elif message["type"] == "diff":
            assert message["base"] == self.revision
            for change in message["changes"]:
                edits.from_json(change).apply(self.circuit)
            self.revision = message["revision"]
        return message

    def wait(self, kind: str, **fields: Any) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self.early.pop(0) if self.early else self.hear()
            if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                return message
        raise TimeoutError(kind)

    def hello(self) -> dict[str, Any]:
        """Greet; the facts of the circuit may come before, between and behind the answers."""
        self.send("hello", protocol=1)
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["type"] != "snapshot":
            heard.append(self.hear())
        self.early = [message for message in heard if message["type"] not in ("welcome", "snapshot")]
        return next(message for message in heard if message["type"] == "welcome")

    def edit(self, edit: edits.Edit) -> dict[str, Any]:
        """Send an edit and wait for its answer."""
        number = self.send("edit", edit=edit.to_json(), base=self.revision)
        while True:
            message = self.hear()
            if message.get("id") == number and message["type"] in ("diff", "refused"):
                return message

    def ended(self) -> int | None:
        """Hear everything until the server closes the connection; its close code."""
        try:
            while True:
                self.hear()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def close(self) -> None:
        self.socket.close()


def circuit_from(document: dict[str, Any]) -> gl.Circuit:
    circuit = gl.Circuit()
    circuit.graph.update(document["graph"])
    for node in document["nodes"]:
        circuit.add_node(node.pop("id"), **node)
    for edge in document["edges"]:
        circuit.add_edge(edge.pop("source"), edge.pop("target"), **edge)
    return circuit
