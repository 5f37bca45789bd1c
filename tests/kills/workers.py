"""Kill the workers of an experiment at random moments, and look at the results.

    make kills
    python -m tests.kills.workers --backend dask --moments 15 --seed 0

An experiment runs in a process of its own on two workers, of joblib's loky or of a Dask cluster that is
started here; at moments that are drawn one that has a trial is killed (kill -9). In the end there must be
one result of each trial, the one that nobody would have disturbed, and a trial that was begun again must
have begun where its checkpoint was. It ends with 1 if not.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ganglion as gl
from ganglion.studies import Trial
from ganglion.studies.journal import study_of
from ganglion.studies.space import seed_of

STEPS, PAUSE, SEEDS, PATIENCE = 12, 0.05, 4, 600.0
SPACE = {"x": [1, 2, 3, 4, 5, 6]}
TRIALS = SEEDS * len(SPACE["x"])


def train(trial: Trial) -> float:
    """Steps with a checkpoint behind each; it says who runs it, and where it began."""
    folder = trial.directory
    state = folder / "state"
    step = int(state.read_text()) if state.exists() else 0
    with (folder / "begun").open("a") as file:
        file.write(f"{os.getpid()} {step}\n")
    while step < STEPS:
        time.sleep(PAUSE)
        step += 1
        new = state.with_suffix(".new")
        new.write_text(str(step))
        os.replace(new, state)
        trial.report(step, trial["x"] / step)
    return float(trial["x"] + 1e-9 * trial.seed)


def drive(store: Path, backend: str) -> None:
    """The experiment, on two workers."""
    from tests.kills.workers import train  # a function of a module, which workers import, not of a script

    with ExitStack() as stack:
        if backend == "dask":
            import dask
            import distributed
            import joblib

            # A local cluster drops for good whoever is away when so long has passed since it last went.
            stack.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}))
            cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
            stack.enter_context(cluster)
            stack.enter_context(distributed.Client(cluster))
            stack.enter_context(joblib.parallel_config("dask"))
        gl.experiment(train, SPACE, seeds=SEEDS, store=store, workers=2, backend=backend, progress=False)


def begun(folder: Path) -> list[tuple[int, int]]:
    """(process, step) of every time that a trial was begun, so far as it is written."""
    try:
        lines = (folder / "begun").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [(int(process), int(step)) for process, step in (line.split() for line in lines)]


def busy(trials: Path) -> list[int]:
    """The processes that have a trial which is not done, and had one before.

    A worker of Dask's that dies before its nanny knows that it has started is never replaced.
    """
    last, count = set(), Counter[int]()
    for folder in trials.glob("0*"):
        runs, state = begun(folder), folder / "state"
        count.update(process for process, _ in runs)
        if runs and not (state.exists() and state.read_text() == str(STEPS)):
            last.add(runs[-1][0])
    return sorted(process for process in last if count[process] > 1 and alive(process))


def alive(process: int) -> bool:
    """Whether a process runs; one that is dead and that nobody has asked for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def disturbed(store: Path, backend: str, moments: int, rng: random.Random) -> int:
    """Run the experiment and kill workers; how many were killed."""
    command = [sys.executable, "-m", "tests.kills.workers", "--drive", str(store), "--backend", backend]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    driver = subprocess.Popen(command, **quiet)
    end, killed = time.monotonic() + PATIENCE, 0
    while driver.poll() is None and time.monotonic() < end:
        time.sleep(rng.uniform(0.0, 2 * STEPS * PAUSE))
        there = busy(Path(f"{store}.trials")) if killed < moments else []
        if there:
            os.kill(rng.choice(there), signal.SIGKILL)
            killed += 1
    if driver.poll() != 0:
        driver.kill()
        raise AssertionError(f"the driver ended with {driver.wait()} behind {killed} kills")
    return killed


def checked(store: Path) -> int:
    """Look at the results; how many trials were begun again."""
    study: Any = study_of(str(store), "experiment", "minimize", os.getpid())
    found = sorted((t.user_attrs["number"], t.params["x"], t.value) for t in study.get_trials())
    wanted = [(k, k // SEEDS + 1, k // SEEDS + 1 + 1e-9 * seed_of(0, k)) for k in range(TRIALS)]
    assert found == wanted, f"results are {found}"
    again = 0
    for folder in Path(f"{store}.trials").glob("0*"):
        steps = [step for _, step in begun(folder)]
        assert steps == sorted(steps), f"{folder.name} was begun at steps {steps}"
        again += len(steps) > 1 and steps[-1] > 0
    return again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--backend", choices=("loky", "dask"), default="loky")
    parser.add_argument("--moments", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(options.drive, options.backend)
        return
    rng, killed, runs, again = random.Random(options.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        while killed < options.moments:
            store = Path(folder, f"{runs}.journal")
            killed += disturbed(store, options.backend, options.moments - killed, rng)
            again += checked(store)
            runs += 1
    assert again, "no trial went on from its checkpoint"
    print(
        f"{options.backend}: {killed} workers killed in {runs} experiments of {TRIALS} trials; each has one "
        f"result, the undisturbed one, and {again} trials went on from their checkpoints"
    )


if __name__ == "__main__":
    main()
