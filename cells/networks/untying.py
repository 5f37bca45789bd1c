"""A network whose synapses and neurons share nothing, and that computes the same."""

from __future__ import annotations

from typing import TypeVar

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten

from ..belonging import without_digests
from ..holding import ParameterHolder
from ..layer import NCPLayer
from ..overlay import refuse_perturbed
from .rebuilding import copy_modes, rebuilt

Network = TypeVar("Network", bound=NCPLayer)

SHARING = ("tie", "scale", "fixed", "penalty")


def untie(network: Network) -> Network:
    """The same network without ties: every synapse and every neuron has a value of its own.

    The network that is given stays as it is. What was frozen stays frozen; what had a `fixed` value has it as
    a parameter that is trained.

    Raises:
        TypeError: no network.

    Example:
        >>> rnn = gl.LTC(circuit, tie={"w": ("type", "type")}, scale="count")
        >>> gl.untie(rnn).cell.w.shape             # (E,)
    """
    if not isinstance(network, NCPLayer):
        raise TypeError(f"expected a network, such as gl.LTC(circuit), got {type(network).__name__}")
    refuse_perturbed(network, "a network without ties")
    twin: Network = rebuilt(network, {}, None, instead=dict.fromkeys(SHARING))
    shared = {
        f"{path}.{name}" if path else name
        for path, cell in network.named_modules()
        if isinstance(cell, ParameterHolder)
        for name in cell.shared
    }
    flat: dict[str, mx.array] = without_digests(dict(tree_flatten(network.parameters())))
    twin.update(tree_unflatten([(name, value) for name, value in flat.items() if name not in shared]))
    parts = dict(twin.named_modules())
    for path, cell in network.named_modules():
        if isinstance(cell, ParameterHolder):
            cell.give_own_values(parts[path])
    copy_modes(network, twin)
    return twin
