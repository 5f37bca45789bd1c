"""What happens to rows of a batch, inside the kernels: missing samples, episode ends, reading backwards.

The reference is the engine "ops", beside a loop over single samples in float64 (`..reference`) and the plain
kernel over the parts between two events, which is how rows with events were run before.
"""

from __future__ import annotations

import itertools
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.compile.kernels import nodes
from ganglion.compile.kernels.cpu import CPURunner

from ..reference.cfc import CfC
from ..reference.graph import Wires
from ..reference.ltc import LTC
from ..support.networks import difference, random_parameters, relative_error
from ..support.strategies import SEEDS

I, N, M = 3, 12, 2  # noqa: E741
CIRCUIT = gl.auto_ncp(N, M, inputs=I, seed=4)
KINDS: dict[str, Any] = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, **o),
    "cfc-pure": lambda **o: gl.CfC(CIRCUIT, mode="pure", **o),
    "dense": lambda **o: gl.CfC(gl.dense(I, N), backbone_units=8, **o),
}
on_all_kinds = pytest.mark.parametrize("kind", KINDS)
Arrays = dict[str, np.ndarray]


def batch_of(rng: np.random.Generator, batch: int, steps: int) -> Arrays:
    """A batch to which anything happens; where there is no sample, there is rubbish."""
    mask = rng.random((batch, steps)) < rng.choice([0.0, 0.3, 0.8, 1.0], (batch, 1))
    mask &= np.arange(steps) != rng.integers(steps)  # one that no row has
    spans = rng.choice([0.0, 1e-40, 1e-31, 0.3, 1.0, 1.7], (batch, steps))
    rubbish = rng.choice([np.nan, np.inf, -np.inf, 1e30], (batch, steps))
    return {
        "x": np.where(mask[..., None], rng.uniform(-1, 1, (batch, steps, I)), rubbish[..., None]),
        "state": rng.uniform(-1, 1, (batch, N)),
        "timespans": np.where(mask, spans, -rubbish),
        "mask": mask,
        "ends": rng.random((batch, steps)) < 0.2,
        "starts": rng.random((batch, steps)) < 0.1,
    }


def run(rnn: Any, values: Arrays) -> list[mx.array]:
    """Outputs and last states."""
    arrays = {n: mx.array(v.astype(np.float32)) for n, v in values.items() if n not in FLAGS}
    return list(rnn(**arrays, **{n: v for n, v in values.items() if n in FLAGS}))


FLAGS = ("mask", "ends", "starts", "lengths")


def gradients(rnn: Any, values: Arrays) -> Arrays:
    """Of a loss of outputs and last states, for everything that has one."""
    flags = {name: values[name] for name in FLAGS if name in values}
    arrays = {n: mx.array(v.astype(np.float32)) for n, v in values.items() if n not in FLAGS}

    def loss(parameters: Any, given: dict[str, mx.array]) -> mx.array:
        rnn.cell.update(parameters)
        y, state = rnn(**given, **flags)
        weights = mx.arange(y.shape[1])[:, None] + 1.0
        return mx.square(y * weights).sum() + mx.square(state - 0.5).sum()

    before = rnn.cell.trainable_parameters()
    found = mx.grad(loss, argnums=(0, 1))(before, arrays)
    rnn.cell.update(before)
    return {name: np.array(g) for part in found for name, g in tree_flatten(part)}


@on_all_kinds
@settings(max_examples=6)
@given(
    seed=SEEDS, batch=st.sampled_from([1, 2, 5, 9, 19]), steps=st.integers(1, 17), every=st.integers(1, 5),
    reverse=st.booleans(), spans=st.booleans(), what=st.sets(st.sampled_from(["mask", "ends", "starts"])),
)  # fmt: skip
def test_events_in_the_kernel_are_those_of_operations(
    kind: str, seed: int, batch: int, steps: int, every: int, reverse: bool, spans: bool, what: set[str]
) -> None:
    rng = np.random.default_rng(seed)
    rnn = KINDS[kind](checkpoint_every=every, reverse=reverse, key=mx.random.key(seed))
    values = batch_of(rng, batch, steps)
    if "mask" not in what:
        values["x"] = rng.uniform(-1, 1, values["x"].shape)
        values["timespans"] = np.where(values["mask"], values["timespans"], 0.5)
    kept = {"x", "state", *what, *(["timespans"] if spans else [])}
    values = {name: value for name, value in values.items() if name in kept}
    results = {}
    for engine in ("ops", "fused"):
        rnn.engine = engine
        results[engine] = run(rnn, values), gradients(rnn, values)
    for found, expected in zip(results["fused"][0], results["ops"][0], strict=True):
        assert np.isfinite(np.array(found)).all()
        assert difference(found, np.array(expected)) < 1e-5
    for name, expected in results["ops"][1].items():
        found = results["fused"][1][name]
        assert np.isfinite(found).all(), name
        assert relative_error(found, expected) < 1e-4, name


