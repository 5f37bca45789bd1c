"""Every layer and every cell comes back from its config: same class, same parameters, same outputs."""

from __future__ import annotations

import copy
import json
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells import BackboneCfCCell

I, X = 6, mx.array(np.random.default_rng(0).normal(size=(3, 5, 6)).astype(np.float32))  # noqa: E741
CIRCUIT = gl.auto_ncp(12, 2, inputs=I)
COMPILED = gl.compile_circuit(CIRCUIT, layout="block", block_size=8, order="rcm")

LAYERS: dict[str, Any] = {
    "NCPDense": lambda: gl.NCPDense(4, "relu", False),
    "NCPDense wired": lambda: gl.NCPDense(4, wiring=gl.layered([], inputs=I, outputs=4, density=0.5)),
    "LTCCell": lambda: gl.LTCCell(
        CIRCUIT, ode_unfolds=3, solver="rk4", input_mapping="linear", output_mapping=None,
        positive="softplus", polarity="fixed", epsilon=1e-6, initial_ranges={"cm": (0.5, 0.7)},
    ),
    "CfCCell": lambda: gl.CfCCell(COMPILED, mode="no_gate", schedule="synchronous", polarity="fixed"),
    "CfCCell compat": lambda: gl.CfCCell(COMPILED.plan, mode="pure", ncps_compat=True),
    "CTRNNCell": lambda: gl.CTRNNCell(
        CIRCUIT, solver="rk4", activation="sigmoid", tau=2.0, leak=False, clip=3.0
    ),
    "CTGRUCell": lambda: gl.CTGRUCell(CIRCUIT, scales=3, shortest=0.2, clip=2.0, polarity="fixed"),
    "STC": lambda: gl.STC(CIRCUIT, solver="exponential", ode_unfolds=2, positive="softplus"),
    "LRC": lambda: gl.LRC(CIRCUIT, elastance="symmetric", key=mx.random.key(1)),
    "LRCU": lambda: gl.LRCU(COMPILED, elastance="asymmetric"),
    "LeakyRate": lambda: gl.LeakyRate(CIRCUIT, solver="rk4", polarity="fixed"),
    "LIF": lambda: gl.LIF(CIRCUIT, positive="softplus"),
    "MinGRU": lambda: gl.MinGRU(CIRCUIT),
    "LiquidCell": lambda: gl.LiquidCell(8, ode_unfolds=2, features=gl.NCPDense(5, "tanh"), backbone_units=9),
    "BackboneCfCCell": lambda: BackboneCfCCell(
        gl.dense(I, 8), mode="pure", backbone_layers=2, backbone_units=9, backbone_activation="gelu",
        backbone_dropout=0.1,
    ),
    "MixedMemoryCell": lambda: gl.MixedMemoryCell(gl.LTCCell(CIRCUIT), forget_bias=2.0),
    "MissingValueCell": lambda: gl.MissingValueCell(gl.CfCCell(gl.auto_ncp(12, 2, inputs=3 * I))),
    "RNN": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT), reverse=True, return_state=False, proj_size=3, engine="ops"),
    "LTC": lambda: gl.LTC(COMPILED, mixed_memory=True, ode_unfolds=2, return_sequences=False),
    "LTC dense": lambda: gl.LTC(gl.dense(I, 5)),
    "CfC": lambda: gl.CfC(CIRCUIT, ncps_compat=True, mode="pure", checkpoint_every=2),
    "CfC dense": lambda: gl.CfC(gl.dense(I, 5), backbone_layers=0, proj_size=2),
    "Bidirectional": lambda: gl.Bidirectional(gl.CfC(CIRCUIT), "max", backward=gl.LTC(CIRCUIT, reverse=True)),
    "Calcium": lambda: gl.Calcium(0.2, 1.5, gain=2.0, offset=-1.0),
    "Plain": lambda: gl.Plain([2.0, 1.0, 3.0, 4.0, 5.0, 6.0], 0.5, offset=-1.0, trained=["noise"]),
    "Indicator": lambda: gl.Indicator(2.0),
    "Observed": lambda: gl.observe(gl.LTC(CIRCUIT), ["motor_0", "inter_0"], gl.Calcium(0.0, 1.0)),
    "Stack": lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(3)], dropout=0.3, return_state=False),
}  # fmt: skip


def made(name: str) -> Any:
    mx.random.seed(3)
    layer = LAYERS[name]()
    layer.eval()
    return layer


def first(result: Any) -> mx.array:
    return result[0] if isinstance(result, tuple) else result


def given(layer: Any) -> mx.array:
    return X[:, 0] if isinstance(layer, gl.NCPRNNCell) else X


def test_every_layer_is_here() -> None:
    classes = {type(layer) for layer in (LAYERS[name]() for name in LAYERS)}
    abstract = {gl.NCPLayer, gl.NCPRNNCell, gl.cells.CellWrapper, gl.EquationCell}
    public = {getattr(gl.cells, name) for name in gl.cells.__all__}
    assert classes == {c for c in public if isinstance(c, type) and issubclass(c, gl.NCPLayer)} - abstract


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_comes_back_from_its_config(name: str) -> None:
    layer = made(name)
    config = layer.get_config()
    twin = gl.NCPLayer.from_config(json.loads(json.dumps(config)))
    twin.eval()
    assert type(twin) is type(layer)
    assert twin.get_config() == config
    expected = first(layer(given(layer)))
    twin.ensure_built(X.shape)
    shapes = {key: value.shape for key, value in tree_flatten(layer.parameters())}
    assert {key: value.shape for key, value in tree_flatten(twin.parameters())} == shapes
    twin.update(layer.parameters())
    assert mx.allclose(first(twin(given(layer))), expected, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_can_be_copied_and_printed(name: str) -> None:
    layer = made(name)
    expected = first(layer(given(layer)))
    twin = copy.deepcopy(layer)
    assert twin.get_config() == layer.get_config()
    assert mx.array_equal(first(twin(given(layer))), expected)
    assert repr(layer).startswith(type(layer).__name__)


@pytest.mark.parametrize("name", LAYERS)
def test_the_output_shape_is_known_beforehand(name: str) -> None:
    layer = made(name)
    x = given(layer)
    assert tuple(first(layer(x)).shape) == layer.compute_output_shape(tuple(x.shape))
    assert layer.input_size == I


def test_a_config_keeps_the_compiled_form() -> None:
    twin = gl.NCPLayer.from_config(gl.CfCCell(COMPILED).get_config())
    for option in ("layout", "block_size", "order", "plan"):
        assert getattr(twin.compiled, option) == getattr(COMPILED, option)


def test_a_config_is_of_the_circuit_as_it_was() -> None:
    circuit = gl.auto_ncp(12, 2, inputs=I)
    rnn = gl.LTC(circuit, mixed_memory=True)
    circuit.remove_neuron("inter_0")
    assert gl.LTC.from_config(rnn.get_config()).cell.compiled.plan == rnn.cell.compiled.plan


def test_a_subclass_of_a_network_keeps_its_class_and_its_arguments() -> None:
    class Controller(gl.LTC):
        def __init__(self, circuit: Any, gain: float = 1.0, **options: Any):
            super().__init__(circuit, **options)
            self.gain = gain

    twin = gl.NCPLayer.from_config(Controller(CIRCUIT, 2.5, ode_unfolds=2).get_config())
    assert type(twin) is Controller
    assert (twin.gain, twin.cell.ode_unfolds) == (2.5, 2)
    assert gl.Bidirectional(twin).backward.gain == 2.5
