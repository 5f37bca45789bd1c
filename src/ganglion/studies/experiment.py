"""`experiment`: a train function over a space and seeds, on one process, several or a cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

from ..arguments import at_home, flag, function_of, one_of, seed_number, text, whole
from ..interchange.origins import surroundings
from .evolution import Evolving, bred
from .journal import claimed, optuna, require_journal
from .outcome import Experiment, Result, outcome_of, results_of
from .space import MOST_TRIALS, planned, space_of
from .trials import Plan, done, run_trial

SEARCHES = ("grid", "random", "bayesian", "evolutionary")
DIRECTIONS = ("minimize", "maximize")
TOLD = "told_in_the_store"
"""The attribute of a sweep's function that holds, as texts by name, what else its experiment is of."""
AGAIN = 20
"""How often workers are started again without that a trial ended meanwhile."""


def experiment(
    train: Callable[[Any], Any],
    space: Any,
    *,
    seeds: int = 1,
    trials: int | None = None,
    search: str = "grid",
    population: int = 16,
    store: str | os.PathLike[str] = "experiment.journal",
    name: str = "experiment",
    direction: str = "minimize",
    prune: bool = False,
    together: bool = False,
    workers: int = 1,
    backend: str | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Experiment:
    """Train over a space of settings and seeds, and keep every result; a run that was stopped goes on.

    Every trial ends with exactly one result: one whose process died is run again, in its own directory with
    its checkpoints. Seeds and, for a grid and a random search, settings are functions of `seed` and the
    trial's number alone, so that a run with interruptions is the run without, to the bit if `train` is. With
    search="evolutionary" they are functions of the results of the generations before, too. With
    search="bayesian" later settings depend on the results there are, and so on interruptions; `prune` ends
    trials by the others that are done, and depends on them, too.

    Args:
        train: given a `Trial`, returns a number. In several processes it must be a function that can be
            pickled, of a module or of a notebook.
        space: name -> a list of values, a mapping from labels to values such as circuits, a range (low,
            high) or (low, high, "log"), or circuits that evolve by edits: `gl.studies.Evolving`.
        seeds: how many trials every setting has, each with a seed of its own.
        trials: how many settings are tried, for a random, a Bayesian or an evolutionary search.
        search: "grid", "random", "bayesian" (Optuna's tree-structured Parzen estimator), or "evolutionary"
            (the settings of a generation are children of the best quarter of all before).
        population: how many settings a generation has.
        store: Optuna's journal file, or the address of a database such as "postgresql://...". Directories of
            trials are beside the file, or in the working directory.
        name: of the experiment in the store.
        direction: "minimize" or "maximize".
        prune: whether a trial ends that reports a value worse than the median of the others at its step.
        together: whether `train` takes all trials of a setting at once, which differ in their seeds alone,
            in a list, and returns as many numbers: so that their networks can be one `gl.ensemble`, which
            trains several times as fast.
        workers: processes; with a `backend` of joblib, tasks at a time.
        backend: "loky" (processes, the default), or any that joblib knows, such as "dask" with a client of a
            cluster; also from ``joblib.parallel_config``.
        seed: of the settings and of the seeds of trials.
        progress: whether to count on standard error; where that is a terminal, if not given.

    Raises:
        ImportError: without the extra ``ganglion-mlx[studies]``.
        ValueError, TypeError: an argument that does not fit, or a store whose experiment is another one.
        RuntimeError: every trial failed; the message has the first error. Or another process runs trials of a
            generation, of which the next one is to come.

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
    function_of("train", train, "a list of trials" if together else "a trial")
    factors = space_of(space)
    one_of("search", search, SEARCHES)
    one_of("direction", direction, DIRECTIONS)
    seeds, workers, seed = whole("seeds", seeds), whole("workers", workers), seed_number(seed)
    population = whole("population", population, 2)
    if flag("prune", prune) and flag("together", together):
        raise ValueError("prune=True ends single trials, and together=True has all of a setting in one")
    text("name", name)
    if backend is not None:
        text("backend", backend)
    show = sys.stderr.isatty() if progress is None else flag("progress", progress)
    bred_later = search in ("bayesian", "evolutionary")
    settings = [] if bred_later else planned(factors, search, trials, seed)
    if len(settings) * seeds > MOST_TRIALS:
        raise ValueError(f"{len(settings)} settings with {seeds} seeds are more than {MOST_TRIALS} trials")
    if bred_later and trials is None:
        raise ValueError(f"search={search!r} needs trials=, how many settings are tried")
    if search == "bayesian" and seeds != 1:
        raise ValueError("a Bayesian search has one seed for each setting")
    evolving = [name for name, factor in factors.items() if isinstance(factor, Evolving)]
    if search == "bayesian" and evolving:
        raise ValueError(f"{evolving[0]} evolves: search='evolutionary' and 'random' know how")
    address = store if isinstance(store, str) and "://" in store else str(at_home("store", store).absolute())
    folder = Path(name if "://" in address else f"{address}.trials").absolute()
    optuna()
    if "://" not in address and os.path.lexists(address):
        require_journal(Path(address))
    if "://" not in address:
        Path(address).parent.mkdir(parents=True, exist_ok=True)
        Path(address).touch()
    plan = Plan(train, factors, settings, seeds, address, name, direction, seed, folder, prune, together)
    description = {"space": sorted(factors), "search": search, "seeds": seeds, "seed": seed}
    if search == "evolutionary":
        description["population"] = population
    description |= getattr(train, TOLD, {})
    _same(plan, description | {"direction": direction, "settings": str(settings[:50])})
    if search == "bayesian":
        _chosen(plan, whole("trials", trials), workers, backend, show)
    elif search == "evolutionary":
        plan = _evolved(plan, whole("trials", trials), population, workers, backend, show)
    else:
        _all(plan, _wanted(plan, 0), workers, backend, show)
    return outcome_of(plan)


def _wanted(plan: Plan, first: int) -> list[Any]:
    """The trials of all settings from one on; where seeds are together, the first of each."""
    step = plan.repeats if plan.together else 1
    return [(k, None) for k in range(first * plan.repeats, len(plan.settings) * plan.repeats, step)]


def _all(plan: Plan, wanted: list[Any], workers: int, backend: str | None, show: bool) -> None:
    """Run trials until each has a result, whatever becomes of the workers."""
    attempt, before = 0, -1
    while True:
        known = done(plan.study)
        left = [each for each in wanted if not known.issuperset(plan.numbers(each[0]))]
        attempt, before = 0 if len(left) != before else attempt + 1, len(left)
        if not left or attempt == AGAIN:  # somebody else may be at it
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
        client = getattr(joblib.parallel.get_active_backend()[0], "client", None)
        if client is not None:
            _on_cluster(client, plan, left, workers)
            return
        pool = joblib.Parallel(n_jobs=workers, batch_size=1, pre_dispatch=2 * workers)
        pool(joblib.delayed(run_trial)(plan, number, asked) for number, asked in left)


def _on_cluster(client: Any, plan: Plan, left: Iterable[Any], workers: int) -> None:
    """The same on the cluster of a client of Dask's.

    Dask gives a trial up when four workers have died over it, and joblib then waits for ever.
    """
    import distributed

    waiting, as_completed = iter(left), cast(Any, distributed.as_completed)

    def begun(count: int) -> list[Any]:
        return [client.submit(run_trial, plan, *each, pure=False) for each in islice(waiting, count)]

    running, given_up = as_completed(begun(2 * workers)), None
    for future in running:
        given_up = future.exception() if future.status == "error" else given_up
        running.update(begun(1))
    if given_up is not None:
        raise given_up


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


def _evolved(plan: Plan, trials: int, population: int, workers: int, backend: str | None, show: bool) -> Plan:
    """Generation after generation, each of settings that come from the results of those before."""
    sign = 1.0 if plan.direction == "minimize" else -1.0
    while len(plan.settings) < trials:
        found: dict[int, list[float]] = {}
        results = results_of(plan)
        _require_results(plan, results)
        for result in results:
            value = sign * result.value if result.state == "complete" else float("inf")
            found.setdefault(result.number // plan.repeats, []).append(value)
        known = [(told, sum(found[k]) / len(found[k])) for k, told in enumerate(plan.settings)]
        first = len(known)
        new = bred(plan.space, known, min(population, trials - first), plan.seed)
        plan = replace(plan, settings=[*plan.settings, *new])
        _require_settings(plan, results)
        _all(plan, _wanted(plan, first), workers, backend, show)
    return plan


def _require_results(plan: Plan, results: Sequence[Result]) -> None:
    """Refuse to breed from a part of the results, which would give other children than the whole of them."""
    left = sorted(set(range(len(plan.settings) * plan.repeats)) - {result.number for result in results})
    if left:
        raise RuntimeError(
            f"the next generation needs the results of all trials before it, and {len(left)} have none, "
            f"trial {left[0]} first: another process runs them, or their workers died; run this again when "
            "that one has ended"
        )


def _require_settings(plan: Plan, results: Sequence[Result]) -> None:
    """Refuse results of other settings than those that this experiment comes to."""
    for result in results:
        k = result.number // plan.repeats
        if k < len(plan.settings) and result.parameters != plan.settings[k]:
            differing = min(key for key in plan.space if result.parameters.get(key) != plan.settings[k][key])
            raise ValueError(
                f"the store has another experiment {plan.name!r}, with another {differing} in trial "
                f"{result.number}: give this one another name= or store="
            )


def _same(plan: Plan, description: dict[str, Any]) -> None:
    """Refuse a store that has an experiment of this name with other settings."""
    study = plan.study  # before there is a folder, since there may be no such database
    plan.folder.mkdir(parents=True, exist_ok=True)
    with claimed(plan.folder, 2**40):
        known = study.user_attrs.get("experiment")
        if known is None:
            study.set_user_attr("provenance", surroundings())
            study.set_user_attr("experiment", description)
        elif differing := [key for key, value in description.items() if known.get(key, value) != value]:
            raise ValueError(
                f"the store has another experiment {plan.name!r}, with another {', '.join(differing)}: give "
                "this one another name= or store="
            )
