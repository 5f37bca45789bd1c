"""States of synapses: short-term plasticity, beside a float64 reference, central differences and Brian 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.compile.kernels import sequence
from ganglion.testing import check_cell

from ..kernels.emulate import EmulatedRunner
from ..support.equations import circuit
from ..support.networks import difference
from ..support.slopes import agree
from .test_kernels import assert_alike, outcome

CIRCUIT = gl.auto_ncp(11, 2, inputs=3, seed=4)
B, T = 3, 6


class Plastic(gl.EquationCell):
    """Depression, facilitation, and a term of Hebb's kind; sensors have equations of their own."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "use": gl.synapse(0.2, 0.6, positive=True),
        "tau_d": gl.synapse(0.5, 1.0),
        "eta": gl.synapse(0.1, 0.3),
        "tau": gl.neuron(0.5, 1.5),
    }
    let = {"r": "sigmoid(3 * v)"}
    synapse = {"i": "w * (1 + h) * (use + f) * (1 - d) * r_pre"}
    sensory = {"i": "w * (1 + h) * (1 - d) * x"}
    synapse_states = (
        "tau_d * dd/dt = -d + (use + f) * (1 - d) * r_pre",
        "df/dt = -f / 0.7 + use * (1 - use - f) * r_pre",
        "dh/dt = eta * (r_pre * v - h * r)",
    )
    sensory_states = (
        "tau_d * dd/dt = -d + use * (1 - d) * relu(x)",
        "dh/dt = eta * (x * v - h * r)",
        "df/dt = -f",
    )
    dynamics = "tau * dv/dt = i - v"
    unfolds = 3


class Stepped(gl.EquationCell):
    """An update, with noise behind the states of synapses."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "q": gl.synapse(0.2, 0.6, positive=True),
        "tau": gl.neuron(0.5, 1.5),
    }
    synapse = {"i": "w * (1 - d * exp(-q * timespan)) * v_pre"}
    synapse_states = "d = d * exp(-timespan) + q * (1 - d) * relu(v_pre)"
    update = "v = tanh(i) + 0.5 * v * exp(-timespan / tau)"
    noise = {"v": "0.1"}


class Odd(gl.EquationCell):
    """Everything at once, and a state of a synapse that nothing sums up."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "k": gl.synapse(0.5, 1.0),
        "gap": gl.electrical(0.1, 0.5),
        "a": gl.sensor(0.5, 1.0),
        "b": gl.neuron(0.1, 0.5),
        "o": gl.motor(0.5, 1.0),
    }
    let = {"r": "tanh(v + b)"}
    synapse = {"i": "w * (s + c * r_pre) * (b - v)"}
    sensory = {"i": "w * (s + c * sin(x)) * (b - v)"}
    electrical = {"e": "gap * (v_pre - v)"}
    synapse_states = ("(k + b) * ds/dt = -s + r_pre * exp(-v * v)", "dc/dt = r * r_pre - c", "dz/dt = u - z")
    sensory_states = ("(k + b) * ds/dt = -s + x * exp(-v * v)", "dc/dt = r * x - c", "dz/dt = u - z")
    dynamics = ("dv/dt = i + e - v + u", "dq/dt = v - q", "du/dt = 0.1 * (v - u)")
    inputs = "a * tanh(x)"
    outputs = "o * sigmoid(v)"
    noise = {"q": "0.2 * abs(v)", "v": "0.1"}
    clip = 0.6
    solver, unfolds = "exponential", 2


class TsodyksMarkram(gl.EquationCell):
    """Spikes as samples: facilitation f and depletion d are 0 at rest; a conductance and a membrane."""

    parameters = {
        "w": gl.synapse(1.0, strength=True),
        "use": gl.synapse(0.5),
        "tau_f": gl.synapse(100.0),
        "tau_d": gl.synapse(100.0),
        "tau_g": gl.neuron(5.0),
        "tau_m": gl.neuron(20.0),
    }
    synapse = {
        "i": "w * v_pre * (f * exp(-timespan / tau_f) * (1 - use) + use) * (1 - d * exp(-timespan / tau_d))"
    }
    synapse_states = (
        "f = f * exp(-timespan / tau_f) + v_pre * use * (1 - f * exp(-timespan / tau_f))",
        "d = d * exp(-timespan / tau_d) + v_pre * (use + f * exp(-timespan / tau_f) * (1 - use))"
        " * (1 - d * exp(-timespan / tau_d))",
    )
    update = (
        "v = v * exp(-timespan / tau_m)"
        " + g * tau_g / (tau_g - tau_m) * (exp(-timespan / tau_g) - exp(-timespan / tau_m))",
        "g = g * exp(-timespan / tau_g) + i",
    )


def batch(seed: int, cell: gl.EquationCell) -> tuple[np.ndarray, np.ndarray, Any]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (B, T, cell.n_inputs)).astype(np.float32)
    spans = rng.choice([0.0, 0.3, 1.0, 1.7], (B, T)).astype(np.float32)
    return x, spans, tuple(rng.uniform(0, 0.5, (B, *s)).astype(np.float32) for s in cell.state_shapes)


