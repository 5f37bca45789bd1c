"""What must be there after a kill: what was told, or the one after it, whole."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion.compile.kernels import cache
from ganglion.editor.document import Document
from ganglion.storage import read_file
from ganglion.studies.journal import study_of

from .work import library


def training(folder: Path, told: int) -> None:
    """Checkpoints are whole, and no step that was written down is lost."""
    steps = [int(path.name[5:]) for path in (folder / "run").glob("step-*")]
    seen = folder / "seen"
    before = int(seen.read_text()) if seen.exists() else 0
    assert max(steps, default=0) >= before, f"step {before} was there, and now {steps}"
    for path in (folder / "run").glob("step-*"):
        state = json.loads(read_file(path / "state.json"))
        assert state["format"] == "ganglion-checkpoint"
        gl.load(path / "model.safetensors")
    if steps:
        gl.load(folder / "run")
    seen.write_text(str(max(steps, default=0)))


def saving(folder: Path, told: int) -> None:
    if told:
        rnn = gl.load(folder / "m.safetensors")
        found = np.unique(np.array(rnn.cell.gleak))
        assert found.size == 1
        assert told <= found[0] <= told + 1, f"{found[0]} after {told}"


def writing(folder: Path, told: int) -> None:
    if told:
        for name in ("c.json", "c.graphml", "c.csv", "c.json.gz"):
            made = gl.read(folder / name)
            found = {int(number) for _, number in made.nodes(data="number")}
            assert found in ({told}, {told + 1}), f"{name}: {found} after {told}"


def building(folder: Path, told: int) -> None:
    """Everything in the cache is whole, and answers right."""
    directory = cache.cache_directory()
    for path in directory.glob("*.so"):
        assert read_file(path)[:4] == b"\x7fELF" or path.stat().st_size > 1000
    for number in range(max(1, told - 3), told + 2):
        assert library(number).answer() == number


def editing(folder: Path, told: int) -> None:
    document = Document(folder / "c.json")
    found = document.session.circuit.graph["number"]
    assert document.notice is None
    document.close()
    assert told <= found <= told + 1, f"{found} after {told}"


def exporting(folder: Path, told: int) -> None:
    if told:
        text = (folder / "p.c").read_text()
        assert re.search(r"}\n(#endif.*\n)?$", text)
        assert (folder / "p.html").read_text().rstrip().endswith("</html>")
        (outputs, *_) = mx.import_function(str(folder / "p.mlxfn"))(mx.zeros((1, 4, 3)))
        assert outputs.shape == (1, 4, 2)


def studying(folder: Path, told: int) -> None:
    """What was found is there, and a study that goes on finds what one at once does."""
    rnn, x = gl.load(folder / "m.safetensors"), np.ones((2, 40, 3), np.float32)
    for number in (told, told + 1):
        store = folder / f"study-{number}.jsonl"
        if store.exists():
            given = {"x": x, "resamples": 50, "seed": number, "progress": False}
            on, whole = (gl.study(rnn, gl.each("inter"), store=at, **given) for at in (store, None))
            assert repr(list(on)) == repr(list(whole))


def sweeping(folder: Path, told: int) -> None:
    """Every trial that was recorded is there, once, with its value."""
    if told:
        trials = study_of(str(folder / "e.journal"), "experiment", "minimize", os.getpid()).get_trials()
        found = {t.user_attrs["number"]: t.value for t in trials if t.state.is_finished()}
        assert len(found) == len(trials)
        assert found.keys() >= set(range(told))
        assert all(value == number for number, value in found.items())


CHECKS: dict[str, Callable[[Path, int], None]] = {
    check.__name__: check
    for check in (training, saving, writing, building, editing, exporting, studying, sweeping)
}
