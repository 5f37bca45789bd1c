"""The graph is the law: the support of every Jacobian is what the circuit's synapses allow, exactly.

Parameters are moderate (see `random_parameters`), so that no sigmoid saturates and each dependence shows as a
number different from zero in float32; where there is no dependence the derivative is exactly zero.
"""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganglion as gl

from ..reference.graph import Wires
from ..support.networks import ENGINES, LAYOUTS, random_parameters, set_parameters
from ..support.strategies import SEEDS, circuits

GATED = ["default", "no_gate"]
MAPS = ["ff1", "ff2", "time_a", "time_b"]

on_all_engines = pytest.mark.parametrize("engine", ENGINES)
on_all_layouts = pytest.mark.parametrize("layout", LAYOUTS)
on_all_modes = pytest.mark.parametrize("mode", ["default", "pure", "no_gate"])


def support(rnn: nn.Module, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where d new_state_j / d state_i and d new_state_j / d input_i of one time step are not zero, at [i, j].

    One backward pass gives all rows: the batch holds the same sample N times, and output j is asked for in
    sample j only.
    """
    n, sensors = rnn.cell.n_neurons, rnn.cell.n_inputs
    state = np.tile(rng.uniform(-1, 1, n).astype(np.float32), (n, 1))
    x = np.tile(rng.uniform(-1, 1, sensors).astype(np.float32), (n, 1, 1))

    def step(state: mx.array, x: mx.array) -> mx.array:
        return rnn(x, state, 0.7)[1]

    _, (by_state, by_input) = mx.vjp(step, [mx.array(state), mx.array(x)], [mx.eye(n)])
    return np.array(by_state).T != 0, np.array(by_input)[:, 0].T != 0


@on_all_layouts
@on_all_engines
@given(circuit=circuits(), seed=SEEDS, unfolds=st.integers(1, 3))
def test_ltc(engine: str, layout: str, circuit: nx.DiGraph, seed: int, unfolds: int) -> None:
    """One unfold: the synapses, and each neuron on itself through c dv/dt; more unfolds: paths that long."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    rnn = gl.LTC(gl.compile_circuit(circuit, layout=layout), ode_unfolds=unfolds, engine=engine)
    random_parameters(rnn, rng)
    one_unfold = wires.mask | np.eye(len(wires.neurons), dtype=bool)
    by_state, by_input = np.eye(len(wires.neurons), dtype=bool), np.zeros_like(wires.sensory_mask)
    for _ in range(unfolds):
        by_state = by_state @ one_unfold
        by_input = by_input @ one_unfold | wires.sensory_mask
    found = support(rnn, rng)
    np.testing.assert_array_equal(found[0], by_state)
    np.testing.assert_array_equal(found[1], by_input)


@on_all_layouts
@on_all_engines
@given(circuit=circuits(), seed=SEEDS)
def test_ltc_conductances_alone(engine: str, layout: str, circuit: nx.DiGraph, seed: int) -> None:
    """With reversal potentials of zero only the update's denominator is left: it obeys the graph as well."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    rnn = gl.LTC(gl.compile_circuit(circuit, layout=layout), ode_unfolds=1, engine=engine)
    values = random_parameters(rnn, rng)
    set_parameters(rnn, {name: 0 * value for name, value in values.items() if name.endswith("erev")})
    by_state, by_input = support(rnn, rng)
    np.testing.assert_array_equal(by_state, wires.mask | np.eye(len(wires.neurons), dtype=bool))
    np.testing.assert_array_equal(by_input, wires.sensory_mask)


@on_all_layouts
@on_all_engines
@on_all_modes
@given(circuit=circuits(), seed=SEEDS)
def test_synchronous_cfc(engine: str, layout: str, mode: str, circuit: nx.DiGraph, seed: int) -> None:
    """The synapses and nothing else: a CfC neuron reads its own old state only through a self-synapse."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.CfC(compiled, mode=mode, schedule="synchronous", engine=engine)
    random_parameters(rnn, rng)
    by_state, by_input = support(rnn, rng)
    np.testing.assert_array_equal(by_state, wires.mask)
    np.testing.assert_array_equal(by_input, wires.sensory_mask)


@on_all_layouts
@on_all_engines
@on_all_modes
@given(circuit=circuits(), seed=SEEDS)
def test_layered_cfc(engine: str, layout: str, mode: str, circuit: nx.DiGraph, seed: int) -> None:
    """Paths whose synapses are passed inside one step: from old states and inputs, through updated roles."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.CfC(compiled, mode=mode, schedule="layered", engine=engine)
    random_parameters(rnn, rng)
    expected = np.eye(len(wires.neurons), dtype=bool), np.zeros_like(wires.sensory_mask)
    for layer in ("inter", "command", "motor"):
        now = np.array([role == layer for role in wires.roles])
        by_state, by_input = expected
        expected = (
            np.where(now, by_state @ wires.mask, by_state),
            np.where(now, by_input @ wires.mask | wires.sensory_mask, by_input),
        )
    found = support(rnn, rng)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@on_all_layouts
@on_all_engines
@pytest.mark.parametrize("mode", GATED)
@pytest.mark.parametrize("path", MAPS)
@given(circuit=circuits(), seed=SEEDS)
def test_each_cfc_map_alone(
    engine: str, layout: str, mode: str, path: str, circuit: nx.DiGraph, seed: int
) -> None:
    """With the weights of all other maps at zero one path is left; the time gates obey the graph too."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.CfC(compiled, mode=mode, schedule="synchronous", engine=engine)
    values = random_parameters(rnn, rng)
    others = [f"{prefix}{name}_w" for name in MAPS if name != path for prefix in ("", "sensory_")]
    set_parameters(rnn, {name: 0 * values[name] for name in others})
    by_state, by_input = support(rnn, rng)
    np.testing.assert_array_equal(by_state, wires.mask)
    np.testing.assert_array_equal(by_input, wires.sensory_mask)


@on_all_modes
@given(circuit=circuits())
def test_no_parameter_without_a_synapse(mode: str, circuit: nx.DiGraph) -> None:
    wires = Wires.of(circuit)
    counts = len(wires.pre), len(wires.sensory_pre), len(wires.neurons)
    for rnn in (gl.LTC(circuit, input_mapping=None, output_mapping=None), gl.CfC(circuit, mode=mode)):
        for name, value in rnn.cell.trainable_parameters().items():
            per_synapse = name.endswith("_w") or name.removeprefix("sensory_") in ("w", "mu", "sigma", "erev")
            expected = counts[2] if not per_synapse else counts[1] if "sensory" in name else counts[0]
            assert tuple(value.shape) == (expected,), name
