"""CTRNN, CT-GRU, liquid cells, mixed memory, missing values, solvers: against float64 references."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten
from scipy.integrate import solve_ivp

import ganglion as gl
from ganglion.cells import BackboneCfCCell

from ..reference import ltc, others
from ..reference.graph import Wires
from ..support.networks import LAYOUTS, difference, random_parameters
from ..support.strategies import SEEDS, circuits

B, T = 3, 5
SOLVERS = ("semi_implicit", "explicit", "rk4")
on_all_layouts = pytest.mark.parametrize("layout", LAYOUTS)


def inputs(features: int, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {
        "x": rng.uniform(-1, 1, (B, T, features)).astype(np.float32),
        "state": rng.uniform(-1, 1, (B, *shape)).astype(np.float32),
        "timespans": rng.uniform(0.2, 2.0, (B, T)).astype(np.float32),
    }


def run(rnn: Any, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    y, state = rnn(**{name: mx.array(value) for name, value in values.items()})
    return np.array(y), np.array(state)


def exact(rnn: Any) -> others.Parameters:
    return {name: np.array(p, np.float64) for name, p in tree_flatten(rnn.cell.parameters())}


def solved(rate: Any, h: np.ndarray, span: np.ndarray) -> np.ndarray:
    """h (B, N) after each row's time span, from an adaptive solver."""
    rows = []
    for k in range(len(h)):
        shape = h[k].shape

        def flat(_: float, v: np.ndarray, k: int = k, shape: Any = shape) -> np.ndarray:
            return rate(np.stack([v.reshape(shape)] * len(h)))[k].ravel()

        rows.append(solve_ivp(flat, (0, float(span[k])), h[k].ravel(), rtol=1e-10, atol=1e-12).y[:, -1])
    return np.stack(rows).reshape(h.shape)


def orders(make: Any, expected: Any, values: dict[str, np.ndarray], unfolds: list[int]) -> float:
    """The slope of the error over the length of a step."""
    errors = []
    for n in unfolds:
        errors.append(np.abs(run(make(n), values)[1] - expected).max())
    return float(-np.polyfit(np.log(unfolds), np.log(errors), 1)[0])


# CTRNN


@on_all_layouts
@given(circuit=circuits(), seed=SEEDS, unfolds=st.integers(1, 4), leak=st.booleans())
@settings(max_examples=10)
def test_ctrnn_values(layout: str, circuit: nx.DiGraph, seed: int, unfolds: int, leak: bool) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.RNN(gl.CTRNNCell(compiled, solver="explicit", ode_unfolds=unfolds, leak=leak))
    random_parameters(rnn, rng)
    values = inputs(len(wires.sensors), rng, (len(wires.neurons),))
    h, p = values["state"].astype(np.float64), exact(rnn)
    for t in range(T):
        dt = values["timespans"][:, t, None] / unfolds
        for _ in range(unfolds):
            h = h + dt * others.ctrnn_rate(wires, p, h, values["x"][:, t], leak)
    y, state = run(rnn, values)
    most = 1e-5 * max(1.0, np.abs(h).max())  # without a gate, the states of some circuits grow
    assert difference(state, h) < most
    assert difference(y[:, -1], h[:, : wires.motors]) < most


@pytest.mark.parametrize(("solver", "order"), [("semi_implicit", 1), ("explicit", 1), ("rk4", 4)])
@pytest.mark.parametrize("leak", [True, False])
def test_ctrnn_solvers_have_their_order(solver: str, order: int, leak: bool) -> None:
    rng, circuit = np.random.default_rng(0), gl.auto_ncp(12, 2, inputs=3)
    wires = Wires.of(circuit)
    values = {
        name: value[:, :1] if name != "state" else value for name, value in inputs(3, rng, (12,)).items()
    }

    def make(n: int) -> gl.RNN:
        cell = gl.CTRNNCell(circuit, solver=solver, ode_unfolds=n, leak=leak, key=mx.random.key(0))
        cell.rate_w, cell.sensory_rate_w = 2 * cell.rate_w, 2 * cell.sensory_rate_w  # an error above rounding
        return gl.RNN(cell)

    values["timespans"] *= 0.6  # short enough for the order to show
    p, x = exact(make(1)), values["x"][:, 0].astype(np.float64)
    expected = solved(
        lambda h: others.ctrnn_rate(wires, p, h, x, leak),
        values["state"].astype(float),
        values["timespans"][:, 0],
    )
    slope = orders(make, expected, values, [2, 3, 4] if order == 4 else [8, 16, 32])
    assert slope == pytest.approx(order, abs=0.6)


