"""The threads that batch blocks are spread over."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

from ...errors import KernelError
from .build import load_library
from .prebuilt import POOL
from .source import SOURCE


def run_together(function: Any, sizes: Any, numbers: Any, arrays: Any, batch: int, blocks: int) -> int:
    """Run a kernel over the blocks of a batch, on up to `thread_count` threads; the sum of its results."""
    failed: int
    if blocks > 1 and (helpers := min(blocks, thread_count()) - 1):
        failed = pool()(function, sizes, numbers, arrays, batch, helpers)
    else:
        failed = function(sizes, numbers, arrays, batch, ctypes.byref(ctypes.c_int64(0)))
    return failed


def thread_count() -> int:
    """GANGLION_NUM_THREADS, or the number of processors this process may use.

    Raises:
        KernelError: GANGLION_NUM_THREADS is not a whole number of at least 1.
    """
    chosen = os.environ.get("GANGLION_NUM_THREADS")
    if chosen is None:
        return _processors()
    if not chosen.isdecimal() or len(chosen) > 18 or int(chosen) < 1:  # Python refuses 5000 digits
        raise KernelError(f"GANGLION_NUM_THREADS is {chosen!r}: expected a whole number of at least 1")
    return int(chosen)


@cache
def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@cache
def pool() -> Any:
    """The function of pool.h; there is one pool for all kernels."""
    function = load_library((SOURCE / "pool.h").read_text(), POOL, "run_together").run_together
    function.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int64, ctypes.c_int]
    function.restype = ctypes.c_int
    return function
