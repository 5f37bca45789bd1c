"""Parity with ncps 1.0.1 on PyTorch, through the golden files of `tests/golden`: no torch needed here.

Each file is one configuration. The circuit comes from our own generator, the weights through `load_ncps`;
then states and outputs of all 32 steps agree within 1e-5, and the gradients of a quadratic loss within 1e-4
of the largest entry of each array: for every parameter, and for inputs, initial state and time spans.

ncps orders the state of a wired CfC by layer, we order all states by neuron id; the files say which id stands
in which column. Its one-layer wired CfC returns all units; we return the outputs that the wiring declares.
"""

from __future__ import annotations

import hashlib
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells import ncps_parameters

from ..support.golden import FOLDER, MANIFEST, NAMES, STORED, Golden
from ..support.networks import ENGINES, LAYOUTS, difference, quadratic_loss, relative_error

VALUES = 1e-5
GRADIENTS = 1e-4

on_all_files = pytest.mark.parametrize("name", NAMES)
on_all_engines = pytest.mark.parametrize("engine", ENGINES)
on_all_layouts = pytest.mark.parametrize("layout", LAYOUTS)
# Keyword arguments that a golden configuration shares with our layers.
OPTIONS = (
    "ode_unfolds", "positive", "input_mapping", "output_mapping",
    "mode", "backbone_units", "backbone_layers", "backbone_activation",
)  # fmt: skip


def network(golden: Golden, layout: str, engine: str) -> nn.Module:
    """The layer of ours that a golden file is about, with the weights of its torch model."""
    config = golden.config
    options: dict[str, Any] = {name: config[name] for name in OPTIONS if name in config}
    circuit = getattr(gl, config["generator"])(**config["arguments"])
    if config["wiring"] != "dense":
        circuit = gl.compile_circuit(circuit, layout=layout)
        if config["cell"] == "CfC":
            options["ncps_compat"] = True
    mx.random.seed(0)
    rnn = getattr(gl, config["cell"])(circuit, engine=engine, **options)
    gl.load_ncps(rnn, golden.state_dict)
    return rnn


def arrays(inputs: dict[str, np.ndarray]) -> dict[str, mx.array]:
    return {name: mx.array(value) for name, value in inputs.items()}


@on_all_layouts
@on_all_engines
@on_all_files
def test_outputs_and_states(name: str, engine: str, layout: str) -> None:
    golden = Golden.load(name)
    rnn = network(golden, layout, engine)
    y, last, recording = rnn(**arrays(golden.inputs), record=True)
    states = golden.by_neuron(golden["states"])
    assert difference(y, golden.outputs) < VALUES
    assert difference(recording.states, states) < VALUES
    assert difference(last, states[..., -1, :]) < VALUES

    plain, plain_last = rnn(**arrays(golden.inputs))
    assert difference(plain, golden.outputs) < VALUES
    assert difference(plain_last, states[..., -1, :]) < VALUES


@on_all_layouts
@on_all_engines
@on_all_files
def test_gradients(name: str, engine: str, layout: str) -> None:
    golden = Golden.load(name)
    rnn = network(golden, layout, engine)
    targets = golden["targets"], golden.by_neuron(golden["state_targets"])
    loss, found = quadratic_loss(rnn, golden.inputs, *targets)
    assert loss == pytest.approx(float(golden["loss"]), rel=VALUES)

    torch_gradients = golden.gradients
    expected = {"x": torch_gradients.pop("x")}
    if "h0" in torch_gradients:
        expected["state"] = golden.by_neuron(torch_gradients.pop("h0"))
    if "timespans" in torch_gradients:
        expected["timespans"] = torch_gradients.pop("timespans")
    masks = {key: value for key, value in golden.state_dict.items() if "sparsity_mask" in key}
    parameters = ncps_parameters(rnn, {**torch_gradients, **masks})
    parameters = {key.removeprefix("cell."): value for key, value in parameters.items()}
    expected |= {key: np.array(value) for key, value in parameters.items()}
    assert found.keys() == expected.keys()
    errors = {key: relative_error(found[key], expected[key]) for key in found}
    assert max(errors.values()) < GRADIENTS, errors

    # Torch's gradient is zero where there is no synapse: ours hold all of it, each entry once.
    squares = sum(float((value.astype(float) ** 2).sum()) for value in torch_gradients.values())
    gathered = sum(float((found[key].astype(float) ** 2).sum()) for key in parameters)
    assert gathered == pytest.approx(squares, rel=GRADIENTS)


@pytest.mark.parametrize("name", [name for name in NAMES if "-dense-" not in name])
def test_the_circuit_is_that_of_ncps(name: str) -> None:
    golden = Golden.load(name)
    circuit = getattr(gl, golden.config["generator"])(**golden.config["arguments"])
    plan = gl.compile_circuit(circuit).plan
    for synapses, matrix in ((plan.recurrent, "adjacency"), (plan.sensory, "sensory_adjacency")):
        ours = np.zeros_like(golden[matrix])
        ours[synapses.pre, synapses.post] = synapses.polarity
        np.testing.assert_array_equal(ours, golden[matrix])


def test_the_files_are_those_of_the_script() -> None:
    stored = sorted(path.name for path in FOLDER.glob("*.npz"))
    assert stored == sorted(MANIFEST["files"])
    for name in STORED:
        golden = Golden.load(name)
        total = hashlib.sha256()
        for key in sorted(golden.arrays):
            value = golden.arrays[key]
            total.update(f"{key} {value.dtype.str} {value.shape}\n".encode())
            total.update(value.tobytes())
        assert total.hexdigest() == MANIFEST["files"][f"{name}.npz"]["sha256"], name


def test_the_files_cover_what_they_must() -> None:
    configs = [Golden.load(name).config for name in NAMES]
    for cell in ("LTC", "CfC"):
        of_cell = [config for config in configs if config["cell"] == cell]
        runs = {(config["times"], config["start"]) for config in of_cell}
        assert runs >= {(times, start) for times in ("regular", "irregular") for start in (False, True)}
        for variant in {(c.get("mode"), c.get("positive")) for c in of_cell}:
            wirings = {c["wiring"] for c in of_cell if (c.get("mode"), c.get("positive")) == variant}
            assert wirings >= {"auto_ncp", "ncp", "random", "fully_connected"}
    assert {c.get("mode") for c in configs} == {None, "default", "pure", "no_gate"}
    assert {c.get("positive") for c in configs} == {None, "clip", "softplus"}
