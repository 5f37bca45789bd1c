"""What the steps of one cell have in common, whoever runs them."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

from .calls import initial_state
from .cell import NCPRNNCell
from .ops.state_ops import State, restarted
from .running import ALLOCATES, Sample, Stage, Timespan


class OneCellSteps:
    """Steps of a batch of rows by one cell; a subclass keeps `state` and provides `step`."""

    state: State
    engine: str

    def __init__(self, cell: NCPRNNCell, batch: int) -> None:
        self._cell, self._batch, self.n_inputs = cell, batch, cell.n_inputs

    @property
    def lasting(self) -> tuple[int, ...]:
        """Which arrays of the state go on behind the end of an episode."""
        return self._cell.lasting

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        """The outputs (B, M) for the next samples (B, I)."""
        raise NotImplementedError

    def load(self, state: Any = None, batched: bool = True) -> None:
        given = initial_state(state, self._cell.state_shapes, self._batch, batched)
        self.state = self._cell.begun(given)

    def reset(self, chosen: mx.array) -> None:
        self.state = restarted(self.state, chosen, self._cell.lasting)

    def staged(self) -> Stage:
        raise ValueError(f"{type(self._cell).__name__} in plain operations: {ALLOCATES}")


def column(timespan: Timespan) -> mx.array:
    """(1, 1) or (B, 1)."""
    return mx.array(np.asarray(timespan, np.float32).reshape(-1, 1))