def test_ctrnn_options() -> None:
    circuit = gl.auto_ncp(12, 2, inputs=3)
    x = mx.random.normal((B, 8, 3))
    clipped = gl.RNN(gl.CTRNNCell(circuit, clip=0.05))(5 * x)[1]
    assert float(mx.abs(clipped).max()) <= 0.05 + 1e-6
    cell = gl.CTRNNCell(circuit, tau=2.5, polarity="fixed")
    assert np.allclose(np.logaddexp(np.array(cell.tau), 0), 2.5)
    before = gl.RNN(cell)(x)[0]
    cell.rate_w = -cell.rate_w  # all on the other side of zero, which counts as zero
    assert not mx.allclose(gl.RNN(cell)(x)[0], before)
    cell.apply_constraints()
    assert not cell.rate_w.any()
    cell.freeze(keys="tau")
    assert "tau" not in cell.trainable_parameters()
    assert np.array_equal(np.sign(cell.sensory_rate_w), cell.compiled.plan.sensory.polarity)
    for options, message in (
        ({"solver": "euler"}, "unknown solver 'euler': expected one of semi_implicit, explicit, rk4"),
        ({"activation": "relux"}, "unknown activation 'relux'"),
        ({"tau": 0.0}, "tau must be finite and above 0, got 0.0"),
        ({"ode_unfolds": 0}, "ode_unfolds must be 1 or more, got 0"),
        ({"clip": -1.0}, r"clip must be finite and above 0, got -1\.0"),
    ):
        with pytest.raises(ValueError, match=message):
            gl.CTRNNCell(circuit, **options)
    with pytest.raises(TypeError, match=r"expected .*DiGraph.*got int"):
        gl.CTRNNCell(12)


# CT-GRU


@on_all_layouts
@given(circuit=circuits(), seed=SEEDS, scales=st.integers(1, 5))
@settings(max_examples=10)
def test_ctgru_values(layout: str, circuit: nx.DiGraph, seed: int, scales: int) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.RNN(gl.CTGRUCell(compiled, scales=scales, shortest=0.5))
    random_parameters(rnn, rng)
    values = inputs(len(wires.sensors), rng, (len(wires.neurons), scales))
    g, p, tau = values["state"].astype(np.float64), exact(rnn), 0.5 * 10 ** (np.arange(scales) / 2)
    for t in range(T):
        g = others.ctgru_step(wires, p, g, values["x"][:, t], values["timespans"][:, t, None], tau)
    y, state = run(rnn, values)
    assert difference(state, g) < 1e-5
    assert difference(y[:, -1], g.sum(-1)[:, : wires.motors]) < 1e-5


def test_ctgru_forgets_over_time_and_records_its_neurons() -> None:
    circuit = gl.auto_ncp(12, 2, inputs=3)
    rnn = gl.RNN(gl.CTGRUCell(circuit, scales=4))
    x = mx.random.normal((B, 8, 3))
    _, state, recording = rnn(x, record=True)
    assert state.shape == (B, 12, 4)
    assert np.allclose(recording.states[:, -1], np.array(state).sum(-1), atol=1e-6)
    kept = mx.ones((B, 12, 4))
    long, short = (rnn(0 * x[:, :1], kept, timespans=span)[1] for span in (1000.0, 0.01))
    assert float(mx.abs(long).sum()) < float(mx.abs(short).sum())
    assert float(mx.abs(gl.RNN(gl.CTGRUCell(circuit, clip=0.1))(5 * x)[1]).max()) <= 0.1 + 1e-6
    with pytest.raises(ValueError, match="scales must be 1 or more, got 0"):
        gl.CTGRUCell(circuit, scales=0)


