"""The cells of papers that ship: beside their authors' numbers, float64 NumPy, and central differences."""

from __future__ import annotations

import copy
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

from ..support.networks import LAYOUTS, difference
from ..support.slopes import agree

GOLDEN = Path(__file__).parent / "golden" / "lrc.npz"
B, T = 3, 5
KINDS: dict[str, Any] = {
    "STC": gl.STC,
    "LRC": gl.LRC,
    "LRC symmetric": lambda circuit, **o: gl.LRC(circuit, elastance="symmetric", **o),
    "LRCU": gl.LRCU,
    "LeakyRate": gl.LeakyRate,
    "LIF": gl.LIF,
    "MinGRU": gl.MinGRU,
    "CTRNN": gl.CTRNNCell,
}
CTRNNS: dict[str, dict[str, Any]] = {
    "sigmoid": {"activation": "sigmoid", "leak": False, "clip": 0.3, "solver": "explicit"},
    "rk4": {"solver": "rk4", "clip": 0.2},
    "a function": {"activation": mx.sin},
    "another name": {"activation": "mish", "tau": 0.5},
    "lecun_tanh": {"activation": "lecun_tanh"},
    "silu": {"activation": "silu"},
}
on_all = pytest.mark.parametrize("kind", KINDS)


def cell_of(kind: str, circuit: Any, seed: int = 0, **options: Any) -> Any:
    """A cell whose parameters are all moved away from where they begin."""
    cell = KINDS[kind](circuit, key=mx.random.key(seed), **options)
    rng = np.random.default_rng(seed)
    for name in cell.declared():
        cell[name] = cell[name] + mx.array(rng.uniform(0, 0.2, cell[name].shape), mx.float32)
    return cell


def batch(circuit: Any, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng, plan = np.random.default_rng(seed), gl.compile_circuit(circuit).plan
    x = rng.uniform(-1, 1, (B, T, plan.n_inputs)).astype(np.float32)
    spans = rng.choice([0.0, 0.3, 1.0, 1.7], (B, T)).astype(np.float32)
    return x, spans, rng.uniform(-0.5, 0.5, (B, plan.n_neurons)).astype(np.float32)


def run(cell: Any, engine: str, *given: np.ndarray) -> Any:
    x, spans, state = map(mx.array, given)
    return gl.RNN(cell, engine=engine)(x, state, timespans=spans)


@on_all
@pytest.mark.parametrize("seed", [1, 2])
def test_both_engines_are_the_reference(kind: str, seed: int) -> None:
    """Over random circuits, on a layout each, with time spans of 0 among others."""
    circuit = gl.random(7 + 4 * seed, inputs=3, outputs=2, sparsity=0.6, seed=seed)
    cell = cell_of(kind, gl.compile_circuit(circuit, layout=LAYOUTS[seed % len(LAYOUTS)]), seed)
    given = batch(circuit, seed)
    expected, last = cell.reference(given[0], given[2], given[1])
    for engine in ("ops", "fused"):
        y, state = run(cell, engine, *given)
        assert difference(y, expected) < 1e-5, engine
        assert difference(state, last) < 1e-5, engine


@on_all
def test_masks_and_ends_are_the_reference_of_the_parts(kind: str) -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    cell = cell_of(kind, circuit)
    x, spans, _ = batch(circuit, 3)
    mask, ends = np.ones((B, T), bool), np.zeros((B, T), bool)
    mask[0, [1, 3]], ends[1, 1] = False, True
    kept = mask[0]
    for engine in ("ops", "fused"):
        given = {"timespans": spans, "mask": mask, "ends": ends}
        y = np.array(gl.RNN(cell, engine=engine)(mx.array(x), **given)[0])
        parts = [(y[0, kept], x[:1, kept], spans[:1, kept]), (y[2], x[2:], spans[2:])]
        parts += [(y[1, part], x[1:2, part], spans[1:2, part]) for part in (slice(0, 2), slice(2, T))]
        for found, part, span in parts:
            assert np.abs(found - cell.reference(part, None, span)[0][0]).max() < 1e-5, engine


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "LIF"])
def test_gradients_are_central_differences(kind: str) -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    agree(cell_of(kind, circuit), *batch(circuit, 5), engines=("ops", "fused"))


def test_a_surrogate_gradient_is_the_same_on_both_engines() -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    cell = cell_of("LIF", circuit)
    x, spans, _ = map(mx.array, batch(circuit, 6))

    def loss(p: Any, engine: str) -> mx.array:
        cell.update(p)
        return mx.square(gl.RNN(cell, engine=engine)(3 * x, timespans=spans)[0]).sum()

    parameters = cell.trainable_parameters()
    ops, fused = (dict(tree_flatten(mx.grad(loss)(parameters, engine))) for engine in ("ops", "fused"))
    for name, gradient in ops.items():
        assert np.abs(np.array(gradient)).max() > 0, name
        assert difference(fused[name], gradient) < 1e-4 * max(1.0, float(mx.abs(gradient).max())), name


