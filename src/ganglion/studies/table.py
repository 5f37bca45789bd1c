"""The table of a study: one row for every perturbation and measure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from .. import shown
from ..arguments import counted, label, text
from ..frames import Tabled


@dataclass(frozen=True)
class Row:
    """The effect of one perturbation by one measure.

    Attributes:
        perturbation: in words.
        kind: "lesion", "silence", ...
        first, second: the neuron, or the two of a pair or a synapse; second is empty for one.
        measure: the name of the measure.
        value: the measure under the perturbation, the mean over sequences.
        baseline: the same without it.
        effect: value - baseline.
        low, high: the interval of the effect by bootstrap over sequences; nan for a measure of one number.
    """

    perturbation: str
    kind: str
    first: str
    second: str
    measure: str
    value: float
    baseline: float
    effect: float
    low: float
    high: float

    @property
    def who(self) -> str:
        """The neuron, the synapse as "A -> B", or the pair of neurons as "A + B"."""
        between = " + " if self.kind == "together" else " -> "
        return between.join(end for end in (self.first, self.second) if end)


COLUMNS = tuple(Row.__dataclass_fields__)


class Study(Tabled, Sequence[Row]):
    """What `study` found: a sequence of rows, with the same as a frame, as CSV and in a notebook.

    Attributes:
        rows: the rows, in the order of the perturbations.
        confidence: what the intervals hold, such as 0.95.

    Example:
        >>> found = gl.study(rnn, gl.each("command"), measure="output change", x=x)
        >>> found.effects()["command_0"]
        >>> found.to_csv("effects.csv")
    """

    columns = COLUMNS
    _head: tuple[str, ...] = ("perturbation", "measure", "value", "effect", "interval")

    def __init__(self, rows: Sequence[Row], confidence: float = 0.95) -> None:
        self.rows, self.confidence = tuple(rows), confidence

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, k: Any) -> Any:
        return type(self)(self.rows[k], self.confidence) if isinstance(k, slice) else self.rows[k]

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the measures."""
        return tuple(dict.fromkeys(row.measure for row in self.rows))

    def of(self, measure: str | None = None) -> list[Row]:
        """The rows of one measure; of the first if none is named.

        Raises:
            ValueError: there is none of this name.
        """
        name = (self.measures or ("",))[0] if measure is None else text("measure", measure)
        if name not in self.measures:
            raise ValueError(
                f"no measure {label(name)}: expected one of {', '.join(self.measures) or 'none'}"
            )
        return [row for row in self.rows if row.measure == name]

    def effects(self, measure: str | None = None) -> dict[str, float]:
        """Neuron, synapse or pair -> effect, the largest first."""
        rows = sorted(self.of(measure), key=lambda row: -abs(row.effect) if row.effect == row.effect else 0.0)
        return {row.who: row.effect for row in rows}

    def records(self) -> list[tuple[Any, ...]]:
        """The rows, a value for each column."""
        return list(map(astuple, self.rows))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({counted(len(self), 'row')}: {', '.join(self.measures) or 'no measure'})"
        )

    def __str__(self) -> str:
        rows = [self._words(row) for row in self.rows[:40]]
        widths = [max(map(len, column)) for column in zip(*rows, self._head, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in (self._head, *rows)]  # fmt: skip
        return "\n".join(lines + ([f"and {len(self) - 40} more rows"] if len(self) > 40 else []))

    def _repr_html_(self) -> str:
        more = f", the first 60 of {len(self)} rows" if len(self) > 60 else ""
        title = f"{type(self).__name__}{more}"
        return shown.table(title, [self._words(row) for row in self.rows[:60]], self._head)

    def _words(self, row: Row) -> tuple[str, ...]:
        """A row for a table to read, a text for each of the heads."""
        interval = "" if math.isnan(row.low) else f"{row.low:.4g} to {row.high:.4g}"
        return row.perturbation, row.measure, f"{row.value:.4g}", f"{row.effect:+.4g}", interval
