"""All states of a run, as arrays with gradients, and recordings of networks of networks."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten
from tests.support.networks import relative_error

import ganglion as gl

RNG = np.random.default_rng(0)
X = mx.array(RNG.normal(size=(3, 7, 4)).astype(np.float32))
SPANS = mx.array(RNG.uniform(0.2, 2.0, (3, 7)).astype(np.float32))
CIRCUIT = gl.auto_ncp(14, 3, inputs=4, seed=1)

NETWORKS: dict[str, Any] = {
    "LTC": lambda **options: gl.LTC(CIRCUIT, **options),
    "LTC without mappings": lambda **options: gl.LTC(
        CIRCUIT, input_mapping=None, output_mapping=None, **options
    ),
    "CfC": lambda **options: gl.CfC(CIRCUIT, **options),
    "CfC pure": lambda **options: gl.CfC(CIRCUIT, mode="pure", **options),
    "CfC of ncps": lambda **options: gl.CfC(CIRCUIT, ncps_compat=True, **options),
    "CfC without wiring": lambda **options: gl.CfC(gl.dense(4, 6), **options),
    "LTC backwards": lambda **options: gl.LTC(CIRCUIT, reverse=True, **options),
}


@pytest.mark.parametrize(
    "given", [{}, {"lengths": [7, 3, 5]}, {"ends": np.arange(21).reshape(3, 7) % 5 == 0}]
)
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_states_and_their_gradients_are_those_of_plain_operations(
    name: str, given: dict[str, Any], every: int
) -> None:
    key = mx.random.key(1)
    plain = NETWORKS[name](engine="ops", key=key)
    fused = NETWORKS[name](engine="fused", key=key, checkpoint_every=every)
    target = mx.array(RNG.normal(size=(3, 7, plain.cell.n_neurons)).astype(np.float32))
    wanted = mx.array(RNG.normal(size=(3, 7, plain.cell.n_outputs)).astype(np.float32))

    def loss(m: Any, x: mx.array, spans: mx.array) -> mx.array:
        outputs, state, states = m(x, timespans=spans, return_states=True, **given)
        last = mx.square(state).sum()
        return mx.square(states - target).sum() + (outputs * wanted).sum() + last

    found = {}
    for engine, network in (("ops", plain), ("fused", fused)):
        of_parameters = nn.value_and_grad(network, lambda x, spans, m=network: loss(m, x, spans))(X, SPANS)[1]
        of_inputs = mx.grad(lambda x, spans, m=network: loss(m, x, spans), argnums=(0, 1))(X, SPANS)
        found[engine] = dict(tree_flatten({"p": of_parameters, "x": of_inputs[0], "spans": of_inputs[1]}))
    assert found["ops"].keys() == found["fused"].keys()
    for path, gradient in found["ops"].items():
        assert relative_error(found["fused"][path], gradient) < 1e-4, path
    assert mx.abs(found["fused"]["x"]).max() > 0


@pytest.mark.parametrize("engine", ["ops", "fused"])
@pytest.mark.parametrize("name", NETWORKS)
def test_states_are_what_a_recording_shows(name: str, engine: str) -> None:
    network = NETWORKS[name](engine=engine)
    outputs, state, states, recording = network(X, timespans=SPANS, return_states=True, record=True)
    assert np.array_equal(np.array(states), recording.states)
    plain, its_state = network(X, timespans=SPANS)
    np.testing.assert_allclose(np.array(outputs), np.array(plain), atol=1e-6)
    np.testing.assert_allclose(np.array(state), np.array(its_state), atol=1e-6)
    last = states[:, 0] if network.reverse else states[:, -1]
    assert mx.array_equal(last, state)
    one = network(X[0], timespans=SPANS[0], return_states=True)[2]
    np.testing.assert_allclose(np.array(one), np.array(states[0]), atol=1e-6)
    silent = NETWORKS[name](engine=engine, return_state=False)
    silent.update(network.parameters())
    assert mx.array_equal(silent(X, timespans=SPANS, return_states=True)[1], states)


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_a_recording_inside_a_gradient_is_refused_by_every_engine(engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)

    def loss(m: Any) -> mx.array:
        outputs, _, recording = m(X, record=True)
        return outputs.sum() + mx.array(recording.states).sum()

    with pytest.raises(ValueError, match=r"which have no gradient: inside mx.grad, ask for"):
        nn.value_and_grad(rnn, loss)(rnn)
    loss(rnn)


def test_networks_of_networks_are_recorded_part_by_part() -> None:
    both = gl.Bidirectional(gl.LTC(CIRCUIT))
    ahead, back = gl.record(both, X, timespans=SPANS)
    assert np.array_equal(ahead.states, gl.record(both.forward, X, timespans=SPANS).states)
    assert np.array_equal(back.states, gl.record(both.backward, X, timespans=SPANS).states)
    states = both(X, timespans=SPANS, return_states=True)[2]
    assert [each.shape for each in states] == [(3, 7, 14), (3, 7, 14)]

    stack = gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(4, "tanh"), both, gl.NCPDense(2)])
    first, (forward, _) = gl.record(stack, X)
    assert np.array_equal(first.states, gl.record(stack.layers[0], X).states)
    between = stack.layers[1](stack.layers[0](X)[0])
    np.testing.assert_allclose(forward.inputs, np.array(between), atol=1e-6)
    first_states, (_, backward) = stack(X, return_states=True)[2]
    assert (first_states.shape, backward.shape) == ((3, 7, 14), (3, 7, 14))

    quiet = gl.Stack([gl.LTC(CIRCUIT, return_state=False)], return_state=False)
    assert gl.record(quiet, X)[0].neurons == first.neurons
    with pytest.raises(TypeError, match="no layer of this Stack has neurons to record"):
        gl.record(gl.Stack([gl.NCPDense(4)], return_state=False), X)
    with pytest.raises(TypeError, match=r"expected a network, such as gl.LTC\(circuit\), got NCPDense"):
        gl.record(gl.NCPDense(4), X)