@pytest.mark.parametrize("engine", ["ops", "fused"])
@pytest.mark.parametrize("kind", ["ltc", "cfc", "cfc-pure"])
def test_events_are_those_of_a_loop_over_samples(kind: str, engine: str) -> None:
    rng = np.random.default_rng(11)
    rnn = KINDS[kind](engine=engine)
    parameters = random_parameters(rnn, rng)
    wires = Wires.of(CIRCUIT)
    reference = (
        LTC(wires, parameters)
        if kind == "ltc"
        else CfC(wires, parameters, mode=rnn.cell.mode, schedule="layered")
    )
    values = batch_of(rng, 9, 23)
    y, last = run(rnn, values)
    for b in range(9):
        state, shown = values["state"][b][None], np.zeros((1, M))
        for t in range(23):
            if values["mask"][b, t]:
                span = values["timespans"][b, t]
                if values["starts"][b, t]:
                    state = np.zeros_like(state)
                # In no time a state goes nowhere: the limit of the equation, which divides by it.
                still = kind == "ltc" and span < 1e-30
                outputs, states = reference.run(values["x"][b, t][None, None], state, 1.0 if still else span)
                if still:
                    outputs = reference.shown(state)[:, None]
                else:
                    state = states[:, 0]
                shown = outputs[:, 0]
                if values["ends"][b, t]:
                    state = np.zeros_like(state)
            assert np.abs(np.array(y[b, t]) - shown).max() < 1e-5
        assert np.abs(np.array(last[b]) - state).max() < 1e-5


