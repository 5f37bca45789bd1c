"""Losses over sequences; any function ``loss(model, *batch)`` with a scalar result will do for `fit`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, TypeGuard

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..arguments import instance, real
from ..cells import Bidirectional, Observed
from ..cells.ops.array_ops import Mask
from ..cells.samples import flags, mean_over_known, mean_over_valid, only_known, only_valid
from ..cells.values import Values, any_array, mlx_array
from ..compile.kernels.tracing import evaluable
from .carrier import Around


def mse(
    model: nn.Module,
    x: Values,
    y: Values,
    timespans: Values | None = None,
    mask: Values | None = None,
    *,
    state: Any = None,
) -> mx.array:
    """The mean squared error of a network's outputs.

    With a mask it is the mean over sequences of the mean over their valid samples, so that batches, and parts
    of a batch on several processes, add up. What stands where there is no sample has no influence, NaN
    included: the network is given the mask, and targets are not looked at there.

    Targets have gaps where a mask of their shape says so, and of a network that is seen through `observe`
    also where they are NaN. Then it is the mean over sequences of the mean over their targets, and a sequence
    without any counts nothing.

    Args:
        model: a network or a module around one; of a tuple, the first value is the output.
        x: (B, T, I) inputs; any library's arrays.
        y: targets of the output's shape, (B, T, M) or, without sequences, (B, M).
        timespans: (B, T) time since the previous sample.
        mask: (B, T) 1 for the samples that count and 0 for padding; or, of the shape of the targets, 1 for
            those that there are, of which the network is told nothing.
        state: where every sequence starts, as the network takes it, such as "rest", see `gl.rest`. `fit`
            takes the loss with it as ``functools.partial(gl.training.mse, state="rest")``.

    Raises:
        ValueError: the targets have another shape than the outputs, a sequence has no valid sample, or the
            batch no target.
        TypeError: a module of your own that takes no mask but needs one.

    Example:
        >>> optimizer = optim.Adam(0.01, bias_correction=True)
        >>> gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optimizer, epochs=20)
    """
    outputs, y, there, valid = _beside(model, x, y, timespans, mask, state)
    if there is not None:
        return mean_over_known(mx.square(only_known(outputs, there) - only_known(y, there)), there)
    if outputs.ndim == np.ndim(x):
        outputs, y = only_valid(outputs, valid), only_valid(y, valid)
    errors = mx.square(outputs - y)
    return mean_over_valid(errors.mean(axis=-1), valid)


def likelihood(
    model: nn.Module,
    x: Values,
    y: Values,
    timespans: Values | None = None,
    mask: Values | None = None,
    *,
    state: Any = None,
) -> mx.array:
    r"""How unlikely measurements are, whose noise the indicator of a network says.

    .. math:: \frac{1}{2} \left(\frac{y - \hat y}{noise}\right)^2 + \log noise + \frac{1}{2} \log 2 \pi

    of every target, and of them the mean over sequences of the mean over their targets. NaN among the
    targets, and what a mask leaves out, are gaps; a sequence without a target counts nothing.

    Args:
        model: a network that is seen through an indicator with a `noise`; `Scaled` may be around it.
        x, y, timespans, mask, state: as `mse` takes them.

    Raises:
        ValueError: no noise level, targets of another shape than what is seen, or a batch without any.

    Example:
        >>> seen = gl.observe(rnn, "command", gl.Calcium(0.1, 1.5, noise=0.05, trained=["gain", "noise"]))
        >>> gl.fit(seen, (x, traces), loss=gl.training.likelihood, optimizer=optimizer, epochs=20)
    """
    instance("model", model, nn.Module, "a network")
    noise = getattr(model, "noise", None)
    if not isinstance(noise, mx.array):
        raise ValueError(
            f"this {type(model).__name__} says no noise level: give its indicator one, such as "
            "gl.observe(rnn, neurons, gl.Calcium(rise, decay, noise=0.05))"
        )
    outputs, y, there, _ = _beside(model, x, y, timespans, mask, state, gaps=True)
    assert there is not None
    errors = (only_known(outputs, there) - only_known(y, there)) / noise
    return mean_over_known(0.5 * mx.square(errors) + mx.log(noise) + 0.5 * math.log(2 * math.pi), there)


def gaussian(
    model: nn.Module,
    x: Values,
    y: Values,
    timespans: Values | None = None,
    mask: Values | None = None,
    *,
    noise: float | None = None,
    state: Any = None,
) -> mx.array:
    r"""Minus the logarithm of the density of an item's targets under normal noise, the mean over items.

    .. math:: \frac{1}{B} \sum_b \sum_{tm} \frac{1}{2} \left(\frac{y - \hat y}{noise}\right)^2 + \log noise
        + \frac{1}{2} \log 2 \pi

    It is the sum over the targets of an item, where `likelihood` is their mean: so a network with ``priors``
    that `fit` trains with it comes to the maximum a posteriori. NaN among the targets, and what a mask leaves
    out, are gaps.

    Args:
        model, x, y, timespans, mask, state: as `mse` takes them.
        noise: the standard deviation of a target; that of the network's indicator if not given.

    Raises:
        ValueError: no noise level, or targets of another shape than the outputs.

    Example:
        >>> loss = functools.partial(gl.training.gaussian, noise=0.05)
        >>> gl.fit(rnn, (x, y), loss=loss, optimizer=optimizer, epochs=20)
    """
    instance("model", model, nn.Module, "a network")
    level = getattr(model, "noise", None) if noise is None else mx.array(real("noise", noise, above=0))
    if not isinstance(level, mx.array):
        raise ValueError(f"this {type(model).__name__} says no noise level: give noise=")
    outputs, y, there, _ = _beside(model, x, y, timespans, mask, state, gaps=True)
    assert there is not None
    errors = (only_known(outputs, there) - only_known(y, there)) / level
    each = 0.5 * mx.square(errors) + mx.log(level) + 0.5 * math.log(2 * math.pi)
    return mx.where(there, each, 0.0).sum() / (len(y) if np.ndim(x) > 2 else 1)


def _beside(
    model: nn.Module,
    x: Values,
    given: Values,
    timespans: Values | None,
    mask: Values | None,
    state: Any,
    gaps: bool = False,
) -> tuple[mx.array, mx.array, mx.array | None, Mask | None]:
    """The outputs and the targets of their shape; which of these there are, where some may not be; and which
    samples."""
    y = mlx_array("y", given)
    mask = None if mask is None else any_array("mask", mask)
    there = mask if of_targets(mask) and mask.shape == y.shape else None
    outputs, valid = _outputs(model, x, timespans, None if there is not None else mask, state)
    if outputs.shape != y.shape:  # broadcasting would hide it
        raise ValueError(f"the outputs have shape {outputs.shape}, but the targets {y.shape}")
    if there is not None:
        told = flags("mask", there.reshape(len(y), -1), len(y), y.size // len(y))
        there = mx.array(np.asarray(told)).reshape(y.shape)
    if gaps or is_observed(model):
        known = ~mx.isnan(y)
        there = known if there is None else known & there
        if valid is not None and outputs.ndim == np.ndim(x):
            there = there & mx.array(valid)[..., None]
    return outputs, y, there, valid


def is_observed(model: nn.Module) -> bool:
    """Whether a network is seen through an experiment's eyes, whose targets may have gaps."""
    return any(isinstance(part, Observed) for part in model.modules())


