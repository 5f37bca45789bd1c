"""The factors that neurons and sensors may choose without a change of any output, and what goes with them.

The w, cm and gleak of a neuron of an LTC times any factor leave outputs as they are: a neuron may count its
conductances in a unit of its own. So may it count its voltage. Each parameter says how it goes with such
factors (`Parameter.factors`), the cell which of them outputs would show (`NCPRNNCell.tied_factors`), and what
follows for the numbers that are kept, ties and fixed values included, is linear algebra over logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .parameters import SYNAPTIC, Factor, Parameter
from .strengths import Floats, as_floats

NONE = 1e-30
"""A coefficient that counts as none."""
MOST = 4
"""Factors of one direction that are named."""
Move: TypeAlias = "dict[int, float]"


class Tied(NamedTuple):
    """Which factors something outside of the parameters sees.

    Attributes:
        sensed: kinds of factors that sensors do not have, because samples are in the units of the data.
        shown: kind -> the power with which what a neuron shows goes with its factor.
        decoded: the same of what a motor neuron gives out.
    """

    sensed: tuple[str, ...] = ()
    shown: Mapping[str, Any] = {}
    decoded: Mapping[str, Any] = {}


class Choice(NamedTuple):
    """One factor of one neuron or sensor."""

    home: str
    kind: str
    number: int


@dataclass
class Choices:
    """The factors of the neurons and sensors of one cell, as columns of equations over their logarithms.

    Attributes:
        cell: the cell.
        columns: choice -> its column.
        rows: equations that must hold: column -> coefficient, whose sum is 0.
    """

    cell: Any
    columns: dict[Choice, int] = field(default_factory=dict)
    rows: list[Move] = field(default_factory=list)

    def column(self, home: str, kind: str, number: int) -> int:
        """The column of a factor."""
        return self.columns.setdefault(Choice(home, kind, int(number)), len(self.columns))

    def entries(self, p: Parameter) -> list[dict[int, Factor]]:
        """For each entry of a parameter: column -> how it goes with that factor."""
        plan, home = self.cell.plans[p.part], p.lies_on
        if len(p.axes) != 1 or home == "free" or not p.factors:
            return []
        if home not in SYNAPTIC:
            owner = "sensor" if home == "sensor" else "neuron"
            count = {"sensor": plan.n_inputs, "motor": plan.n_outputs}.get(home, plan.n_neurons)
            return [self._of(p.factors, owner, k, owner, k) for k in range(count)]
        synapses = p.synapses(plan)
        source = "sensor" if home == "sensory" else "neuron"
        ends = zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True)
        return [self._of(p.factors, source, pre, "neuron", post) for pre, post in ends]

    def _of(
        self, factors: Sequence[Factor], source: str, pre: int, target: str, post: int
    ) -> dict[int, Factor]:
        found: dict[int, Factor] = {}
        for factor in factors:
            at_source = factor.of == "source"
            column = self.column(*((source, factor.kind, pre) if at_source else (target, factor.kind, post)))
            if factor.of == "both":
                self.rows.append({column: 1.0, self.column(source, factor.kind, pre): -1.0})
            if factor.power:
                before = found.get(column)  # of a synapse of a neuron to itself
                found[column] = factor._replace(power=factor.power + (before.power if before else 0))
        return found

    def pin(self, seen: Sequence[int], decoded: bool) -> None:
        """Add what is outside of the parameters: samples, and what is seen of neurons."""
        tied: Tied = self.cell.tied_factors()
        outputs = range(self.cell.n_outputs) if decoded else ()
        for powers, numbers in ((tied.shown, seen), (tied.decoded, outputs)):
            for number in numbers:
                self.rows.append(self.shown(powers, number))
        for choice, column in list(self.columns.items()):
            if choice.home == "sensor" and choice.kind in tied.sensed:
                self.rows.append({column: 1.0})

    def shown(self, powers: Mapping[str, Any], number: int) -> Move:
        """How the logarithm of what a neuron shows goes with its factors."""
        return {self.column("neuron", kind, number): float(p) for kind, p in powers.items() if p}

    def named(self, direction: Floats) -> str:
        """What a direction moves, in words."""
        names = {"neuron": self.cell.neurons, "sensor": self.cell.sensors}
        taking_part = [c for c, k in self.columns.items() if abs(direction[k]) > 1e-6]
        found = [f"{c.kind} of {names[c.home][c.number]}" for c in taking_part[:MOST]]
        more = len(taking_part) - MOST
        return ", ".join(found) + (f" and {more} more" if more > 0 else "")

    def solutions(self) -> Floats:
        """(columns, D) a basis of what all equations leave free, sparse as far as that is easy."""
        from scipy.linalg import null_space  # here, because it takes a while to import

        rows = [row for row in self.rows if any(abs(part) > NONE for part in row.values())]
        touched = sorted({column for row in rows for column in row})
        alone = sorted(set(range(len(self.columns))) - set(touched))
        found = np.zeros((len(self.columns), 0))
        if touched:
            place = {column: k for k, column in enumerate(touched)}
            matrix = np.zeros((len(rows), len(touched)))
            for k, row in enumerate(rows):
                matrix[k, [place[column] for column in row]] = list(row.values())
            matrix /= np.abs(matrix).max(axis=1, keepdims=True)
            free = null_space(matrix, rcond=1e-6)
            found = np.zeros((len(self.columns), free.shape[1]))
            found[touched] = free
        single = np.zeros((len(self.columns), len(alone)))
        single[alone, range(len(alone))] = 1.0
        return np.hstack([single, found])


@dataclass(frozen=True)
class Free:
    """Directions in which the kept parameters of a cell can move and no output does, in small.

    A direction is one in the logarithms of factors, and the values of shifts.

    Attributes:
        moves: parameter -> (entries, D) how the values that are kept move; those with factors alone.
        shown: (N, D) how the logarithm of what neurons show goes with them.
        names: what moves, for each direction.
    """

    moves: dict[str, Floats]
    shown: Floats
    names: tuple[str, ...]


def free_factors(cell: Any, seen: Sequence[int] = (), decoded: bool = True, trained: Any = None) -> Free:
    """The directions that the factors of a cell's parameters leave free.

    Args:
        cell: a cell over a circuit.
        seen: the numbers of neurons that are seen as they are.
        decoded: whether the outputs of the cell are seen.
        trained: the names of parameters that may move; all if not given.
    """
    declared = {name: p for name, p in cell.declared().items() if p.factors}
    choices, values, moved = Choices(cell), cell.effective(), {}
    for name, p in declared.items():
        used, share, groups, scale = as_floats(values[name]), cell._shares.get(name), None, None
        if share is not None:
            groups, scale = share.groups, share.scale
        here: dict[int, Move] = {}
        for k, entry in enumerate(choices.entries(p)):
            times = 1.0 if scale is None else float(scale[k])
            if not times:
                continue  # it is 0 whatever its group has
            move = {column: f.power * (1.0 if f.added else used[k]) / times for column, f in entry.items()}
            group = k if groups is None else int(groups.owner[k])
            if (trained is not None and name not in trained) or (
                share is not None and share.fixed is not None and np.isfinite(share.fixed[group])
            ):
                choices.rows.append(move)
            elif group in here:
                choices.rows.append(_difference(here[group], move))
            else:
                here[group] = move
        moved[name] = here
    powers = cell.tied_factors().shown
    shown = [choices.shown(powers, k) for k in range(cell.n_neurons)] if declared else []
    choices.pin(seen, decoded)
    basis = choices.solutions()
    basis = basis[:, np.abs(basis).max(axis=0) > 0] if basis.size else basis
    found = {}
    for name, here in moved.items():
        matrix = _matrix([here.get(k, {}) for k in range(cell[name].size)], len(basis))
        if cell._softened(name):
            matrix *= 1.0 + np.exp(-as_floats(cell[name]))[:, None]  # over the slope of softplus
        found[name] = matrix @ basis
    neurons = _matrix(shown or [{}] * cell.n_neurons, len(basis)) @ basis
    return Free(found, neurons, tuple(choices.named(direction) for direction in basis.T))


def _matrix(rows: Sequence[Move], columns: int) -> Floats:
    found = np.zeros((len(rows), columns))
    for k, row in enumerate(rows):
        found[k, list(row)] = list(row.values())
    return found


def _difference(one: Move, other: Move) -> Move:
    return {column: one.get(column, 0.0) - other.get(column, 0.0) for column in {*one, *other}}
