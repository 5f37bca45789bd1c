"""Circuits with electrical synapses."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np

import ganglion as gl


def with_pairs(circuit: nx.DiGraph[Any], seed: int = 0, share: float = 0.3) -> gl.Circuit:
    """A circuit with an electrical synapse on a share of the pairs of neurons with state, one at least."""
    rng = np.random.default_rng(seed)
    found = gl.Circuit(circuit)
    names = [name for name, role in found.nodes(data="role") if role != "sensory"]
    pairs = list(combinations(names, 2))
    for k in rng.permutation(len(pairs))[: max(1, int(share * len(pairs)))].tolist():
        first, second = pairs[k] if rng.integers(2) else pairs[k][::-1]
        if found.has_edge(first, second):
            found.add_edge(first, second, gap=1.0)
        else:
            found.add_edge(first, second, kind="electrical", polarity=1)
    return found
