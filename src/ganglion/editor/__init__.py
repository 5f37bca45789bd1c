"""The editor: sessions of edits, the server and the widget that show them, and the network that runs."""

from .session import EditSession, Entry

__all__ = ["EditSession", "Entry"]
