"""The threads that batch blocks are spread over."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from ...errors import KernelError


def run_together(task: Callable[[], int], copies: int) -> int:
    """Run copies of a task that share its work, on up to `thread_count` threads; the sum of their results."""
    helpers = min(copies, thread_count()) - 1
    running = [_pool().submit(task) for _ in range(helpers)]
    own = task()
    return own + sum(helper.result() for helper in running)


def thread_count() -> int:
    """GANGLION_NUM_THREADS, or the number of processors this process may use.

    Raises:
        KernelError: GANGLION_NUM_THREADS is not a whole number of at least 1.
    """
    chosen = os.environ.get("GANGLION_NUM_THREADS")
    if chosen is None:
        return _processors()
    if not chosen.isdecimal() or int(chosen) < 1:
        raise KernelError(f"GANGLION_NUM_THREADS is {chosen!r}: expected a whole number of at least 1")
    return int(chosen)


@cache
def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    # Threads start as they are needed, so room for many costs nothing.
    return ThreadPoolExecutor(max(_processors(), 64), thread_name_prefix="ganglion")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork: the child starts its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
