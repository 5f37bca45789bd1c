"""Networks over edited circuits, with the values of what stays: lesions, growth and renames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

from ...arguments import flag, instance, label, mapping_of, several, text
from ...compile import STATE_ROLES, Plan, Source, make_plan, without
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
from .carrying import carry, own_parameters, refuse_unknown
from .rebuilding import copy_modes, rebuilt
from .sites import Site, sites_of

Network = TypeVar("Network", bound=NCPLayer)


def lesion(
    network: Network, neurons: str | Iterable[str] = (), synapses: Iterable[tuple[str, str]] = ()
) -> Network:
    """A network like this one, without some neurons and synapses, that keeps all other trained values.

    The network itself stays as it was. Without a sensory neuron the new one has one input less; without a
    motor neuron, one output less. In a ``CfC(circuit, ncps_compat=True)``, as in ncps, only synapses from
    layer to layer can be removed, and time gates know no synapses.

    Args:
        network: a network or cell over a circuit, or a container of some, such as `Stack`. In one with
            several circuits, a name must be in one of them alone; both directions of a `Bidirectional` over
            one circuit are edited alike.
        neurons: a role, a name or names of neurons to remove, with all their synapses.
        synapses: (pre, post) names of synapses to remove.

    Raises:
        CircuitError: a neuron or synapse that does not exist, or no motor neuron would be left.
        TypeError: the network has no circuit.
        ValueError: a parameter of a cell of your own whose home is not declared.

    Example:
        >>> ablated = gl.lesion(rnn, neurons=["command_0"], synapses=[("inter_1", "command_2")])
    """
    instance("network", network, NCPLayer, "a network or cell")
    sites = list(sites_of(network))
    if not sites:
        raise TypeError(f"{type(network).__name__} is not over a circuit: it has no neurons to remove")
    removed: dict[str, tuple[list[str], list[tuple[str, str]]]] = {site.group: ([], []) for site in sites}
    for name in _names(sites, neurons):
        removed[_owner(sites, f"neuron {label(name)}", [name])][0].append(name)
    for pair in map(pair_of, several("synapses", synapses, "(pre, post)")):
        pre, post = (text("a synapse's neuron", name) for name in pair)
        removed[_owner(sites, synapse_label(pre, post), [pre, post])][1].append((pre, post))
    plans = {}
    for site in sites:
        gone, cut = removed[site.group]
        plans[site.path] = without(site.compiled.plan, site.inner(gone), cut)
    return _over(network, sites, plans, {})


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
        key: random key for the values of what is new; MLX's global state if not given.

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
    sites = list(sites_of(network))
    groups = list(dict.fromkeys(site.group for site in sites))
    if len(groups) != 1:
        have = "no circuit" if not groups else f"{len(groups)} circuits, in {_listed(groups)}"
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


def _names(sites: list[Site], neurons: str | Iterable[str]) -> Iterable[str]:
    """The names that a role, one name or names stand for."""
    if not isinstance(neurons, str):
        return [text("a neuron to remove", name) for name in several("neurons", neurons, "names")]
    found = {}
    for site in sites:
        plan = site.compiled.plan
        if neurons == "sensory":
            found[site.group] = site.wrappers[0].sensors if site.wrappers else plan.sensors
        elif neurons in STATE_ROLES:
            found[site.group] = plan.neurons[plan.role_slice(neurons)]
    if len(found) > 1:
        raise CircuitError(f"neurons of the role {neurons!r} are in {_listed(list(found))}: name them")
    return next(iter(found.values()), (neurons,))


def _owner(sites: list[Site], what: str, names: list[str]) -> str:
    """The group of circuits that has all the names."""
    wanted = {text("a neuron's name", name) for name in names}
    owners = list(dict.fromkeys(site.group for site in sites if wanted <= site.names))
    if len(owners) > 1:
        raise CircuitError(f"{what} is in {_listed(owners)}: edit one of these layers by itself")
    if not owners:
        raise CircuitError(f"the circuit has no {what}: it cannot be removed")
    return owners[0]


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
