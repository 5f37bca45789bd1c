"""The CfC cell without wiring: a backbone network in front of dense maps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from ..wiring import Dense
from .cell import NCPRNNCell
from .cfc_ops import MAPS, cfc_gated, cfc_pure
from .ops import ACTIVATIONS, Draws, activate
from .values import one_of


class BackboneCfCCell(NCPRNNCell):
    """One time step of a closed-form continuous-time network without wiring.

    The backbone maps [input, state] through `backbone_layers` fully connected layers of `backbone_units`;
    ff1, ff2, time_a and time_b are dense maps of its result, and `CfCCell` says what becomes of them. All
    units are outputs.

    Parameters: ``backbone`` (a list of linear layers), ``ff1, ff2, time_a, time_b`` (linear layers; only
    ``ff1`` for "pure"), ``w_tau`` and ``A`` (N,) for "pure".

    Args:
        sizes: ``gl.dense(inputs, units)``.
        mode: "default", "pure" or "no_gate".
        backbone_units: width of each backbone layer.
        backbone_layers: number of backbone layers; 0 for none.
        backbone_activation: "lecun_tanh", "relu", "tanh", "silu" or "gelu".

    Raises:
        ValueError: an unknown option or an illegal size.

    Example:
        >>> cell = BackboneCfCCell(gl.dense(16, 64), backbone_layers=2)
        >>> output, state = cell(mx.zeros((8, 16)))                        # (8, 64), (8, 64)

    Source: as `CfCCell`.
    """

    def __init__(
        self,
        sizes: Dense,
        *,
        mode: str = "default",
        backbone_units: int = 128,
        backbone_layers: int = 1,
        backbone_activation: str = "lecun_tanh",
    ) -> None:
        one_of("mode", mode, tuple(MAPS))
        one_of("backbone_activation", backbone_activation, ACTIVATIONS)
        if backbone_layers < 0 or (backbone_layers and backbone_units < 1):
            raise ValueError(
                f"{backbone_layers} backbone layers of {backbone_units} units: expected at least one unit, "
                "or no layers"
            )
        super().__init__(sizes)
        self.built = True
        self.mode, self.backbone_activation = mode, backbone_activation
        widths = [sizes.inputs + sizes.units] + [backbone_units] * backbone_layers
        self.backbone = [_linear(a, b) for a, b in pairwise(widths)]
        for name in MAPS[mode]:
            self[name] = _linear(widths[-1], sizes.units)
        if mode == "pure":
            self.w_tau = Draws(None).uniform(0.0, 0.1, sizes.units)  # not zero: see CfCCell
            self.A = mx.ones((sizes.units,))

    def prepare(self) -> None:
        """Nothing is the same for all steps but the parameters themselves."""

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        features = mx.concatenate([mx.broadcast_to(x, (*state.shape[:-1], x.shape[-1])), state], axis=-1)
        for layer in self.backbone:
            features = activate(self.backbone_activation, layer(features))
        maps = {name: self[name](features) for name in MAPS[self.mode]}
        if self.mode == "pure":
            return cfc_pure(maps["ff1"], timespan, self.w_tau, self.A)
        return cfc_gated(self.mode, maps, timespan)

    def _extra_repr(self) -> str:
        return f"{self.n_inputs} inputs, {self.n_neurons} units, mode={self.mode!r}"


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer with Glorot-uniform weights, as CfC was published with."""
    layer = nn.Linear(inputs, outputs)
    layer.weight = nn.init.glorot_uniform()(layer.weight, 1.0)
    return layer
