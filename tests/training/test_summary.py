"""What `fit` says at its end is what there is to see, counted by hand."""

from __future__ import annotations

import math
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl

MSE = gl.training.mse
CIRCUIT = gl.auto_ncp(8, 2, inputs=2, sparsity=0.2)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    mx.random.seed(1)


def fit(model: nn.Module, data: Any, **options: Any) -> gl.training.Summary:
    settings = {
        "loss": MSE,
        "optimizer": optim.SGD(0.0),
        "epochs": 3,
        "batch_size": 4,
        "progress": False,
        **options,
    }
    summary = gl.fit(model, data, **settings).summary
    assert summary is not None
    return summary


def task(items: int = 8) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(items, 5, 2))
    return x, np.tanh(x)


def test_the_epoch_kept_and_those_dropped() -> None:
    given = iter([0.5, 0.25, math.nan, 0.75])
    summary = fit(gl.LTC(CIRCUIT), task(), validation=lambda model: next(given), epochs=4)
    assert (summary.epochs, summary.kept, summary.dropped, summary.refused) == (4, 1, 2, 1)
    said = "4 epochs, kept the weights of epoch 2, by its validation number 0.25; dropped 2 later epochs; "
    assert str(summary).startswith(said + "1 epoch without a finite validation")


def test_without_validation_the_last_weights_are_kept() -> None:
    summary = fit(gl.LTC(CIRCUIT), task())
    assert (summary.kept, summary.dropped) == (None, 0)
    assert str(summary).startswith("3 epochs, kept the last step's weights, without validation")


def test_signs_are_counted_against_the_graph() -> None:
    """Against the polarities of the graph itself, not of the plan."""
    graph = nx_edges(CIRCUIT)
    recurrent = [sign for pre, post, sign in graph if not pre.startswith("sensory")]
    sensory = [sign for pre, post, sign in graph if pre.startswith("sensory")]
    ltc = gl.LTC(CIRCUIT)
    ltc.cell.erev = mx.ones_like(ltc.cell.erev)
    ltc.cell.sensory_erev = -mx.ones_like(ltc.cell.sensory_erev)
    ltc.cell.w = ltc.cell.w * mx.array([0.0] + [1.0] * (len(recurrent) - 1))  # none that is zero has a sign
    summary = fit(ltc, task())
    against = sum(sign < 0 for sign in recurrent) + sum(sign > 0 for sign in sensory)
    first = int(np.array(ltc.cell.compiled.plan.recurrent.polarity)[0] < 0)
    assert (summary.sign_changes, summary.zeros) == (against - first, 1)
    assert summary.synapses == len(graph)
    cfc = gl.CfC(CIRCUIT)
    for name in ("ff1_w", "ff2_w", "sensory_ff1_w", "sensory_ff2_w"):
        cfc.cell[name] = mx.abs(cfc.cell[name])
    summary = fit(cfc, task())
    assert summary.sign_changes == 2 * sum(sign < 0 for sign in recurrent + sensory)
    assert summary.synapses == 2 * len(graph)


def test_zeros_of_electrical_synapses_are_counted() -> None:
    circuit = CIRCUIT.copy()
    circuit.add_synapse("inter_0", "inter_1", kind="electrical")
    circuit.edges[circuit.synapses("command", "motor")[0][:2]]["gap"] = 0.5
    ltc = gl.LTC(circuit)
    ltc.cell.w = ltc.cell.w * mx.array([0.0] + [1.0] * (len(ltc.cell.w) - 1))
    ltc.cell.gap = mx.array([0.0, 0.5])
    assert fit(ltc, task()).zeros == 2


def nx_edges(circuit: gl.Circuit) -> list[tuple[str, str, int]]:
    return [(pre, post, data["polarity"]) for pre, post, data in circuit.edges(data=True)]


@pytest.mark.parametrize("cell", [gl.LTC, gl.CfC])
def test_fixed_signs_are_never_against_the_graph(cell: type[gl.RNN]) -> None:
    assert fit(cell(CIRCUIT, polarity="fixed"), task(), optimizer=optim.SGD(1.0)).sign_changes == 0


def test_padding_is_counted() -> None:
    x, y = task()
    mask = np.arange(5) < np.array([5, 4, 3, 2, 1, 5, 5, 5])[:, None]
    summary = fit(gl.LTC(CIRCUIT), (x, y, np.ones((8, 5)), mask))
    assert (summary.padding, summary.samples) == (10, 40)


def test_neurons_that_do_not_move_are_counted() -> None:
    rnn = gl.LTC(CIRCUIT)
    rnn.cell.w, rnn.cell.sensory_w = mx.zeros_like(rnn.cell.w), mx.zeros_like(rnn.cell.sensory_w)
    rnn.cell.vleak = mx.zeros_like(rnn.cell.vleak)
    summary = fit(rnn, task())
    assert (summary.still, summary.neurons) == (8, 8)


def test_a_network_stuck_at_the_mean_is_told_with_what_to_try() -> None:
    rnn = gl.LTC(CIRCUIT)
    rnn.cell.freeze()
    rnn.cell.unfreeze(keys="output_b")
    rnn.cell.output_w = mx.zeros_like(rnn.cell.output_w)
    with pytest.warns(UserWarning, match=r"hardly differ from their mean: a lower learning rate, clip_norm"):
        summary = fit(rnn, task(), epochs=50)
    assert summary.stuck is not None
    assert summary.stuck in str(summary)
    trained = gl.LTC(CIRCUIT)
    assert fit(trained, task(), optimizer=optim.Adam(0.01, bias_correction=True), epochs=50).stuck is None


class Scored(nn.Module):
    """A module that is not called as networks are: it takes the targets and returns its own loss."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = gl.LTC(CIRCUIT)

    def __call__(self, x: mx.array, y: mx.array) -> dict[str, mx.array]:
        return {"loss": MSE(self.rnn, x, y)}


class Named:
    """Data whose items are dictionaries."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, items: Any) -> Any:
        return ({"x": mx.array(task()[0][items]), "y": mx.array(task()[1][items])},)


def test_the_summary_of_a_model_of_ones_own_comes_without_what_it_cannot_know() -> None:
    """After hours of training, it must not fail because a loss calls the model in a way of its own."""
    summary = fit(Scored(), task(), loss=lambda model, x, y: model(x, y)["loss"], epochs=60)
    assert (summary.epochs, summary.stuck, summary.neurons) == (60, None, 0)
    summary = fit(gl.LTC(CIRCUIT), Named(), loss=lambda model, b: MSE(model, b["x"], b["y"]), epochs=60)
    assert (summary.epochs, summary.stuck, summary.neurons) == (60, None, 0)