def in_parts(rnn: Any, values: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Every row alone, cut at each event: what happens between the cuts is a plain call."""
    batch, steps = values["mask"].shape
    outputs, states = np.zeros((batch, steps, M if rnn.cell.n_outputs == M else N)), []
    for b in range(batch):
        state = mx.array(values["state"][b].astype(np.float32))
        there, ends = np.flatnonzero(values["mask"][b]), values["ends"][b]
        cuts = [0, *(k + 1 for k, t in enumerate(there) if ends[t]), len(there)]
        for start, stop in itertools.pairwise(cuts):
            places = there[start:stop]
            if len(places):
                x, spans = (mx.array(values[n][b, places].astype(np.float32)) for n in ("x", "timespans"))
                y, state = rnn(x, state, spans)
                outputs[b, places] = np.array(y)
            if stop > start and ends[there[stop - 1]]:
                state = mx.zeros_like(state)
        for t in range(1, steps):
            if not values["mask"][b, t]:
                outputs[b, t] = outputs[b, t - 1]
        states.append(np.array(state))
    return outputs, np.stack(states)


@on_all_kinds
def test_events_are_those_of_parts(kind: str) -> None:
    rnn = KINDS[kind](engine="fused")
    values = batch_of(np.random.default_rng(3), 7, 19)
    del values["starts"]
    y, last = run(rnn, values)
    expected, expected_last = in_parts(rnn, values)
    assert difference(y, expected) < 1e-6
    assert difference(last, expected_last) < 1e-6


@on_all_kinds
def test_whatever_happens_is_one_launch(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_found", lambda: "switched off")  # where launches can be counted
    launches = []
    real = CPURunner.__call__
    monkeypatch.setattr(
        CPURunner, "__call__", lambda self, *a: launches.append(self.kernel.name) or real(self, *a)
    )
    rnn = KINDS[kind](engine="fused")
    values = batch_of(np.random.default_rng(3), 7, 19)
    run(rnn, values)
    assert [name.partition("_")[2] for name in launches] == ["forward"]
    launches.clear()
    gradients(rnn, values)
    assert [name.partition("_")[2] for name in launches] == ["forward", "backward"]


@on_all_kinds
def test_where_nothing_happens_a_batch_is_plain(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_found", lambda: "switched off")
    calls = []
    real = CPURunner.__call__
    monkeypatch.setattr(
        CPURunner, "__call__", lambda self, b, call, a: calls.append(call) or real(self, b, call, a)
    )
    rnn, x = KINDS[kind](engine="fused"), mx.random.normal((4, 6, I))
    plain = rnn(x)
    flagged = rnn(x, mask=np.ones((4, 6)), ends=np.zeros((4, 6)), starts=np.zeros((4, 6)))
    assert [call.EVENTS for call in calls] == [0, 0]
    for found, expected in zip(flagged, plain, strict=True):
        assert np.array_equal(np.array(found), np.array(expected))


def test_states_and_outputs_are_held_with_all_states_too() -> None:
    rnn = gl.LTC(CIRCUIT, engine="fused")
    values = batch_of(np.random.default_rng(5), 4, 9)
    rnn.cell.output_b = mx.ones((M,))  # what is shown before the first sample is nothing, not the bias
    plain = run(rnn, values)
    arrays = {n: v if n in FLAGS else mx.array(v.astype(np.float32)) for n, v in values.items()}
    outputs, _, states = rnn(**arrays, return_states=True)
    assert difference(outputs, np.array(plain[0])) < 1e-6
    begun = np.logical_or.accumulate(values["mask"], axis=1)
    assert not np.array(states)[~begun].any()
    assert not np.array(outputs)[~begun].any()


# Flags, and time spans of zero


@pytest.mark.parametrize("kind", ["bool", "int8", "uint32", "float32", "float64", "list", "mlx"])
def test_flags_are_zeros_and_ones_of_any_kind(kind: str) -> None:
    rnn = gl.LTC(CIRCUIT)
    values = batch_of(np.random.default_rng(5), 4, 9)
    expected = run(rnn, values)
    for name in ("mask", "ends", "starts"):
        flags = values[name]
        values[name] = (
            flags.tolist() if kind == "list" else mx.array(flags) if kind == "mlx" else flags.astype(kind)
        )
    for found, other in zip(run(rnn, values), expected, strict=True):
        assert np.array_equal(np.array(found), np.array(other))


@pytest.mark.parametrize("name", ["mask", "ends", "starts"])
def test_other_numbers_are_no_flags(name: str) -> None:
    rnn, x = gl.LTC(CIRCUIT), mx.zeros((2, 3, I))
    for bad in (0.5, np.nan, 2.0, -1.0):
        with pytest.raises(ValueError, match=f"{name} holds {bad}: expected booleans, or zeros and ones"):
            rnn(x, **{name: [[0.0, 1.0, bad]] * 2})
    with pytest.raises(TypeError, match=f"{name} must hold booleans, or zeros and ones, got"):
        rnn(x, **{name: [["no"] * 3] * 2})


@on_all_kinds
@pytest.mark.parametrize("reverse", [False, True])
def test_a_start_is_an_end_before_it(kind: str, reverse: bool) -> None:
    rnn = KINDS[kind](reverse=reverse)
    values = batch_of(np.random.default_rng(8), 6, 15)
    ends = values["ends"] & values["mask"]
    for b in range(6):
        there = np.flatnonzero(values["mask"][b])
        for before, t in itertools.pairwise(there):
            ends[b, before] |= values["starts"][b, t]
        if len(there) and values["starts"][b, there[0]] and not reverse:
            values["state"][b] = 0.0
    expected = run(rnn, {**{n: v for n, v in values.items() if n != "starts"}, "ends": ends})
    for found, other in zip(run(rnn, values), expected, strict=True):
        assert np.array_equal(np.array(found), np.array(other))


@pytest.mark.parametrize("engine", ["ops", "fused"])
@pytest.mark.parametrize("span", [0.0, 1e-45, 1e-40, 1e-38, 1e-31])
def test_in_no_time_an_ltc_stays_where_it_is(engine: str, span: float) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    x, state = mx.random.normal((5, 3, I)), mx.random.normal((5, N))
    y, last = rnn(x, state, timespans=span)
    assert np.array_equal(np.array(last), np.array(state))
    assert difference(y, np.repeat(np.array(state)[:, None, :M], 3, axis=1)) < 1e-6
    found = mx.grad(lambda s, x: (rnn(x, s, timespans=span)[1] * mx.arange(N)).sum(), argnums=(0, 1))(
        state, x
    )
    assert np.array_equal(np.array(found[0]), np.tile(np.arange(N, dtype=np.float32), (5, 1)))
    assert not np.array(found[1]).any()


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_the_first_gap_may_be_zero(engine: str) -> None:
    """As in np.diff(t, prepend=t[0])."""
    rng = np.random.default_rng(2)
    t = np.sort(rng.uniform(0, 9, (4, 8)), axis=1)
    spans = np.diff(t, prepend=t[:, :1], axis=1)
    x = rng.normal(size=(4, 8, I))
    rnn = gl.LTC(CIRCUIT, engine=engine)
    whole, last = rnn(x, timespans=spans)
    rest, rest_last = rnn(x[:, 1:], timespans=spans[:, 1:])
    assert difference(whole[:, 1:], np.array(rest)) < 1e-6
    assert difference(last, np.array(rest_last)) < 1e-6
