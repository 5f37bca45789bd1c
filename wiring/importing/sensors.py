"""Sensory neurons that receive synapses: in a circuit they are inputs, in a connectome they are not only
that."""

from __future__ import annotations

from collections.abc import Hashable

from ..files.raw import Edge, Node
from ..roles import label
from ..words import roles_in, suggestion
from .draft import Draft

WAYS = ("split", "drop", "keep")


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
    onto = [edge for edge in draft.synapses if edge.post in sensory]
    receivers = {edge.post for edge in onto}
    if not onto or sensors == "keep":
        return
    if sensors == "drop":
        draft.synapses = [edge for edge in draft.synapses if edge.post not in sensory]
        text = f"{len(onto)} synapses onto {len(receivers)} sensory neurons were dropped"
        draft.origin.add("dropped", len(onto), text)
        return
    neurons: dict[Hashable, Node] = {}
    inputs: list[Edge] = []
    for name, node in draft.neurons.items():
        if name in receivers:
            entry = _free(f"{name}.in", draft.neurons)
            neurons[entry] = Node(entry, {"role": "sensory", "input_of": name}, node.at)
            inputs.append(Edge(entry, name, {"polarity": 1}, node.at))
            node.data["role"] = _with_state(node)
        neurons[name] = node
    draft.neurons = neurons
    draft.synapses = inputs + draft.synapses
    text = (
        f"{len(receivers)} sensory neurons, which receive {len(onto)} synapses, were split into an input "
        f"and a "
        f"neuron with state that it drives ({label(inputs[0].pre)} -> {label(inputs[0].post)}, ...)"
    )
    draft.origin.add("split", len(receivers), text, sensors is not None)


def _with_state(node: Node) -> str:
    """The role that is left: another one that the neuron has, or inter."""
    others = [role for role in roles_in(node.data.get("roles")) if role != "sensory"]
    return others[0] if others else "inter"


def _free(name: str, taken: dict[Hashable, Node]) -> str:
    while name in taken:
        name += "'"
    return name
