"""What an experiment found: its trials in their order, the best, and the effect of each factor."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import shown
from ..arguments import counted, text
from ..arguments import path as as_path
from ..frames import frame
from ..storage import replace_files
from .evolution import Evolving
from .journal import optuna
from .space import Choice, Factor
from .trials import Plan


@dataclass(frozen=True)
class Result:
    """The result of one trial.

    Attributes:
        number, repeat, seed: as the `Trial` had them.
        parameters: name -> value, or the label that stands for it.
        state: "complete", "pruned" or "fail".
        value: what train returned; nan where it returned nothing.
        curve: step -> value, as reported.
        seconds: how long it took.
        error: why it failed.
    """

    number: int
    repeat: int
    seed: int
    parameters: dict[str, Any]
    state: str
    value: float
    curve: dict[int, float]
    seconds: float
    error: str | None


@dataclass(frozen=True)
class Level:
    """One level of a factor: a label, or a quarter of the trials by its number.

    Attributes:
        factor, level: what and which.
        mean: the mean value of its trials.
        low, high: the interval of the mean by bootstrap, of 95 %.
        trials: how many there are.
    """

    factor: str
    level: str
    mean: float
    low: float
    high: float
    trials: int


class Experiment(Sequence[Result]):
    """What `experiment` found, a sequence of results by number.

    Example:
        >>> found.best.parameters, found.best.value
        >>> found.effects()                        # the mean at every level of each factor
        >>> found.report("report.html")
    """

    def __init__(self, results: Sequence[Result], space: dict[str, Factor], direction: str) -> None:
        self.results = tuple(sorted(results, key=lambda result: result.number))
        self.space, self.direction = space, direction

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __getitem__(self, k: Any) -> Any:
        return self.results[k]

    def ranked(self) -> list[Result]:
        """The complete trials, the best first."""
        sign = 1.0 if self.direction == "minimize" else -1.0
        return sorted((r for r in self.results if r.state == "complete"), key=lambda r: sign * r.value)

    @property
    def best(self) -> Result:
        """The best trial.

        Raises:
            ValueError: no trial is complete.
        """
        ranked = self.ranked()
        if not ranked:
            raise ValueError("no trial is complete")
        return ranked[0]

    def values(self, result: Result) -> dict[str, Any]:
        """The values that a trial was given, such as its circuit: name -> value."""
        return {name: factor.value(result.parameters[name]) for name, factor in self.space.items()}

    def effects(self) -> list[Level]:
        """The mean value at every level of each factor, over all settings of the others and all seeds."""
        complete = self.ranked()
        rng, found = np.random.default_rng(0), []
        for name, factor in self.space.items():
            for level, values in _levels(name, factor, complete):
                draws = values[rng.integers(0, len(values), (1000, len(values)))].mean(axis=1)
                low, high = np.quantile(draws, [0.025, 0.975]).tolist()
                found.append(Level(name, level, float(values.mean()), low, high, len(values)))
        return found

    @property
    def table(self) -> Any:
        """A row for each trial: a frame of pandas if that is installed, else a list of dictionaries."""
        rows = [
            {"number": r.number, **r.parameters, "repeat": r.repeat, "seed": r.seed, "state": r.state,
             "value": r.value, "seconds": r.seconds}
            for r in self.results
        ]  # fmt: skip
        return frame(rows)

    def report(self, path: str | os.PathLike[str], title: str = "Experiment") -> None:
        """Write a page: the best trials and their circuits, learning curves, the effect of each factor."""
        from .page import page_of

        file = as_path("path", path)
        replace_files({file: page_of(self, text("title", title)).encode("utf-8", "replace")})

    def __repr__(self) -> str:
        states = [r.state for r in self.results]
        counts = ", ".join(f"{states.count(s)} {s}" for s in ("complete", "pruned", "fail") if s in states)
        best = f"; best {self.best.value:.4g}, trial {self.best.number}" if "complete" in states else ""
        return f"Experiment({counted(len(self), 'trial')}: {counts or 'none'}{best})"

    def _repr_html_(self) -> str:
        rows = [(e.factor, e.level, f"{e.mean:.4g}", f"{e.low:.4g} to {e.high:.4g}") for e in self.effects()]
        head = ("factor", "level", "mean", "interval")
        return shown.page(shown.text("Experiment", repr(self)), shown.table("Effects", rows, head))


def outcome_of(plan: Plan) -> Experiment:
    """The results that a store has.

    Raises:
        RuntimeError: every trial failed.
    """
    results = results_of(plan)
    failed = [r for r in results if r.state == "fail"]
    if results and len(failed) == len(results):
        raise RuntimeError(f"every trial failed; the first one with {failed[0].error}")
    return Experiment(results, dict(plan.space), plan.direction)


def results_of(plan: Plan) -> list[Result]:
    """The results that a store has, in its order."""
    running, results = optuna().trial.TrialState.RUNNING, []
    for trial in plan.study.get_trials(deepcopy=False):
        if trial.state != running:
            said = trial.user_attrs
            value = math.nan if trial.value is None or trial.state.name != "COMPLETE" else trial.value
            results.append(
                Result(
                    said.get("number", trial.number), said.get("repeat", 0), said.get("seed", 0),
                    {**trial.params, **said.get("evolved", {})}, trial.state.name.lower(), value,
                    dict(trial.intermediate_values), said.get("seconds", math.nan), said.get("error"),
                )
            )  # fmt: skip
    return results


def _levels(name: str, factor: Factor, results: list[Result]) -> Iterator[tuple[str, Any]]:
    """The levels of a factor and the values there."""
    if isinstance(factor, Choice):
        for told in factor.values:
            values = [r.value for r in results if r.parameters[name] == told]
            if values:
                yield str(told), np.array(values)
        return
    told, unit = (lambda r: r.parameters[name]), ""
    if isinstance(factor, Evolving):  # by their size
        told, unit = (lambda r: factor.value(r.parameters[name]).number_of_edges()), " synapses"
    ordered = sorted(results, key=told)
    for part in np.array_split(np.arange(len(ordered)), 4):
        if len(part):
            ends = told(ordered[part[0]]), told(ordered[part[-1]])
            yield f"{ends[0]:.4g} to {ends[1]:.4g}{unit}", np.array([ordered[k].value for k in part])
