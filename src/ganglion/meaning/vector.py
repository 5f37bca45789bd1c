"""The trained numbers of a model as one vector, each with a name in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from ..cells.holding import ParameterHolder
from ..cells.parameters import SYNAPTIC, Parameter
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
        if p is None or len(p.axes) != 1 or p.lies_on == "free":
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

    def __init__(self, model: nn.Module) -> None:
        self.model = model
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

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each number in words."""
        return tuple(name for part in self.parts for name in part.names)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where the numbers of each part are."""
        ends = np.cumsum([0, *(int(np.prod(part.shape, dtype=int)) for part in self.parts)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    def __len__(self) -> int:
        return self.slices[-1].stop if self.parts else 0

    def arrays(self) -> list[mx.array]:
        """The arrays as they are kept."""
        flat: Any = dict(tree_flatten(self.model.trainable_parameters()))
        return [flat[part.path] for part in self.parts]

    def kept(self) -> Floats:
        """(P,) the numbers as they are kept."""
        return np.concatenate([as_floats(array).reshape(-1) for array in self.arrays()] or [np.zeros(0)])

    @cached_property
    def softened(self) -> Any:
        """(P,) of which numbers the equation uses the softplus."""
        found = np.zeros(len(self), bool)
        for part, where in zip(self.parts, self.slices, strict=True):
            found[where] = part.softened
        return found

    def values(self) -> Floats:
        """(P,) the numbers as the equations use them."""
        kept = self.kept()
        return np.where(self.softened, np.logaddexp(0.0, kept), kept)

    def slopes(self) -> Floats:
        """(P,) how fast they move with those that are kept."""
        return np.where(self.softened, 1.0 / (1.0 + np.exp(-self.kept())), 1.0)

    def as_kept(self, values: Floats) -> Floats:
        """(..., P) numbers as they are kept, from those of the equations."""
        positive = np.maximum(values, np.finfo(np.float32).tiny)
        return np.where(self.softened, positive + np.log(-np.expm1(-positive)), values)

    def tree(self, values: Floats) -> Any:
        """Numbers of the equations, (P,) or (K, P), as parameters of the model."""
        kept = self.as_kept(values).astype(np.float32)
        pairs = []
        for part, where in zip(self.parts, self.slices, strict=True):
            pairs.append((part.path, mx.array(kept[..., where].reshape(*kept.shape[:-1], *part.shape))))
        return tree_unflatten(pairs)

    def put(self, values: Floats) -> None:
        """Let the model have these numbers."""
        self.model.update(self.tree(values))

    def alone(self) -> Floats:
        """(P,) 1 for numbers of neurons, sensors and motor neurons, in whose units others can be told."""
        found = np.full(len(self), 0.01)
        for part, where in zip(self.parts, self.slices, strict=True):
            if part.declared is not None and part.declared.lies_on in ("neuron", "sensor", "motor"):
                found[where] = 1.0
        return found

    def scales(self) -> Floats:
        """(P,) what one step of each number is: itself where numbers are compared by ratio.

        Elsewhere, and where it is 0, it is the root mean square of its array, or 1 for zeros alone.
        """
        values, found = self.values(), np.ones(len(self))
        for part, where in zip(self.parts, self.slices, strict=True):
            own = np.abs(values[where])
            mean = float(np.sqrt(np.mean(own**2))) if own.size else 0.0
            found[where] = np.where(own > 0, own, mean or 1.0) if part.relative else mean or 1.0
        return found
