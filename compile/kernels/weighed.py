"""The order in which weighed.h reads synapses."""

from __future__ import annotations

import numpy as np

from ..synapses import Index
from .targets import BESIDE


def side_by_side(name: str, ptr: Index, pre: Index) -> dict[str, Index]:
    """The index arrays of `WEIGHED` for synapses sorted by neuron, which are called after `name`.

    Args:
        name: what their names begin with.
        ptr: (P + 1,) where the synapses of each neuron begin.
        pre: (E,) what each of them reads.

    Returns:
        ``order`` (P,) the neurons, those with most synapses first, and ``many`` (P,) how many each has;
        ``spot`` (E,) where each synapse lies in the new order, and ``read`` (E,) what they read in it.
    """
    count = np.diff(ptr)
    order = np.argsort(-count, kind="stable")
    many = np.append(count[order], np.zeros(-len(order) % BESIDE, count.dtype)).reshape(-1, BESIDE)
    all_have = many[:, -1:]
    left = many - all_have
    begins = np.cumsum(many.sum(1)) - many.sum(1)  # of each few neurons
    ends = begins + BESIDE * all_have[:, 0]  # of what lies in turns
    rest = ends[:, None] + np.cumsum(left, 1) - left
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    few, which = np.divmod(np.repeat(place, count), BESIDE)
    k = np.arange(len(pre)) - np.repeat(ptr[:-1], count)
    common = all_have[few, 0]
    spot = np.where(k < common, begins[few] + BESIDE * k + which, rest[few, which] + k - common)
    read = np.empty_like(pre)
    read[spot] = pre
    arrays = {"order": order, "many": count[order], "read": read, "spot": spot}
    return {f"{name}_{key}": array.astype(np.int32) for key, array in arrays.items()}
