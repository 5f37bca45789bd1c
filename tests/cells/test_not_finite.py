"""What is no number keeps to the synapses: NaN and infinities, forwards and in gradients, wherever they run.

The truth is the graph: a neuron is reached if there is a path to it, as networkx finds it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

INF = float("inf")
CIRCUIT = gl.auto_ncp(16, 3, inputs=4, sparsity=0.75, seed=5)
CIRCUIT.add_neuron("apart", role="motor")  # reached by one sensor alone, and reaching nobody
CIRCUIT.add_synapse("sensory_3", "apart", polarity=-1)
COMPILED = {
    layout: gl.compile_circuit(CIRCUIT, layout=layout, block_size=8) for layout in ("dense", "block", "edge")
}
PLAN = COMPILED["edge"].plan
X = np.random.default_rng(0).normal(size=(2, 9, 4)).astype(np.float32)

CELLS: dict[str, Any] = {
    "LTC": lambda c, **o: gl.LTCCell(c, ode_unfolds=2, **o),
    "LTC rk4": lambda c, **o: gl.LTCCell(
        c, solver="rk4", ode_unfolds=24, initial_ranges={"cm": (3.0, 4.0)}, **o
    ),
    "CfC": lambda c, **o: gl.CfCCell(c, schedule="synchronous", **o),
    "CfC layered": gl.CfCCell,
    "CfC pure": lambda c, **o: gl.CfCCell(c, mode="pure", **o),
    "CfC no_gate": lambda c, **o: gl.CfCCell(c, mode="no_gate", **o),
    "CTRNN": lambda c, **o: gl.CTRNNCell(c, ode_unfolds=2, **o),
    "CTGRU": lambda c, **o: gl.CTGRUCell(c, scales=3, **o),
}
RUNS = [(layout, "ops") for layout in COMPILED] + [("edge", "fused")]


def network(name: str, layout: str, engine: str) -> gl.RNN:
    cell = CELLS[name](COMPILED[layout], key=mx.random.key(0))
    if engine == "fused":
        try:
            cell.kernel()
        except gl.KernelError:
            pytest.skip(f"there is no kernel for {name}")
    return gl.RNN(cell, engine=engine)


@pytest.mark.parametrize(("layout", "engine"), RUNS)
@pytest.mark.parametrize("name", CELLS)
def test_nan_of_a_sensor_reaches_those_that_have_a_path_from_it(name: str, layout: str, engine: str) -> None:
    rnn = network(name, layout, engine)
    x = X.copy()
    x[0, 3, 2] = np.nan
    states = np.array(rnn(mx.array(x), return_states=True)[2])
    reached = np.array([neuron in nx.descendants(CIRCUIT, "sensory_2") for neuron in PLAN.neurons])
    assert 0 < reached.sum() < len(reached)
    assert not np.isnan(states[1]).any()
    assert not np.isnan(states[0, :3]).any()
    assert np.array_equal(np.isnan(states[0]).any(axis=0), reached)  # a CfC forgets it again
    clean = np.array(rnn(mx.array(X), return_states=True)[2])
    np.testing.assert_allclose(states[0][:, ~reached], clean[0][:, ~reached], atol=1e-6)


@pytest.mark.parametrize(("layout", "engine"), RUNS)
@pytest.mark.parametrize("name", CELLS)
def test_nan_of_a_target_reaches_back_to_those_that_have_a_path_to_it(
    name: str, layout: str, engine: str
) -> None:
    rnn = network(name, layout, engine)
    motor = PLAN.neurons.index("apart")
    target = np.zeros((2, 9, rnn.cell.n_outputs), np.float32)
    target[0, -1, motor] = np.nan

    def loss(x: mx.array) -> mx.array:
        return mx.square(rnn(x)[0] - mx.array(target)).sum()

    gradient = np.array(mx.grad(loss)(mx.array(X)))
    behind = [sensor in nx.ancestors(CIRCUIT, "apart") for sensor in PLAN.sensors]
    assert behind == [False, False, False, True]
    assert not np.isnan(gradient[1]).any()
    assert np.array_equal(np.isnan(gradient[0]).any(axis=0), behind)


@pytest.mark.parametrize("bad", [np.nan, INF, -INF])
@pytest.mark.parametrize("name", CELLS)
def test_all_layouts_and_engines_agree_on_what_is_not_finite(name: str, bad: float) -> None:
    x = X.copy()
    x[0, 3, 2], x[1, 5, 0], x[1, 5, 1] = bad, bad, -bad
    results = {}
    for layout, engine in RUNS:
        if engine == "fused" and not name.startswith(("LTC", "CfC")):
            continue
        rnn = network(name, layout, engine)

        def loss(parameters: Any, x: mx.array, rnn: Any = rnn) -> mx.array:
            rnn.update(parameters)
            outputs = rnn(x, timespans=mx.full((9,), 0.7))[0]
            return mx.where(mx.isnan(outputs), 0.0, outputs).sum()

        before = rnn.trainable_parameters()
        of_parameters, of_x = mx.grad(loss, argnums=(0, 1))(before, mx.array(x))
        rnn.update(before)
        outputs, state = rnn(mx.array(x), timespans=mx.full((9,), 0.7))
        results[layout, engine] = {
            "outputs": np.array(outputs),
            "state": np.array(state),
            "x": np.array(of_x),
            **{path: np.array(value) for path, value in tree_flatten(of_parameters)},
        }
    expected = results.pop(("edge", "ops"))
    if np.isinf(bad):
        assert np.isfinite(expected["outputs"]).all()
    for run, found in results.items():
        for what, value in expected.items():
            scale = np.nanmax(np.abs(value), initial=1e-3)
            np.testing.assert_allclose(
                found[what], value, atol=1e-4 * scale, rtol=1e-3, err_msg=f"{run} {what}"
            )


def test_a_stream_takes_an_infinity_as_the_sequence_does() -> None:
    rnn = gl.CfC(CIRCUIT)
    x = X[0].copy()
    x[3, 2] = INF
    stream = rnn.stream()
    found = [np.array(stream(sample, timespan=0.7)) for sample in x]
    np.testing.assert_allclose(np.stack(found), np.array(rnn(x, timespans=0.7)[0]), atol=1e-5)


# The operations themselves, against a loop over synapses


def by_hand(x: np.ndarray, w: np.ndarray, s: Any) -> np.ndarray:
    y = np.zeros((len(x), s.n_post), np.float32)
    with np.errstate(invalid="ignore"):
        for k in range(len(w)):
            y[:, s.post[k]] += x[:, s.pre[k]] * w[k]
    return y


@pytest.mark.parametrize("layout", COMPILED)
def test_a_product_keeps_to_its_synapses(layout: str) -> None:
    projection = COMPILED[layout].recurrent
    s = projection.synapses
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(6, s.n_pre)).astype(np.float32), rng.normal(size=len(s)).astype(np.float32)
    c = rng.normal(size=(6, s.n_post)).astype(np.float32)
    x[0, 3], x[1, 4], x[2, 5] = np.nan, INF, -INF
    x[3, 6], x[3, 7] = np.nan, INF
    c[0, 2], c[1, 1], c[4, 0] = np.nan, INF, np.nan
    found = np.array(gl.masked_matmul(mx.array(x), mx.array(w), projection))
    np.testing.assert_allclose(found, by_hand(x, w, s), rtol=1e-4, atol=1e-5)
    of_x = mx.vjp(lambda x: gl.masked_matmul(x, mx.array(w), projection), [mx.array(x)], [mx.array(c)])[1][0]
    turned = SimpleNamespace(pre=s.post, post=s.pre, n_post=s.n_pre)
    np.testing.assert_allclose(np.array(of_x), by_hand(c, w, turned), rtol=1e-4, atol=1e-5)
    of_w = mx.vjp(lambda w: gl.masked_matmul(mx.array(x), w, projection), [mx.array(w)], [mx.array(c)])[1][0]
    with np.errstate(invalid="ignore"):
        expected = (x[:, s.pre] * c[:, s.post]).sum(axis=0)
    np.testing.assert_allclose(np.array(of_w), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", COMPILED)
def test_a_sum_of_currents_keeps_to_its_synapses(layout: str) -> None:
    projection = COMPILED[layout].recurrent
    s = projection.synapses
    rng = np.random.default_rng(1)
    v, w = rng.normal(size=(5, s.n_pre)).astype(np.float32), rng.normal(size=len(s)).astype(np.float32)
    c = rng.normal(size=(5, s.n_post)).astype(np.float32)
    v[0, 3], v[1, 4], c[2, 2], w[7] = np.nan, INF, np.nan, np.nan

    def sums(v: mx.array, w: mx.array) -> mx.array:
        # 1 / w is infinite where a layout has a zero for a weight
        return projection.sums(lambda v, w: (mx.tanh(v) / w,), v, projection.spread(w))[0]

    y = np.zeros((5, s.n_post))
    for k in range(len(s)):
        y[:, s.post[k]] += np.tanh(v[:, s.pre[k]]) / w[k]
    np.testing.assert_allclose(np.array(sums(mx.array(v), mx.array(w))), y, rtol=1e-4, atol=1e-4)
    of_v = np.array(mx.vjp(sums, [mx.array(v), mx.array(w)], [mx.array(c)])[1][0])
    expected = np.zeros((5, s.n_pre))
    for k in range(len(s)):
        expected[:, s.pre[k]] += c[:, s.post[k]] * (1 - np.tanh(v[:, s.pre[k]]) ** 2) / w[k]
    np.testing.assert_allclose(of_v, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("layout", COMPILED)
def test_an_empty_batch_has_an_empty_result(layout: str) -> None:
    projection = COMPILED[layout].recurrent
    s = projection.synapses
    w = mx.ones((len(s),))
    for shape in ((0,), (3, 0), (0, 2)):
        x = mx.zeros((*shape, s.n_pre))
        assert gl.masked_matmul(x, w, projection).shape == (*shape, s.n_post)
        (found,) = projection.sums(lambda v, w: (v * w,), x, projection.spread(w))
        assert found.shape == (*shape, s.n_post)
    layer = gl.NCPDense(17, wiring=COMPILED[layout])
    assert layer(mx.zeros((0, 4))).shape == (0, 17)
