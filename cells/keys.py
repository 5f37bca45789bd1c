"""Words that stand for neurons, synapses and entries of matrices: each by its names, whatever else there is.

A word has 64 bits. Fresh values are drawn by them, so that an edit of a circuit leaves those of all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from .threefry import threefry

Words: TypeAlias = NDArray[np.uint64]
ODD, MIX = np.uint64(0x9E3779B97F4A7C15), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
PIECE = 1 << 15
"""So many words at once stay near the processor."""
STEP = np.float32(2.0**-24)


def word_of(name: str) -> int:
    """The word of a name."""
    return int.from_bytes(blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=16)
def words_of(names: tuple[str, ...]) -> Words:
    """(N,) the words of names."""
    return np.fromiter(map(word_of, names), np.uint64, len(names))


def numbered(count: int) -> Words:
    """(count,) the words of the numbers from 0 on, for entries without names."""
    found = np.arange(1, count + 1, dtype=np.uint64) * ODD
    for shift, factor in zip((30, 27), MIX, strict=True):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
    return found ^ (found >> np.uint64(31))


def together(first: Words, second: Words) -> Words:
    """The words of pairs, such as synapses, from those of both; the other way round it is another."""
    found: Words = first * ODD + second
    return found


def between(pre: Words, i: NDArray[np.int32], post: Words, j: NDArray[np.int32]) -> Words:
    """The words of synapses, from those of all neurons on both sides and the numbers of each one's two."""
    found = np.empty(len(i), np.uint64)
    pre = pre * ODD
    for piece in _pieces(len(i)):
        np.add(pre[i[piece]], post[j[piece]], out=found[piece])
    return found


def of_either_order(first: Words, second: Words) -> Words:
    """The words of pairs without a direction."""
    return together(np.minimum(first, second), np.maximum(first, second))


def grid(rows: Words, columns: Words) -> Words:
    """(R, C) the words of the entries of a matrix."""
    return together(rows[:, None], columns[None, :])


def random_words(key: Any, words: Words) -> Any:
    """uint32 words that are random, by a key of two and by words; an array of MLX if the key is one."""
    if isinstance(key, mx.array):
        low, high = map(mx.array, _halves(words))
        return threefry((key[0], key[1]), (low, high))[0]
    return threefry((key[:1], key[1:]), _halves(words))[0]


def uniform(key: Any, words: Words, low: Any, high: Any) -> mx.array:
    """float32 numbers uniform in [low, high], by a key of two and by words, in the shape of these."""
    if isinstance(key, mx.array):
        low, high = mx.array(low), mx.array(high)
        part = (random_words(key, words) >> 8).astype(mx.float32) * STEP
        return mx.clip(low + (high - low) * part, low, high)
    first, last = (np.asarray(end, np.float32) for end in (low, high))
    if first.ndim or last.ndim:
        first, last = (np.broadcast_to(end, words.shape).reshape(-1) for end in (first, last))
    flat, found = words.reshape(-1), np.empty(words.size, np.float32)
    for piece in _pieces(len(flat)):
        below, above = (end[piece] if end.ndim else end for end in (first, last))
        part = (random_words(key, flat[piece]) >> 8).astype(np.float32)
        part *= STEP
        part *= above - below
        part += below
        np.clip(part, below, above, out=found[piece])  # rounding may carry a number onto an end, or beyond
    return mx.array(found.reshape(words.shape))


def _halves(words: Words) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    return words.astype(np.uint32), (words >> np.uint64(32)).astype(np.uint32)


def _pieces(count: int) -> Iterator[slice]:
    return (slice(first, first + PIECE) for first in range(0, count, PIECE))
