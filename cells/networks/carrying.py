"""Values of a network over one circuit in a network over another: by the names of neurons, as homes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from ...arguments import label, mapping_of
from ...compile import Plan
from ...compile.synapses import Index, Synapses
from ..belonging import without_digests
from ..cell import NCPRNNCell
from ..dense import NCPDense
from ..layer import NCPLayer
from ..parameters import Axis, Grouped, Parameter, Repeated, axis_length
from .bidirectional import Bidirectional
from .stack import Stack

Plans = Mapping[str, Plan]


@dataclass(frozen=True)
class Carrier:
    """Which old entry each new one comes from; -1 where it is new.

    Attributes:
        neurons: (new N,) old numbers of the neurons with state.
        sensors: (new I,) old numbers of the sensory neurons.
    """

    neurons: Index
    sensors: Index

    @classmethod
    def between(cls, old: Plan, new: Plan, renames: Mapping[str, str]) -> Carrier:
        """The carrier from one plan to another; a new name belongs to whom was renamed to it, if anybody was.

        Raises:
            ValueError: two neurons are renamed to one name.
        """
        if len(set(renames.values())) < len(renames):
            twice = next(name for name, n in Counter(renames.values()).items() if n > 1)
            raise ValueError(f"two neurons are renamed to {twice!r}")

        def places(old_names: tuple[str, ...], new_names: tuple[str, ...]) -> Index:
            place = {name: k for k, name in enumerate(old_names) if name not in renames}
            place |= {renames[name]: k for k, name in enumerate(old_names) if name in renames}
            return np.fromiter((place.get(name, -1) for name in new_names), np.int32, len(new_names))

        return cls(places(old.neurons, new.neurons), places(old.sensors, new.sensors))

    def sources(self, axis: Axis, old: Plan, new: Plan, then: Axis | None = None) -> Index | None:
        """(new length,) old entries of an axis; None for one that is free of the circuit.

        `then` is the axis in the new network, where it is another: its groups may be.
        """
        if isinstance(axis, Grouped) and isinstance(then, Grouped):
            place = {key: k for k, key in enumerate(axis.groups.keys)}
            return np.fromiter((place.get(key, -1) for key in then.groups.keys), np.int32, len(then.groups))
        if isinstance(axis, Repeated):
            inner, length = self.sources(axis.home, old, new), axis_length(axis.home, old)
            if inner is None:
                return None
            copies = [np.where(inner < 0, -1, inner + k * length) for k in range(axis.times)]
            return np.concatenate(copies).astype(np.int32)
        if axis == "recurrent":
            return _synapses(old.recurrent, new.recurrent, self.neurons, self.neurons)
        if axis == "sensory":
            return _synapses(old.sensory, new.sensory, self.sensors, self.neurons)
        if axis == "electrical":
            ends = np.stack([self.neurons[new.electrical.pre], self.neurons[new.electrical.post]])
            return old.electrical.find(*np.sort(ends, axis=0))
        if axis == "sensor":
            return self.sensors
        if axis == "neuron":
            return self.neurons
        if axis == "motor":
            return np.where(self.neurons < old.n_outputs, self.neurons, -1)[: new.n_outputs]
        return None

    def carried(
        self, what: str, p: Parameter, now: Parameter, value: mx.array, start: mx.array, old: Plan, new: Plan
    ) -> mx.array:
        """A new parameter, declared as `now`: the old value where there was one, and `start` where it is new.

        A value that has its synapse's sign gets the other one where the synapse has another polarity now.

        Raises:
            ValueError: a shape that does not fit what the parameter lies on.
        """
        sources = [self.sources(a, old, new, then) for a, then in zip(p.axes, now.axes, strict=True)]
        expected = tuple(
            start.shape[k] if source is None else axis_length(p.axes[k], old)
            for k, source in enumerate(sources)
        )
        if tuple(value.shape) != expected:
            raise ValueError(
                f"{what} has shape {tuple(value.shape)}: expected {expected}, one value per entry of "
                f"{p.home!r} of the old plan"
            )
        taken, kept = value, mx.ones(start.shape, mx.bool_)
        for axis, source in enumerate(sources):
            if source is not None:
                taken = _take(taken, source, axis)
                kept = kept & mx.array(source >= 0).reshape(
                    [-1 if k == axis else 1 for k in range(start.ndim)]
                )
        if p.signed and sources[0] is not None and not isinstance(p.home, Grouped):
            before, after = p.synapses(old), p.synapses(new)
            turned = np.append(before.polarity, 0)[sources[0]] == -after.polarity  # 0 where it is new
            taken = mx.where(mx.array(turned), -taken, taken)
        return mx.where(kept, taken, start.astype(value.dtype))


def carry(old: NCPLayer, new: NCPLayer, renames: Mapping[str, str], path: str = "") -> dict[str, mx.array]:
    """The parameters of `new` by path, with the values of `old` for what is in both circuits.

    Raises:
        ValueError: a parameter whose home is not declared, or of another shape than it says.
        TypeError: layers that are not made alike.
    """
    if type(old) is not type(new):
        raise TypeError(f"a {type(old).__name__} cannot be carried to a {type(new).__name__}")
    inside, others = inner_layers(old), inner_layers(new)
    if inside.keys() != others.keys():
        raise TypeError(f"two networks of {type(old).__name__} with other layers inside")
    if isinstance(old, Stack) and isinstance(new, Stack):
        return _carry_row(old, new, renames, path)
    found = _own(old, new, renames, path)
    for name, layer in inside.items():
        below = carry(layer, others[name], renames, f"{path}{name}.")
        found |= {f"{name}.{inner}": value for inner, value in below.items()}
    return found


def _carry_row(old: Stack, new: Stack, renames: Mapping[str, str], path: str) -> dict[str, mx.array]:
    """Layers one behind the other, of which a dense one follows the outputs of a circuit in front of it."""
    found: dict[str, mx.array] = {}
    source: Index | None = None
    for k, (layer, twin) in enumerate(zip(old.layers, new.layers, strict=True)):
        name = f"layers.{k}"
        flat: dict[str, mx.array] = (
            dict(tree_flatten(layer.parameters())) if isinstance(layer, nn.Module) else {}
        )
        linear = isinstance(layer, nn.Linear)
        if source is not None and (linear or (isinstance(layer, NCPDense) and layer.compiled is None)):
            axis = 1 if linear else 0
            kept = mx.array(source >= 0).reshape((1, -1) if linear else (-1, 1))
            flat["weight"] = mx.where(kept, _take(flat["weight"], source, axis), twin.weight)
        elif source is not None:
            raise ValueError(
                f"{path}{name}, a {type(layer).__name__}, reads the outputs of the layer in front of it, and "
                "these are others now: only dense layers can follow"
            )
        elif isinstance(layer, NCPLayer):
            flat = carry(layer, twin, renames, f"{path}{name}.")
        found |= {f"{name}.{inner}": value for inner, value in flat.items()}
        source = outputs_between(layer, twin, renames)
    return found


def outputs_between(old: nn.Module, new: nn.Module, renames: Mapping[str, str]) -> Index | None:
    """Which old output each output of a network is; None if they are the same, in the same order."""
    found = motors_between(old, new, renames)
    if found is None:
        return None
    source, count = found
    return None if np.array_equal(source, np.arange(count)) else source


def motors_between(old: nn.Module, new: nn.Module, renames: Mapping[str, str]) -> tuple[Index, int] | None:
    """Which old output each output of a network is, and how many there were; None if no motors are read."""
    if isinstance(old, Stack) and isinstance(new, Stack):
        return motors_between(old.layers[-1], new.layers[-1], renames)
    if isinstance(old, Bidirectional) and isinstance(new, Bidirectional):
        ways = [motors_between(getattr(old, n), getattr(new, n), renames) for n in ("forward", "backward")]
        if old.merge != "concat" or ways[0] is None or ways[1] is None:
            return ways[0]
        (ahead, first), (back, second) = ways[0], ways[1]
        return np.concatenate([ahead, np.where(back < 0, -1, back + first)]).astype(np.int32), first + second
    if getattr(old, "proj_size", None) is not None or not isinstance(old, NCPLayer):
        return None
    before, after = plans_of(old), plans_of(new)
    if before is None or after is None:
        return None
    plans = next(iter(before.values())), next(iter(after.values()))
    source = Carrier.between(*plans, _known(renames, plans[0])).sources("motor", *plans)
    assert source is not None
    return source, plans[0].n_outputs


def _own(old: NCPLayer, new: NCPLayer, renames: Mapping[str, str], path: str) -> dict[str, mx.array]:
    """A layer's own parameters, carried."""
    values, starts = own_parameters(old), own_parameters(new)
    before, after = plans_of(old), plans_of(new)
    if before is None or after is None:  # it has nothing of the circuit
        differing = next((name for name in values if values[name].shape != starts[name].shape), None)
        if differing is not None:
            raise ValueError(
                f"{path}{differing} has shape {tuple(values[differing].shape)}, but "
                f"{tuple(starts[differing].shape)} is needed: what the layer reads has changed"
            )
        return values
    declared, now, found = old.declaration(), new.declaration(), {}
    first = next(iter(before))
    carrier = Carrier.between(before[first], after[first], _known(renames, before[first]))
    for name, value in values.items():
        if name not in declared:
            raise ValueError(
                f"the {type(old).__name__} does not say what its parameter {name!r} lies on: declare it in "
                f'its class, such as homes = {{{name!r}: "recurrent"}}'
            )
        if name not in now:  # such as the conductances of electrical synapses, when the last of them went
            continue
        p = declared[name]
        part = p.part if p.part in before else first
        plans = before[part], after[part]
        found[name] = carrier.carried(f"{path}{name}", p, now[name], value, starts[name], *plans)
    return found


