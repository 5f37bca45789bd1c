"""The demo: its data, its loop, its table and its pictures, on a fraction of the images."""

from __future__ import annotations

import io
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten
from rich.console import Console

import ganglion as gl
from ganglion import demo
from ganglion.demo import training
from ganglion.demo.data import Digits
from ganglion.demo.report import Row, table_of
from ganglion.demo.training import RECIPES, Recipe, accuracy, steps_per_epoch, train

QUICK = Recipe(epochs=2, gain=1.0, noise=0.1, batch_size=16)


@pytest.fixture(scope="module")
def few() -> Digits:
    """The first 40 training and 20 test images."""
    full = Digits.load()
    return Digits(
        full.train_images[:40], full.train_labels[:40], full.test_images[:20], full.test_labels[:20]
    )


@pytest.fixture(scope="module")
def compiled() -> gl.CompiledCircuit:
    return gl.compile_circuit(gl.auto_ncp(24, 10, inputs=8))


def printed(table: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_images_are_rows_of_pixels_between_zero_and_one() -> None:
    digits = Digits.load()
    assert digits.train_images.shape == (1437, 8, 8)
    assert digits.test_images.shape == (360, 8, 8)
    assert digits.train_images.dtype == np.float32
    assert digits.train_images.min() == 0.0
    assert digits.train_images.max() == 1.0
    counts = np.bincount(digits.test_labels)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 3


def test_no_test_image_is_trained_on() -> None:
    digits = Digits.load()
    again = Digits.load()
    assert np.array_equal(digits.test_images, again.test_images)
    everything = {image.tobytes() for image in digits.train_images}
    assert not [image for image in digits.test_images if image.tobytes() in everything]


def test_logistic_regression_is_a_fair_baseline() -> None:
    accuracy_, parameters = Digits.load().logistic_regression()
    assert accuracy_ > 0.9
    assert parameters == 650


@pytest.mark.parametrize("cell", ["ltc", "cfc"])
def test_training_learns_what_it_is_shown(cell: str, few: Digits, compiled: gl.CompiledCircuit) -> None:
    network = demo.build(cell, compiled, seed=0)
    shown = Digits(few.train_images, few.train_labels, few.train_images, few.train_labels)
    recipe = Recipe(epochs=60, gain=RECIPES[cell].gain, noise=0.0, learning_rate=0.03, batch_size=10)
    history = train(network, shown, recipe, seed=0)
    assert history.loss[-1] < 0.8 * history.loss[0]
    assert history.accuracy[-1] > 0.3  # chance is 0.1
    assert history.accuracy[-1] == accuracy(network, shown)


@pytest.mark.parametrize("cell", ["ltc", "cfc"])
def test_the_same_seed_gives_the_same_run(cell: str, few: Digits, compiled: gl.CompiledCircuit) -> None:
    networks = [demo.build(cell, compiled, seed=seed) for seed in (3, 3, 4)]
    histories = [train(n, few, QUICK, seed=s) for n, s in zip(networks, (3, 3, 4), strict=True)]
    assert histories[0].loss == histories[1].loss
    assert histories[0].loss != histories[2].loss
    weights = [dict(tree_flatten(network.parameters())) for network in networks]
    assert all(mx.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("cell", ["ltc", "cfc"])
def test_a_compiled_step_is_the_same_to_the_bit(
    cell: str, few: Digits, compiled: gl.CompiledCircuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = [demo.build(cell, compiled, seed=3) for _ in range(2)]
    first = train(networks[0], few, QUICK, seed=3)
    monkeypatch.setattr(training, "compilable", lambda *_: False)
    second = train(networks[1], few, QUICK, seed=3)
    assert (first.loss, first.accuracy) == (second.loss, second.accuracy)
    weights = [dict(tree_flatten(network.parameters())) for network in networks]
    assert all(mx.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_conductances_stay_non_negative(few: Digits, compiled: gl.CompiledCircuit) -> None:
    network = demo.build("ltc", compiled, seed=0)
    train(network, few, Recipe(epochs=3, gain=1.0, noise=0.0, learning_rate=0.3, batch_size=10), seed=0)
    for name in ("w", "sensory_w", "gleak", "cm"):
        assert float(network.cell[name].min()) >= 0.0


def test_progress_counts_every_step(few: Digits, compiled: gl.CompiledCircuit) -> None:
    seen = []
    train(
        demo.build("cfc", compiled, seed=0),
        few,
        QUICK,
        seed=0,
        watch=lambda steps, history: seen.append((steps, len(history.loss))),
    )
    assert steps_per_epoch(few, QUICK) == 3
    assert seen == [(1, 0), (2, 0), (3, 0), (3, 1), (4, 1), (5, 1), (6, 1), (6, 2)]


def test_the_table_gives_mean_and_range_of_several_seeds() -> None:
    rows = [Row("LTC", (0.90, 0.92, 0.94), 1.25, 579, 2544), Row.of_baseline(0.9667, 650)]
    text = printed(table_of(rows))
    for figure in ("0.920", "0.900-0.940", "1.25", "579", "2544", "0.967", "650", "3 seeds"):
        assert figure in text
    assert "range" not in printed(table_of([Row("LTC", (0.9,), 1.25, 579, 2544)]))


def test_the_whole_demo_leaves_a_table_and_pictures(
    tmp_path: Path, few: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Digits, "load", lambda: few)
    console = Console(file=io.StringIO(), width=80)
    out = tmp_path / "new" / "folder"
    rows = demo.run(epochs=1, seeds=(0, 1), out=out, console=console)
    assert [row.model for row in rows] == ["LTC", "CfC", "logistic regression"]
    assert [len(row.accuracy) for row in rows] == [2, 2, 1]
    pictures = sorted(path.name for path in out.iterdir())
    assert pictures == ["activity-cfc.png", "activity-ltc.png", "circuit.png", "curves.png", "masks.png"]
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in text for name in pictures)
    assert max(map(len, text.splitlines())) <= 80


def test_rows_count_synapses_and_parameters(few: Digits, compiled: gl.CompiledCircuit) -> None:
    network = demo.build("ltc", compiled, seed=0)
    history = train(network, few, QUICK, seed=0)
    row = Row.of_runs("LTC", [history], network, compiled)
    plan = compiled.plan
    synapses = len(plan.recurrent.pre) + len(plan.sensory.pre)
    assert row.synapses == synapses
    # Four numbers per synapse, three per neuron, and an affine map per input and output.
    assert row.parameters == 4 * synapses + 3 * 24 + 2 * 8 + 2 * 10
