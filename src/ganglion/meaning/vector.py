"""The trained numbers of a model as one vector, each with a name in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from ..cells.holding import ParameterHolder
from ..cells.parameters import SYNAPTIC, Parameter, Repeated
from ..cells.priors import Prior
from ..cells.strengths import Floats, as_floats


@dataclass(frozen=True)
class Part:
    """One trained array.

    Attributes:
        path: where it is in the model, such as "cell.w".
        name: its own name.
        holder: the cell that declares it; None for an array of any other module.
        declared: what the cell says of it; None for one of no cell.
        shape: its shape.
        prefix: what names begin with, where a model has several cells.
    """

    path: str
    name: str
    holder: Any
    declared: Parameter | None
    shape: tuple[int, ...]
    prefix: str = ""

    @property
    def softened(self) -> bool:
        """Whether the equation uses its softplus."""
        return self.declared is not None and bool(self.holder._softened(self.name))

    @property
    def relative(self) -> bool:
        """Whether its numbers are compared by ratio: they are positive, or of the sign of their synapse."""
        p = self.declared
        return p is not None and (p.non_negative or p.sign != "free")

    @cached_property
    def names(self) -> list[str]:
        """Each number in words, such as "w of AVA -> AVB"."""
        return [f"{self.prefix}{self.name}{place}" for place in self._places()]

    def _places(self) -> Iterator[str]:
        p, size = self.declared, int(np.prod(self.shape, dtype=int))
        if p is None or len(p.axes) != 1 or p.lies_on == "free" or isinstance(p.axes[0], Repeated):
            yield from (f"[{', '.join(map(str, at))}]" if at else "" for at in np.ndindex(*self.shape))
            return
        share = self.holder._shares.get(self.name)
        if share is not None and share.groups is not None:
            yield from (f" of {_group(key)}" for key in share.groups.keys)
            return
        plan = self.holder.plans[p.part]
        if p.lies_on in SYNAPTIC:
            synapses, arrow = p.synapses(plan), "<->" if p.lies_on == "electrical" else "->"
            pre = plan.sensors if p.lies_on == "sensory" else plan.neurons
            ends = zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True)
            yield from (f" of {pre[i]} {arrow} {plan.neurons[j]}" for i, j in ends)
            return
        yield from (f" of {n}" for n in (plan.sensors if p.lies_on == "sensor" else plan.neurons)[:size])


def _group(key: Sequence[Any]) -> str:
    return " -> ".join(map(str, key)) or "all"


class Vector:
    """The trained numbers of a model, as its equations use them: (P,) values with names.

    Attributes:
        model: the model.
        parts: its trained arrays, in the order of the vector.
    """

    def __init__(self, model: nn.Module, only_priors: bool = False) -> None:
        self.model, self._only_priors = model, only_priors
        flat: Any = tree_flatten(model.trainable_parameters())
        modules = dict(model.named_modules())
        holders = {
            path: module
            for path, module in modules.items()
            if isinstance(module, ParameterHolder) and hasattr(module, "compiled")
        }
        parts = []
        for path, array in flat:
            where, _, name = path.rpartition(".")
            holder = holders.get(where)
            declared = None if holder is None else holder.declaration().get(name)
            prefix = f"{where}: " if len(holders) > 1 and where else ""
            short = name if holder is not None or not where else path
            parts.append(Part(path, short, holder, declared, tuple(array.shape), prefix))
        self.parts = tuple(parts)

    def __reduce__(self) -> Any:
        return Vector, (self.model, self._only_priors)  # what is declared has functions in it

    def with_priors(self) -> Vector:
        """The numbers that have priors alone; all of them if none has one."""
        return Vector(self.model, only_priors=any(True for _ in self.priors()))

    @cached_property
    def free(self) -> Any:
        """The numbers of all that the arrays hold, but for those that are fixed, or have no prior."""
        found = []
        for part, where in zip(self.parts, self._places, strict=True):
            size, holder = where.stop - where.start, part.holder
            share = None if holder is None else holder._shares.get(part.name)
            taken = np.ones(size, bool)
            if share is not None and share.fixed is not None:
                taken &= ~np.isfinite(share.fixed)
            if self._only_priors:
                placed = None if holder is None else holder.priors_placed.get(part.name)
                known = [] if placed is None else [where for _, where in placed.parts]
                taken &= np.isin(np.arange(size), np.concatenate(known)) if known else False
            found.append(where.start + np.flatnonzero(taken))
        return np.concatenate(found) if found else np.zeros(0, int)

    @cached_property
    def positive(self) -> Any:
        """(P,) which numbers are never negative."""
        parts = [(p.declared is not None and p.declared.non_negative, own) for p, own, _ in self.pieces]
        return np.array([positive for positive, own in parts for _ in own], bool)

    @cached_property
    def _places(self) -> tuple[slice, ...]:
        """Where the numbers of each array are among all."""
        ends = np.cumsum([0, *(int(np.prod(part.shape, dtype=int)) for part in self.parts)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @cached_property
    def pieces(self) -> tuple[tuple[Part, Any, Any], ...]:
        """Each array, which of its numbers are in the vector, and where there."""
        found, begun = [], 0
        for part, where in zip(self.parts, self._places, strict=True):
            own = self.free[(self.free >= where.start) & (self.free < where.stop)] - where.start
            found.append((part, own, np.arange(begun, begun + len(own))))
            begun += len(own)
        return tuple(found)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each number in words."""
        return tuple(part.names[k] for part, own, _ in self.pieces for k in own)

    def __len__(self) -> int:
        return len(self.free)

    def arrays(self) -> list[mx.array]:
        """The arrays as they are kept."""
        flat: Any = dict(tree_flatten(self.model.trainable_parameters()))
        return [flat[part.path] for part in self.parts]

    def _all(self) -> Floats:
        return np.concatenate([as_floats(array).reshape(-1) for array in self.arrays()] or [np.zeros(0)])

    def kept(self) -> Floats:
        """(P,) the numbers as they are kept."""
        found: Floats = self._all()[self.free]
        return found

    @cached_property
    def softened(self) -> Any:
        """(P,) of which numbers the equation uses the softplus."""
        return np.array([part.softened for part, own, _ in self.pieces for _ in own], bool)

    def values(self) -> Floats:
        """(P,) the numbers as the equations use them."""
        kept = self.kept()
        return np.where(self.softened, np.logaddexp(0.0, kept), kept)

    def slopes(self) -> Floats:
        """(P,) how fast they move with those that are kept."""
        return np.where(self.softened, 1.0 / (1.0 + np.exp(-self.kept())), 1.0)

    def tree(self, values: Floats) -> Any:
        """Numbers of the equations, (P,) or (K, P), as parameters of the model."""
        positive = np.maximum(values, np.finfo(np.float32).tiny)
        kept = np.where(self.softened, positive + np.log(-np.expm1(-positive)), values)
        every = np.array(np.broadcast_to(self._all(), (*kept.shape[:-1], self._all().size)))
        every[..., self.free] = kept
        pairs = []
        for part, where in zip(self.parts, self._places, strict=True):
            array = every[..., where].reshape(*kept.shape[:-1], *part.shape).astype(np.float32)
            pairs.append((part.path, mx.array(array)))
        return tree_unflatten(pairs)

    def put(self, values: Floats) -> None:
        """Let the model have these numbers."""
        self.model.update(self.tree(values))

    @contextmanager
    def kept_back(self) -> Iterator[None]:
        """Give the model its numbers back at the end."""
        before = self.model.trainable_parameters()
        try:
            yield
        finally:
            self.model.update(before)

    def alone(self) -> Floats:
        """(P,) 1 for numbers of neurons, sensors and motor neurons, in whose units others can be told."""
        homes = ("neuron", "sensor", "motor")
        found = np.full(len(self), 0.01)
        for part, _, places in self.pieces:
            if part.declared is not None and part.declared.lies_on in homes:
                found[places] = 1.0
        return found

    def scales(self) -> Floats:
        """(P,) what one step of each number is: itself where numbers are compared by ratio.

        Elsewhere, and where it is 0, it is the root mean square of its array, or 1 for zeros alone.
        """
        values, found = self.values(), np.ones(len(self))
        for part, _, places in self.pieces:
            own = np.abs(values[places])
            mean = float(np.sqrt(np.mean(own**2))) if own.size else 0.0
            found[places] = np.where(own > 0, own, mean or 1.0) if part.relative else mean or 1.0
        return found

    def priors(self) -> Iterator[tuple[Prior, Any, Floats]]:
        """Each prior, the places of the numbers that have it, and the sign that these carry, if it counts."""
        for part, own, places in self.pieces:
            placed: Any = None if part.holder is None else part.holder.priors_placed.get(part.name)
            for prior, where in () if placed is None else placed.parts:
                mine = np.isin(own, where)
                if mine.any():
                    sign = placed.sign[own[mine]] if prior.of_size else np.ones(int(mine.sum()))
                    yield prior, places[mine], sign
