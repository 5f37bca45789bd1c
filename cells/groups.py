"""Groups of synapses or neurons by their attributes, and values that a group has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import label
from ..compile import Plan
from ..compile.layouts.segments import Segments, indices, linear, pick
from ..compile.synapses import Index, Synapses
from ..errors import CircuitError
from ..wiring.columns import Column, Columns, plain_values
from ..wiring.words import listed, suggestion
from .keys import Words, words_of

Tie: TypeAlias = "str | Sequence[str | None]"
Key: TypeAlias = "tuple[Any, ...]"

OF_NEURONS = ("neuron", "sensor", "motor")
OF_SYNAPSES = ("recurrent", "sensory", "electrical")


@dataclass(frozen=True, eq=False)
class Groups:
    """K entries in G groups, which are sorted by the texts of their keys.

    Attributes:
        keys: what the entries of each group have in common.
        owner: (K,) the group of each entry.
    """

    keys: tuple[Key, ...]
    owner: Index

    @classmethod
    def of(cls, columns: Sequence[Column], length: int) -> Groups:
        """Entries with the same values in all columns together."""
        codes, keys = np.zeros(length, np.int64), [()]
        for values in columns:
            known: dict[Any, int] = {}
            own = np.fromiter(
                (known.setdefault(value, len(known)) for value in values.tolist()), np.int64, length
            )
            pairs, codes = np.unique(codes * len(known) + own, return_inverse=True)
            named = list(known)
            keys = [(*keys[pair // len(known)], named[pair % len(known)]) for pair in pairs.tolist()]
        if not length:
            return cls((), np.zeros(0, np.int32))
        order = sorted(range(len(keys)), key=lambda k: repr(keys[k]))
        place = np.empty(len(keys), np.int32)
        place[order] = np.arange(len(keys))
        return cls(tuple(keys[k] for k in order), place[codes.reshape(-1)])

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def first(self) -> Index:
        """(G,) the first entry of each group."""
        return np.unique(self.owner, return_index=True)[1].astype(np.int32)

    @cached_property
    def words(self) -> Words:
        """(G,) the words of the groups, by what their entries have in common; see `keys`."""
        return words_of(tuple(map(repr, self.keys)))

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(G,) the mean over each group of (K,) values."""
        counts = np.bincount(self.owner, minlength=len(self))
        found: NDArray[np.float64] = np.bincount(self.owner, values, len(self)) / counts
        return found

    def expand(self, values: mx.array) -> mx.array:
        """(K,) the value of its group for each entry, from (G,); the gradients of a group are added up."""
        place, order, segments = self._parts
        return linear(lambda v: pick(v, place), lambda c: segments.sum(pick(c, order)), values)

    @cached_property
    def _parts(self) -> tuple[mx.array, mx.array, Segments]:
        by_group = np.argsort(self.owner, kind="stable").astype(np.int32)
        segments, places = Segments.of(self.owner[by_group], len(self))
        return indices(self.owner), indices(by_group[places]), segments


