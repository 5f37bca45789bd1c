"""The CfC's sequence over a circuit as fused kernels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import mlx.core as mx
import numpy as np

from ...compile.kernels import FusedSequence, unit_spans
from ...compile.kernels.sequence import States
from ...compile.kernels.tracing import differentiated, evaluable
from ...compile.synapses import Index, Synapses
from .reading import FOR_FF, FOR_TIME, SECTIONS, TEAM, reading_order

T = TypeVar("T")
FOLDER = Path(__file__).parent
# The kernel's values in order. Gated modes have no w_tau and A; pure has these and the map ff1 only.
CFC_MAPS = ("ff1", "ff2", "time_a", "time_b")
CFC_PARAMETERS = (
    *(name for m in CFC_MAPS for name in (f"{m}_w", f"sensory_{m}_w", f"{m}_b")),
    *("w_tau", "A"),
)
CHUNK = 32  # time steps after which the backward kernels add up the gradients of weights


class CfCSequence(FusedSequence):
    """A gated CfC: where every time span is 1, as when none are given, other kernels do a quarter less.

    The gate is sigmoid(a t + b) of two maps a and b of what a neuron reads; for t = 1 one map, a + b, does.
    """

    def __init__(self, folder: Path, name: str, parameters: Sequence[str], **declared: Any) -> None:
        super().__init__(folder, name, **declared)
        even = {**declared, "sizes": {**self.sizes, "MAPS": 3}}
        self._even = _EvenSequence(folder, name, parameters, **even)

    def __call__(
        self,
        x: mx.array,
        timespans: mx.array,
        state: States,
        parameters: Sequence[mx.array],
        **options: Any,
    ) -> tuple[mx.array, States]:
        if are_one(timespans):
            return self._even(x, timespans, state, parameters, **options)
        return super().__call__(x, timespans, state, parameters, **options)

    def load(self, batch: int = 1) -> None:
        self._even.load(batch)


class _EvenSequence(FusedSequence):
    """A gated CfC whose time spans are all 1: its time maps are terms of one sum, and have one gradient."""

    def __init__(self, folder: Path, name: str, parameters: Sequence[str], **declared: Any) -> None:
        super().__init__(folder, name, **declared)
        self._names = parameters

    def gradients(self, totals: Sequence[T]) -> Sequence[T]:
        found = dict(zip(self._names, totals, strict=True))
        return [found[name.replace("time_b", "time_a")] for name in self._names]


def are_one(timespans: mx.array) -> bool:
    """Whether time spans have values, all are 1, and nobody asks for their gradient."""
    if timespans is unit_spans(*timespans.shape):
        return True
    known = evaluable((timespans,)) and bool((np.array(timespans) == 1).all())
    return known and not differentiated((timespans,))


@lru_cache(maxsize=32)
def cfc_kernel(
    recurrent: Synapses,
    sensory: Synapses,
    outputs: int,
    mode: str = "default",
    phases: tuple[tuple[int, int], ...] = (),
    signal: tuple[Synapses, Synapses] | None = None,
) -> FusedSequence:
    """The fused CfC over a circuit; its parameters are `CFC_PARAMETERS`, empty where a mode has none.

    Args:
        recurrent: synapses between the N neurons.
        sensory: synapses from the I inputs.
        outputs: M, how many of the first neurons are outputs.
        mode: "default", "no_gate" or "pure", as `CfCCell` defines them; for "pure", w_tau is not negative.
        phases: ranges of neurons that are updated together, in order; all at once if there are none.
        signal: the recurrent and sensory synapses of the maps ff1 and ff2, if they lack some.

    Example:
        >>> kernel = cfc_kernel(plan.recurrent, plan.sensory, plan.n_outputs, phases=((12, 64), (0, 12)))
        >>> outputs, state = kernel(x, timespans, state, [p.get(name, empty) for name in CFC_PARAMETERS])
    """
    ff, sensory_ff = signal or (recurrent, sensory)
    ranges = np.array(phases or [(0, recurrent.n_post)], np.int32)
    index = _index_arrays(recurrent, sensory, ff, sensory_ff, ranges)
    sizes = {
        "I": sensory.n_pre,
        "N": recurrent.n_post,
        "M": outputs,
        "E": len(recurrent),
        "S": len(sensory),
        "F": len(ff),
        "G": len(sensory_ff),
        "CHUNK": CHUNK,
        "TEAM": TEAM,
        "SECTIONS": SECTIONS,
        "P": len(index["synapse"]),
        "Q": len(index["out_post"]),
        "PHASES": len(ranges),
        "MAPS": 1 if mode == "pure" else len(CFC_MAPS),
    }
    numbers = {"GATED": float(mode == "default")}
    if mode == "pure":
        return FusedSequence(FOLDER, "cfc", sizes=sizes, numbers=numbers, index=index)
    return CfCSequence(FOLDER, "cfc", CFC_PARAMETERS, sizes=sizes, numbers=numbers, index=index)


def _index_arrays(
    recurrent: Synapses, sensory: Synapses, ff: Synapses, sensory_ff: Synapses, ranges: Index
) -> dict[str, Index]:
    """The orders in which the kernels read synapses, see `Reading`.

    Forward, neurons read their sources, of which inputs stand N places behind neurons. Backward, sources read
    what leaves them: row i what read the old state of source i, row N + I + i what read its new state, which
    are synapses onto later phases. `carried` counts new states N places behind old ones, and inputs N places
    behind those.
    """
    n, inputs = recurrent.n_post, sensory.n_pre
    source = np.concatenate([recurrent.pre, n + sensory.pre])
    post = np.concatenate([recurrent.post, sensory.post])
    here, there = ff.find(recurrent.pre, recurrent.post), sensory_ff.find(sensory.pre, sensory.post)
    signal = np.concatenate([here, np.where(there < 0, -1, there + len(ff))])
    ranges = np.append(ranges, [[n, n + inputs]], axis=0)  # the inputs, which do not change during a step
    phase = np.empty(n + inputs, np.int32)
    for number, (start, stop) in enumerate(ranges):
        phase[start:stop] = number
    late = phase[post] > phase[source]

    starts = np.sort(ranges[:, 0])
    reading = reading_order(post, source, signal >= 0, starts)
    starts = np.concatenate([starts, starts + n + inputs, [2 * (n + inputs)]])
    leaving = reading_order(source + (n + inputs) * late, post, signal >= 0, starts)
    found = {
        "phase_start": ranges[:, 0],
        "phase_end": ranges[:, 1],
        "at": reading.at,
        "source": source[reading.synapse],
        "carried": (source + n * (late | (source >= n)))[reading.synapse],
        "synapse": reading.synapse,
        "signal": signal[reading.synapse],
        "out_at": leaving.at,
        "out_post": post[leaving.synapse],
    }
    for ending, order in (("place", reading), ("out", leaving)):
        time = order.places(FOR_TIME, len(source))
        found[f"time_{ending}"], found[f"sensory_time_{ending}"] = np.split(time, [len(recurrent)])
        places = np.empty(len(ff) + len(sensory_ff), np.int32)
        places[signal[signal >= 0]] = order.places(FOR_FF, len(source))[signal >= 0]
        found[f"ff_{ending}"], found[f"sensory_ff_{ending}"] = np.split(places, [len(ff)])
    return found
