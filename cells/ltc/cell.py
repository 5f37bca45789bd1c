"""The liquid time-constant cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ...arguments import one_of, whole
from ...compile import Plan, Source, Synapses
from ...compile.kernels import constant
from ...errors import KernelError
from ..cell import NCPRNNCell, Polarity
from ..ncps import LTC, InNcps
from ..ops import Draws, affine
from ..running import CellKernel
from ..signs import POLARITY, Rules, hold, rules_held, signs
from ..strengths import Floats, Strengths, as_floats
from .kernel import LTC_PARAMETERS, ltc_kernel
from .ncps import MAPPINGS, ltc_options, read_ltc
from .operations import SOLVERS, LTCTerms, ltc_step_ops

POSITIVE = ("clip", "softplus")
SYNAPTIC = ("w", "mu", "sigma", "erev")
NEURAL = ("gleak", "vleak", "cm")
SENSORY = tuple(f"sensory_{name}" for name in SYNAPTIC)
PARAMETERS = (*SYNAPTIC, *SENSORY, *NEURAL)
HOMES = {
    **dict.fromkeys(SYNAPTIC, "recurrent"),
    **dict.fromkeys(SENSORY, "sensory"),
    **dict.fromkeys(NEURAL, "neuron"),
    **dict.fromkeys(("input_w", "input_b"), "sensor"),
    **dict.fromkeys(("output_w", "output_b"), "motor"),
}
NON_NEGATIVE = ("w", "sensory_w", "cm", "gleak")
FAINTEST = 1e-8
"""The leak that a neuron without one counts with where others are divided by theirs."""
# Where parameters start, as in ncps 1.0.1; erev starts at the synapse's polarity.
INITIAL_RANGES = {
    "w": (0.001, 1.0),
    "mu": (0.3, 0.8),
    "sigma": (3.0, 8.0),
    "sensory_w": (0.001, 1.0),
    "sensory_mu": (0.3, 0.8),
    "sensory_sigma": (3.0, 8.0),
    "gleak": (0.001, 1.0),
    "vleak": (-0.2, 0.2),
    "cm": (0.4, 0.6),
}


class LTCCell(NCPRNNCell):
    r"""One time step of a liquid time-constant network over a circuit.

    With a_ij = w_ij sigmoid(sigma_ij (v_i - mu_ij)) over recurrent and sensory synapses i -> j, one of
    `ode_unfolds` semi-implicit solver steps of length dt = timespan / ode_unfolds is

    .. math::

        v_j \leftarrow \frac{(c_j/dt) v_j + g_j v^{leak}_j + \sum_i a_{ij} E_{ij}}
                            {c_j/dt + g_j + \sum_i a_{ij} + \epsilon}

    Parameters: ``w, mu, sigma, erev`` (E,) on recurrent synapses, ``sensory_w, sensory_mu, sensory_sigma,
    sensory_erev`` (S,) on sensory synapses, ``gleak, vleak, cm`` (N,), ``input_w, input_b`` (I,) and
    ``output_w, output_b`` (M,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        ode_unfolds: solver steps per time step.
        solver: "semi_implicit" (the equation above, stable for any step), "explicit" (Euler) or "rk4" (Runge
            and Kutta, order 4); the explicit ones need steps shorter than the fastest time constant.
        input_mapping: "affine" (x * input_w + input_b), "linear" (no bias) or None.
        output_mapping: the same for the motor neurons' states.
        positive: how ``w, cm, gleak`` stay non-negative: "clip" (`apply_constraints` sets negative values to
            zero) or "softplus" (the equation uses softplus of the parameter).
        polarity: "init" (the circuit's signs are where ``erev`` starts) or "fixed" (``erev`` keeps the sign
            of its synapse and ``w`` and ``sigma`` stay non-negative: where one is on the other side of zero,
            the equation uses zero, and `apply_constraints` puts it back).
        epsilon: added to the denominator.
        initial_ranges: parameter name -> (low, high), instead of the `INITIAL_RANGES` of ncps.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> cell = gl.LTCCell(gl.auto_ncp(32, 4, inputs=8))
        >>> output, state = cell(mx.zeros((16, 8)))                        # (16, 4), (16, 32)

    Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, equation 3 and algorithm 1.
    """

    needs_circuit = True

    def __init__(
        self,
        circuit: Source,
        *,
        ode_unfolds: int = 6,
        solver: str = "semi_implicit",
        input_mapping: str | None = "affine",
        output_mapping: str | None = "affine",
        positive: str = "clip",
        polarity: str = "init",
        epsilon: float = 1e-8,
        initial_ranges: Mapping[str, tuple[float, float]] | None = None,
        key: mx.array | None = None,
    ) -> None:
        for what, mapping in (("input_mapping", input_mapping), ("output_mapping", output_mapping)):
            if mapping is not None:
                one_of(what, mapping, MAPPINGS)
        one_of("solver", solver, SOLVERS)
        one_of("positive", positive, POSITIVE)
        one_of("polarity", polarity, POLARITY)
        whole("ode_unfolds", ode_unfolds)
        if not 0 <= epsilon < math.inf:
            raise ValueError(f"epsilon is {epsilon}: expected a number of at least 0")
        super().__init__(circuit)
        plan = self.compiled.plan
        self.ode_unfolds, self.solver, self.epsilon = ode_unfolds, solver, epsilon
        self.positive, self.polarity = positive, polarity
        self._initialise(plan, Draws(key), _ranges(initial_ranges or {}))
        for side, mapping, n in (
            ("input", input_mapping, plan.n_inputs),
            ("output", output_mapping, plan.n_outputs),
        ):
            # Read as items: MLX modules take an attribute that is None for one that does not exist.
            self[f"{side}_w"] = mx.ones((n,)) if mapping is not None else None
            self[f"{side}_b"] = mx.zeros((n,)) if mapping == "affine" else None

    def _initialise(self, plan: Plan, draws: Draws, ranges: Mapping[str, tuple[float, float]]) -> None:
        for prefix, synapses in (("", plan.recurrent), ("sensory_", plan.sensory)):
            sign = signs(synapses.polarity)
            for name in ("w", "mu", "sigma"):
                self[f"{prefix}{name}"] = draws.uniform(*ranges[f"{prefix}{name}"], len(synapses))
            self[f"{prefix}erev"] = sign
            self[f"_{prefix}sign"] = sign
        for name in NEURAL:
            self[name] = draws.uniform(*ranges[name], plan.n_neurons)

    def effective(self) -> dict[str, mx.array]:
        """The parameters as the equation uses them: non-negative, and with fixed signs if so chosen."""
        p = {name: self[name] for name in PARAMETERS}
        hold(self, p)
        if self.positive == "softplus":
            for name in NON_NEGATIVE:
                p[name] = nn.softplus(p[name])
        return p

    def signed(self) -> Rules:
        """``erev`` has the sign of its synapse; a negative ``w`` or ``sigma`` would turn its effect round."""
        others = ("sigma",) if self.positive == "softplus" else ("w", "sigma")
        positive = mx.array(1.0)
        recurrent = {"erev": self._sign} | dict.fromkeys(others, positive)
        sensory = {"sensory_erev": self._sensory_sign}
        return recurrent, sensory | {f"sensory_{name}": positive for name in others}

    def prepare(self) -> LTCTerms:
        return LTCTerms.of(self.compiled, self.effective())

    def encode(self, x: mx.array) -> mx.array:
        return affine(x, self["input_w"], self["input_b"])

    def step(self, prepared: LTCTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return ltc_step_ops(prepared, x, state, timespan, self.ode_unfolds, self.epsilon, self.solver)

    def decode(self, states: mx.array) -> mx.array:
        return affine(states[..., : self.n_outputs], self["output_w"], self["output_b"])

    def kernel(self) -> CellKernel:
        if self.solver != "semi_implicit":
            raise KernelError(f"the fused kernel has no solver {self.solver!r}")
        plan = self.compiled.plan
        p = self.effective()
        for name, neutral in (("input_w", 1.0), ("input_b", 0.0), ("output_w", 1.0), ("output_b", 0.0)):
            if (given := self[name]) is None:  # there is no mapping
                given = constant(neutral, plan.n_inputs if name.startswith("input") else plan.n_outputs)
            p[name] = given
        sequence = ltc_kernel(plan.recurrent, plan.sensory, plan.n_outputs, self.ode_unfolds, self.epsilon)
        return CellKernel(sequence, [p[name] for name in LTC_PARAMETERS], encodes=True)

    def signed_weights(self) -> list[tuple[mx.array, Polarity]]:
        """Per synapse, what drives its neuron: ``w * erev``."""
        p, plan = self.effective(), self.compiled.plan
        return [
            (p["w"] * p["erev"], plan.recurrent.polarity),
            (p["sensory_w"] * p["sensory_erev"], plan.sensory.polarity),
        ]

    def strengths(self) -> Strengths:
        """``w / gleak`` with the sign of ``erev``, which no factor on w, cm and gleak of a neuron changes."""
        p = {name: as_floats(array) for name, array in self.effective().items()}
        plan, leak = self.compiled.plan, np.maximum(p["gleak"], FAINTEST)

        def side(w: Floats, erev: Floats, synapses: Synapses) -> Floats:
            sign = np.where(erev == 0, synapses.polarity, np.sign(erev))
            return sign * w / leak[synapses.post]

        recurrent = side(p["w"], p["erev"], plan.recurrent)
        sensory = side(p["sensory_w"], p["sensory_erev"], plan.sensory)
        return Strengths(plan, recurrent, sensory, p["cm"] / leak)

    def ncps(self) -> InNcps:
        if self.solver != "semi_implicit":
            raise ValueError(
                f"an ncps LTC has the solver 'semi_implicit' only, and this cell {self.solver!r}"
            )
        plan = self.compiled.plan
        homes = {name: home for name, home in HOMES.items() if self[name] is not None}
        maps = {
            side: "affine" if f"{side}_b" in homes else "linear" if f"{side}_w" in homes else None
            for side in ("input", "output")
        }
        weights = {name: self[name] for name in homes}
        hold(self, weights)
        return InNcps(
            LTC,
            ltc_options(self.positive, self.ode_unfolds, self.epsilon, maps),
            partial(read_ltc, plan, homes),
            weights,
            np.arange(plan.n_neurons, dtype=np.int32),
            rules_held(self),
            NON_NEGATIVE if self.positive == "clip" else (),
        )

    def apply_constraints(self) -> None:
        """Set negative ``w, sensory_w, cm, gleak`` to zero, if no softplus does it; and see `signed`."""
        super().apply_constraints()
        if self.positive == "clip":
            for name in NON_NEGATIVE:
                self[name] = mx.maximum(self[name], 0.0)

    def _extra_repr(self) -> str:
        return f"{self.compiled.plan!r}, ode_unfolds={self.ode_unfolds}, positive={self.positive!r}"


def _ranges(given: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The initial ranges with those that were given in place."""
    for name, limits in given.items():
        one_of("parameter in initial_ranges", name, tuple(INITIAL_RANGES))
        if not isinstance(limits, tuple | list) or len(limits) != 2:
            raise TypeError(f"the initial range of {name} is {limits!r}: expected (low, high)")
        low, high = limits
        if not low <= high or (low < 0 and name in NON_NEGATIVE):
            expected = "0 <= low <= high" if name in NON_NEGATIVE else "low <= high"
            raise ValueError(f"the initial range of {name} is ({low}, {high}): expected {expected}")
    return INITIAL_RANGES | dict(given)
