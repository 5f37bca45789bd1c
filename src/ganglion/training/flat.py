"""Parameters and an optimizer's state as a few long arrays, for steps between which nobody looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_map, tree_map_with_path, tree_unflatten

from ..cells import RNN
from ..cells.holding import ParameterHolder
from ..compile.kernels.updates import parts, updated

Tree = Any
STATES = {"adam": ("m", "v"), "sgd": ("v",)}
"""What an optimizer keeps of each parameter, by the rule of `updated`."""
SCALARS = ("learning_rate", "step")
"""What it keeps once."""


class State(NamedTuple):
    """What a step moves.

    Attributes:
        long: all parameters that are trained, one behind the other, and each of their `STATES` so.
        scalars: the `SCALARS` of the optimizer.
        rest: the other parameters, by name.
    """

    long: list[mx.array]
    scalars: dict[str, mx.array]
    rest: dict[str, mx.array]


class Kept(NamedTuple):
    """What a step moves, and how it lies there."""

    layout: Layout
    state: State

    def trees(self) -> tuple[Tree, Tree]:
        """The parameters and the optimizer's state."""
        return self.layout.trees(self.state)


@dataclass(frozen=True)
class Layout:
    """How a model's parameters lie in long arrays, and how its optimizer moves them.

    Attributes:
        shapes: of the trained parameters, by name, in the order in which they lie there.
        clipped: whether each is put back to zero where it is negative.
        clipped_rest: the other parameters that are.
        rule, numbers: as `updated` takes them.
        form: the optimizer's state, without its arrays.
    """

    shapes: dict[str, tuple[int, ...]]
    clipped: list[bool]
    clipped_rest: set[str]
    rule: str
    numbers: tuple[float, ...]
    form: Tree

    @staticmethod
    def of(model: nn.Module, optimizer: optim.Optimizer, networks: Sequence[Any]) -> Layout | None:
        """None where MLX's own operations must do: other optimizers, other types, constraints of more kinds.

        Args:
            model: whose parameters move.
            optimizer: with its state.
            networks: what has constraints, see `constrained`.
        """
        rule, numbers = _rule_of(optimizer)
        clipped = _held_at_zero(model, networks)
        named: Any = tree_flatten(model.trainable_parameters())
        kept: Any = dict(tree_flatten(optimizer.state))
        expected = {f"{name}.{kind}" for name, _ in named for kind in STATES.get(rule, ())}
        if (
            not named
            or clipped is None
            or set(kept) != {*expected, *SCALARS}
            or mx.default_device() != mx.cpu
        ):
            return None
        floats = [*(array for _, array in named), *(kept[name] for name in (*expected, "learning_rate"))]
        if any(array.dtype != mx.float32 for array in floats) or kept["step"].dtype != mx.uint64:
            return None
        shapes = {name: array.shape for name, array in named}
        flags = [name in clipped for name in shapes]
        others = clipped - shapes.keys()
        return Layout(shapes, flags, others, rule, numbers, tree_map(lambda _: 0, optimizer.state))

    def long(self, trees: tuple[Tree, Tree]) -> State:
        """Parameters and the optimizer's state as long arrays."""
        parameters, kept = (dict(tree_flatten(tree)) for tree in trees)
        columns = [[parameters.pop(name) for name in self.shapes]]
        columns += [[kept[f"{name}.{kind}"] for name in self.shapes] for kind in STATES[self.rule]]
        joined = [mx.concatenate([mx.flatten(array) for array in column]) for column in columns]
        return State(joined, {name: kept[name] for name in SCALARS}, parameters)

    def trees(self, state: State) -> tuple[Tree, Tree]:
        """The same the other way round."""
        kept = dict(state.scalars)
        for kind, array in zip(STATES[self.rule], state.long[1:], strict=True):
            kept |= {f"{name}.{kind}": part for name, part in self._parts(array).items()}
        named = {**self._parts(state.long[0]), **state.rest}
        return tree_unflatten(list(named.items())), tree_map_with_path(lambda name, _: kept[name], self.form)

    def parameters(self, state: State) -> Tree:
        """The parameters alone."""
        return tree_unflatten([*self._parts(state.long[0]).items(), *state.rest.items()])

    def moved(self, state: State, gradients: Tree, optimizer: optim.Optimizer) -> State:
        """The state behind a step with these gradients, to the bit as optimizer and constraints make it."""
        scalars: dict[str, mx.array] = dict(state.scalars)
        for name, schedule in optimizer._schedulers.items():
            scalars[name] = schedule(scalars["step"])
        scalars["step"] = scalars["step"] + 1
        named: Any = dict(tree_flatten(gradients))
        slopes = [named[name] for name in self.shapes]
        rate, step = (scalars[name] for name in SCALARS)
        long = updated(self.rule, self.numbers, rate, step, state.long, slopes, self.clipped)
        at_zero = {name: mx.maximum(state.rest[name], 0.0) for name in self.clipped_rest}
        return State(long, scalars, {**state.rest, **at_zero})

    def rest_of(self, model: nn.Module) -> dict[str, mx.array]:
        """The parameters that are not trained, by name."""
        named: Any = tree_flatten(model.parameters())
        return {name: array for name, array in named if name not in self.shapes}

    def _parts(self, array: mx.array) -> dict[str, mx.array]:
        return dict(zip(self.shapes, parts(array, list(self.shapes.values())), strict=True))


def _held_at_zero(model: nn.Module, networks: Sequence[Any]) -> set[str] | None:
    """The names of the parameters that constraints put back to zero; None if they do, or may do, more."""
    found: set[str] = set()
    places = {id(module): path for path, module in model.named_modules()}
    for network in networks:
        cell = getattr(network, "cell", None)
        if (
            type(network).apply_constraints is not RNN.apply_constraints
            or not isinstance(cell, ParameterHolder)
            or type(cell).apply_constraints is not ParameterHolder.apply_constraints
            or (names := cell.held_at_zero()) is None
        ):
            return None
        found |= {f"{places[id(cell)]}.{name}".lstrip(".") for name in names}
    return found


def _rule_of(optimizer: Any) -> tuple[str, tuple[float, ...]]:
    """The rule of an optimizer of MLX itself, and the numbers that update.h takes for it; "" for others."""
    if type(optimizer) in (optim.Adam, optim.AdamW):
        first, second = optimizer.betas
        decay = getattr(optimizer, "weight_decay", 0.0)
        moments = (first, 1 - first, second, 1 - second, optimizer.eps)
        return "adam", (*moments, optimizer.bias_correction, decay, type(optimizer) is optim.AdamW)
    if type(optimizer) is optim.SGD:
        momentum, dampening = optimizer.momentum, optimizer.dampening
        return "sgd", (momentum, optimizer.weight_decay, 1 - dampening, optimizer.nesterov)
    return "", ()