@pytest.mark.parametrize("name", CTRNNS)
def test_options_of_the_ctrnn_are_the_reference(name: str) -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    cell, given = cell_of("CTRNN", circuit, **CTRNNS[name]), batch(circuit, 7)
    y, _ = run(cell, "ops", *given)
    assert difference(y, cell.reference(given[0], given[2], given[1])[0]) < 1e-5


def test_a_limit_and_an_explicit_step_are_in_the_kernel() -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    cell, given = cell_of("CTRNN", circuit, **CTRNNS["sigmoid"]), batch(circuit, 8)
    y, state = run(cell, "fused", *given)
    assert float(mx.abs(state).max()) == pytest.approx(0.3)
    assert difference(y, cell.reference(given[0], given[2], given[1])[0]) < 1e-5


def test_an_unknown_elastance_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown elastance 'linear': expected one of asymmetric, symmetric"):
        gl.LRC(gl.auto_ncp(11, 2, inputs=3), elastance="linear")


def test_a_subclass_keeps_its_quantities_with_another_elastance() -> None:
    own = {"gain": gl.neuron(0.5), "vleak": gl.neuron(3.0)}
    words = {
        "parameters": {**gl.LRCU._declared_words["parameters"], **own},
        "dynamics": "dv/dt = gain * vleak",
    }
    cell = type("Own", (gl.LRCU,), words)(gl.auto_ncp(11, 2, inputs=3), elastance="asymmetric")
    assert (float(cell.gain[0]), float(cell.vleak[0])) == (0.5, 3.0)
    assert "elastance_shift" not in cell.parameters()


@pytest.mark.parametrize("said", [{"dynamics": "dh/dt = -h"}, {"noise": {"h": "1"}}, {"solver": "rk4"}])
def test_equations_of_options_are_not_declared_anew(said: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=rf"Own\.{next(iter(said))}: options make the equations of a CTRNNCell"
    ):
        type("Own", (gl.CTRNNCell,), said)


def test_an_stc_saturates_at_twice_its_leak() -> None:
    cell = gl.STC(gl.auto_ncp(11, 2, inputs=3, seed=4))
    cell.update(
        {name: value * 0 for name, value in cell.parameters().items() if name in ("w", "sensory_w", "gleak")}
    )
    cell.update({name: cell[name] * 0 + 9 for name in ("h", "sensory_h")})
    most = np.abs(np.array(gl.RNN(cell)(mx.ones((1, 60, 3)))[1] / cell.vleak)).max()
    assert 1.9 < most <= 2.0


@pytest.mark.parametrize("kind", ["CTRNN", "LRC symmetric"])
def test_options_that_change_equations_are_kept(kind: str) -> None:
    """In a config, a copy and a pickle."""
    options = {"activation": "silu", "leak": False} if kind == "CTRNN" else {}
    cell = cell_of(kind, gl.auto_ncp(11, 2, inputs=3, seed=4), **options)
    x = mx.ones((2, 3))
    twin = gl.NCPRNNCell.from_config(cell.get_config())
    twin.update(cell.parameters())
    for other in (twin, copy.deepcopy(cell), pickle.loads(pickle.dumps(cell))):
        assert other.model is cell.model
        assert mx.array_equal(other(x)[0], cell(x)[0])


