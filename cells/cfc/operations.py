"""The CfC equation in plain MLX operations, for any layout and schedule."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from ...compile.layouts import Projection

# Maps of [inputs, state] that a mode needs. The first HEADS carry the signal, the gates only its timing.
MAPS = {
    "default": ("ff1", "ff2", "time_a", "time_b"),
    "no_gate": ("ff1", "ff2", "time_a", "time_b"),
    "pure": ("ff1",),
}
HEADS = ("ff1", "ff2")


@dataclass(frozen=True)
class Phase:
    """Neurons that are updated together: they read the new states of earlier phases.

    Attributes:
        start, stop: the neurons, as a range of the plan's order.
        recurrent: the recurrent synapses onto them.
        synapses: where these synapses lie in a parameter vector.
    """

    start: int
    stop: int
    recurrent: Projection
    synapses: slice

    @classmethod
    def split(cls, recurrent: Projection, ranges: list[tuple[int, int]]) -> list[Phase]:
        """One phase per range of neurons, in the order given; empty ranges are left out."""
        return [cls(a, b, recurrent.onto(a, b), recurrent.synapses.span(a, b)) for a, b in ranges if b > a]


@dataclass(frozen=True)
class CfCTerms:
    """What the CfC equation needs besides input, state and time: spread weights, per map.

    Attributes:
        mode: "default", "pure" or "no_gate".
        sensory: the sensory synapses of all neurons.
        sensory_w: map -> weights spread over `sensory`.
        phases: the phases, in order.
        phase_w: per phase, map -> weights spread over its recurrent synapses.
        bias: map -> (N,).
        w_tau, amplitude: (N,) for "pure".
    """

    mode: str
    sensory: Projection
    sensory_w: dict[str, mx.array]
    phases: tuple[Phase, ...]
    phase_w: list[dict[str, mx.array]]
    bias: dict[str, mx.array]
    w_tau: mx.array | None = None
    amplitude: mx.array | None = None


def cfc_step_ops(terms: CfCTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
    """One CfC time step, phase after phase: the reference for the fused kernel."""
    drive = {name: terms.sensory.matmul(x, w) + terms.bias[name] for name, w in terms.sensory_w.items()}
    for phase, weights in zip(terms.phases, terms.phase_w, strict=True):
        here = slice(phase.start, phase.stop)
        maps = {name: drive[name][:, here] + phase.recurrent.matmul(state, w) for name, w in weights.items()}
        if terms.mode == "pure":
            assert terms.w_tau is not None
            assert terms.amplitude is not None
            new = cfc_pure(maps["ff1"], timespan, terms.w_tau[here], terms.amplitude[here])
        else:
            new = cfc_gated(terms.mode, maps, timespan)
        parts = [state[:, : phase.start], new, state[:, phase.stop :]]
        state = mx.concatenate(parts, axis=1) if len(terms.phases) > 1 else new
    return state


def cfc_gated(mode: str, maps: dict[str, mx.array], timespan: mx.array) -> mx.array:
    """tanh(ff1) (1 - s) + s tanh(ff2), or without the first gate, with s = sigmoid(time_a dt + time_b)."""
    first, second = mx.tanh(maps["ff1"]), mx.tanh(maps["ff2"])
    s = mx.sigmoid(maps["time_a"] * timespan + maps["time_b"])
    return first + s * second if mode == "no_gate" else first * (1.0 - s) + s * second


def cfc_pure(ff: mx.array, timespan: mx.array, w_tau: mx.array, amplitude: mx.array) -> mx.array:
    """A - A exp(-dt (|w_tau| + |ff|)) ff, the closed-form solution without gates."""
    decay = mx.exp(-timespan * (mx.abs(w_tau) + mx.abs(ff)))
    return amplitude - amplitude * decay * ff