def of_targets(mask: Any) -> TypeGuard[mx.array]:
    """Whether a mask says which targets there are, rather than which samples."""
    return isinstance(mask, mx.array | np.ndarray) and mask.ndim > 2


def cross_entropy(
    model: nn.Module,
    x: Values,
    y: Values,
    timespans: Values | None = None,
    mask: Values | None = None,
    *,
    state: Any = None,
) -> mx.array:
    """The mean cross entropy of a network's outputs, taken as logits.

    Args:
        model: a network or a module around one; of a tuple, the first value is the output.
        x: (B, T, I) inputs.
        y: classes, (B,) if the network returns only its last output, (B, T) if it returns all.
        timespans: (B, T) time since the previous sample.
        mask: (B, T) 1 for the samples that count and 0 for padding, as in `mse`.
        state: where every sequence starts, as in `mse`.

    Raises:
        ValueError: classes of another shape than the outputs, or a class that has no logit.
        TypeError: a module of your own that takes no mask but needs one.

    Example:
        >>> rnn = gl.CfC(circuit, return_sequences=False)
        >>> optimizer = optim.Adam(0.01, bias_correction=True)
        >>> gl.fit(rnn, (x, digits), loss=gl.training.cross_entropy, optimizer=optimizer, epochs=20)
    """
    outputs, valid = _outputs(model, x, timespans, mask, state)
    y = any_array("y", y)
    if outputs.shape[:-1] != y.shape:
        once = outputs.shape[:-2] + outputs.shape[-1:] if outputs.ndim > 2 else ()
        hint = (
            "; for one class of a sequence, make the network with return_sequences=False"
            if (y.ndim == outputs.ndim - 2 and y.shape == once[: y.ndim])
            else ""
        )
        raise ValueError(f"the classes have shape {y.shape}: expected {outputs.shape[:-1]}{hint}")
    if outputs.ndim == np.ndim(x):
        outputs, y = only_valid(outputs, valid), only_valid(y, valid)
    count = outputs.shape[-1]
    if not evaluable((y,)):  # inside mx.compile, where a class that there is not becomes NaN
        legal = (y >= 0) & (y < count) & (y == mx.floor(y))
        losses = nn.losses.cross_entropy(outputs, y.astype(mx.int32), reduction="none")
        return mean_over_valid(mx.where(legal, losses, mx.array(math.nan)), valid)
    classes = np.array(y)
    if not ((classes >= 0) & (classes < count) & (classes == np.floor(classes))).all():
        reach = f"reach from {classes.min()} to {classes.max()}"
        gap = "hold NaN, which only a sample may that a mask leaves out"
        raise ValueError(
            f"the classes {gap if np.isnan(classes).any() else reach}: expected whole numbers from 0 to "
            f"{count - 1}"
        )
    losses = nn.losses.cross_entropy(outputs, y.astype(mx.int32), reduction="none")
    return mean_over_valid(losses, valid)


