"""Electrical synapses: a conductance between two neurons, on every engine and layout and in every file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest

import ganglion as gl

from ..reference import ltc
from ..reference.graph import Wires
from ..support.networks import ENGINES, LAYOUTS, difference, quadratic_loss, random_parameters, set_parameters
from .test_convergence import UNFOLDS, order, solved


def coupled(seed: int = 0) -> gl.Circuit:
    """A circuit with electrical synapses alone, beside a chemical one, and against the order of a plan."""
    circuit = gl.auto_ncp(16, 3, inputs=4, seed=seed)
    chemical = [(u, v) for u, v in circuit.edges if circuit.nodes[u]["role"] != "sensory" and u != v]
    for k, pair in enumerate(chemical[:4]):
        circuit.add_edge(*pair, gap=1 + k)
    inter = circuit.neurons("inter")
    circuit.add_synapse("motor_0", inter[0], kind="electrical", weight=3)
    circuit.add_synapse(inter[2], inter[1], kind="electrical")
    return circuit


def run(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "x": rng.uniform(-1, 1, (5, 7, 4)).astype(np.float32),
        "state": rng.uniform(-1, 1, (5, 16)).astype(np.float32),
        "timespans": rng.uniform(0.2, 2.0, (5, 7)).astype(np.float32),
    }


def called(rnn: Any, given: dict[str, np.ndarray]) -> tuple[mx.array, mx.array]:
    return rnn(*(mx.array(given[name]) for name in ("x", "state", "timespans")))


def test_a_plan_has_each_pair_once() -> None:
    plan = gl.compile_circuit(coupled()).plan
    assert len(plan.electrical) == 6
    assert (plan.electrical.pre < plan.electrical.post).all()
    assert "electrical: 6 pairs" in plan.describe()
    chemical = gl.auto_ncp(16, 3, inputs=4, seed=0)
    assert len(plan.recurrent) == len(gl.compile_circuit(chemical).plan.recurrent)
    assert plan != gl.compile_circuit(chemical).plan


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("positive", ["clip", "softplus"])
@pytest.mark.parametrize("seed", range(3))
def test_it_computes_what_the_equation_says(seed: int, positive: str, engine: str) -> None:
    rng = np.random.default_rng(seed)
    circuit = coupled(seed)
    rnn = gl.LTC(circuit, positive=positive, engine=engine)
    parameters = random_parameters(rnn, rng)
    given = run(rng)
    outputs, state = called(rnn, given)
    expected, states = ltc.LTC(Wires.of(circuit), parameters, positive=positive).run(*given.values())
    assert difference(outputs, expected) < 2e-6
    assert difference(state, states[:, -1]) < 2e-6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_agree(layout: str) -> None:
    rng = np.random.default_rng(1)
    circuit, given = coupled(), run(rng)
    first = gl.LTC(gl.compile_circuit(circuit, layout="edge"), engine="ops")
    second = gl.LTC(gl.compile_circuit(circuit, layout=layout), engine="ops")
    set_parameters(second, random_parameters(first, rng))
    assert difference(called(first, given)[0], np.array(called(second, given)[0])) < 1e-6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("span", [0.3, 1.0, 2.5])
def test_it_converges_to_the_solution_with_order_one(span: float, engine: str) -> None:
    rng = np.random.default_rng(3)
    circuit = coupled()
    state, x = (rng.uniform(-1, 1, n).astype(np.float32) for n in (16, 4))
    parameters = random_parameters(gl.LTC(circuit), rng)
    exact = solved(ltc.LTC(Wires.of(circuit), parameters), state.astype(float), x.astype(float), span)
    errors = []
    for unfolds in UNFOLDS:
        rnn = gl.LTC(circuit, ode_unfolds=unfolds, engine=engine)
        set_parameters(rnn, parameters)
        errors.append(difference(rnn(mx.array(x[None]), mx.array(state), span)[1], exact))
    assert errors[-1] < 0.01
    assert order(errors) == pytest.approx(1.0, abs=0.1), errors


def test_the_other_solvers_have_their_orders() -> None:
    rng = np.random.default_rng(3)
    circuit = coupled()
    state, x = (rng.uniform(-1, 1, n).astype(np.float32) for n in (16, 4))
    parameters = random_parameters(gl.LTC(circuit), rng)
    exact = solved(ltc.LTC(Wires.of(circuit), parameters), state.astype(float), x.astype(float), 0.5)
    for solver, most in (("explicit", 2e-2), ("rk4", 2e-5)):
        rnn = gl.LTC(circuit, ode_unfolds=32, solver=solver)
        set_parameters(rnn, parameters)
        assert difference(rnn(mx.array(x[None]), mx.array(state), 0.5)[1], exact) < most


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_agree_with_differences_of_the_reference(engine: str) -> None:
    rng = np.random.default_rng(4)
    circuit = coupled()
    rnn = gl.LTC(circuit, ode_unfolds=3, engine=engine)
    parameters, given = random_parameters(rnn, rng), run(rng)
    targets, last = rng.uniform(-1, 1, (5, 7, 3)), rng.uniform(-1, 1, (5, 16))
    _, found = quadratic_loss(rnn, given, targets.astype(np.float32), last.astype(np.float32))
    wires = Wires.of(circuit)

    def loss(name: str, k: int, move: float) -> float:
        moved = {key: value.astype(np.float64) for key, value in parameters.items()}
        data = {key: value.astype(np.float64) for key, value in given.items()}
        (moved if name in moved else data)[name].reshape(-1)[k] += move
        y, states = ltc.LTC(wires, moved, ode_unfolds=3).run(*data.values())
        return float(np.square(y - targets).sum() + np.square(states[:, -1] - last).sum()) / 2

    for name in ("gap", "cm", "w", "state", "x", "timespans"):
        gradient = found[name].reshape(-1)
        for k in range(min(6, len(gradient))):
            slope = (loss(name, k, 1e-5) - loss(name, k, -1e-5)) / 2e-5
            assert gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-4), (name, k)


@pytest.mark.parametrize("reverse", [False, True])
def test_masks_and_ends_are_the_same_on_both_engines(reverse: bool) -> None:
    rng = np.random.default_rng(5)
    rnn = gl.LTC(coupled(), reverse=reverse)
    random_parameters(rnn, rng)
    given = {name: mx.array(value) for name, value in run(rng).items()}
    events = {name: mx.array(rng.integers(0, 2, (5, 7)).astype(bool)) for name in ("mask", "ends")}
    found = {}
    for engine in ENGINES:
        rnn.engine = engine
        found[engine] = rnn(**given, **events)
    for first, second in zip(found["ops"], found["fused"], strict=True):
        assert difference(second, np.array(first)) < 1e-5


def test_no_time_changes_nothing() -> None:
    rnn = gl.LTC(coupled())
    state = mx.array(run(np.random.default_rng(0))["state"])
    for engine in ENGINES:
        rnn.engine = engine
        assert np.array_equal(rnn(mx.ones((5, 3, 4)), state, 0.0)[1], state)


def test_a_stream_has_them() -> None:
    rnn = gl.LTC(coupled())
    random_parameters(rnn, np.random.default_rng(0))
    x = mx.array(run(np.random.default_rng(1))["x"][:1])
    expected = np.array(rnn(x)[0][0])
    stream = gl.Stream(rnn)
    assert difference(mx.stack([stream(sample) for sample in x[0]]), expected) < 1e-5


def test_a_strong_one_makes_two_neurons_alike() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("in", role="sensory")
    circuit.add_neurons(["a", "b"], role="motor")
    circuit.add_synapse("in", "a")
    circuit.add_edge("b", "a", kind="electrical", polarity=1)
    rnn = gl.LTC(circuit, key=mx.random.key(0))
    rnn.cell.gap = mx.array([1e4])
    y = np.array(rnn(mx.ones((1, 50, 1)))[0][0, -1])
    assert abs(y[0] - y[1]) < 1e-3
    assert gl.check(circuit) == []  # b is reached through it, against the direction of its edge
    rnn.cell.gap = mx.array([0.0])
    assert abs(np.diff(np.array(rnn(mx.ones((1, 50, 1)))[0][0, -1]))[0]) > 1e-2


def test_inside_the_network_and_out() -> None:
    circuit = coupled()
    assert gl.circuit_of(gl.compile_circuit(circuit).plan).digest() == circuit.digest()
    turned = circuit.copy()
    data = turned.edges["motor_0", "inter_0"]
    turned.remove_edge("motor_0", "inter_0")
    turned.add_edge("inter_0", "motor_0", **data)
    assert turned.digest() == circuit.digest()  # it has no direction
    cut = circuit.copy()
    cut.remove_edge("motor_0", "inter_0")
    assert cut.digest() != circuit.digest()


@pytest.mark.parametrize("ending", ["json", "graphml", "csv", "gexf", "gml", "net", "tsv"])
def test_files_keep_them(ending: str, tmp_path: Path) -> None:
    circuit = coupled()
    gl.write(circuit, tmp_path / f"c.{ending}")
    again = gl.read(tmp_path / f"c.{ending}")
    assert again.digest() == circuit.digest()
    plans = [gl.compile_circuit(c).plan for c in (circuit, again)]
    assert plans[0] == plans[1]
    first, second = (plan.attributes.electrical["weight"].tolist() for plan in plans)
    if ending == "net":  # where every edge has a weight
        first = [1 if value is None else value for value in first]
    assert first == second


def test_a_network_in_a_file(tmp_path: Path) -> None:
    rnn = gl.LTC(coupled())
    gl.save(rnn, tmp_path / "rnn.safetensors")
    again = gl.load(tmp_path / "rnn.safetensors")
    given = run(np.random.default_rng(0))
    assert np.array_equal(called(rnn, given)[0], called(again, given)[0])


def test_a_lesion_takes_them_along() -> None:
    rnn = gl.LTC(coupled())
    random_parameters(rnn, np.random.default_rng(0))
    plan = rnn.cell.compiled.plan
    names = (
        [plan.neurons[plan.electrical.pre[k]] for k in range(6)],
        [plan.neurons[plan.electrical.post[k]] for k in range(6)],
    )
    values = dict(zip(zip(*names, strict=True), rnn.cell.gap.tolist(), strict=True))
    left = gl.lesion(rnn, "inter_1")
    kept = left.cell.compiled.plan
    pairs = [
        (kept.neurons[i], kept.neurons[j])
        for i, j in zip(kept.electrical.pre, kept.electrical.post, strict=True)
    ]
    expected = {pair: value for pair, value in values.items() if "inter_1" not in pair}
    assert dict(zip(pairs, left.cell.gap.tolist(), strict=True)) == expected
    cut = gl.lesion(rnn, synapses=[("motor_0", "inter_0")])
    assert len(cut.cell.gap) == 5


def test_values_are_carried_by_name_when_the_order_turns() -> None:
    circuit = coupled()
    rnn = gl.LTC(circuit)
    other = gl.Circuit()
    other.add_nodes_from(reversed(list(circuit.nodes(data=True))))
    other.add_edges_from(circuit.edges(data=True))
    given = run(np.random.default_rng(0))
    more = gl.carried(rnn, other)
    outputs, _ = rnn(mx.array(given["x"]))
    turned, _ = more(mx.array(given["x"][..., ::-1].copy()))
    assert difference(turned[..., ::-1], np.array(outputs)) < 1e-6


def test_the_graph_is_the_law() -> None:
    """NaN in a sensor reaches those that have a path from it, over electrical synapses both ways."""
    circuit = gl.Circuit()
    circuit.add_neurons(["s", "t"], role="sensory")
    circuit.add_neurons(["a", "b", "c", "d"], role="motor")
    circuit.add_synapses([("s", "a"), ("t", "d")])
    circuit.add_synapse("b", "a", kind="electrical")
    circuit.add_synapse("b", "c")
    rnn = gl.LTC(circuit)
    y = np.array(rnn(mx.array([[[np.nan, 1.0]] * 4]))[0][0, -1])
    assert np.isnan(y).tolist() == [True, True, True, False]


def test_starts_and_ties() -> None:
    circuit = coupled()
    for name in circuit:
        circuit.add_node(name, type=circuit.nodes[name]["role"])
    for pair in circuit.edges:
        circuit.edges[pair].setdefault("weight", 2)
    rnn = gl.LTC(circuit, start="weight")
    counts = np.array(rnn.cell.compiled.plan.attributes.electrical["weight"], float)
    assert np.allclose(rnn.cell.gap, counts * (0.5 / counts.mean()), rtol=1e-5)
    tied = gl.LTC(circuit, tie={"gap": ("type", "type")}, scale={"gap": "weight"})
    assert tied.cell.gap.size < 6
    free = gl.untie(tied)
    given = run(np.random.default_rng(0))
    assert difference(called(tied, given)[0], np.array(called(free, given)[0])) < 1e-6


def test_time_constants_count_them() -> None:
    rnn = gl.LTC(coupled())
    given = run(np.random.default_rng(0))
    recording = gl.record(rnn, mx.array(given["x"]))
    before = gl.time_constants(rnn, recording)
    rnn.cell.gap = rnn.cell.gap + 1.0
    after = gl.time_constants(rnn, recording)
    touched = {int(k) for side in ("pre", "post") for k in getattr(rnn.cell.compiled.plan.electrical, side)}
    for k in range(16):
        assert np.all(after[..., k] < before[..., k]) == (k in touched)


def test_other_cells_refuse_them() -> None:
    for make in (gl.CfC, gl.CTRNNCell, gl.CTGRUCell):
        with pytest.raises(gl.CircuitError, match=r"electrical synapses, and .* has none: gl\.LTC runs them"):
            make(coupled())
    made = gl.circuit_from(coupled(), electrical="drop")
    assert len(gl.CfC(made).cell.compiled.plan.electrical) == 0
    assert made.digest() == gl.auto_ncp(16, 3, inputs=4, seed=0).digest()
    made = gl.circuit_from(coupled(), electrical="synapses", parallel="first")
    assert made.edges["inter_0", "motor_0"]["made_from"] == "electrical"
    gl.CfC(made)(mx.zeros((1, 2, 4)))
    dense = gl.NCPDense(16, wiring=coupled())  # which leaves out all synapses between neurons with state
    assert gl.NCPDense.from_config(dense.get_config())(mx.zeros((1, 4))).shape == (1, 16)


def test_what_is_wrong_is_told() -> None:
    circuit = coupled()
    circuit.add_edge("sensory_0", "motor_0", kind="electrical", polarity=1)
    circuit.add_edge("motor_1", "motor_1", kind="electrical", polarity=1)
    circuit.add_edge("inter_0", "motor_0", kind="electrical", polarity=1, weight=7)
    circuit.add_edge("motor_2", "motor_1", kind="electrical", polarity=1, weight=-1)
    found = [problem.message for problem in gl.check(circuit) if problem.kind == "electrical"]
    assert len(found) == 4
    assert any("'sensory_0', which is sensory and has no potential" in text for text in found)
    assert any("joins a neuron to itself" in text for text in found)
    assert any("from both ends, with 3 and 7" in text for text in found)
    assert any("has the strength -1; expected a finite number" in text for text in found)
    with pytest.raises(gl.CircuitError, match="cannot be compiled, 4 problem"):
        gl.LTC(circuit)


def test_mirrors_and_pairs_of_a_published_list() -> None:
    graph = nx.MultiDiGraph()
    rows = [("a", "b", 3), ("b", "a", 5), ("b", "c", 1), ("c", "b", 1), ("c", "c", 2)]
    for pre, post, count in rows:
        graph.add_edge(pre, post, weight=count, kind="electrical")
    graph.add_edge("a", "b", weight=2, kind="chemical")
    circuit = gl.circuit_from(graph, roles={"motor": ["c"]}, polarity=1)
    plan = gl.compile_circuit(circuit).plan
    names = {
        frozenset((plan.neurons[i], plan.neurons[j]))
        for i, j in zip(plan.electrical.pre, plan.electrical.post, strict=True)
    }
    assert names == {frozenset("ab"), frozenset("bc")}
    assert sorted(plan.attributes.electrical["weight"].tolist()) == [1, 5]
    assert circuit.synapses() == [("b", "a", 1), ("a", "b", 1), ("b", "c", 1)] or len(circuit.edges) == 3
    report = str(circuit.origin)
    assert "5 electrical rows became 2 pairs" in report
    assert "Of 1 electrical pair that differed from the mirror the larger weight counts" in report
    assert "Dropped 1 electrical synapse of a neuron with itself" in report


def test_explain_says_who_runs_them() -> None:
    text = gl.LTC(coupled()).explain()
    assert "one fused kernel" in text


def test_a_network_is_carried_over_the_loss_of_its_last_electrical_synapse() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neurons(["a", "b"], role="motor")
    circuit.add_synapses([("eye", "a"), ("a", "b")])
    coupled = circuit.copy()
    coupled.add_synapse("b", "a", kind="electrical", weight=2.0)
    before = gl.LTC(coupled)
    after = gl.carried(before, circuit)
    assert len(after.cell.compiled.plan.electrical) == 0
    np.testing.assert_array_equal(np.array(after.cell.w), np.array(before.cell.w))
    assert len(gl.carried(after, coupled).cell.compiled.plan.electrical) == 1
