"""The continuous-time recurrent network: leaky neurons with a firing rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..arguments import MOST_UNFOLDS, flag, label, one_of, real, whole
from ..compile import Source
from ..compile.synapses import Index
from .cell import NCPRNNCell
from .ltc.operations import SOLVERS
from .maps import CircuitMap, circuit_map, map_parameters, map_strengths
from .ops import Activation, activate, activation_of, ode_step, softplus_inverse
from .overlay import Changes
from .parameters import Parameter, constant
from .sharing import Scale, Ties
from .signs import POLARITY
from .strengths import Floats, Strengths, as_floats

ENDLESS = 1e30
"""A time constant in which nothing happens."""


@dataclass(frozen=True)
class CTRNNTerms:
    """What the equation needs: the map of what reaches a neuron, and the time constants."""

    rate: CircuitMap
    tau: mx.array


class CTRNNCell(NCPRNNCell):
    r"""One time step of a continuous-time recurrent network over a circuit.

    In `ode_unfolds` steps of length dt = timespan / ode_unfolds, it solves

    .. math::

        \tau_j \frac{dh_j}{dt} = -h_j + f\bigl(b_j + \sum_i w_{ij} [x, h]_i\bigr)

    over the synapses i -> j. Without the leak, the first term is absent: a neural differential equation.

    Parameters: ``rate_w`` (E,) on recurrent and ``sensory_rate_w`` (S,) on sensory synapses, ``rate_b`` and,
    through softplus, ``tau`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        ode_unfolds: solver steps per time step.
        solver: "semi_implicit" (the leak at the new time: stable for any step), "explicit" or "rk4".
        activation: f; a name or a function, as `NCPDense` takes it.
        tau: where every time constant starts, in the unit of the time spans. ``cell.freeze(keys="tau")``
            keeps it there.
        leak: whether neurons leak.
        clip: the largest absolute state; None for no limit.
        polarity: "init" (the circuit's signs are where weights start) or "fixed" (they keep them, as
            those of a `CfCCell`).
        tie, scale, fixed, penalty: which parameters are shared, see `LTCCell`; a `scale` by name alone is of
            the weights that carry the signs of synapses.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option, or a number that is not positive.

    Example:
        >>> rnn = gl.RNN(gl.CTRNNCell(gl.auto_ncp(64, 8, inputs=16), solver="rk4"))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Funahashi and Nakamura, Neural Networks 1993, equation 1; without leak, Chen et al., Neural
    ordinary differential equations, NeurIPS 2018.
    """

    needs_circuit = True
    by_effective = True

    def __init__(
        self,
        circuit: Source,
        *,
        ode_unfolds: int = 6,
        solver: str = "semi_implicit",
        activation: Activation = "tanh",
        tau: float = 1.0,
        leak: bool = True,
        clip: float | None = None,
        polarity: str = "init",
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        key: mx.array | None = None,
    ) -> None:
        one_of("solver", solver, SOLVERS)
        one_of("polarity", polarity, POLARITY)
        whole("ode_unfolds", ode_unfolds, most=MOST_UNFOLDS)
        flag("leak", leak)
        real("tau", tau, above=0)
        if clip is not None:
            real("clip", clip, above=0)
        super().__init__(circuit)
        self.ode_unfolds, self.solver = ode_unfolds, solver
        self.activation = activation_of("activation", activation)
        self.leak, self.clip, self.polarity = leak, clip, polarity
        self._tau = tau
        self.share(tie, scale, fixed, penalty)
        self.make_parameters(key)

    def declared(self) -> dict[str, Parameter]:
        return {
            **map_parameters("rate", signed=True),
            "tau": Parameter("neuron", constant(softplus_inverse(self._tau))),
        }

    def prepare(self) -> CTRNNTerms:
        p = self.effective()
        return CTRNNTerms(circuit_map(self.compiled, "rate", p), nn.softplus(p["tau"]))

    def hold_neurons(self, changes: Changes, neurons: Index, values: Floats) -> None:
        """A neuron of an endless time constant stays where it starts."""
        if self.clip is not None and (np.abs(values) > self.clip).any():
            raise ValueError(f"states are clipped at {self.clip}, got {label(values.tolist())}")
        changes.cut_into(neurons)
        changes.put("tau", neurons, ENDLESS)

    def drive_neurons(self, changes: Changes, neurons: Index, currents: Floats) -> None:
        changes.add("rate_b", neurons, currents)

    def resting_states(self) -> Floats:
        """Where a leak pulls it; without a leak it has no rest, and 0 counts."""
        bias = self.effective()["rate_b"]
        return as_floats(activate(self.activation, bias)) if self.leak else np.zeros(self.n_neurons)

    def strengths(self) -> Strengths:
        return map_strengths(self.compiled.plan, "rate", self.effective())

    def step(self, prepared: CTRNNTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        drive = prepared.rate.drive(x)
        speed = timespan / (self.ode_unfolds * prepared.tau)

        def fired(h: mx.array) -> mx.array:
            return activate(self.activation, prepared.rate(drive, h))

        def rate(h: mx.array) -> mx.array:
            return fired(h) - h if self.leak else fired(h)

        for _ in range(self.ode_unfolds):
            if self.solver == "semi_implicit" and self.leak:
                state = (state + speed * fired(state)) / (1.0 + speed)
            else:
                solver = "explicit" if self.solver == "semi_implicit" else self.solver
                state = ode_step(solver, rate, state, speed)
            if self.clip is not None:
                state = mx.clip(state, -self.clip, self.clip)
        return state

    def _extra_repr(self) -> str:
        return f"{self.compiled.plan!r}, solver={self.solver!r}, activation={self.activation!r}"
