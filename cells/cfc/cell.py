"""The closed-form continuous-time cell over a circuit."""

from __future__ import annotations

from functools import partial

import mlx.core as mx
import numpy as np

from ...arguments import one_of
from ...compile import Source
from ...compile.kernels import constant
from ..cell import NCPRNNCell
from ..maps import make_map
from ..ncps import WIRED_CFC, InNcps
from ..ops import Draws
from ..running import CellKernel
from ..signs import POLARITY, Rules, hold, rules_held, signs
from ..strengths import Floats, Strengths, as_floats
from .compat import compat_plans, lift_index
from .kernel import CFC_PARAMETERS, cfc_kernel
from .ncps import cfc_order, read_cfc
from .operations import HEADS, MAPS, CfCTerms, Phase, cfc_step_ops

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
            zero, and `apply_constraints` puts it back). Gates only time the signal: their sign is free.
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

    def __init__(
        self,
        circuit: Source,
        *,
        mode: str = "default",
        schedule: str = "layered",
        ncps_compat: bool = False,
        polarity: str = "init",
        key: mx.array | None = None,
    ) -> None:
        one_of("mode", mode, tuple(MAPS))
        one_of("schedule", schedule, SCHEDULES)
        one_of("polarity", polarity, POLARITY)
        super().__init__(circuit)
        self.mode, self.schedule, self.ncps_compat, self.polarity = mode, schedule, ncps_compat, polarity
        plan = self.compiled.plan
        polarity_of = plan.recurrent.polarity
        if ncps_compat:
            compat = compat_plans(plan)
            self.signal, ranges, polarity_of = compat.signal, compat.layers, compat.signs
            self.compiled = self.compiled.with_plan(compat.signal if mode == "pure" else compat.gates)
        elif schedule == "layered":
            self.signal = plan
            roles = [plan.role_slice(role) for role in ("inter", "command", "motor")]
            ranges = [(role.start, role.stop) for role in roles]
        else:
            self.signal, ranges = plan, [(0, plan.n_neurons)]
        self._sign, self._sensory_sign = signs(polarity_of), signs(self.signal.sensory.polarity)
        self._phases = tuple(Phase.split(self.compiled.recurrent, ranges))
        self._initialise(Draws(key))

    def _initialise(self, draws: Draws) -> None:
        gates = self.compiled.plan
        self._lift: tuple[mx.array, mx.array] | None = None
        if self.signal is not gates:
            parts = ((self.signal.recurrent, gates.recurrent), (self.signal.sensory, gates.sensory))
            lifts = [mx.array(lift_index(part, whole)) for part, whole in parts]
            self._lift = (lifts[0], lifts[1])
        for name in MAPS[self.mode]:
            signed = name in HEADS
            make_map(self, name, self.signal if signed else gates, draws, signed=signed)
        if self.mode == "pure":
            # Not zero as in ncps: abs has no gradient there, and w_tau would never learn.
            self.w_tau = draws.uniform(0.0, 0.1, len(self.neurons))
            self.A = mx.ones((len(self.neurons),))

    def effective(self, *, lifted: bool = True) -> dict[str, mx.array]:
        """The parameters as the equation uses them.

        Every map has the synapses of `compiled`; unless `lifted`, ff1 and ff2 only those of `signal`.
        """
        maps = MAPS[self.mode]
        p = {part: self[part] for name in maps for part in (f"{name}_w", f"sensory_{name}_w", f"{name}_b")}
        hold(self, p)
        if lifted and self._lift is not None:
            for name in self._heads:
                for prefix, lift in zip(("", "sensory_"), self._lift, strict=True):
                    w = p[f"{prefix}{name}_w"]
                    p[f"{prefix}{name}_w"] = mx.concatenate([w, mx.zeros((1,))])[lift]
        if self.mode == "pure":
            p["w_tau"], p["A"] = self.w_tau, self.A
        return p

    def signed(self) -> Rules:
        recurrent = {f"{name}_w": self._sign for name in self._heads}
        return recurrent, {f"sensory_{name}_w": self._sensory_sign for name in self._heads}

    @property
    def _heads(self) -> list[str]:
        """The maps that carry the signal, and with it the signs."""
        return [name for name in MAPS[self.mode] if name in HEADS]

    def prepare(self) -> CfCTerms:
        p = self.effective()
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

    def kernel(self) -> CellKernel:
        plan = self.compiled.plan
        p = self.effective(lifted=False)
        if self.mode == "pure":
            p["w_tau"] = mx.abs(p["w_tau"])
        phases = tuple((phase.start, phase.stop) for phase in self._phases)
        signal = (self.signal.recurrent, self.signal.sensory)
        sequence = cfc_kernel(plan.recurrent, plan.sensory, plan.n_outputs, self.mode, phases, signal)
        return CellKernel(sequence, [p.get(name, constant(0.0, 0)) for name in CFC_PARAMETERS])

    def strengths(self) -> Strengths:
        """The weight of ff1 and ff2 together where the gate is half open; that of ff1 for "pure"."""
        p = self.effective(lifted=False)
        shares = {"default": (0.5, 0.5), "no_gate": (1.0, 0.5), "pure": (1.0,)}[self.mode]
        heads = list(zip(self._heads, shares, strict=True))

        def side(prefix: str) -> Floats:
            parts = [share * as_floats(p[f"{prefix}{head}_w"]) for head, share in heads]
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
            self.effective(lifted=False),
            cfc_order(self.signal),
            rules_held(self),
        )

    def _extra_repr(self) -> str:
        schedule = "ncps" if self.ncps_compat else self.schedule
        return f"{self.compiled.plan!r}, mode={self.mode!r}, schedule={schedule!r}"
