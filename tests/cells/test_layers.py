"""The base of all layers and the dense layer: building, shapes, configs, wirings."""

from __future__ import annotations

import copy
import json
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.ops import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)


@pytest.fixture
def wiring() -> gl.Circuit:
    return gl.layered([], inputs=7, outputs=4, density=0.4, seed=3)


class Scale(gl.NCPLayer):
    """A layer as a user writes one."""

    def __init__(self, start: float = 1.0, *, label: str = "scale"):
        super().__init__()
        self.start = start

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.scale = mx.full((input_shape[-1],), self.start)
        super().build(input_shape)

    def call(self, x: mx.array) -> mx.array:
        return x * self.scale


@pytest.mark.parametrize(
    "make",
    [
        lambda: gl.LTC(gl.auto_ncp(8, 2, inputs=7)),
        lambda: gl.LTCCell(gl.auto_ncp(8, 2, inputs=7)),
        lambda: gl.CfC(gl.dense(7, 8)),
        lambda: gl.RNN(gl.LiquidCell(8)),
        lambda: gl.NCPDense(3),
        lambda: gl.Bidirectional(gl.CfC(gl.auto_ncp(8, 2, inputs=7))),
        lambda: gl.Stack([gl.NCPDense(3), gl.LTC(gl.auto_ncp(8, 2, inputs=3))]),
        lambda: gl.Stack([nn.Linear(7, 3), gl.LTC(gl.auto_ncp(8, 2, inputs=3))]),
    ],
)
def test_a_built_layer_is_not_built_for_another_width(make: Any) -> None:
    layer = make()
    layer.build((2, 3, 7))
    before = dict(tree_flatten(layer.parameters()))
    expected = r"build\(\) for inputs of shape \(2, 3, 9\): the layer reads 7 features, expected .*7\)"
    with pytest.raises(ValueError, match=expected):
        layer.build((2, 3, 9))
    layer.build((2, 3, 7))
    after = dict(tree_flatten(layer.parameters()))
    assert all(after[name] is value for name, value in before.items())


class Doubled(Scale):
    pass


def test_a_layer_is_built_by_its_first_input() -> None:
    layer = Scale(2.0)
    assert not layer.built
    assert layer.parameters() == {}
    assert mx.array_equal(layer(mx.array(X)), 2 * X)
    assert layer.built
    kept = layer.scale
    layer(mx.array(X))
    assert layer.scale is kept


def test_a_layer_is_built_by_a_shape() -> None:
    layer = gl.NCPDense(3)
    layer.build((None, 7))
    assert layer.built
    assert layer.weight.shape == (7, 3)


def test_a_layer_without_call_says_so() -> None:
    with pytest.raises(NotImplementedError, match="NCPLayer has no call"):
        gl.NCPLayer()(mx.zeros((2, 3)))


def test_a_layer_without_state_has_none() -> None:
    assert Scale().get_initial_state(batch_size=3) is None
    assert Scale().compute_output_shape((2, 3)) == (2, 3)


@pytest.mark.parametrize("kind", [Scale, Doubled])
def test_a_config_keeps_the_class_and_every_argument(kind: type[Scale]) -> None:
    config = kind(3.0, label="x").get_config()
    assert config == {"class": kind.__name__, "start": 3.0, "label": "x"}
    for reader in (gl.NCPLayer, Scale, kind):
        twin = reader.from_config(json.loads(json.dumps(config)))
        assert type(twin) is kind
        assert twin.start == 3.0


def test_a_config_without_class_is_of_the_class_that_reads_it() -> None:
    assert type(Doubled.from_config({"start": 2.0})) is Doubled


def test_a_config_of_another_class_is_refused() -> None:
    with pytest.raises(ValueError, match="config is of a Scale: expected a NCPDense"):
        gl.NCPDense.from_config(Scale().get_config())
    with pytest.raises(ValueError, match="unknown layer 'Nobody': import the module"):
        gl.NCPLayer.from_config({"class": "Nobody"})
    with pytest.raises(ValueError, match="unknown kind of circuit 'sphere'"):
        gl.NCPLayer.from_config({"class": "NCPDense", "units": 3, "wiring": {"kind": "sphere"}})


def test_a_class_of_ours_cannot_be_shadowed() -> None:
    class NCPDense(gl.NCPLayer):
        pass

    assert NCPDense().get_config()["class"] == f"{__name__}.NCPDense"
    assert type(gl.NCPLayer.from_config(gl.NCPDense(3).get_config())) is gl.NCPDense
    assert type(gl.NCPLayer.from_config(NCPDense().get_config())) is NCPDense


@pytest.mark.parametrize("value", [print, nn.Linear(2, 2), {1, 2}])
def test_an_argument_that_no_config_can_hold(value: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"start of Scale is a {type(value).__name__}, which a config cannot"
    ):
        Scale(value).get_config()


