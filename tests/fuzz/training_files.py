"""Models, series, runs, studies and experiments, sound ones to begin with, and what reads them."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import ganglion as gl
from ganglion.cells import NCPLayer
from ganglion.studies import sweeping
from ganglion.studies.journal import study_of
from ganglion.studies.store import Store
from ganglion.training.series import predict_series
from ganglion.training.series.sequences import read_columns

from . import rows
from .calls import TABLE
from .circuit_files import Seeds


@cache
def models() -> Seeds:
    found = {}
    for name, model in {
        "ltc": rows.ltc(),
        "cfc": rows.cfc(),
        "dense": gl.CfC(gl.dense(2, 3)),
        "scaled": gl.Scaled(gl.Stack([gl.CfC(gl.dense(2, 3)), gl.NCPDense(2)]), ["a", "b"], ["c", "d"]),
    }.items():
        if not model.built:
            model.build((1, 1, 2))
        gl.save(model, "m.safetensors")
        found[f"{name}.safetensors"] = Path("m.safetensors").read_bytes()
    return found


def read_model(data: bytes, _: str) -> None:
    Path("m.safetensors").write_bytes(data)
    gl.load("m.safetensors")


COLUMNS = gl.training.series.Columns(("a", "b"), ("y",), "t", "g")


def series() -> Seeds:
    lines = [f"{k / 10},{k % 3},{k * 0.5},{-k},g{k // 10}" for k in range(20)]
    dated = [f"2026-01-{k + 1:02d}T00:00:00,{k},{k},{k},1" for k in range(20)]
    return {f"{n}.csv": "\n".join(["t,a,b,y,g", *rows]).encode() for n, rows in (("n", lines), ("d", dated))}


def read_csv(data: bytes, _: str) -> None:
    Path("s.csv").write_bytes(data)
    read_columns(Path("s.csv"), COLUMNS)


def configs() -> Seeds:
    models = (
        rows.ltc(),
        rows.cfc(),
        gl.Stack([rows.cfc(), gl.NCPDense(2)]),
        gl.RNN(gl.CTRNNCell(rows.CIRCUIT)),
    )
    return {type(model).__name__: json.dumps(model.get_config()).encode() for model in models}


def read_config(data: bytes, _: str) -> None:
    try:
        config = json.loads(data)
    except (ValueError, RecursionError):
        return
    NCPLayer.from_config(config)


@cache
def runs() -> Seeds:
    call = TABLE["train_series"]()
    call.function(**call.arguments)
    return {
        str(p): p.read_bytes() for p in sorted(Path("run").rglob("*")) if p.is_file() and p.name != ".lock"
    }


def read_run(data: bytes, name: str) -> None:
    for path, content in runs().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    Path(name).write_bytes(data)
    predict_series(Path("run"), Path("c.csv"), Path("said.csv"))


STUDY = "9" * 64
"""The digest of a study."""


@cache
def studies() -> Seeds:
    store = Store(Path("new.jsonl"), STUDY, {})
    for number, row in enumerate(rows.effects()):
        store.add(f"row {number}", [row])
    return {"study": Path("new.jsonl").read_bytes()}


def read_study(data: bytes, _: str) -> None:
    Path("study.jsonl").write_bytes(data)
    store = Store(Path("study.jsonl"), STUDY, {})
    gl.studies.Study([row for found in store.rows().values() for row in found], 0.95)


def value_of(trial: gl.studies.Trial) -> float:
    trial.report(1, trial["x"])
    return float(trial["x"])


def experiment(store: str) -> gl.studies.Experiment:
    return gl.experiment(value_of, {"x": [1, 2]}, store=store)


@cache
def experiments() -> Seeds:
    experiment("new.journal")
    return {"experiment": Path("new.journal").read_bytes()}


def read_experiment(data: bytes, _: str) -> None:
    study_of.cache_clear()
    Path("e.journal").write_bytes(data)
    repr(experiment("e.journal").table)


def sweeps() -> Seeds:
    text = """circuits = ["c.json"]
data = "c.csv"
targets = ["motor_0", "motor_1"]
seeds = 2
epochs = 3
search = "random"
trials = 2

[space]
cell = ["ltc", "cfc"]
learning_rate = {low = 0.01, high = 0.1, log = true}
"""
    return {"sweep.toml": text.encode()}


def read_sweep(data: bytes, _: str) -> None:
    """Everything but the training."""
    TABLE["train_series"]()
    for old in Path().glob("s.journal*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    study_of.cache_clear()
    Path("sweep.toml").write_bytes(data)
    train, sweeping._train = sweeping._train, lambda trial, **_: 0.5
    try:
        repr(sweeping.sweep("sweep.toml", store="s.journal").effects())
    finally:
        sweeping._train = train
