"""The time of the data and that of a network: chosen where nobody has, and told where they do not suit."""

from __future__ import annotations

import warnings
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..arguments import counted
from ..cells import RNN, Bidirectional, Ensemble, Observed, Stack, record, time_constants
from ..cells.networks.solving import TOLERANCE, enough_unfolds
from ..cells.timed import TimedHolder
from ..interchange import Scaled
from ..interchange.modes import modes_kept
from .data import Arrays, Batches
from .finite import Loss
from .losses import places

SHORT, LONG = 0.05, 5.0
"""Median time spans outside these many median time constants are warned of."""
SEEN = 16
"""How many sequences a network reads for its time constants."""
READ = 1024
"""How many sequences are looked at for the median of their time spans, over all of the data."""


def choose_time_scale(model: nn.Module, batches: Batches, loss: Loss) -> tuple[float, float] | None:
    """Let networks of whose time scale nobody has said anything have the median time span of the data.

    That is done for networks with the weights that they began with: others were trained in the time that they
    have. What gives them time spans is the argument ``timespans`` of a loss, also through a `Stack`, a
    `Bidirectional` or a `Scaled`; what a module of your own does with it is not known here.

    Returns:
        The time scale that a network has now, and the time of the data that it is given as 1, if any has one.
    """
    networks = [(network, unit) for network, unit in _networks(model) if network.awaits_time_scale]
    span = _median_span(batches, loss, READ) if networks else None
    if span is None:
        return None
    for network, unit in networks:
        if network.awaits_time_scale:  # not twice, where layers are one network
            network.choose_time_scale(_rounded(span / unit))
    unit = networks[0][1]
    return _rounded(span / unit), unit


def choose_unfolds(model: nn.Module, batches: Batches, loss: Loss) -> int | None:
    """Let a network whose solver is to take "auto" steps have as many as the first sequences need.

    Returns:
        How many that are; None where nothing was to be chosen.
    """
    ensembles = [part._network for part in model.modules() if isinstance(part, Ensemble)]
    every = [network for part in (model, *ensembles) for network, _ in _networks(part)]
    networks = [network for network in every if network.awaits_unfolds]
    if not networks:
        return None
    at = places(loss)
    batch = batches.data[np.arange(min(SEEN, len(batches.data)))]
    given = {name: batch[at[name]] for name in ("timespans", "mask") if at.get(name, len(batch)) < len(batch)}
    x, spans, inner = batch[0], given.get("timespans"), model
    if isinstance(model, Scaled):
        (x, spans), inner = model.scaled(x, spans), model.model
    if inner is not networks[0]:
        raise ValueError(
            'ode_unfolds="auto" is chosen for a network alone or in Scaled, and not for the networks in this '
            f"{type(inner).__name__}: give a number, see gl.solver_error"
        )
    mask = given.get("mask")
    flags = None if mask is None or mask.ndim > 2 else np.asarray(mask) != 0
    with modes_kept(model):
        model.eval()
        known = mx.where(mx.isfinite(x), x, 0.0)
        unfolds, error = enough_unfolds(networks[0], known, spans, mask=flags)
    networks[0].choose_unfolds(unfolds)
    if not error <= TOLERANCE:
        warnings.warn(
            f"{counted(unfolds, 'step')} of the solver leave{'s' * (unfolds == 1)} an error of "
            f"{error:.2g} in the outputs, more than "
            f'{TOLERANCE}: shorter time spans, a max_step or solver="rk4" may do',
            stacklevel=3,
        )
    return unfolds


def warn_of_time(model: nn.Module, batches: Batches, loss: Loss) -> None:
    """Say that a network hardly moves, or forgets everything, from sample to sample.

    The same recording in hours, seconds and milliseconds is three networks: one that does not hear its
    inputs, one that works, and one without a memory. Losses that take no `timespans` pass without a look, and
    so do cells without time constants that have a time scale.
    """
    place = places(loss).get("timespans")
    batch = batches.data[np.arange(min(SEEN, len(batches.data)))]
    model = model.member(0) if isinstance(model, Ensemble) else model
    networks = _networks(model)
    span = _median_span(batches, loss, SEEN)
    if span is not None and not SHORT <= span <= LONG:
        _warn_of_own(model, [network for network, _ in networks], span)
    if len(networks) != 1 or place is None or span is None:
        return
    ((network, unit),) = networks
    with modes_kept(model):
        model.eval()
        tau = _time_constant(model, batch[0], batch[place])
    scale = network.time_scale or 1.0
    if tau is None and network.time_scale is None and not network.cell.times_given:
        tau, whose = scale * unit, "the time scale of the network, which nobody has chosen,"
    else:
        whose = "the neurons' time constants"
    if tau is None or SHORT * tau <= span <= LONG * tau:
        return
    what = "forget all between two samples" if span > tau else "hardly move from sample to sample"
    warnings.warn(
        f"the time spans have the median {span:.3g} and {whose} {tau:.3g}, so that neurons {what}: with "
        f"time_scale={scale * span / tau:.3g} instead of {scale:.3g} the two are alike",
        stacklevel=3,  # who calls fit
    )


