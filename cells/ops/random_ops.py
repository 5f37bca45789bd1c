"""Initial values of parameters, from MLX's global random state or from an explicit key."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from ...arguments import label
from ...compile import Synapses


class Draws:
    """A stream of random arrays; with a key, each draw uses its own fresh part of it.

    Args:
        key: a random key, or None for MLX's global random state.

    Example:
        >>> Draws(mx.random.key(0)).uniform(0.4, 0.6, 10).shape            # (10,)
    """

    def __init__(self, key: mx.array | None = None) -> None:
        if key is not None and not isinstance(key, mx.array):
            raise TypeError(f"key must be one that mx.random.key made, got {type(key).__name__}")
        if key is not None and not (
            isinstance(key, mx.array) and key.dtype == mx.uint32 and key.shape == (2,)
        ):
            raise TypeError(f"key must be a random key, as mx.random.key(seed) gives it, got {label(key)}")
        self._key = key

    def uniform(self, low: float | mx.array, high: float | mx.array, *shape: int) -> mx.array:
        """Numbers uniform in [low, high)."""
        drawn = low + (high - low) * mx.random.uniform(shape=shape, key=self._next())
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


def glorot_limits(*parts: Synapses) -> list[mx.array]:
    """Per synapse, the limit sqrt(6 / (fan-in of post + fan-out of pre)) of Glorot's uniform draw.

    A neuron's fan-in counts its synapses in all parts together, since their currents add up. In a full
    circuit this is the usual Glorot limit; in a sparse one it keeps the currents at the same scale.

    Source: Glorot and Bengio, AISTATS 2010, equation 16.
    """
    fan_in = sum(np.diff(part.ptr) for part in parts)
    limits = []
    for part in parts:
        fan_out = np.diff(part.pre_ptr)
        fans = np.asarray(fan_in)[part.post] + fan_out[part.pre]
        limits.append(mx.array(np.sqrt(6.0 / np.maximum(fans, 1)).astype(np.float32)))
    return limits
