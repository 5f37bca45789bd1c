"""Waiting for the end of a thread that computed with MLX."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

PATIENCE = 30.0
"""Seconds that a thread may go on with what it does."""


def wait_for_end(thread: threading.Thread) -> None:
    """Wait until a thread is gone, and not for the end of its Python alone.

    Before Python 3.13, `join` returns while the thread still gives back what MLX kept for it, Python objects
    among them: where Python itself ended meanwhile, that aborted the process.
    """
    end = time.monotonic() + PATIENCE
    thread.join(timeout=PATIENCE)
    place = Path("/proc/self/task") / str(thread.native_id)
    while (
        sys.platform == "linux" and sys.version_info < (3, 13) and place.exists() and time.monotonic() < end
    ):
        time.sleep(0.001)
