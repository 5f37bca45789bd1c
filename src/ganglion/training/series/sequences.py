"""Time series as a network sees them: which columns, in which units, cut into windows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import counted, flag, instance, several, short, text
from ...arguments import path as as_path
from ...errors import FileError
from ...habits import ORDINARY, Habits
from ...wiring.words import listed
from .rows import Rows
from .table import NAMED, Reader, open_table

Floats = NDArray[np.float64]
Narrow = NDArray[np.float32]
REACH = 0.8
"""The part of (-1, 1), which motor neurons can reach, that the targets are scaled to."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for.

    Attributes:
        inputs: what the sensory neurons are given, in their order.
        targets: what the motor neurons are to say, in their order.
        time: when a sample was taken; None for regular samples.
        group: which sequence a row belongs to; None for a single one.
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    time: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            for column in several(name, getattr(self, name), "names of columns"):
                text("a column", column)
        for name in ("time", "group"):
            if getattr(self, name) is not None:
                text(name, getattr(self, name))

    @classmethod
    def choose(
        cls,
        reader: Reader,
        sensors: Sequence[str],
        outputs: int,
        targets: Sequence[str],
        inputs: Sequence[str] | None = None,
        time: str | None = None,
        group: str | None = None,
    ) -> Columns:
        """The columns for a circuit; inputs that are not named are found by the names of its sensory neurons.

        If the columns do not have these names, all that are nothing else are inputs, in their order.

        Raises:
            FileError: a column is not there, is used twice, or there are more or fewer than the circuit has
                neurons; a target would be its own input.
        """
        used = [*targets, *(name for name in (time, group) if name is not None)]
        if inputs is None:
            rest = [name for name in reader.header if name not in used]
            inputs = list(sensors) if set(sensors) <= set(reader.header) else rest
        for name in [*used, *inputs]:
            reader.place(name)
        for names, what in (([*targets], "target"), ([*inputs], "input"), (used, "target, time and group")):
            if len(set(names)) < len(names):
                raise FileError(f"a column is named twice as {what}: {listed(names, NAMED)}")
        for name in inputs:
            if name in targets:  # at the same sample, so that there would be nothing to learn
                raise FileError(f"column {name!r} is both an input and a target: choose the inputs (--input)")
        if len(targets) != outputs:
            raise FileError(
                f"{counted(len(targets), 'target')} ({listed(targets, NAMED)}) for a circuit of "
                f"{counted(outputs, 'motor neuron')}"
            )
        if len(inputs) != len(sensors):
            raise FileError(
                f"{reader.path} gives {counted(len(inputs), 'input')} ({listed(inputs, NAMED)}), "
                f"but the circuit has {counted(len(sensors), 'sensory neuron')}: choose the inputs "
                "(--input), times "
                "and groups (--time, --group)"
            )
        return cls(tuple(inputs), tuple(targets), time, group)


@dataclass(frozen=True, repr=False)
class Series:
    """One sequence of samples.

    Attributes:
        x: (T, I) inputs, in the units of the file, and like all here in float64; what was missing is what
            was there before it, or at the beginning behind it.
        y: (T, M) targets, NaN where one is missing; (T, 0) if they were not asked for.
        spans: (T,) time since the sample before; NaN for the first one; None for regular samples.
        times: (T,) when it was taken, in seconds if the file has dates; None for regular samples.
        rows: the rows of the file that it was made from.
        mask: (T,) in which rows no input was missing; None if that does not matter. A network that is given
            it does not see the others, whose time spans then count nothing: `observed` adds them to the next.
            True nowhere if there is no row to see, or an input of which no number could be made up.
    """

    x: Floats
    y: Floats
    spans: Floats | None
    times: Floats | None
    rows: Rows
    mask: NDArray[np.bool_] | None = None

    @property
    def group(self) -> str | None:
        """The text in the group column; None without one."""
        return self.rows.group

    def timespans(self, unit: float = 0.0) -> Floats | None:
        """(T,) the time spans, with `unit` for the first one; None for regular samples.

        ``ganglion train`` and ``predict`` give `Scaled.time_unit`, the median span of the training data;
        with 0 an LTC's first answer does not depend on its first sample.
        """
        return None if self.spans is None else np.nan_to_num(self.spans, nan=unit)

    def part(self, samples: slice | NDArray[np.intp]) -> Series:
        """Some samples of the sequence."""
        spans = None if self.spans is None else self.spans[samples]
        times = None if self.times is None else self.times[samples]
        mask = None if self.mask is None else self.mask[samples]
        return Series(self.x[samples], self.y[samples], spans, times, self.rows, mask)

    def observed(self) -> Series:
        """The samples in which no input was missing, each with the time since the one before it here.

        Regular samples have time spans then, in steps.
        """
        if self.mask is None:
            return self
        places = np.flatnonzero(self.mask)
        since = np.ones(len(self.x)) if self.spans is None else np.nan_to_num(self.spans)
        part, clock = self.part(places), np.cumsum(since)[places]
        return Series(part.x, part.y, np.diff(clock, prepend=np.nan), part.times, self.rows)

    def __repr__(self) -> str:
        group = "" if self.group is None else f" of {short(self.group)}"
        taken = ", regular" if self.times is None else ""
        if self.times is not None and len(self.times):
            taken = f", from {self.times[0]:.10g} to {self.times[-1]:.10g}"
        seen = "" if self.mask is None else f", {int(self.mask.sum())} seen"
        inputs, targets = counted(self.x.shape[1], "input"), counted(self.y.shape[1], "target")
        return f"Series{group}: {counted(len(self.x), 'sample')}{seen}{taken}; {inputs}, {targets}"

    def shown(self, said: Floats) -> Floats:
        """(T, M) for all samples, from what a network said to those that were observed.

        Where an input is missing it goes on saying what it said, and at the beginning what it says first; NaN
        if it saw none.
        """
        if self.mask is None:
            return said
        if not self.mask.any():
            return np.full((len(self.mask), said.shape[-1]), np.nan)
        held: Floats = said[np.maximum(np.cumsum(self.mask) - 1, 0)]
        return held


