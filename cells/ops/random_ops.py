"""Random numbers from MLX's global state or an explicit key, with NumPy's names, and first values.

The numbers are those of `mx.random`, whatever computes them; the global state is the one of MLX.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...arguments import label, scalar, whole
from ...compile.kernels import operations
from ...compile.kernels.tracing import evaluable
from .. import keys
from ..axes import lengths
from ..keys import Words, numbered, word_of
from ..values import Where, running_on

Size = int | Sequence[int] | None
End = float | mx.array | NDArray[np.float32]


def seed(number: int) -> None:
    """Begin MLX's global random state anew."""
    mx.random.seed(whole("seed", number, least=0, most=2**64 - 1))


def key(number: int, *, stream: Where = None) -> mx.array:
    """A key from which the same numbers come every time."""
    with running_on(stream):
        return mx.random.key(whole("key", number, least=0, most=2**64 - 1))


def split(key: mx.array, num: int = 2, *, stream: Where = None) -> mx.array:
    """(num, 2) keys of streams that have nothing to do with each other, from one key."""
    with running_on(stream):
        return mx.random.split(_checked(key), whole("num", num))


def get_state() -> mx.array:
    """MLX's global random state, for `set_state` later: a key, which can be saved like any array."""
    state = mx.array(_global_key())
    mx.eval(state)
    return state


def set_state(state: mx.array) -> None:
    """Go on as from the call of `get_state`.

    Raises:
        TypeError: no such state.
    """
    high, low = np.array(_checked(state)).tolist()
    mx.random.seed(high << 32 | low)


def uniform(
    low: float | mx.array = 0.0,
    high: float | mx.array = 1.0,
    size: Size = None,
    *,
    key: mx.array | None = None,
    stream: Where = None,
) -> mx.array:
    """float32 numbers uniform in [low, high), of a shape; that of low and high together if none is given."""
    with running_on(stream):
        low, high = _ends(low=low, high=high)
        shape = _shape(size, low, high)
        key, found = _drawn("uniform", shape, key)
        if found is None:
            return mx.random.uniform(low, high, shape, key=key)
        if isinstance(low, float | int) and isinstance(high, float | int) and (low, high) == (0, 1):
            return found
        return low + (high - low) * found


def normal(
    loc: float | mx.array = 0.0,
    scale: float | mx.array = 1.0,
    size: Size = None,
    *,
    key: mx.array | None = None,
    stream: Where = None,
) -> mx.array:
    """float32 numbers of a normal distribution, of a shape; that of loc and scale if none is given."""
    with running_on(stream):
        loc, scale = _ends(loc=loc, scale=scale)
        shape = _shape(size, loc, scale)
        key, found = _drawn("normal", shape, key)
        if found is None:
            return mx.random.normal(shape, mx.float32, loc, scale, key)
        found = found if isinstance(scale, float | int) and scale == 1 else found * scale
        return found if isinstance(loc, float | int) and loc == 0 else found + loc


def _shape(size: Size, *given: float | mx.array) -> list[int]:
    if size is not None:
        return lengths(size)
    try:
        return list(np.broadcast_shapes(*(x.shape for x in given if isinstance(x, mx.array))))
    except ValueError:
        shapes = " and ".join(str(x.shape) for x in given if isinstance(x, mx.array))
        raise ValueError(f"the shapes {shapes} do not broadcast") from None


def _ends(**given: float | mx.array) -> list[float | mx.array]:
    """What a distribution is of: numbers, or arrays of MLX."""
    return [value if isinstance(value, mx.array) else scalar(name, value) for name, value in given.items()]


def _drawn(
    what: Literal["uniform", "normal"], shape: list[int], key: mx.array | None
) -> tuple[mx.array | None, mx.array | None]:
    """The key, which MLX's state gives if there is none, and the numbers; neither if they are few."""
    key = None if key is None else _checked(key)
    if not operations.draws(shape):
        return key, None
    key = _next_key() if key is None else key
    return key, operations.drawn(what, shape, key)


def _next_key() -> mx.array:
    """The key that MLX would use for its next draw from the global state, which goes on."""
    _, key = mx.random.split(_global_key())
    mx.random.uniform()  # never computed, but MLX goes on to its next key
    return key


