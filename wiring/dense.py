"""No wiring: the request for a fully connected cell with a backbone, where no single synapse can be named."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import MOST_NEURONS, whole


@dataclass(frozen=True)
class Dense:
    """The sizes of an unwired cell.

    Attributes:
        inputs: number of input features, at least 1.
        units: number of hidden units, at least 1; all of them are outputs.

    Raises:
        TypeError, ValueError: a size is not a whole number, or is less than 1.
    """

    inputs: int
    units: int

    def __post_init__(self) -> None:
        for field in ("inputs", "units"):
            object.__setattr__(self, field, whole(f"dense: {field}", getattr(self, field), most=MOST_NEURONS))


def dense(inputs: int, units: int) -> Dense:
    """No wiring: `inputs` features into `units` units that are all connected to each other.

    Raises:
        TypeError, ValueError: a size is not a whole number, or is less than 1.

    Example:
        >>> rnn = gl.CfC(gl.dense(16, 64))
    """
    return Dense(inputs, units)
