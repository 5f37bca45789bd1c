"""A pytest plugin that puts `Circuit` in the place of `networkx.DiGraph`, for networkx's own tests."""

import networkx as nx

from ganglion.wiring import Circuit

nx.DiGraph = nx.classes.DiGraph = nx.classes.digraph.DiGraph = Circuit
