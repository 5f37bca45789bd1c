"""Liquid cells without wiring: a backbone network in front of a liquid update."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from ...arguments import MOST_NEURONS, counted, fraction, one_of, whole
from ...compile.kernels import ACTIVATIONS as KERNEL_ACTIVATIONS
from ...compile.kernels import constant
from ...errors import KernelError
from ...wiring import Dense
from ..cell import NCPRNNCell
from ..cfc.operations import MAPS, cfc_gated, cfc_pure
from ..keys import Words, grid, numbered, words_of
from ..layer import Shape
from ..ncps import FREE_CFC, InNcps
from ..ops import Activation, Draws, activate, activation_of, softplus_inverse
from ..running import CellKernel
from ..timing import AUTO, CLOSED, max_step_of, unfolds_of
from .kernel import DENSE_PARAMETERS, dense_kernel
from .ncps import ACTIVATIONS as NCPS_ACTIVATIONS
from .ncps import backbone_options, read_backbone


class LiquidCell(NCPRNNCell):
    r"""One time step of a liquid network whose time constants come from a backbone network.

    A backbone maps [features(x), h] through `backbone_layers` fully connected layers of `backbone_units`;
    linear maps of its result, the heads, enter the update. Here that is a semi-implicit step, of length
    dt = timespan / ode_unfolds, of

    .. math::

        \frac{dh}{dt} = -\left(\frac{1}{\tau} + f\right) h + f A, \qquad f = \sigma(head([features(x), h]))

    so that f, which depends on input and state, sets both where the state goes and how fast. A subclass that
    names other `heads` and overrides `step` is another cell; `BackboneCfCCell` is one. All units are
    outputs.

    Parameters: ``backbone`` (a list of linear layers), one linear layer per head, here ``f``, and ``tau``
    (through softplus) and ``A`` (N,).

    Args:
        units: ``gl.dense(inputs, units)``, or a number of units: then the first input builds the cell.
        ode_unfolds: solver steps per time step, or "auto", see `LTCCell`.
        backbone_units: width of each backbone layer.
        backbone_layers: number of backbone layers; 0 for none.
        backbone_activation: a name or a function, as `NCPDense` takes it; the fused kernel has "gelu",
            "lecun_tanh", "relu", "sigmoid", "silu" and "tanh".
        backbone_dropout: how much is dropped behind each backbone layer but the first, in training.
        features: a layer that the inputs go through first, (..., I) to (..., F).
        time_scale: the time of the data that counts as 1, see `LTCCell`: dt is the time span divided by it.
        max_step: the longest time span that is solved in one go, see `LTCCell`.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        ValueError: an unknown option or an illegal size.

    Example:
        >>> cell = gl.LiquidCell(64, features=gl.NCPDense(32, "relu"))
        >>> output, state = cell(mx.zeros((8, 16)))                        # (8, 64), (8, 64)

    Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, equations 1 and 3.
    """

    def __init__(
        self,
        units: Dense | int,
        *,
        ode_unfolds: int | Literal["auto"] = 6,
        backbone_units: int = 128,
        backbone_layers: int = 1,
        backbone_activation: Activation = "lecun_tanh",
        backbone_dropout: float = 0.0,
        features: nn.Module | None = None,
        time_scale: float | None = None,
        max_step: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        if not isinstance(units, Dense | int):
            raise TypeError(f"expected gl.dense(inputs, units) or a number, got {type(units).__name__}")
        activation = activation_of("backbone_activation", backbone_activation)
        unfolds = unfolds_of(ode_unfolds)
        if whole("backbone_layers", backbone_layers, 0, 1000):
            whole("backbone_units", backbone_units, most=MOST_NEURONS)
        fraction("backbone_dropout", backbone_dropout, below=True)
        super().__init__(units, time_scale=time_scale)
        self.ode_unfolds, self.max_step = unfolds, max_step_of(max_step)
        self.awaits_unfolds = ode_unfolds == AUTO
        self.backbone_units, self.backbone_layers = backbone_units, backbone_layers
        self.backbone_activation = activation
        self.features = features
        self.backbone_dropout = backbone_dropout
        self.dropout = nn.Dropout(backbone_dropout) if backbone_dropout else None
        self._draws = Draws(key)
        if isinstance(units, Dense):
            self.build((units.inputs,))

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the linear maps that `step` needs."""
        return ("f",)

    def build(self, input_shape: Shape) -> None:
        before = self.built
        super().build(input_shape)
        if before:
            return  # weights that were learned are not drawn again
        width = self.encode(mx.zeros((1, self.n_inputs))).shape[-1]
        # Inputs and units have names, what lies between has numbers.
        inputs = words_of(self.sensors) if self.features is None else numbered(width)
        units, words = words_of(self.neurons), [np.concatenate([inputs, words_of(self.neurons)])]
        words += [numbered(self.backbone_units)] * self.backbone_layers
        layers = enumerate(pairwise(words))
        self.backbone = [self._linear(f"backbone.{k}", a, b) for k, (a, b) in layers]
        for name in self.heads:
            self[name] = self._linear(name, words[-1], units)
        self._initialise(self.draws)
        self.remember_first()
        self.settle()

    def _initialise(self, draws: Draws) -> None:
        """The parameters beside backbone and heads."""
        self.tau = mx.full((self.n_neurons,), softplus_inverse(1.0))
        self.A = draws.of("A", words_of(self.neurons)).uniform(-1.0, 1.0, self.n_neurons)

    def _linear(self, name: str, columns: Words, rows: Words) -> nn.Linear:
        """A linear layer with Glorot-uniform weights, as CfC was published with."""
        inputs, outputs = len(columns), len(rows)
        layer, limit = nn.Linear(inputs, outputs), 1.0 / math.sqrt(inputs)
        weight = self.draws.of(f"{name}.weight", grid(rows, columns))
        layer.weight = weight.glorot(inputs, outputs, outputs, inputs)
        layer.bias = self.draws.of(f"{name}.bias", rows).uniform(-limit, limit, outputs)
        return layer

    def encode(self, x: mx.array) -> mx.array:
        return x if self.features is None else self.features(x)

    def mapped(self, x: mx.array, state: mx.array) -> dict[str, mx.array]:
        """The heads of [x, state] behind the backbone, each (B, N)."""
        z = mx.concatenate([mx.broadcast_to(x, (*state.shape[:-1], x.shape[-1])), state], axis=-1)
        for k, layer in enumerate(self.backbone):
            z = activate(self.backbone_activation, layer(z))
            z = self.dropout(z) if k and self.dropout is not None else z
        return {name: self[name](z) for name in self.heads}

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        dt, rate = timespan / self.ode_unfolds, 1.0 / nn.softplus(self.tau.astype(mx.float32))
        for _ in range(self.ode_unfolds):
            f = mx.sigmoid(self.mapped(x, state)["f"])
            state = (state + dt * f * self.A) / (1.0 + dt * (rate + f))
        return state


