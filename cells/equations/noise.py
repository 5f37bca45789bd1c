"""Random numbers by place: each is a function of a seed, a row, a sample and a neuron, and of nothing else.

The words are those of Threefry (Salmon and others, Parallel random numbers: as easy as 1, 2, 3, 2011), with
32 bits and 20 rounds, as known from other libraries. A word becomes a normal number by four looks into a
table, one for each of its bytes, and three additions: with no product among them, they give the same bits
wherever they are computed. The table has the normal distribution's moments up to the eighth, and so has the
sum.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..threefry import threefry

BYTES = 8
"""What the noise of a row goes on from: its place in the batch, from 1, and how many samples it has had.

Both are four numbers from 0 to 255, the lowest first, which all types of numbers hold exactly.
"""
Draw: TypeAlias = Callable[[int, Any, NDArray[np.uint32], int, int], Any]
"""What gives numbers, as `numbers` does."""
_DRAWN: ContextVar[Draw | None] = ContextVar("_DRAWN", default=None)
_ROWS: ContextVar[NDArray[np.intp] | None] = ContextVar("_ROWS", default=None)
# Half of the table of normal numbers, which are half as wide as the sum of four is.
HALF = (
    0.00221989467,
    0.00666010054,
    0.0111015551,
    0.0155450916,
    0.019991545,
    0.0244417489,
    0.0288965423,
    0.0333567671,
    0.0378232636,
    0.042296879,
    0.0467784591,
    0.0512688644,
    0.055768948,
    0.0602795742,
    0.064801611,
    0.06933593,
    0.0738834217,
    0.0784449652,
    0.0830214545,
    0.0876137987,
    0.0922229066,
    0.0968496948,
    0.101495102,
    0.106160052,
    0.110845514,
    0.115552433,
    0.120281793,
    0.125034571,
    0.129811779,
    0.134614408,
    0.139443487,
    0.144300073,
    0.149185225,
    0.154099986,
    0.159045488,
    0.164022803,
    0.169033065,
    0.174077436,
    0.179157078,
    0.184273168,
    0.189426929,
    0.194619581,
    0.199852407,
    0.205126658,
    0.210443676,
    0.215804771,
    0.221211329,
    0.226664752,
    0.232166439,
    0.237717882,
    0.243320569,
    0.248976007,
    0.254685789,
    0.260451525,
    0.26627484,
    0.27215746,
    0.278101087,
    0.284107506,
    0.290178567,
    0.296316117,
    0.302522123,
    0.308798552,
    0.31514746,
    0.321570963,
    0.328071177,
    0.334650427,
    0.341310948,
    0.348055124,
    0.354885459,
    0.361804456,
    0.368814737,
    0.375918984,
    0.38312006,
    0.390420794,
    0.397824258,
    0.405333489,
    0.412951767,
    0.4206824,
    0.428528875,
    0.436494768,
    0.444583833,
    0.452799946,
    0.461147189,
    0.469629705,
    0.478251904,
    0.487018377,
    0.495933831,
    0.505003273,
    0.514231801,
    0.523624957,
    0.533188283,
    0.542927742,
    0.552849472,
    0.562959969,
    0.573266089,
    0.583774805,
    0.594493747,
    0.605430543,
    0.616593599,
    0.627991438,
    0.639633179,
    0.651528418,
    0.66368711,
    0.676119864,
    0.688837826,
    0.701852739,
    0.71517688,
    0.728823423,
    0.742806017,
    0.757139146,
    0.771838248,
    0.786919534,
    0.80240041,
    0.818299472,
    0.834637105,
    0.851436019,
    0.868722498,
    0.886529028,
    0.904898703,
    0.923895061,
    0.943622589,
    0.964272261,
    0.986232579,
    1.01038563,
    1.03901327,
    1.07922351,
    1.16150987,
    1.58086932,
)


@cache
def table() -> NDArray[np.float32]:
    """(256,) from which normal numbers are made."""
    half = np.array(HALF, np.float32)
    return np.concatenate([-half[::-1], half])


@lru_cache(maxsize=64)
def places(neurons: tuple[str, ...]) -> NDArray[np.uint32]:
    """(N,) words that are the neurons' own, by their names: they stay when others come and go."""
    found: dict[int, str] = {}
    for neuron in neurons:
        told = neuron
        while (word := zlib.crc32(told.encode())) in found:
            told += "'"
        found[word] = neuron
    return np.array(list(found), np.uint32)


