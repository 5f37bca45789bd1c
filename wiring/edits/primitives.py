"""The four edits of which all others are made: add, remove, set, rename."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...arguments import counted
from ...errors import CircuitError
from ..guards import (
    beside,
    require_neuron,
    require_new,
    require_renames,
    require_role_change,
    require_synapse,
)
from ..order import Pair, places_of, put_neurons, put_synapses, ranks_of, relabel, require_thawed
from ..projections import renamed_projections
from ..roles import label, require_polarity, require_role, synapse_label
from .edit import (
    Done,
    Edit,
    Graph,
    attribute_of,
    entries,
    fresh,
    key_of,
    name_of,
    neuron_attributes,
    record,
    synapse_attributes,
)


@dataclass(frozen=True)
class Add(Edit):
    """Add neurons and synapses; also what is pasted.

    Attributes:
        neurons: each (name, attributes), with a `role` among them.
        synapses: each (pre, post, attributes), with a `polarity` among them; from or to new neurons, too.
        places: the index of each neuron in the order of the circuit; at the end if not given.
        ranks: for each synapse its index among those of its pre, and among those of its post neuron.

    Example:
        >>> edits.Add(neurons=[("AVA", {"role": "command"})]).apply(circuit)
        >>> edits.Add(synapses=[("AVA", "motor_0", {"polarity": -1})]).apply(circuit)
    """

    kind = "add"
    neurons: Sequence[tuple[Hashable, Mapping[str, Any]]] = ()
    synapses: Sequence[tuple[Hashable, Hashable, Mapping[str, Any]]] = ()
    places: Sequence[int] = ()
    ranks: Sequence[tuple[int, int]] = ()

    def __post_init__(self) -> None:
        form = "[name, attributes]"
        neurons = [record("a neuron", e, (2,), form) for e in entries("neurons", self.neurons)]
        names = [name_of(name) for name, _ in neurons]
        given = [neuron_attributes(n, data) for n, (_, data) in zip(names, neurons, strict=True)]
        self._put("neurons", tuple(zip(names, given, strict=True)))
        synapses = []
        for entry in entries("synapses", self.synapses):
            first, second, data = record("a synapse", entry, (3,), "[pre, post, attributes]")
            pre, post = name_of(first), name_of(second)
            synapses.append((pre, post, synapse_attributes(pre, post, data)))
        self._put("synapses", tuple(synapses))
        self._put("places", tuple(_indices("places", self.places, len(neurons))))
        ranks = [_indices("ranks", e, 2) for e in entries("ranks", self.ranks)]
        if any(len(pair) != 2 for pair in ranks):
            raise CircuitError(f"ranks takes pairs of whole numbers, got {label(self.ranks, 60)}")
        if ranks and len(ranks) != len(synapses):
            raise CircuitError(f"ranks has {len(ranks)} entries for {counted(len(synapses), 'synapse')}")
        self._put("ranks", tuple((k, m) for k, m in ranks))

    def __str__(self) -> str:
        return f"add {_counted(len(self.neurons), len(self.synapses)) or 'nothing'}"

    def run(self, circuit: Graph) -> Done:
        new = dict(self.neurons)
        require_new(circuit, (name for name, _ in self.neurons))
        pairs = self._require_synapses(circuit, new)
        circuit.add_nodes_from((name, fresh(dict(data))) for name, data in self.neurons)
        circuit.add_edges_from((pre, post, fresh(dict(data))) for pre, post, data in self.synapses)
        if self.places:
            put_neurons(circuit, dict(zip(new, self.places, strict=True)))
        if self.ranks:
            put_synapses(circuit, dict(zip(pairs, self.ranks, strict=True)))
        old = tuple((pre, post) for pre, post in pairs if pre not in new and post not in new)
        return Done((self,), Remove(tuple(new), old))

    def _require_synapses(self, circuit: Graph, new: Mapping[Hashable, Mapping[str, Any]]) -> list[Pair]:
        pairs: dict[Pair, None] = {}
        for pre, post, data in self.synapses:
            for name in (pre, post):
                if name not in new and name not in circuit:
                    raise CircuitError(f"{synapse_label(pre, post)}: there is no neuron {label(name)}")
            role = new[post]["role"] if post in new else circuit.nodes[post].get("role")
            if role == "sensory":
                raise CircuitError(
                    f"{synapse_label(pre, post)} ends on a sensory neuron; sensory neurons are inputs"
                )
            if circuit.has_edge(pre, post):
                told = beside(circuit, pre, post, data)
                raise CircuitError(f"{synapse_label(pre, post)} exists already{told}")
            if (pre, post) in pairs:
                raise CircuitError(f"{synapse_label(pre, post)} is given twice")
            pairs[pre, post] = None
        return list(pairs)


@dataclass(frozen=True)
class Remove(Edit):
    """Remove neurons, with all their synapses, and synapses.

    Attributes:
        neurons: names.
        synapses: each (pre, post).
    """

    kind = "remove"
    neurons: Sequence[Hashable] = ()
    synapses: Sequence[Pair] = ()

    def __post_init__(self) -> None:
        self._put("neurons", tuple(dict.fromkeys(map(name_of, entries("neurons", self.neurons)))))
        pairs = [record("a synapse", e, (2,), "[pre, post]") for e in entries("synapses", self.synapses)]
        self._put("synapses", tuple(dict.fromkeys((name_of(pre), name_of(post)) for pre, post in pairs)))

    def __str__(self) -> str:
        return f"remove {_counted(len(self.neurons), len(self.synapses)) or 'nothing'}"

    def run(self, circuit: Graph) -> Done:
        for name in self.neurons:
            require_neuron(circuit, name)
        for pre, post in self.synapses:
            require_synapse(circuit, pre, post)
        gone = dict.fromkeys(self.synapses)
        for name in self.neurons:
            gone.update(dict.fromkeys(circuit.out_edges(name)))
            gone.update(dict.fromkeys(circuit.in_edges(name)))
        pairs = tuple(gone)
        inverse = Add(
            tuple((name, circuit.nodes[name]) for name in self.neurons),
            tuple((*pair, circuit.edges[pair]) for pair in pairs),
            places_of(circuit, self.neurons),
            ranks_of(circuit, pairs),
        )
        circuit.remove_edges_from(pairs)
        circuit.remove_nodes_from(self.neurons)
        return Done((self,), inverse)


@dataclass(frozen=True)
class Set(Edit):
    """Set attributes: the role, place or group of a neuron, the polarity of a synapse, any property of many.

    An entry without a value removes the attribute.

    Attributes:
        neurons: each (name, attribute, value) or (name, attribute).
        synapses: each (pre, post, attribute, value) or (pre, post, attribute).
        circuit: each (attribute, value) or (attribute,), of the circuit itself.

    Example:
        >>> edits.Set(synapses=[("inter_0", "motor_0", "polarity", -1)]).apply(circuit)
        >>> edits.Set(neurons=[("inter_0", "x", 120.0), ("inter_0", "y", 60.0)]).apply(circuit)
    """

    kind = "set"
    neurons: Sequence[tuple[Any, ...]] = ()
    synapses: Sequence[tuple[Any, ...]] = ()
    circuit: Sequence[tuple[Any, ...]] = ()

    def __post_init__(self) -> None:
        for field, width, form in (
            ("neurons", 1, "[name, attribute, value] or [name, attribute]"),
            ("synapses", 2, "[pre, post, attribute, value] or [pre, post, attribute]"),
            ("circuit", 0, "[attribute, value] or [attribute]"),
        ):
            read = []
            for entry in entries(field, getattr(self, field)):
                given = record(f"an entry of {field}", entry, (width + 1, width + 2), form)
                owner = tuple(map(name_of, given[:width]))
                read.append((*owner, *_setting(owner, *given[width:])))
            self._put(field, tuple(read))

    def __str__(self) -> str:
        keys = {e[1] for e in self.neurons} | {e[2] for e in self.synapses} | {e[0] for e in self.circuit}
        of = _counted(len({e[0] for e in self.neurons}), len({e[:2] for e in self.synapses}))
        if keys and keys <= {"x", "y"}:
            return f"move {of}"
        return f"set {', '.join(sorted(keys)) or 'nothing'} of {of or 'the circuit'}"

    def run(self, circuit: Graph) -> Done:
        require_thawed(circuit)
        for name, key, *value in self.neurons:
            require_neuron(circuit, name)
            if key == "role":
                _require_role(circuit, name, value)
        for pre, post, key, *value in self.synapses:
            require_synapse(circuit, pre, post)
            if key == "polarity" and not value:
                raise CircuitError(f"{synapse_label(pre, post)} must have a polarity")
        neurons = [(e[0], *_exchange(circuit.nodes[e[0]], *e[1:])) for e in self.neurons]
        synapses = [(*e[:2], *_exchange(circuit.edges[e[:2]], *e[2:])) for e in self.synapses]
        own = [_exchange(circuit.graph, *e) for e in self.circuit]
        return Done((self,), Set(neurons[::-1], synapses[::-1], own[::-1]))


@dataclass(frozen=True)
class Rename(Edit):
    """Rename neurons, each staying where it is. Names may be exchanged.

    Attributes:
        names: each (old, new), or a mapping from old to new.
    """

    kind = "rename"
    names: Sequence[tuple[Hashable, Hashable]] | Mapping[Any, Hashable] = ()

    def __post_init__(self) -> None:
        given = list(self.names.items()) if isinstance(self.names, Mapping) else entries("names", self.names)
        pairs = [record("a rename", e, (2,), "[old, new]") for e in given]
        names = {name_of(old): name_of(new) for old, new in pairs}
        if len(names) < len(pairs):
            raise CircuitError("a neuron is renamed twice in one edit")
        self._put("names", tuple(names.items()))

    def __str__(self) -> str:
        names = list(self.names)
        return f"rename {label(names[0][0], 40) if len(names) == 1 else counted(len(names), 'neuron')}"

    def run(self, circuit: Graph) -> Done:
        names = dict(self.names)
        require_renames(circuit, names)
        relabel(circuit, names)
        inverse = Rename(tuple((new, old) for old, new in names.items()))
        held = renamed_projections(circuit, names)
        kept = Set(circuit=list(held.items())).run(circuit).changes if held else ()
        return Done((self, *kept), inverse)


def _counted(neurons: int, synapses: int) -> str:
    parts = [(neurons, "neuron"), (synapses, "synapse")]
    return " and ".join(counted(number, what) for number, what in parts if number)


def _indices(owner: str, given: Any, length: int) -> list[int]:
    values = entries(owner, given)
    if values and (len(values) != length or not all(type(k) is int and k >= 0 for k in values)):
        raise CircuitError(f"{owner} takes {length} whole numbers from 0, got {label(given, 60)}")
    return values


def _setting(owner: tuple[Hashable, ...], key: Any, *value: Any) -> tuple[Any, ...]:
    """An attribute and its new value, if it has one, checked."""
    text = ("the circuit", "neuron {}", "synapse {} -> {}")[len(owner)].format(*map(label, owner))
    held = [attribute_of(text, key_of(text, key), v) for v in value]
    if not value:
        key_of(text, key)
    elif owner[1:] and key == "polarity":
        held = [require_polarity(held[0], *owner)]
    elif owner and not owner[1:] and key == "role":
        held = [require_role(held[0])]
    return key, *held


def _require_role(circuit: Graph, name: Hashable, value: Sequence[Any]) -> None:
    if not value:
        raise CircuitError(f"neuron {label(name)} must have a role")
    require_role_change(circuit, name, value[0])


def _exchange(attributes: dict[str, Any], key: str, *value: Any) -> tuple[Any, ...]:
    """Set or remove an attribute and return what it was, in the same form."""
    old = (key, attributes[key]) if key in attributes else (key,)
    if value:
        attributes.update(fresh({key: value[0]}))
    else:
        attributes.pop(key, None)
    return old
