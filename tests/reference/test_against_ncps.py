"""The float64 reference cells against what ncps computed: neither is our code, so both can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from ..support.golden import NAMES, Golden
from ..support.networks import difference
from .cfc import CfC
from .graph import Wires
from .ltc import LTC

# Golden files hold float32 numbers of magnitude 1 or so; the computations behind them are float64.
ROUNDING = 5e-7


def batched(golden: Golden) -> dict[str, np.ndarray]:
    inputs = golden.inputs
    return inputs if inputs["x"].ndim == 3 else {name: value[None] for name, value in inputs.items()}


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ltc-")])
def test_ltc(name: str) -> None:
    golden = Golden.load(name)
    wires = Wires.of(golden.graph)
    parameters = {}
    for torch_name, value in golden.state_dict.items():
        ours = torch_name.removeprefix("rnn_cell.")
        if value.ndim == 1:
            parameters[ours] = value
        elif ours.startswith("sensory_"):
            parameters[ours] = value[wires.sensory_pre, wires.sensory_post]
        else:
            parameters[ours] = value[wires.pre, wires.post]
    reference = LTC(wires, parameters, golden.config["ode_unfolds"], positive=golden.config["positive"])
    outputs, states = reference.run(**batched(golden))
    assert difference(outputs.reshape(golden.outputs.shape), golden.outputs) < ROUNDING
    assert difference(states.reshape(golden["states"].shape), golden["states"]) < ROUNDING


@pytest.mark.parametrize("mode", ["default", "pure", "no_gate"])
def test_synchronous_cfc_is_ncps_on_a_full_circuit(mode: str) -> None:
    """On one layer with every synapse, ncps's unmasked gates and recurrence are the circuit's own."""
    (name,) = (name for name in NAMES if name.startswith(f"cfc-{mode}-fully_connected"))
    check_cfc(Golden.load(name), mode, "synchronous", [range(10)])


@pytest.mark.parametrize("mode", ["default", "pure", "no_gate"])
def test_layered_cfc_is_ncps_on_a_full_ncp(mode: str) -> None:
    """The same in three layers, with the full recurrence of ncps inside each layer put into the graph."""
    golden = Golden.load(f"cfc-{mode}-full_ncp-irregular-h0")
    check_cfc(golden, mode, "layered", [range(6, 11), range(2, 6), range(2)])


def check_cfc(golden: Golden, mode: str, schedule: str, layers: list[range]) -> None:
    """Compare, with all synapses inside each layer (neuron ids) added to the graph and no others."""
    graph = golden.graph
    layer_of = {f"neuron {i}": k for k, layer in enumerate(layers) for i in layer}
    within = [(i, j) for i, j in graph.edges if layer_of.get(i) == layer_of[j]]
    graph.remove_edges_from(within)
    graph.add_edges_from((i, j) for i in layer_of for j in layer_of if layer_of[i] == layer_of[j])
    wires = Wires.of(graph)
    reference = CfC(wires, cfc_parameters(golden, wires, layers), mode, schedule)
    _, states = reference.run(**golden.inputs)
    assert difference(states, golden.by_neuron(golden["states"])) < ROUNDING


def cfc_parameters(golden: Golden, wires: Wires, layers: list[range]) -> dict[str, np.ndarray]:
    """Per-synapse weights from the torch matrices: layer k holds (out, [previous layer or inputs, own])."""
    state_dict = golden.state_dict
    n, sensors = len(wires.neurons), len(wires.sensors)
    parameters: dict[str, np.ndarray] = {}
    maps = {name.split(".")[2] for name in state_dict if name.endswith("weight")}
    for quantity in maps:
        recurrent, sensory = np.zeros((n, n)), np.zeros((sensors, n))
        bias = np.zeros(n)
        for k, layer in enumerate(layers):
            weight = state_dict[f"rnn_cell.layer_{k}.{quantity}.weight"].T
            bias[layer] = state_dict[f"rnn_cell.layer_{k}.{quantity}.bias"]
            before = len(weight) - len(layer)
            recurrent[np.ix_(layer, layer)] = weight[before:]
            if k:
                recurrent[np.ix_(layers[k - 1], layer)] = weight[:before]
            else:
                sensory[:, layer] = weight[:before]
        parameters[f"{quantity}_w"] = recurrent[wires.pre, wires.post]
        parameters[f"sensory_{quantity}_w"] = sensory[wires.sensory_pre, wires.sensory_post]
        parameters[f"{quantity}_b"] = bias
    for quantity in ("w_tau", "A"):
        if f"rnn_cell.layer_0.{quantity}" in state_dict:
            parameters[quantity] = np.zeros(n)
            for k, layer in enumerate(layers):
                parameters[quantity][layer] = state_dict[f"rnn_cell.layer_{k}.{quantity}"][0]
    return parameters
