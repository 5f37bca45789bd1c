"""What follows the gradients in a training step: clipping, the optimizer, constraints; compiled by MLX."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim

LONG = 1.0
"""Seconds of training after which a run is worth compiling for, which takes about as many the first time."""
PLAIN = (bool, int, float, str, type(None))
Tree = Any


class Update:
    """``update(gradients)`` moves a model's parameters, to the bit as the operations one by one would.

    A short step costs as much after the gradients as before them, so that MLX compiles what comes after
    them where that changes nothing: with optimizers and schedules of `mlx.optimizers` and constraints of
    ours, which do the same at every step. The rest runs as it is written.

    Args:
        model: whose parameters move.
        optimizer: of `mlx.optimizers`, or one's own.
        networks: what has constraints, see `constrained`.
        clip_norm: the largest norm of all gradients together.
    """

    def __init__(
        self, model: nn.Module, optimizer: optim.Optimizer, networks: Sequence[Any], clip_norm: float | None
    ) -> None:
        self._model, self._optimizer = model, optimizer
        self._networks, self._clip_norm = networks, clip_norm
        self._compiled: Any = None
        self._settings: Any = None
        self._began: float | None = None
        self._plain = not compilable(optimizer, networks)

    def __call__(self, gradients: Tree) -> None:
        if not self.worth_compiling():
            self.move(gradients)
        elif self._settings != (settings := settings_of(self._optimizer)):
            self._settings, self._compiled = settings, None
            self.move(gradients)  # as what changes at every step would be compiled at every step
        elif self._compiled is None:
            self._compile(gradients)
        else:
            self._keep(self._compiled(self._model.parameters(), self._optimizer.state, gradients))

    def worth_compiling(self) -> bool:
        """Whether it can be compiled, and the run has taken so long; never at its first step, which makes the
        optimizer's state."""
        if self._began is None:
            self._began = time.monotonic()
            return False
        return not self._plain and time.monotonic() - self._began >= LONG

    def _compile(self, gradients: Tree) -> None:
        """Compile for the settings that the optimizer has now; go on without if MLX cannot."""
        before = self._model.parameters(), self._optimizer.state
        self._compiled = mx.compile(self._moved)
        try:
            after = self._compiled(*before, gradients)
            mx.eval(after)  # where MLX compiles what it has traced
        except (RuntimeError, TypeError, ValueError):
            self._plain = True
            self._keep(before)
            self.move(gradients)
        except BaseException:  # an interruption: tracing leaves arrays without values
            self._keep(before)
            raise
        else:
            self._keep(after)

    def move(self, gradients: Tree) -> None:
        """The same, one operation by one."""
        self._optimizer.update(self._model, self.clip(gradients))
        for network in self._networks:
            network.apply_constraints()

    def clip(self, gradients: Tree) -> Tree:
        """Gradients whose norm is `clip_norm` at most."""
        return gradients if self._clip_norm is None else optim.clip_grad_norm(gradients, self._clip_norm)[0]

    def _moved(self, parameters: Tree, state: Tree, gradients: Tree) -> tuple[Tree, Tree]:
        """The same as a function of arrays."""
        self._keep((parameters, state))
        self.move(gradients)
        return self._model.parameters(), self._optimizer.state

    def _keep(self, arrays: tuple[Tree, Tree]) -> None:
        parameters, self._optimizer.state = arrays
        self._model.update(parameters)


def compilable(optimizer: optim.Optimizer, networks: Sequence[Any]) -> bool:
    """Whether a step of an optimizer and the constraints behind it is the same function every time, and MLX
    can compile here."""
    if mx.default_device() == mx.cpu and not shutil.which("g++"):
        return False
    own = [network for network in networks if not made_by(type(network).apply_constraints, "ganglion.")]
    return not own and all(map(_known, [optimizer, *getattr(optimizer, "optimizers", [])]))


def _known(optimizer: optim.Optimizer) -> bool:
    schedules = getattr(optimizer, "_schedulers", {}).values()
    return all(made_by(each, "mlx.optimizers") for each in [type(optimizer), *schedules])


def made_by(thing: Any, package: str | tuple[str, ...]) -> bool:
    """Whether a class or a function is of a package."""
    return str(getattr(thing, "__module__", "")).startswith(package)


def settings_of(optimizer: optim.Optimizer) -> list[tuple[str, Any]]:
    """What an optimizer is set to besides its arrays: MLX takes it for constant when it compiles."""
    found = []
    for one in (optimizer, *getattr(optimizer, "optimizers", [])):
        for name, value in vars(one).items():
            if not name.startswith("_") and isinstance(value, (*PLAIN, list, tuple)):
                found.append((name, tuple(value) if isinstance(value, list) else value))
    return found
