"""Experiments: every planned trial ends with one result, whatever dies, and with the same numbers."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganglion as gl
from ganglion.studies import Evolving, Generator, Trial
from ganglion.studies.journal import FileLock, study_of
from ganglion.studies.space import seed_of

SPACE = {"rate": [0.1, 0.2, 0.3], "kind": ["a", "b"]}


def train(trial: Trial) -> float:
    """Not random but by its seed; its curve is three steps."""
    value = trial["rate"] * (1 + (trial["kind"] == "b")) + 1e-6 * (trial.seed % 1000)
    for step in range(3):
        trial.report(step, value + 2.0 - step)
    return value


def numbers(found: Any) -> list[tuple[Any, ...]]:
    return [
        (r.number, r.repeat, r.seed, tuple(r.parameters.items()), r.value, tuple(r.curve.items()), r.state)
        for r in found
    ]


def test_a_grid_has_every_setting_with_every_seed_once(tmp_path: Path) -> None:
    found = gl.experiment(train, SPACE, seeds=4, store=tmp_path / "e.journal")
    assert [r.number for r in found] == list(range(24))
    assert len({r.seed for r in found}) == 24
    assert {(r.parameters["rate"], r.parameters["kind"], r.repeat) for r in found} == {
        (rate, kind, k) for rate in SPACE["rate"] for kind in SPACE["kind"] for k in range(4)
    }
    assert found.best.parameters == {"rate": 0.1, "kind": "a"}
    assert [level.mean for level in found.effects()][:3] == sorted(
        level.mean for level in found.effects()[:3]
    )
    assert all(level.low <= level.mean <= level.high for level in found.effects())
    again = gl.experiment(train, SPACE, seeds=4, store=tmp_path / "e.journal")
    assert numbers(again) == numbers(found)
    other = gl.experiment(train, SPACE, seeds=4, store=tmp_path / "f.journal", seed=1)
    assert {r.seed for r in other}.isdisjoint({r.seed for r in found})
    assert list((tmp_path / "e.journal.trials").glob("0*")) == []  # of directories that nobody used


def test_a_random_search_draws_what_its_seed_says(tmp_path: Path) -> None:
    space = {"rate": (1e-3, 1e-1, "log"), "units": (4, 64), "kind": ["a", "b"]}

    def value(trial: Trial) -> float:
        assert isinstance(trial["units"], int)
        return trial["rate"]

    found = gl.experiment(value, space, search="random", trials=40, store=tmp_path / "a.journal")
    again = gl.experiment(value, space, search="random", trials=40, store=tmp_path / "b.journal")
    assert numbers(found) == numbers(again)
    rates = np.array([r.parameters["rate"] for r in found])
    assert 0.3 < (rates < 1e-2).mean() < 0.7
    assert {r.parameters["units"] for r in found} > {r.parameters["units"] for r in found[:3]}


def train_together(trials: list[Trial]) -> list[float]:
    assert len({(trial["rate"], trial["kind"]) for trial in trials}) == 1
    return [train(trial) for trial in trials]


@pytest.mark.parametrize("workers", [1, 2])
def test_seeds_of_a_setting_run_together(workers: int, tmp_path: Path) -> None:
    calls: list[int] = []

    def counted(trials: list[Trial]) -> list[float]:
        calls.append(len(trials))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train_together(trials)

    alone = gl.experiment(train, SPACE, seeds=3, store=tmp_path / "e.journal")
    store = tmp_path / "f.journal"
    if workers == 1:
        with pytest.raises(KeyboardInterrupt):
            gl.experiment(counted, SPACE, seeds=3, store=store, together=True)
    backend = None if workers == 1 else "threading"
    found = gl.experiment(
        train_together, SPACE, seeds=3, store=store, together=True, workers=workers, backend=backend
    )
    assert numbers(found) == numbers(alone)
    assert calls == ([3, 3, 3] if workers == 1 else [])


def test_what_does_not_return_a_number_for_each_seed_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"train must return 2 numbers, one for each trial, got 1\.0"):
        gl.experiment(lambda trials: 1.0, {"x": [1]}, seeds=2, store=tmp_path / "e", together=True)


def failing(trial: Trial) -> float:
    if trial["kind"] == "b":
        raise ArithmeticError("went to infinity")
    return train(trial)


def test_a_trial_that_fails_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    found = gl.experiment(failing, SPACE, store=tmp_path / "e.journal")
    assert [r.state for r in found] == ["complete", "fail"] * 3
    assert found[1].error == "ArithmeticError: went to infinity"
    with pytest.raises(RuntimeError, match="every trial failed; the first one with ArithmeticError: went"):
        gl.experiment(failing, {"rate": [0.1], "kind": ["b"]}, store=tmp_path / "f.journal")


def test_hopeless_trials_end(tmp_path: Path) -> None:
    seen = []

    def value(trial: Trial) -> float:
        for step in range(10):
            trial.report(step, trial["x"])
            seen.append((trial.number, step))
        return trial["x"]

    found = gl.experiment(value, {"x": [1, 2, 3, 4, 5, 6, 7]}, prune=True, store=tmp_path / "e.journal")
    assert [r.state for r in found] == ["complete"] * 5 + ["pruned"] * 2
    assert len(seen) == 50


def test_a_bayesian_search_finds_and_goes_on(tmp_path: Path) -> None:
    def value(trial: Trial) -> float:
        if stop and trial.number == 5:
            raise KeyboardInterrupt
        return (trial["x"] - 0.3) ** 2

    stop, store = True, tmp_path / "e.journal"
    with pytest.raises(KeyboardInterrupt):
        gl.experiment(value, {"x": (0.0, 1.0)}, search="bayesian", trials=25, store=store)
    stop = False
    found = gl.experiment(value, {"x": (0.0, 1.0)}, search="bayesian", trials=25, store=store)
    assert [r.number for r in found] == list(range(25))
    assert found.best.value < 0.01


def size(trial: Trial) -> float:
    """Of few synapses, many of which are between command neurons, and of a rate near 0.3."""
    circuit, roles = trial["circuit"], trial["circuit"].nodes(data="role")
    inside = sum(roles[pre] == roles[post] == "command" for pre, post in circuit.edges)
    return circuit.number_of_edges() - 3 * inside + (trial["rate"] - 0.3) ** 2 + 1e-9 * trial.seed


STARTS = {
    "policy": gl.auto_ncp(20, 2, inputs=4, seed=1),
    "random": gl.random(12, inputs=4, outputs=2, seed=1),
}
EVOLVING = {
    "starts": {"circuit": Evolving(STARTS, most_synapses=70), "rate": (0.0, 1.0)},
    "generator": {
        "circuit": Evolving(
            Generator(partial(gl.ncp, motor=2, inputs=4), {
                "inter": (2, 9), "command": (2, 9), "sensory_fanout": (1, 5), "inter_fanout": (1, 5),
                "recurrent_command_synapses": (1, 20), "motor_fanin": (1, 5),
            })
        ),
        "rate": [0.1, 0.3, 0.7],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", EVOLVING)
def test_evolution_gets_better_and_does_not_depend_on_interruptions(kind: str, tmp_path: Path) -> None:
    space, seen = EVOLVING[kind], []

    def interrupted(trial: Trial) -> float:
        seen.append(trial.number)
        if len(seen) in (5, 40, 61):
            raise KeyboardInterrupt
        return size(trial)

    def run(function: Any, name: str) -> Any:
        return gl.experiment(
            function, space, search="evolutionary", trials=40, population=8, seeds=2, store=tmp_path / name
        )

    found = run(size, "e.journal")
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run(interrupted, "f.journal")
    assert numbers(run(interrupted, "f.journal")) == numbers(found)
    assert [r.number for r in found] == list(range(80))
    assert found.best.value < min(r.value for r in found[:16]) - 3  # of the first generation
    for result in found:
        circuit = found.values(result)["circuit"]
        assert not [problem for problem in gl.check(circuit) if problem.severity == "error"]
        assert kind == "generator" or circuit.number_of_edges() <= 70
    found.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert re.search(r"\d+ synapses, \d+ edits? of ", page)
    assert any(level.level.endswith("synapses") for level in found.effects())


def test_a_random_search_draws_circuits_of_a_generator(tmp_path: Path) -> None:
    found = gl.experiment(
        size, EVOLVING["generator"], search="random", trials=6, store=tmp_path / "e.journal", workers=1
    )
    assert len({r.parameters["circuit"] for r in found}) == 6


SCRIPT = """
import os, sys, time
import ganglion as gl