def outputs_of(
    model: Any, x: Values, timespans: Values | None = None, mask: Values | None = None
) -> mx.array:
    """What a network says, without its state; a module that knows no time spans is not given any.

    Raises:
        TypeError: a module of your own that takes no mask but needs one.
    """
    return _outputs(model, x, timespans, mask)[0]


def _outputs(
    model: Any, x: Values, timespans: Values | None, mask: Values | None, state: Any = None
) -> tuple[mx.array, Mask | None]:
    """The outputs, and (B, T) or (T,) which samples are valid."""
    instance("model", model, nn.Module, "a network")
    x = mlx_array("x", x)
    timespans = None if timespans is None else mlx_array("timespans", timespans)
    mask = None if mask is None else any_array("mask", mask)
    given: dict[str, Any] = {}
    if timespans is not None and takes(model, "timespans"):
        given["timespans"] = timespans
    if state is not None:
        given["state"] = state
    valid = None if mask is None else _valid(mask, x)
    handed_on = valid is not None and takes(model, "mask")
    if handed_on:
        given["mask"] = valid
    elif valid is not None and timespans is not None and "timespans" in given:
        given["timespans"] = mx.where(mx.array(valid), timespans, mx.ones((), timespans.dtype))
    result = model(only_valid(x, valid), **given)
    outputs: mx.array = result[0] if isinstance(result, tuple) else result
    if valid is not None and not handed_on:
        _refuse_without_mask(model, per_sample=outputs.ndim == x.ndim)
    return outputs, valid


def _valid(mask: mx.array, x: mx.array) -> Mask:
    """Which samples of (B, T, I) or (T, I) inputs are valid; data may be all floats, and so may this mask."""
    if x.ndim < 2:
        raise ValueError(f"x has shape {x.shape}: expected (B, T, I) or (T, I), for a mask")
    whole = mask.astype(mx.int32) if mx.all(mask == mx.round(mask)).item() else mask
    batched = x.ndim > 2
    valid = flags("mask", whole, x.shape[0] if batched else 1, x.shape[-2], batched)
    assert valid is not None
    return valid if batched else valid[0]


def takes(model: Any, argument: str) -> bool:
    """Whether a module's call takes an argument of a name."""
    while isinstance(model, Around):
        model = model.inside
    parameters = inspect.signature(type(model).__call__).parameters.values()
    return any(p.name == argument or p.kind is p.VAR_KEYWORD for p in parameters)


def places(loss: Callable[..., Any]) -> dict[str, int]:
    """Where in a batch the arguments of a loss are, by name."""
    try:
        names = list(inspect.signature(loss).parameters)[1:]
    except (TypeError, ValueError):
        return {}
    return {name: place for place, name in enumerate(names)}


def _refuse_without_mask(model: nn.Module, *, per_sample: bool) -> None:
    """Raise TypeError for a module that takes no mask though padding would reach its valid outputs."""
    backwards = any(isinstance(m, Bidirectional) or getattr(m, "reverse", False) for m in model.modules())
    if backwards or not per_sample:
        why = "reads backwards" if backwards else "returns one output per sequence"
        raise TypeError(
            f"{type(model).__name__} takes no mask, and {why}: padding would count; let its call take mask= "
            "and hand it on to the network inside"
        )
