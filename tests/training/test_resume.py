"""A run that is killed and resumed ends as if nothing had happened, to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.interchange.files import newest_checkpoint
from ganglion.training.recipe import _function

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
        ({"model": gl.CfC(gl.random(3, inputs=2, outputs=2))}, "model.class 'LTC', not 'CfC'"),
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
    with pytest.raises(gl.FileError, match=r"optimizer\.kind 'Adam', not 'SGD'"):
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


# The whole recipe: a difference is named, and nothing is lost by it.


def small(**options: object) -> gl.LTC:
    return gl.LTC(gl.random(3, inputs=2, outputs=2), **{"ode_unfolds": 2, **options})


def halved(model: gl.LTC, x: mx.array, y: mx.array) -> mx.array:
    return 0.5 * gl.training.mse(model, x, y)


X = np.random.default_rng(0).normal(size=(10, 4, 2)).astype(np.float32)
DIFFERENCES = {
    "learning rate": ({"optimizer": optim.Adam(1e-4)}, "optimizer.learning_rate .*, not "),
    "schedule": ({"optimizer": optim.Adam(optim.cosine_decay(0.05, 9))}, "optimizer.learning_rate"),
    "kind": ({"optimizer": optim.AdamW(0.05)}, "optimizer.kind 'Adam', not 'AdamW'"),
    "betas": ({"optimizer": optim.Adam(0.05, betas=[0.8, 0.999])}, "optimizer.betas.0 0.9, not 0.8"),
    "bias": ({"optimizer": optim.Adam(0.05, bias_correction=True)}, "bias_correction False, not True"),
    "unfolds": ({"model": small(ode_unfolds=6)}, "model.cell.ode_unfolds 2, not 6"),
    "positive": ({"model": small(positive="softplus")}, "model.cell.positive 'clip', not 'softplus'"),
    "data": ({"data": (X, np.cos(X))}, "other data"),
    "validation data": ({"validation": (X, np.cos(X))}, "other data"),
    "no validation": ({"validation": None}, "validation 'arrays: .*', not None"),
    "loss": ({"loss": halved}, "another loss"),
    "clipping": ({"clip_norm": 1.0}, "clip_norm None, not 1.0"),
}


def run(directory: Path, *callbacks: gl.training.Callback, **options: object) -> gl.training.History:
    mx.random.seed(0)
    model = options.pop("model", None) or small()
    data = options.pop("data", (X, np.sin(X)))
    settings = {
        "loss": gl.training.mse, "optimizer": optim.Adam(0.05), "validation": (X, np.sin(X)), "epochs": 2,
        "batch_size": 4, "progress": False, "callbacks": callbacks, "checkpoint": directory, **options,
    }  # fmt: skip
    return gl.fit(model, data, **settings)


@pytest.mark.parametrize("what", DIFFERENCES)
def test_a_difference_is_named_and_nothing_is_touched(what: str, tmp_path: Path) -> None:
    run(tmp_path)
    before = left_behind(tmp_path)
    options, reason = DIFFERENCES[what]
    with pytest.raises(gl.FileError, match=reason):
        run(tmp_path, **{**options, "epochs": 20})
    assert left_behind(tmp_path) == before
    assert len(run(tmp_path, epochs=3).loss) == 3


def test_modes_of_a_cfc_and_options_of_ones_own_are_compared(tmp_path: Path) -> None:
    class Own(nn.Module):
        def __init__(self, gain: float, mode: str) -> None:
            super().__init__()
            self.rnn, self.gain = gl.CfC(gl.random(3, inputs=2, outputs=2), mode=mode), gain

        def __call__(self, x: mx.array) -> mx.array:
            return self.gain * self.rnn(x)[0]

    run(tmp_path, model=Own(1.0, "default"))
    with pytest.raises(gl.FileError, match=r"model\.gain 1\.0, not 2\.0"):
        run(tmp_path, model=Own(2.0, "default"))
    with pytest.raises(gl.FileError, match=r"model\.rnn\.cell\.mode 'default', not 'no_gate'"):
        run(tmp_path, model=Own(1.0, "no_gate"))
    assert len(run(tmp_path, model=Own(1.0, "default"), epochs=4).loss) == 4


def test_a_loss_that_was_given_functions_and_arrays_is_known_by_them() -> None:
    """Not by the address of a function, which is another one in the next process, nor by a cut text."""

    def power(values: mx.array) -> mx.array:
        return values**2

    weights = np.zeros(5000)
    others = weights.copy()
    others[2500] = 1.0
    said = [_function(partial(halved, values, shape=power)) for values in (weights, others)]
    assert said[0] != said[1]
    assert "0x" not in said[0]
    assert said[0] == _function(partial(halved, weights.copy(), shape=power))


def test_another_engine_may_go_on(tmp_path: Path) -> None:
    run(tmp_path, model=small(engine="fused"))
    assert len(run(tmp_path, model=small(engine="ops"), epochs=4).loss) == 4
