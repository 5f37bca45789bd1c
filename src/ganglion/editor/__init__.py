"""The editor: sessions of edits, the server and the widget that show them, and the network that runs."""

from .opening import edit
from .session import EditSession, Entry

__all__ = ["EditSession", "Entry", "edit"]
