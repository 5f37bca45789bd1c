"""`study`: the effects of many perturbations on a trained network."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from numpy.typing import NDArray

from ..arguments import at_home, flag, fraction, label, seed_number, several, whole
from ..cells import RNN, NCPLayer
from ..cells.networks.together import together
from ..cells.networks.varied import varied
from ..cells.overlay import laid_over, refuse_perturbed
from ..cells.samples import valid_samples
from ..cells.values import Values, real_array
from ..errors import KernelError
from ..interchange import Scaled
from ..interchange.origins import provenance_of
from ..notebook import in_notebook
from .measures import Floats, Look, Measure, Measures, measures_of, values_of
from .perturbations import Each, Perturbation, Together, as_names, shown
from .perturbed import overlays_of_each
from .protocol import Protocol
from .runnable import require_network, sensors_of
from .store import Store
from .table import Row, Study

MOST_NUMBERS = 1 << 25
"""Outputs of one launch: beyond, there are several."""
ROUNDING, SPACINGS = 2e-6, 8
"""Changes up to so much of what an output spans, and so many spacings of float32, are mere rounding."""
COMPUTES = frozenset({"engine", "layout", "block_size", "checkpoint_every"})
"""Arguments of networks that say how something is computed, and not what."""


def study(
    network: NCPLayer,
    perturbations: Each | Perturbation | Iterable[Perturbation | Each],
    *,
    measure: Measures = "output change",
    x: Values | Protocol,
    y: Any = None,
    timespans: Values | None = None,
    store: str | os.PathLike[str] | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    progress: bool | None = None,
    **given: Any,
) -> Study:
    """The effect of every one of many perturbations on what a network does with some sequences.

    All perturbations run in one launch, or in as few as memory allows; the network stays as it is.

    Args:
        network: a network over a circuit, or a container of some.
        perturbations: `each`, or a list of perturbations.
        measure: what is measured: one of "output change", "error" and "accuracy" (which need `y`), "driver
            neurons", "path length" and "reached" of the circuit, or a function of a `Look` that gives one
            number, or one for each sequence; a list of names, or a mapping from names to measures.
        x: (B, T, I) inputs, or a `Protocol`, whose signals and perturbations all others come to.
        y: targets, for measures that need some; NaN is a target that was not measured, and "error" leaves it
            out.
        timespans: as the network takes them.
        store: a file that results are kept in as they come: a study that was stopped goes on from there.
        confidence: what the intervals of effects hold, by bootstrap over sequences.
        resamples: how often sequences are drawn for them.
        seed: of these draws.
        progress: whether to count on standard error; where that is a terminal, if not given.
        given: what else the network takes, such as `mask` or `lengths`, which say over what samples measures
            are.

    Returns:
        A `Study`: one row for every perturbation and measure.

    Raises:
        CircuitError: a neuron or synapse that does not exist.
        ValueError: a measure that gives something else, no perturbation, or inputs without a batch axis.
        FileError: `store` is of another study.

    Example:
        >>> found = gl.study(rnn, gl.each("command"), measure="output change", x=x)
        >>> print(found)
        >>> gl.viz.plot_study(found)
    """
    require_network(network)
    refuse_perturbed(network, "a study")
    fraction("confidence", confidence, below=True)
    whole("resamples", resamples, 1)
    seed_number(seed)
    if progress is not None:
        flag("progress", progress)
    measures, wanted = measures_of(measure), _listed(network, perturbations)
    timed: Protocol | None = None
    if isinstance(x, Protocol):
        timed, timespans = x, x.grid() if timespans is None else timespans
        x = timed.sample(sensors_of(network), timespans)[None]
        if given:
            raise ValueError(f"a study of a protocol does not take {', '.join(given)}")
    inputs = x if hasattr(network, "scaled") else real_array("the input", x)
    if np.ndim(inputs) != 3:
        raise ValueError(f"the input has shape {np.shape(inputs)}: expected (B, T, I), a batch of sequences")
    call = {"timespans": timespans, **given}
    valid = valid_samples(given.get("mask"), given.get("lengths"), *np.shape(inputs)[:2])
    inner, read, spans = network, inputs, timespans
    told_as: Callable[[Any], NDArray[Any]] = np.asarray
    if isinstance(network, Scaled) and timed is None:  # in float32, a large offset would swallow effects
        inner, told_as = cast(NCPLayer, network.model), network.in_units
        read, spans = network.scaled(inputs, timespans)
    run = {"timespans": spans, **given}
    own = _outputs(inner(read, **run)) if timed is None else _timed(network, timed, timespans)
    base = told_as(own)
    file: Store | None = None
    if store is not None:
        told = call if timed is None else call | {"protocol": repr(timed)}
        # Which results that were kept before that do not count.
        told = told if valid is None else {**told, "counted": "samples that there are"}
        told = told if inner is network else {**told, "precision": "float64"}
        told = {**told, "intervals": repr((confidence, resamples, seed))}
        digest = _digest(network, inputs, y, told, measures)
        file = Store(at_home("store", store), digest, provenance_of(network))
    done: dict[str, list[Row]] = {} if file is None else file.rows()
    plain = Look(base, base, inputs, y, None, network, [], valid)
    before = {name: values_of(name, each, plain) for name, each in measures.items()}
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(base), (resamples, len(base)))
    show = sys.stderr.isatty() and not in_notebook() if progress is None else progress

    members = list(overlays_of_each(network, ((each,) for each in wanted)))
    keys = [f"{each} {_of(member)}" for each, member in zip(wanted, members, strict=True)]
    left = [k for k, key in enumerate(keys) if key not in done]
    rounding = _rounding(own)
    size = max(1, MOST_NUMBERS // max(own.size, 1))
    for start in range(0, len(left), size):
        part = left[start : start + size]
        for k, found in zip(
            part,
            _run(inner, [members[k] for k in part], read, run, bool(np.isfinite(own).all()))
            if timed is None or not timed.perturbations
            else [_timed(network, timed, timespans, wanted[k]) for k in part],
            strict=True,
        ):
            same = np.abs(found - own) <= rounding  # false for a NaN
            outputs = told_as(np.where(same, own, found))
            look = Look(outputs, base, inputs, y, wanted[k], network, members[k], valid)
            done[keys[k]] = [
                _row(wanted[k], name, values_of(name, each, look), before[name], draws, confidence)
                for name, each in measures.items()
            ]
            if file is not None:
                file.add(keys[k], done[keys[k]])
        if show:
            print(f"\rstudy: {start + len(part)} of {len(left)}", end="", file=sys.stderr, flush=True)
    if show and left:
        print(file=sys.stderr)
    return Study([row for key in keys for row in done[key]], confidence)


def _timed(network: NCPLayer, timed: Protocol, timespans: Any, *also: Perturbation) -> NDArray[Any]:
    """(1, T, M) outputs in the course of a protocol, under one more perturbation."""
    return np.array(timed.run(network, timespans, also=also)[0])[None]


def _rounding(base: NDArray[Any]) -> NDArray[np.float64]:
    """(M,) up to which change each output shows no effect."""
    rows = base.reshape(-1, base.shape[-1]).astype(np.float64)
    rows = np.where(np.isfinite(rows), rows, 0.0)
    span, largest = rows.max(axis=0) - rows.min(axis=0), np.abs(rows).max(axis=0)
    found: NDArray[np.float64] = ROUNDING * span + SPACINGS * np.spacing(largest.astype(np.float32))
    return found


def _listed(network: NCPLayer, given: Any) -> list[Perturbation]:
    """Perturbations one by one."""
    if isinstance(given, Mapping | str):
        raise TypeError(f"expected gl.each(...) or a list of perturbations, got {label(given)}")
    alone = isinstance(given, Each | Perturbation)
    parts = [given] if alone else several("perturbations", given, "perturbations, or gl.each(...)")
    found: list[Perturbation] = []
    for part in parts:
        if not isinstance(part, Each | Perturbation):
            raise TypeError(f"expected perturbations, such as gl.studies.Lesion('AVA'), got {label(part)}")
        found.extend(part.of(network) if isinstance(part, Each) else [part])
    if not found:
        raise ValueError("no perturbation: expected gl.each(...) or a list of perturbations")
    return found


def _run(
    network: NCPLayer, members: Sequence[Any], x: Any, call: dict[str, Any], finite: bool
) -> list[NDArray[Any]]:
    """The outputs under each of some perturbations: at once, but for noise.

    Without a kernel for that, networks that run together have the same synapses, those of a weight of 0
    included: where not all is `finite`, they run one after the other.
    """
    try:
        return _varied(network, members, x, **call)
    except KernelError:
        pass
    alone = [not finite or any(o is not None and o.noise for _, o in member) for member in members]
    found: list[Any] = [None] * len(members)
    at_once = [k for k, noisy in enumerate(alone) if not noisy]
    if at_once:
        outputs = _outputs(together(network, [members[k] for k in at_once], x, **call))
        for k, each in zip(at_once, outputs, strict=True):
            found[k] = each
    for k, noisy in enumerate(alone):
        if noisy:
            with laid_over(members[k]):
                found[k] = _outputs(network(x, **call))
    return found


def _varied(
    network: NCPLayer, members: Sequence[Any], x: Any, timespans: Any = None, **given: Any
) -> list[NDArray[Any]]:
    """The same by a kernel that runs of each perturbed network only what its perturbation reaches.

    Raises:
        KernelError: there is none for this network or this call.
    """
    if given:
        raise KernelError(f"a kernel for variants does not take {', '.join(given)}")
    if not isinstance(network, RNN) or len(members[0]) != 1:
        raise KernelError(f"there is no kernel for variants of a {type(network).__name__}")
    return list(varied(network, [overlay for ((_, overlay),) in members], x, None, timespans))


def _outputs(result: Any) -> NDArray[Any]:
    return np.array(result[0] if isinstance(result, tuple) else result)


def _row(
    perturbation: Perturbation,
    name: str,
    values: Floats,
    before: Floats,
    draws: NDArray[Any],
    confidence: float,
) -> Row:
    """A row, with an interval where there is one number of each sequence, which are paired."""
    low = high = math.nan
    if len(values) == len(before) == draws.shape[1] > 1:
        means = (values - before)[draws].mean(axis=1)
        low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    value, baseline = float(values.mean()), float(before.mean())
    ends = [getattr(perturbation, end) for end in ("pre", "post")] if hasattr(perturbation, "pre") else None
    if ends is None:
        names = as_names(perturbation.neurons_of)
        pair = isinstance(perturbation, Together) and len(names) == 2
        ends = names if pair else [shown(perturbation.neurons_of), ""]
    first, second = (shown(end) for end in ends)
    return Row(
        str(perturbation),
        perturbation.kind,
        first,
        second,
        name,
        value,
        baseline,
        value - baseline,
        low,
        high,
    )


def _of(member: Any) -> str:
    """What a perturbation does to a network, whatever words it was given by."""
    state = hashlib.sha256()
    for _, overlay in member:
        if overlay is not None:
            arrays = [*overlay.factors.items(), *overlay.shifts.items(), ("held", overlay.held or ())]
            for name, values in [*arrays, ("inputs", overlay.inputs or ())]:
                parts = values if isinstance(values, tuple) else (values,)
                state.update(name.encode() + b"".join(np.array(part).tobytes() for part in parts))
            state.update(repr(overlay.noise).encode())
    return state.hexdigest()[:12]


def _made(network: NCPLayer) -> Any:
    """How a network was made, but for what computes it; only its class where that cannot be written down."""

    def told(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: told(value) for name, value in part.items() if name not in COMPUTES}
        return [told(value) for value in part] if isinstance(part, list) else part

    try:
        return told(network.get_config())
    except TypeError:
        return type(network).__name__


def _digest(network: NCPLayer, x: Any, y: Any, call: dict[str, Any], measures: Mapping[str, Measure]) -> str:
    """What a study is of: a network, data and measures."""
    state = hashlib.sha256(json.dumps([sorted(measures), _made(network)], sort_keys=True).encode())
    parameters: Any = network.parameters()  # type: ignore[no-untyped-call]
    leaves: Any = tree_flatten(parameters)
    for part in (*(each for pair in leaves for each in pair), x, y, *(v for _, v in sorted(call.items()))):
        if part is None or isinstance(part, str | int | float):
            state.update(repr(part).encode())
        else:
            array = np.asarray(part.astype(mx.float32) if isinstance(part, mx.array) else part)
            state.update(f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
