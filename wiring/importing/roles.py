"""Which neuron is an input, which an output: from an attribute, a mapping, lists, or the shape of the
graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import networkx as nx

from ...arguments import counted, function_of
from ...errors import CircuitError
from ..checks import reached_from
from ..digest import ELECTRICAL
from ..roles import ROLES, is_role, label
from ..words import EXPECTED_ROLE, listed, roles_in, suggestion
from .draft import Draft

Roles: TypeAlias = "str | Mapping[Any, Any] | tuple[str, Mapping[Any, str]] | Callable[[Any], str] | None"

WAY = (
    "roles= says where roles come from: an attribute, {'sensory': [...], 'motor': [...]}, a role per name, "
    "or 'infer'"
)


def assign_roles(draft: Draft, roles: Roles) -> None:
    """Give every neuron its role.

    Raises:
        CircuitError: a neuron is left without one, or a role, name or attribute is not known.
    """
    if hasattr(roles, "shape"):
        raise TypeError(f"roles: expected an attribute or a mapping, got {label(roles)}; {WAY}")
    if callable(roles):
        function_of("roles", roles, "the name of a neuron")
        found = {name: _require(roles(name)) for name in draft.neurons}
    elif isinstance(roles, Mapping):
        found = _of_mapping(draft, roles)
    elif isinstance(roles, tuple):
        found = _of_attribute(draft, *_pair(roles))
    elif roles == "infer":
        found = _inferred(draft)
    elif roles is None or isinstance(roles, str):
        found = _of_attribute(draft, roles or "role", None)
    else:
        raise TypeError(f"roles: expected an attribute or a mapping, got {type(roles).__name__}; {WAY}")
    for name, role in found.items():
        draft.neurons[name].data["role"] = role


def _pair(roles: Any) -> tuple[str, Mapping[Any, str]]:
    if len(roles) != 2 or not isinstance(roles[0], str) or not isinstance(roles[1], Mapping):
        raise TypeError(f"roles: expected (attribute, {{value: role}}), got {label(roles)}")
    for role in roles[1].values():
        _require(role)
    return roles[0], roles[1]


def _require(role: Any) -> str:
    if not is_role(role):
        raise CircuitError(f"roles: unknown role {label(role)}; {EXPECTED_ROLE}{suggestion(role, ROLES)}")
    return str(role)


def _of_attribute(draft: Draft, key: str, meaning: Mapping[Any, str] | None) -> dict[Hashable, str]:
    known = draft.node_attributes()
    if key not in known:
        if key == "role":
            return _without(draft)
        raise draft.no_attribute("roles", key, known)
    found: dict[Hashable, str] = {}
    several: list[Hashable] = []
    for name, node in draft.neurons.items():
        value = node.data.get(key)
        if meaning is not None and _in(value, meaning):
            found[name] = meaning[value]
            continue
        roles = [value] if is_role(value) else [] if draft.raw.own else roles_in(value)
        if roles:
            found[name] = str(roles[0])
            if len(roles) > 1:
                several.append(name)
                node.data["roles"] = value
        elif draft.strict:
            raise draft.raw.node_error(_problem(name, key, node.data, draft.raw.own), node.at)
    if key != "role":
        draft.origin.add("roles", len(found), f"roles are those in {key!r}")
    draft.origin.add(
        "several roles",
        len(several),
        f"of the several roles of {counted(len(several), 'neuron')} the first counts",
    )
    return found


def _in(value: Any, meaning: Mapping[Any, str]) -> bool:
    try:
        return value in meaning
    except TypeError:
        return False


def _problem(name: Hashable, key: str, data: Mapping[str, Any], own: bool) -> str:
    if key not in data:
        return f"neuron {label(name)} has no {'role' if key == 'role' else label(key)}; {WAY}"
    value = data[key]
    problem = f"neuron {label(name)}: unknown role {label(value)}; {EXPECTED_ROLE}"
    way = f", or a meaning for it: roles=({key!r}, {{{label(value, 40)}: 'inter', ...}})"
    return problem if own else problem + way


def _without(draft: Draft) -> dict[Hashable, str]:
    """No node has a role."""
    if draft.strict and draft.neurons:
        name, node = next(iter(draft.neurons.items()))
        like = [
            key
            for key in draft.node_attributes()
            if (values := [other.data.get(key) for other in draft.neurons.values()])
            and sum(bool(roles_in(value)) for value in values) > len(values) // 2
        ]
        hint = f"; {like[0]!r} looks like them: roles={like[0]!r}" if like else ""
        raise draft.raw.node_error(
            f"neuron {label(name)} has no role, nor has any other; {WAY}{hint}", node.at
        )
    return {}


def _of_mapping(draft: Draft, roles: Mapping[Any, Any]) -> dict[Hashable, str]:
    """Lists of names per role, or a role per name; a neuron that is not named keeps its role or is inter."""
    given: dict[Hashable, str] = {}
    several: list[Hashable] = []
    if roles and all(is_role(key) and not isinstance(value, str) for key, value in roles.items()):
        for role, names in roles.items():
            if not isinstance(names, Iterable):
                raise TypeError(f"roles: {role!r} needs a list of names, got {label(names)}")
            for name in dict.fromkeys(names):
                if name in given:
                    several.append(name)
                given.setdefault(name, role)
    else:
        given = {name: _require(role) for name, role in roles.items()}
    draft.require_known("roles", given)
    draft.origin.add("roles", len(given), f"roles of {counted(len(given), 'neuron')} were given")
    draft.origin.add(
        "several roles",
        len(several),
        f"of the lists that name {counted(len(several), 'neuron')} the first counts ({listed(several)})",
    )
    found = {}
    for name, node in draft.neurons.items():
        present = roles_in(node.data.get("role"))
        found[name] = given.get(name) or (present[0] if present else "inter")
    return found


def _inferred(draft: Draft) -> dict[Hashable, str]:
    """From degree and depth: sources are sensory, sinks motor, and what drives a sink from afar command."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(draft.neurons)
    graph.add_edges_from(
        (edge.pre, edge.post)
        for edge in draft.synapses
        if edge.pre != edge.post and edge.data.get("kind") != ELECTRICAL
    )
    isolated = set(nx.isolates(graph))
    sources = [name for name in graph if name not in isolated and graph.in_degree(name) == 0]
    sinks = [name for name in graph if name not in isolated and graph.out_degree(name) == 0]
    if not sources or not sinks:
        lacking = "without incoming edges" if not sources else "without outgoing edges"
        raise CircuitError(
            f"roles='infer': there is no neuron {lacking}; {WAY.replace(', or ' + repr('infer'), '')}"
        )
    depth = reached_from(graph, sources)
    onto = {pre for sink in sinks for pre in graph.predecessors(sink)}
    found = dict.fromkeys(graph, "inter")
    found.update({name: "command" for name in onto if depth.get(name, 2) >= 2})
    found.update({**dict.fromkeys(sources, "sensory"), **dict.fromkeys(sinks, "motor")})
    counts = Counter(found.values())
    text = ", ".join(f"{counts[role]} {role}" for role in ROLES if counts[role])
    draft.origin.add("roles", len(found), f"roles were inferred from degree and depth ({text})")
    return found
