"""The factors that neurons may choose: no output, and no number that is shown, goes with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from matplotlib.figure import Figure

import ganglion as gl
from ganglion import cli
from ganglion.cells.scaling import free_factors
from ganglion.editor import strengths as editor
from ganglion.studies import Stimulate

NUMBER = re.compile(r"(?<![\w.#])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
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
    found |= {key: value for key, value in printed(rnn, circuit).items() if value}
    masks = gl.viz.plot_masks(circuit, ax=Figure().add_subplot())
    found["masks"] = np.concatenate([c.get_offsets() for k, c in masks.artists.items() if "synapses" in k])
    difference = gl.viz.plot_diff(rnn.cell.compiled.plan, circuit, ax=Figure().add_subplot())
    found["difference"] = [*difference.synapse_changes.values(), *difference.neuron_changes.values()]
    return {key: np.asarray(value) for key, value in found.items()}


def printed(rnn: Any, circuit: gl.Circuit) -> dict[str, Any]:
    """The words and numbers of everything that is printed or written of a network and its circuit."""
    texts = {"summary": rnn.describe(), "repr": repr(rnn), "html": rnn._repr_html_()}
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()) as console:
        for form in ("csv", "json", "graphml"):
            gl.write(circuit, Path(folder) / f"c.{form}")
            parts = sorted(Path(folder).glob("*"))
            texts[form] = "".join(part.read_text() for part in parts)
        commands = (["show"], ["check"], ["plot", "-o", f"{folder}/c.html"])
        for name, *options in commands:
            assert cli.main([name, f"{folder}/c.json", *options]) == 0
        texts["page"] = (Path(folder) / "c.html").read_text()
        texts["commands"] = console.getvalue().replace(folder, "")
    found: dict[str, Any] = {}
    for key, text in texts.items():
        found[f"{key}: words"] = NUMBER.sub("#", text)
        found[f"{key}: numbers"] = [float(number) for number in NUMBER.findall(text)]
    return found


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
            rounded = 1e-3 if "editor" in key or "page" in key else 1e-5  # which show four digits
            np.testing.assert_allclose(after[key], value, rtol=rounded, atol=2e-6, err_msg=key)
        else:
            assert (after[key] == value).all(), key


STIMULATED = {
    **dict.fromkeys(("LTCCell", "explicit", "softplus"), "conductance"),
    "LIF": "threshold and bias and sensory_w and w",
}


@pytest.mark.parametrize("name", STIMULATED)
def test_a_stimulus_means_the_same_in_whatever_unit_a_neuron_counts(name: str) -> None:
    circuit, given = gl.auto_ncp(10, 2, inputs=3, seed=3), {"key": mx.random.key(5)}
    if name == "LIF":
        cell: Any = gl.LIF(circuit, **given)
    else:
        options = {"explicit": {"solver": "explicit"}, "softplus": {"positive": "softplus"}}.get(name, {})
        cell = gl.LTCCell(circuit, **options, **given)
    rnn, x = gl.RNN(cell), np.abs(X)

    def stimulated(**options: Any) -> np.ndarray[Any, Any]:
        change = Stimulate(["inter_0", "motor_1"], 0.7, **options)
        with gl.perturbed(rnn, change):
            return np.array(rnn(x)[0])

    plain, before, own = np.array(rnn(x)[0]), stimulated(), stimulated(absolute=True)
    assert np.abs(before - plain).max() > 1e-3
    factor = np.where(np.arange(10) % 2, 0.125, 8.0)  # without rounding
    if name == "softplus":
        for key in ("w", "sensory_w", "cm", "gleak"):
            where = getattr(cell.compiled.plan, cell.declared()[key].lies_on, None)
            by = factor if where is None else factor[where.post]
            cell[key] = mx.log(mx.expm1(mx.array(by.astype(np.float32)) * mx.log1p(mx.exp(cell[key]))))
    else:
        scaled(rnn, STIMULATED[name], factor)
    assert np.abs(np.array(rnn(x)[0]) - plain).max() < 1e-5
    assert np.abs(stimulated() - before).max() < 1e-5
    if name != "LIF":  # which may spike as it did
        assert np.abs(stimulated(absolute=True) - own).max() > 1e-3


def test_a_stimulus_of_a_held_neuron_is_nothing_and_one_without_leak_has_no_unit() -> None:
    rnn = gl.LTC(gl.auto_ncp(10, 2, inputs=3, seed=3), key=mx.random.key(5))
    held, driven = gl.studies.Silence("inter_0", 0.4), Stimulate("inter_0", 0.7)
    with gl.perturbed(rnn, held):
        expected = np.array(rnn(X)[0])
        with gl.perturbed(rnn, driven):
            assert np.abs(np.array(rnn(X)[0]) - expected).max() < 1e-6
    with gl.perturbed(rnn, held, driven):
        assert np.abs(np.array(rnn(X)[0]) - expected).max() < 1e-6
    rnn.cell.gleak = mx.zeros((10,))
    with (
        pytest.raises(ValueError, match="neuron 'inter_0' has no leak or threshold"),
        gl.perturbed(rnn, driven),
    ):
        pass
    with gl.perturbed(rnn, Stimulate("inter_0", 0.7, absolute=True)):
        assert np.isfinite(np.array(rnn(X)[0])).all()


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
