"""Cells from equations: the engine "ops" beside float64 NumPy, gradients beside central differences."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.equations.expression import name
from ganglion.cells.equations.functions import FUNCTIONS
from ganglion.cells.equations.summing import evaluate
from ganglion.cells.strengths import as_floats
from ganglion.testing import check_cell

from ..support.equations import SAMPLES, cell_of
from ..support.networks import LAYOUTS, difference
from ..support.slopes import agree, parts

B, T = 3, 6
SYMPY = ["E", "I", "S", "N", "O", "Q", "beta", "gamma", "zeta", "pi", "oo"]
on_all = pytest.mark.parametrize("kind", SAMPLES)
CONTINUOUS = [kind for kind in SAMPLES if SAMPLES[kind].model.continuous]


def batch(seed: int, cell: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Inputs, time spans of which some are 0, and a state."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (B, T, cell.n_inputs)).astype(np.float32)
    spans = rng.choice([0.0, 1e-40, 0.3, 1.0, 1.7], (B, T)).astype(np.float32)
    states = tuple(rng.uniform(-0.5, 0.5, (B, *s)).astype(np.float32) for s in cell.state_shapes)
    return x, spans, states if len(states) > 1 else states[0]


def as_arrays(state: Any) -> Any:
    return tuple(map(mx.array, state)) if isinstance(state, tuple) else mx.array(state)


@on_all
@pytest.mark.parametrize("layout", LAYOUTS)
def test_operations_are_the_equations(kind: str, layout: str) -> None:
    cell = cell_of(kind, seed=1)
    over = type(cell)(gl.compile_circuit(cell.compiled.plan, layout=layout))
    over.update(cell.parameters())
    x, spans, state = batch(2, cell)
    y, last = gl.RNN(over, engine="ops")(mx.array(x), as_arrays(state), timespans=mx.array(spans))
    expected, expected_last = cell.reference(x, state, spans)
    assert difference(y, expected) < 1e-5
    for one, other in zip(parts(last), parts(expected_last), strict=True):
        assert difference(one, other) < 1e-5


@pytest.mark.parametrize("solver", ["semi_implicit", "euler", "exponential", "rk4"])
@pytest.mark.parametrize("kind", CONTINUOUS)
def test_every_solver_is_the_equations(kind: str, solver: str) -> None:
    cell = cell_of(kind, seed=3, solver=solver, ode_unfolds=5)
    x, spans, state = batch(4, cell)
    y, _ = gl.RNN(cell, engine="ops")(mx.array(x), as_arrays(state), timespans=mx.array(spans))
    assert difference(y, cell.reference(x, state, spans)[0]) < 1e-5


@on_all
def test_masks_ends_and_lengths(kind: str) -> None:
    """Rows with gaps, ends and padding are what the reference makes of their parts."""
    cell = cell_of(kind, seed=5)
    x, spans, _ = batch(6, cell)
    mask, ends = np.ones((B, T), bool), np.zeros((B, T), bool)
    mask[0, [1, 4]], mask[1, 2:], ends[2, 2] = False, False, True
    spoiled = np.where(mask[..., None], x, np.nan).astype(np.float32)
    y, _ = gl.RNN(cell, engine="ops")(mx.array(spoiled), timespans=spans, mask=mask, ends=ends)
    kept = mask[0]
    assert (
        difference(
            y[0][mx.array(np.flatnonzero(kept))], cell.reference(x[:1, kept], None, spans[:1, kept])[0][0]
        )
        < 1e-5
    )
    assert difference(y[1, :2], cell.reference(x[1:2, :2], None, spans[1:2, :2])[0][0]) < 1e-5
    for part in (slice(0, 3), slice(3, T)):
        assert difference(y[2, part], cell.reference(x[2:, part], None, spans[2:, part])[0][0]) < 1e-5


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind != "Spiking"])
def test_gradients_are_central_differences(kind: str) -> None:
    cell = cell_of(kind, seed=7)
    agree(cell, *batch(8, cell))


@pytest.mark.parametrize(
    ("solver", "order"), [("semi_implicit", 1), ("euler", 1), ("exponential", 1), ("rk4", 4)]
)
@pytest.mark.parametrize("kind", ["Rate", "Recovering"])
def test_order_of_convergence(kind: str, solver: str, order: int) -> None:
    """With twice as many steps, the error is 2^order times smaller."""
    first, errors = (4 if solver == "rk4" else 16), []
    cell = cell_of(kind, seed=10, solver="rk4", ode_unfolds=400)
    x, _, state = batch(11, cell)
    truth = cell.reference(x[:, :2], state)[0]
    for unfolds in (first, 2 * first):
        twin = cell_of(kind, seed=10, solver=solver, ode_unfolds=unfolds)
        errors.append(np.abs(twin.reference(x[:, :2], state)[0] - truth).max())
        y, _ = gl.RNN(twin, engine="ops")(mx.array(x[:, :2]), as_arrays(state))
        assert difference(y, twin.reference(x[:, :2], state)[0]) < 1e-5
    assert order - 0.5 < np.log2(errors[0] / errors[1]) < order + 1.0


def test_exponential_is_exact_for_a_leak() -> None:
    class Leak(gl.EquationCell):
        parameters = {"a": gl.neuron(0.5, 2.0)}
        dynamics = "dv/dt = a - 3 * v"
        solver, unfolds = "exponential", 1

    cell = Leak(gl.auto_ncp(11, 2, inputs=3, seed=4))
    v, span = np.full((1, 11), 0.7, np.float32), 1.3
    y, _ = cell(mx.zeros((1, 3)), mx.array(v), span)
    rest = as_floats(cell.a) / 3
    assert difference(y, (rest + (0.7 - rest) * np.exp(-3 * span))[None, :2]) < 1e-6


@on_all
def test_a_cell_from_equations_is_a_cell(kind: str) -> None:
    check_cell(cell_of(kind, seed=12, **({"ode_unfolds": 2} if kind in CONTINUOUS else {})))


def test_the_ltc_is_the_ltc() -> None:
    cell = cell_of("AsLTC", seed=13)
    plan = cell.compiled.plan
    twin = gl.LTCCell(plan)
    twin.update(cell.parameters())
    x, spans, state = batch(14, cell)
    mine, theirs = (
        gl.RNN(c, engine="ops")(mx.array(x), mx.array(state), timespans=spans) for c in (cell, twin)
    )
    for one, other in zip(mine, theirs, strict=True):
        assert difference(one, np.array(other)) < 1e-6


def test_the_error_of_a_solver_is_seen() -> None:
    cell = cell_of("Rate", seed=10)
    assert 0 < gl.solver_error(gl.RNN(cell, engine="ops"), batch(11, cell)[0]).max() < 0.1


def test_names_are_names() -> None:
    """What SymPy takes for constants and functions are quantities like others."""

    class Symbols(gl.EquationCell):
        parameters = {key: gl.neuron(k + 1.0) for k, key in enumerate(SYMPY)}
        update = "v = E + I + S + N + O + Q + beta + gamma + zeta + pi + oo"

    y, _ = Symbols(gl.auto_ncp(11, 2, inputs=3))(mx.zeros((1, 3)))
    assert y.tolist() == [[66.0, 66.0]]


def test_what_networks_ask_of_cells() -> None:
    cell = cell_of("AsLTC")
    assert cell.conducting_parameters("recurrent") == ["w"]
    assert cell.conducting_parameters("electrical") == ["gap"]
    circuit = gl.circuit_of(cell)
    pre, post = cell.compiled.plan.recurrent.pre[0], cell.compiled.plan.recurrent.post[0]
    edge = circuit.edges[cell.neurons[pre], cell.neurons[post]]
    assert edge["weight"] == pytest.approx(float(cell.w[0]))
    assert "ode_unfolds=6" in repr(cell)
    assert SAMPLES["Rate"].latex().splitlines()[-1] == (r"\tau_j\,\frac{dv_j}{dt} &= i_j - v_j")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("v ** 2", "v_j^{2}"),
        ("(v / 2) ** 2", r"\left(\frac{v_j}{2}\right)^{2}"),
        ("(v ** 2) ** 3", r"\left(v_j^{2}\right)^{3}"),
        ("exp(v) ** 2", r"\left(e^{v_j}\right)^{2}"),
        ("(v + 1.0) ** 2", r"\left(v_j + 1\right)^{2}"),
        ("0.123456789 * v", r"0.123456789\,v_j"),
        ("Xi * v", r"\Xi_j\,v_j"),
    ],
)
def test_latex_says_what_the_equation_says(text: str, printed: str) -> None:
    words = {"parameters": {"Xi": gl.neuron(1.0)}, "update": f"v = {text}"}
    kind: Any = type("Printed", (gl.EquationCell,), words)
    assert kind.latex() == rf"v_j &\leftarrow {printed}"


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_comparisons_stand_in_equations(sign: str) -> None:
    kind: Any = type(
        "Comparing",
        (gl.EquationCell,),
        {
            "parameters": {"w": gl.synapse(0.1, 1.0)},
            "synapse": {"i": "w * v_pre"},
            "dynamics": f"dv/dt = i - where(v {sign} 0.5, v, 0.5)",
        },
    )
    cell = kind(gl.auto_ncp(11, 2, inputs=3, seed=1))
    x, _, state = batch(2, cell)
    y, _ = gl.RNN(cell, engine="ops")(mx.array(x), mx.array(state))
    assert difference(y, cell.reference(x, state)[0]) < 1e-5


def test_electrical_quantities_without_electrical_synapses() -> None:
    """A class may couple neurons, and a circuit may have nothing that couples them."""

    class Coupled(gl.EquationCell):
        parameters = {"w": gl.synapse(0.1, 1.0, strength=True), "gap": gl.electrical(0.5)}
        synapse = {"i": "w * tanh(v_pre)"}
        electrical = {"c": "gap * (v_pre - v)"}
        dynamics = "dv/dt = i + c - v"

    cell = Coupled(gl.auto_ncp(11, 2, inputs=3, seed=1))
    x, spans, state = batch(2, cell)
    rnn = gl.RNN(cell, engine="ops")
    whole = rnn(mx.array(x), mx.array(state), timespans=spans)[0]
    assert difference(whole, cell.reference(x, state, spans)[0]) < 1e-5
    assert cell.conducting_parameters("electrical") == []
    for change in (gl.studies.Lesion("inter_0"), gl.studies.Silence("command")):
        with gl.perturbed(rnn, change):
            y = rnn(mx.array(x), mx.array(state), timespans=spans)[0]
        assert difference(y, np.array(whole)) > 1e-4


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        (np.ones((2, 2)), r"timespans have shape \(2, 2\): expected a number, \("),
        (-1.0, "negative or not finite"),
    ],
)
def test_the_reference_refuses_time_spans(spans: Any, told: str) -> None:
    cell = cell_of("Rate", seed=15)
    with pytest.raises(ValueError, match=told):
        cell.reference(batch(16, cell)[0], None, spans)


def test_the_reference_of_a_perturbed_cell_is_refused() -> None:
    cell = cell_of("Rate", seed=15)
    x = batch(16, cell)[0]
    with (
        gl.silenced(gl.RNN(cell), cell.neurons[-1], to=0.25),
        pytest.raises(ValueError, match="is perturbed: the reference has its equations alone"),
    ):
        cell.reference(x)
    assert cell.reference(x)[0].shape == (B, T, cell.n_outputs)


@on_all
def test_silenced_neurons_stay_where_they_are(kind: str) -> None:
    rnn = gl.RNN(cell_of(kind, seed=15))
    x = mx.array(batch(16, rnn.cell)[0])
    name = rnn.cell.neurons[-1]
    with gl.silenced(rnn, name, to=0.25):
        recording = rnn(x, record=True)[-1]
    assert (recording.of(name) == 0.25).all()


def test_other_equations_do_not_take_the_file(tmp_path: Any) -> None:
    class Changing(gl.EquationCell):
        parameters = {"a": gl.neuron(0.5)}
        update = "v = a * v"

    gl.save(gl.RNN(Changing(gl.auto_ncp(11, 2, inputs=3))), tmp_path / "a.safetensors")
    assert gl.load(tmp_path / "a.safetensors").cell.model is Changing.model

    class Changing(gl.EquationCell):  # type: ignore[no-redef]
        parameters = {"a": gl.neuron(0.5)}
        update = "v = a + v"

    with pytest.raises(ValueError, match="the equations of Changing are others now"):
        gl.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("function", "at"), [("min", (1.0, 1.0)), ("max", (1.0, 1.0)), ("abs", (0.0,)), ("relu", (0.0,))]
)
def test_slopes_of_kernels_are_those_of_operations_where_two_values_are_the_same(
    function: str, at: tuple[float, ...]
) -> None:
    known = FUNCTIONS[function]
    symbols = [name("state", f"s{k}") for k in range(known.arity)]
    values = [mx.array(value) for value in at]
    slopes = evaluate(known.slopes(symbols[0], *symbols), dict(zip(symbols, values, strict=True)))
    expected = mx.grad(known.mlx, argnums=tuple(range(known.arity)))(*values)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert [float(slope) for slope in slopes] == [float(slope) for slope in expected]
