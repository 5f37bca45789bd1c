"""The CfC without wiring, behind a backbone, as a fused kernel."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from ...compile.kernels import ACTIVATIONS, FusedSequence
from ..cfc.kernel import CFC_MAPS, CHUNK, CfCSequence

FOLDER = Path(__file__).parent
DENSE_PARAMETERS = (
    *("backbone_w", "backbone_b"),
    *(name for m in CFC_MAPS for name in (f"{m}_w", f"{m}_b")),
    *("w_tau", "A"),
)


@lru_cache(maxsize=32)
def dense_kernel(
    inputs: int, units: int, layers: int, width: int, mode: str = "default", activation: str = "lecun_tanh"
) -> FusedSequence:
    """The fused CfC without wiring, behind a backbone of `layers` layers of `width` units.

    Its parameters are `DENSE_PARAMETERS`, empty where a mode has none. Those of the backbone are all layers'
    (units, inputs) matrices in one vector, and all biases in one.

    Example:
        >>> kernel = dense_kernel(16, 64, 1, 128)
        >>> outputs, state = kernel(x, timespans, state, [p.get(name, empty) for name in DENSE_PARAMETERS])
    """
    widths = [inputs + units] + [width] * layers
    sizes = {
        "I": inputs,
        "N": units,
        "M": units,
        "H": width,
        "W": widths[-1],
        "LAYERS": layers,
        "WEIGHTS": sum(a * b for a, b in pairwise(widths)),
        "MAPS": 1 if mode == "pure" else len(CFC_MAPS),
        "ACTIVATION": ACTIVATIONS.index(activation),
        "CHUNK": CHUNK,
    }
    numbers = {"GATED": float(mode == "default")}
    if mode == "pure":
        return FusedSequence(FOLDER, "dense", sizes=sizes, numbers=numbers, index={})
    return CfCSequence(FOLDER, "dense", DENSE_PARAMETERS, sizes=sizes, numbers=numbers, index={})
