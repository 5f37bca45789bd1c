"""The circuit of a network, with what training made of its synapses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(14, 2, inputs=3, seed=3)
X = mx.array(np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32))


def shaken(rnn: Any, seed: int = 0) -> Any:
    """The network with every parameter away from where it started, signs included."""
    mx.random.seed(seed)
    for name, value in rnn.cell.parameters().items():
        if isinstance(value, mx.array):
            rnn.cell[name] = value * mx.random.uniform(0.5, 1.5, value.shape)
    for name in ("erev", "sensory_erev", "ff1_w", "sensory_ff2_w"):
        if name in rnn.cell:
            turned = mx.random.uniform(shape=rnn.cell[name].shape) < 0.3
            rnn.cell[name] = mx.where(turned, -rnn.cell[name], rnn.cell[name])
    return rnn


def synapses(rnn: Any) -> list[tuple[str, str, str, int]]:
    """Prefix of the parameters, pre, post and place in the parameters of every synapse."""
    plan = rnn.cell.compiled.plan
    return [
        (prefix, names[i], plan.neurons[j], k)
        for prefix, names, part in (
            ("", plan.neurons, plan.recurrent),
            ("sensory_", plan.sensors, plan.sensory),
        )
        for k, (i, j) in enumerate(zip(part.pre, part.post, strict=True))
    ]


def test_an_ltc_shows_conductances_in_units_of_the_leak() -> None:
    rnn = shaken(gl.LTC(CIRCUIT, polarity="init"))
    circuit = gl.circuit_of(rnn)
    assert set(circuit.edges) == set(CIRCUIT.edges)
    assert list(circuit.nodes(data="role")) == list(gl.circuit_of(rnn.cell.compiled).nodes(data="role"))
    place = {name: k for k, name in enumerate(rnn.cell.neurons)}
    for prefix, pre, post, k in synapses(rnn):
        found, leak = circuit.edges[pre, post], rnn.cell.gleak[place[post]].item()
        expected = rnn.cell[f"{prefix}w"][k].item() / leak
        assert found["weight"] == pytest.approx(expected, rel=1e-6)
        assert found["length"] == pytest.approx(1 / expected, rel=1e-6)
        assert found["polarity"] == np.sign(rnn.cell[f"{prefix}erev"][k].item())
    assert any(circuit.edges[edge]["polarity"] != CIRCUIT.edges[edge]["polarity"] for edge in circuit.edges)
    for name, constant in circuit.nodes(data="time_constant"):
        if name in place:
            k = place[name]
            assert constant == pytest.approx(rnn.cell.cm[k].item() / rnn.cell.gleak[k].item(), rel=1e-6)
        else:
            assert constant is None


def test_a_factor_on_the_conductances_of_a_neuron_changes_neither_outputs_nor_strengths() -> None:
    rnn = shaken(gl.LTC(CIRCUIT))
    before, outputs = gl.circuit_of(rnn), rnn(X)[0]
    factor = np.random.default_rng(1).uniform(0.2, 5.0, rnn.cell.n_neurons).astype(np.float32)
    plan = rnn.cell.compiled.plan
    for name in ("cm", "gleak"):
        rnn.cell[name] = rnn.cell[name] * mx.array(factor)
    rnn.cell.w = rnn.cell.w * mx.array(factor[plan.recurrent.post])
    rnn.cell.sensory_w = rnn.cell.sensory_w * mx.array(factor[plan.sensory.post])
    assert mx.allclose(rnn(X)[0], outputs, atol=1e-5)
    after = gl.circuit_of(rnn)
    for edge in before.edges:
        for what in ("weight", "length", "polarity"):
            assert after.edges[edge][what] == pytest.approx(before.edges[edge][what], rel=1e-5)
    for name in rnn.cell.neurons:
        assert after.nodes[name]["time_constant"] == pytest.approx(
            before.nodes[name]["time_constant"], rel=1e-5
        )


@pytest.mark.parametrize("mode", ["default", "no_gate"])
def test_a_cfc_shows_how_steeply_a_neuron_follows_another_with_its_gate_half_open(mode: str) -> None:
    """The reference is the Jacobian of one step at rest, with gates that no input moves."""
    rnn = shaken(gl.CfC(CIRCUIT, mode=mode, schedule="synchronous", polarity="init"))
    circuit = gl.circuit_of(rnn)
    for name in (
        "ff1_b",
        "ff2_b",
        *(f"{side}time_{gate}" for side in ("", "sensory_") for gate in ("a_w", "b_w")),
    ):
        rnn.cell[name] = mx.zeros_like(rnn.cell[name])
    rnn.cell.time_a_b, rnn.cell.time_b_b = mx.zeros((14,)), mx.zeros((14,))
    n, sensors = rnn.cell.n_neurons, rnn.cell.n_inputs
    state, x = mx.zeros((n, n)), mx.zeros((n, 1, sensors))
    _, (by_state, by_input) = mx.vjp(lambda h, x: rnn(x, h)[1], [state, x], [mx.eye(n)])
    neurons, names = list(rnn.cell.neurons), list(rnn.cell.sensors)
    for pre, post, data in circuit.edges(data=True):
        row = neurons.index(post)
        slope = by_input[row, 0, names.index(pre)] if pre in names else by_state[row, neurons.index(pre)]
        assert data["polarity"] * data["weight"] == pytest.approx(slope.item(), abs=1e-6)


def test_the_other_cells_show_the_weights_that_carry_their_signs() -> None:
    pure = shaken(gl.CfC(CIRCUIT, mode="pure", polarity="init"))
    for rnn, name in (
        (pure, "ff1_w"),
        (gl.RNN(gl.CTRNNCell(CIRCUIT)), "rate_w"),
        (gl.RNN(gl.CTGRUCell(CIRCUIT)), "detect_w"),
    ):
        circuit = gl.circuit_of(rnn)
        for prefix, pre, post, k in synapses(rnn):
            found = circuit.edges[pre, post]
            expected = rnn.cell[f"{prefix}{name}"][k].item()
            assert found["polarity"] * found["weight"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", [gl.LTC, gl.CfC])
def test_with_fixed_signs_the_polarity_is_that_of_the_circuit(kind: Any) -> None:
    rnn = shaken(kind(CIRCUIT, polarity="fixed"))
    circuit = gl.circuit_of(rnn)
    assert nx.get_edge_attributes(circuit, "polarity") == nx.get_edge_attributes(CIRCUIT, "polarity")
    assert circuit.digest() == gl.circuit_of(rnn.cell.compiled).digest()


class Own(nn.Module):
    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.encoder, self.rnn = nn.Linear(5, 3), rnn


def test_through_wrappers_and_containers() -> None:
    rnn = gl.LTC(CIRCUIT)
    expected = dict(gl.circuit_of(rnn).edges)
    assert dict(gl.circuit_of(rnn.cell).edges) == expected
    for model in (
        gl.Stack([rnn, gl.NCPDense(4)]),
        Own(gl.Scaled(rnn, ["a", "b", "c"], ["left", "right"])),
        gl.Stack([rnn, nn.Linear(2, 3), rnn]),  # one network, used twice
    ):
        assert dict(gl.circuit_of(model).edges) == expected
    columns = dict(zip(CIRCUIT.neurons("sensory"), "abc", strict=True))
    named = {(columns.get(pre, pre), post): data for (pre, post), data in expected.items()}
    assert dict(gl.circuit_of(gl.Scaled(rnn, ["a", "b", "c"], ["left", "right"])).edges) == named
    memory = gl.LTC(CIRCUIT, mixed_memory=True)
    assert set(gl.circuit_of(memory).edges) == set(CIRCUIT.edges)
    missing = gl.RNN(gl.MissingValueCell(gl.LTCCell(CIRCUIT)))
    assert set(gl.circuit_of(missing).edges) == set(CIRCUIT.edges)


def test_what_has_no_one_circuit_is_refused() -> None:
    two = gl.Bidirectional(gl.LTC(CIRCUIT))
    with pytest.raises(ValueError, match="2 networks with a circuit, at backward, forward: give one of them"):
        gl.circuit_of(two)
    with pytest.raises(TypeError, match=r"circuit_of\(CfC\): it has no circuit"):
        gl.circuit_of(gl.CfC(gl.dense(3, 4)))
    with pytest.raises(TypeError, match=r"circuit_of\(Linear\): it has no circuit"):
        gl.circuit_of(nn.Linear(2, 2))

    class Plain(gl.NCPRNNCell):
        pass

    with pytest.raises(TypeError, match="synapses of a Plain have no strength"):
        gl.circuit_of(Plain(CIRCUIT))


def test_a_dead_synapse_is_far_and_can_still_be_written(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    rnn.cell.w = mx.zeros_like(rnn.cell.w)
    rnn.cell.gleak = mx.zeros_like(
        rnn.cell.gleak
    )  # a neuron without leak has strong synapses, not infinite ones
    circuit = gl.circuit_of(rnn)
    dead = [data for pre, _, data in circuit.edges(data=True) if pre not in rnn.cell.sensors]
    assert dead
    assert all(data["weight"] == 0 and data["length"] >= 1e8 for data in dead)
    assert all(np.isfinite(data["weight"]) for _, _, data in circuit.edges(data=True))
    for ending in ("json", "graphml", "csv"):
        gl.write(circuit, tmp_path / f"c.{ending}")
        assert dict(gl.read(tmp_path / f"c.{ending}").edges) == dict(circuit.edges)


def test_networkx_finds_the_strongest_way() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neurons(["a", "b"], role="inter")
    circuit.add_neuron("leg", role="motor")
    circuit.add_synapses([("eye", "a"), ("eye", "b"), ("a", "leg"), ("b", "leg")])
    rnn = gl.LTC(circuit)
    rnn.cell.gleak = mx.ones((3,))
    plan = rnn.cell.compiled.plan
    rnn.cell.sensory_w = mx.ones((2,))
    rnn.cell.w = mx.array([2.0 if plan.neurons[i] == "b" else 0.1 for i in plan.recurrent.pre])
    assert nx.shortest_path(gl.circuit_of(rnn), "eye", "leg", weight="length") == ["eye", "b", "leg"]
