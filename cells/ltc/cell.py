"""The liquid time-constant cell."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import mlx.core as mx
import numpy as np

from ...arguments import label, mapping_of, one_of, real
from ...compile import Source, Synapses
from ...compile.kernels import constant as known
from ...errors import KernelError
from ..cell import NCPRNNCell
from ..holding import Polarity
from ..ncps import LTC, InNcps
from ..ops import affine
from ..overlay import Changes, Places
from ..parameters import POSITIVE, Factor, Parameter, constant, from_polarity, uniform
from ..priors import Priors
from ..running import Call, CellKernel
from ..scaling import Tied
from ..sharing import Scale, Ties
from ..signs import POLARITY, held
from ..strengths import Floats, Strengths, as_floats
from ..timing import AUTO, max_step_of, unfolds_of
from ..variants import Differences, Variants
from .kernel import LTC_PARAMETERS, ltc_kernel
from .ncps import MAPPINGS, ltc_options, read_ltc
from .operations import SOLVERS, LTCTerms, ltc_step_ops
from .start import starting_weights
from .variants import ltc_variants

TIMES = frozenset({"cm", "gleak"})
"""Whose values are time constants in the unit of the time spans."""
LARGE, BARELY = 2.0**60, 1e-12
"""A conductance beside which all others vanish, and one that vanishes beside all others."""
FAINTEST = 1e-8
"""The leak that a neuron without one counts with where others are divided by theirs."""
# A neuron may count its conductances in any unit, and its voltage; a sensor its voltage, from any zero.
G, V = Factor("conductance", 1), Factor("voltage", 1)
ZERO = Factor("zero", 1, added=True)
SYNAPTIC = {
    "w": Parameter(
        "recurrent", uniform(0.001, 1.0), "positive", non_negative=True, strength=True, factors=(G,)
    ),
    "mu": Parameter("recurrent", uniform(0.3, 0.8), factors=(V._replace(of="source"),)),
    "sigma": Parameter(
        "recurrent", uniform(3.0, 8.0), "positive", factors=(Factor("voltage", -1, "source"),)
    ),
    "erev": Parameter("recurrent", from_polarity, "synapse", factors=(V,)),
}
SENSORY = {f"sensory_{name}": replace(p, home="sensory") for name, p in SYNAPTIC.items()}
SENSORY["sensory_mu"] = replace(
    SENSORY["sensory_mu"], factors=(V._replace(of="source"), ZERO._replace(of="source"))
)
# Where parameters start is as in ncps 1.0.1.
PARAMETERS = {
    **SYNAPTIC,
    **SENSORY,
    "gleak": Parameter("neuron", uniform(0.001, 1.0), non_negative=True, factors=(G,)),
    "vleak": Parameter("neuron", uniform(-0.2, 0.2), factors=(V,)),
    "cm": Parameter("neuron", uniform(0.4, 0.6), non_negative=True, factors=(G,)),
}
COUPLED = {
    "gap": Parameter(
        "electrical",
        uniform(0.001, 1.0),
        "positive",
        non_negative=True,
        strength=True,
        factors=(G._replace(of="both"), Factor("voltage", 0, "both")),
    )
}
MAPPED = {
    "input_w": Parameter("sensor", constant(1.0), factors=(V,)),
    "input_b": Parameter("sensor", constant(0.0), factors=(V, ZERO)),
    "output_w": Parameter("motor", constant(1.0), factors=(Factor("voltage", -1),)),
    "output_b": Parameter("motor", constant(0.0)),
}

STABLE = {"explicit": 2.0, "rk4": 2.78}
"""How many time constants a step of a solver may be long: beyond, its error grows from step to step."""


class LTCCell(NCPRNNCell):
    r"""One time step of a liquid time-constant network over a circuit.

    With a_ij = w_ij sigmoid(sigma_ij (v_i - mu_ij)) over recurrent and sensory synapses i -> j, one of
    `ode_unfolds` semi-implicit solver steps of length dt = timespan / ode_unfolds is

    .. math::

        v_j \leftarrow \frac{(c_j/dt) v_j + g_j v^{leak}_j + \sum_i a_{ij} E_{ij}}
                            {c_j/dt + g_j + \sum_i a_{ij} + \epsilon}

    For a time span of 0 (or below 1e-30, where 1 / dt is no number) the state stays, its limit.

    Electrical synapses of the circuit, between j and k, carry the current g_jk (v_k - v_j): they add
    :math:`\sum_k g_{jk} v_k` above and :math:`\sum_k g_{jk}` below, with the states before the step, so that
    this stays stable for any step, too.

    Parameters: ``w, mu, sigma, erev`` (E,) on recurrent synapses, ``sensory_w, sensory_mu, sensory_sigma,
    sensory_erev`` (S,) on sensory synapses, ``gap`` (L,), the g_jk, on electrical synapses, ``gleak, vleak,
    cm`` (N,), ``input_w, input_b`` (I,) and ``output_w, output_b`` (M,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        ode_unfolds: solver steps per time step; "auto" lets `fit` choose so many for its data that twice as
            many change outputs by 0.01 at most, and is 6 until then.
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
        initial_ranges: parameter name -> (low, high), instead of the ranges of ncps.
        start: an attribute of synapses, such as "weight", that ``w`` and ``sensory_w`` begin in proportion
            to, by one factor with which their mean over all synapses is 0.5, as that of ncps is. Synapses
            without it begin at the mean.
        tie: parameter -> what has one value of it together: for ``w, mu, sigma, erev`` and their sensory
            twins an attribute of synapses or a pair of attributes of neurons, (pre, post), of which one may
            be None; for parameters of neurons an attribute, or several; () for one value in all. Signs part
            the groups of ``erev``. `untie` gives every synapse its own value again.
        scale: an attribute of synapses, such as "count", that ``w`` is multiplied with; or parameter ->
            attribute. Fresh values are divided by its mean.
        fixed: shared parameter -> a value that is not trained, or {group: value}; a group is what its members
            have in common, such as ("T4", "T5").
        penalty: shared parameter -> (mean, standard deviation), or {group: ...}: half the square of the
            distance in deviations, which `fit` adds to the loss.
        priors: parameter -> what is known of it before any data: `gl.Normal`, `gl.LogNormal`,
            `gl.HalfNormal`, `gl.Uniform` or `gl.Fixed`; or a mapping to such from roles or names of neurons,
            from pairs (pre, post) of them (None for all), or from ``"attribute=value"``. It begins there,
            `fit` adds minus the logarithm of the density over the number of items, and `Fixed` is not
            trained. A prior is of the number that the equation uses, before a factor of `scale`; of one that
            carries signs, those of positive numbers are of its size.
        time_scale: the time of the data that counts as 1: in the equation, dt = timespan / time_scale /
            ode_unfolds, and time constants are in units of it. If not given, `fit` chooses the median time
            span of its data, once; until then it is 1.
        max_step: a longer time span is solved in equal parts of at most this, in the unit of the data,
            each in `ode_unfolds` steps with the same input: so outputs hardly depend on how the data were
            sampled. Parts cost what as many samples do; each row has its own.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option, or a prior of numbers that a parameter cannot have.

    Example:
        >>> cell = gl.LTCCell(gl.auto_ncp(32, 4, inputs=8))
        >>> output, state = cell(mx.zeros((16, 8)))                        # (16, 4), (16, 32)

    Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, equation 3 and algorithm 1.
    """

    needs_circuit = True
    runs_electrical = True
    by_effective = True

    def __init__(
        self,
        circuit: Source,
        *,
        ode_unfolds: int | Literal["auto"] = 6,
        solver: str = "semi_implicit",
        input_mapping: str | None = "affine",
        output_mapping: str | None = "affine",
        positive: str = "clip",
        polarity: str = "init",
        epsilon: float = 1e-8,
        initial_ranges: Mapping[str, tuple[float, float]] | None = None,
        start: str | None = None,
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        priors: Priors = None,
        time_scale: float | None = None,
        max_step: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        for what, mapping in (("input_mapping", input_mapping), ("output_mapping", output_mapping)):
            if mapping is not None:
                one_of(what, mapping, MAPPINGS)
        one_of("solver", solver, SOLVERS)
        one_of("positive", positive, POSITIVE)
        one_of("polarity", polarity, POLARITY)
        unfolds = unfolds_of(ode_unfolds)
        real("epsilon", epsilon, least=0)
        super().__init__(circuit, time_scale=time_scale)
        self.ode_unfolds, self.solver, self.epsilon = unfolds, solver, epsilon
        self.awaits_unfolds = ode_unfolds == AUTO
        self.max_step = max_step_of(max_step)
        self.positive, self.polarity = positive, polarity
        self.input_mapping, self.output_mapping = input_mapping, output_mapping
        ranges = {} if initial_ranges is None else initial_ranges
        object.__setattr__(self, "_starts", _starts(ranges))  # no parameters
        self.share(tie, scale, fixed, penalty, priors)
        self.times_given = not TIMES.isdisjoint([*ranges, *(priors or ()), *(fixed or ())])
        self.make_parameters(key)
        if start is not None:
            for name, values in starting_weights(self.compiled.plan, start, initial_ranges or {}).items():
                self.begin_at(name, values)
            self.remember_first()
        if solver in STABLE and not self.awaits_unfolds:
            self._warn_of_steps()

    def declared(self) -> dict[str, Parameter]:
        coupled = COUPLED if len(self.compiled.plan.electrical) else {}
        found: dict[str, Parameter] = PARAMETERS | coupled | self._starts
        for side, mapping in (("input", self.input_mapping), ("output", self.output_mapping)):
            if mapping is not None:
                found[f"{side}_w"] = MAPPED[f"{side}_w"]
            if mapping == "affine":
                found[f"{side}_b"] = MAPPED[f"{side}_b"]
        return found

    def _warn_of_steps(self) -> None:
        """Tell of steps that are too long for an explicit solver where all synapses conduct."""
        p, plan = {name: as_floats(array) for name, array in self.effective().items()}, self.compiled.plan
        total = p["gleak"].astype(np.float64)
        for w, synapses in ((p["w"], plan.recurrent), (p["sensory_w"], plan.sensory)):
            np.add.at(total, synapses.post, w)
        for side in (plan.electrical.pre, plan.electrical.post):
            np.add.at(total, side, p["gap"] if len(side) else ())
        fastest = float((total / np.maximum(p["cm"], FAINTEST)).max())
        scale = self.time_scale or 1.0
        span = min(1.0, self.longest_part or 1.0)
        needed = math.ceil(fastest * span / STABLE[self.solver])
        if needed > self.ode_unfolds:
            warnings.warn(
                f"the {self.solver!r} solver may blow up with ode_unfolds={self.ode_unfolds} and spans of "
                f"{scale * span:g}, because the fastest neuron's time constant is {scale / fastest:.2g}: "
                f"ode_unfolds={needed} is "
                "stable, and solver='semi_implicit' is with any",
                RuntimeWarning,
                stacklevel=4,
            )

    def prepare(self) -> LTCTerms:
        return LTCTerms.of(self.compiled, self.effective())

    def encode(self, x: mx.array) -> mx.array:
        return affine(x, self.get("input_w"), self.get("input_b"))

    def step(self, prepared: LTCTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return ltc_step_ops(prepared, x, state, timespan, self.ode_unfolds, self.epsilon, self.solver)

    def decode(self, states: mx.array) -> mx.array:
        return affine(states[..., : self.n_outputs], self.get("output_w"), self.get("output_b"))

    def kernel(self, *, all_states: bool = False) -> CellKernel:
        if self.solver != "semi_implicit":
            raise KernelError(f"the fused kernel has no solver {self.solver!r}")
        plan = self.compiled.plan
        p = self.effective()
        outputs = plan.n_neurons if all_states else plan.n_outputs
        lengths = {"input": plan.n_inputs, "output": outputs}
        for name, neutral in (("input_w", 1.0), ("input_b", 0.0), ("output_w", 1.0), ("output_b", 0.0)):
            side = name.partition("_")[0]
            if name not in p or (all_states and side == "output"):  # no mapping, or behind it
                p[name] = known(neutral, lengths[side])
        coupling = self.compiled.electrical
        p["gap"] = known(0.0, 0) if coupling is None else coupling.both_ways(p["gap"])
        links = None if coupling is None else coupling.projection.synapses
        sequence = ltc_kernel(plan.recurrent, plan.sensory, outputs, self.ode_unfolds, self.epsilon, links)
        return CellKernel(sequence, [p[name] for name in LTC_PARAMETERS], encodes=True)

    def variants(self, differences: Differences, call: Call) -> Variants:
        if self.solver != "semi_implicit" or len(self.compiled.plan.electrical):
            raise KernelError(
                "the kernel for variants has the semi-implicit solver and no electrical synapses"
            )
        return ltc_variants(self, differences)

    def tied_factors(self) -> Tied:
        """A mapping takes what unit a sensor or a motor neuron has; without one, that of the data stays."""
        sensed = {"affine": (), "linear": ("zero",), None: ("voltage", "zero")}[self.input_mapping]
        return Tied(sensed, {"voltage": 1}, {} if self.output_mapping else {"voltage": 1})

    def conducting_parameters(self, side: str) -> list[str]:
        return [name for name in super().conducting_parameters(side) if name in ("w", "sensory_w", "gap")]

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """All of a neuron's conductance is its leak, so that it is where the leak pulls it, at once."""
        changes.cut_into(neurons)
        if self.solver == "semi_implicit":
            changes.put("gleak", neurons, LARGE)
            changes.put("vleak", neurons, values)
            changes.put("cm", neurons, 0.0)
        else:  # these take small steps from where it is: none at all
            changes.put("gleak", neurons, 0.0)
            changes.put("cm", neurons, LARGE)

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        leak = np.maximum(changes.value("gleak")[neurons], BARELY)
        changes.put("gleak", neurons, leak)
        changes.add("vleak", neurons, currents / leak)

    def current_units(self) -> Floats:
        """A current moves the leak potential, whatever unit a neuron counts its conductances in."""
        return as_floats(self.effective()["gleak"])

    def resting_states(self) -> Floats:
        return as_floats(self.effective()["vleak"])

    def signed_weights(self) -> list[tuple[mx.array, Polarity]]:
        """Per synapse, what drives its neuron: ``w * erev``."""
        p, plan = self.effective(), self.compiled.plan
        return [
            (p["w"] * p["erev"], plan.recurrent.polarity),
            (p["sensory_w"] * p["sensory_erev"], plan.sensory.polarity),
        ]

    def strengths(self) -> Strengths:
        """``w / gleak`` with the sign of ``erev``, which no factor on w, cm and gleak of a neuron changes.

        A neuron without leak has one of `FAINTEST` of all its conductance. An electrical synapse has
        ``gap`` over the geometric mean of the leaks at its ends.
        """
        p = {name: as_floats(array) for name, array in self.effective().items()}
        plan = self.compiled.plan
        most = p["gleak"] + p["cm"]
        for w, synapses in ((p["w"], plan.recurrent), (p["sensory_w"], plan.sensory)):
            np.add.at(most, synapses.post, w)
        leak = np.maximum(np.maximum(p["gleak"], FAINTEST * most), np.finfo(np.float32).tiny)

        def side(w: Floats, erev: Floats, synapses: Synapses) -> Floats:
            sign = np.where(erev == 0, synapses.polarity, np.sign(erev))
            return sign * w / leak[synapses.post]

        recurrent = side(p["w"], p["erev"], plan.recurrent)
        sensory = side(p["sensory_w"], p["sensory_erev"], plan.sensory)
        pairs = plan.electrical
        gap = p["gap"] / np.sqrt(leak[pairs.pre] * leak[pairs.post]) if len(pairs) else None
        tau = p["cm"] / leak * (self.time_scale or 1.0)
        return Strengths(plan, recurrent, sensory, tau, gap)

    def ncps(self) -> InNcps:
        if self.solver != "semi_implicit":
            raise ValueError(
                f"an ncps LTC has the solver 'semi_implicit' only, and this cell {self.solver!r}"
            )
        if self._shares:
            raise ValueError(
                f"ncps has no shared parameters ({', '.join(self._shares)}): gl.untie(rnn) has none"
            )
        if len(self.compiled.plan.electrical):
            raise ValueError("an ncps LTC has no electrical synapses, and this circuit has")
        plan, signs, declared = self.compiled.plan, self.held_signs(), self.declared()
        clipped = [name for name, p in declared.items() if p.non_negative and self.positive == "clip"]
        return InNcps(
            LTC,
            ltc_options(
                self.positive,
                self.ode_unfolds,
                self.epsilon,
                {"input": self.input_mapping, "output": self.output_mapping},
            ),
            partial(read_ltc, plan, {name: str(p.home) for name, p in declared.items()}),
            {name: held(self[name], signs[name]) if name in signs else self[name] for name in declared},
            np.arange(plan.n_neurons, dtype=np.int32),
            signs,
            tuple(clipped),
        )

    def _extra_repr(self) -> str:
        options = f"ode_unfolds={self.ode_unfolds}, positive={self.positive!r}"
        return f"{self.compiled.plan!r}, {options}{self._timing()}"


def _starts(given: Mapping[str, tuple[float, float]]) -> dict[str, Parameter]:
    """The parameters whose range is given, starting there."""
    known = PARAMETERS | COUPLED
    ranged = tuple(name for name, p in known.items() if not p.signed)
    found = {}
    for name, limits in mapping_of("initial_ranges", given, "parameters to (low, high)").items():
        one_of("parameter in initial_ranges", name, ranged)
        p = known[name]
        if not isinstance(limits, tuple | list) or len(limits) != 2:
            raise TypeError(f"the initial range of {name} is {label(limits)}: expected (low, high)")
        low, high = (real(f"the initial range of {name}", limit) for limit in limits)
        if not low <= high or (low < 0 and p.non_negative):
            expected = "0 <= low <= high" if p.non_negative else "low <= high"
            raise ValueError(f"the initial range of {name} is ({low}, {high}): expected {expected}")
        found[name] = replace(p, start=uniform(low, high))
    return found
