"""The factors that neurons may choose: no output, and no number that is shown, goes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from matplotlib.figure import Figure

import ganglion as gl
from ganglion.cells.scaling import free_factors
from ganglion.editor import strengths as editor

X = np.random.default_rng(0).normal(size=(3, 5, 3)).astype(np.float32)


def coupled() -> gl.Circuit:
    circuit = gl.auto_ncp(10, 2, inputs=3, seed=3)
    circuit.add_synapse("inter_0", "inter_1", kind="electrical", weight=2)
    return circuit


class Conductances(gl.EquationCell):
    """An LTC without voltages of its own."""

    parameters = {  # noqa: RUF012
        "w": gl.synapse(0.1, 1.0, positive=True, strength=True),
        "e": gl.synapse("polarity"),
        "g": gl.neuron(0.2, 1.0, positive=True),
        "c": gl.neuron(0.5, 1.0, positive=True),
        "rest": gl.neuron(-0.2, 0.2),
    }
    synapse = {"open": "w * sigmoid(v_pre)", "drive": "w * sigmoid(v_pre) * e"}  # noqa: RUF012
    sensory = {"open": "w * sigmoid(x)", "drive": "w * sigmoid(x) * e"}  # noqa: RUF012
    dynamics = "c * dv/dt = g * (rest - v) + drive - open * v"


CELLS: dict[str, tuple[Callable[..., Any], int]] = {
    "LTC": (gl.LTC, 2 * 10 + 2 * 3),
    "softplus": (lambda c: gl.LTC(c, positive="softplus"), 2 * 10 + 2 * 3),
    "no mappings": (lambda c: gl.LTC(c, input_mapping=None, output_mapping=None), 2 * 10 - 2),
    "one w": (lambda c: gl.LTC(c, tie={"w": ()}), 2 * 10 + 2 * 3 - 4),  # five have such synapses
    "CTRNN": (lambda c: gl.RNN(gl.CTRNNCell(c)), 0),
    "relu CTRNN": (lambda c: gl.RNN(gl.CTRNNCell(c, activation="relu")), 8),
    "LeakyRate": (lambda c: gl.RNN(gl.LeakyRate(c)), 8),
    "LIF": (lambda c: gl.RNN(gl.LIF(c)), 10),
    "LRC": (lambda c: gl.RNN(gl.LRC(c)), 10 + 3),
    "CfC": (gl.CfC, 0),
    "own": (lambda c: gl.RNN(Conductances(c)), 10),
}


@pytest.mark.parametrize("name", CELLS)
def test_the_free_directions_of_a_cell_move_no_output_and_there_are_so_many(name: str) -> None:
    """The reference is a difference of outputs; that none is missing is what the numbers by hand say."""
    make, count = CELLS[name]
    mx.random.seed(1)
    rnn = make(gl.auto_ncp(10, 2, inputs=3, seed=3))
    free = free_factors(rnn.cell)
    moves = free.moves
    assert len(free.names) == len(set(free.names)) == count
    if not count:
        return
    along = np.random.default_rng(2).normal(size=count)
    before = {key: rnn.cell[key] for key in moves}
    sides = []
    for step in (0.01, -0.01):
        for key, matrix in moves.items():
            rnn.cell[key] = before[key] + mx.array((step * matrix @ along).astype(np.float32))
        sides.append(np.array(rnn(X)[0]))
    size = max(float(np.abs(m @ along).max()) for m in moves.values())
    assert size > 0.1
    assert np.abs(sides[0] - sides[1]).max() / 0.02 < 2e-2 * size * 0.01 + 1e-3


def scaled(rnn: Any, kind: str, factor: np.ndarray[Any, Any]) -> None:
    """The network with its parameters in other units, one for each neuron, as its class declares them."""
    plan = rnn.cell.compiled.plan
    for key, p in rnn.cell.declared().items():
        for f in p.factors:
            if f.kind == kind and f.power:
                ends = {"target": "post", "source": "pre", "both": "post"}
                where = getattr(plan, p.lies_on, None)
                by = factor if where is None else factor[getattr(where, ends[f.of])]
                rnn.cell[key] = rnn.cell[key] * mx.array((by ** float(f.power)).astype(np.float32))


def shown(rnn: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Every number that is shown of a network, by where."""
    circuit = gl.circuit_of(rnn)
    found = {
        f"edge {pre} {post} {key}": value
        for pre, post, data in circuit.edges(data=True)
        for key, value in data.items()
    }
    found |= {f"node {n} {key}": v for n, data in circuit.nodes(data=True) for key, v in data.items()}
    found["editor"] = [strength for *_, strength in editor.strengths(rnn)]
    if constants := editor.time_constants(rnn):
        found["editor's time constants"] = constants
        found["time constants"] = gl.time_constants(rnn, gl.record(rnn, X))
    found["saliency"] = gl.saliency(rnn, X)
    found["study"] = [
        [row.value, row.effect] for row in gl.study(rnn, gl.each("inter"), measure="output change", x=X)
    ]
    axes = Figure().add_subplot()
    named = {"color_by": "time_constant"} if constants else {}
    gl.viz.plot_circuit(circuit, ax=axes, width_by="weight", **named)
    widths = [np.ravel(c.get_linewidths()) for c in axes.collections if len(np.ravel(c.get_linewidths()))]
    found["widths"] = np.concatenate(widths)
    found["summary"] = [float(word) for word in rnn.describe().split() if word.isdigit()]
    return {key: np.asarray(value) for key, value in found.items()}


