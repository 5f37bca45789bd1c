"""What a network must be to be shown a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..arguments import label
from ..cells import NCPLayer
from .perturbations import Noise, Perturbation, Together


def sensors_of(network: Any) -> tuple[str, ...]:
    """The names of what a network reads.

    Raises:
        TypeError: it has none.
    """
    names = tuple(getattr(network, "sensors", ()))
    if not names:
        raise TypeError(f"expected a network whose sensors have names, got {label(network, 60)}")
    return names


def require_network(network: Any) -> None:
    """Raise TypeError for a layer or cell that reads no sequences: it takes times for rows of a batch."""
    if not (isinstance(network, NCPLayer) and network.recurrent):
        raise TypeError(
            f"network must be a network over sequences, such as gl.LTC(circuit), got {label(network)}"
        )


def require_parts(network: NCPLayer, also: Sequence[Perturbation] = ()) -> None:
    """Raise ValueError if a sequence in parts, each with the state before it, is another than the whole."""
    for change in also:
        if has_noise(change):
            raise ValueError(
                f"{change}: its numbers would begin anew where perturbations of the protocol begin or end; "
                "use .noise(sensor, ...) of the protocol"
            )
    try:
        network.stream()
    except ValueError as error:
        raise ValueError(f"perturbations begin or end between samples: {error}") from None


def has_noise(change: Perturbation) -> bool:
    """Whether a perturbation draws numbers for each call."""
    return isinstance(change, Noise) or (isinstance(change, Together) and any(map(has_noise, change.parts)))
