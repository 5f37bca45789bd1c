"""Conductances that begin in proportion to what a circuit counted."""

from __future__ import annotations

import warnings
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl


def counted() -> gl.Circuit:
    circuit = gl.auto_ncp(16, 3, inputs=4, seed=2)
    for k, pair in enumerate(circuit.edges):
        circuit.add_edge(*pair, weight=1 + k % 7)
    return circuit


def weights(circuit: gl.Circuit, rnn: gl.LTC, part: str) -> np.ndarray:
    plan = rnn.cell.compiled.plan
    synapses = getattr(plan, part)
    pre = plan.sensors if part == "sensory" else plan.neurons
    pairs = zip(synapses.pre, synapses.post, strict=True)
    return np.array([circuit.edges[pre[i], plan.neurons[j]]["weight"] for i, j in pairs], np.float64)


@pytest.mark.parametrize("positive", ["clip", "softplus"])
def test_conductances_begin_in_proportion_to_counts(positive: str) -> None:
    circuit = counted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # weight is used here: nothing is to be said about it
        rnn = gl.LTC(circuit, start="weight", positive=positive)
    p = rnn.cell.effective()
    found = np.concatenate([p["w"], p["sensory_w"]])
    counts = np.concatenate([weights(circuit, rnn, part) for part in ("recurrent", "sensory")])
    assert np.allclose(found, counts * (0.5 / counts.mean()), rtol=1e-5)
    assert found.mean() == pytest.approx(0.5, rel=1e-5)
    rnn(mx.zeros((2, 3, 4)))


def test_other_parameters_are_those_of_the_key() -> None:
    key = mx.random.key(4)
    plain, started = gl.LTC(counted(), key=key), gl.LTC(counted(), key=key, start="weight")
    for name in ("mu", "sigma", "erev", "cm", "gleak", "sensory_mu"):
        assert np.array_equal(plain.cell[name], started.cell[name])


def test_a_synapse_without_a_count_begins_at_the_mean_and_that_is_told() -> None:
    circuit = counted()
    pair = next((u, v) for u, v in circuit.edges if circuit.nodes[u]["role"] != "sensory")
    del circuit.edges[pair]["weight"]
    with pytest.warns(UserWarning, match="1 of 46 synapses have no weight"):
        rnn = gl.LTC(circuit, start="weight")
    plan = rnn.cell.compiled.plan
    place = plan.recurrent.find(*(np.array([plan.neurons.index(name)]) for name in pair))[0]
    assert rnn.cell.w[int(place)].item() == pytest.approx(0.5)


def test_groups_begin_at_the_mean_of_their_members() -> None:
    circuit = counted()
    rnn = gl.LTC(circuit, start="weight", tie={"w": ()})
    free = gl.LTC(circuit, start="weight")
    assert rnn.cell.w.item() == pytest.approx(np.array(free.cell.w).mean(), rel=1e-5)
    scaled = gl.LTC(circuit, start="weight", tie={"w": ()}, scale="weight")
    assert np.allclose(scaled.cell.effective()["w"], free.cell.w, rtol=1e-5)


def test_a_file_keeps_it(tmp_path: Path) -> None:
    rnn = gl.LTC(counted(), start="weight")
    gl.save(rnn, tmp_path / "rnn.safetensors")
    again = gl.load(tmp_path / "rnn.safetensors")
    assert np.array_equal(again.cell.w, rnn.cell.w)
    assert gl.lesion(again, "inter_0").cell.n_neurons == rnn.cell.n_neurons - 1


def test_the_worm_begins_with_its_counts() -> None:
    circuit = gl.connectomes.tap_withdrawal()
    with pytest.warns(UserWarning, match="2 of 22 synapses have no weight"):
        rnn = gl.LTC(circuit, start="weight")
    heaviest = int(np.argmax(np.array(rnn.cell.w)))
    plan = rnn.cell.compiled.plan
    assert plan.neurons[plan.recurrent.pre[heaviest]] == "AVD"
    assert plan.neurons[plan.recurrent.post[heaviest]] == "AVA"


def test_bad_starts_are_refused() -> None:
    with pytest.raises(gl.CircuitError, match="did you mean 'weight'"):
        gl.LTC(counted(), start="wieght")
    with pytest.raises(gl.CircuitError, match="no synapse of the circuit has an attribute 'weight'"):
        gl.LTC(gl.auto_ncp(16, 3, inputs=4), start="weight")
    with pytest.raises(ValueError, match="both say where w begins"):
        gl.LTC(counted(), start="weight", initial_ranges={"w": (0.1, 0.2)})
    with pytest.raises(TypeError, match="start is 3"):
        gl.LTC(counted(), start=3)  # type: ignore[arg-type]
    circuit = counted()
    for pair in circuit.edges:
        circuit.edges[pair]["weight"] = 0
    with pytest.raises(gl.CircuitError, match="0 on every synapse"):
        gl.LTC(circuit, start="weight")
    circuit.edges[pair]["weight"] = -2
    with pytest.raises(ValueError, match="at least 0, got -2"):
        gl.LTC(circuit, start="weight")