def _known(renames: Mapping[str, str], plan: Plan) -> dict[str, str]:
    return {name: new for name, new in renames.items() if name in {*plan.neurons, *plan.sensors}}


def refuse_unknown(renames: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise ValueError for a rename of a neuron that is nowhere."""
    unknown = set(mapping_of("renames", renames, "old to new names")) - set(known)
    if unknown:
        raise ValueError(f"{label(min(unknown, key=str))} is renamed, but the old plan has no such neuron")


def own_parameters(layer: NCPLayer) -> dict[str, mx.array]:
    """The arrays of a layer by path, without those of the layers of this package inside it."""
    inside = tuple(f"{name}." for name in inner_layers(layer))
    flat: dict[str, mx.array] = without_digests(dict(tree_flatten(layer.parameters())))
    return {name: value for name, value in flat.items() if not name.startswith(inside)}


def inner_layers(layer: NCPLayer) -> dict[str, NCPLayer]:
    """The layers of this package directly inside a layer, by path."""
    found: dict[str, NCPLayer] = {}
    for path, module in layer.named_modules():
        if path and isinstance(module, NCPLayer):
            found[path] = module
    return {p: m for p, m in found.items() if not any(p.startswith(f"{other}.") for other in found)}


def plans_of(layer: nn.Module) -> Plans | None:
    """The plans that a layer's own parameters lie on: its own, or those of the cell that it runs."""
    if isinstance(layer, NCPRNNCell):
        return layer.plans if hasattr(layer, "compiled") else None
    compiled = getattr(layer, "compiled", None)
    if compiled is not None:
        return {"circuit": compiled.plan}
    cell = getattr(layer, "cell", None)
    return plans_of(cell) if isinstance(cell, NCPLayer) else None


def _synapses(old: Synapses, new: Synapses, pre: Index, post: Index) -> Index:
    return old.find(pre[new.pre], post[new.post])


def _take(values: mx.array, source: Index, axis: int) -> mx.array:
    """Entries along an axis, of which those of -1 may be anything."""
    if not values.shape[axis]:
        shape = [len(source) if k == axis else n for k, n in enumerate(values.shape)]
        return mx.zeros(shape, values.dtype)
    return mx.take(values, mx.array(np.maximum(source, 0)), axis=axis)
