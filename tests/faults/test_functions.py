"""A function that somebody hands in and that cannot be called as it is called is refused by a sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.optimizers as optim
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.studies import Silence, Stimulate

CIRCUIT = gl.auto_ncp(8, 2, inputs=2, seed=1)
X = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
GRAPH = nx.DiGraph([(0, 1), (1, 2)])


def study(**options: Any) -> Any:
    return gl.study(gl.LTC(CIRCUIT), gl.each("command"), x=X, **options)


def fit(**options: Any) -> Any:
    settings = {"loss": gl.training.mse, "optimizer": optim.SGD(0.0), "progress": False, **options}
    return gl.fit(gl.LTC(CIRCUIT), (X, X), epochs=1, **settings)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda: gl.each("command", lambda a, b: Silence([a, b]), at_once=2),
            "how is called with the name of one neuron, and both perturbations of a pair act together, as "
            "<lambda> cannot be: missing a required argument: 'b'",
        ),
        (
            lambda: gl.each("command", Stimulate),
            "the name of one neuron, as Stimulate cannot be: .*'current'",
        ),
        (lambda: gl.each(how=lambda a: None), "the names of a synapse's neurons, pre and post, as <lambda>"),
        (lambda: study(measure=lambda look, y: 0.0), "measure '<lambda>' is called with a Look at the pert"),
        (lambda: study(measure={"m": lambda: 0.0}), "measure 'm' is called with a Look at the perturbed net"),
        (lambda: fit(validation=lambda: 0.0), "validation is called with the model, as <lambda> cannot be: "),
        (lambda: fit(loss=lambda model, x: 0.0), "the data give 2 arrays to the loss <lambda>"),
        (lambda: gl.experiment(lambda: 0.0, {"a": [1]}), "train is called with a trial, as <lambda> cannot"),
        (lambda: gl.experiment(lambda: 0.0, {"a": [1]}, together=True), "train is called with a list of tr"),
        (lambda: gl.circuit_from(GRAPH, names=lambda: "a"), "names is called with the id of a node, as <la"),
        (
            lambda: gl.circuit_from(GRAPH, roles=lambda: "inter", polarity=1),
            "roles is called with the name of a neuron",
        ),
        (lambda: gl.circuit_from(GRAPH, polarity=lambda a: 1), "with the names of two neurons, pre and post"),
        (lambda: gl.EditSession(CIRCUIT).observe(lambda: None), "observer is called with an entry of the "),
        (
            lambda: gl.silenced(gl.LTC(CIRCUIT), lambda name: True),
            "a predicate of neurons takes a name and its attributes",
        ),
    ],
)
def test_it_is_told_what_it_is_called_with(call: Callable[[], Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        call()


def test_what_how_gives_must_be_a_perturbation() -> None:
    with pytest.raises(TypeError, match=r"such as gl.studies.Silence, from how\('command_0'\), got None"):
        gl.study(gl.LTC(CIRCUIT), gl.each("command", lambda name: None), x=X)


def test_any_function_that_can_be_called_so_will_do() -> None:
    held = gl.each("command", partial(Silence, to=0.5))
    found = gl.study(gl.LTC(CIRCUIT), held, x=X, measure={"mean": lambda look, scale=2.0: scale})
    assert [row.value for row in found] == [2.0] * len(found.rows)
    assert gl.circuit_from(GRAPH, names=str, roles={"0": "sensory", "2": "motor", "1": "inter"}, polarity=1)