def _warn_of_own(model: nn.Module, known: list[RNN], span: float) -> None:
    """Say that cells in a module of somebody's own have no time scale, which only they can choose."""
    reached = {id(part) for network in known for part in network.modules()}
    cells = [part for part in model.modules() if isinstance(part, TimedHolder) and id(part) not in reached]
    waiting = [cell for cell in cells if cell.awaits_time_scale]
    if waiting:
        kind = type(waiting[0]).__name__
        warnings.warn(
            f"the time spans have the median {span:.3g}, and the {kind} in this {type(model).__name__} has "
            "no time scale, which fit leaves to you, who know what it is given: time_scale="
            f"{_rounded(span)!r} if these time spans, time_scale=1.0 if others",
            stacklevel=4,  # who calls fit
        )


def warn_of_gaps(batches: Batches, loss: Loss) -> None:
    """Say that time goes by in rows which a mask leaves out before others, and that no network sees it."""
    at = places(loss)
    batch = batches.data[np.arange(min(SEEN, len(batches.data)))]
    if max(at.get(name, len(batch)) for name in ("timespans", "mask")) >= len(batch):
        return
    spans, mask = np.asarray(batch[at["timespans"]]), np.asarray(batch[at["mask"]])
    if spans.shape != mask.shape or spans.ndim != 2:
        return
    before = np.logical_or.accumulate((mask != 0)[:, ::-1], axis=1)[:, ::-1]
    between = before & np.logical_or.accumulate(mask != 0, axis=1) & (mask == 0)
    lost = between & np.isfinite(spans) & (spans > 0)
    if lost.any():
        warnings.warn(
            f"the mask leaves out {counted(lost.sum(), 'sample')} between others, whose time spans "
            "count nothing: give gl.since_seen(timespans, mask), which adds them to the sample behind",
            stacklevel=3,
        )


def _networks(model: nn.Module, unit: float = 1.0) -> list[tuple[RNN, float]]:
    """The networks that a model gives its time spans to, and the time of the data that it gives them as 1."""
    if isinstance(model, Scaled):
        return _networks(model.model, unit * model.time_unit)
    if isinstance(model, Observed):
        return _networks(model.rnn, unit)
    if isinstance(model, Bidirectional):
        return [(model.forward, unit), (model.backward, unit)]
    if isinstance(model, Stack):
        return [found for layer in model.layers for found in _networks(layer, unit)]
    if isinstance(model, Ensemble) and model.fresh:
        return _networks(model._network, unit)
    return [(model, unit)] if isinstance(model, RNN) else []


def _median_span(batches: Batches, loss: Loss, most: int) -> float | None:
    """The median of the positive time spans before samples that there are."""
    at = places(loss)
    place, data = at.get("timespans"), batches.data
    most = most if isinstance(data, Arrays) else min(most, SEEN)
    batch = data[np.unique(np.linspace(0, len(data) - 1, min(most, len(data))).astype(np.int64))]
    if place is None or place >= len(batch):
        return None
    spans = np.asarray(batch[place], np.float64)
    there = np.isfinite(spans) & (spans > 0)
    mask = at.get("mask", len(batch))
    if mask < len(batch) and batch[mask].shape == spans.shape:
        there &= np.asarray(batch[mask]) != 0
    lengths = at.get("lengths", len(batch))
    if lengths < len(batch) and spans.ndim == 2:
        there &= np.arange(spans.shape[1]) < np.asarray(batch[lengths])[:, None]
    return _median(spans[there])


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if values.size else None


def _rounded(span: float) -> float:
    """A span of float32 as it was meant: 0.02 rather than 0.019999999552965164."""
    return float(f"{span:.6g}")


def _time_constant(model: Any, x: mx.array, timespans: mx.array) -> float | None:
    """The median time constant of an LTC that reads these inputs, in the unit of the data."""
    if not isinstance(x, mx.array) or x.ndim != 3 or x.shape[-1] != model.input_size:
        return None
    known = mx.where(mx.isfinite(x), x, 0.0)
    spans = mx.where(mx.isfinite(timespans) & (timespans >= 0), timespans, 1.0)
    try:
        found = np.asarray(time_constants(model, record(model, known, timespans=spans)), np.float64)
    except TypeError:  # no LTC
        return None
    return _median(found[np.isfinite(found) & (found > 0)])
