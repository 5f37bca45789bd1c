"""Where the conductances of an LTC begin, from what a circuit says of its synapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arguments import label
from ...compile import Plan
from ...errors import CircuitError
from ..sharing import factors_of
from ..strengths import Floats

MEAN = 0.5
"""The mean of fresh conductances, as in ncps."""
CHEMICAL, ELECTRICAL = {"recurrent": "w", "sensory": "sensory_w"}, {"electrical": "gap"}


def starting_weights(plan: Plan, attribute: str, ranges: Mapping[str, Any]) -> dict[str, Floats]:
    """``w`` and ``sensory_w`` in proportion to an attribute of synapses, by one factor, with the mean 0.5.

    So is ``gap``, by a factor of its own, if electrical synapses have the attribute; else it is left out. A
    synapse without it has the mean.

    Raises:
        CircuitError: no synapse has the attribute, or it is 0 everywhere.
        ValueError: a value that is no number of at least 0, or a range given for the same parameters.
    """
    if not isinstance(attribute, str):
        raise TypeError(f"start is {label(attribute)}: expected the name of a synapse's attribute")
    for name in ranges.keys() & {*CHEMICAL.values(), *ELECTRICAL.values()}:
        raise ValueError(
            f"start={attribute!r} and initial_ranges both say where {name} begins: give one of them"
        )
    parts = [CHEMICAL, *([ELECTRICAL] if attribute in plan.attributes.electrical else [])]
    found: dict[str, Floats] = {}
    for homes in parts:
        factors = factors_of(f"start={attribute!r}", plan, tuple(homes), attribute)
        mean = float(np.concatenate(list(factors.values())).mean())
        if mean <= 0:
            raise CircuitError(f"start={attribute!r}: the attribute is 0 on every synapse")
        found |= {name: factors[home] * (MEAN / mean) for home, name in homes.items()}
    return found
