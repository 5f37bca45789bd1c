"""What a run shows of itself: lines in a log, a bar and curves in a notebook, nothing if not wanted."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion import notebook
from ganglion.training.progress import NotebookBar


def network() -> Any:
    return gl.LTC(gl.auto_ncp(8, 1, inputs=2, seed=1), key=mx.random.key(0))


def run(epochs: int, **options: Any) -> Any:
    x = np.random.default_rng(0).normal(size=(16, 8, 2)).astype(np.float32)
    task = {"data": (x, x[..., :1]), "loss": gl.training.mse, "batch_size": 8, **options}
    return gl.fit(network(), optimizer=optim.Adam(0.01, bias_correction=True), epochs=epochs, **task)


class Stop(gl.training.Callback):
    def on_epoch(self, run: Any) -> None:
        if run.epoch == 2:
            run.stop = "good <enough>"


class Kept(notebook.Place):
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def show(self, html: str) -> None:
        self.shown.append(html)


def test_a_log_has_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    history = run(3)
    said = capsys.readouterr()
    assert said.out == ""
    *lines, last = said.err.splitlines()
    pattern = r"fit: epoch (\d) of 3: loss ([\d.e-]+), [\d.e-]+ s"
    found = [re.fullmatch(pattern, line).groups() for line in lines]  # type: ignore[union-attr]
    assert [(int(epoch), float(loss)) for epoch, loss in found] == [
        (k + 1, pytest.approx(loss, rel=1e-3)) for k, loss in enumerate(history.loss)
    ]
    assert last.startswith("fit: 3 epochs, kept the last step's weights, without validation")


def test_nothing_is_said_if_that_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    run(1, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_log_says_where_a_run_goes_on_and_why_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(1, checkpoint=tmp_path)
    capsys.readouterr()
    run(4, checkpoint=tmp_path, callbacks=[Stop()])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fit: goes on from a checkpoint after step 2, in epoch 2"
    assert lines[1].startswith("fit: epoch 2 of 4: loss")
    assert lines[2] == "fit: stopped after epoch 2 of 4: good <enough>"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_terminal_says_it_too(
    terminal: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(1, checkpoint=tmp_path, progress=False)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
    run(4, checkpoint=tmp_path, callbacks=[Stop()])
    said = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "fit: goes on from a checkpoint after step 2, in epoch 2" in said
    assert "fit: stopped after epoch 2 of 4: good <enough>" in said
    assert ("steps" in said) == terminal


def test_a_notebook_has_a_bar_and_curves() -> None:
    place = Kept()
    history = run(3, progress=False, callbacks=[NotebookBar(place=place), Stop()], validation=lambda _: 0.5)
    root = ElementTree.fromstring(place.shown[-1])
    (bar,) = root.iter("progress")
    assert (bar.get("value"), bar.get("max")) == ("4", "6")
    words = " ".join(root.itertext())
    assert f"epoch 3 of 3: loss {history.loss[-1]:.4g}, validation 0.5 (best 0.5)" in words
    assert "stopped after epoch 2 of 3: good <enough>" in words
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 2
    assert "<progress" in place.shown[0]


def test_where_there_is_a_kernel_the_place_is_one_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    handle = types.SimpleNamespace(update=lambda html: told.append(("update", html)))

    def display(html: str, display_id: bool) -> Any:
        assert display_id
        told.append(("display", html))
        return handle

    shell = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(
        get_ipython=lambda: shell, display=types.SimpleNamespace(HTML=str, display=display)
    )
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    assert notebook.in_notebook()
    run(2)
    assert [what for what, _ in told][:1] == ["display"]
    assert {what for what, _ in told[1:]} == {"update"}
    assert "4 of 4 steps" in told[-1][1]


def test_in_marimo_it_is_the_output_of_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    marimo = types.SimpleNamespace(
        running_in_notebook=lambda: True, Html=str, output=types.SimpleNamespace(replace=told.append)
    )
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    assert notebook.in_notebook()
    run(2)
    assert "4 of 4 steps" in told[-1]