@on_all_layouts
@pytest.mark.parametrize("kind", [gl.CTRNNCell, gl.CTGRUCell])
@given(circuit=circuits(), seed=SEEDS)
@settings(max_examples=5)
def test_the_graph_is_the_law(layout: str, kind: Any, circuit: nx.DiGraph, seed: int) -> None:
    """One synapse per unfold of a CTRNN; up to two for a CT-GRU, whose retrieval feels synapses too."""
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    n = len(wires.neurons)
    options = {"ode_unfolds": 1} if kind is gl.CTRNNCell else {"scales": 2}
    rnn = gl.RNN(kind(gl.compile_circuit(circuit, layout=layout), **options))
    random_parameters(rnn, rng)
    start = rng.uniform(-1, 1, (1, *rnn.cell.state_shapes[0])).astype(np.float32)
    x = rng.uniform(-1, 1, (1, 1, len(wires.sensors))).astype(np.float32)
    states, samples = mx.array(np.repeat(start, n, 0)), mx.array(np.repeat(x, n, 0))

    def step(state: mx.array, x: mx.array) -> mx.array:
        return rnn.cell.visible(rnn(x, state, 0.7)[1])

    _, (by_state, by_input) = mx.vjp(step, [states, samples], [mx.eye(n)])
    found = np.abs(np.array(by_state)).reshape(n, n, -1).max(-1).T != 0
    expected, expected_input = wires.mask | np.eye(n, dtype=bool), wires.sensory_mask
    if kind is gl.CTGRUCell:
        expected, expected_input = (
            expected | wires.mask @ wires.mask,
            expected_input | expected_input @ wires.mask,
        )
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.array(by_input)[:, 0].T != 0, expected_input)


# LTC solvers


@on_all_layouts
@pytest.mark.parametrize(("solver", "order"), [("explicit", 1), ("rk4", 4)])
def test_ltc_solvers_have_their_order(solver: str, order: int, layout: str) -> None:
    rng, circuit = np.random.default_rng(1), gl.auto_ncp(10, 2, inputs=3)
    compiled = gl.compile_circuit(circuit, layout=layout)
    values = inputs(3, rng, (10,))
    values = {name: value[:1, :1] if name != "state" else value[:1] for name, value in values.items()}
    values["timespans"][:] = 0.8

    def make(n: int) -> Any:
        rnn = gl.LTC(compiled, solver=solver, ode_unfolds=n, engine="ops")
        random_parameters(rnn, np.random.default_rng(2))
        return rnn

    p = {name: np.array(value, np.float64) for name, value in make(1).cell.parameters().items()}
    rate = ltc.LTC(Wires.of(circuit), p).ode(values["x"][0, 0])
    exact_state = solve_ivp(rate, (0, 0.8), values["state"][0], rtol=1e-11, atol=1e-13).y[:, -1]
    slope = orders(make, exact_state[None], values, [6, 9, 13] if order == 4 else [32, 64, 128])
    assert slope == pytest.approx(order, abs=0.7)


def test_ltc_initial_ranges() -> None:
    circuit = gl.auto_ncp(32, 4, inputs=3)
    cell = gl.LTCCell(circuit, initial_ranges={"cm": (2.0, 2.0), "sensory_w": (0.2, 0.3)})
    assert np.array_equal(cell.cm, np.full(32, 2.0, np.float32))
    assert np.array(cell.sensory_w).min() >= 0.2
    for ranges, message in (
        ({"tau": (0, 1)}, "unknown parameter in initial_ranges 'tau': expected one of w, mu"),
        ({"cm": (-1.0, 1.0)}, r"range of cm is \(-1\.0, 1\.0\): expected 0 <= low <= high"),
        ({"mu": (1.0, 0.0)}, r"range of mu is \(1\.0, 0\.0\): expected low <= high"),
    ):
        with pytest.raises(ValueError, match=message):
            gl.LTCCell(circuit, initial_ranges=ranges)
    with pytest.raises(ValueError, match="unknown solver 'heun'"):
        gl.LTCCell(circuit, solver="heun")


# Liquid cells


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_liquid_cell_solves_its_equation(layers: int) -> None:
    rng = np.random.default_rng(0)
    values = {
        name: value[:, :1] if name != "state" else value for name, value in inputs(3, rng, (6,)).items()
    }

    def make(n: int) -> gl.RNN:
        backbone = {"backbone_layers": layers, "backbone_units": 5, "backbone_activation": "tanh"}
        return gl.RNN(gl.LiquidCell(gl.dense(3, 6), ode_unfolds=n, key=mx.random.key(0), **backbone))

    p, x = exact(make(1)), values["x"][:, 0].astype(np.float64)
    expected = solved(
        lambda h: others.liquid_rate(p, h, x, layers),
        values["state"].astype(float),
        values["timespans"][:, 0],
    )
    assert orders(make, expected, values, [8, 16, 32, 64]) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("kind", [gl.LiquidCell, BackboneCfCCell])
