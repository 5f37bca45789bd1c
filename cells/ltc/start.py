"""Where the conductances of an LTC begin, from what a circuit says of its synapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arguments import label
from ...compile import Plan
from ...errors import CircuitError
from ..sharing import strengths_of
from ..strengths import Floats

MEAN = 0.5
"""The mean of fresh conductances, as in ncps."""
PARTS = {"recurrent": "w", "sensory": "sensory_w"}


def starting_weights(plan: Plan, attribute: str, ranges: Mapping[str, Any]) -> dict[str, Floats]:
    """``w`` and ``sensory_w`` in proportion to an attribute of synapses, by one factor, with the mean 0.5.

    A synapse without the attribute has the mean.

    Raises:
        CircuitError: no synapse has the attribute, or it is 0 everywhere.
        ValueError: a value that is no number of at least 0, or a range given for the same parameters.
    """
    if not isinstance(attribute, str):
        raise TypeError(f"start is {label(attribute)}: expected the name of a synapse's attribute")
    for name in ranges.keys() & set(PARTS.values()):
        raise ValueError(
            f"start={attribute!r} and initial_ranges both say where {name} begins: give one of them"
        )
    said = plan.attributes
    homes = [
        home for home in PARTS if attribute in getattr(said, home) or not (said.recurrent or said.sensory)
    ]
    found = {home: strengths_of(f"start={attribute!r}", plan, home, attribute) for home in homes or PARTS}
    known = np.concatenate(list(found.values()))
    mean = float(np.nanmean(known)) if len(known) else 0.0
    if mean <= 0:
        raise CircuitError(f"start={attribute!r}: the attribute is 0 on every synapse")
    sizes = {home: len(getattr(plan, home)) for home in PARTS}
    return {
        name: np.nan_to_num(found.get(home, np.full(sizes[home], np.nan)) * (MEAN / mean), nan=MEAN)
        for home, name in PARTS.items()
    }