def read_columns(
    path: Path, columns: Columns, habits: Habits = ORDINARY, *, targets: bool = True
) -> tuple[list[Series], str]:
    """The sequences of a CSV file, and a hash of the file.

    Raises:
        FileError: something is wrong in the file; the message says where.
    """
    instance("columns", columns, Columns, "Columns")
    instance("habits", habits, Habits, "Habits")
    flag("targets", targets)
    with open_table(as_path("path", path), habits) as reader:
        return series_of(reader, columns, targets=targets)


def series_of(reader: Reader, columns: Columns, *, targets: bool = True) -> tuple[list[Series], str]:
    """The sequences of an open CSV file, and a hash of the file.

    Warns of sequences in which there is nothing to see, and that users leave out.

    Raises:
        FileError: something is wrong in the file, or there is nothing to see in all of it.
    """
    wanted = (*columns.inputs, *(columns.targets if targets else ()))
    found: list[Series] = []
    unseen: dict[str | None, str | None] = {}
    for rows in reader.groups(wanted, columns.time, columns.group):
        n = len(columns.inputs)
        x, y = rows.values[:, :n], rows.values[:, n:]
        there = ~np.isnan(x)
        mask: NDArray[np.bool_] | None = np.all(there, axis=1) if reader.habits.missing == "mask" else None
        nowhere = ~there.any(axis=0)
        if mask is None and nowhere.any():
            mask = np.zeros(len(x), np.bool_)
        if mask is not None and not mask.any():
            unseen[rows.group] = columns.inputs[int(nowhere.argmax())] if nowhere.any() else None
        found.append(Series(_imputed(x, there), y, rows.spans, rows.times, rows, mask))
    if unseen:
        _refuse_or_tell(reader.path, unseen, len(found))
    return found, reader.digest()


def _refuse_or_tell(path: Path, unseen: Mapping[str | None, str | None], groups: int) -> None:
    """Name the groups in which there is nothing to see; refuse a file that holds nothing else.

    Args:
        path: the file.
        unseen: of each such group, the column that is empty in it, or None if every row misses another one.
        groups: how many groups there are.
    """
    empty = set(unseen.values())
    column = empty.pop() if len(empty) == 1 else None
    why = "an input is missing in every row" if column is None else f"column {column!r} is empty"
    if len(unseen) == groups:
        first = next(iter(unseen))
        where = (
            ""
            if first is None
            else f" of group {short(first)}"
            if groups == 1
            else f" of all {groups} groups"
        )
        way = (
            "--missing impute takes such rows"
            if column is None
            else "fill it, or --input names the columns to train with"
        )
        raise FileError(f"{path}: {why}{where}: {way}")
    names = listed([str(name) for name in unseen], NAMED)
    left_out = "left out group" if len(unseen) == 1 else f"left out {len(unseen)} groups,"
    warnings.warn(f"{path}: {left_out} {names}, where {why}", stacklevel=4)


def with_samples(series: Sequence[Series]) -> list[Series]:
    """The sequences in which there is something to see."""
    return [one for one in series if one.mask is None or one.mask.any()]


