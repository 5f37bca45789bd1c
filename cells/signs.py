"""The signs of synapses, held by projection: what a parameter beyond zero counts for, what puts it back."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

POLARITY = ("init", "fixed")


def signs(polarity: NDArray[np.int8]) -> mx.array:
    """+1 or -1 per synapse, as numbers."""
    return mx.array(polarity.astype(np.float32))


def held(w: mx.array, sign: mx.array) -> mx.array:
    """`w` where it has its sign, zero elsewhere, and everywhere with the gradient of `w`.

    So a weight that has come to zero can leave it again, which it cannot under max(w, 0) or sign * abs(w).
    """
    return w - mx.stop_gradient(beyond(w, sign))


def beyond(w: mx.array, sign: mx.array) -> mx.array:
    """What of `w` lies on the other side of zero."""
    sign = sign.astype(w.dtype)
    return sign * mx.minimum(sign * w, 0.0)
