"""A network in units of data, and every container, in all that can be asked of a network."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
UNITS: dict[str, Any] = {"mean": [1e3, -2.0, 0.5], "spread": [50.0, 3.0, 1.0], "time_unit": 0.25}
COLUMNS, OUTPUTS = ["speed", "angle", "grip"], ["torque", "brake"]
SEEN = np.random.default_rng(0).normal(size=(2, 5, 3))
X = SEEN * UNITS["spread"] + UNITS["mean"]
SPANS = np.random.default_rng(1).uniform(0.1, 0.5, (2, 5))


def scaled(model: Any = None) -> gl.Scaled:
    mx.random.seed(3)
    model = gl.LTC(CIRCUIT) if model is None else model
    return gl.Scaled(model, COLUMNS, OUTPUTS, offset=[7.0, 1.0], scale=[2.0, 3.0], **UNITS)


def test_a_recording_is_in_the_units_of_the_data() -> None:
    model = scaled()
    inside = gl.record(model.model, mx.array(SEEN.astype(np.float32)), timespans=SPANS / 0.25)
    found = gl.record(model, X, timespans=SPANS)
    assert found.sensors == tuple(COLUMNS)
    np.testing.assert_allclose(found.inputs, X, rtol=1e-6)
    np.testing.assert_allclose(found.outputs, [7.0, 1.0] + np.array([2.0, 3.0]) * inside.outputs, rtol=1e-6)
    np.testing.assert_allclose(found.states, inside.states, atol=1e-6)
    np.testing.assert_allclose(found.times, np.cumsum(SPANS, axis=1), rtol=1e-6)


def test_time_constants_are_in_the_unit_of_the_time_spans() -> None:
    model = scaled()
    inside = gl.record(model.model, mx.array(SEEN.astype(np.float32)), timespans=SPANS / 0.25)
    expected = 0.25 * gl.time_constants(model.model, inside)
    found = gl.time_constants(model, gl.record(model, X, timespans=SPANS))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_saliency_is_per_unit_of_the_data() -> None:
    """Against central differences of the network in float64's place: one column moved by a little."""
    model = scaled()
    found = gl.saliency(model, X)
    step = np.zeros_like(X)
    step[..., 0] = 2.0
    up, down = (np.array(model(X + sign * step)[0][:, -1], np.float64) for sign in (1, -1))
    np.testing.assert_allclose(found[:, 0], (up - down) / 4.0, rtol=2e-2, atol=1e-4)


@pytest.mark.parametrize("name", ["angle", "sensory_1"])
def test_a_lesion_of_a_column_leaves_the_others_in_their_units(name: str) -> None:
    model = scaled()
    found = gl.lesion(model, name, keep_shapes=False)
    assert found.inputs == ("speed", "grip")
    expected = gl.lesion(model.model, "sensory_1", keep_shapes=False)(
        mx.array(SEEN[..., [0, 2]].astype(np.float32))
    )[0]
    np.testing.assert_allclose(
        np.array(found(X[..., [0, 2]])[0]), np.array([7.0, 1.0]) + [2.0, 3.0] * np.array(expected), rtol=1e-5
    )
    without = gl.lesion(model, "motor_0", keep_shapes=False)
    assert without.outputs == ("brake",)
    expected = gl.lesion(model.model, "motor_0", keep_shapes=False)(mx.array(SEEN.astype(np.float32)))[0]
    np.testing.assert_allclose(np.array(without(X)[0]), 1.0 + 3.0 * np.array(expected), rtol=1e-5)


def test_a_circuit_with_sensors_that_no_column_is_for_is_refused() -> None:
    grown = CIRCUIT.copy()
    grown.add_neuron("extra", role="sensory")
    grown.add_synapse("extra", "inter_0", polarity=1)
    with pytest.raises(ValueError, match="1 sensors that no column of this Scaled one is for"):
        gl.carried(scaled(), grown)


def test_the_columns_name_the_sensors_in_circuits_and_pictures() -> None:
    model = scaled()
    circuit = gl.circuit_of(model)
    assert circuit.neurons("sensory") == COLUMNS
    expected = gl.circuit_of(model.model)
    for pre, post, data in expected.edges(data=True):
        named = COLUMNS[int(pre[-1])] if pre.startswith("sensory") else pre
        assert circuit.edges[named, post]["weight"] == data["weight"]
    picture = gl.viz.plot_circuit(model, width_by="weight")
    assert set(COLUMNS) <= set(picture.neurons)
    assert "speed" in gl.viz.to_html(model)


def missing() -> gl.RNN:
    return gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(12, 2, inputs=9, seed=1))))


NETWORKS: dict[str, Any] = {
    "ltc": lambda: gl.LTC(CIRCUIT),
    "memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "missing values": missing,
    "stack": lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(2)]),
    "two ways": lambda: gl.Bidirectional(gl.LTC(CIRCUIT), merge="sum"),
    "scaled": scaled,
    "scaled stack": lambda: scaled(gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(2)])),
    "scaled two ways": lambda: scaled(gl.Bidirectional(gl.LTC(CIRCUIT), merge="sum")),
    "scaled missing values": lambda: scaled(missing()),
    "scaled twice": lambda: scaled(scaled()),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_answers_every_question(kind: str) -> None:
    network = NETWORKS[kind]()
    recorded = gl.record(network, X)
    for recording in recorded if isinstance(recorded, tuple) else (recorded,):
        assert recording.states.shape == (2, 5, 12)
    found = gl.time_constants(network, recorded)
    for constants in found if isinstance(found, tuple) else (found,):
        assert constants.shape == (2, 5, 12)
        assert (constants > 0).all()
    assert gl.saliency(network, X).shape == (2, 3, 2)
    assert "neurons" in network.explain()
    assert "12 neurons" in network.describe()
    assert network.memory(2, 5).forward > 0
    first = (network.sensors or ("sensory_0",))[0]
    ablated = gl.lesion(network, first, keep_shapes=False)
    assert ablated.input_size == 2
    assert ablated(X[..., 1:])[0].shape == (2, 5, 2)
    if "two ways" not in kind:  # which has two networks with strengths of their own
        assert len(gl.circuit_of(network).neurons("command")) > 0
        assert gl.viz.plot_masks(network).artists
    twin = gl.carried(
        network,
        gl.circuit_of(
            network.model.model
            if kind == "scaled twice"
            else gl.LTC(gl.auto_ncp(12, 2, inputs=9 if "missing" in kind else 3, seed=1))
        ),
    )
    assert twin(X)[0].shape == (2, 5, 2)


def test_time_constants_of_missing_values_are_those_of_the_cell_inside() -> None:
    """The reference is the inner cell's equation over the features that the wrapper makes."""
    network = missing()
    x = np.where(np.random.default_rng(2).random(SEEN.shape) < 0.3, np.nan, SEEN)
    recording = gl.record(network, x, timespans=SPANS)
    last, since = np.zeros((2, 3)), np.zeros((2, 3))
    features = []
    for t in range(5):
        gone = np.isnan(x[:, t])
        last, since = np.where(gone, last, x[:, t]), since + SPANS[:, t, None]
        features.append(np.concatenate([last, 1.0 - gone, since], axis=1))
        since = np.where(gone, since, 0.0)
    inner = gl.RNN(network.cell.cell)
    alone = gl.record(inner, mx.array(np.stack(features, 1).astype(np.float32)), timespans=SPANS)
    np.testing.assert_allclose(
        gl.time_constants(network, recording), gl.time_constants(inner, alone), rtol=1e-4
    )
