"""The liquid time-constant cell in float64 NumPy, from the equations of its paper.

Hasani, Lechner, Amini, Rus, Grosu: Liquid Time-constant Networks, AAAI 2021. For neuron j, with a_ij summed
over recurrent (v_i a state) and sensory (v_i a mapped input) synapses i -> j:

    a_ij = w_ij * sigmoid(sigma_ij * (v_i - mu_ij))
    c_j dv_j/dt = g_j * (vleak_j - v_j) + sum_i a_ij * (erev_ij - v_j) + sum_k gap_jk (v_k - v_j)     the ODE

where the last sum is over electrical synapses.

The fused solver takes the v_j of the right-hand side at the new time and the a_ij at the old one,

    c_j (v'_j - v_j) / h = g_j * (vleak_j - v'_j) + sum_i a_ij(v) * (erev_ij - v'_j),

which solved for v'_j is one unfold of length h = time span / unfolds. A small epsilon is added to the
denominator, as ncps does. With ``positive="softplus"``, w, c and g are softplus of the stored parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from .graph import Wires


@dataclass(frozen=True)
class LTC:
    """Parameters by the names of the design, plain vectors in plan order; absent mappings are identities."""

    wires: Wires
    parameters: dict[str, np.ndarray]
    ode_unfolds: int = 6
    epsilon: float = 1e-8
    positive: str = "clip"

    def run(
        self, x: np.ndarray, state: np.ndarray | None = None, timespans: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Outputs (B, T, M) and all states (B, T, N) for inputs (B, T, I)."""
        batch, steps, _ = x.shape
        spans = np.broadcast_to(np.asarray(timespans, np.float64), (batch, steps))
        v = np.zeros((batch, len(self.wires.neurons))) if state is None else np.asarray(state, np.float64)
        states = []
        for t in range(steps):
            v = self.step(v, np.asarray(x[:, t], np.float64), spans[:, t, None])
            states.append(v)
        stacked = np.stack(states, axis=1)
        return self.shown(stacked), stacked

    def shown(self, states: np.ndarray) -> np.ndarray:
        """The outputs of states."""
        return states[..., : self.wires.motors] * self._get("output_w", 1.0) + self._get("output_b", 0.0)

    def step(self, v: np.ndarray, x: np.ndarray, span: np.ndarray | float) -> np.ndarray:
        """The state after one time span: (B, N) from (B, N) and inputs (B, I)."""
        for _ in range(self.ode_unfolds):
            total, towards = self.conductances(v, x)
            c_h = self._positive("cm") / (span / self.ode_unfolds)
            g = self._positive("gleak")
            v = (c_h * v + g * self._get("vleak") + towards) / (c_h + g + total + self.epsilon)
        return v

    def ode(self, x: np.ndarray) -> Callable[[float, np.ndarray], np.ndarray]:
        """dv/dt as a function of (t, v (N,)) at a constant input (I,)."""

        def rate(_: float, v: np.ndarray) -> np.ndarray:
            total, towards = (sums[0] for sums in self.conductances(v[None], x[None]))
            leak = self._positive("gleak") * (self._get("vleak") - v)
            return (leak + towards - total * v) / self._positive("cm")

        return rate

    def conductances(self, v: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """sum_i a_ij and sum_i a_ij * erev_ij, both (B, N)."""
        mapped = x * self._get("input_w", 1.0) + self._get("input_b", 0.0)
        a = self._activation(v[:, self.wires.pre], "")
        b = self._activation(mapped[:, self.wires.sensory_pre], "sensory_")
        total = self.wires.arrivals(a) + self.wires.arrivals(b, sensory=True)
        towards = self.wires.arrivals(a * self._get("erev"))
        for k, (i, j) in enumerate(
            self.wires.gaps
        ):  # the current g (v_i - v_j) into j, and its opposite into i
            g = self._positive("gap")[k]
            total[:, [i, j]] += g
            towards[:, [i, j]] += g * v[:, [j, i]]
        return total, towards + self.wires.arrivals(b * self._get("sensory_erev"), sensory=True)

    def _activation(self, v_pre: np.ndarray, kind: str) -> np.ndarray:
        gate = expit(self._get(f"{kind}sigma") * (v_pre - self._get(f"{kind}mu")))
        return self._positive(f"{kind}w") * gate

    def _positive(self, name: str) -> np.ndarray:
        return np.logaddexp(0.0, self._get(name)) if self.positive == "softplus" else self._get(name)

    def _get(self, name: str, default: float | None = None) -> np.ndarray:
        value = self.parameters[name] if default is None else self.parameters.get(name, default)
        return np.asarray(value, np.float64)
