"""What a layout will cost: the model behind ``layout="auto"``.

An operation over the synapses of a population pair takes

    time = call + value * batch * size

where size is the number of values that the layout computes for one sample: n_pre * n_post for dense, the
entries of all non-empty tiles for block, the synapses for edge. `call` and `value` were fitted to measured
times of a forward and a backward pass (`benchmarks/fit_cost.py`, which writes `cost.json`), for each layout
and for the two operations that cells are made of: "sums" of sigmoid currents (LTC) and the "matmul" of CfC.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .layouts import LAYOUTS, LIMIT
from .synapses import Synapses
from .tiling import Tiling

OPERATIONS = ("sums", "matmul")

# The batch for which layouts are compared.
BATCH = 32


@dataclass(frozen=True)
class Cost:
    """What one layout of one population pair, or of several together, takes.

    Attributes:
        bytes: memory of one weight per synapse.
        sums, matmul: predicted seconds of a forward and backward pass, with a batch of `BATCH`.
        possible: whether the layout accepts a circuit of this size.
    """

    bytes: int
    sums: float
    matmul: float
    possible: bool = True

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.bytes + other.bytes,
            self.sums + other.sums,
            self.matmul + other.matmul,
            self.possible and other.possible,
        )


def cost(synapses: Synapses, layout: str, tiling: Tiling | None = None) -> Cost:
    """The predicted cost of a layout; block needs the tiling."""
    if layout == "block":
        assert tiling is not None
        size = tiling.size
    else:
        size = len(synapses) if layout == "edge" else synapses.n_pre * synapses.n_post
    seconds = {}
    for operation in OPERATIONS:
        call, value = constants()[operation][layout]
        seconds[operation] = call + value * BATCH * size
    return Cost(4 * size, **seconds, possible=layout == "edge" or 4 * size <= LIMIT)


def cheapest(synapses: Synapses, tiling: Tiling, operation: str) -> str:
    """The layout with the lowest predicted time for an operation, "sums" or "matmul"."""
    costs = {layout: cost(synapses, layout, tiling) for layout in LAYOUTS}
    possible = [layout for layout in LAYOUTS if costs[layout].possible]
    return min(possible, key=lambda layout: getattr(costs[layout], operation))


@cache
def constants() -> dict[str, dict[str, tuple[float, float]]]:
    """operation -> layout -> (call, value), in seconds, from `cost.json`."""
    stored = json.loads(files(__package__).joinpath("cost.json").read_text())
    return {
        operation: {layout: (fit["call"], fit["value"]) for layout, fit in stored[operation].items()}
        for operation in OPERATIONS
    }