def numbers(seed: int, state: Any, places: Any, draw: int, draws: int) -> Any:
    """(B, N) normal numbers of a seed, of the rows and samples of (B, 8) states, and of (N,) places.

    It is draw number `draw` of `draws` of a sample. Arrays of NumPy give such, and those of MLX give those.
    """
    if (drawn := _DRAWN.get()) is not None:
        return drawn(seed, state, places, draw, draws)
    own: Any = mx if isinstance(state, mx.array) else np
    row, count = words(state)
    key = own.array([seed], own.uint32), row[:, None]
    turn = count * own.array(draws, own.uint32) + own.array(draw, own.uint32)
    return normals(key, (turn[:, None], own.array(places)[None]))


def normals(key: tuple[Any, Any], counter: tuple[Any, Any], values: Any = None) -> Any:
    """The normal numbers of a key and a counter of two words each, by a table in other units if given."""
    word, _ = threefry(key, counter)
    own: Any = mx if isinstance(word, mx.array) else np
    values = own.array(table() if values is None else values)
    first, second, third, fourth = (own.take(values, (word >> (8 * k)) & 255) for k in range(4))
    return (first + second) + (third + fourth)


@contextmanager
def drawn_by(draw: Draw) -> Iterator[None]:
    """Let a function give all numbers for a while, in which states of noise stay as they are.

    Who writes a step down has a word for a number, and none for the hundred operations that it is made of.
    """
    token = _DRAWN.set(draw)
    try:
        yield
    finally:
        _DRAWN.reset(token)


@contextmanager
def part_of_batch(rows: NDArray[np.intp]) -> Iterator[None]:
    """Let new rows have the places for a while that they have in the batch that they were taken from."""
    token = _ROWS.set(rows)
    try:
        yield
    finally:
        _ROWS.reset(token)


def numbered(state: Any) -> Any:
    """(B, 8) states in which rows that are new have their place in the batch."""
    if _DRAWN.get() is not None:
        return state
    own: Any = mx if isinstance(state, mx.array) else np
    state = own.clip(own.round(state), 0, 255)  # what a user gives may be anything
    rows = _ROWS.get()
    places = own.array((np.arange(len(state)) if rows is None else rows) + 1).astype(own.uint32)
    row, _ = words(state)
    fresh = _parted(own.where(row == 0, places, row))
    return own.concatenate([fresh.astype(state.dtype), state[:, 4:]], axis=1)


def counted(state: Any) -> Any:
    """(B, 8) states after one more sample."""
    if _DRAWN.get() is not None:
        return state
    own: Any = mx if isinstance(state, mx.array) else np
    count = _parted(words(state)[1] + 1)
    return own.concatenate([state[:, :4], count.astype(state.dtype)], axis=1)


def words(state: Any) -> tuple[Any, Any]:
    """The (B,) rows and samples of (B, 8) states."""
    own: Any = mx if isinstance(state, mx.array) else np
    row, count = (_word(state[:, k : k + 4].astype(own.uint32)) for k in (0, 4))
    return row, count


def _word(parts: Any) -> Any:
    return parts[:, 0] | (parts[:, 1] << 8) | (parts[:, 2] << 16) | (parts[:, 3] << 24)


def _parted(word: Any) -> Any:
    own: Any = mx if isinstance(word, mx.array) else np
    return own.stack([(word >> (8 * k)) & 255 for k in range(4)], axis=1)