@pytest.mark.parametrize("solver", ["semi_implicit", "euler", "exponential", "rk4", None])
def test_operations_are_the_equations(solver: str | None) -> None:
    mx.random.seed(1)
    cell: Any = Stepped(CIRCUIT, seed=3) if solver is None else Plastic(CIRCUIT, solver=solver)
    x, spans, state = batch(2, cell)
    y, last = gl.RNN(cell, engine="ops")(mx.array(x), tuple(map(mx.array, state)), timespans=spans)
    expected, after = cell.reference(x, state, spans)
    assert difference(y, expected) < 1e-5
    for mine, theirs in zip(last, after, strict=True):
        assert difference(mine, theirs) < 1e-5


def test_gradients_are_central_differences() -> None:
    mx.random.seed(2)
    cell = Plastic(CIRCUIT)
    agree(cell, *batch(3, cell))


@pytest.mark.parametrize("kind", [Plastic, Stepped])
def test_a_cell_with_plastic_synapses_is_a_cell(kind: Any) -> None:
    check_cell(kind(CIRCUIT))


def test_they_are_those_of_brian() -> None:
    """Tsodyks and Markram, spike by spike; the file says how Brian 2 made it."""
    data = {
        key: np.array(value)
        for key, value in json.loads(
            (Path(__file__).parent / "golden/tsodyks_markram.json").read_text()
        ).items()
    }
    circuit = gl.Circuit()
    for k in range(3):
        circuit.add_neuron(f"source_{k}", role="sensory")
    for k in range(2):
        circuit.add_neuron(f"neuron_{k}", role="motor")
    for pre, post, w in zip(data["pre"], data["post"], data["w"], strict=True):
        circuit.add_synapse(f"source_{pre}", f"neuron_{post}", polarity=int(np.sign(w)))
    cell = TsodyksMarkram(circuit)
    sensory = cell.compiled.plan.sensory
    order = [
        int(np.flatnonzero((data["pre"] == pre) & (data["post"] == post))[0])
        for pre, post in zip(sensory.pre, sensory.post, strict=True)
    ]
    given = {f"sensory_{key}": data[key][order] for key in ("w", "use", "tau_f", "tau_d")}
    given |= {key: data[key] for key in ("tau_g", "tau_m")}
    cell.update({key: mx.array(value.astype(np.float32)) for key, value in given.items()})
    x = np.eye(3, dtype=np.float32)[data["source"]][None]
    spans = np.diff(data["times"], prepend=0.0).astype(np.float32)
    stream = gl.RNN(cell).stream()
    for t, span in enumerate(spans):
        stream(x[0, t], float(span))
        v, g, *_, f, d = stream.state
        for found, expected in ((v, "v"), (g, "g"), (f, "u"), (1.0 - d, "x")):
            wanted = data[expected][t] if expected in ("v", "g") else data[expected][t][order]
            assert difference(found, wanted) < 1e-4, (t, expected)
    y, _ = gl.RNN(cell)(mx.array(x), timespans=spans)
    assert difference(y[0], data["v"]) < 1e-4
    expected, _ = cell.reference(x, None, spans)
    assert np.abs(expected[0] - data["v"]).max() < 1e-5


@pytest.mark.parametrize(("kind", "rows", "every", "reverse"), [(Odd, 5, 1, False), (Stepped, 7, 3, True)])
def test_kernels_are_the_operations(kind: Any, rows: int, every: int, reverse: bool) -> None:
    mx.random.seed(5)
    cell = kind(circuit(4, coupled=True) if kind is Odd else CIRCUIT)
    ops, fused = (
        outcome(gl.RNN(cell, engine=engine, checkpoint_every=every, reverse=reverse), 5, rows, 7)
        for engine in ("ops", "fused")
    )
    assert_alike(fused, ops)


def test_the_body_computes_the_same_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Stepped(CIRCUIT)
    expected = outcome(gl.RNN(cell, engine="fused"), 4, 3, 4)
    monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
    monkeypatch.setattr(sequence.nodes, "usable", lambda: False)
    twin = Stepped(CIRCUIT)
    twin.update(cell.parameters())
    assert_alike(outcome(gl.RNN(twin, engine="fused"), 4, 3, 4), expected)


def test_a_silenced_neuron_is_silent_in_the_kernel() -> None:
    cell = Plastic(CIRCUIT)
    x, spans, _ = batch(7, cell)
    found = []
    for engine in ("ops", "fused"):
        rnn = gl.RNN(cell, engine=engine)
        with gl.silenced(rnn, cell.neurons[-1], to=0.25):
            found.append(np.array(rnn(mx.array(x), timespans=spans)[0]))
    assert np.abs(found[1] - found[0]).max() < 1e-5


