"""A training step: gradients and what follows them; compiled by MLX as a whole where that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_map

from ..cells import RNN
from ..cells.constraints import constrained
from ..cells.offers import has_kernel
from ..cells.sharing import with_penalty
from ..compile.kernels import in_graphs
from ..interchange.randomness import random_key, set_random_key
from .finite import Loss
from .losses import cross_entropy, likelihood, mse
from .ranks import Ranks
from .ready import gives_scalar
from .update import PLAIN, Tree, Update, made_by, settings_of

MOST = 8
"""Shapes of batches for which a step is compiled, each of which takes a while."""
PURE = (mse, cross_entropy, likelihood)
"""Losses that do the same at every step, as far as anybody can know."""


class Step:
    """``step(batch, weight)`` trains on one batch and returns the loss, to the bit as without MLX's compiler.

    The kernels of a small network take less time than Python does for what is around them. Where a run is
    long, and where nothing can differ from step to step (networks with kernels, losses and optimizers of ours
    and of MLX), the whole step is compiled, anew after a change of what model and optimizer are set to. Of
    each shape of a batch one step is done both ways; if they are not equal to the bit, the run goes on
    without.

    Args:
        model: whose parameters move.
        optimizer, loss, clip_norm: as `fit` takes them.
        ranks: the processes over which gradients are averaged.
        items: how many items the data have in all, over which priors are spread.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer,
        loss: Loss,
        clip_norm: float | None,
        ranks: Ranks,
        items: int,
    ) -> None:
        self._model, self._optimizer, self._ranks = model, optimizer, ranks
        self._gradients = nn.value_and_grad(model, with_penalty(model, gives_scalar(loss), items))
        self._update = Update(model, optimizer, constrained(model), clip_norm)
        self._pure = loss in PURE and ranks.size == 1
        self._compiled: dict[Any, Any] = {}
        self._settings: Any = None
        self._compilable = False
        self.compiled = False
        """Whether the last step was: then it reads no values, and may be computed later."""

    def __call__(self, batch: Sequence[mx.array], weight: float) -> mx.array:
        shapes = tuple((*array.shape, array.dtype) for array in batch) if self._pure else ()
        self.compiled = False
        if not self._holds(shapes):
            loss, gradients = self._ranks.average(self._gradients(self._model, *batch), weight)
            self._update(gradients)
            return cast(mx.array, loss)
        run = self._compiled.get(shapes)
        if run is None:
            return self._compile(shapes, batch)
        loss, state = run(self._state(), *batch)
        self._put(state)
        self.compiled = True
        return cast(mx.array, loss)

    def _holds(self, shapes: tuple[Any, ...]) -> bool:
        """Whether a step on such a batch is compiled, or may be; forget those of other settings."""
        if not self._pure or len(shapes) != 2 or not self._update.worth_compiling():
            return False
        settings = settings_of(self._optimizer), Options(self._model)
        if settings != self._settings:
            self._settings = settings
            self._compiled.clear()
            self._compilable = compilable(self._model)
            return False  # what changes at every step would be compiled at every step
        return self._compilable and (shapes in self._compiled or len(self._compiled) < MOST)

    def _compile(self, shapes: Any, batch: Sequence[mx.array]) -> mx.array:
        """A step that is compiled for the next batches of these shapes if it does the same."""
        before = tree_map(lambda array: array, self._state())  # an optimizer changes its dictionary
        key = random_key()
        value: mx.array
        value, gradients = self._gradients(self._model, *batch)
        self._update.move(gradients)
        after, key_after = self._state(), random_key()
        set_random_key(key)
        random: Any = mx.random.state
        run = mx.compile(self._moved, inputs=random, outputs=random)
        try:
            found = run(before, *batch)
            mx.eval(value, after, found)  # where MLX compiles what it has traced
            self._pure = _equal((value, after), found) and random_key() == key_after
        except (RuntimeError, TypeError, ValueError):
            self._pure = False
        finally:  # tracing leaves arrays without values, also where it is interrupted
            set_random_key(key_after)
            self._put(after)
        self._compiled[shapes] = run
        return value

    def _moved(self, state: Tree, *batch: mx.array) -> tuple[mx.array, Tree]:
        """A step as a function of arrays."""
        self._put(state)
        value, gradients = self._gradients(self._model, *batch)
        self._update.move(gradients)
        return value, self._state()

    def _state(self) -> Tree:
        return self._model.parameters(), self._optimizer.state

    def _put(self, state: Tree) -> None:
        parameters, self._optimizer.state = state
        self._model.update(parameters)


def compilable(model: nn.Module) -> bool:
    """Whether MLX's graph can hold the networks of a model, and all of it is ours or MLX's own."""
    networks = [module for module in model.modules() if isinstance(module, RNN)]
    # Noise has a seed, which may be another one in every epoch.
    kernels = all(
        network.engine != "ops" and has_kernel(network.cell) and not network.cell.lasting
        for network in networks
    )
    return bool(networks) and kernels and _known(model) and in_graphs()


def _known(part: Any) -> bool:
    """Whether a part of a model, and all that it may call, is ours or MLX's own."""
    if isinstance(part, nn.Module) and not all(map(_made_here, [type(part), *vars(part).values()])):
        return False
    if isinstance(part, dict | list | tuple):  # a module is a dict
        return all(map(_known, part.values() if isinstance(part, dict) else part))
    return _made_here(part)


def _made_here(held: Any) -> bool:
    return not callable(held) or made_by(held, ("ganglion.", "mlx.nn", "mlx.core"))


class Options:
    """What a model's modules are and are set to besides parameters: equal while nobody changed any of it.

    Looking takes a few microseconds for a module. Objects are compared by identity, and kept for that.
    """

    def __init__(self, model: nn.Module) -> None:
        self._found: list[Any] = []
        self._kept: list[Any] = []
        self._look(model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self._found == other._found

    __hash__ = None  # type: ignore[assignment]

    def _look(self, part: Any) -> None:
        self._found.append(type(part))
        if isinstance(part, nn.Module):
            self._found += [id(part), frozenset(part._no_grad)]
            self._kept.append(part)
            for name, value in vars(part).items():
                if isinstance(value, PLAIN):
                    self._found.append((name, value))
                else:
                    self._found.append((name, id(value)))
                    self._kept.append(value)
        inside: Any = part.items() if isinstance(part, dict) else enumerate(part)
        for place, value in inside:
            if isinstance(value, dict | list | tuple):  # a module is a dict
                self._found.append(place)
                self._look(value)
            elif not isinstance(value, mx.array) or str(place).startswith("_"):  # no parameter
                self._found.append((place, value if isinstance(value, PLAIN) else id(value)))
                self._kept.append(value)


def _equal(one: Tree, other: Tree) -> bool:
    pairs: Any = zip(tree_flatten(one), tree_flatten(other), strict=True)
    return all(a == b and mx.array_equal(x, y, equal_nan=_floats(x)).item() for (a, x), (b, y) in pairs)


def _floats(x: mx.array) -> bool:
    return mx.issubdtype(x.dtype, mx.floating)
