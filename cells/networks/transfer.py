"""Weights carried over an edit of the circuit, by the names of neurons: lesions, growth and renames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import mlx.core as mx
import networkx as nx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from ...compile import CompiledCircuit, Plan, Source, compile_circuit, make_plan, without
from ...compile.synapses import Index, Synapses
from ..cfc.cell import CfCCell
from ..cfc.compat import compat_plans
from ..cfc.operations import HEADS
from ..layer import NCPLayer
from ..ltc.cell import SYNAPTIC, LTCCell

Network = TypeVar("Network", bound=NCPLayer)


def transfer(
    parameters: Mapping[str, Any],
    old_plan: Plan,
    new_plan: Plan,
    *,
    renames: Mapping[str, str] | None = None,
    fresh: Mapping[str, Any] | None = None,
    key: mx.array | None = None,
    ncps_compat: bool = False,
) -> dict[str, Any]:
    """Parameters of a network over one circuit, carried to a network over another.

    A neuron keeps its values if its name is in both plans, a synapse if its two neurons are and it joins them
    in both. Whatever is new takes a fresh value; what is gone is left out.

    Args:
        parameters: ``rnn.parameters()`` or those of its cell.
        old_plan: the plan they belong to.
        new_plan: the plan to carry them to.
        renames: old name -> new name of neurons that were renamed.
        fresh: parameters over the new plan, from which new neurons and synapses take their values. For an
            LTC or a CfC it is not needed: they get those of a new cell.
        key: random key for these; MLX's global state if not given.
        ncps_compat: the network is ``CfC(circuit, ncps_compat=True)``: its parameters lie on other synapses.

    Returns:
        Parameters in the form that was given, for ``update``.

    Raises:
        ValueError: a parameter that does not fit the old plan or belongs to no neuron or synapse; something
            new without a value to start from; a rename of an unknown neuron.

    Example:
        >>> grown = gl.compile_circuit(circuit).plan                       # after circuit.add_synapse(...)
        >>> other = gl.LTC(grown)
        >>> other.update(gl.transfer(rnn.parameters(), plan, grown))
    """
    names = _old_names(old_plan, new_plan, renames or {})
    values = dict(tree_flatten(dict(parameters)))
    starts = None if fresh is None else dict(tree_flatten(dict(fresh)))
    found = []
    for path, value in values.items():
        name = path.rpartition(".")[2]
        source = _source(name, tuple(value.shape), _plans(name, old_plan, new_plan, ncps_compat), names)
        carried = mx.array(np.array(value)[np.maximum(source, 0)]) if len(value) else mx.zeros(source.shape)
        if (source < 0).any():
            if starts is None:
                starts = _fresh_parameters(values, new_plan, ncps_compat, key)
            start = starts.get(path, starts.get(name))
            if start is None or tuple(start.shape) != source.shape:
                raise ValueError(f"{path!r} has new entries: give values for them, of shape {source.shape}")
            carried = mx.where(mx.array(source < 0), start, carried)
        found.append((path, carried))
    result: dict[str, Any] = tree_unflatten(found)
    return result


def lesion(
    network: Network, neurons: str | Iterable[str] = (), synapses: Iterable[tuple[str, str]] = ()
) -> Network:
    """A network like this one, without some neurons and synapses, that keeps all other trained values.

    The network itself stays as it was. Without a sensory neuron the new one has one input less; without a
    motor neuron, one output less. In a ``CfC(circuit, ncps_compat=True)``, as in ncps, only synapses from
    layer to layer can be removed, and time gates know no synapses.

    Args:
        network: an LTC, a CfC or another network or cell over a circuit.
        neurons: a role, a name or names of neurons to remove, with all their synapses.
        synapses: (pre, post) names of synapses to remove.

    Raises:
        CircuitError: a neuron or synapse that does not exist, or no motor neuron would be left.
        TypeError: the network has no circuit.

    Example:
        >>> ablated = gl.lesion(rnn, neurons=["command_0"], synapses=[("inter_1", "command_2")])
    """
    return carried(network, without(_circuit(network).plan, neurons, synapses))


def carried(
    network: Network, source: Source, *, renames: Mapping[str, str] | None = None, key: mx.array | None = None
) -> Network:
    """A network like this one over another circuit, with the trained values of what is in both, by name.

    The network itself stays as it was. A synapse whose polarity is the other one in the new circuit acts
    with the other sign.

    Args:
        network: an LTC, a CfC or another network or cell over a circuit.
        source: the new circuit, in any form that can be compiled; it is compiled with the options of the old.
        renames: old name -> new name of neurons that were renamed.
        key: random key for the values of what is new; MLX's global state if not given.

    Raises:
        TypeError: the network has no circuit.
        CircuitError: the new circuit cannot be compiled.
    """
    old = _circuit(network)
    new = old.with_plan(make_plan(source))
    twin = _rebuilt(network, new)
    compat = any(getattr(module, "ncps_compat", False) for module in network.modules())
    values = transfer(network.parameters(), old.plan, new.plan, renames=renames, key=key, ncps_compat=compat)
    twin.update(_turned(values, old.plan, new.plan, renames or {}, compat))
    frozen = dict(network.named_modules())
    for path, module in twin.named_modules():
        module._no_grad = set(frozen[path]._no_grad)
        module._training = frozen[path].training
    return twin


def _turned(
    parameters: Mapping[str, Any], old: Plan, new: Plan, renames: Mapping[str, str], compat: bool
) -> dict[str, Any]:
    """Parameters over the new plan, with the other sign where a carried synapse has the other polarity."""
    names = _old_names(old, new, renames)
    signed = {"erev", *(f"{head}_w" for head in HEADS)}
    leaves: list[tuple[str, Any]] = tree_flatten(dict(parameters))  # type: ignore[assignment]
    turned = []
    for path, value in leaves:
        name = path.rpartition(".")[2]
        if name.removeprefix("sensory_") in signed:
            sensory = name.startswith("sensory_")
            plans = _plans(name, old, new, compat)
            before, after = (plan.sensory if sensory else plan.recurrent for plan in plans)
            source = _synapses(before, after, names[1] if sensory else names[0], names[0])
            held = np.append(before.polarity, 0)[source]  # of what is new, 0
            value = mx.where(mx.array(held == -after.polarity), -value, value)
        turned.append((path, value))
    result: dict[str, Any] = tree_unflatten(turned)
    return result


# Which entry comes from where: arrays with the old index of each new entry, and -1 for what is new.


def _old_names(old: Plan, new: Plan, renames: Mapping[str, str]) -> tuple[Index, Index]:
    """For each new neuron with state and each new sensor, the number of the old one of that name."""
    unknown = set(renames) - {*old.neurons, *old.sensors}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is renamed, but the old plan has no such neuron")

    def old_index(old_names: tuple[str, ...], new_names: tuple[str, ...]) -> Index:
        place = {renames.get(name, name): k for k, name in enumerate(old_names)}
        return np.fromiter((place.get(name, -1) for name in new_names), np.int32, len(new_names))

    return old_index(old.neurons, new.neurons), old_index(old.sensors, new.sensors)


def _plans(name: str, old: Plan, new: Plan, ncps_compat: bool) -> tuple[Plan, Plan]:
    """The plans whose synapses a parameter lies on."""
    if not ncps_compat:
        return old, new
    is_signal = name.removeprefix("sensory_").removesuffix("_w") in HEADS
    pairs = (compat_plans(old), compat_plans(new))
    signal, gates = tuple(p.signal for p in pairs), tuple(p.gates for p in pairs)
    return (signal[0], signal[1]) if is_signal else (gates[0], gates[1])


def _source(
    name: str, shape: tuple[int, ...], plans: tuple[Plan, Plan], indices: tuple[Index, Index]
) -> Index:
    """Where the entries of a parameter over the new plan come from, by what its name says it is."""
    old, new = plans
    neurons, sensors = indices
    if name.startswith("input_"):
        count, source = old.n_inputs, sensors
    elif name.startswith("output_"):
        count, source = old.n_outputs, np.where(neurons < old.n_outputs, neurons, -1)[: new.n_outputs]
    elif name.startswith("sensory_"):
        count, source = len(old.sensory), _synapses(old.sensory, new.sensory, sensors, neurons)
    elif name in SYNAPTIC or name.endswith("_w"):
        count, source = len(old.recurrent), _synapses(old.recurrent, new.recurrent, neurons, neurons)
    else:
        count, source = old.n_neurons, neurons
    if shape != (count,):
        raise ValueError(
            f"{name!r} has shape {shape}: expected ({count},), one value per "
            "neuron or synapse of the old plan"
        )
    return source


def _synapses(old: Synapses, new: Synapses, pre: Index, post: Index) -> Index:
    return old.find(pre[new.pre], post[new.post])


# New networks


def _fresh_parameters(
    values: Mapping[str, mx.array], plan: Plan, ncps_compat: bool, key: mx.array | None
) -> dict[str, mx.array]:
    """The parameters of a new cell of the kind that `values` belong to."""
    names = {path.rpartition(".")[2] for path in values}
    cell: NCPLayer
    if "gleak" in names:
        cell = LTCCell(plan, key=key)
    elif "ff1_w" in names:
        mode = "default" if "ff2_w" in names else "pure"
        cell = CfCCell(plan, mode=mode, ncps_compat=ncps_compat, key=key)
    else:
        return {}
    return dict(tree_flatten(cell.parameters()))


def _circuit(layer: NCPLayer) -> CompiledCircuit:
    """The circuit that a layer, or the cell inside it, was made over."""
    for value in _arguments(layer).values():
        if isinstance(value, NCPLayer):
            return _circuit(value)
        if isinstance(value, (CompiledCircuit, Plan, nx.DiGraph)):
            return value if isinstance(value, CompiledCircuit) else compile_circuit(value)
    raise TypeError(f"{type(layer).__name__} is not over a circuit: it has no neurons to remove")


def _rebuilt(layer: Network, compiled: CompiledCircuit) -> Network:
    """The same layer over another circuit, with fresh parameters."""
    arguments: dict[str, Any] = {}
    for name, value in _arguments(layer).items():
        if isinstance(value, NCPLayer):
            value = _rebuilt(value, compiled)
        elif isinstance(value, (CompiledCircuit, Plan, nx.DiGraph)):
            value = compiled
        arguments[name] = value
    return type(layer)(**arguments)


def _arguments(layer: NCPLayer) -> dict[str, Any]:
    found: dict[str, Any] = layer._arguments() | layer._kept
    return found
