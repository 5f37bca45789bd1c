"""The pages that show a session: how messages reach all of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .messages import Message

KEPT = ("network", "signals", "facts", "frame")
"""Messages that describe a state: the last of each is for pages that come later."""


@dataclass(eq=False)
class Channel:
    """One way to pages: a WebSocket with one page, or a widget with all its views."""

    send: Callable[[str], None]
    clients: set[str] = field(default_factory=set)


class Pages:
    """All ways to pages of one session."""

    def __init__(self) -> None:
        self._channels: list[Channel] = []
        self._last: dict[str, Message] = {}
        self._lock = threading.Lock()

    @property
    def clients(self) -> set[str]:
        """Everybody who has ever asked for something by a way that is still there."""
        with self._lock:
            return {client for channel in self._channels for client in channel.clients}

    @property
    def last(self) -> list[Message]:
        """The last message of each kind that is kept."""
        return [self._last[kind] for kind in KEPT if kind in self._last]

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
        """Send a message to all pages."""
        if message["type"] in KEPT:
            self._last[message["type"]] = message
        text = json.dumps(message)
        with self._lock:
            channels = list(self._channels)
        for channel in channels:
            channel.send(text)
