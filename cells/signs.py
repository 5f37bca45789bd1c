"""The signs of synapses: parameters that start with them, and keep them if a cell is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

POLARITY = ("init", "fixed")
Rules = tuple[Mapping[str, mx.array], Mapping[str, mx.array]]
"""Parameters that carry signs, on recurrent and on sensory synapses: name -> +1, -1 or 0 (free) for each."""


class Signed(Protocol):
    """A cell whose parameters carry the signs of its synapses."""

    polarity: str

    def signed(self) -> Rules: ...
    def __getitem__(self, name: str) -> mx.array: ...
    def __setitem__(self, name: str, value: mx.array) -> None: ...


def signs(polarity: NDArray[np.int8]) -> mx.array:
    """+1 or -1 per synapse, as numbers."""
    return mx.array(polarity.astype(np.float32))


def held(w: mx.array, sign: mx.array) -> mx.array:
    """`w` where it has its sign, zero elsewhere, and everywhere with the gradient of `w`.

    So a weight that has come to zero can leave it again, which it cannot under max(w, 0) or sign * abs(w).
    """
    return w - mx.stop_gradient(_beyond(w, sign))


def rules_held(cell: Signed) -> dict[str, mx.array]:
    """The parameters that a cell holds to a sign; none unless its polarity is fixed."""
    return {n: s for part in cell.signed() for n, s in part.items()} if cell.polarity == "fixed" else {}


def hold(cell: Signed, parameters: dict[str, mx.array]) -> None:
    """Let some parameters of a cell with ``polarity="fixed"`` have their signs, for use in its equation."""
    for name, sign in rules_held(cell).items():
        if name in parameters:
            parameters[name] = held(parameters[name], sign)


def keep_signs(cell: Signed) -> None:
    """Put parameters of a cell with ``polarity="fixed"`` that crossed zero back to it."""
    for name, sign in rules_held(cell).items():
        cell[name] = cell[name] - _beyond(cell[name], sign)


def _beyond(w: mx.array, sign: mx.array) -> mx.array:
    """What of `w` lies on the other side of zero."""
    sign = sign.astype(w.dtype)
    return sign * mx.minimum(sign * w, 0.0)
