"""Sensory neurons that receive synapses: in a circuit they are inputs, in a connectome they are not only
that."""

from __future__ import annotations

from collections.abc import Hashable

from ...arguments import counted
from ..digest import ELECTRICAL
from ..files.raw import Edge, Node
from ..roles import label
from ..words import roles_in, suggestion
from .draft import Draft

WAYS = ("split", "drop", "keep")
OWN = ("role", "roles", "id", "name", "label", "shared name")
"""What an input does not have from its neuron; other texts, such as a type, it has."""


def settle_sensors(draft: Draft, sensors: str | None) -> None:
    """Make sensory neurons inputs.

    "split" turns one that receives synapses, `ALML`, into an input `ALML.in` that excites a neuron `ALML`
    with state, which has all its synapses; "drop" leaves out what it receives; "keep" leaves it, and `check`
    finds it.
    """
    if sensors not in (None, *WAYS):
        raise ValueError(
            f"sensors takes {', '.join(map(repr, WAYS))}, got {label(sensors)}{suggestion(sensors, WAYS)}"
        )
    if sensors is None and draft.raw.own:
        return
    sensory = {name for name, node in draft.neurons.items() if node.data.get("role") == "sensory"}
    onto = [edge for edge in draft.synapses if not sensory.isdisjoint(_receivers(edge))]
    receivers = {name for edge in onto for name in _receivers(edge)} & sensory
    if not onto or sensors == "keep":
        return
    if sensors == "drop":
        draft.synapses = [edge for edge in draft.synapses if sensory.isdisjoint(_receivers(edge))]
        text = f"dropped {counted(len(onto), 'synapse')} onto {counted(len(receivers), 'sensory neuron')}"
        draft.origin.add("dropped", len(onto), text)
        return
    neurons: dict[Hashable, Node] = {}
    inputs: list[Edge] = []
    for name, node in draft.neurons.items():
        if name in receivers:
            entry = _free(f"{name}.in", draft.neurons)
            said = {k: v for k, v in node.data.items() if isinstance(v, str) and k not in OWN}
            neurons[entry] = Node(entry, {**said, "role": "sensory", "input_of": name}, node.at)
            inputs.append(Edge(entry, name, {"polarity": 1}, node.at))
            node.data["role"] = _with_state(node)
        neurons[name] = node
    draft.neurons = neurons
    draft.synapses = inputs + draft.synapses
    text = (
        f"split {counted(len(receivers), 'sensory neuron')} with {counted(len(onto), 'synapse')} onto them "
        "into an input and a neuron with state that it drives "
        f"({label(inputs[0].pre)} -> {label(inputs[0].post)}, ...)"
    )
    draft.origin.add("split", len(receivers), text, sensors is not None)


def _receivers(edge: Edge) -> tuple[Hashable, ...]:
    """Whom a synapse reaches: an electrical one both of its neurons."""
    both = edge.data.get("kind") == ELECTRICAL or "gap" in edge.data
    return (edge.pre, edge.post) if both else (edge.post,)


def _with_state(node: Node) -> str:
    """The role that is left: another one that the neuron has, or inter."""
    others = [role for role in roles_in(node.data.get("roles")) if role != "sensory"]
    return others[0] if others else "inter"


def _free(name: str, taken: dict[Hashable, Node]) -> str:
    while name in taken:
        name += "'"
    return name
