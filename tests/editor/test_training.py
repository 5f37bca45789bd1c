"""Training while one watches and edits: as fit does it, with pauses, and across edits of the circuit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from tests.editor.pages import Page

import ganglion as gl
from ganglion.wiring import edits


def data() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    x = np.random.default_rng(0).normal(size=(16, 8, 2)).astype(np.float32)
    return x, np.cumsum(x, axis=1)[..., :1] * 0.1


def fit(epochs: int) -> dict[str, Any]:
    optimizer = optim.Adam(0.01, bias_correction=True)
    return {
        "data": data(),
        "loss": gl.training.mse,
        "optimizer": optimizer,
        "epochs": epochs,
        "batch_size": 8,
    }


@pytest.fixture
def network() -> Any:
    return gl.LTC(gl.auto_ncp(8, 1, inputs=2, seed=1), key=mx.random.key(0))


@pytest.fixture
def editor(network: Any) -> Iterator[Any]:
    with gl.edit(network, fit=fit(100_000), browser=False) as editor:
        yield editor


def test_it_trains_as_fit_does(network: Any) -> None:
    other = gl.LTC(gl.auto_ncp(8, 1, inputs=2, seed=1), key=mx.random.key(0))
    history = gl.fit(other, progress=False, **fit(4))
    with gl.edit(network, fit=fit(4), browser=False) as editor:
        page = Page(editor.url)  # type: ignore[union-attr]
        assert page.hello()["training"] is True
        message = page.wait("training", state="done")
        assert message["history"] == pytest.approx(history.loss, rel=1e-3)
        assert editor.network is network
        np.testing.assert_allclose(np.array(network.cell.w), np.array(other.cell.w), rtol=1e-5)


def test_pause_edit_and_go_on(editor: Any, network: Any) -> None:
    page = Page(editor.url)
    page.hello()
    page.wait("training", epoch=3)
    page.send("train", action="pause")
    page.wait("training", state="paused")
    page.edit(edits.Add([("new", {"role": "inter"})], [("sensory_0", "new", {"polarity": 1})]))
    page.edit(edits.Add([], [("new", "motor_0", {"polarity": -1})]))
    page.edit(edits.Rename({"motor_0": "arm"}))
    trained = np.array(network.cell.gleak)[0]
    page.send("train", action="continue")
    start = page.wait("training", state="running")["epoch"]
    page.wait("training", epoch=start + 5)
    page.send("train", action="stop")
    assert page.wait("training", state="done")["why"] is None
    plan = editor.network.cell.compiled.plan
    assert editor.network is not network
    assert set(plan.neurons) == {*network.cell.neurons, "new", "arm"} - {"motor_0"}
    assert "new" in [plan.neurons[k] for k in plan.recurrent.pre]
    assert abs(np.array(editor.network.cell.gleak)[0] - trained) < 0.5


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (
            edits.Add([("third", {"role": "sensory"})]),
            "the data are for 2 sensory neurons, and the circuit has 3",
        ),
        (edits.Add([("more", {"role": "motor"})]), "the data are for 1 motor neuron, and the circuit has 2"),
        (edits.Remove(["motor_0"]), "motor"),
        (edits.Remove(["sensory_0", "sensory_1"]), "sensory"),
    ],
)
def test_it_waits_while_the_circuit_cannot_be_trained(editor: Any, spoil: edits.Edit, why: str) -> None:
    page = Page(editor.url)
    page.hello()
    page.wait("training", epoch=2)
    page.edit(spoil)
    while (message := page.wait("training", state="paused"))["why"] is None:
        pass
    assert why in message["why"]
    page.edit(edits.Rename({"inter_0": "renamed"}))  # is not forgotten by then
    page.send("undo", base=page.revision)
    page.send("undo", base=page.revision)
    page.edit(edits.Rename({"inter_1": "kept"}))
    message = page.wait("training", state="running")
    assert message["why"] is None
    page.wait("training", epoch=message["epoch"] + 3)
    page.send("train", action="stop")
    page.wait("training", state="done")
    assert "kept" in editor.network.cell.compiled.plan.neurons


def test_it_can_be_stopped_while_it_waits(editor: Any) -> None:
    page = Page(editor.url)
    page.hello()
    page.edit(edits.Add([("third", {"role": "sensory"})]))
    while page.wait("training", state="paused")["why"] is None:
        pass
    page.send("train", action="stop")
    page.wait("training", state="done")


def test_checkpoints_before_and_after_an_edit(network: Any, tmp_path: Path) -> None:
    """Each run over a circuit of its own has a directory of its own, which can be gone on with."""
    given = {**fit(100_000), "checkpoint": tmp_path / "run"}
    with gl.edit(network, fit=given, browser=False) as editor:
        page = Page(editor.url)  # type: ignore[union-attr]
        page.hello()
        page.wait("training", epoch=2)
        page.edit(edits.Remove(["inter_0"]))
        while not (tmp_path / "run-edited-1").exists():
            page.wait("training", state="running")
        page.wait("training", epoch=page.wait("training")["epoch"] + 2)
        page.send("train", action="stop")
        page.wait("training", state="done")
        edited = editor.network
    assert len(edited.cell.neurons) == len(network.cell.neurons) - 1
    for folder, like in ((tmp_path / "run", network), (tmp_path / "run-edited-1", edited)):
        other = gl.LTC(like.cell.compiled)
        history = gl.fit(other, progress=False, **{**fit(1), "checkpoint": folder})
        assert len(history.loss) >= 2  # it is further than the one epoch that was asked for
        np.testing.assert_array_equal(np.array(other.cell.w), np.array(like.cell.w))


def test_a_run_that_is_gone_on_with_shows_what_was_before(network: Any, tmp_path: Path) -> None:
    other = gl.LTC(gl.auto_ncp(8, 1, inputs=2, seed=1), key=mx.random.key(0))
    before = gl.fit(other, progress=False, **{**fit(3), "checkpoint": tmp_path / "run"})
    with gl.edit(network, fit={**fit(5), "checkpoint": tmp_path / "run"}, browser=False) as editor:
        page = Page(editor.url)  # type: ignore[union-attr]
        page.hello()
        message = page.wait("training", state="done")
    assert message["history"][:3] == pytest.approx(before.loss, rel=1e-3)
    assert message["epoch"] == 5


def test_the_weights_are_shown_while_they_are_learned(editor: Any) -> None:
    page = Page(editor.url)
    page.hello()
    first = page.wait("network")["synapses"]
    page.wait("training", epoch=20)
    while (later := page.wait("network")["synapses"]) == first:
        pass
    assert [row[:2] for row in later] == [row[:2] for row in first]


def test_warnings_are_heard_meanwhile(editor: Any) -> None:
    """Filters are those of the whole process, so that the thread that trains must leave them alone."""
    page = Page(editor.url)
    page.hello()
    page.wait("training", epoch=2)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)
    assert not any(action == "ignore" and kind is Warning for action, _, kind, *_ in warnings.filters)


def test_what_cannot_be_trained_is_refused(network: Any) -> None:
    with pytest.raises(TypeError, match="fit= trains a network"):
        gl.edit(gl.auto_ncp(8, 1, inputs=2, seed=1), fit=fit(1), browser=False)
    with pytest.raises(TypeError, match="loss, optimizer is missing"):
        gl.edit(network, fit={"data": data(), "epochs": 2}, browser=False)
