"""The closed-form continuous-time cell over a circuit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import mlx.core as mx
import numpy as np

from ...arguments import flag, label, one_of
from ...compile import Plan, Source
from ...compile.kernels import constant as known
from ...compile.synapses import Index
from ..cell import NCPRNNCell
from ..holding import Polarity
from ..maps import map_parameters
from ..ncps import WIRED_CFC, InNcps
from ..overlay import Changes, Places
from ..parameters import Parameter, constant, uniform
from ..priors import Priors
from ..running import Call, CellKernel
from ..sharing import Scale, Ties
from ..signs import POLARITY
from ..strengths import Floats, Strengths, as_floats
from ..variants import Differences, Variants
from .compat import compat_plans, lift_index
from .kernel import CFC_PARAMETERS, are_one, cfc_kernel
from .ncps import cfc_order, read_cfc
from .operations import HEADS, MAPS, CfCTerms, Phase, cfc_step_ops
from .variants import cfc_variants

ALMOST = 1.0 - 1e-9
"""1 in float32, whose inverse hyperbolic tangent is a number."""
SCHEDULES = ("layered", "synchronous")


class CfCCell(NCPRNNCell):
    r"""One time step of a closed-form continuous-time network over a circuit.

    Each map f of ff1, ff2, time_a, time_b is linear in the inputs and states that the circuit's synapses
    bring to a neuron, :math:`f_j = b_j + \sum_i w^f_{ij} [x, h]_i`. With the time span dt, modes are

    .. math::

        default: \quad & h_j = \tanh(ff1_j) (1 - s_j) + s_j \tanh(ff2_j), \quad
                         s_j = \sigma(time\_a_j\, dt + time\_b_j) \\
        no\_gate: \quad & h_j = \tanh(ff1_j) + s_j \tanh(ff2_j) \\
        pure: \quad & h_j = A_j - A_j\, e^{-dt (|w^\tau_j| + |ff1_j|)}\, ff1_j

    Parameters, per map: ``<map>_w`` (E,) on recurrent synapses, ``sensory_<map>_w`` (S,) on sensory
    synapses, ``<map>_b`` (N,); for "pure" also ``w_tau`` and ``A`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        mode: "default", "pure" or "no_gate".
        schedule: "layered" (inside one step inter, then command, then motor neurons are updated, each
            reading the new states of the roles before it) or "synchronous" (all read the old states).
        ncps_compat: run ncps 1.0.1's wired CfC instead (full recurrence inside a layer, gates without
            mask), for checkpoints trained there; `schedule` is then that of ncps.
        polarity: "init" (the circuit's signs are where the ff weights start) or "fixed" (weights of ff1 and
            ff2 keep the signs of their synapses: where one is on the other side of zero, the equation uses
            zero, and `apply_constraints` puts it back). Gates only time the signal: their sign is free. For
            "pure" the sign is that of ff1, which the published equation subtracts.
        tie, scale, fixed, penalty, priors: which parameters are shared, and what is known of them, see
            `LTCCell`; a `scale` by name alone is of the weights that carry the signs of synapses.
        time_scale: the time of the data that counts as 1, see `LTCCell`: dt is the time span divided by it.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> cell = gl.CfCCell(gl.auto_ncp(32, 4, inputs=8), mode="pure")
        >>> output, state = cell(mx.zeros((16, 8)))                        # (16, 4), (16, 32)

    Source: Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022,
    equations 3 (pure) and 9 (gated).
    """

    needs_circuit = True
    by_effective = True

    def __init__(
        self,
        circuit: Source,
        *,
        mode: str = "default",
        schedule: str = "layered",
        ncps_compat: bool = False,
        polarity: str = "init",
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        priors: Priors = None,
        time_scale: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        one_of("mode", mode, tuple(MAPS))
        flag("ncps_compat", ncps_compat)
        one_of("schedule", schedule, SCHEDULES)
        one_of("polarity", polarity, POLARITY)
        if ncps_compat and (tie or scale or fixed or penalty):
            raise ValueError("ncps_compat=True shares no parameters, as ncps does: leave out tie and scale")
        super().__init__(circuit, time_scale=time_scale)
        self.mode, self.schedule, self.ncps_compat, self.polarity = mode, schedule, ncps_compat, polarity
        plan = self.compiled.plan
        if ncps_compat:
            compat = compat_plans(plan)
            self.signal, ranges, self._signs = compat.signal, compat.layers, compat.signs
            self.compiled = self.compiled.with_plan(compat.signal if mode == "pure" else compat.gates)
        elif schedule == "layered":
            self.signal = plan
            roles = [plan.role_slice(role) for role in ("inter", "command", "motor")]
            ranges = [(role.start, role.stop) for role in roles]
        else:
            self.signal, ranges = plan, [(0, plan.n_neurons)]
        self._phases = tuple(Phase.split(self.compiled.recurrent, ranges))
        self.share(tie, scale, fixed, penalty, priors)
        self.make_parameters(key)

    def declared(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for name in MAPS[self.mode]:
            found |= map_parameters(name, signed=name in HEADS, part="signal" if name in HEADS else "gates")
        if self.mode == "pure":
            # Not zero as in ncps: abs has no gradient there, and w_tau would never learn.
            found["w_tau"] = Parameter("neuron", uniform(0.0, 0.1))
            found["A"] = Parameter("neuron", constant(1.0))
        return found

    @property
    def plans(self) -> dict[str, Plan]:
        return {"circuit": self.compiled.plan, "signal": self.signal, "gates": self.compiled.plan}

    def polarity_of(self, p: Parameter) -> Polarity:
        if self.ncps_compat and p.part == "signal" and p.home == "recurrent":
            return self._signs  # a full layer of ncps has synapses that no circuit says the sign of
        return super().polarity_of(p)

    def _lifted(self) -> dict[str, mx.array]:
        """The effective parameters, where every map has the synapses of `compiled`."""
        p = self.effective()
        if self.signal is not self.compiled.plan:
            lifts = _lifts(self.signal, self.compiled.plan)
            for name in (name for name in MAPS[self.mode] if name in HEADS):
                for key, lift in zip((f"{name}_w", f"sensory_{name}_w"), lifts, strict=True):
                    p[key] = mx.concatenate([p[key], mx.zeros((1,))])[lift]
        return p

    def prepare(self) -> CfCTerms:
        p = self._lifted()
        maps = MAPS[self.mode]
        sensory = self.compiled.sensory
        return CfCTerms(
            mode=self.mode,
            sensory=sensory,
            sensory_w={name: sensory.weights(p[f"sensory_{name}_w"]) for name in maps},
            phases=self._phases,
            phase_w=[
                {name: phase.recurrent.weights(p[f"{name}_w"][phase.synapses]) for name in maps}
                for phase in self._phases
            ],
            bias={name: p[f"{name}_b"] for name in maps},
            w_tau=p.get("w_tau"),
            amplitude=p.get("A"),
        )

    def step(self, prepared: CfCTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return cfc_step_ops(prepared, x, state, timespan)

    def kernel(self, *, all_states: bool = False) -> CellKernel:
        plan = self.compiled.plan
        p = self.effective()
        if self.mode == "pure":
            p["w_tau"] = mx.abs(p["w_tau"])
        phases = tuple((phase.start, phase.stop) for phase in self._phases)
        signal = (self.signal.recurrent, self.signal.sensory)
        outputs = plan.n_neurons if all_states else plan.n_outputs
        sequence = cfc_kernel(plan.recurrent, plan.sensory, outputs, self.mode, phases, signal)
        return CellKernel(sequence, [p.get(name, known(0.0, 0)) for name in CFC_PARAMETERS], encodes=True)

    def variants(self, differences: Differences, call: Call) -> Variants:
        return cfc_variants(self, differences, even=are_one(call.timespans))

    def rewired(self, kept: Mapping[tuple[str, str], Index]) -> dict[str, Any]:
        """Without the synapses that all maps have lost; with `ncps_compat` they have not the same ones."""
        parts = ("signal",) if self.mode == "pure" else ("signal", "gates")
        wanted = [(part, side) for side in {side for _, side in kept} for part in parts]
        alike = all(key in kept and np.array_equal(kept[key], kept["signal", key[1]]) for key in wanted)
        if self.ncps_compat or not alike:
            return {}
        compiled = super().rewired(kept)["compiled"]
        ranges = [(phase.start, phase.stop) for phase in self._phases]
        return {
            "compiled": compiled,
            "signal": compiled.plan,
            "_phases": tuple(Phase.split(compiled.recurrent, ranges)),
        }

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """Without synapses, a neuron is where the biases of its maps put it."""
        largest = np.inf if self.mode == "pure" else 1.0
        if (np.abs(values) > largest).any():
            raise ValueError(f"a CfC's neuron is held between -1 and 1, got {label(values.tolist())}")
        changes.cut_into(neurons)
        if self.mode == "pure":
            changes.put("ff1_b", neurons, 0.0)
            changes.put("A", neurons, values)
            return
        bias = np.arctanh(np.clip(values, -ALMOST, ALMOST))
        changes.put("ff1_b", neurons, bias)
        changes.put("ff2_b", neurons, 0.0 if self.mode == "no_gate" else bias)

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        for name in (name for name in MAPS[self.mode] if name in HEADS):
            changes.add(f"{name}_b", neurons, currents)

    def resting_states(self) -> Floats:
        """After a time span of 1 without any input."""
        p = {name: as_floats(value) for name, value in self.effective().items()}
        first = p["ff1_b"]
        if self.mode == "pure":
            at_rest: Floats = p["A"] * (1.0 - np.exp(-np.abs(p["w_tau"]) - np.abs(first)) * first)
            return at_rest
        late = 1.0 / (1.0 + np.exp(-p["time_a_b"] - p["time_b_b"]))
        early = 1.0 if self.mode == "no_gate" else 1.0 - late
        found: Floats = np.tanh(first) * early + late * np.tanh(p["ff2_b"])
        return np.clip(found, -1.0, 1.0)

    def strengths(self) -> Strengths:
        """The weight of ff1 and ff2 together where the gate is half open; that of ff1 for "pure"."""
        p = self.effective()
        shares = {
            "default": {"ff1": 0.5, "ff2": 0.5},
            "no_gate": {"ff1": 1.0, "ff2": 0.5},
            "pure": {"ff1": 1.0},
        }[self.mode]

        def side(prefix: str) -> Floats:
            parts = [share * as_floats(p[f"{prefix}{head}_w"]) for head, share in shares.items()]
            total: Floats = np.sum(parts, axis=0)
            return total

        return Strengths(self.signal, side(""), side("sensory_"))

    def ncps(self) -> InNcps:
        if not self.ncps_compat:
            raise ValueError(
                "ncps has a CfC with a wiring only as CfC(circuit, ncps_compat=True): "
                "its recurrence and time gates do not follow the circuit"
            )
        return InNcps(
            WIRED_CFC,
            {"mode": self.mode},
            partial(read_cfc, self.signal, self.compiled.plan, self.mode),
            self.effective(),
            cfc_order(self.signal),
            self.held_signs(),
        )

    def _extra_repr(self) -> str:
        schedule = "ncps" if self.ncps_compat else self.schedule
        return f"{self.compiled.plan!r}, mode={self.mode!r}, schedule={schedule!r}{self._timing()}"


@lru_cache(maxsize=32)
def _lifts(signal: Plan, gates: Plan) -> tuple[mx.array, mx.array]:
    """For each recurrent and sensory synapse of the gates, its place among those of the signal."""
    recurrent = lift_index(signal.recurrent, gates.recurrent)
    return mx.array(recurrent), mx.array(lift_index(signal.sensory, gates.sensory))
