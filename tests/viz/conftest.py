"""Circuits and recordings to draw, without generators or cells."""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest

from ganglion.recording import Recording

mpl.use("Agg")

ROLES = ("sensory", "inter", "command", "motor")


def make_circuit(sizes=(4, 6, 5, 3), density=0.5, inhibitory=0.4, inner=0.15, seed=0):
    """A circuit whose roles are chained, with some synapses inside the command layer."""
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    layers = [[f"{role}_{k}" for k in range(size)] for role, size in zip(ROLES, sizes, strict=True)]
    for role, layer in zip(ROLES, layers, strict=True):
        graph.add_nodes_from(layer, role=role)
    pairs = [(a, b, density) for a, b in pairwise(layers)] + [(layers[2], layers[2], inner)]
    for before, behind, share in pairs:
        for pre in before:
            for post in behind:
                if rng.random() < share:
                    graph.add_edge(pre, post, polarity=-1 if rng.random() < inhibitory else 1)
    return graph


def make_recording(graph, steps=30, batch=None, seed=0):
    """Smooth states for every neuron of a circuit, at irregular times."""
    rng = np.random.default_rng(seed)
    roles = nx.get_node_attributes(graph, "role")
    sensors = tuple(str(n) for n in graph if roles[n] == "sensory")
    state = [n for role in ("motor", "command", "inter") for n in graph if roles[n] == role]
    times = np.cumsum(rng.uniform(0.5, 1.5, steps))
    shape = (steps,) if batch is None else (batch, steps)

    def waves(count):
        phase = times[:, None] * rng.uniform(0.1, 0.4, count) + rng.uniform(0, 6, count)
        return np.broadcast_to(np.sin(phase), (*shape, count)).astype(np.float32)

    states = waves(len(state)).copy()
    motor = sum(roles[n] == "motor" for n in state)
    return Recording(
        states, waves(len(sensors)), states[..., :motor], times,
        tuple(str(n) for n in state), sensors, tuple(roles[n] for n in state),
    )  # fmt: skip


@pytest.fixture
def circuit():
    return make_circuit()


@pytest.fixture
def build():
    return make_circuit


@pytest.fixture
def recording(circuit):
    return make_recording(circuit)


@pytest.fixture
def record():
    return make_recording


@pytest.fixture(autouse=True)
def _tidy():
    """Close every figure, and prove that no picture changes matplotlib's settings."""
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before
