"""A part of a circuit: some neurons, what is near them, and all synapses between those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import CircuitError
from ..wiring import CircuitArrays
from ..wiring.columns import Columns
from ..wiring.words import suggestion


def neighbourhood(arrays: CircuitArrays, named: Sequence[str], distance: int) -> CircuitArrays:
    """The neurons within some synapses of the named ones, in either direction.

    Raises:
        CircuitError: a name that is not there.
    """
    place = {name: k for k, name in enumerate(arrays.names)}
    kept = np.zeros(len(place), bool)
    for name in named:
        if name not in place:
            raise CircuitError(f"there is no neuron {name!r}{suggestion(name, place)}")
        kept[place[name]] = True
    links = [(arrays.pre, arrays.post), (arrays.electrical[:, 0], arrays.electrical[:, 1])]
    for _ in range(distance):
        near = kept.copy()
        for one, other in links:
            near[other[kept[one]]] = True
            near[one[kept[other]]] = True
        if (near == kept).all():
            break
        kept = near
    new = np.cumsum(kept, dtype=np.int32) - 1
    synapses = kept[arrays.pre] & kept[arrays.post]
    pairs = kept[arrays.electrical].all(axis=1)

    def of(columns: Columns, which: Any) -> Columns:
        return {name: values[which] for name, values in columns.items()}

    places = np.flatnonzero(kept).tolist()
    return CircuitArrays(
        new[arrays.pre[synapses]],
        new[arrays.post[synapses]],
        arrays.polarity[synapses],
        tuple(arrays.roles[k] for k in places),
        tuple(arrays.names[k] for k in places),
        of(arrays.neuron_data, kept),
        of(arrays.synapse_data, synapses),
        new[arrays.electrical[pairs]],
        of(arrays.electrical_data, pairs),
    )
