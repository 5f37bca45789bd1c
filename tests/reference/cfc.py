"""The closed-form continuous-time cell on a circuit in float64 NumPy, from the equations of its paper.

Hasani, Lechner, Amini, Liebenwein, Ray, Tschaikowski, Teschl, Rus: Closed-form continuous-time neural
networks, Nature Machine Intelligence 2022. Every linear map L of [inputs, state] has one weight per synapse
and one bias per neuron, L_j = sum over i -> j of W_ij * (input or state)_i + b_j. With the time span dt:

    default   s = sigmoid(time_a * dt + time_b);  h' = tanh(ff1) * (1 - s) + s * tanh(ff2)
    no_gate   h' = tanh(ff1) + s * tanh(ff2)
    pure      h' = A - A * exp(-dt * (|w_tau| + |ff1|)) * ff1

The schedule ``synchronous`` reads only old states. ``layered`` updates the inter, then the command, then the
motor neurons; each reads the new states of the roles updated before it and the old states of all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from .graph import Wires

LAYERS = ("inter", "command", "motor")


@dataclass(frozen=True)
class CfC:
    """Parameters by the names of the cell, plain vectors in plan order."""

    wires: Wires
    parameters: dict[str, np.ndarray]
    mode: str = "default"
    schedule: str = "layered"

    def run(
        self, x: np.ndarray, state: np.ndarray | None = None, timespans: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Outputs (B, T, M) and all states (B, T, N) for inputs (B, T, I)."""
        batch, steps, _ = x.shape
        spans = np.broadcast_to(np.asarray(timespans, np.float64), (batch, steps))
        h = np.zeros((batch, len(self.wires.neurons))) if state is None else np.asarray(state, np.float64)
        states = []
        for t in range(steps):
            h = self.step(h, np.asarray(x[:, t], np.float64), spans[:, t, None])
            states.append(h)
        stacked = np.stack(states, axis=1)
        return stacked[..., : self.wires.motors], stacked

    def step(self, h: np.ndarray, x: np.ndarray, span: np.ndarray | float) -> np.ndarray:
        """The state after one time span: (B, N) from (B, N) and inputs (B, I)."""
        if self.schedule == "synchronous":
            return self._update(h, x, span)
        for layer in LAYERS:
            now = [role == layer for role in self.wires.roles]
            h = np.where(now, self._update(h, x, span), h)
        return h

    def _update(self, h: np.ndarray, x: np.ndarray, span: np.ndarray | float) -> np.ndarray:
        ff1 = self._linear("ff1", h, x)
        if self.mode == "pure":
            w_tau, a = self._get("w_tau"), self._get("A")
            return a - a * np.exp(-span * (np.abs(w_tau) + np.abs(ff1))) * ff1
        ff2 = self._linear("ff2", h, x)
        s = expit(self._linear("time_a", h, x) * span + self._linear("time_b", h, x))
        keep = 1.0 if self.mode == "no_gate" else 1.0 - s
        return np.tanh(ff1) * keep + s * np.tanh(ff2)

    def _linear(self, name: str, h: np.ndarray, x: np.ndarray) -> np.ndarray:
        recurrent = self._get(f"{name}_w") * h[:, self.wires.pre]
        sensory = self._get(f"sensory_{name}_w") * x[:, self.wires.sensory_pre]
        return (
            self.wires.arrivals(recurrent)
            + self.wires.arrivals(sensory, sensory=True)
            + self._get(f"{name}_b")
        )

    def _get(self, name: str) -> np.ndarray:
        return np.asarray(self.parameters[name], np.float64)
