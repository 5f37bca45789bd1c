"""With `max_step`, what a network says does not depend on how its data were sampled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.errors import KernelError

from ..interchange.test_export_c import numbers, program_of, run, table

CIRCUIT = gl.auto_ncp(8, 2, inputs=3, seed=1)
WIDE = gl.auto_ncp(8, 2, inputs=9, seed=1)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6, 3)).astype(np.float32)
SPANS = RNG.uniform(0.2, 2.0, (3, 6)).astype(np.float32)
SPANS[1, 2] = 0.0
STEP = 0.5


class Noisy(gl.EquationCell):
    """A cell with noise, states of synapses aside."""

    parameters = {"w": gl.synapse("signed_glorot"), "tau": gl.neuron(0.5, 2.0)}  # noqa: RUF012
    synapse = {"i": "w * tanh(v_pre)"}  # noqa: RUF012
    dynamics = "tau * dv/dt = i - v"
    noise = {"v": "0.2"}  # noqa: RUF012


def key() -> mx.array:
    return mx.random.key(2)


MADE: dict[str, Any] = {
    "LTC": lambda **given: gl.LTC(CIRCUIT, key=key(), **given),
    "LTC ops": lambda **given: gl.LTC(CIRCUIT, key=key(), engine="ops", **given),
    "CTRNN": lambda **given: gl.RNN(gl.CTRNNCell(CIRCUIT, key=key(), **given)),
    "CTRNN rk4": lambda **given: gl.RNN(
        gl.CTRNNCell(CIRCUIT, key=key(), solver="rk4", **given), engine="ops"
    ),
    "liquid": lambda **given: gl.RNN(gl.LiquidCell(gl.dense(3, 8), key=key(), **given)),
    "LRC": lambda **given: gl.RNN(gl.LRC(CIRCUIT, key=key(), **given), engine="ops"),
    "noise": lambda **given: gl.RNN(Noisy(CIRCUIT, key=key(), **given), engine="ops"),
    "missing values": lambda **given: gl.RNN(gl.MissingValueCell(gl.LTCCell(WIDE, key=key(), **given))),
}
SOLVED = [name for name in MADE if name not in ("noise", "missing values")]


def by_hand(network: Any, x: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """The outputs of one row of a network without `max_step`, sample by sample, each as its parts."""
    repeated, parts, last = [], [], []
    for sample, span in zip(x, spans, strict=True):
        count = max(1, int(np.ceil(float(span) / STEP - 1e-5)))
        repeated += [sample] * count
        parts += [span / np.float32(count)] * count
        last.append(len(parts) - 1)
    outputs = network(mx.array(np.array(repeated)), timespans=np.array(parts, np.float32))[0]
    return np.array(outputs)[last]


@pytest.mark.parametrize("name", SOLVED)
def test_a_part_is_a_sample_of_the_same_input(name: str) -> None:
    whole, parted = MADE[name](), MADE[name](max_step=STEP)
    found = np.array(parted(X, timespans=SPANS)[0])
    for row in range(len(X)):
        np.testing.assert_allclose(found[row], by_hand(whole, X[row], SPANS[row]), atol=1e-6)
    short = SPANS / 10
    np.testing.assert_array_equal(parted(X, timespans=short)[0], whole(X, timespans=short)[0])
    far = MADE[name](max_step=STEP * 1000, time_scale=1000.0)
    np.testing.assert_allclose(far(X, timespans=SPANS * 1000)[0], found, atol=1e-5)


@pytest.mark.parametrize(("lasting", "step"), [(1e-3, 0.01), (1.0, 0.01), (30.0, 0.05), (1e3, 0.5)])
def test_outputs_do_not_depend_on_the_grid(lasting: float, step: float) -> None:
    network = gl.LTC(CIRCUIT, key=key(), max_step=step)
    x, found = mx.array(X[:, :1]), []
    for samples in (1, 10, 1000):
        outputs, _ = network(mx.repeat(x, samples, axis=1), timespans=lasting / samples)
        found.append(np.array(outputs[:, -1]))
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)
    np.testing.assert_allclose(found[2], found[0], atol=1e-3)


@pytest.mark.parametrize("name", ["LTC", "LTC ops", "CTRNN"])
def test_rows_with_events_are_as_they_are_alone(name: str) -> None:
    network = MADE[name](max_step=STEP)
    mask = np.ones((3, 6), bool)
    mask[0, 3], mask[2, 0], mask[1, 4:] = False, False, False
    ends = np.zeros((3, 6), bool)
    ends[0, 1] = ends[2, 4] = True
    x = np.where(mask[..., None], X, np.nan)
    spans = np.where(mask, SPANS, np.nan)
    found, state, states = network(x, timespans=spans, mask=mask, ends=ends, return_states=True)
    assert states.shape == (3, 6, 8)
    for row in range(3):
        now, shown = None, np.zeros(2, np.float32)
        for t in range(6):
            if mask[row, t]:
                out, now = network(X[row, t : t + 1], now, SPANS[row, t : t + 1])
                shown = np.array(out)[0]
                now = None if ends[row, t] else now
            np.testing.assert_allclose(np.array(found)[row, t], shown, atol=1e-6)
        np.testing.assert_allclose(np.array(state)[row], np.zeros(8) if now is None else now, atol=1e-6)


def test_backwards_and_recorded() -> None:
    network = gl.LTC(CIRCUIT, key=key(), max_step=STEP, reverse=True)
    plain = gl.LTC(CIRCUIT, key=key(), max_step=STEP, reverse=True, engine="ops")
    outputs, _, recording = network(X, timespans=SPANS, record=True)
    np.testing.assert_allclose(plain(X, timespans=SPANS)[0], outputs, atol=1e-6)
    assert recording.states.shape == (3, 6, 8)
    np.testing.assert_allclose(recording.times, np.cumsum(SPANS, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(recording.inputs, X)
    turned = gl.LTC(CIRCUIT, key=key(), max_step=STEP)
    following = np.roll(SPANS, -1, axis=1)[:, ::-1]
    np.testing.assert_allclose(
        turned(X[:, ::-1], timespans=following)[0], np.array(outputs)[:, ::-1], atol=1e-6
    )
    mask = np.ones((3, 6), bool)
    mask[0, 1] = mask[2, 4:] = False
    for spans in (SPANS, SPANS / 10):  # with parts and without
        found = [each(X, timespans=spans, mask=mask)[0] for each in (network, plain)]
        np.testing.assert_allclose(found[1], found[0], atol=1e-6)


@pytest.mark.parametrize("name", ["LTC", "LTC ops", "liquid"])
def test_gradients_are_those_of_central_differences(name: str) -> None:
    network = MADE[name](max_step=STEP)

    def loss(x: mx.array, spans: mx.array) -> mx.array:
        return mx.square(network(x, timespans=spans)[0]).sum()

    x, spans = mx.array(X), mx.array(SPANS + np.float32(0.01))
    slopes = mx.grad(loss, argnums=(0, 1))(x, spans)
    for k, (given, slope) in enumerate(zip((x, spans), slopes, strict=True)):
        way = RNG.normal(size=given.shape).astype(np.float32)
        small = 1e-2 if k == 0 else 1e-3
        ahead, behind = (
            [*[x, spans][:k], given + sign * small * way, *[x, spans][k + 1 :]] for sign in (1, -1)
        )
        measured = (loss(*ahead).item() - loss(*behind).item()) / (2 * small)
        assert measured == pytest.approx(float((slope * mx.array(way)).sum()), rel=2e-2, abs=2e-3)


def test_both_engines_have_the_same_gradients() -> None:
    def gradients(network: Any) -> dict[str, np.ndarray]:
        def loss(model: Any) -> mx.array:
            return mx.square(model(X, timespans=SPANS)[0]).sum()

        found = tree_flatten(nn.value_and_grad(network, loss)(network)[1])
        return {name: np.array(array) for name, array in found}

    fused, ops = gradients(MADE["LTC"](max_step=STEP)), gradients(MADE["LTC ops"](max_step=STEP))
    for name, array in ops.items():
        np.testing.assert_allclose(fused[name], array, atol=1e-4 * max(1.0, float(np.abs(array).max())))


@pytest.mark.parametrize("name", MADE)
def test_streams_and_steps_of_cells_have_the_same_parts(name: str) -> None:
    network = MADE[name](max_step=STEP * 7, time_scale=7.0)
    x, spans = X.copy(), SPANS * 7
    if name == "missing values":
        x[0, 1:3, 0] = np.nan
    expected, last = network(x, timespans=spans)
    stream = network.stream(3)
    shown = [np.array(stream(x[:, t], spans[:, t])) for t in range(6)]
    np.testing.assert_allclose(np.stack(shown, axis=1), expected, atol=1e-5)
    state = None
    for t in range(6):
        output, state = network.cell(x[:, t], state, spans[:, t])
        np.testing.assert_allclose(output, np.array(expected)[:, t], atol=1e-5)
    for one, other in zip(tree_flatten({"s": state}), tree_flatten({"s": last}), strict=True):
        np.testing.assert_allclose(one[1], other[1], atol=1e-5)
    if name in ("LTC", "missing values"):
        bounded = gl.BoundedStream(network.stream(3))
        shown = [np.array(bounded(x[:, t], spans[:, t])) for t in range(6)]
        np.testing.assert_allclose(np.stack(shown, axis=1), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["CTRNN rk4", "LRC", "noise"])
def test_the_reference_of_equations_has_parts_too(name: str) -> None:
    network = MADE[name](max_step=STEP)
    told, _ = network.cell.reference(X, timespans=SPANS)
    np.testing.assert_allclose(told, network(X, timespans=SPANS)[0], atol=1e-5)


def test_the_c_divides_spans_itself(tmp_path: Path) -> None:
    network = gl.LTC(CIRCUIT, key=key(), max_step=0.5, time_scale=2.0)
    gl.export_c(network, tmp_path / "net.c")
    x, spans = X.reshape(-1, 3), SPANS.reshape(-1)
    ran = run(program_of(tmp_path / "net.c"), table(x, spans))
    np.testing.assert_allclose(numbers(ran.stdout), network(x, timespans=spans)[0], atol=1e-5)
    with pytest.raises(KernelError, match="ONNX has no max_step"):
        gl.export_onnx(network, tmp_path / "net.onnx")
    two = gl.Stack([gl.LTC(CIRCUIT, max_step=0.5), gl.CfC(gl.auto_ncp(8, 2, inputs=2))])
    with pytest.raises(KernelError, match="a network with one cell"):
        gl.export_c(two, tmp_path / "two.c")


def test_files_and_edits_keep_it(tmp_path: Path) -> None:
    network = gl.LTC(CIRCUIT, key=key(), max_step=STEP)
    gl.save(network, tmp_path / "network.safetensors")
    for twin in (gl.load(tmp_path / "network.safetensors"), gl.lesion(network, ["inter_0"])):
        assert twin.cell.max_step == STEP
    assert "max_step=0.5" in repr(network)
    assert "max_step=0.5" in network.explain()
    with gl.perturbed(network, gl.silenced(network, "inter_0").perturbations[0]) as other:
        assert np.isfinite(np.array(other(X, timespans=SPANS)[0])).all()


def test_inside_graphs_it_needs_spans_with_values() -> None:
    network = MADE["LTC"](max_step=STEP)
    inside = mx.compile(lambda x: network(x, timespans=SPANS)[0])
    np.testing.assert_allclose(inside(mx.array(X)), network(X, timespans=SPANS)[0], atol=1e-6)
    with pytest.raises(ValueError, match="max_step divides time spans by what they are"):
        mx.compile(lambda spans: network(X, timespans=spans)[0])(mx.array(SPANS))
    ensemble = gl.ensemble([network, MADE["LTC"](max_step=STEP)])
    np.testing.assert_allclose(ensemble(X, None, 1.7)[0][1], network(X, timespans=1.7)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: gl.LTC(CIRCUIT, max_step=0.0), ValueError, "max_step must be finite and above 0"),
        (lambda: gl.LTC(CIRCUIT, max_step="a"), TypeError, "max_step must be"),
        (lambda: gl.CfC(CIRCUIT, max_step=1.0), TypeError, "a CfC has no max_step: it maps a state"),
        (lambda: gl.CfC(gl.dense(3, 8), max_step=1.0), TypeError, "a CfC has no max_step"),
        (lambda: gl.cells.BackboneCfCCell(gl.dense(3, 8), max_step=1.0), TypeError, "no option of a closed"),
        (lambda: gl.LIF(CIRCUIT, max_step=1.0), ValueError, "updated once per sample: it has no max_step"),
        (
            lambda: gl.LTC(CIRCUIT, max_step=1.0, mixed_memory=True),
            ValueError,
            "a memory acts once per sample",
        ),
        (lambda: gl.LRC(CIRCUIT, max_step=1.0, delays=1), ValueError, "delays are whole samples"),
        (lambda: gl.LTC(CIRCUIT, max_step=1e-9)(X), ValueError, "has 1e\\+09 parts of at most max_step"),
    ],
)
def test_where_it_has_no_meaning_it_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()
