"""MLX's global random state as two numbers, to keep it and to put it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx


def random_key() -> list[int]:
    """The two 32-bit halves of the key of MLX's global random state."""
    state: Any = mx.random.state  # its stub says object
    return [int(half) for half in state[0].tolist()]


def set_random_key(key: list[int]) -> None:
    """Put the global random state where `random_key` found it: a seed is nothing but the key's 64 bits."""
    mx.random.seed((key[0] << 32) | key[1])


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Draw random numbers without a trace in the global state."""
    key = random_key()
    try:
        yield
    finally:
        set_random_key(key)