@pytest.mark.parametrize("make", [gl.LTC, lambda c: gl.RNN(Conductances(c))])
def test_no_shown_number_goes_with_the_unit_of_conductance_of_a_neuron(make: Any) -> None:
    mx.random.seed(4)
    rnn = make(coupled() if make is gl.LTC else gl.auto_ncp(10, 2, inputs=3, seed=3))
    outputs, before = np.array(rnn(X)[0]), shown(rnn)
    factor = np.random.default_rng(1).uniform(0.2, 5.0, rnn.cell.n_neurons)
    place = {name: k for k, name in enumerate(rnn.cell.neurons)}
    factor[place["inter_1"]] = factor[place["inter_0"]]  # one unit for both ends of an electrical synapse
    scaled(rnn, "conductance" if make is gl.LTC else rnn.cell.declared()["g"].factors[0].kind, factor)
    assert np.abs(np.array(rnn(X)[0]) - outputs).max() < 1e-5
    after = shown(rnn)
    assert before.keys() == after.keys()
    for key, value in before.items():
        if value.dtype.kind in "fi":
            rounded = 1e-3 if "editor" in key else 1e-5  # the editor shows four digits
            np.testing.assert_allclose(after[key], value, rtol=rounded, atol=2e-6, err_msg=key)
        else:
            assert (after[key] == value).all(), key


def test_a_neuron_without_leak_has_a_strength_in_any_unit() -> None:
    rnn = gl.LTC(gl.auto_ncp(10, 2, inputs=3, seed=3))
    rnn.cell.gleak = mx.zeros((10,))
    before = gl.circuit_of(rnn)
    scaled(rnn, "conductance", np.linspace(0.1, 3.0, 10))
    after = gl.circuit_of(rnn)
    for pre, post, data in before.edges(data=True):
        assert after.edges[pre, post]["weight"] == pytest.approx(data["weight"], rel=1e-5)
        assert np.isfinite(data["weight"])


def test_an_electrical_synapse_has_a_strength_beside_the_chemical_ones() -> None:
    rnn = gl.LTC(coupled())
    pairs = rnn.cell.compiled.plan.electrical
    leak = np.array(rnn.cell.gleak)
    expected = np.array(rnn.cell.gap)[0] / np.sqrt(leak[pairs.pre[0]] * leak[pairs.post[0]])
    circuit = gl.circuit_of(rnn)
    held = [d.get("gap", d["weight"]) for _, _, d in circuit.edges(data=True) if d.keys() & {"gap", "kind"}]
    assert held == [pytest.approx(expected, rel=1e-6)]