def grouped(what: str, plan: Plan, home: str, tie: Any) -> Groups:
    """The groups that a tie makes of the entries of a home.

    A tie on synapses is an attribute of the synapse, or a pair of attributes of its neurons, pre and post, of
    which one may be None; a tie on neurons is one attribute or several. An empty tie is one group.

    Raises:
        TypeError, CircuitError: a tie that is none, or an attribute that an entry does not have.
    """
    texts = isinstance(tie, list | tuple) and all(part is None or isinstance(part, str) for part in tie)
    if not isinstance(tie, str) and not (texts and not (home in OF_SYNAPSES and len(tie) not in (0, 2))):
        expected = (
            "the name of a synapse's attribute, (attribute of pre, attribute of post) or ()"
            if home in OF_SYNAPSES
            else "the name of an attribute of neurons, several in a tuple, or ()"
        )
        raise TypeError(f"{what} is {label(tie)}: expected {expected}")
    if home in OF_NEURONS:
        names = [tie] if isinstance(tie, str) else [name for name in tie if name is not None]
        return Groups.of([of_neurons(what, plan, home, name) for name in names], _size(plan, home))
    synapses: Synapses = getattr(plan, home)
    if isinstance(tie, str):
        return Groups.of([of_synapses(what, plan, home, tie)], len(synapses))
    sides = ("sensor" if home == "sensory" else "neuron", synapses.pre), ("neuron", synapses.post)
    columns = [
        of_neurons(what, plan, side, name)[place]
        for name, (side, place) in zip(tie, sides, strict=False)
        if name is not None
    ]
    if home == "electrical" and len(columns) == 2:  # they have no direction
        if tie[0] != tie[1]:
            raise TypeError(f"{what} is {label(tie)}: expected the same attribute of both neurons")
        swap = np.array([repr(a) > repr(b) for a, b in zip(*columns, strict=True)], bool)
        columns = [np.where(swap, *columns[::-1]), np.where(swap, *columns)]
    return Groups.of(columns, len(synapses))


def of_neurons(what: str, plan: Plan, home: str, name: str) -> Column:
    """An attribute of neurons with state, of sensory or of motor neurons.

    Raises:
        CircuitError: a neuron that does not have it.
    """
    if home == "sensor":
        known, names, builtin = plan.attributes.sensors, plan.sensors, {"role": ["sensory"] * plan.n_inputs}
    else:
        known, names, builtin = plan.attributes.neurons, plan.neurons, {"role": list(plan.roles)}
    values = _column(what, name, known, builtin, names, "neurons")
    return values[: plan.n_outputs] if home == "motor" else values


def of_synapses(what: str, plan: Plan, home: str, name: str, *, complete: bool = True) -> Column:
    """An attribute of recurrent, sensory or electrical synapses; with None in it unless it is `complete`.

    Raises:
        CircuitError: synapses do not have it.
    """
    part: Synapses = getattr(plan, home)
    known: Columns = getattr(plan.attributes, home)
    pre = plan.sensors if home == "sensory" else plan.neurons
    names = _Pairs(pre, plan.neurons, part.pre, part.post)
    builtin = {} if home == "electrical" else {"polarity": part.polarity.tolist()}
    return _column(what, name, known, builtin, names, "synapses", complete)


class _Pairs(Sequence[str]):
    """The names of synapses, made when they are asked for."""

    def __init__(self, pre: Sequence[str], post: Sequence[str], i: Index, j: Index) -> None:
        self._names, self._places = (pre, post), (i, j)

    def __len__(self) -> int:
        return len(self._places[0])

    def __getitem__(self, k: Any) -> Any:
        return " -> ".join(names[places[k]] for names, places in zip(self._names, self._places, strict=True))


def _column(
    what: str,
    name: str,
    known: Mapping[str, Column],
    builtin: Mapping[str, list[Any]],
    names: Sequence[str],
    of_what: str,
    complete: bool = True,
) -> Column:
    if name in builtin:
        found = np.empty(len(names), object)
        found[:] = builtin[name]
        return found
    if not len(names):
        return np.zeros(0, object)
    if name not in known:
        have = {*known, *builtin}
        raise CircuitError(
            f"{what}: no {of_what[:-1]} of the circuit has an attribute {label(name)}; {of_what} have "
            f"{listed(sorted(have), 12)}{suggestion(name, have)}"
        )
    values = known[name]
    if complete and values.dtype.kind in "Of":
        missing = [k for k, value in enumerate(plain_values(values)) if value is None]
        if missing:
            who = (
                f"{names[missing[0]]} has"
                if len(missing) == 1
                else f"{names[missing[0]]} and {len(missing) - 1} more have"
            )
            raise CircuitError(
                f"{what}: {who} no attribute {label(name)}, of which each of the {of_what} needs one"
            )
    return values


def _size(plan: Plan, home: str) -> int:
    return {"neuron": plan.n_neurons, "sensor": plan.n_inputs, "motor": plan.n_outputs}[home]
