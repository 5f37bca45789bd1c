"""What a command cannot serve costs one sentence and the exit code 2, and leaves the disk as it was.

A table: what is given, what the sentence says. The commands run inside this process, so that a row takes
milliseconds; `test_environment.py` has those that need a process of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganglion as gl
from ganglion.cli import main

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
HEADER = "sensory_0,sensory_1,sensory_2,motor_0,motor_1"
ROWS = [",".join(f"{np.sin(k + i):.3f}" for i in range(5)) for k in range(60)]
TABLE = "\n".join((HEADER, *ROWS)) + "\n"
TRAIN = ("--target", "motor_0", "--target", "motor_1", "--out", "new", "--epochs", "1", "--window", "8")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a circuit, a table and a trained run."""
    folder = tmp_path_factory.mktemp("faults")
    gl.write(CIRCUIT, folder / "good.json")
    (folder / "good.csv").write_text(TABLE)
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert main(["train", "good.json", "good.csv", *(a if a != "new" else "run" for a in TRAIN)]) == 0
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def place(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it as the current folder; a command that waits for ever is an error."""
    folder = tmp_path / "here"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)

    def late(*_: object) -> None:
        raise AssertionError("the command waits for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield folder
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def on_disk(folder: Path) -> dict[str, object]:
    """Every file by name: its content, or what else it is. A run's lock is of no account."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.name != ".lock":
            status = path.lstat()
            regular = path.is_file() and not path.is_symlink() and status.st_size < 2**20
            found[str(path)] = path.read_bytes() if regular else (status.st_mode, status.st_size)
    return found


def refused(arguments: list[str], sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, nothing on standard output, exit code 2, and the disk as it was."""
    before = on_disk(folder)
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as stop:  # of argparse
        code = int(stop.code or 0)
    said = capsys.readouterr()
    assert code == 2, (said.out, said.err)
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert len(said.err) < 1000
    assert "mistake inside" not in said.err, said.err
    assert re.search(sentence, said.err), said.err
    assert on_disk(folder) == before


# Paths that are no file that can be read.


def nothing(path: Path) -> None:
    pass


def directory(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)  # the current folder's


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def null(path: Path) -> None:
    path.symlink_to("/dev/null")


def itself(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nothing-here")


def in_a_file(path: Path) -> None:
    path.parent.write_text("")


PATHS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "missing": ("bad", nothing, r"(there is no file bad|bad.*: No such file)"),
    "directory": ("bad", directory, r"bad\S*: this is a directory, expected a file"),
    "pipe": ("bad", fifo, r"bad\S*: this is a pipe, expected a file"),
    "socket": ("bad", unix_socket, r"bad\S*: this is a socket, expected a file"),
    "endless device": ("bad", zeros, r"bad\S*: this is a device, expected a file"),
    "empty device": ("bad", null, r"bad\S*: this is a device, expected a file"),
    "link to itself": ("bad", itself, r"bad\S*: Too many levels of symbolic links|there is no file bad"),
    "link to nothing": ("bad", nowhere, r"there is no file bad|bad\S*: No such file"),
    "inside a file": ("file/bad", in_a_file, r"there is no file file/bad|file/bad\S*: Not a directory"),
    "long name": ("b" * 300, nothing, r"File name too long"),
    "character 0": ("b\0d", nothing, r"there is no file b|no path|embedded null"),
}
CIRCUIT_COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "show": lambda bad: ["show", bad],
    "plot": lambda bad: ["plot", bad, "-o", "figure.png"],
    "train": lambda bad: ["train", bad, "good.csv", *TRAIN],
}
TABLE_COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "train": lambda bad: ["train", "good.json", bad, *TRAIN],
    "predict": lambda bad: ["predict", "run", bad, "-o", "said.csv"],
}


@pytest.mark.parametrize("command", CIRCUIT_COMMANDS)
@pytest.mark.parametrize("ending", [".json", ".graphml"])
@pytest.mark.parametrize("kind", PATHS)
def test_paths_of_circuits(
    kind: str, ending: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, make, sentence = PATHS[kind]
    if "\0" not in name and len(name) < 250:
        make(place / (name + ending))
    refused(CIRCUIT_COMMANDS[command](name + ending), sentence, place, capsys)


@pytest.mark.parametrize("command", TABLE_COMMANDS)
@pytest.mark.parametrize("kind", PATHS)
def test_paths_of_tables(kind: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, make, sentence = PATHS[kind]
    if "\0" not in name and len(name) < 250:
        make(place / f"{name}.csv")
    refused(TABLE_COMMANDS[command](f"{name}.csv"), sentence, place, capsys)


@pytest.mark.parametrize("command", CIRCUIT_COMMANDS)
@pytest.mark.parametrize("name", ["bad.txt", "bad", "bad.jso", "bad.JSONX", ".json.bak", "/dev/null", "."])
def test_endings_of_circuits(
    name: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.startswith((".j", "bad")):
        (place / name).write_text("what is this?\n")
    sentence = "format|this is a (device|directory), expected a file"
    refused(CIRCUIT_COMMANDS[command](name), sentence, place, capsys)


# Contents of files.


def document(**changes: Any) -> bytes:
    content: dict[str, Any] = json.loads(Path("good.json").read_bytes())
    return json.dumps({**content, **changes}).encode()


NEURON = {"id": "a", "role": "sensory"}
CONTENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty"),
    "blank": (lambda: b" \n\n", "the file is empty"),
    "not text": (lambda: b"\xff\xfe\xfd" * 9, "not UTF-|format"),
    "not JSON": (lambda: b"{", "this is not JSON"),
    "zeros": (lambda: bytes(1000), "not JSON|format"),
    "nested": (lambda: b"[" * 100_000, "nested too deeply"),
    "long number": (lambda: document(graph={"x": 0})[:-1] + b',"n":' + b"9" * 5000 + b"}", "limit|digits"),
    "NaN": (lambda: document()[:-1] + b', "x": NaN}', "NaN is not JSON"),
    "infinite": (lambda: document()[:-1] + b', "x": 1e400}', "1e400 is not JSON"),
    "minus infinite": (lambda: document()[:-1] + b', "x": -Infinity}', "-Infinity is not JSON"),
    "version": (lambda: document(version=2), "version is 2; this release reads version 1"),
    "version text": (lambda: document(version="1"), "version is '1'"),
    "version true": (lambda: document(version=True), "version is True"),
    "undirected": (lambda: document(directed=False), 'expected "directed": true'),
    "undirected 0": (lambda: document(directed=0), '"directed"'),
    "directed text": (lambda: document(directed="no"), '"directed"'),
    "multigraph 1": (lambda: document(multigraph=1), '"multigraph"'),
    "graph list": (lambda: document(graph=[]), '"graph" must be an object'),
    "nodes object": (lambda: document(nodes={}), '"nodes" must be a list'),
    "node number": (lambda: document(nodes=[3]), "expected an object"),
    "no id": (lambda: document(nodes=[{"role": "inter"}]), "'id'|\"id\""),
    "id null": (lambda: document(nodes=[{"id": None, "role": "inter"}]), "name"),
    "role": (lambda: document(edges=[], nodes=[{"id": "a", "role": "boss"}]), "unknown role 'boss'"),
    "role number": (lambda: document(edges=[], nodes=[{"id": "a", "role": 3}]), "unknown role 3"),
    "twice": (lambda: document(nodes=[NEURON, NEURON]), "'a' is given twice"),
    "dangling": (lambda: document(edges=[{"source": "a", "target": "b", "polarity": 1}]), "no neuron 'a'"),
    "polarity 0": (
        lambda: document(edges=[{"source": "sensory_0", "target": "motor_0", "polarity": 0}]),
        "has polarity 0",
    ),
    "polarity true": (
        lambda: document(edges=[{"source": "sensory_0", "target": "motor_0", "polarity": True}]),
        "has polarity True",
    ),
    "long name": (lambda: document(edges=[], nodes=[{"id": "n" * 5_000_000, "role": 3}]), "unknown role 3"),
    "long role": (
        lambda: document(edges=[], nodes=[{"id": "a", "role": "r" * 5_000_000}]),
        "unknown role 'rrr",
    ),
    "long names": (
        lambda: document(edges=[{"source": "s" * 5_000_000, "target": "t" * 5_000_000, "polarity": 1}]),
        "there is no neuron 'sss",
    ),
    "long key": (lambda: b'{"' + b"k" * 5_000_000 + b'": 1, "' + b"k" * 5_000_000 + b'": 2}', "given twice"),
}


@pytest.mark.parametrize("command", CIRCUIT_COMMANDS)
@pytest.mark.parametrize("kind", CONTENTS)
def test_contents_of_circuits(
    kind: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, sentence = CONTENTS[kind]
    (place / "bad.json").write_bytes(make())
    refused(CIRCUIT_COMMANDS[command]("bad.json"), f"bad.json.*({sentence})", place, capsys)


def changed(row: int, text: str) -> str:
    return "\n".join((HEADER, *ROWS[:row], text, *ROWS[row + 1 :])) + "\n"


TABLES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "header only": (HEADER + "\n", "has a header but no rows"),
    "no column": (TABLE.replace("motor_0", "other").replace("sensory_0", "one"), "no column"),
    "twice": (TABLE.replace("sensory_1", "sensory_0", 1), "2 columns named 'sensory_0'"),
    "colons": (TABLE.replace(",", ":"), "no column .*--separator"),
    "short row": (changed(3, "1,2,3"), "line 5: 3 cells, but the header has 5"),
    "long row": (changed(3, "1,2,3,4,5,6"), "line 5: 6 cells, but the header has 5"),
    "text": (changed(3, "1,two,3,4,5"), "line 5: column 'sensory_1' holds 'two', not a finite number"),
    "nan": (changed(3, "1,nan,3,4,5"), "line 5: column 'sensory_1' holds 'nan', not a finite number"),
    "infinite": (changed(3, "1,1e400,3,4,5"), "line 5: column 'sensory_1' holds '1e400', not a finite"),
    "empty cell": (changed(3, "1,,3,4,5"), "line 5: column 'sensory_1' holds '', not a finite number"),
    "long cell": (changed(3, f"1,{'x' * 900_000},3,4,5"), "line 5: (column 'sensory_1' holds 'xxx|field)"),
    "long line": (changed(3, f"1,{'x' * 2_000_000},3,4,5"), "line 5: longer than"),
    "quotation": (changed(3, '1,"2,3,4,5'), "quotation mark is not closed|field larger"),
    "not text": (TABLE.encode().replace(b"0.", b"\xff.", 1), "0xff is not UTF-8 text"),
    "zeros": (bytes(4000), "line 1|no column|is empty|longer"),
    "endless line": (b"x" * 3_000_000, "line 1: longer than"),
}


@pytest.mark.parametrize("command", TABLE_COMMANDS)
@pytest.mark.parametrize("kind", TABLES)
def test_contents_of_tables(kind: str, command: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, sentence = TABLES[kind]
    (place / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(TABLE_COMMANDS[command]("bad.csv"), f"bad.csv.*({sentence})", place, capsys)


# Options.

TRAINING = ["train", "good.json", "good.csv", *TRAIN]
WHOLE, NATURAL = "is not a whole number of 1 or more", "is not a whole number of 0 or more"
OPTIONS: list[tuple[list[str], str]] = [
    (["fly"], "invalid choice: 'fly'"),
    (["show"], "arguments are required: circuit"),
    (["show", "good.json", "more"], "unrecognized arguments: more"),
    (["show", "--fast", "good.json"], "unrecognized arguments: --fast"),
    (["x" * 100_000], "invalid choice"),
    (["plot", "good.json"], "required: -o"),
    (["plot", "good.json", "-o", "f.docx"], "f.docx: a figure ends in one of"),
    (["plot", "good.json", "-o", "figure"], "a figure ends in one of"),
    (["plot", "good.json", "-o", "f.png", "--layout", "sideways"], "unknown layout 'sideways'"),
    (["plot", "good.json", "-o", "f.png", "--style", "loud"], "invalid choice: 'loud'"),
    (["train", "good.json", "good.csv", "--out", "new"], "required: --target"),
    (["train", "good.json", "good.csv", "--target", "motor_0"], "required: --out"),
    ([*TRAINING, "--target", "other"], "other"),
    ([*TRAINING, "--input", "other"], "other"),
    ([*TRAINING, "--time", "other"], "no column 'other'"),
    ([*TRAINING, "--group", "other"], "no column 'other'"),
    ([*TRAINING, "--cell", "gru"], "invalid choice: 'gru'"),
    *(
        ([*TRAINING, option, value], sentence)
        for option in ("--epochs", "--batch-size", "--window", "--patience")
        for value, sentence in (
            ("0", WHOLE),
            ("-1", WHOLE),
            ("1.5", WHOLE),
            ("many", WHOLE),
            ("", WHOLE),
            ("nan", WHOLE),
            ("9" * 23, "is not a whole number up to 2147483647"),
            ("9" * 6000, WHOLE),
        )
    ),
    *(
        ([*TRAINING, "--seed", value], sentence)
        for value, sentence in (
            ("-1", NATURAL),
            ("x", NATURAL),
            ("99999999999999999999999", "is not a whole number up to 4294967295"),
            ("4294967296", "is not a whole number up to 4294967295"),
        )
    ),
    *(
        ([*TRAINING, option, value], "is not a positive number")
        for option in ("--learning-rate", "--clip-norm")
        for value in ("0", "-1", "nan", "inf", "1e400", "x", "")
    ),
    *(
        ([*TRAINING, "--validation", value], "is not a number between 0 and 1")
        for value in ("0", "1", "-0.1", "nan", "x")
    ),
    (["demo", "--epochs", "0"], WHOLE),
    (["demo", "--seeds", "0"], WHOLE),
    (["demo", "--seed", "x"], NATURAL),
    (["demo", "--cell", "gru"], "invalid choice"),
    (["edit", "good.json", "--port", "65536"], "is not a whole number up to 65535"),
    (["edit", "good.json", "--port", "-1"], NATURAL),
    (["cache", "--empty"], "unrecognized arguments"),
    (["predict", "run", "good.csv"], "required: -o"),
    (["predict", "nowhere", "good.csv", "-o", "said.csv"], "nowhere holds no trained network"),
    (["predict", "good.csv", "good.csv", "-o", "said.csv"], "good.csv holds no trained network"),
    (["predict", ".", "good.csv", "-o", "said.csv"], "holds no trained network"),
]


@pytest.mark.parametrize(("arguments", "sentence"), OPTIONS)
def test_options(
    arguments: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(arguments, sentence, place, capsys)


# Where a command cannot write.

OUTPUTS: list[tuple[list[str], str]] = [
    *(
        (["plot", "good.json", "-o", f"{where}/f.{ending}"], sentence)
        for ending in ("png", "svg", "pdf")
        for where, sentence in (
            ("nowhere", "there is no directory"),
            ("good.csv", "no directory|Not a directory"),
        )
    ),
    (["plot", "good.json", "-o", "folder.png"], "folder.png: it is a directory"),
    (["plot", "good.json", "-o", "pipe.png"], "pipe.png: it is no regular file"),
    (["plot", "good.json", "-o", "full.png"], "full.png: it is no regular file"),
    (["predict", "run", "good.csv", "-o", "nowhere/said.csv"], "no directory"),
    (["predict", "run", "good.csv", "-o", "folder.png"], "folder.png"),
    (["predict", "run", "good.csv", "-o", "good.csv"], "good.csv"),
    (["predict", "run", "good.csv", "-o", "run/run.json"], "run.json"),
    (["predict", "run", "good.csv", "-o", "pipe.png"], "pipe.png"),
    (["train", "good.json", "good.csv", *TRAIN[:-6], "--out", "good.csv"], "good.csv"),
    (["train", "good.json", "good.csv", *TRAIN[:-6], "--out", "folder.png"], "folder.png is not empty"),
    (
        ["train", "good.json", "good.csv", *TRAIN[:-6], "--out", "run", "--window", "9"],
        "holds a run with window",
    ),
    (
        ["train", "good.json", "good.csv", *TRAIN[:-6], "--out", "run", "--cell", "cfc"],
        "holds a run with cell",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), OUTPUTS)
def test_outputs(
    arguments: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "folder.png").mkdir()
    (place / "folder.png" / "file").write_text("kept")
    os.mkfifo(place / "pipe.png")
    (place / "full.png").symlink_to("/dev/full")
    refused(arguments, sentence, place, capsys)


@pytest.mark.parametrize("command", ["plot", "predict"])
def test_a_disk_that_is_full(
    command: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left, and what was there before stays."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (place / "f.png").write_text("of yesterday")
    (place / "said.csv").write_text("of yesterday")
    monkeypatch.setattr(os, "fsync", full)
    arguments = {"plot": ["good.json", "-o", "f.png"], "predict": ["run", "good.csv", "-o", "said.csv"]}
    refused([command, *arguments[command]], r"(f.png|said.csv): No space left on device", place, capsys)


# Runs that somebody damaged.

DAMAGES: dict[str, tuple[str, bytes | None, str]] = {
    "settings cut": ("run.json", b'{"format": ', "run.json is not sound JSON"),
    "settings list": ("run.json", b"[]", 'run.json has no "format": "ganglion-run"'),
    "settings version": ("run.json", b'{"format": "ganglion-run", "version": 3}', "run.json is of version 3"),
    "settings bytes": ("run.json", b"\xff\xff", "run.json is not sound JSON"),
    "settings columns": (
        "run.json",
        b'{"format": "ganglion-run", "version": 1}',
        "run.json: the columns are None",
    ),
    "model cut": ("best.safetensors", b"\0" * 7, "best.safetensors"),
    "model noise": ("best.safetensors", b"\xff" * 999, "best.safetensors"),
    "model empty": ("best.safetensors", b"", "best.safetensors"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_runs(kind: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, content, sentence = DAMAGES[kind]
    (path,) = list((place / "run").rglob(name))[-1:]
    assert content is not None
    path.write_bytes(content)
    refused(["predict", "run", "good.csv", "-o", "said.csv"], sentence, place, capsys)