def test_arguments_of_every_kind_come_back() -> None:
    class Holder(gl.NCPLayer):
        def __init__(self, **values: Any):
            super().__init__()
            self.held = dict(values)

    compiled = gl.compile_circuit(gl.auto_ncp(12, 2, inputs=3))
    values = {
        "numbers": [1, 2.5, None, True, "text", np.float32(0.5)],
        "nested": {"a": [1, {"b": 2}]},
        "sizes": gl.dense(3, 4),
        "plan": compiled.plan,
        "compiled": compiled,
        "layer": Scale(2.0),
    }
    twin = Holder.from_config(json.loads(json.dumps(Holder(**values).get_config())))
    assert twin.held["numbers"] == [1, 2.5, None, True, "text", 0.5]
    assert twin.held["nested"] == values["nested"]
    assert twin.held["sizes"] == values["sizes"]
    assert twin.held["plan"] == compiled.plan
    assert twin.held["compiled"].plan == compiled.plan
    assert twin.held["compiled"].layout == compiled.layout
    assert twin.held["layer"].start == 2.0


def test_a_layer_takes_what_becomes_an_array() -> None:
    """NumPy's own matrix product took over for NumPy inputs, and no gradient passed."""
    for layer in (gl.NCPDense(3), gl.Stack([nn.Linear(7, 3), gl.NCPDense(2)], return_state=False)):
        expected = layer(mx.array(X))
        for form in (X, X.astype(np.float64), X.tolist()):
            assert isinstance(layer(form), mx.array)
            assert mx.array_equal(layer(form), expected)
    dense = gl.NCPDense(3)
    dense.build(X.shape)
    assert float(mx.abs(nn.value_and_grad(dense, lambda m: m(X).sum())(dense)[1]["weight"]).sum()) > 0


@pytest.mark.parametrize("x", ["zeros", None, {1}, np.zeros((2, 7), complex), np.array([None] * 7)])
def test_a_layer_refuses_what_is_no_number(x: Any) -> None:
    for layer in (gl.NCPDense(3), gl.Stack([gl.NCPDense(3)])):
        with pytest.raises(TypeError, match=rf"the input must hold real numbers, got {type(x).__name__}"):
            layer(x)
        with pytest.raises(ValueError, match="the input is a single number"):
            layer(3.0)


# NCPDense


def test_dense_is_a_linear_map() -> None:
    layer = gl.NCPDense(4, key=mx.random.key(0))
    y = np.array(layer(mx.array(X)))
    np.testing.assert_allclose(y, X @ np.array(layer.weight) + np.array(layer.bias), atol=1e-5)
    assert y.shape == layer.compute_output_shape(X.shape)
    assert set(gl.NCPDense(4, use_bias=False, wiring=None)(mx.array(X)).shape) == {4, 5, 6}
    assert "bias" not in gl.NCPDense(4, use_bias=False)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "glu"])
def test_dense_applies_its_activation(activation: str) -> None:
    key = mx.random.key(0)
    plain = gl.NCPDense(4, key=key)(mx.array(X))
    found = gl.NCPDense(4, activation, key=key)(mx.array(X))
    assert mx.allclose(found, gl.cells.ops.activate(activation, plain))


def test_wired_dense_has_weights_on_synapses_only(wiring: gl.Circuit) -> None:
    layer = gl.NCPDense(4, wiring=wiring)
    plan = gl.compile_circuit(wiring).plan
    assert layer.built
    assert layer.weight.shape == plan.sensory.pre.shape
    assert np.array_equal(np.sign(layer.weight), plan.sensory.polarity)
    matrix = np.zeros((7, 4), np.float32)
    matrix[plan.sensory.pre, plan.sensory.post] = np.array(layer.weight)
    np.testing.assert_allclose(np.array(layer(mx.array(X))), X @ matrix, atol=1e-5)
    jacobian = np.array(mx.vjp(layer, [mx.array(np.tile(X[0, 0], (4, 1)))], [mx.eye(4)])[1][0])
    assert np.array_equal(jacobian.T != 0, matrix != 0)


def test_wired_dense_survives_its_config_and_changes_of_the_graph(wiring: gl.Circuit) -> None:
    layer = gl.NCPDense(4, "tanh", wiring=wiring)
    wiring.remove_neuron("sensory_0")
    twin = gl.NCPLayer.from_config(json.loads(json.dumps(layer.get_config())))
    twin.update(layer.parameters())
    assert mx.array_equal(twin(mx.array(X)), layer(mx.array(X)))
    assert mx.array_equal(copy.deepcopy(layer)(mx.array(X)), layer(mx.array(X)))


def test_dense_learns(wiring: gl.Circuit) -> None:
    layer = gl.NCPDense(4, "tanh", wiring=wiring)
    optimizer = optim.Adam(1e-2)
    losses = []
    for _ in range(20):
        loss, gradients = nn.value_and_grad(layer, lambda m: ((m(mx.array(X)) - 0.5) ** 2).mean())(layer)
        optimizer.update(layer, gradients)
        losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]


def test_dense_refuses_what_it_cannot_do(wiring: gl.Circuit) -> None:
    with pytest.raises(ValueError, match="units must be 1 or more, got 0"):
        gl.NCPDense(0)
    with pytest.raises(ValueError, match="unknown activation 'relux'"):
        gl.NCPDense(3, "relux")
    with pytest.raises(ValueError, match="5 units for a wiring of 4 neurons"):
        gl.NCPDense(5, wiring=wiring)
    for layer in (gl.NCPDense(4, wiring=wiring), gl.NCPDense(4)):
        layer.ensure_built((7,))
        with pytest.raises(ValueError, match=r"shape \(2, 6\): expected \(\.\.\., 7\)"):
            layer(mx.zeros((2, 6)))
