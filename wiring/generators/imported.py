"""Circuits of the ncps package."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import CircuitError
from ..circuit import Circuit
from .assemble import Ints, Links, assemble, join

_ROLES = ("motor", "command", "inter")


def from_ncps(wiring: Any) -> Circuit:
    """The circuit of an ncps wiring: the same neurons, synapses and polarities.

    The id i of ncps becomes the i-th neuron with state: `motor_0`, …, then `command_0`, …, then `inter_0`, ….
    The circuit is a copy, and ncps is not imported.

    Args:
        wiring: an `ncps.wirings.Wiring` that has been built, so that its number of inputs is known.

    Raises:
        CircuitError: the wiring has not been built, has no output size, a polarity that is not +1 or -1, or
            neurons that are not in the order motor, command, inter.
        TypeError: `wiring` is no ncps wiring.

    Example:
        >>> wiring = ncps.wirings.AutoNCP(64, 8)
        >>> wiring.build(16)
        >>> circuit = from_ncps(wiring)
    """
    try:
        adjacency, sensory = wiring.adjacency_matrix, wiring.sensory_adjacency_matrix
        outputs, role_of = wiring.output_dim, wiring.get_type_of_neuron
    except AttributeError:
        raise TypeError(f"expected an ncps Wiring, got {type(wiring).__name__}") from None
    if sensory is None:
        raise CircuitError("the wiring has not been built: call wiring.build(inputs) first")
    if outputs is None:
        raise CircuitError("the wiring has no output size: call wiring.set_output_dim(outputs) first")
    adjacency, sensory = np.asarray(adjacency), np.asarray(sensory)
    roles = [role_of(k) for k in range(len(adjacency))]
    _require_order(roles)
    inputs = len(sensory)
    sizes = {"sensory": inputs, **{role: roles.count(role) for role in _ROLES}}
    links = join(_links(sensory).shifted(0, inputs), _links(adjacency).shifted(inputs, inputs))
    return assemble(sizes, links)


def _require_order(roles: list[str]) -> None:
    for k, role in enumerate(roles):
        if role not in _ROLES:
            raise CircuitError(f"neuron {k} is of type {role!r}; expected one of {', '.join(_ROLES)}")
        if k and _ROLES.index(role) < _ROLES.index(roles[k - 1]):
            raise CircuitError(
                f"neuron {k} ({role}) stands behind a neuron of type {roles[k - 1]}, so ids would change; "
                f"expected the order {', '.join(_ROLES)}"
            )


def _links(matrix: Ints) -> Links:
    pre, post = np.nonzero(matrix)
    return Links(pre, post, matrix[pre, post])
