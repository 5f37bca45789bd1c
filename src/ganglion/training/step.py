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
from ..compile.kernels.updates import same
from ..interchange.randomness import random_key, set_random_key
from .finite import Loss
from .flat import Kept, Layout, State
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
        self._networks = constrained(model)
        self._update = Update(model, optimizer, self._networks, clip_norm)
        self._pure = loss in PURE and ranks.size == 1
        self._compiled: dict[Any, Any] = {}
        self._layout: Layout | None = None
        self._laid_out = False
        self._may_be_long = True
        self._settled: tuple[Kept, Tree] | None = None
        self._settings: Any = None
        self._compilable = False
        self.compiled = False
        """Whether the last step was: then it reads no values, and may be computed later."""
        self.unseen = False
        """Whether nobody looks at the model or its optimizer before the next `settle`."""
        self.kept: Kept | None = None
        """What steps have moved since, which the model does not know yet."""

    def __call__(self, batch: Sequence[mx.array], weight: float) -> mx.array:
        shapes = tuple((*array.shape, array.dtype) for array in batch) if self._pure else ()
        self.compiled = False
        if self.kept is not None:  # since when nobody has changed anything
            if (run := self._compiled.get((shapes, True))) is not None:
                return self._run_long(run, self.kept, batch)
            self.settle()
        if not self._holds(shapes):
            loss, gradients = self._ranks.average(self._gradients(self._model, *batch), weight)
            self._update(gradients)
            return cast(mx.array, loss)
        known = self._known()
        layout = known.layout if known else self._find_layout() if self.unseen else None
        run = self._compiled.get((shapes, layout is not None))
        if run is None:
            return self._compile(shapes, layout, batch)
        if layout is not None:
            return self._run_long(run, known or Kept(layout, layout.long(self._state())), batch)
        loss, state = run(self._state(), *batch)
        self._put(state)
        self.compiled = True
        return cast(mx.array, loss)

    def worth_compiling(self) -> bool:
        """Whether a step may be compiled now."""
        return self._pure and self._compilable and self._update.worth_compiling()

    def settle(self) -> None:
        """Put what steps have moved into the model and its optimizer."""
        self._laid_out = False
        if self.kept is not None:
            trees = self.kept.trees()
            self._put(trees)
            own = tree_map(lambda array: array.astype(array.dtype), trees)  # other objects, see `same`
            self._settled = self.kept, own
            self.kept = None

    def _known(self) -> Kept | None:
        """What `settle` has put into the model and its optimizer, if all of it is still there."""
        if self._settled is None:
            return None
        kept, trees = self._settled
        then: Any = dict(tree_flatten(trees))
        now: Any = dict(tree_flatten(self._state()))
        known = then.keys() == now.keys() and same(list(then.values()), [now[name] for name in then])
        return kept if known else None

    def _run_long(self, run: Any, kept: Kept, batch: Sequence[mx.array]) -> mx.array:
        loss, state = run(kept.state, *batch)
        self.kept = Kept(kept.layout, state)
        self.compiled = True
        return cast(mx.array, loss)

    def _find_layout(self) -> Layout | None:
        """How parameters lie in long arrays, if they may; looked up again after each `settle`."""
        if not self._laid_out:
            self._laid_out = True
            found = Layout.of(self._model, self._optimizer, self._networks) if self._may_be_long else None
            if found != self._layout:
                self._layout = found
                self._compiled = {key: run for key, run in self._compiled.items() if not key[1]}
        return self._layout

    def _holds(self, shapes: tuple[Any, ...]) -> bool:
        """Whether a step on such a batch is compiled, or may be; forget those of other settings."""
        if not self._pure or len(shapes) != 2 or not self._update.worth_compiling():
            return False
        settings = settings_of(self._optimizer), Options(self._model)
        if settings != self._settings:
            self._settings = settings
            self._compiled.clear()
            self._compilable = compilable(self._model)
            self._laid_out, self._settled = False, None
            return False  # what changes at every step would be compiled at every step
        known = {shapes for shapes, _ in self._compiled}
        return self._compilable and (shapes in known or len(known) < MOST)

    def _compile(self, shapes: Any, layout: Layout | None, batch: Sequence[mx.array]) -> mx.array:
        """A step that is compiled for the next batches of these shapes if it does the same."""
        before = tree_map(lambda array: array, self._state())  # an optimizer changes its dictionary
        key = random_key()
        value: mx.array
        value, gradients = self._gradients(self._model, *batch)
        self._update.move(gradients)
        after, key_after = self._state(), random_key()
        set_random_key(key)
        random: Any = mx.random.state
        run = mx.compile(self._moved if layout is None else self._moved_long, inputs=random, outputs=random)
        equal = False
        try:
            start, end = (before, after) if layout is None else (layout.long(before), layout.long(after))
            found = run(start, *batch)
            mx.eval(value, after, end, found)  # where MLX compiles what it has traced
            equal = _equal((value, end), found) and random_key() == key_after
        except (RuntimeError, TypeError, ValueError):
            pass
        finally:  # tracing leaves arrays without values, also where it is interrupted
            set_random_key(key_after)
            self._put(after)
        if equal:
            self._compiled[shapes, layout is not None] = run
        elif layout is not None:
            self._may_be_long, self._laid_out, self._settled = False, False, None
        else:
            self._pure = False
        return value

    def _moved(self, state: Tree, *batch: mx.array) -> tuple[mx.array, Tree]:
        """A step as a function of arrays."""
        self._put(state)
        value, gradients = self._gradients(self._model, *batch)
        self._update.move(gradients)
        return value, self._state()

    def _moved_long(self, state: Tree, *batch: mx.array) -> tuple[mx.array, Tree]:
        """The same over long arrays."""
        assert self._layout is not None
        long, scalars, rest = state
        self._model.update(self._layout.parameters(State(long, scalars, rest)))
        value, gradients = self._gradients(self._model, *batch)
        gradients = self._update.clip(gradients)
        rest = self._layout.rest_of(self._model)
        return value, self._layout.moved(State(long, scalars, rest), gradients, self._optimizer)

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
