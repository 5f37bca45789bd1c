"""One trial of an experiment: what a train function is given, and how it is run exactly once."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ..arguments import counted, label, scalar, whole
from .evolution import Evolving
from .journal import claimed, optuna, study_of
from .space import Factor, seed_of

_SEEN: WeakKeyDictionary[Any, tuple[set[int], list[int], int]] = WeakKeyDictionary()


class Pruned(Exception):
    """A trial that is given up, because others were better at the same step."""


@dataclass
class Trial:
    """What a train function is given.

    Attributes:
        number: of the trial, from 0.
        seed: for everything that is drawn in it.
        repeat: which repeat of its setting it is, from 0.
        parameters: name -> value, as the space has it; also ``trial["name"]``.
        curve: step -> value, as reported.
    """

    number: int
    seed: int
    repeat: int
    parameters: Mapping[str, Any]
    _folder: Path
    curve: dict[int, float] = field(default_factory=dict)
    _hopeless: Callable[[Trial, int], bool] | None = None

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    @property
    def directory(self) -> Path:
        """A directory of its own, which is there again if the trial is run again after a crash.

        ``gl.fit(..., checkpoint=trial.directory)`` goes on where it was.
        """
        self._folder.mkdir(exist_ok=True)
        return self._folder

    def report(self, step: int, value: float) -> None:
        """Say how good it is after a step, for the learning curve; a hopeless trial ends here if asked for.

        Raises:
            Pruned: it is hopeless, and the experiment has `prune`.
        """
        self.curve[whole("step", step, 0)] = scalar("value", value)
        if self._hopeless is not None and self._hopeless(self, step):
            raise Pruned

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={label(value, 40)}" for name, value in self.parameters.items())
        return f"Trial({self.number}: {given}, seed={self.seed})"


@dataclass(frozen=True)
class Plan:
    """What every process of an experiment knows.

    Attributes:
        train: the function.
        space: the factors.
        settings: labels of every setting; empty if the sampler chooses.
        repeats: how many trials a setting has.
        store, name, direction, seed: of the experiment.
        folder: of the directories of trials.
        prune: whether hopeless trials end early.
        together: whether the function takes all trials of a setting at once.
    """

    train: Callable[[Any], Any]
    space: Mapping[str, Factor]
    settings: list[dict[str, Any]]
    repeats: int
    store: str
    name: str
    direction: str
    seed: int
    folder: Path
    prune: bool
    together: bool = False

    def numbers(self, number: int) -> list[int]:
        """The trials that are run with one: itself, or all of its setting."""
        return list(range(number, number + self.repeats)) if self.together else [number]

    @property
    def study(self) -> Any:
        """Optuna's study in this process."""
        return study_of(self.store, self.name, self.direction, os.getpid())


def done(study: Any) -> set[int]:
    """The numbers of the trials that have a result; those seen before are not looked at again."""
    running = optuna().trial.TrialState.RUNNING
    found, unfinished, seen = _SEEN.setdefault(study, (set(), [], 0))
    there = study.get_trials(deepcopy=False)
    left = [*(there[k] for k in unfinished), *there[seen:]]
    found |= {t.user_attrs.get("number", t.number) for t in left if t.state != running}
    _SEEN[study] = found, [t.number for t in left if t.state == running], len(there)
    return found


def run_trial(plan: Plan, number: int, asked: tuple[int, dict[str, Any]] | None = None) -> bool:
    """Run one trial and record its result, unless somebody else does or did; whether it was recorded.

    `asked` is the number that Optuna gave a trial that its sampler chose, and its labels. In a plan whose
    seeds are `together`, all trials of a setting are run whose first one has this number.
    """
    with claimed(plan.folder, number) as mine:
        study, numbers = plan.study, plan.numbers(number)
        left = set(numbers) - done(study)
        if not mine or not left:
            return False
        told = plan.settings[number // plan.repeats] if asked is None else asked[1]
        hopeless = (lambda trial, step: _hopeless(study, trial, step, plan.direction)) if plan.prune else None
        # All of them, even where some are recorded: another ensemble might draw other random numbers.
        trials = [_trial(plan, each, told, hopeless) for each in numbers]
        begun, state, error = time.perf_counter(), "COMPLETE", None
        values = [math.nan] * len(trials)
        try:
            if plan.together:
                values = _numbers(plan.train(trials), len(trials))
            else:
                values = [_number(plan.train(trials[0]))]
        except Pruned:
            state = "PRUNED"
        except Exception as problem:
            state, error = "FAIL", f"{type(problem).__name__}: {problem}"[:2000]
        seconds = (time.perf_counter() - begun) / len(trials)
        for trial, value in zip(trials, values, strict=True):
            if trial.number in left:
                attributes: dict[str, Any] = {"number": trial.number, "repeat": trial.repeat}
                attributes |= {"seed": trial.seed, "error": error, "seconds": seconds}
                _record(plan, study, told, state, value, trial.curve, attributes, asked)
        return True


def _trial(plan: Plan, number: int, told: dict[str, Any], hopeless: Any) -> Trial:
    values = {name: factor.value(told[name]) for name, factor in plan.space.items()}
    folder = plan.folder / f"{number:06d}"
    return Trial(
        number, seed_of(plan.seed, number), number % plan.repeats, values, folder, _hopeless=hopeless
    )


def _numbers(values: Any, count: int) -> list[float]:
    if not isinstance(values, Iterable) or len(found := list(values)) != count:
        raise TypeError(
            f"train must return {counted(count, 'number')}, one for each trial, got {label(values)}"
        )
    return [_number(value) for value in found]


def _record(
    plan: Plan, study: Any, told: Any, state: str, value: float, curve: Any, attributes: Any, asked: Any
) -> None:
    """One entry of Optuna's for the result, at once: there is all of it or nothing."""
    found = optuna()
    if asked is not None:
        trial = found.trial.Trial(study, study._storage.get_trial_id_from_study_id_trial_number(
            study._study_id, asked[0]))  # fmt: skip
        for step, at in sorted(curve.items()):
            trial.report(at, step)
        for name, each in attributes.items():
            trial.set_user_attr(name, each)
        study.tell(
            asked[0], value if state == "COMPLETE" else None, state=getattr(found.trial.TrialState, state)
        )
        return
    # Of circuits that evolve there is no end, which Optuna's categories must have.
    evolved = {name: told[name] for name, factor in plan.space.items() if isinstance(factor, Evolving)}
    study.add_trial(
        found.trial.create_trial(
            state=getattr(found.trial.TrialState, state),
            value=value if state == "COMPLETE" else None,
            params={name: value for name, value in told.items() if name not in evolved},
            distributions={
                name: factor.distribution(found) for name, factor in plan.space.items() if name not in evolved
            },
            user_attrs={**attributes, "evolved": evolved},
            intermediate_values=curve,
        )
    )


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"train must return a number, got {label(value)}") from None
    if math.isnan(found):
        raise ValueError("train returned nan")
    return found


def _hopeless(study: Any, trial: Trial, step: int, direction: str) -> bool:
    """Whether it is worse than the median of what finished trials had at this step, five of them at least."""
    complete = optuna().trial.TrialState.COMPLETE
    others = [
        t.intermediate_values[step]
        for t in study.get_trials(deepcopy=False, states=(complete,))
        if step in t.intermediate_values
    ]
    if len(others) < 5:
        return False
    middle = sorted(others)[len(others) // 2]
    worse = trial.curve[step] > middle if direction == "minimize" else trial.curve[step] < middle
    return bool(worse)
