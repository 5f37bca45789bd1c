"""`combined`: studies of several networks as one, with the mean and spread of every effect over them."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..arguments import instance, label, several
from .table import Row, Study


@dataclass(frozen=True)
class CombinedRow(Row):
    """The effect of one perturbation by one measure in several networks.

    Attributes:
        perturbation, kind, first, second, measure: as in a `Row`.
        value, baseline, effect: the means over the networks.
        low, high: the least and the greatest effect in one of them.
        networks: how many they are.
        spread: the standard deviation of the effect over them.
    """

    networks: int
    spread: float


class Combined(Study):
    """What `combined` found: a `Study` whose rows are `CombinedRow`, to print, plot and keep like any other.

    Attributes:
        rows: the rows, in the order of the first study.
        confidence: 1, since intervals hold every network.
    """

    columns = tuple(CombinedRow.__dataclass_fields__)
    _head = ("perturbation", "measure", "mean value", "mean effect", "spread", "least to greatest")

    def __init__(self, rows: Sequence[CombinedRow], confidence: float = 1.0) -> None:
        super().__init__(rows, confidence)

    def _words(self, row: Row) -> tuple[str, ...]:
        """A row for a table to read."""
        perturbation, measure, value, effect, interval = super()._words(row)
        return perturbation, measure, value, effect, f"{getattr(row, 'spread', math.nan):.3g}", interval


def combined(studies: Iterable[Study]) -> Combined:
    r"""Studies of several networks as one: how far an effect is one of the circuit, and not of a draw.

    For the effects :math:`e_k` of a perturbation in K networks, a row has their mean, their spread
    :math:`\sqrt{\sum_k (e_k - \bar e)^2 / (K - 1)}`, and the least and greatest of them.

    Args:
        studies: two or more, of the same perturbations by the same measures.

    Returns:
        A `Combined`, which `ganglion.viz.plot_study` draws.

    Raises:
        TypeError: something else than studies.
        ValueError: fewer than two, or a perturbation or measure that one of them lacks.

    Example:
        >>> found = [gl.study(rnn, gl.each("command"), x=x) for rnn in networks]
        >>> print(gl.studies.combined(found))
    """
    given = several("studies", studies, "studies, as gl.study returns them")
    for k, study in enumerate(given):
        instance(f"study {k}", study, Study, "a study, as gl.study returns it")
        if isinstance(study, Combined):
            raise TypeError(f"study {k} is of several networks already: expected one as gl.study returns it")
    if len(given) < 2:
        raise ValueError(f"expected two studies or more, got {len(given)}: one network has no spread")
    tables = list(map(_table, given))
    for k, table in enumerate(tables[1:], 1):
        for key in [*(tables[0].keys() - table.keys()), *(table.keys() - tables[0].keys())][:1]:
            lacking = k if key in tables[0] else 0
            raise ValueError(
                f"study {lacking} has no {label(key[0])} by {label(key[-1])}, as another has: expected the "
                "same perturbations and measures in all"
            )
    return Combined([_spread([table[key] for table in tables]) for key in tables[0]])


def _table(study: Study) -> dict[tuple[str, str, str, str, int, str], Row]:
    """The rows by what they are of; one that is there again, such as of another seed, by which it is."""
    found: dict[tuple[str, str, str, str, int, str], Row] = {}
    times: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in study:
        key = _key(row)
        found[(*key[:-1], times[key], key[-1])] = row
        times[key] += 1
    return found


def _key(row: Row) -> tuple[str, str, str, str, str]:
    return row.perturbation, row.kind, row.first, row.second, row.measure


def _spread(rows: list[Row]) -> CombinedRow:
    effects = [row.effect for row in rows]
    known = not any(map(math.isnan, effects))  # min and max pass over a NaN or not, as it stands
    return CombinedRow(
        *_key(rows[0]),
        value=_mean([row.value for row in rows]),
        baseline=_mean([row.baseline for row in rows]),
        effect=_mean(effects),
        low=min(effects) if known else math.nan,
        high=max(effects) if known else math.nan,
        networks=len(rows),
        spread=statistics.stdev(effects) if all(map(math.isfinite, effects)) else math.nan,
    )


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else sum(values) / len(values)
