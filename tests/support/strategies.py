"""Hypothesis strategies: random circuits, as the plainest DiGraph that the package accepts."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def circuits(draw: st.DrawFn, *, largest: int = 3) -> nx.DiGraph:
    """A sound circuit of 1 to `largest` sensory and motor and 0 to `largest` command and inter neurons.

    Any synapse may exist, self-synapses and synapses from motor neurons included, with either polarity; so
    may isolated neurons. Neurons of different roles come in any order, so that plan order is not graph order.
    """
    counts = {
        "sensory": draw(st.integers(1, largest)),
        "motor": draw(st.integers(1, largest)),
        "command": draw(st.integers(0, largest)),
        "inter": draw(st.integers(0, largest)),
    }
    named = [(f"{role}_{k}", role) for role, count in counts.items() for k in range(count)]
    graph = nx.DiGraph()
    for name, role in draw(st.permutations(named)):
        graph.add_node(name, role=role)
    targets = [name for name in graph if graph.nodes[name]["role"] != "sensory"]
    sign = st.sampled_from([0, 1, -1])
    signs = draw(hnp.arrays(np.int8, (len(graph), len(targets)), elements=sign, fill=st.nothing()))
    for i, pre in enumerate(graph):
        for j, post in enumerate(targets):
            if signs[i, j]:
                graph.add_edge(pre, post, polarity=int(signs[i, j]))
    return graph
