"""The state of an equation cell: of neurons, of synapses, what delays keep, and what noise goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx

from ...compile.synapses import Index
from ..cell import NCPRNNCell
from ..layer import Shape
from ..ops.state_ops import State
from .delays import Delays
from .model import Model
from .noise import BYTES, numbered
from .synaptic import Kept


class StatesOfEquations(NCPRNNCell):
    """What follows for a state from equations, delays, and synapses that a perturbation cuts."""

    model: Model | Any  # of a class, and of a cell, whose options may change it
    _delays: Delays | None = None
    _there: Kept

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        plan, each = self.compiled.plan, len(self.model.synaptic)
        synapses = tuple((self._there.whole[side],) for side in ("recurrent", "sensory") for _ in range(each))
        delays = self._delays.widths(self.model, plan) if self._delays else ()
        noise = ((BYTES,),) if self.model.noisy else ()
        return ((self.n_neurons,),) * len(self.model.states) + synapses + tuple((n,) for n in delays) + noise

    @property
    def lasting(self) -> tuple[int, ...]:
        return (len(self.state_shapes) - 1,) if self.model.noisy else ()

    def rewired(self, kept: Mapping[tuple[str, str], Index]) -> dict[str, Any]:
        only = {side: found for (_, side), found in kept.items()}
        delays = self._delays and self._delays.only(only)
        return {**super().rewired(kept), "_delays": delays, "_there": Kept(self._there.whole, only)}

    def begun(self, state: State) -> State:
        if not isinstance(state, tuple):
            return state
        parts, first, each = list(state), len(self.model.states), len(self.model.synaptic)
        for k in range(2 * each):
            side = "recurrent" if k < each else "sensory"
            parts[first + k] = self._there.cleared(side, parts[first + k])
        if self.model.noisy:
            parts[-1] = numbered(mx.stop_gradient(parts[-1]))
        return tuple(parts)
