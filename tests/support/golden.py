"""The golden files of ncps as values; `tests/golden/make_ncps.py` says what they hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "golden"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
STORED = [name.removesuffix(".npz") for name in MANIFEST["files"]]
NAMES = [name for name in STORED if not name.startswith("net-")]
NETWORKS = [name for name in STORED if name.startswith("net-")]
"""What ncps puts around its cells: mixed memory, projections, backbones of every kind."""


@dataclass(frozen=True)
class Golden:
    """One file: what ncps computed for one configuration."""

    config: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def load(cls, name: str) -> Golden:
        with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
        return cls(json.loads(str(arrays["config"])), arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def by_neuron(self, states: np.ndarray) -> np.ndarray:
        """States (..., N) with the columns in the order of neuron ids instead of that of ncps's state."""
        ordered = np.empty_like(states)
        ordered[..., self["state_ids"]] = states
        return ordered

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """``x`` and, where given, ``state`` (by neuron id) and ``timespans``."""
        given = {"x": self["x"]}
        if "h0" in self.arrays:
            given["state"] = self.by_neuron(self["h0"])
        if "timespans" in self.arrays:
            given["timespans"] = self["timespans"]
        return given

    @property
    def state_dict(self) -> dict[str, np.ndarray]:
        """The torch model's state dict."""
        return self._group("param/")

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """Torch name -> gradient; the inputs' gradients are ``x``, ``h0`` and ``timespans``."""
        return self._group("grad/")

    @property
    def outputs(self) -> np.ndarray:
        """(B, T, M): what ncps's outputs are meant to be; its one-layer wired CfC returns all units."""
        return self["outputs"][..., : self["targets"].shape[-1]]

    @property
    def graph(self) -> nx.DiGraph:
        """The circuit as ncps built it: neurons are named by id, roles as far as the order of ids shows."""
        motors = self["targets"].shape[-1]
        commands = self.config["arguments"].get("command", 0)
        graph = nx.DiGraph()
        for i in range(self["x"].shape[-1]):
            graph.add_node(f"sensory {i}", role="sensory")
        for i in range(len(self["state_ids"])):
            role = "motor" if i < motors else "command" if i < motors + commands else "inter"
            graph.add_node(f"neuron {i}", role=role)
        for kind, matrix in (("neuron", "adjacency"), ("sensory", "sensory_adjacency")):
            for i, j in zip(*np.nonzero(self[matrix]), strict=True):
                graph.add_edge(f"{kind} {i}", f"neuron {j}", polarity=int(self[matrix][i, j]))
        return graph

    def _group(self, prefix: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(prefix): a for n, a in self.arrays.items() if n.startswith(prefix)}
