"""Threefry: random words that are a function of a key and a counter, and of nothing else.

Source: Salmon and others, Parallel random numbers: as easy as 1, 2, 3, SC 2011; 32 bits and 20 rounds, as
known from other libraries.
"""

from __future__ import annotations

from typing import Any

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
ROUNDS, PARITY = 20, 0x1BD11BDA


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two random words of 32 bits, of a key and a counter of two words each; arrays of NumPy or of MLX."""
    a, b = counter[0] + key[0], counter[1] + key[1]
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    for turn in range(ROUNDS // 4):
        for by in ROTATIONS[turn % 2]:
            a = a + b
            turned, b = b << by, b >> (32 - by)
            b |= turned  # in place: of large arrays this is what takes the time
            b ^= a
        a, b = a + keys[(turn + 1) % 3], b + (keys[(turn + 2) % 3] + (turn + 1))
    return a, b
