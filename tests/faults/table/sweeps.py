"""Sweeps that cannot be run: their files, their spaces and their stores."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .environment import without
from .fault import Fault, written
from .outputs import filling, folder
from .signals import ended

GIVEN = {
    "circuits": '["good.json"]',
    "data": '"good.csv"',
    "targets": '["motor_0", "motor_1"]',
    "epochs": "1",
}
SPACE = "window = [8]"
SWEEP = "sweep s.toml"


def said(space: str = SPACE, **changes: str | None) -> str:
    """The text of a sweep; None leaves a line out."""
    lines = [f"{key} = {value}\n" for key, value in {**GIVEN, **changes}.items() if value is not None]
    return f"{''.join(lines)}\n[space]\n{space}\n"


def file(content: str | bytes) -> Callable[[], object]:
    return written("s.toml", content)


def text(given: str, content: str | bytes, says: str) -> Fault:
    return Fault(given, SWEEP, says, file(content))


def with_store(given: str, make: Callable[[Path], Any], says: str, left: tuple[str, ...] = ()) -> Fault:
    def put() -> None:
        file(said())()
        make(Path("d"))

    return Fault(f"a store that is {given}", f"{SWEEP} --store d", says, put, left=left)


RANDOM = {"search": '"random"', "trials": "2"}
TRAINED = ("s.journal", "s.journal…")
ROWS = [
    Fault("no sweep", "sweep nothing.toml", "nothing.toml: No such file or directory"),
    Fault("the current folder", "sweep .", ".: this is a directory, expected a file"),
    Fault("a folder", SWEEP, "s.toml: this is a directory", lambda: os.mkdir("s.toml")),
    Fault("a pipe", SWEEP, "s.toml: this is a pipe", lambda: os.mkfifo("s.toml")),
    Fault("a device", SWEEP, "s.toml: this is a device", lambda: os.symlink("/dev/zero", "s.toml")),
    text("nothing in it", "", "circuits is missing"),
    text("no TOML", "a = = 1", "this is no TOML: Invalid value"),
    text("no text", b"\xff\xfe", "this is no TOML: 'utf-8'"),
    text("100,000 brackets", "a = " + "[" * 100_000, "this is nested too deeply"),
    text("an unknown word", said(speed="3"), "unknown 'speed': expected some of circuits"),
    text("a word that steers the terminal", '"\\u001b[31m" = 1', r"unknown '\x1b[31m'"),
    text("a word of a million letters", f'"{"k" * 1_000_000}" = 1', "unknown 'kkk"),
    text("circuits in a text", said(circuits='"good.json"'), "circuits must be a list of files"),
    text("no circuits", said(circuits="[]"), "circuits is empty"),
    text("two circuits of a name", said(circuits='["good.json", "./good.json"]'), "two circuits are called"),
    text("a circuit that is not there", said(circuits='["nowhere.json"]'), "there is no file …nowhere.json"),
    text("a circuit of no path", said(circuits='["a\\u0000b.json"]'), "which is no path of a file"),
    text("a number for data", said(data="3"), "data must be a text, got 3"),
    text("data that are not there", said(data='"nowhere.csv"'), "nowhere.csv: No such file"),
    Fault(
        "data in a pipe",
        SWEEP,
        "p.csv: this is a pipe",
        lambda: (file(said(data='"p.csv"'))(), os.mkfifo("p.csv")),
    ),
    text("no such target", said(targets='["motor_0", "other"]'), "no column 'other'"),
    text("too few targets", said(targets='["motor_0"]'), "1 target ('motor_0') for a circuit of 2"),
    text("numbers for targets", said(targets="[1, 2]"), "a column must be a text, got 1"),
    text("a text for inputs", said(inputs='"sensory_0"'), "inputs must be a list of names"),
    text("true for times", said(time="true"), "time must be a text, got True"),
    text("a list for groups", said(group="[1]"), "group must be a text, got [1]"),
    text("no epochs", said(epochs="0"), "epochs must be 1 or more, got 0"),
    text("a date for epochs", said(epochs="2026-01-01"), "epochs must be a whole number"),
    text("two billion seeds", said(seeds="2000000000"), "are more than 1000000 trials"),
    text("half a seed", said(seeds="1.5"), "seeds must be a whole number, got 1.5"),
    text("a search of its own", said(search='"greedy"'), "unknown search 'greedy'"),
    text("a random search without end", said(search='"random"'), "needs trials="),
    text("two billion settings", said(search='"random"', trials="2000000000"), "trials must be 1000000 or"),
    text("a search by Bayes without end", said(search='"bayesian"'), "search='bayesian' needs trials="),
    text("a negative seed", said(seed="-1"), "seed must be 0 or more, got -1"),
    text("a number for a name", said(name="5"), "name must be a text, got 5"),
    text("a space of a word that is none", said("speed = [1]"), "[space] may have batch_size"),
    text("another cell", said('cell = ["gru"]'), "unknown cell 'gru'"),
    text("a text for a rate", said('learning_rate = ["fast"]'), "learning_rate must be a number"),
    text("a rate of nan", said("learning_rate = [nan]"), "learning_rate must be finite and above 0, got nan"),
    text("a range in a grid", said("learning_rate = {low = 0.1, high = 0.2}"), "is a range"),
    text("a range that falls", said("window = {low = 9, high = 8}", **RANDOM), "expected low < high"),
    text("a range to infinity", said("learning_rate = {low = 0.1, high = inf}", **RANDOM), "finite"),
    text(
        "a range beyond all", said("window = {low = 1, high = 9223372036854775807}", **RANDOM), "or less, got"
    ),
    text("a range without an end", said("window = {low = 1}", **RANDOM), "window must be a"),
    text("a value twice", said("window = [8, 8]"), "window holds a value twice"),
    text("no values", said("window = []"), "window must be a list of values"),
    text("a list of lists", said("window = [[8]]"), "window must be a whole number, got [8]"),
    text(
        "a grid of 27 million",
        said("\n".join(f"{name} = {list(range(1, 301))}" for name in ("window", "batch_size", "clip_norm"))),
        "the grid has 27000000 settings",
    ),
    with_store("a folder", Path.mkdir, "d: this is a directory"),
    with_store("a pipe", os.mkfifo, "d: this is a pipe"),
    with_store("a device", lambda path: path.symlink_to("/dev/full"), "this is a device"),
    with_store("a link to itself", lambda path: path.symlink_to("d"), "symbolic links"),
    with_store("a text", lambda path: path.write_text("hello\n"), "this is no store of experiments"),
    with_store("a long line", lambda path: path.write_text("x" * 99_999), "this is no store of experiments"),
    with_store("a circuit", lambda path: path.symlink_to("good.json"), "this is no store of experiments"),
    with_store(
        "of noise",
        lambda path: path.write_text('{"op_code":0,"worker_id":"\n'),
        "no store of experiments that can be read",
        ("d", "d.…"),
    ),
    with_store(
        "beside a file for its trials", lambda path: Path("d.trials").write_text(""), "d.trials", ("d", "d.…")
    ),
    Fault("a store in a file", f"{SWEEP} --store good.csv/d", "good.csv: File exists", file(said())),
    Fault("no workers", f"{SWEEP} --workers 0", "is not a whole number of 1 or more", file(said())),
    Fault(
        "a report in a folder's place",
        f"{SWEEP} --report d",
        "d: it is a directory",
        lambda: (file(said())(), folder(Path("d"))),
        left=TRAINED,
        printed="best: circuit = good, window = 8",
    ),
    Fault("no Optuna", SWEEP, "experiments need Optuna", file(said()), within=without("optuna")),
    Fault(
        "no joblib",
        f"{SWEEP} --workers 2",
        "several workers need joblib",
        file(said()),
        left=TRAINED,
        within=without("joblib"),
    ),
    Fault(
        "a disk that fills up", SWEEP, "No space left on device", file(said()), left=TRAINED, within=filling
    ),
    *(
        Fault(
            given,
            SWEEP,
            says,
            file(said(epochs="100000")),
            within=ended("s.journal.trials/000000/run", number),
            code=code,
            left=TRAINED,
        )
        for given, says, number, code in (
            ("Ctrl-C", "ganglion sweep: interrupted", signal.SIGINT, 130),
            ("a kill", "", signal.SIGKILL, -signal.SIGKILL),
        )
    ),
]
