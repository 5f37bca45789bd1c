"""Parity with ncps 1.0.1 on PyTorch for what it puts around its cells: mixed memory, projections, backbones.

Outputs and states agree within 1e-5, gradients of a quadratic loss within 1e-4 of each array's largest entry.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells import ncps_parameters

from ..support.golden import NETWORKS, Golden
from ..support.networks import difference, relative_error

VALUES, GRADIENTS = 1e-5, 1e-4
OPTIONS = (
    "ode_unfolds", "positive", "mode", "mixed_memory", "proj_size",
    "backbone_units", "backbone_layers", "backbone_activation",
)  # fmt: skip
on_all_files = pytest.mark.parametrize("name", NETWORKS)


def network(golden: Golden, engine: str = "auto") -> Any:
    config = golden.config
    options = {name: config[name] for name in OPTIONS if name in config}
    if config["cell"] == "CfC" and config["wiring"] != "dense":
        options["ncps_compat"] = True
    circuit = getattr(gl, config["generator"])(**config["arguments"])
    rnn = getattr(gl, config["cell"])(circuit, engine=engine, **options)
    gl.load_ncps(rnn, golden.state_dict)
    return rnn


def inputs(golden: Golden) -> dict[str, Any]:
    given: dict[str, Any] = {name: mx.array(value) for name, value in golden.inputs.items()}
    if "c0" in golden.arrays:
        given["state"] = (given["state"], mx.array(golden.by_neuron(golden["c0"])))
    return given


@pytest.mark.parametrize("engine", ["auto", "ops"])
@on_all_files
def test_outputs_and_states(name: str, engine: str) -> None:
    golden = Golden.load(name)
    y, last, recording = network(golden, engine)(**inputs(golden), record=True)
    states = golden.by_neuron(golden["states"])
    assert difference(y, golden["outputs"][..., : y.shape[-1]]) < VALUES
    assert difference(recording.states, states) < VALUES
    if "memory" in golden.arrays:
        last, memory = last
        assert difference(memory, golden.by_neuron(golden["memory"])) < VALUES
    assert difference(last, states[..., -1, :]) < VALUES


@on_all_files
def test_gradients(name: str) -> None:
    golden = Golden.load(name)
    rnn = network(golden)
    mixed = "c0" in golden.arrays
    targets = mx.array(golden["targets"]), mx.array(golden.by_neuron(golden["state_targets"]))

    def loss(parameters: dict[str, Any], given: dict[str, Any]) -> mx.array:
        rnn.update(parameters)
        y, state = rnn(**given)
        state, memory = state if mixed else (state, None)
        total = ((y - targets[0]) ** 2).sum() + ((state - targets[1]) ** 2).sum()
        if memory is not None:
            total = total + ((memory - mx.array(golden.by_neuron(golden["memory_targets"]))) ** 2).sum()
        return 0.5 * total

    before = rnn.trainable_parameters()
    value, (found, by_input) = mx.value_and_grad(loss, argnums=(0, 1))(before, inputs(golden))
    rnn.update(before)
    assert float(value) == pytest.approx(float(golden["loss"]), rel=VALUES)

    torch_gradients = golden.gradients
    expected = {"x": torch_gradients.pop("x")}
    state = golden.by_neuron(torch_gradients.pop("h0"))
    if mixed:
        expected |= {"state.0": state, "state.1": golden.by_neuron(torch_gradients.pop("c0"))}
    else:
        expected["state"] = state
    if "timespans" in torch_gradients:
        expected["timespans"] = torch_gradients.pop("timespans")
    masks = {key: value for key, value in golden.state_dict.items() if "sparsity_mask" in key}
    parameters = ncps_parameters(rnn, {**torch_gradients, **masks})
    expected |= {key: np.array(value) for key, value in parameters.items()}
    ours = {key: np.array(value) for part in (found, by_input) for key, value in tree_flatten(part)}
    assert ours.keys() == expected.keys()
    errors = {key: relative_error(ours[key], expected[key]) for key in ours}
    assert max(errors.values()) < GRADIENTS, errors


def test_the_files_cover_what_they_must() -> None:
    configs = [Golden.load(name).config for name in NETWORKS]
    backbones = {(c.get("backbone_layers"), c.get("backbone_activation")) for c in configs}
    activations = ("lecun_tanh", "relu", "tanh", "silu", "gelu")
    assert backbones >= {(layers, activation) for layers in (1, 2, 3) for activation in activations}
    for cell in ("LTC", "CfC"):
        assert any(c["cell"] == cell and c.get("mixed_memory") for c in configs)
    assert {c.get("mode") for c in configs if c.get("mixed_memory")} >= {"default", "pure", "no_gate"}
    assert {c["wiring"] == "dense" for c in configs if "proj_size" in c} == {True, False}


@pytest.mark.parametrize(
    ("name", "option", "prefix"),
    [("net-cfc-mixed-auto_ncp", "mixed_memory", "lstm"), ("net-cfc-dense-projected", "proj_size", "fc")],
)
def test_weights_of_a_network_with_more_around_its_cell(name: str, option: str, prefix: str) -> None:
    golden = Golden.load(name)
    del golden.config[option]
    with pytest.raises(ValueError, match=rf"{prefix}\.weights: expected a network made with {option}"):
        network(golden)


def test_weights_of_a_network_with_less_around_its_cell() -> None:
    golden = Golden.load("net-cfc-backbone1-tanh")
    for option, value, message in (("mixed_memory", True, "no 'lstm"), ("proj_size", 3, r"no 'fc\.weight'")):
        golden.config[option] = value
        with pytest.raises(ValueError, match=message):
            network(golden)
        del golden.config[option]
