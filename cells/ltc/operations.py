"""The LTC equation in plain MLX operations, for any layout."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from ...compile import CompiledCircuit
from ...compile.electrical import Coupling
from ...compile.layouts import Projection
from ..ops import ode_step, synaptic_sigmoid

SOLVERS = ("semi_implicit", "explicit", "rk4")
TINY = 1e-30
"""Time spans below it count as 0, where one divided by them would be no number; kernels have the same."""


@dataclass(frozen=True)
class SynapticTerms:
    """One projection with its parameters spread out: gives the two sums of the LTC equation."""

    projection: Projection
    w: mx.array
    mu: mx.array
    sigma: mx.array
    w_erev: mx.array

    def sums(self, v: mx.array) -> tuple[mx.array, mx.array]:
        """sum_i a_ij E_ij and sum_i a_ij over the synapses onto each neuron, from (B, n_pre)."""
        num, den = self.projection.sums(_currents, v, self.w, self.mu, self.sigma, self.w_erev)
        return num, den


def _currents(
    v: mx.array, w: mx.array, mu: mx.array, sigma: mx.array, w_erev: mx.array
) -> tuple[mx.array, mx.array]:
    """a_ij E_ij and a_ij of every synapse, from the presynaptic state."""
    open_ = synaptic_sigmoid(v, mu, sigma)
    return open_ * w_erev, open_ * w


@dataclass(frozen=True)
class LTCTerms:
    """What the LTC equation needs besides input, state and time: spread parameters."""

    recurrent: SynapticTerms
    sensory: SynapticTerms
    gleak: mx.array
    gleak_vleak: mx.array
    cm: mx.array
    coupling: Coupling | None = None
    gap: mx.array | None = None

    @classmethod
    def of(cls, compiled: CompiledCircuit, p: dict[str, mx.array]) -> LTCTerms:
        """Spread effective parameters over a compiled circuit."""
        recurrent, sensory = (
            SynapticTerms(
                projection,
                projection.spread(p[f"{prefix}w"]),
                projection.spread(p[f"{prefix}mu"]),
                projection.spread(p[f"{prefix}sigma"]),
                projection.spread(p[f"{prefix}w"] * p[f"{prefix}erev"]),
            )
            for prefix, projection in (("", compiled.recurrent), ("sensory_", compiled.sensory))
        )
        coupling = compiled.electrical
        gap = None if coupling is None else coupling.weights(p["gap"])
        return cls(recurrent, sensory, p["gleak"], p["gleak"] * p["vleak"], p["cm"], coupling, gap)

    def sums(self, v: mx.array) -> tuple[mx.array, mx.array]:
        """sum_i a_ij E_ij + sum_k g_jk v_k and sum_i a_ij, over recurrent and electrical synapses."""
        num, den = self.recurrent.sums(v)
        if self.coupling is not None and self.gap is not None:
            num = num + self.coupling.inflow(v, self.gap)
        return num, den


def ltc_step_ops(
    terms: LTCTerms,
    x: mx.array,
    v: mx.array,
    timespan: mx.array,
    unfolds: int,
    epsilon: float,
    solver: str = "semi_implicit",
) -> mx.array:
    """One LTC time step in plain MLX operations: the reference for the fused kernel."""
    sensory_num, sensory_den = terms.sensory.sums(x)
    dt = timespan / unfolds
    fixed_num = terms.gleak_vleak + sensory_num
    fixed_den = terms.gleak + sensory_den
    if terms.coupling is not None and terms.gap is not None:
        fixed_den = fixed_den + terms.coupling.load(terms.gap)

    def rate(v: mx.array) -> mx.array:
        num, den = terms.sums(v)
        return (fixed_num + num - (fixed_den + den) * v) / (terms.cm + epsilon)

    if solver != "semi_implicit":
        for _ in range(unfolds):
            v = ode_step(solver, rate, v, dt)
        return v
    stays, before = timespan < TINY, v  # in no time, a state goes nowhere
    cm_dt = terms.cm / mx.where(stays, 1.0, dt)
    fixed_den = fixed_den + cm_dt + epsilon
    for _ in range(unfolds):
        num, den = terms.sums(v)
        v = (cm_dt * v + fixed_num + num) / (fixed_den + den)
    return mx.where(stays, before, v)
