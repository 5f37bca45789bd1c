"""A network over an edited circuit keeps what it has learned, by name, and turns what was flipped."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl


def circuit() -> gl.Circuit:
    return gl.auto_ncp(16, 3, inputs=4, sparsity=0.5, seed=3)


NETWORKS = {
    "ltc": lambda c: gl.LTC(c, ode_unfolds=3, key=mx.random.key(1)),
    "ltc-fixed": lambda c: gl.LTC(c, polarity="fixed", key=mx.random.key(1)),
    "cfc": lambda c: gl.CfC(c, key=mx.random.key(1)),
    "cfc-pure": lambda c: gl.CfC(c, mode="pure", key=mx.random.key(1)),
}


def run(network: Any) -> np.ndarray[Any, Any]:
    x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    return np.array(network(x)[0])


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_same_circuit_gives_the_same_network(kind: str) -> None:
    network = NETWORKS[kind](circuit())
    other = gl.carried(network, circuit())
    assert type(other) is type(network)
    np.testing.assert_allclose(run(other), run(network), atol=1e-6)


@pytest.mark.parametrize("kind", NETWORKS)
def test_flipping_there_and_back_is_nothing_and_once_is_something(kind: str) -> None:
    network = NETWORKS[kind](circuit())
    edited = circuit()
    synapses = [(u, v) for u, v, _ in edited.synapses() if v.startswith("motor")]
    for pair in synapses[:3]:
        edited.flip(*pair)
    once = gl.carried(network, edited)
    back = gl.carried(once, circuit())
    assert np.abs(run(once) - run(network)).max() > 1e-3
    np.testing.assert_allclose(run(back), run(network), atol=1e-6)


@pytest.mark.parametrize("kind", ["ltc", "cfc"])
def test_a_flipped_synapse_acts_as_if_the_network_had_been_made_so(kind: str) -> None:
    """Of two networks with one key, whose circuits differ in one sign, one is the other one carried over."""
    edited = circuit()
    u, v, _ = edited.synapses("sensory")[0]
    edited.flip(u, v)
    a, b, _ = edited.synapses("inter", "command")[0]
    edited.flip(a, b)
    carried = gl.carried(NETWORKS[kind](circuit()), edited)
    if kind == "ltc":
        np.testing.assert_allclose(run(carried), run(NETWORKS[kind](edited)), atol=1e-6)
    again = gl.carried(carried, circuit())
    np.testing.assert_allclose(run(again), run(NETWORKS[kind](circuit())), atol=1e-6)


def test_a_rename_changes_nothing() -> None:
    network = gl.LTC(circuit(), key=mx.random.key(2))
    edited = circuit()
    edited.rename({"motor_0": "left", "inter_1": "AVA", "sensory_2": "eye"})
    names = {"motor_0": "left", "inter_1": "AVA", "sensory_2": "eye"}
    np.testing.assert_allclose(run(gl.carried(network, edited, renames=names)), run(network), atol=1e-6)


def test_the_old_network_stays_and_options_go_along() -> None:
    network = gl.LTC(circuit(), ode_unfolds=3, engine="ops")
    before = run(network)
    edited = circuit()
    edited.add_neuron("new", role="command")
    edited.add_synapses([("inter_0", "new"), ("new", "motor_0", -1)])
    other = gl.carried(network, edited)
    assert "new" in other.cell.neurons
    assert (other.engine, other.cell.ode_unfolds) == ("ops", 3)
    np.testing.assert_array_equal(run(network), before)
