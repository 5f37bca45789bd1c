"""Rows and columns of a mask: which neuron is where, and how roles follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CircuitError
from .view import View

Ids = NDArray[np.intp]
_STATE_ROLES = ("inter", "command", "motor")


@dataclass(frozen=True)
class Run:
    """Neighbouring rows or columns of one role: their upper or left border, and their number."""

    role: str
    start: float
    count: int

    @property
    def title(self) -> str:
        """The role and the number of its neurons."""
        return f"{self.role} · {self.count}"


@dataclass(frozen=True)
class Arrangement:
    """Neurons in the order of rows and of columns, for the recurrent and for the sensory part."""

    rows: tuple[Ids, Ids]
    columns: tuple[Ids, Ids]


@dataclass(frozen=True, eq=False)
class Grid:
    """Where rows and columns are. The recurrent part has its upper left corner at (0, 0), y upwards.

    Attributes:
        row: (K,) y of the upper border of each neuron's row.
        column: (2, K) x of the left border of each neuron's column in the recurrent and in the sensory part.
        rows: runs of all rows, from the top.
        columns: runs of the columns of each part that exists, the recurrent one first.
        spans: lower and upper y of each part.
        banded: for each part, whether its columns need bands of their own.
    """

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    rows: list[Run]
    columns: list[list[Run]]
    spans: list[tuple[float, float]]
    banded: list[bool]

    @property
    def size(self) -> int:
        """N: neurons with state."""
        return sum(run.count for run in self.columns[0])

    @property
    def top(self) -> float:
        """The upper border of it all."""
        return self.spans[-1][1]

    @property
    def fragmented(self) -> bool:
        """Whether a role is scattered over several runs, which leaves no room for its name."""
        return any(len({run.role for run in runs}) < len(runs) for runs in [self.rows, *self.columns])


def arrangement(circuit: Any, seen: View) -> Arrangement:
    """The order of all pictures, or that in which a circuit compiled to blocks is executed."""
    sensory = seen.of_role("sensory")
    if getattr(circuit, "layout", None) != "block":
        state = np.concatenate([seen.of_role(role) for role in _STATE_ROLES])
        return Arrangement((state, sensory), (state, state))
    state = np.concatenate([seen.of_role(role) for role in reversed(_STATE_ROLES)])  # as in a plan
    orders = circuit.recurrent.order, circuit.sensory.order
    return Arrangement(
        (state[orders[0].pre], sensory[orders[1].pre]), (state[orders[0].post], state[orders[1].post])
    )


def make_grid(seen: View, order: Arrangement) -> Grid:
    """Place the two parts above each other.

    Raises:
        CircuitError: a synapse ends at a sensory neuron, or there is no neuron with state.
    """
    if (wrong := np.flatnonzero(seen.role_ids[seen.post] == 0)).size:
        pre, post = seen.synapses[wrong[0]]
        raise CircuitError(
            f"synapse {pre!r} -> {post!r} ends at a sensory neuron: masks have no column for it"
        )
    size, sensors = len(order.rows[0]), len(order.rows[1])
    if not size:
        raise CircuitError("this circuit has no neurons with state: masks have no columns")
    row, column = np.zeros(len(seen.names)), np.zeros((2, len(seen.names)))
    same_columns = not sensors or bool((order.columns[0] == order.columns[1]).all())
    low = max(0.6, (0.025 if same_columns else 0.06) * size)  # columns that differ need bands in between
    spans = [(-float(size), 0.0)] + [(low, low + sensors)] * bool(sensors)
    for part, (_, high) in enumerate(spans):
        row[order.rows[part]] = high - np.arange(len(order.rows[part]))
        column[part, order.columns[part]] = np.arange(size)
    rows = _runs(seen, order.rows[0], 0.0, -1)
    if sensors:
        rows = _runs(seen, order.rows[1], spans[1][1], -1) + rows
    columns = [_runs(seen, order.columns[part], 0.0, 1) for part in range(len(spans))]
    return Grid(row, column, rows, columns, spans, [not (sensors and same_columns), True][: len(spans)])


def rectangle(left: float, bottom: float, width: float, height: float) -> list[tuple[float, float]]:
    """The four corners."""
    right, top = left + width, bottom + height
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def _runs(seen: View, order: Ids, start: float, step: int) -> list[Run]:
    """Neighbours of the same role, from ``start`` upwards (step 1) or downwards (-1)."""
    roles = seen.role_ids[order]
    cuts = [0, *(np.flatnonzero(roles[1:] != roles[:-1]) + 1).tolist(), len(roles)]
    return [Run(seen.roles[order[a]], start + step * a, b - a) for a, b in pairwise(cuts)]
