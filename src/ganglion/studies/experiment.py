"""`experiment`: a train function over a space and seeds, on one process, several or a cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..arguments import at_home, flag, label, one_of, seed_number, text, whole
from .journal import claimed, optuna
from .outcome import Experiment, outcome_of
from .space import planned, space_of
from .trials import Plan, Trial, done, run_trial

SEARCHES = ("grid", "random", "bayesian")
DIRECTIONS = ("minimize", "maximize")
AGAIN = 20
"""How often workers are started again after one died."""


def experiment(
    train: Callable[[Trial], float],
    space: Any,
    *,
    seeds: int = 1,
    trials: int | None = None,
    search: str = "grid",
    store: str | os.PathLike[str] = "experiment.journal",
    name: str = "experiment",
    direction: str = "minimize",
    prune: bool = False,
    workers: int = 1,
    backend: str | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Experiment:
    """Train over a space of settings and seeds, and keep every result; a run that was stopped goes on.

    Every trial ends with exactly one result: one whose process died is run again, in its own directory with
    its checkpoints. Seeds and, for a grid and a random search, settings are functions of `seed` and the
    trial's number alone, so that a run with interruptions is the run without, to the bit if `train` is. With
    search="bayesian" later settings depend on the results there are, and so on interruptions; `prune` ends
    trials by the others that are done, and depends on them, too.

    Args:
        train: given a `Trial`, returns a number. In several processes it must be a function that can be
            pickled, of a module or of a notebook.
        space: name -> a list of values, a mapping from labels to values such as circuits, or a range (low,
            high) or (low, high, "log").
        seeds: how many trials every setting has, each with a seed of its own.
        trials: how many settings are tried, for a random or a Bayesian search.
        search: "grid", "random", or "bayesian" (Optuna's tree-structured Parzen estimator).
        store: Optuna's journal file, or the address of a database such as "postgresql://...". Directories of
            trials are beside the file, or in the working directory.
        name: of the experiment in the store.
        direction: "minimize" or "maximize".
        prune: whether a trial ends that reports a value worse than the median of the others at its step.
        workers: processes; with a `backend` of joblib, tasks at a time.
        backend: "loky" (processes, the default), or any that joblib knows, such as "dask" with a client of a
            cluster; also from ``joblib.parallel_config``.
        seed: of the settings and of the seeds of trials.
        progress: whether to count on standard error; where that is a terminal, if not given.

    Raises:
        ImportError: without the extra ``ganglion-mlx[studies]``.
        ValueError, TypeError: an argument that does not fit, or a store whose experiment is another one.
        RuntimeError: every trial failed; the message has the first error.

    Example:
        >>> def train(trial):
        ...     mx.random.seed(trial.seed)
        ...     rnn = gl.LTC(trial["circuit"])
        ...     optimizer = optim.Adam(trial["rate"], bias_correction=True)
        ...     history = gl.fit(rnn, data, loss=gl.training.mse, optimizer=optimizer, epochs=20)
        ...     return history.loss[-1]
        >>> found = gl.experiment(train, {"circuit": wirings, "rate": [0.01, 0.003]}, seeds=5)
        >>> found.best
    """
    if not callable(train):
        raise TypeError(f"train must be a function of a trial, got {label(train)}")
    factors = space_of(space)
    one_of("search", search, SEARCHES)
    one_of("direction", direction, DIRECTIONS)
    for what, value in (("seeds", seeds), ("workers", workers)):
        whole(what, value)
    flag("prune", prune)
    seed_number(seed)
    text("name", name)
    show = sys.stderr.isatty() if progress is None else flag("progress", progress)
    settings = [] if search == "bayesian" else planned(factors, search, trials, seed)
    if search == "bayesian" and (trials is None or seeds != 1):
        raise ValueError("a Bayesian search needs trials= and has one seed for each")
    address = store if isinstance(store, str) and "://" in store else str(at_home("store", store).absolute())
    folder = Path(name if "://" in address else f"{address}.trials").absolute()
    optuna()
    folder.mkdir(parents=True, exist_ok=True)
    if "://" not in address:
        Path(address).touch()
    plan = Plan(train, factors, settings, seeds, address, name, direction, seed, folder, prune)
    description = {"space": sorted(factors), "search": search, "seeds": seeds, "seed": seed}
    _same(plan, description | {"direction": direction, "settings": str(settings[:50])})
    if search == "bayesian":
        _chosen(plan, whole("trials", trials), workers, backend, show)
    else:
        _all(plan, [(k, None) for k in range(len(settings) * seeds)], workers, backend, show)
    return outcome_of(plan)


def _all(plan: Plan, wanted: list[Any], workers: int, backend: str | None, show: bool) -> None:
    """Run trials until each has a result, whatever becomes of the workers."""
    for attempt in range(AGAIN):
        known = done(plan.study)
        left = [each for each in wanted if each[0] not in known]
        if not left:
            break
        if workers == 1 and backend is None:
            for count, (number, asked) in enumerate(left, 1):
                run_trial(plan, number, asked)
                if show:
                    print(f"\rexperiment: {count} of {len(left)}", end="", file=sys.stderr, flush=True)
            break
        try:
            _in_parallel(plan, left, workers, backend)
        except Exception as error:
            if attempt == AGAIN - 1 or "Worker" not in type(error).__name__:
                raise
    if show:
        print(file=sys.stderr)


def _in_parallel(plan: Plan, left: Iterable[Any], workers: int, backend: str | None) -> None:
    try:
        import joblib  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise ImportError("several workers need joblib: pip install 'ganglion-mlx[studies]'") from None
    # By a context, since Parallel gives Dask an option of its own; one trial at a time, for progress.
    with joblib.parallel_config(backend) if backend is not None else nullcontext():
        pool = joblib.Parallel(n_jobs=workers, batch_size=1, pre_dispatch=2 * workers)
        pool(joblib.delayed(run_trial)(plan, number, asked) for number, asked in left)


def _chosen(plan: Plan, trials: int, workers: int, backend: str | None, show: bool) -> None:
    """Trials whose settings Optuna chooses by the results there are, as many at a time as workers."""
    states = optuna().trial.TrialState
    distributions = {name: factor.distribution(optuna()) for name, factor in plan.space.items()}
    while True:
        there = plan.study.get_trials(deepcopy=False)
        begun = [(t.number, (t.number, dict(t.params))) for t in there if t.state == states.RUNNING]
        count = len(there)
        while len(begun) < workers and count < trials:
            asked = plan.study.ask(distributions)
            asked.set_user_attr("number", asked.number)
            begun.append((asked.number, (asked.number, dict(asked.params))))
            count += 1
        if not begun:
            return
        _all(plan, begun, workers, backend, show)


def _same(plan: Plan, description: dict[str, Any]) -> None:
    """Refuse a store that has an experiment of this name with other settings."""
    with claimed(plan.folder, 2**40):
        known = plan.study.user_attrs.get("experiment")
        if known is None:
            plan.study.set_user_attr("experiment", description)
        elif known != description:
            differing = [key for key in description if known.get(key) != description[key]]
            raise ValueError(
                f"the store has another experiment {plan.name!r}, with another {', '.join(differing)}: give "
                "this one another name= or store="
            )