def _global_key() -> mx.array:
    return cast(list[mx.array], mx.random.state)[0]


def _checked(key: mx.array) -> mx.array:
    if not isinstance(key, mx.array):
        raise TypeError(f"key must be one that mx.random.key made, got {type(key).__name__}")
    if key.dtype != mx.uint32 or key.shape != (2,):
        raise TypeError(f"key must be a random key, as mx.random.key(seed) gives it, got {label(key)}")
    return key


class Draws:
    """A stream of random arrays; with a key, each draw uses its own fresh part of it.

    Args:
        key: a random key, or None for MLX's global random state.

    Example:
        >>> Draws(mx.random.key(0)).uniform(0.4, 0.6, 10).shape            # (10,)
    """

    def __init__(self, key: mx.array | None = None) -> None:
        self._key = None if key is None else _checked(key)
        self._own: mx.array | None = self._key

    def of(self, name: str, words: Words | None = None) -> Draws:
        """The draws of one parameter: a function of the key, of its name and of the words of its entries.

        What else is drawn, and in which order, is nothing to them. Without a key, one is drawn now, for all
        parameters.

        Args:
            name: the parameter's name.
            words: the words of its entries, in the parameter's shape, see `keys`; their numbers count if they
                are not given, or where a draw has another shape.
        """
        return _Named(self.key, name, words)

    @property
    def key(self) -> mx.array:
        """The key of all that is drawn by names: the one that was given, or one that is drawn now."""
        if self._own is None:
            self._own = _next_key()
        return self._own

    def uniform(self, low: End, high: End, *shape: int) -> mx.array:
        """Numbers uniform in [low, high)."""
        low, high = mx.array(low), mx.array(high)
        drawn = low + (high - low) * uniform(size=shape, key=self._next())
        # Rounding may carry a draw just below 1 onto `high` itself.
        return mx.clip(drawn, low, high)

    def glorot(self, fan_in: int, fan_out: int, *shape: int) -> mx.array:
        """Numbers uniform in +-sqrt(6 / (fan_in + fan_out)).

        Source: Glorot and Bengio, AISTATS 2010, equation 16.
        """
        limit = float(np.sqrt(6.0 / max(fan_in + fan_out, 1)))
        return self.uniform(-limit, limit, *shape)

    def orthogonal(self, n_rows: int, n_columns: int) -> mx.array:
        """A matrix (n_rows, n_columns) whose shorter side is orthonormal, uniform among all of these.

        Its entries have to do with each other, so that those of any size are others.

        Source: Saxe, McClelland, Ganguli, ICLR 2014; signs as in Mezzadri, Notices of the AMS 2007.
        """
        tall = (max(n_rows, n_columns), min(n_rows, n_columns))
        q, r = mx.linalg.qr(mx.random.normal(tall, key=self._next()), stream=mx.cpu)
        q = q * mx.where(mx.diag(r) < 0, -1.0, 1.0)
        return q if tall == (n_rows, n_columns) else q.T

    def _next(self) -> mx.array | None:
        if self._key is None:
            return None
        self._key, key = mx.random.split(self._key)
        return key


class _Named(Draws):
    """Draws of one parameter; see `Draws.of`."""

    def __init__(self, key: mx.array, name: str, words: Words | None) -> None:
        super().__init__(key)
        self._name, self._words, self._turn = name, words, 0

    def uniform(self, low: End, high: End, *shape: int) -> mx.array:
        words = self._words
        if words is None or words.shape != shape:
            words = numbered(math.prod(shape)).reshape(shape)
        return keys.uniform(self._turned(), words, low, high)

    def _next(self) -> mx.array:
        return mx.array(self._turned())

    def _turned(self) -> Any:
        """The key of the next draw: two words, of NumPy if they are known now."""
        word = word_of(f"{self._name} {self._turn}" if self._turn else self._name)
        self._turn += 1
        own = np.array([word >> 32, word & 0xFFFFFFFF], np.uint32)
        return np.array(self.key) ^ own if evaluable((self.key,)) else self.key ^ mx.array(own)
