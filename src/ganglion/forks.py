"""Refusing to wait for ever in a forked process. A leaf.

MLX computes in threads of its own, and a fork copies only the thread that called it. So where MLX has
computed before a fork, whatever is computed after it waits for a thread that is not there; where it has not,
all is well. Nothing in MLX tells, so a process that was forked finds out in one more fork, once.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

PATIENCE = 5.0
"""Seconds that a sum of two numbers may take."""

_unsure = False  # in a forked process, until it was tried
_stuck = False


def require_computing() -> None:
    """Refuse where MLX would wait for ever.

    Raises:
        RuntimeError: this process was forked from one in which MLX had computed.
    """
    if _unsure:
        _find_out()
    if _stuck:
        raise RuntimeError(
            "this process was forked from one in which MLX had computed, so it would wait here for ever: "
            'start processes by multiprocessing.get_context("spawn"), or fork before the first computation'
        )


def _find_out() -> None:
    global _unsure, _stuck
    _stuck, _unsure = not _computes(), False


def _computes() -> bool:
    """Whether a fork of this process can compute, which it can if this one can."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            import mlx.core as mx

            if (mx.array(1) + 1).item() == 2:
                os.write(theirs, b"!")
        finally:
            os._exit(0)
    os.close(theirs)
    try:
        ready, _, _ = select.select([ours], [], [], PATIENCE)
        return bool(ready) and os.read(ours, 1) == b"!"
    finally:
        os.close(ours)
        with suppress(OSError):  # whoever ignores SIGCHLD has no children to wait for
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _after_fork() -> None:
    global _unsure
    _unsure = "mlx.core" in sys.modules


os.register_at_fork(after_in_child=_after_fork)