def test_the_ct_gru_can_be_said() -> None:
    """Its cell has one array of traces and no kernel, but equations say the same."""
    scales = range(3)
    logs = [float(np.log(0.5) + k * np.log(10) / 2) for k in scales]

    def chosen(of: str) -> dict[str, str]:
        near = {f"{of}{k}": f"exp(2 * {logs[k]} * {of} - {logs[k] ** 2})" for k in scales}
        return near | {f"{of}_all": " + ".join(near)}

    words: dict[str, Any] = {
        "parameters": {
            f"{of}_{part}": gl.synapse(0.5) if part == "w" else gl.neuron(0.1)
            for of in ("retrieve", "store", "detect")
            for part in "wb"
        },
        "let": {
            **{f"t{k}": f"g{k} * exp(-timespan / {np.exp(logs[k])})" for k in scales},
            "h": " + ".join(f"t{k}" for k in scales),
            "r": "retrieve + retrieve_b",
            "s": "store + store_b",
            **chosen("r"),
            **chosen("s"),
            "found": "(" + " + ".join(f"r{k} * t{k}" for k in scales) + ") / r_all",
            "event": "tanh(detect + detect_b)",
        },
        "synapse": {
            "retrieve": "retrieve_w * h_pre", "store": "store_w * h_pre", "detect": "detect_w * found_pre"
        },
        "sensory": {of: f"{of}_w * x" for of in ("retrieve", "store", "detect")},
        "update": [f"g{k} = t{k} + s{k} / s_all * (event - t{k})" for k in scales],
    }  # fmt: skip
    circuit = gl.auto_ncp(11, 2, inputs=3, seed=4)
    said = type("Said", (gl.EquationCell,), words)(circuit)
    cell = gl.CTGRUCell(circuit, scales=3, shortest=0.5)
    said.update({key: cell[key] for key in cell.declared()})
    x, spans, _ = batch(circuit, 9)
    y, traces = gl.RNN(cell)(mx.array(x), timespans=spans)
    _, states = gl.RNN(said, engine="ops")(mx.array(x), timespans=spans)
    assert difference(mx.stack(states, axis=-1), np.array(traces)) < 1e-5
    assert difference(sum(states)[:, :2], np.array(y[:, -1])) < 1e-5


@cache
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as file:
        return dict(file)


def authors(name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """A cell with the parameters of a configuration, and the arrays of that."""
    arrays = golden()
    given = {key.partition("/")[2]: value for key, value in arrays.items() if key.startswith(f"{name}/")}
    mask, sensory = arrays["mask"], arrays["sensory_mask"]
    circuit = gl.Circuit()
    sensors, motors = [f"sensory_{k}" for k in range(len(sensory))], [f"motor_{k}" for k in range(len(mask))]
    circuit.add_neurons(sensors, role="sensory")
    circuit.add_neurons(motors, role="motor")
    for sources, where in ((sensors, sensory), (motors, mask)):
        for pre, post in np.argwhere(where):
            circuit.add_synapse(sources[pre], motors[post], polarity=1)
    kind, _, solver = name.partition("-")
    unfolds = UNFOLDS.get(name, 1)
    options = {"solver": solver, "ode_unfolds": unfolds}
    if name == "symmetric-euler":
        cell: Any = gl.LRCU(circuit)
    else:
        cell = gl.STC(circuit, **options) if kind == "stc" else gl.LRC(circuit, elastance=kind, **options)
    for key in cell.declared():
        cell[key] = mx.array(entries(cell, key, given[f"param/{key}"]), mx.float32)
    return cell, given


def entries(cell: Any, key: str, values: np.ndarray) -> np.ndarray:
    """Values of dense arrays at the synapses, in the order of the plan."""
    if values.ndim == 1:
        return values
    synapses = cell.compiled.plan.sensory if key.startswith("sensory_") else cell.compiled.plan.recurrent
    return values[synapses.pre, synapses.post]


NAMES = sorted({key.partition("/")[0] for key in golden() if "/" in key})
UNFOLDS = {"stc-semi_implicit": 6, "asymmetric-semi_implicit": 3, "symmetric-semi_implicit": 2}
AS_CLASSES_ARE = ("stc-semi_implicit", "asymmetric-semi_implicit", "symmetric-euler")  # which have kernels


@pytest.mark.parametrize(
    ("name", "engine"), [*((n, "ops") for n in NAMES), *((n, "fused") for n in AS_CLASSES_ARE)]
)
def test_numbers_of_the_authors(name: str, engine: str) -> None:
    cell, given = authors(name)
    rnn = gl.RNN(cell, engine=engine)
    spans = mx.array(given["spans"])

    def loss(p: Any, x: mx.array, before: mx.array) -> mx.array:
        cell.update(p)
        y, after = rnn(x, before, timespans=spans)
        return mx.square(y).sum() + mx.square(after - 0.5).sum()

    x, before = mx.array(given["inputs"]), mx.array(given["before"])
    y, after = rnn(x, before, timespans=spans)
    assert difference(y, given["outputs"]) < 1e-5
    assert difference(after, given["after"]) < 1e-5
    reference = cell.reference(given["inputs"], given["before"], given["spans"])
    assert np.abs(reference[0] - given["outputs"]).max() < 1e-12
    gradients, d_x, d_before = mx.grad(loss, argnums=(0, 1, 2))(cell.trainable_parameters(), x, before)
    for key, found in {**gradients, "inputs": d_x, "before": d_before}.items():
        expected = entries(cell, key, given[f"grad/{key}"]) if key in gradients else given[f"grad/{key}"]
        assert difference(found, expected) < 1e-4 * max(1.0, np.abs(expected).max()), key
