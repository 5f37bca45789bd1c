"""Which neurons of a trained network its predictions need: how errors rise without each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..interchange import circuit_of
from ..training.series.job import Outcome
from ..training.series.report import Need, Needs
from .measures import Floats, Look
from .perturbations import each
from .study import study

WORK = 3e9
"""Synapses times samples times neurons that are cut off, of which a large circuit sees fewer samples: some
seconds with the kernel for variants, half a minute without."""
LEAST = 20
"""Samples of a sequence; where even these are too many, there is no table."""


def needs(outcome: Outcome) -> Needs | None:
    """Cut every neuron off by itself; None if that takes too long, there is none, or no error to compare."""
    circuit = circuit_of(outcome.model)
    names = [name for name in circuit if circuit.nodes[name]["role"] != "motor"]
    longest = max(len(one.x) for one in outcome.held_out)
    each_sample = max(circuit.number_of_edges(), 1) * len(names) * len(outcome.held_out)
    samples = min(longest, int(WORK // max(each_sample, 1)))
    if not names or samples < min(LEAST, longest):
        return None
    parts = [one.part(slice(samples)) for one in outcome.held_out]
    timed = (one.timespans(outcome.model.time_unit) for one in parts)
    spans = [one for one in timed if one is not None]
    targets = outcome.columns.targets
    found = study(
        outcome.model,
        each(names),
        measure={name: _rmse(k) for k, name in enumerate(targets)},
        x=_padded([one.x for one in parts]),
        y=_padded([one.y for one in parts], np.nan),
        timespans=_padded(spans) if spans else None,
        progress=False,  # without lengths, which the kernel for variants does not take
    )
    without = np.array([[row.value for row in found.of(name)] for name in targets]).T
    whole = np.array([found.of(name)[0].baseline for name in targets])
    if not np.isfinite(whole).any():  # of the first samples no target is there
        return None
    rises = (
        ((without - whole) / outcome.model.made_with()["scale"])[:, np.isfinite(whole)].mean(axis=1).tolist()
    )
    neurons = [
        Need(str(name), circuit.nodes[name]["role"], errors.tolist(), rise)
        for name, errors, rise in zip(names, without, rises, strict=True)
    ]
    neurons.sort(key=lambda one: -one.rise)
    return Needs(neurons, whole.tolist(), sum(len(one.x) for one in parts))


def _rmse(target: int) -> Callable[[Look], float]:
    """The root mean squared error of one target over all samples that have it."""

    def measure(look: Look) -> float:
        wrong = look.outputs[..., target] - look.y[..., target]
        known = np.isfinite(look.y[..., target])
        return float(np.sqrt(np.square(wrong[known]).mean())) if known.any() else float("nan")

    return measure


def _padded(arrays: list[Floats], fill: float | None = None) -> Floats:
    """Sequences as one array of float64, which a large offset does not swallow.

    Behind its end each goes on as it ended, or with what is given: targets that are not there, so that it
    does not count.
    """
    longest = max(map(len, arrays))
    found = np.empty((len(arrays), longest, *arrays[0].shape[1:]))
    for row, part in zip(found, arrays, strict=True):
        row[: len(part)] = part
        row[len(part) :] = part[-1] if fill is None else fill
    return found
