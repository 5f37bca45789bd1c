"""The CfC without wiring, behind a backbone, as a fused kernel."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from ...compile.kernels import ACTIVATIONS, FusedSequence
from ..cfc.kernel import CFC_MAPS, CHUNK

FOLDER = Path(__file__).parent


@lru_cache(maxsize=32)
def dense_kernel(
    inputs: int, units: int, layers: int, width: int, mode: str = "default", activation: str = "lecun_tanh"
) -> FusedSequence:
    """The fused CfC without wiring, behind a backbone of `layers` layers of `width` units.

    Its parameters are all weights in one vector (each layer's (units, inputs) matrix, then those of the maps
    ff1, ff2, time_a and time_b), all biases in one vector, and w_tau and A, which are empty but for "pure".

    Example:
        >>> kernel = dense_kernel(16, 64, 1, 128)
        >>> outputs, state = kernel(x, timespans, state, [weights, biases, empty, empty])
    """
    maps = 1 if mode == "pure" else len(CFC_MAPS)
    widths = [inputs + units] + [width] * layers
    weights = sum(a * b for a, b in pairwise(widths)) + widths[-1] * maps * units
    return FusedSequence(
        FOLDER,
        "dense",
        sizes={
            "I": inputs,
            "N": units,
            "M": units,
            "H": width,
            "LAYERS": layers,
            "WEIGHTS": weights,
            "MAPS": maps,
            "ACTIVATION": ACTIVATIONS.index(activation),
            "CHUNK": CHUNK,
        },
        numbers={"GATED": float(mode == "default")},
        index={},
    )
