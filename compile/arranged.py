"""The neurons and synapses of a circuit in the order in which plans have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import label
from ..errors import CircuitError
from ..wiring import ROLES, CircuitArrays
from ..wiring.roles import is_role
from .attributes import Attributes, gathered
from .synapses import Index, Synapses

# States come motor first, so that the outputs of a network are its first M states (as in ncps).
STATE_ROLES = ("motor", "command", "inter")


class Arranged(NamedTuple):
    """The fields of a `Plan`."""

    neurons: tuple[str, ...]
    sensors: tuple[str, ...]
    counts: tuple[int, int, int]
    recurrent: Synapses
    sensory: Synapses
    place: Index
    attributes: Attributes
    electrical: Synapses


def arranged(arrays: CircuitArrays) -> Arranged:
    """Neurons with state by role, and synapses by (post, pre), those from sensory neurons apart.

    Raises:
        CircuitError: there is no motor neuron.
    """
    codes = np.fromiter(map(ROLES.index, arrays.roles), np.int8, len(arrays.roles))
    sensors = np.flatnonzero(codes == ROLES.index("sensory"))
    motor, command, inter = (np.flatnonzero(codes == ROLES.index(role)) for role in STATE_ROLES)
    if not len(motor):
        raise CircuitError("the circuit has no motor neuron: a network needs at least one output")
    states = np.concatenate([motor, command, inter])
    n = len(states)
    place = np.empty(len(codes), np.int32)
    place[sensors] = np.arange(len(sensors))
    place[states] = np.arange(n)
    pre, post = place[arrays.pre], place[arrays.post]
    is_sensory = codes[arrays.pre] == ROLES.index("sensory")

    def part(
        of_it: np.ndarray[tuple[int], np.dtype[np.bool_]], n_pre: int
    ) -> tuple[Synapses, np.ndarray[tuple[int], np.dtype[np.intp]]]:
        rows = np.flatnonzero(of_it)
        rows = rows[Synapses.order(pre[rows], post[rows], n_pre)]
        return Synapses(pre[rows], post[rows], arrays.polarity[rows], n_pre, n), rows

    recurrent, of_recurrent = part(~is_sensory, n)
    sensory, of_sensory = part(is_sensory, len(sensors))
    ends = np.sort(place[arrays.electrical], axis=1)
    by_post = Synapses.order(ends[:, 0], ends[:, 1], n)
    signs = np.ones(len(ends), np.int8)
    return Arranged(
        neurons=tuple(arrays.names[i] for i in states),
        sensors=tuple(arrays.names[i] for i in sensors),
        counts=(len(motor), len(command), len(inter)),
        recurrent=recurrent,
        sensory=sensory,
        place=states.astype(np.int32),
        attributes=gathered(
            {
                "neurons": (arrays.neuron_data, states),
                "sensors": (arrays.neuron_data, sensors),
                "recurrent": (arrays.synapse_data, of_recurrent),
                "sensory": (arrays.synapse_data, of_sensory),
                "electrical": (arrays.electrical_data, by_post),
            }
        ),
        electrical=Synapses(ends[by_post, 0], ends[by_post, 1], signs, n, n),
    )


def default_names(roles: Sequence[str]) -> list[str]:
    """``<role>_<number>`` for every neuron, numbered inside its role."""
    seen: Counter[str] = Counter()
    names = []
    for role in roles:
        if not is_role(role):
            raise CircuitError(f"unknown role {label(role)}: expected one of {', '.join(ROLES)}")
        names.append(f"{role}_{seen[role]}")
        seen[role] += 1
    return names
