"""What is killed: work without end in a folder, which says what is safe.

A number is told after the call has returned that wrote it: from then on a kill must not lose it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion.cli import main
from ganglion.compile.kernels.build import load_library
from ganglion.editor.document import Document
from ganglion.wiring import edits

TARGETS = (
    "--target",
    "motor_0",
    "--target",
    "motor_1",
    "--window",
    "8",
    "--batch-size",
    "2",
    "--epochs",
    "600",
)


def circuit(number: int) -> gl.Circuit:
    """A circuit that says its number."""
    made = gl.auto_ncp(12, 2, inputs=3, seed=1)
    made.graph["number"] = number
    for name in made:
        made.nodes[name]["number"] = number
    return made


def tell(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def training(folder: Path) -> None:
    """`ganglion train`, from wherever it was, after its kernels are built and data is about to be read."""
    rnn = gl.LTC(gl.read(folder / "c.json"))
    mx.eval(mx.grad(lambda x: rnn(x)[0].sum())(mx.ones((2, 8, 3))))
    tell(0)
    code = main(
        ["train", str(folder / "c.json"), str(folder / "c.csv"), *TARGETS, "--out", str(folder / "run")]
    )
    assert code == 0


def saving(folder: Path) -> None:
    for number in count(start(folder)):
        rnn = gl.LTC(circuit(number))
        rnn.cell.gleak = rnn.cell.gleak * 0 + number
        gl.save(rnn, folder / "m.safetensors")
        tell(number)


def writing(folder: Path) -> None:
    """Formats of one file and of two, in turn."""
    for number in count(start(folder)):
        made = circuit(number)
        for name in ("c.json", "c.graphml", "c.csv", "c.json.gz"):
            gl.write(made, folder / name)
        tell(number)


def building(folder: Path) -> None:
    """Small libraries in a cache; each is another one."""
    for number in count(start(folder)):
        assert library(number).answer() == number
        tell(number)


def library(number: int) -> Any:
    """A library that answers its number, built or from the cache."""
    return load_library(f'extern "C" int answer() {{ return {number}; }}\n', "answer", "answer")


def editing(folder: Path) -> None:
    """Edits of a file; the file itself is saved every 20 edits."""
    document = Document(folder / "c.json")
    for number in count(start(folder)):
        document.session.apply(edits.Set(circuit=[("number", number)]))
        tell(number)
        if number % 20 == 0:
            document.save()


def exporting(folder: Path) -> None:
    for number in count(start(folder)):
        rnn = gl.CfC(circuit(number))
        gl.export_c(rnn, folder / "p.c")
        gl.viz.to_html(circuit(number), folder / "p.html")
        gl.export_mlx(rnn, folder / "p.mlxfn", np.zeros((1, 4, 3), np.float32))
        tell(number)


def studying(folder: Path) -> None:
    """A study with a file, from wherever it was; when it is whole, another one."""
    rnn, x = gl.load(folder / "m.safetensors"), np.ones((2, 40, 3), np.float32)
    for number in count(start(folder)):
        store = folder / f"study-{number}.jsonl"
        gl.study(rnn, gl.each("inter"), x=x, store=store, resamples=50, seed=number, progress=False)
        tell(number)


def sweeping(folder: Path) -> None:
    """An experiment of many short trials: when one begins, those before it are recorded."""

    def train(trial: gl.studies.Trial) -> float:
        tell(trial.number)
        return float(trial.number)

    gl.experiment(train, {"x": [1]}, seeds=100_000, store=folder / "e.journal", progress=False)


def start(folder: Path) -> int:
    """Numbers go on where an earlier process was."""
    at = folder / "start"
    return int(at.read_text()) if at.exists() else 1


WORK: dict[str, Callable[[Path], None]] = {
    work.__name__: work
    for work in (training, saving, writing, building, editing, exporting, studying, sweeping)
}