def train(trial):
    state = trial.directory / "state"
    step = int(state.read_text()) if state.exists() else 0
    with open(trial.directory.parent / f"begun-{trial.number}", "a") as file:
        file.write(f"{step}\\n")
    while step < 4:
        time.sleep(0.004)
        step += 1
        new = state.with_suffix(".new")
        new.write_text(str(step))
        os.replace(new, state)
        trial.report(step, trial["x"] + step)
    return trial["x"] + 1e-9 * trial.seed

if __name__ == "__main__":
    gl.experiment(train, {"x": [1, 2, 3, 4, 5]}, seeds=3, store=sys.argv[1], progress=False)
"""


def killed_runs(folder: Path, kills: int) -> Any:
    """An experiment whose driver is killed at random moments, and run again until it ends."""
    script = folder / "run.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder / "e.journal")]
    moments = random.Random(0)
    for _ in range(kills):
        running = subprocess.Popen(command)
        begun = time.monotonic()
        while not (folder / "e.journal.trials").exists() and running.poll() is None:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.25))
        assert time.monotonic() - begun < 60
        running.send_signal(signal.SIGKILL)
        running.wait()
    subprocess.run(command, check=True)


def test_a_driver_that_is_killed_leaves_one_result_of_each_trial(tmp_path: Path) -> None:
    """With GANGLION_KILLS=30, at as many moments; values are those of a run without any, to the bit."""
    killed_runs(tmp_path, int(os.environ.get("GANGLION_KILLS", "1")))
    study = study_of(str(tmp_path / "e.journal"), "experiment", "minimize", os.getpid())
    found = sorted((t.user_attrs["number"], t.params["x"], t.value) for t in study.get_trials())
    assert found == [(k, k // 3 + 1, k // 3 + 1 + 1e-9 * seed_of(0, k)) for k in range(15)]


def suicidal(trial: Trial) -> float:
    marker = trial.directory / "was here"
    if trial.number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return train(trial)


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    found = gl.experiment(suicidal, SPACE, seeds=2, store=tmp_path / "e.journal", workers=2)
    alone = gl.experiment(train, SPACE, seeds=2, store=tmp_path / "f.journal")
    assert numbers(found) == numbers(alone)
    assert (tmp_path / "e.journal.trials" / "000003" / "was here").exists()


def test_a_cluster_of_two_workers_of_which_one_is_killed(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    import joblib

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        found = gl.experiment(
            suicidal, SPACE, seeds=2, store=tmp_path / "e.journal", workers=2, backend="dask"
        )
    assert numbers(found) == numbers(gl.experiment(train, SPACE, seeds=2, store=tmp_path / "f.journal"))


def test_a_line_that_was_cut_short_is_cut_off(tmp_path: Path) -> None:
    store = tmp_path / "e.journal"
    found = gl.experiment(train, {"rate": [0.1], "kind": ["a"]}, store=store)
    with store.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    lock = FileLock(str(store))
    lock.acquire()
    lock.release()
    assert store.read_bytes().endswith(b"}\n")
    again = gl.experiment(train, {"rate": [0.1], "kind": ["a"]}, store=store)
    assert numbers(again) == numbers(found)


def test_the_page_has_circuits_curves_and_effects(tmp_path: Path) -> None:
    circuits = {"small": gl.auto_ncp(12, 2, inputs=3, seed=1), "large": gl.auto_ncp(24, 2, inputs=3, seed=1)}

    def value(trial: Trial) -> float:
        trial.report(0, 1.0)
        trial.report(1, 0.5)
        return float(len(trial["circuit"])) + trial["rate"]

    space = {"circuit": circuits, "rate": (0.0, 1.0)}
    found = gl.experiment(value, space, search="random", trials=12, store=tmp_path / "e.journal")
    found.report(tmp_path / "page.html", title="Wirings & rates")
    page = (tmp_path / "page.html").read_text()
    said = ("Wirings &amp; rates", "circuit = small", "15 neurons", "Learning curves", "The effect of each")
    for words in (*said, "<svg", "rate"):
        assert words in page
    assert "http://www.w3.org/2000/svg" in page
    assert list(found.table.columns)[:3] == ["number", "circuit", "rate"]
    assert repr(found).startswith("Experiment(12 trials: 12 complete; best 15.")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"space": {}}, ValueError, "space is empty"),
        ({"space": {"x": [gl.NCPDense]}}, TypeError, "need labels, as in {'x': {'small': value}}"),
        ({"space": {"x": (2, 1)}}, ValueError, "expected low < high"),
        ({"space": {"x": (0.0, 1.0)}}, ValueError, "a grid needs lists of values, and x is a range"),
        ({"space": {"x": [1, 1]}}, ValueError, "x holds a value twice"),
        ({"search": "random"}, ValueError, "needs trials="),
        ({"search": "evolutionary"}, ValueError, "needs trials="),
        ({"space": {"c": Evolving(STARTS)}}, ValueError, "c is a range or evolves"),
        ({"space": {"c": Evolving(STARTS)}, "search": "bayesian", "trials": 3}, ValueError, "c evolves"),
        ({"search": "tpe"}, ValueError, "unknown search"),
        ({"train": 3}, TypeError, "train must be a function of a trial"),
        ({"prune": True, "together": True}, ValueError, "prune=True ends single trials"),
        ({"seeds": 0}, ValueError, "seeds must be 1 or more"),
    ],
)
def test_mistakes_are_named(changed: Any, error: Any, message: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"train": train, "space": SPACE, "store": tmp_path / "e.journal"} | changed
    with pytest.raises(error, match=message):
        gl.experiment(**given)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Evolving({}), ValueError, "starts is empty"),
        (lambda: Evolving({"a": 3}), TypeError, "starts must be labels and circuits, got 'a'"),
        (lambda: Evolving(STARTS, most_synapses=0), ValueError, "most_synapses must be 1 or more"),
        (lambda: Evolving(STARTS, share=2), ValueError, "share must be from 0"),
        (lambda: Generator(3, {}), TypeError, "a generator is a function"),
        (lambda: Generator(gl.random, {"units": 3}), ValueError, "units is 3: expected"),
        (
            lambda: Generator(partial(gl.random, inputs=3, outputs=5), {"units": (1, 2)}).drawn(
                np.random.default_rng(0)
            ),
            ValueError,
            "gave no circuit",
        ),
    ],
)
def test_mistakes_of_circuits_that_evolve_are_named(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_another_experiment_in_a_store_is_refused(tmp_path: Path) -> None:
    gl.experiment(train, SPACE, store=tmp_path / "e.journal")
    with pytest.raises(ValueError, match="another experiment 'experiment', with another seeds"):
        gl.experiment(train, SPACE, seeds=2, store=tmp_path / "e.journal")
    assert len(gl.experiment(train, SPACE, seeds=2, store=tmp_path / "e.journal", name="b")) == 12


@pytest.mark.parametrize("trials", [8, 16])
def test_another_evolution_in_a_store_is_refused(trials: int, tmp_path: Path) -> None:
    """Numbers alone would give new circuits the results of old ones."""

    def run(most: int, trials: int) -> Any:
        space = {"circuit": Evolving(STARTS, most_synapses=most), "rate": (0.0, 1.0)}
        return gl.experiment(
            size, space, search="evolutionary", trials=trials, population=8, store=tmp_path / "e.journal"
        )

    assert len(run(20, 8)) == 8
    with pytest.raises(ValueError, match="another experiment 'experiment', with another circuit in trial"):
        run(40, trials)
    assert len(run(20, 16)) == 16


HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.lockf(file, fcntl.LOCK_EX, 1, 2)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_generation_needs_all_results_of_the_one_before(tmp_path: Path) -> None:
    """While another process has one of its trials, there is no next one."""

    def run() -> Any:
        space = {"circuit": Evolving(STARTS), "rate": (0.0, 1.0)}
        return gl.experiment(
            size, space, search="evolutionary", trials=8, population=4, store=tmp_path / "e.journal"
        )

    folder = tmp_path / "e.journal.trials"
    folder.mkdir()
    command = [sys.executable, "-c", HOLDER, str(folder / "claims.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RuntimeError, match="and 1 have none, trial 2 first: another process runs them"):
            run()
        holder.communicate(b"")
    assert [r.number for r in run()] == list(range(8))
