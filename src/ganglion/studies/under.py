"""`under`: a loss for recordings of which some were made under a perturbation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_map
from numpy.typing import NDArray

from ..arguments import instance, label, numbers, several
from ..cells.equations.noise import part_of_batch
from ..training.carrier import Around, Carried
from .perturbations import Perturbation
from .perturbed import perturbed

Loss = Callable[..., mx.array]
Group = tuple[Perturbation | None, NDArray[np.intp]]
"""A perturbation, and the rows of a batch that were recorded under it."""


def under(loss: Loss, perturbations: Sequence[Perturbation | None]) -> Loss:
    """A loss for recordings each of which was made under a perturbation, or under none.

    The data have one array more, behind the targets: ``(x, y, which, ...)``, where ``which``, (B,), says of
    each recording the number of its perturbation. The network runs every recording of a batch under its own,
    and the loss compares all of them at once, as it would without. Parameters stay those of the whole
    network, which so learns from silencings what it would do in others.

    Args:
        loss: of a network and a batch ``(x, y, ...)``, such as `gl.training.likelihood`.
        perturbations: what was done to the network; None for nothing.

    Returns:
        The loss for `fit`, and for its validation, of batches ``(x, y, which, ...)``.

    Raises:
        TypeError: no function, or something that is no perturbation.
        ValueError: no perturbation at all; when it is called, a number of none.

    Example:
        >>> done = [None, gl.studies.Silence("AVA"), gl.studies.Lesion("AVB")]
        >>> loss = gl.studies.under(gl.training.mse, done)
        >>> gl.fit(rnn, (x, y, which, timespans), loss=loss, optimizer=optimizer, epochs=20)
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function of the model and a batch, got {label(loss)}")
    given = several("perturbations", perturbations, "perturbations")
    if not given:
        raise ValueError(
            "perturbations are an empty list: expected at least one, or None for no perturbation"
        )
    for each in given:
        if each is not None:
            instance(
                "each of perturbations", each, Perturbation, "one, such as gl.studies.Silence('AVA'), or None"
            )
    found = partial(_loss, loss, tuple(given))
    if (signature := _signature(loss)) is not None:
        found.__signature__ = signature  # type: ignore[attr-defined]  # by which `fit` finds time spans and masks
    return found


def _signature(loss: Loss) -> inspect.Signature | None:
    """The signature with `which` behind the targets; None where targets have no place of their own."""
    try:
        whole = inspect.signature(loss)
    except (TypeError, ValueError):  # a function that does not say what it takes
        return None
    parameters = list(whole.parameters.values())
    first = [p.kind for p in parameters[:3]]
    if len(first) < 3 or not set(first) <= {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    }:
        return None
    which = inspect.Parameter("which", parameters[2].kind)
    return whole.replace(parameters=[*parameters[:3], which, *parameters[3:]])


def _loss(
    loss: Loss,
    perturbations: tuple[Perturbation | None, ...],
    model: nn.Module,
    x: mx.array,
    y: mx.array,
    which: mx.array,
    *others: mx.array,
) -> mx.array:
    groups = _groups(which, len(x), perturbations)
    if not isinstance(model, Carried):
        return loss(Rows(model, groups), x, y, *others)
    inside = model.inside  # the state is carried around all rows, not around those of a group
    model.inside = Rows(inside, groups)
    try:
        return loss(model, x, y, *others)
    finally:
        model.inside = inside


def _groups(which: Any, count: int, perturbations: tuple[Perturbation | None, ...]) -> list[Group]:
    """The perturbations of a batch with their rows."""
    places = numbers("which", which)
    if places.shape != (count,):
        raise ValueError(
            f"which has shape {places.shape}: expected ({count},), a perturbation's number for each recording"
        )
    wrong = ~np.isin(places, np.arange(len(perturbations)))
    if wrong.any():
        raise ValueError(
            f"which says {places[wrong][0]:g} of a recording: expected whole numbers from 0 to "
            f"{len(perturbations) - 1}, as there are {len(perturbations)} perturbations"
        )
    return [(perturbations[int(k)], np.flatnonzero(places == k)) for k in np.unique(places)]


class Rows(Around):
    """A network that runs each row of a batch under its perturbation, whatever loss calls it."""

    def __init__(self, inside: nn.Module, groups: list[Group]) -> None:
        super().__init__(inside)
        object.__setattr__(self, "_groups", groups)

    def __call__(self, x: Any, *others: Any, lengths: Any = None, **given: Any) -> Any:
        """What the network returns, of all rows in their order."""
        inside: Any = self.inside
        found, count = [], len(x)
        for perturbation, rows in self._groups:

            def own(value: Any, rows: NDArray[np.intp] = rows) -> Any:
                if not isinstance(value, mx.array | np.ndarray) or value.ndim < 2 or len(value) != count:
                    return value  # for all rows alike
                return value[mx.array(rows)] if isinstance(value, mx.array) else value[rows]

            known = tree_map(own, given)
            if lengths is not None:
                known["lengths"] = np.asarray(lengths)[rows]
            under_it = nullcontext() if perturbation is None else perturbed(inside, perturbation)
            with under_it, part_of_batch(rows):
                found.append(inside(own(x), *tree_map(own, others), **known))
        if len(found) == 1:
            return found[0]
        order = mx.array(np.argsort(np.concatenate([rows for _, rows in self._groups])))
        return tree_map(lambda *parts: mx.concatenate(list(parts))[order], *found)
