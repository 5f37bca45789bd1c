"""A circuit as index arrays: the form that plans, rules and files compute with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import array_of, counted, several
from ..errors import CircuitError
from .columns import Columns, checked_columns
from .roles import ROLES, is_role, label, require_name, synapse_label


@dataclass(frozen=True, eq=False)
class CircuitArrays:
    """A sound set of neurons and synapses as arrays; synapse k is `pre[k] -> post[k]`.

    Whatever the arguments are (lists will do), the fields are read-only arrays and tuples of the types below.

    Attributes:
        pre: (K,) int32 presynaptic neurons, as indices into `names`.
        post: (K,) int32 postsynaptic neurons.
        polarity: (K,) int8, +1 or -1.
        roles: one role per neuron, in the order of the graph.
        names: one text per neuron, all different.
        neuron_data: further attributes by name, one value per neuron: texts and numbers, or None.
        synapse_data: the same, one value per synapse.
        electrical: (L, 2) pairs of neurons with an electrical synapse, each pair once.
        electrical_data: attributes such as `weight`, one value per pair.

    Raises:
        CircuitError: unequal lengths, an index out of range, an illegal polarity, an unknown role, a repeated
            name, a repeated synapse, a synapse onto a sensory neuron, or an electrical one of a sensory
            neuron.

    Example:
        >>> arrays = CircuitArrays([0], [1], [-1], ("sensory", "motor"), ("eye", "muscle"))
        >>> circuit = Circuit.from_arrays(arrays)
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    polarity: NDArray[np.int8]
    roles: tuple[str, ...]
    names: tuple[str, ...]
    neuron_data: Columns = field(default_factory=dict)
    synapse_data: Columns = field(default_factory=dict)
    electrical: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    electrical_data: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        put = object.__setattr__  # the dataclass is frozen
        put(self, "roles", tuple(several("roles", self.roles, "roles")))
        put(self, "names", tuple(map(require_name, several("names", self.names, "names"))))
        self._check_neurons()
        put(self, "pre", self._indices("pre", self.pre))
        put(self, "post", self._indices("post", self.post))
        put(self, "polarity", self._signs(self.polarity))
        self._check_synapses()
        put(self, "neuron_data", checked_columns(self.neuron_data, len(self.names), "neurons"))
        self._check_electrical()
        put(self, "electrical_data", checked_columns(self.electrical_data, len(self.electrical), "pairs"))
        put(self, "synapse_data", checked_columns(self.synapse_data, len(self.pre), "synapses"))

    def _check_neurons(self) -> None:
        if len(self.roles) != len(self.names):
            raise CircuitError(f"{len(self.roles)} roles were given for {counted(len(self.names), 'name')}")
        for name, role in zip(self.names, self.roles, strict=True):
            if not is_role(role):
                raise CircuitError(
                    f"neuron {label(name)} has role {label(role)}; expected one of {', '.join(ROLES)}"
                )
        if len(set(self.names)) < len(self.names):
            name, times = Counter(self.names).most_common(1)[0]
            raise CircuitError(f"{times} neurons have the name {label(name)}; every neuron needs its own")

    def _indices(self, side: str, given: ArrayLike) -> NDArray[np.int32]:
        values = _vector(side, given)
        wrong = (values < 0) | (values >= len(self.names))
        if wrong.any():
            raise CircuitError(
                f"{side}[{wrong.argmax()}] is {values[wrong.argmax()]}; expected a neuron's index "
                f"below {len(self.names)}"
            )
        return _frozen(values.astype(np.int32))  # a copy: nobody else changes it

    def _signs(self, given: ArrayLike) -> NDArray[np.int8]:
        values = _vector("polarity", given)
        if len(values) != len(self.pre) or len(self.pre) != len(self.post):
            raise CircuitError(
                "pre, post and polarity differ in length: "
                f"{len(self.pre)}, {len(self.post)} and {len(values)}"
            )
        wrong = (values != 1) & (values != -1)
        if wrong.any():
            raise CircuitError(f"{self._synapse(wrong)} has polarity {values[wrong][0]}; expected +1 or -1")
        return _frozen(values.astype(np.int8))

    def _check_synapses(self) -> None:
        is_sensory = np.array([role == "sensory" for role in self.roles], dtype=bool)
        onto = is_sensory[self.post] if len(self.post) else np.zeros(0, dtype=bool)
        if onto.any():
            raise CircuitError(f"{self._synapse(onto)} ends on a sensory neuron; sensory neurons are inputs")
        pairs = self.pre.astype(np.int64) * len(self.names) + self.post
        ordered = np.sort(pairs)
        if (ordered[1:] == ordered[:-1]).any():
            again = np.ones(len(pairs), dtype=bool)
            again[np.unique(pairs, return_index=True)[1]] = False
            raise CircuitError(f"{self._synapse(again)} is given more than once")

    def _check_electrical(self) -> None:
        given = np.asarray(self.electrical)
        if not given.size:
            given = np.zeros((0, 2), np.int32)
        if given.ndim != 2 or given.shape[1] != 2:
            raise CircuitError(f"electrical must hold pairs of neurons, got shape {given.shape}")
        pairs = np.stack([self._indices("electrical", side) for side in given.T], axis=1).astype(np.int32)
        object.__setattr__(self, "electrical", _frozen(pairs))
        seen: set[tuple[int, int]] = set()
        for i, j in pairs.tolist():
            name = f"the electrical synapse between {self.names[i]!r} and {self.names[j]!r}"
            if "sensory" in (self.roles[i], self.roles[j]):
                raise CircuitError(f"{name}: a sensory neuron has no potential of its own")
            if i == j or (min(i, j), max(i, j)) in seen:
                raise CircuitError(f"{name} is given twice, or joins a neuron to itself")
            seen.add((min(i, j), max(i, j)))

    def _synapse(self, where: NDArray[np.bool_]) -> str:
        k = int(where.argmax())
        return synapse_label(self.names[self.pre[k]], self.names[self.post[k]])


def _vector(field: str, given: ArrayLike) -> NDArray[np.signedinteger[Any]]:
    """`given` as a vector of integers; whole-numbered floats will do."""
    values: NDArray[Any] | None = array_of(given)
    if values is None:
        raise CircuitError(f"{field} must be a vector of whole numbers, got {label(given)}")
    if values.ndim != 1:
        raise CircuitError(f"{field} must be a vector, got shape {values.shape}")
    if values.size and values.dtype.kind not in "iuf":
        raise CircuitError(f"{field} must hold whole numbers, got {values.dtype}")
    if values.dtype.kind == "i":
        return values
    with np.errstate(invalid="ignore"):  # NaN is told apart below
        whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise CircuitError(f"{field} must hold whole numbers, got {values[whole != values][0]}")
    return whole


def _frozen(values: NDArray) -> NDArray:  # type: ignore[type-arg]
    values.flags.writeable = False
    return values
