"""What every cell over a circuit is: names, sizes and the four parts of one step."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from .arguments import Values, step_call


class Cell(nn.Module):
    """One time step of a network: ``cell(x, state, timespan)`` gives ``(output, new_state)``.

    A subclass provides `prepare` (what depends on parameters only, computed once per sequence), `encode`
    (the inputs' mapping), `step` (the equation) and `decode` (states to outputs); `RNN` runs them over a
    sequence.

    Attributes:
        neurons: N names of the neurons with state; the first M are the outputs.
        sensors: I names of the input features.
        roles: N roles.
    """

    neurons: tuple[str, ...]
    sensors: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def n_inputs(self) -> int:
        """I: the number of input features."""
        return len(self.sensors)

    @property
    def n_neurons(self) -> int:
        """N: the size of the state."""
        return len(self.neurons)

    @property
    def n_outputs(self) -> int:
        """M: the number of motor neurons."""
        return self.roles.count("motor")

    @abstractmethod
    def prepare(self) -> Any:
        """Everything `step` needs that depends on the parameters only."""

    def encode(self, x: mx.array) -> mx.array:
        """(..., I) inputs as the sensory neurons present them."""
        return x

    @abstractmethod
    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        """The new state (B, N) from encoded input (B, I), state (B, N) and time span (B, 1) or (1, 1)."""

    def decode(self, states: mx.array) -> mx.array:
        """(..., M) outputs from (..., N) states."""
        return states[..., : self.n_outputs]

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; called after each optimizer step."""

    def __call__(
        self, x: Values, state: Values | None = None, timespan: Values = 1.0
    ) -> tuple[mx.array, mx.array]:
        """One time step.

        Args:
            x: (B, I) or (I,) inputs.
            state: (B, N) or (N,) state; zeros if not given.
            timespan: scalar or (B,) time since the previous sample.

        Returns:
            The output, (B, M) or (M,), and the new state, (B, N) or (N,).

        Raises:
            ValueError: a shape that does not fit, or a time span that is not positive.
        """
        inputs, state, span, batched = step_call(x, state, timespan, self.n_inputs, self.n_neurons)
        new = self.step(self.prepare(), self.encode(inputs), state, span)
        output = self.decode(new)
        return (output, new) if batched else (output[0], new[0])