def test_a_number_of_units_is_built_by_the_first_input(kind: Any) -> None:
    rnn = gl.RNN(kind(6, backbone_units=5))
    assert not rnn.built
    assert rnn.parameters()["cell"] == {}
    y, _ = rnn(mx.zeros((B, T, 3)))
    assert rnn.built
    assert y.shape == (B, T, 6)
    assert rnn.cell.sensors == ("sensory_0", "sensory_1", "sensory_2")
    with pytest.raises(ValueError, match="4 features"):
        rnn(mx.zeros((B, T, 4)))
    cell = kind(6)
    assert cell(mx.zeros((B, 3)))[0].shape == (B, 6)


@pytest.mark.parametrize("kind", [gl.LiquidCell, BackboneCfCCell])
def test_features_come_before_the_backbone(kind: Any) -> None:
    cell = kind(gl.dense(3, 6), features=gl.NCPDense(7, "relu"), backbone_units=5)
    rnn = gl.RNN(cell)
    assert cell.backbone[0].weight.shape == (5, 7 + 6)
    x = mx.random.normal((B, T, 3))
    y, _ = rnn(x)
    inner = kind(gl.dense(7, 6), backbone_units=5)
    inner.update({name: value for name, value in cell.parameters().items() if name != "features"})
    assert mx.allclose(gl.RNN(inner)(cell.features(x))[0], y, atol=1e-6)
    assert any(name.startswith("features") for name, _ in tree_flatten(cell.trainable_parameters()))


def test_backbone_dropout_acts_in_training_only() -> None:
    rnn = gl.CfC(gl.dense(3, 6), backbone_layers=3, backbone_dropout=0.5, engine="ops")
    x = mx.random.normal((B, T, 3))
    rnn.train()
    assert not mx.allclose(rnn(x)[0], rnn(x)[0])
    rnn.eval()
    assert mx.allclose(rnn(x)[0], rnn(x)[0])
    one = gl.CfC(gl.dense(3, 6), backbone_layers=1, backbone_dropout=0.5, engine="ops")
    one.train()
    assert mx.allclose(one(x)[0], one(x)[0])  # as in ncps, the first layer is not dropped


def test_liquid_cells_refuse_what_does_not_fit() -> None:
    with pytest.raises(TypeError, match=r"expected gl\.dense\(inputs, units\) or a number, got Circuit"):
        gl.LiquidCell(gl.auto_ncp(12, 2, inputs=3))
    with pytest.raises(ValueError, match="units must be 1 or more, got 0"):
        gl.LiquidCell(0)
    with pytest.raises(TypeError, match="ode_unfolds is no option of a closed form"):
        BackboneCfCCell(6, ode_unfolds=3)


# Mixed memory


@pytest.mark.parametrize("kind", [gl.LTC, gl.CfC])
@pytest.mark.parametrize("sizes", ["circuit", "dense"])
def test_mixed_memory_is_an_lstm_in_front_of_the_cell(kind: Any, sizes: str) -> None:
    rng = np.random.default_rng(0)
    source = gl.auto_ncp(12, 2, inputs=3) if sizes == "circuit" else gl.dense(3, 12)
    rnn, plain = kind(source, mixed_memory=True), kind(source)
    plain.cell.update(rnn.cell.cell.parameters())
    values = inputs(3, rng, (12,))
    memory = rng.uniform(-1, 1, (B, 12)).astype(np.float32)
    y, (h, c) = rnn(
        mx.array(values["x"]), (mx.array(values["state"]), mx.array(memory)), mx.array(values["timespans"])
    )
    p = exact(rnn)
    state, long = values["state"], memory.astype(np.float64)
    for t in range(T):
        mixed, long = others.lstm_step(p, state, long, values["x"][:, t], 1.0)
        output, state = plain.cell(
            mx.array(values["x"][:, t]),
            mx.array(mixed.astype(np.float32)),
            mx.array(values["timespans"][:, t]),
        )
        state = np.array(state)
        assert difference(y[:, t], np.array(output)) < 1e-5
    assert difference(h, state) < 1e-5
    assert difference(c, long) < 1e-5


