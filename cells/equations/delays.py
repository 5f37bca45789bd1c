"""Delays of synapses, in samples: a synapse reads what its source showed so many samples ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mlx.core as mx
import numpy as np

from ...arguments import label, whole
from ...compile import Plan
from ...compile.synapses import Index, Synapses
from .model import Model

MOST = 1000
"""The longest delay: a state keeps as many values of every source."""


@dataclass(frozen=True, eq=False)
class Delays:
    """How many samples each synapse takes.

    Sources are read from ``(B, n, 1 + depth)`` values, flat: those of now, and of 1, 2 and so on samples ago.

    Attributes:
        recurrent: (E,) of recurrent synapses.
        sensory: (S,) of sensory ones.
        whole: those before a perturbation removed synapses, which say how much a state keeps.
    """

    recurrent: Index
    sensory: Index
    whole: Delays | None = None

    def of(self, kind: str) -> Index | None:
        """Those of a kind of synapses, if it has any."""
        found: Index | None = getattr(self, kind, None)
        return found if self.depth(kind) else None

    def depth(self, kind: str) -> int:
        """The longest one."""
        found: Index = getattr(self.whole or self, kind, np.zeros(0, np.int32))
        return int(found.max(initial=0))

    def only(self, kept: Mapping[str, Index]) -> Delays:
        """Those of the synapses that are kept, by kind, over the same state."""
        recurrent, sensory = (kept.get(kind, slice(None)) for kind in ("recurrent", "sensory"))
        return Delays(self.recurrent[recurrent], self.sensory[sensory], self.whole or self)

    def widths(self, model: Model, plan: Plan) -> tuple[int, ...]:
        """How many values of each state of neurons, and of sensors, a state keeps."""
        deep, far = self.depth("recurrent"), self.depth("sensory")
        kept = (plan.n_neurons * deep,) * len(model.states) if deep else ()
        return (*kept, plan.n_inputs * far) if far else kept

    def delayed(self, kind: str, synapses: Synapses) -> Synapses:
        """The synapses of a kind, leading from values of their sources at several times."""
        delays = self.of(kind)
        if delays is None:
            return synapses
        many = 1 + self.depth(kind)
        pre = synapses.pre * np.int32(many) + delays
        return Synapses(pre, synapses.post, synapses.polarity, synapses.n_pre * many, synapses.n_post)

    @staticmethod
    def extended(now: mx.array, past: mx.array) -> mx.array:
        """(B, n (1 + depth)) from values (B, n) and those before (B, n depth)."""
        rows, n = now.shape
        return mx.concatenate([now[..., None], past.reshape(rows, n, -1)], axis=-1).reshape(rows, -1)

    @staticmethod
    def shifted(now: mx.array, past: mx.array) -> mx.array:
        """What is past after one more sample."""
        rows, n = now.shape
        before = past.reshape(rows, n, -1)
        return mx.concatenate([now[..., None], before[..., :-1]], axis=-1).reshape(rows, -1)


def delays_of(given: Any, plan: Plan, model: Model) -> Delays | None:
    """The delays that somebody gives: a number for all synapses, or the name of an attribute of theirs.

    Raises:
        TypeError, ValueError: neither, no whole number of samples, or a source that cannot be delayed.
    """
    if given is None:
        return None
    owner = model.declaration.owner
    if isinstance(given, str):
        sides = {side: _read(given, plan, side) for side in ("recurrent", "sensory")}
        if all(found is None for found in sides.values()):
            raise ValueError(
                f"delays of a {owner}: no synapse of the circuit has the attribute {label(given)}"
            )
    else:
        if isinstance(given, bool) or not isinstance(given, int | np.integer):
            raise TypeError(
                f"delays of a {owner} are {label(given)}: expected a whole number of samples, or the name of "
                "an attribute of synapses"
            )
        each = whole("delays", given, 0, most=MOST)
        sides = {s: np.full(len(getattr(plan, s)), each, np.int32) for s in ("recurrent", "sensory")}
    none = {side: np.zeros(len(getattr(plan, side)), np.int32) for side in sides}
    recurrent, sensory = (none[side] if found is None else found for side, found in sides.items())
    delays = _shared(recurrent.tobytes(), sensory.tobytes())
    if not delays.depth("recurrent") and not delays.depth("sensory"):
        return None
    for key, source in model.sources.items():
        if delays.depth("recurrent") and source.kinds & {"total", "drive", "span"}:
            raise ValueError(f"{key}_pre of a {owner} is of sums over synapses, and cannot be delayed")
    return delays


@lru_cache(maxsize=64)
def _shared(recurrent: bytes, sensory: bytes) -> Delays:
    """The delays of all cells that have these, so that they share kernels."""
    return Delays(np.frombuffer(recurrent, np.int32), np.frombuffer(sensory, np.int32))


def _read(name: str, plan: Plan, side: str) -> Index | None:
    """The delays of the synapses of a side, from an attribute; None if none of them has it."""
    column = getattr(plan.attributes, side).get(name)
    if column is None:
        return None
    ends = getattr(plan, side)
    sources = plan.sensors if side == "sensory" else plan.neurons
    found = np.zeros(len(ends), np.int32)
    for k, value in enumerate(column.tolist()):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and float(value).is_integer() and 0 <= value <= MOST):
            synapse = f"{sources[ends.pre[k]]} -> {plan.neurons[ends.post[k]]}"
            raise ValueError(
                f"the {name} of {synapse} is {label(value)}: expected a whole number of samples, from 0 to "
                f"{MOST}"
            )
        found[k] = int(value)
    return found
