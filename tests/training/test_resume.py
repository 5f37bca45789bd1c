"""A run that is killed and resumed ends as if nothing had happened, to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.interchange.files import newest_checkpoint

KILLED_RUNS = Path(__file__).with_name("killed_runs.py")


def left_behind(directory: Path) -> dict[str, object]:
    """What the newest checkpoint holds, without what a clock wrote."""
    newest = newest_checkpoint(directory)
    assert newest is not None
    found: dict[str, object] = {path.name: path.read_bytes() for path in newest.iterdir()}
    state = json.loads((newest / "state.json").read_text())
    del state["history"]["seconds"]
    return {**found, "state.json": state, "step": newest.name}


def test_twenty_kills_leave_no_trace(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(KILLED_RUNS), str(tmp_path), "20", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    killed, runs = map(int, ran.stdout.split())
    assert killed >= 20
    expected = left_behind(tmp_path / "undisturbed")
    for number in range(1, runs + 1):
        assert left_behind(tmp_path / f"killed-{number}") == expected


class Interrupt(gl.training.Callback):
    """End the run as a user would, at one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, run: gl.training.Run) -> None:
        if run.step == self.step:
            raise KeyboardInterrupt


def train(directory: Path | None, *callbacks: gl.training.Callback, **options: object) -> tuple[object, ...]:
    mx.random.seed(3)
    x = mx.random.normal((10, 4, 2))
    rnn = options.pop("model", None) or gl.LTC(gl.random(3, inputs=2, outputs=2), ode_unfolds=2)
    settings = {"epochs": 4, "batch_size": 4, "validation": (x, mx.sin(x)), "progress": False, **options}
    history = gl.fit(
        rnn,
        (x, mx.sin(x)),
        loss=gl.training.mse,
        optimizer=optim.Adam(0.05),
        checkpoint=directory,
        callbacks=callbacks,
        **settings,
    )
    weights = {name: np.array(array) for name, array in rnn.cell.parameters().items()}
    return rnn, history, weights


def assert_equal(found: tuple[object, ...], expected: tuple[object, ...]) -> None:
    assert found[1].loss == expected[1].loss
    assert found[1].validation == expected[1].validation
    for name, array in expected[2].items():
        assert np.array_equal(found[2][name], array), name


@pytest.mark.parametrize("every", [None, 1, 2, 3])
def test_the_best_network_is_in_the_last_checkpoint(every: int | None, tmp_path: Path) -> None:
    """Also if that is the network of the last epoch, which a checkpoint before its validation would miss."""
    best = train(None)[1].best
    rnn, history, _ = train(tmp_path, checkpoint_every=every, epochs=best + 1)
    assert history.best == best
    x = mx.ones((1, 4, 2))
    assert mx.array_equal(gl.load(tmp_path)(x)[0], rnn(x)[0]).item()


@pytest.mark.parametrize("step", [1, 5, 6, 11])
def test_an_interrupted_run_goes_on(step: int, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Interrupt(step), checkpoint_every=1)
    assert_equal(train(tmp_path), train(None))


def test_a_finished_run_is_only_read_and_can_be_prolonged(tmp_path: Path) -> None:
    first = train(tmp_path, epochs=3)
    before = left_behind(tmp_path)
    assert_equal(train(tmp_path, epochs=3), first)
    assert left_behind(tmp_path) == before
    assert_equal(train(tmp_path, epochs=5), train(None, epochs=5))


def test_patience_counts_across_a_resume(tmp_path: Path) -> None:
    """Validation on constants that training never sees gets worse at once."""
    bad = (mx.ones((2, 4, 2)), -5 * mx.ones((2, 4, 2)))
    alone = train(None, validation=bad, patience=2, epochs=30)
    assert len(alone[1].loss) < 30
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Interrupt(4), validation=bad, patience=2, epochs=30)
    resumed = train(tmp_path, validation=bad, patience=2, epochs=30)
    assert_equal(resumed, alone)
    assert_equal(train(tmp_path, validation=bad, patience=2, epochs=30), alone)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"batch_size": 5}, "batch_size 4, not 5"),
        ({"seed": 1}, "seed 0, not 1"),
        ({"model": gl.LTC(gl.random(4, inputs=2, outputs=2))}, "another circuit"),
        ({"model": gl.CfC(gl.random(3, inputs=2, outputs=2))}, "'cell.w' is not among the names"),
    ],
)
def test_another_run_is_refused(options: dict[str, object], reason: str, tmp_path: Path) -> None:
    train(tmp_path)
    before = left_behind(tmp_path)
    with pytest.raises(gl.FileError, match=reason):
        train(tmp_path, **options)
    assert left_behind(tmp_path) == before


def test_another_optimizer_is_refused(tmp_path: Path) -> None:
    train(tmp_path)
    x = mx.zeros((10, 4, 2))
    with pytest.raises(gl.FileError, match=r"optimizer\.safetensors: '.*' is not among the names expected"):
        gl.fit(
            gl.LTC(gl.random(3, inputs=2, outputs=2), ode_unfolds=2),
            (x, x),
            loss=gl.training.mse,
            optimizer=optim.SGD(0.1),
            epochs=5,
            batch_size=4,
            checkpoint=tmp_path,
            progress=False,
        )


def test_two_runs_in_one_directory_are_refused(tmp_path: Path) -> None:
    class Again(gl.training.Callback):
        def on_start(self, run: gl.training.Run) -> None:
            with pytest.raises(gl.FileError, match="another process is training"):
                train(tmp_path)

    train(tmp_path, Again(), epochs=1)
    train(tmp_path, epochs=2)