def test_it_goes_on_where_it_was_cut() -> None:
    rnn = gl.RNN(Plastic(CIRCUIT))
    x, spans, _ = batch(5, rnn.cell)
    whole, last = rnn(mx.array(x), timespans=spans)
    assert [part.shape for part in last] == [(B, *shape) for shape in rnn.cell.state_shapes]
    _, state = rnn(mx.array(x[:, :2]), timespans=spans[:, :2])
    rest, end = rnn(mx.array(x[:, 2:]), state, timespans=spans[:, 2:])
    assert difference(rest, np.array(whole[:, 2:])) < 1e-6
    assert max(difference(one, np.array(other)) for one, other in zip(end, last, strict=True)) < 1e-6


def test_a_subclass_may_have_none() -> None:
    words = {"synapse_states": (), "sensory_states": (), "synapse": {"i": "w * r_pre"}}
    kind = type("Stiff", (Plastic,), {**words, "sensory": {"i": "w * x"}})
    assert not kind.model.synaptic
    assert Plastic.model.synaptic


def test_perturbations_leave_states_as_many(tmp_path: Path) -> None:
    rnn = gl.RNN(Plastic(CIRCUIT))
    x, spans, state = batch(6, rnn.cell)
    whole = rnn(mx.array(x), tuple(map(mx.array, state)), timespans=spans)[0]
    with gl.perturbed(rnn, gl.studies.Lesion("inter_0")):
        y, last = rnn(mx.array(x), tuple(map(mx.array, state)), timespans=spans)
    assert last[1].shape == state[1].shape
    with gl.perturbed(rnn, gl.studies.Lesion("inter_0")):
        gl.export_c(rnn, tmp_path / "cut.c")  # which compares it with the network
    assert difference(y, np.array(whole)) > 1e-5


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_nothing_passes_a_synapse_that_is_cut(engine: str) -> None:
    """Neither from its source nor from its own state, which is at 0 then."""
    rnn = gl.RNN(Plastic(CIRCUIT), engine=engine)
    plan = rnn.cell.compiled.plan
    x, spans, _ = batch(8, rnn.cell)
    sensor, pre, post = plan.sensory.pre[0], plan.recurrent.pre[0], plan.recurrent.post[0]
    onto = [plan.neurons[to] for to in plan.sensory.post[plan.sensory.pre == sensor]]
    cuts = gl.studies.Cut(plan.sensors[sensor], onto), gl.studies.Cut(plan.neurons[pre], plan.neurons[post])
    with gl.perturbed(rnn, *cuts):
        expected, state = rnn(mx.array(x), timespans=spans)
        x[..., sensor] = np.nan
        parts = [np.array(mx.zeros_like(part)) for part in state]
        first = len(rnn.cell.model.states)
        parts[first][:, 0], parts[-1][:, plan.sensory.pre == sensor] = np.nan, np.nan
        y, last = rnn(mx.array(x), tuple(map(mx.array, parts)), timespans=spans)
    assert difference(y, np.array(expected)) == 0
    for mine, theirs in zip(last, state, strict=True):
        np.testing.assert_array_equal(np.array(mine), np.array(theirs))
    assert not np.array(last[first])[:, 0].any()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"synapse_states": "dd/dt = -d + i"},
            r"the state 'd' of a synapse is of its source, its neuron and",
        ),
        ({"synapse_states": "dd/dt = -q"}, r"Wrong.synapse_states, column 10: there is no 'q'"),
        ({"synapse_states": "d = -d"}, "'d' stands on the left: expected dv/dt = "),
        ({"synapse_states": ["dd/dt = -d", "dd/dt = d"]}, "there are two equations of 'd'"),
        ({"synapse_states": "0 * dd/dt = -d"}, "column 1: 0 times a derivative"),
        ({"synapse_states": "dv/dt = -v"}, "'v' is declared in dynamics already"),
        ({"synapse_states": 1.0}, "expected an equation as text"),
        ({"sensory_states": "dh/dt = -h"}, "there is no 'h' in synapse_states: there are d"),
        ({"dynamics": "dv/dt = -d"}, "'d' is a state of every synapse, which is not known here: sum over"),
        ({"sensory_states": "dd/dt = v_pre"}, "a sensor shows x"),
        ({"synapse": {"i": "w * tanh(d * v)"}}, "a function of both sides of a synapse"),
    ],
)
def test_wrong_equations_are_refused(changed: dict[str, Any], told: str) -> None:
    words = {
        "parameters": {"w": gl.synapse(1.0)},
        "synapse": {"i": "w * (1 - d) * v_pre"},
        "synapse_states": "dd/dt = -d + v_pre",
        "dynamics": "dv/dt = i - v",
    }
    with pytest.raises(ValueError, match=told):
        type("Wrong", (gl.EquationCell,), {**words, **changed})


def test_they_are_printed() -> None:
    lines = Plastic.latex().splitlines()
    assert r"\frac{df_{ij}}{dt} &= \frac{-f_{ij}}{0.7} + \mathrm{use}_{ij}\,\left(1 - " in Plastic.latex()
    assert r"\frac{df_{ij}}{dt} &= -f_{ij} \quad \text{from sensors} \\" in lines
