"""Initial values of parameters, from MLX's global random state or from an explicit key."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from ..compile import Synapses


class Draws:
    """A stream of uniform draws; with a key, each draw uses its own fresh part of it.

    Example:
        >>> Draws(mx.random.key(0)).uniform(0.4, 0.6, 10).shape            # (10,)
    """

    def __init__(self, key: mx.array | None) -> None:
        self._key = key

    def uniform(self, low: float | mx.array, high: float | mx.array, n: int) -> mx.array:
        """(n,) numbers uniform in [low, high)."""
        return low + (high - low) * mx.random.uniform(shape=(n,), key=self._next())

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
