"""Networks over edited circuits, with the values of what stays: lesions, growth and renames."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from ...arguments import counted, flag, instance, label, mapping_of, several, text
from ...compile import Plan, Source, make_plan, without
from ...errors import CircuitError
from ...wiring.guards import pair_of
from ...wiring.roles import synapse_label
from ..belonging import DIGEST, digest_array, refuse_other, without_digests
from ..cell import NCPRNNCell
from ..cfc.cell import CfCCell
from ..ctgru import CTGRUCell
from ..ctrnn import CTRNNCell
from ..layer import NCPLayer
from ..ltc.cell import LTCCell
from ..overlay import lay_over, refuse_perturbed
from .carrying import carry, motors_between, own_parameters, refuse_unknown
from .perturbing import Perturbing
from .rebuilding import copy_modes, rebuilt
from .sites import Site, chosen, sites_of

Network = TypeVar("Network", bound=NCPLayer)


def lesion(
    network: Network,
    neurons: Any = (),
    synapses: Iterable[tuple[str, str]] = (),
    *,
    keep_shapes: bool | None = None,
) -> Network:
    """A network like this one, without some neurons and synapses, that keeps all other trained values.

    The network itself stays as it was. Without a sensory neuron the new one has one input less; without a
    motor neuron, one output less, unless shapes are kept. In a ``CfC(circuit, ncps_compat=True)``, as in
    ncps, only synapses from layer to layer can be removed, and time gates know no synapses.

    Args:
        network: a network or cell over a circuit, or a container of some, such as `Stack`. In one with
            several circuits, a name must be in one of them alone; both directions of a `Bidirectional` over
            one circuit are edited alike.
        neurons: a group of neurons to remove, with all their synapses: a role, a name, the name of a group,
            a list of names, attributes such as {"type": "T4"}, or a predicate of a name and its attributes.
        synapses: (pre, post) names of synapses to remove.
        keep_shapes: whether the removed neurons keep their places: a sensor is read and does nothing, a
            motor neuron's output is 0. Such a network cannot be saved: it is a perturbation. By default they
            do not, which a warning says where it changes inputs or outputs.

    Raises:
        CircuitError: a neuron or synapse that does not exist, or no motor neuron would be left.
        TypeError: the network has no circuit.
        ValueError: a parameter of a cell of your own whose home is not declared.

    Warns:
        UserWarning: the network has fewer inputs or outputs now, and `keep_shapes` was not given.

    Example:
        >>> ablated = gl.lesion(rnn, neurons=["command_0"], synapses=[("inter_1", "command_2")])
    """
    instance("network", network, NCPLayer, "a network or cell")
    sites = list(sites_of(network))
    if not sites:
        raise TypeError(f"{type(network).__name__} is not over a circuit: it has no neurons to remove")
    removed: dict[str, tuple[list[str], list[tuple[str, str]]]] = {site.group: ([], []) for site in sites}
    for group in _groups(neurons):
        site, names = chosen(sites, group)
        removed[site.group][0].extend(names)
    for pair in map(pair_of, several("synapses", synapses, "(pre, post)")):
        pre, post = (text("a synapse's neuron", name) for name in pair)
        removed[_owner(sites, synapse_label(pre, post), [pre, post])][1].append((pre, post))
    if keep_shapes is not None:
        flag("keep_shapes", keep_shapes)
    if keep_shapes:
        return _in_place(network, removed.values())
    plans = {}
    for site in sites:
        gone, cut = removed[site.group]
        plans[site.path] = without(site.compiled.plan, site.inner(gone), cut)
    refuse_perturbed(network, "a lesion")
    twin = _over(network, sites, plans, {})
    if keep_shapes is None:
        _tell_of_shapes(network, twin, [name for gone, _ in removed.values() for name in gone])
    return twin


def carried(
    network: Network, source: Source, *, renames: Mapping[str, str] | None = None, key: mx.array | None = None
) -> Network:
    """A network like this one over another circuit, with the trained values of what is in both, by name.

    The network itself stays as it was. A synapse whose polarity is the other one in the new circuit acts
    with the other sign.

    Args:
        network: a network or cell over a circuit, or a container of one.
        source: the new circuit, in any form that can be compiled; it is compiled with the options of the old.
        renames: old name -> new name of neurons that were renamed.
        key: random key for the values of what is new; if not given, that of the network itself, so that they
            are what they would have been if the network had been made over the new circuit.

    Raises:
        TypeError: the network has no circuit, or several.
        CircuitError: the new circuit cannot be compiled.
        ValueError: a rename of an unknown neuron, or a parameter whose home is not declared.

    Example:
        >>> grown = gl.carried(rnn, circuit)                               # after circuit.add_neuron(...)
    """
    instance("network", network, NCPLayer, "a network or cell")
    if renames is not None:
        mapping_of("renames", renames, "old to new names")
    refuse_perturbed(network, "a network over another circuit")
    sites = list(sites_of(network))
    groups = list(dict.fromkeys(site.group for site in sites))
    if len(groups) != 1:
        have = "no circuit" if not groups else f"{counted(len(groups), 'circuit')}, in {_listed(groups)}"
        raise TypeError(f"{type(network).__name__} has {have}: expected a network over one")
    return _over(
        network, sites, dict.fromkeys((s.path for s in sites), make_plan(source)), renames or {}, key
    )


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
    """Parameters of an LTC, CfC, CTRNN or CTGRU over one circuit, carried to one over another.

    A neuron keeps its values if its name is in both plans, a synapse if its two neurons are and it joins them
    in both. Whatever is new takes a fresh value; what is gone is left out. `carried` does the same to whole
    networks of any kind.

    Args:
        parameters: ``rnn.parameters()`` or those of its cell.
        old_plan: the plan they belong to.
        new_plan: the plan to carry them to.
        renames: old name -> new name of neurons that were renamed.
        fresh: parameters over the new plan, from which new neurons and synapses take their values; those of
            a new cell if not given.
        key: random key for these; MLX's global state if not given.
        ncps_compat: the network is ``CfC(circuit, ncps_compat=True)``: its parameters lie on other synapses.

    Returns:
        Parameters in the form that was given, for ``update``.

    Raises:
        TypeError: no mapping, or not the parameters of one of these cells: what they lie on is not known.
        ValueError: a parameter that does not fit the old plan; a rename of an unknown neuron.

    Example:
        >>> grown = gl.compile_circuit(circuit).plan                       # after circuit.add_synapse(...)
        >>> other = gl.LTC(grown)
        >>> other.update(gl.transfer(rnn.parameters(), plan, grown))
    """
    if isinstance(parameters, NCPLayer) or not isinstance(parameters, Mapping):
        raise TypeError(
            f"expected parameters, such as rnn.parameters(), got {type(parameters).__name__}; "
            "gl.carried(network, circuit) carries a network"
        )
    for name, plan in (("old_plan", old_plan), ("new_plan", new_plan)):
        instance(name, plan, Plan, "a Plan")
    flag("ncps_compat", ncps_compat)
    renames = {} if renames is None else mapping_of("renames", renames, "old to new names")
    if fresh is not None:
        mapping_of("fresh", fresh, "names to parameters")
    flat = dict(tree_flatten(dict(parameters)))
    for name, value in flat.items():
        instance(f"the parameter {label(name, 60)}", value, (mx.array, np.ndarray), "an array")
    for path, digest in flat.items():
        if path.rpartition(".")[2] == DIGEST:
            refuse_other("the parameters", digest, digest_array(old_plan))
    flat = without_digests(flat)
    prefix = "cell." if all(name.startswith("cell.") for name in flat) and flat else ""
    values = {name.removeprefix(prefix): mx.array(value) for name, value in flat.items()}
    refuse_unknown(renames, (*old_plan.neurons, *old_plan.sensors))
    old, new = (_cell_with(values, plan, ncps_compat, key) for plan in (old_plan, new_plan))
    for name, value in values.items():
        old[name] = value
    if fresh is not None:
        starts = without_digests(dict(tree_flatten(dict(fresh))))
        if starts.keys() != flat.keys():
            given = _listed(list(starts)) or "nothing"
            raise ValueError(f"fresh has {given}: expected {_listed(list(flat))}")
        made = dict(tree_flatten(new.parameters()))
        for name, value in starts.items():
            own = made.get(name.removeprefix(prefix))
            if own is not None and tuple(np.shape(value)) != tuple(own.shape):
                raise ValueError(
                    f"{name!r} of fresh has shape {tuple(np.shape(value))}: expected {tuple(own.shape)} over "
                    "the new plan"
                )
        new.update(tree_unflatten([(name.removeprefix(prefix), value) for name, value in starts.items()]))
    found = carry(old, new, renames)
    result: dict[str, Any] = tree_unflatten([(f"{prefix}{name}", value) for name, value in found.items()])
    return result


def _cell_with(values: Mapping[str, Any], plan: Plan, compat: bool, key: mx.array | None) -> NCPRNNCell:
    """A cell over a plan that has just these parameters."""

    def mapping(side: str) -> str | None:
        return "affine" if f"{side}_b" in values else "linear" if f"{side}_w" in values else None

    def cells() -> Iterator[NCPRNNCell]:
        yield LTCCell(plan, input_mapping=mapping("input"), output_mapping=mapping("output"), key=key)
        for mode in ("default", "pure"):
            yield CfCCell(plan, mode=mode, ncps_compat=compat, key=key)
        yield CTRNNCell(plan, key=key)
        yield CTGRUCell(plan, key=key)

    for cell in cells():
        if own_parameters(cell).keys() == values.keys():
            return cell
    raise TypeError(
        f"{_listed(list(values)) or 'no parameter'}: not the parameters of an LTC, CfC, CTRNN or CTGRU, so "
        "nothing says what they lie on: gl.carried(network, circuit) asks the network"
    )


def _in_place(network: Network, removed: Iterable[tuple[list[str], list[tuple[str, str]]]]) -> Network:
    """A copy in which neurons and synapses do nothing, and are still there."""
    twin = copy.deepcopy(network)
    writer = Perturbing(twin)
    for neurons, synapses in removed:
        for name in neurons:
            writer.lesion([name])
        for pre, post in synapses:
            writer.scale([pre], [post], 0.0)
    for cell, overlay in writer.overlays():
        lay_over(cell, overlay)
    return twin


def _groups(neurons: Any) -> list[Any]:
    """The groups that a group may be made of: each name of a list may be of another circuit."""
    if isinstance(neurons, str | Mapping) or callable(neurons):
        return [neurons]
    return [[text("a neuron to remove", name)] for name in several("neurons", neurons, "names")]


def _owner(sites: list[Site], what: str, names: list[str]) -> str:
    """The group of circuits that has all the names."""
    wanted = {text("a neuron's name", name) for name in names}
    owners = list(dict.fromkeys(site.group for site in sites if wanted <= site.names))
    if len(owners) > 1:
        raise CircuitError(f"{what} is in {_listed(owners)}: edit one of these layers by itself")
    if not owners:
        raise CircuitError(f"the circuit has no {what}: it cannot be removed")
    return owners[0]


def _tell_of_shapes(network: NCPLayer, twin: NCPLayer, gone: Iterable[str]) -> None:
    """Say that inputs or outputs are others now, which numbers alone would not show."""
    sizes: list[tuple[str, Any, Any]] = [("input", network.input_size, twin.input_size)]
    motors = motors_between(network, twin, {})
    if motors is not None:
        sizes.append(("output", motors[1], len(motors[0])))
    told = [f"{counted(after, what)} instead of {before}" for what, before, after in sizes if before != after]
    if told:
        warnings.warn(
            f"without {', '.join(map(repr, gone))} the network has {' and '.join(told)}: keep_shapes=True "
            "keeps both, keep_shapes=False says that this is meant",
            UserWarning,
            stacklevel=3,
        )


def _over(
    network: Network,
    sites: list[Site],
    plans: Mapping[str, Plan],
    renames: Mapping[str, str],
    key: mx.array | None = None,
) -> Network:
    """A network like another one over other plans, by the path of each site, with all values that stay."""
    circuits = {site.path: site.compiled.with_plan(plans[site.path]) for site in sites}
    twin: Network = rebuilt(network, circuits, key)
    twin.update(tree_unflatten(list(carry(network, twin, renames).items())))
    copy_modes(network, twin)
    return twin


def _listed(names: list[str]) -> str:
    shown = names[:8]
    return ", ".join(shown) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