def test_mixed_memory_keeps_the_cells_parameters_and_checks_its_state() -> None:
    circuit, key = gl.auto_ncp(12, 2, inputs=3), mx.random.key(0)
    rnn = gl.LTC(circuit, mixed_memory=True, key=key)
    assert mx.array_equal(rnn.cell.cell.w, gl.LTC(circuit, key=key).cell.w)
    x = mx.zeros((B, T, 3))
    for state, error, message in (
        (mx.zeros((B, 12)), TypeError, "tuple of 2 arrays, got array"),
        ((mx.zeros((B, 12)),), TypeError, "tuple of 2 arrays, got 1 value"),
        ((mx.zeros((B, 12)), mx.zeros((B, 3))), ValueError, r"the state's part 1 has shape \(3, 3\)"),
    ):
        with pytest.raises(error, match=message):
            rnn(x, state)
    one, (h, c) = rnn(x[0], (mx.zeros((12,)), mx.zeros((12,))))
    assert one.shape == (T, 2)
    assert h.shape == c.shape == (12,)
    with pytest.raises(ValueError, match="CTGRUCell has a state of"):
        gl.MixedMemoryCell(gl.CTGRUCell(circuit))
    with pytest.raises(ValueError, match="LiquidCell inside a MixedMemoryCell is not built"):
        gl.MixedMemoryCell(gl.LiquidCell(8))
    rnn.cell.cell.w = rnn.cell.cell.w - 10
    rnn.apply_constraints()
    assert float(rnn.cell.cell.w.min()) == 0


# Missing values


def test_missing_values_become_value_presence_and_age() -> None:
    seen = []

    class Watch(gl.NCPRNNCell):
        def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
            seen.append(np.array(x))
            return state

    rng = np.random.default_rng(0)
    rnn = gl.RNN(gl.MissingValueCell(Watch(gl.dense(6, 4))), engine="ops")
    x, spans = rng.normal(size=(B, T, 2)).astype(np.float32), rng.uniform(0.2, 2, (B, T)).astype(np.float32)
    x[rng.random(x.shape) < 0.5] = np.nan
    rnn(mx.array(x), timespans=mx.array(spans))
    times = np.cumsum(spans, axis=1)
    for b, t, i in np.ndindex(x.shape):
        known = [s for s in range(t + 1) if not np.isnan(x[b, s, i])]
        value, there, age = seen[t][b, [i, 2 + i, 4 + i]]
        assert value == (x[b, known[-1], i] if known else 0)
        assert there == (not np.isnan(x[b, t, i]))
        before = [s for s in known if s < t]
        assert age == pytest.approx(times[b, t] - (times[b, before[-1]] if before else 0), rel=1e-5)


def test_missing_values_in_front_of_a_kernel() -> None:
    rng, circuit = np.random.default_rng(0), gl.auto_ncp(12, 2, inputs=9)
    x, spans = rng.normal(size=(B, T, 3)).astype(np.float32), rng.uniform(0.2, 2, (B, T)).astype(np.float32)
    x[rng.random(x.shape) < 0.4] = np.nan
    cell = gl.MissingValueCell(gl.LTCCell(circuit))
    given = {"timespans": mx.array(spans), "lengths": [5, 2, 4], "record": True}
    y, state, recording = gl.RNN(cell, engine="fused")(mx.array(x), **given)
    plain, plain_state, same = gl.RNN(cell, engine="ops")(mx.array(x), **given)
    assert difference(y, np.array(plain)) < 1e-5
    assert difference(recording.states, same.states) < 1e-5
    for ours, theirs in zip(state, plain_state, strict=True):
        assert difference(ours, np.array(theirs)) < 1e-5
    steps = [cell(mx.array(x[:, 0]), timespan=mx.array(spans[:, 0]))[0]]
    assert difference(y[:, 0], np.array(steps[0])) < 1e-5
    assert "then LTCCell with 9 inputs" in gl.RNN(cell).explain()


def test_missing_values_with_memory_streams_gradients_and_learning() -> None:
    cell = gl.MissingValueCell(gl.MixedMemoryCell(gl.CfCCell(gl.auto_ncp(12, 2, inputs=9))))
    rnn = gl.RNN(cell)
    x = np.random.default_rng(0).normal(size=(B, T, 3)).astype(np.float32)
    x[:, ::2, 1] = np.nan
    _, state = rnn(mx.array(x))
    assert [part.shape for part in state] == [(B, 12), (B, 12), (B, 3), (B, 3)]
    assert cell.sensors == ("sensory_0", "sensory_1", "sensory_2")
    gradient = np.array(mx.grad(lambda x: (rnn(x)[0] ** 2).sum())(mx.array(x)))
    assert np.isfinite(gradient).all()
    assert not gradient[:, ::2, 1].any()
    assert gradient[:, ::2, 0].any()
    with pytest.raises(ValueError, match="4 inputs: expected three per feature"):
        gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(12, 2, inputs=4)))
