"""Which combinations of trained numbers the outputs of a network tell, and which they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from .. import shown
from ..arguments import counted, fraction, instance, real, whole
from ..cells import Ensemble
from ..cells.strengths import Floats
from ..cells.values import Values
from ..forks import require_computing
from ..frames import Tabled
from .directions import gauged, plain_basis, trivial_directions
from .jacobian import Seen, factor
from .vector import Vector

MOST_PARAMETERS, MOST_OUTPUTS = 4000, 1_000_000
"""A spectrum takes their cube in time, and a row of derivatives is a run of the network."""
FLOOR, APART = 1e-7, 10.0
"""Beside the largest, a singular value that float32 makes of 0; and how many times larger another kind is."""
FAINT, MOST_NAMED = 0.3, 4
"""Beside the largest loading, what is not named; and how many are."""


@dataclass(frozen=True)
class Combination:
    """A combination of trained numbers.

    Attributes:
        words: what it moves, such as "w of AVA -> AVB against w of AVD -> AVB".
        eigenvalue: of the Fisher matrix, for steps as `Identifiability` takes them.
        deviation: the standard deviation that the data leave it, in such steps; infinite for none.
        undetermined: whether the outputs do not tell it.
        loadings: how far each number moves, by name, the largest first; of those that move.
    """

    words: str
    eigenvalue: float
    deviation: float
    undetermined: bool
    loadings: Mapping[str, float]


class Identifiability(Tabled, Sequence[Combination]):
    """What `identifiability` found: combinations of trained numbers, the least certain first.

    A step of a number that is positive, or has the sign of its synapse, is itself: combinations are of its
    logarithm. A step of any other is the root mean square of its array.

    Attributes:
        eigenvalues: of the Fisher matrix without `units` and `unseen`, the largest first.
        combinations: the least certain ones, those that are undetermined first.
        units: the factors of neurons and sensors that no output tells, by name: they are removed.
        unseen: the numbers that no output depends on at all.
        parameters, outputs: how many numbers and outputs there are.
        noise: the standard deviation of the noise of an output.

    Example:
        >>> found = gl.identifiability(rnn, x)
        >>> print(found)
        >>> found.rank, found.condition, found.undetermined
    """

    columns = ("combination", "eigenvalue", "deviation", "undetermined", "loadings")

    def __init__(
        self,
        eigenvalues: Floats,
        combinations: Sequence[Combination],
        units: Sequence[str],
        unseen: Sequence[str],
        parameters: int,
        outputs: int,
        noise: float,
        tolerance: float,
    ) -> None:
        self.eigenvalues, self.combinations = eigenvalues, tuple(combinations)
        self.units, self.unseen = tuple(units), tuple(unseen)
        self.parameters, self.outputs, self.noise, self.tolerance = parameters, outputs, noise, tolerance

    def __len__(self) -> int:
        return len(self.combinations)

    def __getitem__(self, k: Any) -> Any:
        return self.combinations[k]

    @property
    def rank(self) -> int:
        """How many combinations the outputs tell, to the precision of float32."""
        return int((self.eigenvalues > self._least).sum())

    @property
    def condition(self) -> float:
        """The largest eigenvalue over the smallest; infinite where a combination is not told."""
        if not len(self.eigenvalues):
            return 1.0
        last = float(self.eigenvalues[-1])
        return float(self.eigenvalues[0]) / last if last > self._least else float("inf")

    @property
    def undetermined(self) -> tuple[Combination, ...]:
        """The combinations that the outputs do not tell."""
        return tuple(each for each in self.combinations if each.undetermined)

    @property
    def _least(self) -> float:
        return float(self.eigenvalues[0]) * self.tolerance**2 if len(self.eigenvalues) else 0.0

    def describe(self) -> str:
        """The numbers in a sentence or two."""
        told = (
            f"{counted(self.outputs, 'output')} tell{'s' * (self.outputs == 1)} {self.rank} of "
            f"{counted(self.parameters, 'number')}"
        )
        lost = [f"{len(self.units)} are units that no output tells"] if self.units else []
        lost += [f"no output depends on {len(self.unseen)}"] if self.unseen else []
        count = len(self.eigenvalues) - self.rank
        lost += [f"{count} combinations are undetermined"] if count else []
        return f"{told}{': ' if lost else ''}{', '.join(lost)}; condition number {self.condition:.3g}"

    def __repr__(self) -> str:
        return f"Identifiability({self.describe()})"

    def __str__(self) -> str:
        rows = [("combination", "deviation"), *((c.words, _deviation(c)) for c in self.combinations)]
        width = max(len(words) for words, _ in rows)
        lines = [f"{words.ljust(width)}  {deviation}".rstrip() for words, deviation in rows]
        return "\n".join([self.describe(), *(lines if len(rows) > 1 else [])])

    def _repr_html_(self) -> str:
        rows = [(c.words, _deviation(c)) for c in self.combinations]
        return shown.page(shown.table(self.describe(), rows, ("combination", "deviation")))

    def records(self) -> list[tuple[Any, ...]]:
        """The rows, a value for each column."""
        return [
            (c.words, c.eigenvalue, c.deviation, c.undetermined, _loadings(c.loadings))
            for c in self.combinations
        ]


def _deviation(of: Combination) -> str:
    return "undetermined" if of.undetermined else f"{of.deviation:.3g}"


def _loadings(loadings: Mapping[str, float]) -> str:
    return ", ".join(f"{value:+.3f} {name}" for name, value in list(loadings.items())[:MOST_NAMED])


def identifiability(
    rnn: nn.Module,
    x: Values,
    timespans: Values | None = None,
    *,
    mask: Any = None,
    noise: float = 1.0,
    tolerance: float = 1e-6,
    least: int = 5,
) -> Identifiability:
    r"""What the outputs of a network tell of its trained numbers: the spectrum of the Fisher matrix.

    .. math:: F = \frac{1}{noise^2} J^T J, \qquad J_{kp} = s_p \, \partial y_k / \partial p

    over all outputs y of a batch that are seen, with Gaussian noise, where a step s is that of
    `Identifiability`. What no output can tell is taken out before, exactly: the units that neurons and
    sensors may choose, such as a factor on w, cm and gleak of a neuron of an LTC. Of the rest, combinations
    with which outputs move by less than `tolerance`, beside the most certain one, are undetermined.

    Args:
        rnn: a network, observed (`observe`), in a container or in units of data. What is frozen does not
            count.
        x: (B, T, I) or (T, I) inputs.
        timespans: as the network takes them.
        mask: which outputs are seen, of their shape, or (B, T); all if not given.
        noise: the standard deviation of the noise of an output.
        tolerance: beside the most certain combination, the root of an eigenvalue that counts as none; float32
            knows none below 1e-7.
        least: how many combinations are named at least; those that are undetermined are in any case.

    Raises:
        TypeError: no network.
        ValueError: nothing that is trained, no output that is seen, more than 4000 numbers (freeze some), or
            more than a million outputs: each takes one run of the network.

    Example:
        >>> print(gl.identifiability(rnn, x, noise=0.05))
        >>> seen = gl.observe(rnn, ["AVA", "AVB"])
        >>> gl.identifiability(seen, x).undetermined

    Source: Transtrum, Machta, Sethna, Phys. Rev. E 83 (2011) 036701, for the spectrum; Raue and others,
    Bioinformatics 25 (2009) 1923, for structural and practical identifiability.
    """
    instance("rnn", rnn, nn.Module, "a network")
    real("noise", noise, above=0)
    fraction("tolerance", tolerance)
    whole("least", least, least=0)
    require_computing()
    seen, vector = looked_at(rnn, x, timespans, mask)
    scales = vector.scales()
    root = factor(seen, vector, scales)
    moved = np.abs(root).max(axis=0, initial=0.0) > 0
    names = np.array(vector.names, object)
    directions, units = trivial_directions(rnn, vector)
    trivial = plain_basis((directions / scales[:, None])[moved])
    left = root[:, moved] @ trivial.complement
    _, singular, vectors = np.linalg.svd(left, full_matrices=True)
    singular = np.concatenate([singular, np.zeros(len(vectors) - len(singular))])
    most = float(singular[0]) if len(singular) else 0.0
    unknown = singular <= tolerance * most
    every = trivial.complement @ vectors.T
    still, reach = vector.alone()[moved], np.linalg.norm(root[:, moved], axis=0)
    found = _combinations(every, singular, unknown, trivial.basis, still, reach, names[moved], noise, least)
    return Identifiability(
        (singular / noise) ** 2,
        found,
        units,
        tuple(names[~moved]),
        len(vector),
        seen.count,
        noise,
        tolerance,
    )


def refuse_several(rnn: nn.Module) -> None:
    """Raise TypeError for an ensemble, which is no one network."""
    if isinstance(rnn, Ensemble):
        raise TypeError("an ensemble is several networks: give one of them, ensemble.member(0)")


def looked_at(rnn: nn.Module, x: Values, timespans: Any, mask: Any) -> tuple[Seen, Vector]:
    """What is seen of a network and the vector of its trained numbers, of sizes that are bearable.

    Raises:
        ValueError: see `identifiability`.
    """
    refuse_several(rnn)
    seen = Seen(rnn, x, timespans, mask)
    vector = Vector(rnn)
    if not len(vector):
        raise ValueError(f"the {type(rnn).__name__} has nothing that is trained")
    if len(vector) > MOST_PARAMETERS:
        raise ValueError(
            f"the {type(rnn).__name__} has {len(vector)} trained numbers: expected at most "
            f"{MOST_PARAMETERS}; freeze some, or share them by tie="
        )
    if not 0 < seen.count <= MOST_OUTPUTS:
        raise ValueError(
            f"{seen.count} outputs are seen: expected from 1 to {MOST_OUTPUTS}, each of which takes a run"
        )
    mx.eval(rnn.parameters())
    return seen, vector


def _combinations(
    vectors: Floats,
    singular: Floats,
    unknown: NDArray[np.bool_],
    trivial: Floats,
    still: Floats,
    reach: Floats,
    names: Any,
    noise: float,
    least: int,
) -> list[Combination]:
    """Combinations with names, the least certain first; trivial directions are added to make them short."""
    lost = np.zeros((len(vectors), 0))
    for group in _alike(
        singular, unknown
    ):  # those that are less known are added to others to make them short
        own = gauged(vectors[:, group], np.hstack([trivial, lost]), still, mixed=True)
        lost = np.hstack([lost, own])
    trivial = np.hstack([trivial, lost])
    lost = lost[:, np.argsort(np.round(np.abs(lost), 3).argmax(axis=0), kind="stable")]
    known = np.flatnonzero(~unknown)[::-1][: max(least - lost.shape[1], 0)]
    told = gauged(vectors[:, known], trivial, still, mixed=False)
    found = []
    for column, value, undetermined in [
        *((column, 0.0, True) for column in lost.T),
        *((column, value, False) for column, value in zip(told.T, singular[known], strict=True)),
    ]:
        order = np.argsort(-np.round(np.abs(column), 4), kind="stable")  # equal ones in their own order
        column = column * np.sign(column[order[0]])
        top = [k for k in order if abs(column[k]) > 0.01 * abs(column[order[0]])]
        loadings = {str(names[k]): float(column[k]) for k in top}
        # What moves far, and what alone would move outputs far: in a pair, one may be much the larger.
        pull = np.abs(column) * reach
        named = [
            k for k in top if abs(column[k]) >= FAINT * abs(column[order[0]]) or pull[k] >= FAINT * pull.max()
        ]
        deviation = noise / value if value else float("inf")
        found.append(
            Combination(
                _words(named, column, names), float((value / noise) ** 2), deviation, undetermined, loadings
            )
        )
    return found


def _alike(singular: Floats, unknown: NDArray[np.bool_]) -> list[Any]:
    """The numbers of combinations that are unknown, the least known first, those alike together."""
    found: list[list[int]] = []
    for k in np.flatnonzero(unknown)[::-1]:
        floor = max(float(singular[k]), FLOOR * float(singular[0]))
        if found and floor < APART * max(float(singular[found[-1][0]]), FLOOR * float(singular[0])):
            found[-1].append(int(k))
        else:
            found.append([int(k)])
    return found


def _words(there: list[Any], column: Floats, names: Any) -> str:
    with_it = [names[k] for k in there[:MOST_NAMED] if column[k] > 0]
    against = [names[k] for k in there[:MOST_NAMED] if column[k] < 0]
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    words = ", ".join(with_it)
    return f"{words} against {', '.join(against)}{more}" if against else f"{words}{more}"