class BackboneCfCCell(LiquidCell):
    """One time step of a closed-form continuous-time network without wiring.

    The liquid cell whose heads ff1, ff2, time_a and time_b enter the closed form that `CfCCell` has.

    Parameters: ``backbone`` (a list of linear layers), ``ff1, ff2, time_a, time_b`` (linear layers; only
    ``ff1`` for "pure"), ``w_tau`` and ``A`` (N,) for "pure".

    Args:
        units: ``gl.dense(inputs, units)``, or a number of units: then the first input builds the cell.
        mode: "default", "pure" or "no_gate".
        options: those of `LiquidCell`, but for `ode_unfolds` and `max_step`: nothing is solved in steps.

    Raises:
        ValueError: an unknown option or an illegal size.

    Example:
        >>> cell = gl.cells.BackboneCfCCell(gl.dense(16, 64), backbone_layers=2)
        >>> output, state = cell(mx.zeros((8, 16)))                        # (8, 64), (8, 64)

    Source: as `CfCCell`.
    """

    def __init__(self, units: Dense | int, *, mode: str = "default", **options: Any) -> None:
        one_of("mode", mode, tuple(MAPS))
        for name in ("ode_unfolds", "max_step"):
            if name in options:
                raise TypeError(f"{name} is no option of a closed form: {CLOSED}")
        self.mode = mode
        super().__init__(units, **options)

    @property
    def heads(self) -> tuple[str, ...]:
        return MAPS[self.mode]

    def _initialise(self, draws: Draws) -> None:
        if self.mode == "pure":
            drawn = draws.of("w_tau", words_of(self.neurons))
            self.w_tau = drawn.uniform(0.0, 0.1, self.n_neurons)  # not zero: see CfCCell
            self.A = mx.ones((self.n_neurons,))

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        maps = self.mapped(x, state)
        if self.mode == "pure":
            return cfc_pure(maps["ff1"], timespan, self.w_tau, self.A)
        return cfc_gated(self.mode, maps, timespan)

    def kernel(self, *, all_states: bool = False) -> CellKernel:  # all neurons are outputs
        activation = self.backbone_activation
        if not isinstance(activation, str) or activation not in KERNEL_ACTIVATIONS:
            raise KernelError(f"the fused kernel has no activation {activation!r}")
        if self.dropout is not None and self.training:
            raise KernelError("the fused kernel has no dropout, which acts in training")
        none = constant(0.0, 0)
        found = dict.fromkeys(DENSE_PARAMETERS, none)
        if self.backbone:
            found["backbone_w"] = _in_one([layer.weight for layer in self.backbone])
            found["backbone_b"] = _in_one([layer.bias for layer in self.backbone])
        for name in self.heads:
            found |= {f"{name}_w": self[name].weight, f"{name}_b": self[name].bias}
        if self.mode == "pure":
            found |= {"w_tau": mx.abs(self.w_tau), "A": self.A}
        first = (self.backbone or [self["ff1"]])[0].weight.shape[1] - self.n_neurons
        shape = (first, self.n_neurons, self.backbone_layers, self.backbone_units)
        kernel = dense_kernel(*shape, self.mode, activation)
        given = [p.astype(mx.float32) for p in found.values()]
        return CellKernel(kernel, given, encodes=self.features is None)

    def ncps(self) -> InNcps:
        if self.features is not None:
            raise ValueError("ncps has no features in front of a CfC, and this cell has")
        activation = self.backbone_activation
        known = NCPS_ACTIVATIONS.values()
        if not isinstance(activation, str) or (self.backbone_layers and activation not in known):
            raise ValueError(f"an ncps CfC has no activation {activation!r}: it has {', '.join(known)}")
        size = self.backbone_layers, self.backbone_units
        weights = dict(tree_flatten(self.parameters()))
        shapes = {name: tuple(array.shape) for name, array in weights.items()}
        return InNcps(
            FREE_CFC,
            backbone_options(self.mode, *size, activation, self.backbone_dropout),
            partial(read_backbone, shapes, self.backbone_layers, self.dropout is not None),
            weights,
            np.arange(self.n_neurons, dtype=np.int32),
        )

    def _extra_repr(self) -> str:
        return (
            f"{counted(len(self.sensors), 'input')}, {counted(self.n_neurons, 'unit')}, "
            f"mode={self.mode!r}{self._timing()}"
        )


def _in_one(arrays: list[mx.array]) -> mx.array:
    """All numbers of one array behind those of the other; one alone as it is: nothing for MLX to do."""
    return arrays[0] if len(arrays) == 1 else mx.concatenate([array.reshape(-1) for array in arrays])
