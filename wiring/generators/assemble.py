"""From index arrays to a circuit: how every generator names and orders its neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import CircuitArrays
from ..circuit import Circuit
from ..conversion import fill

Ints = NDArray[Any]  # of integers


class Links(NamedTuple):
    """Synapses between two populations, as vectors of ids inside each and of polarities."""

    pre: Ints
    post: Ints
    polarity: Ints

    def shifted(self, pre: int, post: int) -> Links:
        """The same synapses, with populations whose first ids are `pre` and `post`."""
        return Links(self.pre + pre, self.post + post, self.polarity)


def join(*links: Links) -> Links:
    """All the synapses, in the order given."""
    return Links(*(np.concatenate(field) for field in zip(*links, strict=True)))


def assemble(sizes: Mapping[str, int], links: Links) -> Circuit:
    """The circuit with so many neurons of each role; ids count through the roles in the order given.

    That order is sensory, motor, command, inter: the neurons with state stand as in a plan and in ncps.
    """
    names = tuple(f"{role}_{k}" for role, size in sizes.items() for k in range(size))
    roles = tuple(role for role, size in sizes.items() for _ in range(size))
    # Sorted, because filling a graph in order is twice as fast, and to read well.
    order = np.argsort(links.pre * len(names) + links.post)
    pre, post, polarity = (field[order] for field in links)
    circuit = Circuit()
    fill(circuit, CircuitArrays(pre, post, polarity, roles, names))
    return circuit
