"""Right calls of what says what trained numbers mean."""

from __future__ import annotations

from collections.abc import Callable

import ganglion as gl

from .rows import Call, X, ltc

ROWS: dict[str, Callable[[], Call]] = {
    "identifiability": lambda: Call(gl.identifiability, {"rnn": ltc(), "x": X[:1, :2]}),
}
