"""Containers in float64 NumPy, written from the pages: what a network says to padded sequences.

The cells are those of `..reference`. Of a network only its parameters and the names of its options are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from scipy.special import expit, log_softmax

from ..reference.cfc import CfC
from ..reference.graph import Wires
from ..reference.ltc import LTC

Array = np.ndarray
ACTIVATIONS: dict[str | None, Callable[[Array], Array]] = {
    None: lambda v: v,
    "tanh": np.tanh,
    "relu": lambda v: np.maximum(v, 0.0),
    "sigmoid": expit,
}


@dataclass(frozen=True)
class Padded:
    """Sequences of which some samples are not there: x (B, T, I), spans (B, T), mask (B, T)."""

    x: Array
    spans: Array
    mask: Array


@dataclass(frozen=True)
class Read:
    """What a network said: outputs (B, T, M), what neurons showed (B, T, N), last states (B, N), and which
    samples had been read by then (B, T)."""

    outputs: Array
    states: Array
    last: Array
    begun: Array


def cell(kind: str, graph: nx.DiGraph, options: dict[str, Any], parameters: dict[str, Array]) -> LTC | CfC:
    """A reference cell with the options that it shares with ours."""
    wires = Wires.of(graph)
    values = _with_signs(wires, graph, options, parameters)
    if kind == "LTC":
        return LTC(wires, values, **{name: options[name] for name in ("ode_unfolds", "epsilon", "positive")})
    return CfC(wires, values, **{name: options[name] for name in ("mode", "schedule")})


def _with_signs(
    wires: Wires, graph: nx.DiGraph, options: dict[str, Any], given: dict[str, Array]
) -> dict[str, Array]:
    """Where signs are fixed, a parameter on the other side of zero counts as zero."""
    if options["polarity"] != "fixed":
        return given
    found = dict(given)
    positive = ["sigma"] if options.get("positive") == "softplus" else ["sigma", "w"]
    sides = {
        "": (wires.neurons, wires.pre, wires.post),
        "sensory_": (wires.sensors, wires.sensory_pre, wires.sensory_post),
    }
    for side, (names, pre, post) in sides.items():
        pairs = zip(pre, post, strict=True)
        signs = np.array([graph.edges[names[i], wires.neurons[j]]["polarity"] for i, j in pairs])
        for quantity in ("erev", "ff1_w", "ff2_w"):
            if (name := side + quantity) in given:
                found[name] = signs * np.maximum(signs * given[name], 0.0)
        found |= {side + q: np.maximum(given[side + q], 0.0) for q in positive if side + q in given}
    return found


def read(reference: LTC | CfC, given: Padded, *, reverse: bool = False) -> Read:
    """A cell over the valid samples of each row alone; where there is none, what was read last is shown."""
    batch, steps, _ = given.x.shape
    neurons, motors = len(reference.wires.neurons), reference.wires.motors
    outputs, states = np.zeros((batch, steps, motors)), np.zeros((batch, steps, neurons))
    last, begun = np.zeros((batch, neurons)), np.zeros((batch, steps), bool)
    for b in range(batch):
        places = np.flatnonzero(given.mask[b])
        spans = given.spans[b, places]
        if reverse:  # a time span lies between two samples; none is left for the first to be read
            places, spans = places[::-1], np.concatenate([spans[:1], spans[1:][::-1]])
        if not len(places):
            continue
        said, shown = reference.run(given.x[b, places][None], timespans=spans[None])
        last[b] = shown[0, -1]
        order = range(steps)[::-1] if reverse else range(steps)
        done = 0
        for t in order:
            done += bool(given.mask[b, t])
            if done:
                outputs[b, t], states[b, t], begun[b, t] = said[0, done - 1], shown[0, done - 1], True
    return Read(outputs, states, last, begun)


def dense(values: Array, weight: Array, bias: Array, activation: str | None = None) -> Array:
    """f(x W + b)."""
    return ACTIVATIONS[activation](values @ weight + bias)


def merged(how: str, a: Array, b: Array) -> Array:
    """Two directions as one."""
    if how == "concat":
        return np.concatenate([a, b], axis=-1)
    return {"sum": a + b, "mean": (a + b) / 2, "max": np.maximum(a, b), "mul": a * b}[how]


def mean_squared_error(outputs: Array, targets: Array, mask: Array) -> float:
    """The mean over sequences of the mean over their valid samples."""
    rows = zip(outputs, targets, mask, strict=True)
    return float(np.mean([((o[m] - y[m]) ** 2).mean() for o, y, m in rows]))


def mean_cross_entropy(outputs: Array, classes: Array, mask: Array) -> float:
    """The same of minus the logarithm of the probability of the right class."""
    likely = np.take_along_axis(log_softmax(outputs, axis=-1), classes[..., None], axis=-1)[..., 0]
    return float(np.mean([-row[m].mean() for row, m in zip(likely, mask, strict=True)]))
