"""What a study measures: functions of a `Look` at a perturbed network, ready ones by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, function_of, label, one_of
from ..cells import NCPLayer
from ..cells.overlay import laid_over
from ..interchange import circuit_of
from ..wiring import Circuit
from .perturbations import Perturbation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Look:
    """What a measure sees.

    Attributes:
        outputs: (B, T, M) what the perturbed network gave.
        baseline: (B, T, M) what the network gave without a perturbation.
        x, y: what the study was given.
        perturbation: what was done; None for the baseline.
        network: the network, without the perturbation.
        valid: (B, T) which samples there are, by the `mask` or `lengths` of the study; None for all.
    """

    outputs: NDArray[Any]
    baseline: NDArray[Any]
    x: Any
    y: Any
    perturbation: Perturbation | None
    network: NCPLayer
    overlays: Any
    valid: NDArray[np.bool_] | None = None

    def there(self) -> NDArray[np.bool_]:
        """(B, T, M) or (B, M) which outputs are those of a sample that there is."""
        if self.valid is None or self.outputs.ndim < 3:
            return np.ones(self.outputs.shape, bool)
        return np.broadcast_to(self.valid[..., None], self.outputs.shape)

    def circuit(self) -> Circuit:
        """The circuit with its strengths under the perturbation, without the synapses that do nothing."""
        with laid_over(self.overlays):
            circuit = circuit_of(self.network)
        idle = [(pre, post) for pre, post, data in circuit.edges(data=True) if data["weight"] == 0]
        circuit.remove_edges_from(idle)
        return circuit


Measure: TypeAlias = "Callable[[Look], Any]"
Measures: TypeAlias = "str | Measure | Mapping[str, str | Measure] | list[str]"


def output_change(look: Look) -> Floats:
    """(B,) the mean absolute change of the outputs, over the samples that there are."""
    return _mean(np.abs(look.outputs.astype(np.float64) - look.baseline), look.there())


def error(look: Look) -> Floats:
    """(B,) the mean squared error by the targets y, of which NaN is a gap that is left out, as are samples
    that there are not."""
    y = _targets(look, look.outputs.shape).astype(np.float64)
    held = ~np.isnan(y) & look.there()  # not of the outputs: one that is no number makes the error none
    if not (counts := held.reshape(len(y), -1).any(axis=1)).all():
        k = int(np.argmin(counts))
        raise ValueError(f"measure 'error': sequence {k} of y has no target: every one is NaN")
    return _mean(np.square(look.outputs.astype(np.float64) - y), held)


def accuracy(look: Look) -> Floats:
    """(B,) whether the largest output of the last sample is that of the class y, (B,)."""
    outputs = look.outputs[:, -1] if look.outputs.ndim == 3 else look.outputs
    y = _targets(look, outputs.shape[:1])
    if y.dtype.kind == "f" and np.isnan(y).any():
        k = int(np.argmax(np.isnan(y)))
        raise ValueError(f"measure 'accuracy': y[{k}] is NaN: expected the class of every sequence")
    return np.asarray(outputs.argmax(axis=-1) == y, np.float64)


def driver_neurons(look: Look) -> float:
    """The share of the neurons with state that inputs of their own must drive to control all of them.

    These are the neurons that no synapse of a maximum matching leads to.

    Source: Liu, Slotine and Barabasi, Controllability of complex networks, Nature 2011.
    """
    circuit = look.circuit()
    states = [name for name, data in circuit.nodes(data=True) if data["role"] != "sensory"]
    pairs: nx.Graph[tuple[str, Hashable]] = nx.Graph()
    senders, receivers = [("pre", name) for name in circuit], [("post", name) for name in states]
    pairs.add_nodes_from(senders)
    pairs.add_nodes_from(receivers)
    pairs.add_edges_from((("pre", pre), ("post", post)) for pre, post in circuit.edges)
    matched = nx.bipartite.hopcroft_karp_matching(pairs, senders)
    return sum(name not in matched for name in receivers) / max(len(states), 1)


def path_length(look: Look) -> float:
    """The mean number of synapses from a sensor to a motor neuron over the shortest paths there are."""
    circuit = look.circuit()
    motors = set(circuit.neurons("motor"))
    found = [
        steps
        for sensor in circuit.neurons("sensory")
        for target, steps in nx.single_source_shortest_path_length(circuit, sensor).items()
        if target in motors
    ]
    return float(np.mean(found)) if found else float("nan")


def reached(look: Look) -> float:
    """The share of pairs of a sensor and a motor neuron between which there is a path."""
    circuit = look.circuit()
    sensors, motors = circuit.neurons("sensory"), set(circuit.neurons("motor"))
    count = sum(len(motors & nx.descendants(circuit, sensor)) for sensor in sensors)
    return count / max(len(sensors) * len(motors), 1)


READY: dict[str, Measure] = {
    "output change": output_change,
    "error": error,
    "accuracy": accuracy,
    "driver neurons": driver_neurons,
    "path length": path_length,
    "reached": reached,
}
"""Measures by name."""


def measures_of(given: Any) -> dict[str, Measure]:
    """Measures by name, from a name, a function, a list of names or a mapping.

    Raises:
        TypeError, ValueError: none of these, or an unknown name.
    """
    if isinstance(given, str):
        given = {given: given}
    elif callable(given):
        given = {getattr(given, "__name__", "measure"): given}
    elif isinstance(given, list | tuple):
        given = {one_of("measure", name, tuple(READY)): name for name in given}
    if not isinstance(given, Mapping) or not given:
        raise TypeError(f"measure must be a name, a function, or a mapping of such, got {label(given)}")
    found: dict[str, Measure] = {}
    for name, measure in given.items():
        if not isinstance(name, str):
            raise TypeError(f"the name of a measure must be a text, got {label(name)}")
        if not callable(measure):
            what = "measure" if measure == name else f"measure {name!r}"
            measure = READY[one_of(what, measure, tuple(READY))]
        found[name] = function_of(f"measure {name!r}", measure, "a Look at the perturbed network")
    return found


def values_of(name: str, measure: Measure, look: Look) -> Floats:
    """(B,) what a measure gives for each sequence, or (1,) if it gives one number.

    Raises:
        ValueError: it gives something else.
    """
    given = measure(look)
    try:
        found = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"measure {name!r} gave {label(given)}: expected a number, or one of each sequence"
        ) from None
    if found.shape not in ((), (1,), (len(look.outputs),)):
        raise ValueError(
            f"measure {name!r} gave numbers of shape {found.shape}: expected one, or one for each of the "
            f"{counted(len(look.outputs), 'sequence')}"
        )
    return found.reshape(-1)


def _mean(values: Floats, held: NDArray[np.bool_]) -> Floats:
    """(B,) the mean of the values that count; 0 of a sequence in which none does."""
    counts = held.reshape(len(held), -1).sum(axis=1)
    sums = np.where(held, values, 0.0).reshape(len(values), -1).sum(axis=1)
    found: Floats = sums / np.maximum(counts, 1)
    return found


def _targets(look: Look, shape: tuple[int, ...]) -> NDArray[Any]:
    if look.y is None:
        raise ValueError("this measure needs the targets: give them to study as y=")
    y = np.asarray(look.y)
    if y.shape != tuple(shape):
        raise ValueError(f"y has shape {y.shape}: expected {tuple(shape)}")
    return y