def _imputed(x: Floats, there: NDArray[np.bool_]) -> Floats:
    """(T, I) what was there last where there is nothing, at the beginning what is there first."""
    if there.all():
        return x
    places = np.where(there, np.arange(len(x))[:, None], -1)
    last = np.maximum.accumulate(places, axis=0)
    first = np.argmax(there, axis=0)
    taken: Floats = np.take_along_axis(x, np.where(last < 0, first, last), axis=0)
    return np.nan_to_num(taken)  # of a column that is nowhere there, of which no row is looked at


@dataclass(frozen=True)
class Scaling:
    """How the units of data are mapped to those of a network; the arguments of `Scaled`.

    Inputs get mean 0 and spread 1, targets the range (-0.8, 0.8), time spans the median 1. All of it is
    computed in float64, until the offset is off.
    """

    mean: Floats
    spread: Floats
    offset: Floats
    scale: Floats
    time_unit: float

    @classmethod
    def of(cls, series: Sequence[Series]) -> Scaling:
        """The scaling of some sequences."""
        x, y = (np.concatenate([getattr(one, name) for one in series]) for name in "xy")
        low, high = np.nanmin(y, axis=0), np.nanmax(y, axis=0)
        spans = [span for one in series if one.spans is not None for span in one.spans[1:].tolist()]
        unit = float(np.median(spans)) if spans else 1.0
        return cls(
            mean=x.mean(axis=0),
            spread=_nonzero(np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), 0.0)),
            offset=low + (high - low) / 2,
            scale=_nonzero((high - low) / 2 / REACH),
            time_unit=unit,
        )

    def to_json(self) -> dict[str, Any]:
        """The arguments of `Scaled`."""
        return {
            name: value if isinstance(value, float) else value.tolist() for name, value in vars(self).items()
        }


def windows(series: Sequence[Series], length: int, scaling: Scaling, *, every: int) -> tuple[Narrow, ...]:
    """Windows that start at every so many samples, in the units of the network.

    Returns:
        Inputs (n, L, I), targets (n, L, M), time spans (n, L) and weights (n, L) of mean 1: 0 where a window
        reaches beyond the end of its sequence, and elsewhere such that every sample of the data counts alike,
        whatever window it is in and however many. If targets are missing, weights are (n, L, M), and 0 there.
        No window is longer than the longest sequence.
    """
    parts: list[tuple[Floats, ...]] = []
    length = min(length, max(len(one.x) for one in series))
    for one in series:
        x = (one.x - scaling.mean) / scaling.spread
        y = (one.y - scaling.offset) / scaling.scale
        spans = one.timespans(scaling.time_unit)
        spans = np.ones(len(x)) if spans is None else spans / scaling.time_unit
        last = max(0, len(x) - length)  # beyond it, a window would see nothing that others do not
        cuts = [slice(start, start + length) for start in range(0, last + every, every)]
        shares = np.zeros(len(x))
        for cut in cuts:
            shares[cut] += 1.0
        for cut in cuts:
            here = (x[cut], y[cut], spans[cut], 1.0 / shares[cut])
            missing = length - len(here[0])
            fill = (0.0, 0.0, 1.0, 0.0)  # a time span must be positive even where nobody looks
            parts.append(
                tuple(
                    np.pad(a, [(0, missing)] + [(0, 0)] * (a.ndim - 1), constant_values=value)
                    for a, value in zip(here, fill, strict=True)
                )
            )
    x, y, spans, weights = (np.stack(column) for column in zip(*parts, strict=True))
    if (missing_targets := np.isnan(y)).any():
        weights = np.where(missing_targets, 0.0, weights[..., None])
    given = (x, np.nan_to_num(y), spans)
    return tuple(a.astype(np.float32) for a in (*given, weights / weights.mean()))


def split(series: Sequence[Series], share: float) -> tuple[list[Series], list[Series]]:
    """Training and validation sequences: the last groups if there are five, else the end of each sequence.

    Raises:
        FileError: too little data for both.
    """
    if len(series) >= 5:
        held_out = max(1, round(share * len(series)))
        if held_out == len(series):
            raise FileError(
                f"{share} of {counted(len(series), 'group')} for validation leaves none for training: "
                "--validation says a smaller share"
            )
        return list(series[:-held_out]), list(series[-held_out:])
    pairs = []
    for one in series:
        at = len(one.x) - max(1, round(share * len(one.x)))
        if at < 1:
            name = "the data have" if one.rows.group is None else f"group {one.rows.group!r} has"
            way = ": --validation says a smaller share" if len(one.x) > 1 else ""
            raise FileError(f"{name} {counted(len(one.x), 'row')}: too few for training and validation{way}")
        pairs.append((one.part(slice(0, at)), one.part(slice(at, None))))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _nonzero(values: NDArray[np.float64]) -> Floats:
    """A scale that can be divided by: 1 where a column never changes."""
    return np.where(values > 1e-30, values, 1.0)
