"""One network under many perturbations at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..overlay import Overlay, laid_over

Member = Sequence["tuple[NCPRNNCell, Overlay | None]"]


def together(network: NCPLayer, members: Sequence[Member], x: Any, **given: Any) -> Any:
    """What a network gives under each of K perturbations, in one launch; results have K in front.

    Only what differs between the members is there K times: the parameters that a perturbation touches, and
    the values that it holds neurons or inputs at.

    Args:
        network: any network over sequences; in training mode, dropout differs between the members.
        members: what is laid over its cells, for each member in the same order of cells.
        x: the inputs, which all members read.
        given: what else the network takes.

    Raises:
        ValueError: a sensor that shows noise, which differs in more than values.
    """
    cells = [cell for cell, _ in members[0]]
    overlays = [[overlay or Overlay() for _, overlay in member] for member in members]
    if any(overlay.noise for member in overlays for overlay in member):
        raise ValueError("noise cannot be laid over a network together with other perturbations")
    columns = [[member[k] for member in overlays] for k in range(len(cells))]
    stacked = [_stacked(cell, column) for cell, column in zip(cells, columns, strict=True)]

    def run(values: list[dict[str, Any]]) -> Any:
        made = [_overlay(column, its) for column, its in zip(columns, values, strict=True)]
        with laid_over(zip(cells, made, strict=True)):
            return network(x, **given)

    return mx.vmap(run)(stacked)


def _stacked(cell: NCPRNNCell, column: list[Overlay]) -> dict[str, Any]:
    """The values of one cell's overlays, with K in front."""
    n, i = cell.n_neurons, cell.n_inputs
    found: dict[str, Any] = {"factors": {}, "shifts": {}}
    for name in dict.fromkeys(name for overlay in column for name in overlay.factors):
        like = next(overlay.factors[name] for overlay in column if name in overlay.factors)
        for kind, neutral in (("factors", np.ones_like(like)), ("shifts", np.zeros_like(like))):
            each = [getattr(overlay, kind).get(name, neutral) for overlay in column]
            found[kind][name] = mx.array(np.stack(each))
    if any(overlay.held for overlay in column):
        nobody = np.zeros(n, bool), np.zeros(n, np.float32)
        found["held"] = _side_by_side(overlay.held or nobody for overlay in column)
    if any(overlay.stays is not None for overlay in column):
        nowhere = mx.zeros((n,), mx.bool_)
        found["stays"] = mx.stack([nowhere if o.stays is None else o.stays for o in column])
    if any(overlay.inputs for overlay in column):
        as_given = np.ones(i, np.float32), np.zeros(i, np.float32)
        found["inputs"] = _side_by_side(overlay.inputs or as_given for overlay in column)
    return found


def _side_by_side(pairs: Iterable[Any]) -> list[mx.array]:
    return [mx.array(np.stack(part)) for part in zip(*pairs, strict=True)]


def _overlay(column: list[Overlay], values: dict[str, Any]) -> Overlay:
    """The overlay of one member, of values without K."""
    return replace(
        Overlay(values["factors"], values["shifts"]),
        held=tuple(values["held"]) if "held" in values else None,
        inputs=tuple(values["inputs"]) if "inputs" in values else None,
        starts_elsewhere=any(overlay.starts_elsewhere for overlay in column),
        stays=values.get("stays"),
    )
