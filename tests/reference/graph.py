"""The order of neurons, synapses and parameters, read off a graph as documented, not by our compiler."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np


@dataclass(frozen=True)
class Wires:
    """A circuit as the reference cells need it.

    pre, post, sensory_pre, sensory_post hold one entry per synapse, sorted by (post, pre); a parameter vector
    of a cell has its entries in this order.
    """

    neurons: list[str]  # N with state: motor, then command, then inter, each in graph order
    sensors: list[str]  # I sensory neurons, in graph order
    roles: list[str]  # N
    pre: np.ndarray  # (E,)
    post: np.ndarray  # (E,)
    sensory_pre: np.ndarray  # (S,)
    sensory_post: np.ndarray  # (S,)
    gaps: (
        np.ndarray
    )  # (L, 2), each electrical pair with the smaller number first, sorted by (larger, smaller)

    @classmethod
    def of(cls, graph: nx.DiGraph) -> Wires:
        with_role = {
            role: [n for n, data in graph.nodes(data=True) if data["role"] == role]
            for role in ("motor", "command", "inter", "sensory")
        }
        sensors = with_role.pop("sensory")
        neurons = [n for names in with_role.values() for n in names]
        kinds = {(i, j): data.get("kind", "chemical") for i, j, data in graph.edges(data=True)}
        chemical = [edge for edge, kind in kinds.items() if kind == "chemical"]
        recurrent = [(neurons.index(j), neurons.index(i)) for i, j in chemical if i in neurons]
        sensory = [(neurons.index(j), sensors.index(i)) for i, j in chemical if i in sensors]
        pairs = {
            tuple(sorted((neurons.index(i), neurons.index(j))))
            for i, j, data in graph.edges(data=True)
            if kinds[i, j] == "electrical" or "gap" in data
        }
        gaps = np.array(sorted(pairs, key=lambda pair: pair[::-1]), int).reshape(-1, 2)
        post, pre = np.array(sorted(recurrent), int).reshape(-1, 2).T
        sensory_post, sensory_pre = np.array(sorted(sensory), int).reshape(-1, 2).T
        return cls(
            neurons,
            sensors,
            [graph.nodes[n]["role"] for n in neurons],
            pre,
            post,
            sensory_pre,
            sensory_post,
            gaps,
        )

    @property
    def motors(self) -> int:
        return self.roles.count("motor")

    @property
    def mask(self) -> np.ndarray:
        """(N, N), true at [pre, post] of every synapse between neurons with state."""
        return self._onto((len(self.neurons), len(self.neurons)), self.pre, self.post)

    @property
    def sensory_mask(self) -> np.ndarray:
        """(I, N), true at [pre, post] of every sensory synapse."""
        return self._onto((len(self.sensors), len(self.neurons)), self.sensory_pre, self.sensory_post)

    def arrivals(self, per_synapse: np.ndarray, *, sensory: bool = False) -> np.ndarray:
        """Sum a quantity of shape (B, synapses) over all synapses that end on each neuron: (B, N)."""
        return per_synapse @ (self._sensory_ends if sensory else self._ends)

    @cached_property
    def _ends(self) -> np.ndarray:
        """(E, N), 1 where synapse k ends on neuron j."""
        return (self.post[:, None] == np.arange(len(self.neurons))).astype(np.float64)

    @cached_property
    def _sensory_ends(self) -> np.ndarray:
        return (self.sensory_post[:, None] == np.arange(len(self.neurons))).astype(np.float64)

    @staticmethod
    def _onto(shape: tuple[int, int], pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        mask = np.zeros(shape, bool)
        mask[pre, post] = True
        return mask
