"""A network and its data in another unit of time are the same network."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
WIDE = gl.auto_ncp(12, 2, inputs=9, seed=1)
RNG = np.random.default_rng(0)
X = mx.array(RNG.normal(size=(3, 6, 3)).astype(np.float32))
SPANS = RNG.uniform(0.2, 2.0, (3, 6)).astype(np.float32)
SCALE, TIMES = 0.7, 1000.0


class Leaky(gl.EquationCell):
    """A cell of a user."""

    parameters = {"w": gl.synapse("signed_glorot"), "tau": gl.neuron(0.5, 2.0)}  # noqa: RUF012
    synapse = {"i": "w * tanh(v_pre)"}  # noqa: RUF012
    dynamics = "tau * dv/dt = i - v"


def key() -> mx.array:
    return mx.random.key(2)


MADE: dict[str, Any] = {
    "LTC": lambda **given: gl.LTC(CIRCUIT, key=key(), **given),
    "LTC ops": lambda **given: gl.LTC(CIRCUIT, key=key(), engine="ops", **given),
    "LTC rk4": lambda **given: gl.LTC(CIRCUIT, key=key(), solver="rk4", ode_unfolds=12, **given),
    "LTC backwards": lambda **given: gl.LTC(CIRCUIT, key=key(), reverse=True, engine="ops", **given),
    "LTC with memory": lambda **given: gl.LTC(CIRCUIT, key=key(), mixed_memory=True, engine="ops", **given),
    "CfC": lambda **given: gl.CfC(CIRCUIT, key=key(), **given),
    "CfC pure": lambda **given: gl.CfC(CIRCUIT, key=key(), mode="pure", engine="ops", **given),
    "CfC no gate": lambda **given: gl.CfC(CIRCUIT, key=key(), mode="no_gate", engine="ops", **given),
    "CfC dense": lambda **given: gl.CfC(gl.dense(3, 8), key=key(), **given),
    "liquid": lambda **given: gl.RNN(gl.LiquidCell(gl.dense(3, 8), key=key(), **given)),
    "CTRNN": lambda **given: gl.RNN(gl.CTRNNCell(CIRCUIT, key=key(), **given), engine="ops"),
    "CT-GRU": lambda **given: gl.RNN(gl.CTGRUCell(CIRCUIT, key=key(), **given)),
    "LRC": lambda **given: gl.RNN(gl.LRC(CIRCUIT, key=key(), **given), engine="ops"),
    "LIF": lambda **given: gl.RNN(gl.LIF(CIRCUIT, key=key(), **given), engine="ops"),
    "equations": lambda **given: gl.RNN(Leaky(CIRCUIT, key=key(), **given)),
    "missing values": lambda **given: gl.RNN(gl.MissingValueCell(gl.LTCCell(WIDE, key=key(), **given))),
    "both ways": lambda **given: gl.Bidirectional(gl.CfC(CIRCUIT, key=key(), **given)),
    "stack": lambda **given: gl.Stack([gl.LTC(CIRCUIT, key=key(), **given), gl.NCPDense(2)]),
}


def pair(name: str) -> tuple[Any, Any]:
    """The same network in two units of time."""
    one, other = MADE[name](time_scale=SCALE), MADE[name](time_scale=SCALE * TIMES)
    other.update(one.parameters())
    return one, other


def outputs(network: Any, spans: Any) -> mx.array:
    return network(X, timespans=mx.array(spans))[0]


def gradients(network: Any, spans: Any) -> dict[str, np.ndarray]:
    def loss(model: Any) -> mx.array:
        return mx.square(outputs(model, spans)).sum()

    found = tree_flatten(nn.value_and_grad(network, loss)(network)[1])
    return {name: np.array(array) for name, array in found}


@pytest.mark.parametrize("name", MADE)
def test_spans_and_scale_times_a_thousand_change_nothing(name: str) -> None:
    one, other = pair(name)
    np.testing.assert_allclose(outputs(one, SPANS), outputs(other, SPANS * TIMES), atol=1e-5)
    mine, theirs = gradients(one, SPANS), gradients(other, SPANS * TIMES)
    for each, array in mine.items():
        np.testing.assert_allclose(theirs[each], array, atol=1e-5 * max(1.0, float(np.abs(array).max())))
    plain = MADE[name]()
    plain.update(one.parameters())
    np.testing.assert_allclose(outputs(plain, SPANS / np.float32(SCALE)), outputs(one, SPANS), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in MADE if name not in ("LTC backwards", "both ways")])
def test_streams_have_the_same_time(name: str) -> None:
    _, other = pair(name)
    expected, spans = np.array(outputs(other, SPANS * TIMES)), SPANS * TIMES
    stream = other.stream(3)
    shown = [np.array(stream(X[:, t], mx.array(spans[:, t]))) for t in range(X.shape[1])]
    np.testing.assert_allclose(np.stack(shown, axis=1), expected, atol=1e-5)
    even = np.array(outputs(other, SCALE * TIMES))
    stream.reset()
    shown = [np.array(stream(X[:, t])) for t in range(X.shape[1])]
    np.testing.assert_allclose(np.stack(shown, axis=1), even, atol=1e-5)
    np.testing.assert_allclose(other(X)[0], even, atol=1e-5)
    if name in ("LTC", "CfC", "missing values"):
        bounded = gl.BoundedStream(other.stream(3))
        shown = [np.array(bounded(np.array(X[:, t]), spans[:, t])) for t in range(X.shape[1])]
        np.testing.assert_allclose(np.stack(shown, axis=1), expected, atol=1e-5)
        bounded.reset()
        np.testing.assert_allclose(bounded(np.array(X[:, 0])), even[:, 0], atol=1e-5)


def test_inside_compile_and_vmap_too() -> None:
    one, other = pair("LTC")
    expected = outputs(one, SPANS)
    compiled = mx.compile(lambda x, spans: other(x, timespans=spans)[0])
    np.testing.assert_allclose(compiled(X, mx.array(SPANS * TIMES)), expected, atol=1e-5)
    ensemble = gl.ensemble([other, other])
    np.testing.assert_allclose(ensemble(X, None, SPANS * TIMES)[0][1], expected, atol=1e-5)
    assert ensemble.member(0).time_scale == SCALE * TIMES


def test_one_step_of_a_cell_and_the_reference_of_equations() -> None:
    one, other = pair("equations")
    span = mx.array(SPANS[:, 0])
    np.testing.assert_allclose(
        other.cell(X[:, 0], None, span * TIMES)[0], one.cell(X[:, 0], None, span)[0], atol=1e-6
    )
    np.testing.assert_allclose(other.cell(X[:, 0])[0], other.cell(X[:, 0], None, SCALE * TIMES)[0], atol=1e-6)
    told, _ = other.cell.reference(X, timespans=SPANS * TIMES)
    np.testing.assert_allclose(told, outputs(one, SPANS), atol=1e-5)


def test_recordings_and_time_constants_are_in_the_unit_of_the_data() -> None:
    one, other = pair("LTC")
    mine, theirs = gl.record(one, X, timespans=SPANS), gl.record(other, X, timespans=SPANS * TIMES)
    np.testing.assert_allclose(theirs.times, mine.times * TIMES, rtol=1e-5)
    np.testing.assert_allclose(theirs.times[:, -1], (SPANS * TIMES).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(
        gl.time_constants(other, theirs), gl.time_constants(one, mine) * TIMES, rtol=1e-5
    )
    regular = gl.record(other, X)
    np.testing.assert_allclose(np.diff(regular.times), SCALE * TIMES, rtol=1e-6)
    slow, fast = (gl.circuit_of(network).nodes["motor_0"]["time_constant"] for network in (other, one))
    assert slow == pytest.approx(fast * TIMES)
    scaled = gl.Scaled(one, list("abc"), list("yz"), time_unit=TIMES)
    assert gl.circuit_of(scaled).nodes["motor_0"]["time_constant"] == pytest.approx(fast * TIMES)
    assert scaled.stream().usual_span() == pytest.approx(TIMES * (one.time_scale or 1.0))
    np.testing.assert_allclose(
        gl.time_constants(scaled, gl.record(scaled, X, timespans=SPANS * TIMES)),
        gl.time_constants(one, mine) * TIMES, rtol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("name", [name for name in MADE if name not in ("equations",)])
def test_files_copies_and_edits_keep_it(name: str, tmp_path: Path) -> None:
    _, other = pair(name)
    gl.save(other, tmp_path / "network.safetensors")
    loaded, copied = gl.load(tmp_path / "network.safetensors"), copy.deepcopy(other)
    twins = [loaded, copied]
    if "dense" not in name and name != "liquid":
        twins += [gl.lesion(other, ["inter_0"]), gl.silenced(other, "inter_1").copy()]
    for twin in twins:
        scales = {cell.time_scale for cell in twin.modules() if isinstance(cell, gl.NCPRNNCell)}
        assert scales == {SCALE * TIMES}
    np.testing.assert_array_equal(outputs(loaded, SPANS), outputs(other, SPANS))
    assert f"time_scale={SCALE * TIMES!r}" in repr(other)
    assert f"time_scale={SCALE * TIMES:g}" in other.explain()
    assert not any("time" in path and "scale" in path for path, _ in tree_flatten(other.parameters()))


def test_none_is_one_and_says_nothing() -> None:
    plain, one = gl.LTC(CIRCUIT, key=key()), gl.LTC(CIRCUIT, key=key(), time_scale=1.0)
    np.testing.assert_array_equal(outputs(plain, SPANS), outputs(one, SPANS))
    assert plain.time_scale is None
    assert "time_scale" not in repr(plain)
    assert "time_scale" not in plain.get_config()


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf"), 1e-40, "1 s", True])
def test_what_is_no_time_scale_is_refused(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="time_scale must be"):
        gl.LTC(CIRCUIT, time_scale=wrong)


def test_where_it_has_no_meaning_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no equation of a MinGRU has a time in it"):
        gl.MinGRU(CIRCUIT, time_scale=2.0)
    with pytest.raises(ValueError, match="ncps has no time scale"):
        gl.ncps_options(gl.LTC(CIRCUIT, time_scale=2.0))
    with pytest.raises(ValueError, match="ncps has no max_step"):
        gl.ncps_options(gl.LTC(CIRCUIT, max_step=2.0))
    network = gl.LTC(CIRCUIT)
    for part in (network, network.cell):
        with pytest.raises(AttributeError, match="time_scale"):
            part.time_scale = 2.0
    two = gl.Stack([gl.LTC(CIRCUIT, time_scale=2.0), gl.CfC(gl.auto_ncp(8, 2, inputs=2), time_scale=3.0)])
    with pytest.raises(ValueError, match="different time scales"):
        two.stream(3)(X[:, 0])
    assert two.stream(3)(X[:, 0], 2.0).shape == (3, 2)
    ways = gl.Bidirectional(gl.LTC(CIRCUIT, time_scale=2.0), backward=gl.LTC(CIRCUIT, reverse=True))
    for network in (two, ways):
        with pytest.raises(ValueError, match="different time scales"):
            network(X)
        assert network(X, timespans=2.0)[0].shape[:2] == X.shape[:2]


def test_a_span_beyond_float32_counts_as_the_longest() -> None:
    network = gl.LTC(CIRCUIT, time_scale=1e-20, key=key())
    longest = network(X, timespans=1e30)[0]
    assert mx.isfinite(longest).all().item()
    stream, bounded = network.stream(3), gl.BoundedStream(network.stream(3))
    np.testing.assert_allclose(stream(X[:, 0], 1e30), longest[:, 0], atol=1e-6)
    np.testing.assert_allclose(bounded(np.array(X[:, 0]), 1e30), longest[:, 0], atol=1e-6)
