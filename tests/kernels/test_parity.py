"""The fused engine against plain operations: random circuits, batches, lengths, modes and options."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl
from ganglion.compile.kernels import nodes

from ..support.electrical import with_pairs
from ..support.networks import difference, quadratic_loss, random_parameters, relative_error
from ..support.strategies import SEEDS, circuits

VALUES, GRADIENTS = 1e-5, 1e-4
on_all_modes = pytest.mark.parametrize("mode", ["default", "no_gate", "pure"])
BATCHES = st.integers(1, 67)  # one to five blocks of the batch, the last one whole or not
LENGTHS = st.integers(1, 40)


def check_parity(rnn: Any, batch: int, steps: int, rng: np.random.Generator) -> None:
    """Outputs, last states and all gradients of the two engines agree."""
    cell = rnn.cell
    inputs = {
        "x": rng.uniform(-1, 1, (batch, steps, cell.n_inputs)),
        "state": rng.uniform(-1, 1, (batch, cell.n_neurons)),
    }
    if rng.integers(2):  # where there are none, a gated CfC has kernels of its own
        inputs["timespans"] = rng.uniform(0.2, 2.0, (batch, steps))
    inputs = {name: value.astype(np.float32) for name, value in inputs.items()}
    targets = rng.uniform(-1, 1, (batch, steps, cell.n_outputs))
    state_targets = rng.uniform(-1, 1, (batch, cell.n_neurons))
    results = {}
    ways = ["nodes", *(["function"] if rng.integers(2) else [])]
    for way, engine in (("operations", "ops"), *((way, "fused") for way in ways)):
        rnn.engine = engine
        with pytest.MonkeyPatch.context() as patch:
            if way == "function":  # the way of kernels into MLX where they are no nodes of its graph
                patch.setattr(nodes, "_found", lambda: "switched off")
            y, state = rnn(**{name: mx.array(value) for name, value in inputs.items()})
            results[way] = y, state, quadratic_loss(rnn, inputs, targets, state_targets)[1]
    for way in ways:
        for found, expected in zip(results[way][:2], results["operations"][:2], strict=True):
            assert difference(found, np.array(expected)) < VALUES
        for name, gradient in results["operations"][2].items():
            assert relative_error(results[way][2][name], gradient) < GRADIENTS, (way, name)


@given(
    circuit=circuits(largest=4), seed=SEEDS, batch=BATCHES, steps=LENGTHS, unfolds=st.integers(1, 7),
    every=st.integers(1, 9),
)  # fmt: skip
def test_ltc(circuit: nx.DiGraph, seed: int, batch: int, steps: int, unfolds: int, every: int) -> None:
    rng = np.random.default_rng(seed)
    rnn = gl.LTC(circuit, ode_unfolds=unfolds, checkpoint_every=every)
    random_parameters(rnn, rng)
    check_parity(rnn, batch, steps, rng)


@settings(max_examples=10)
@given(
    circuit=circuits(largest=4), seed=SEEDS, batch=BATCHES, steps=LENGTHS, unfolds=st.integers(1, 7),
    every=st.integers(1, 9), share=st.floats(0, 1),
)  # fmt: skip
def test_ltc_with_electrical_synapses(
    circuit: nx.DiGraph, seed: int, batch: int, steps: int, unfolds: int, every: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    rnn = gl.LTC(with_pairs(circuit, seed, share), ode_unfolds=unfolds, checkpoint_every=every)
    random_parameters(rnn, rng)
    check_parity(rnn, batch, steps, rng)


@on_all_modes
@settings(max_examples=10)
@given(
    circuit=circuits(largest=4), seed=SEEDS, batch=BATCHES, steps=LENGTHS, every=st.integers(1, 9),
    schedule=st.sampled_from(["layered", "synchronous", "ncps"]),
)  # fmt: skip
def test_cfc(
    mode: str, circuit: nx.DiGraph, seed: int, batch: int, steps: int, every: int, schedule: str
) -> None:
    rng = np.random.default_rng(seed)
    options = {"ncps_compat": True} if schedule == "ncps" else {"schedule": schedule}
    rnn = gl.CfC(circuit, mode=mode, checkpoint_every=every, **options)
    random_parameters(rnn, rng)
    check_parity(rnn, batch, steps, rng)


@on_all_modes
@settings(max_examples=10)
@given(
    inputs=st.integers(1, 20), units=st.integers(1, 20), layers=st.integers(0, 3), width=st.integers(1, 40),
    activation=st.sampled_from(["lecun_tanh", "relu", "tanh", "silu", "gelu", "sigmoid"]),
    seed=SEEDS, batch=BATCHES, steps=LENGTHS, every=st.integers(1, 9),
)  # fmt: skip
def test_cfc_behind_a_backbone(
    mode: str, inputs: int, units: int, layers: int, width: int, activation: str, seed: int, batch: int,
    steps: int, every: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    rnn = gl.CfC(
        gl.dense(inputs, units), mode=mode, backbone_layers=layers, backbone_units=width,
        backbone_activation=activation, checkpoint_every=every, key=mx.random.key(seed),
    )  # fmt: skip
    check_parity(rnn, batch, steps, rng)


@pytest.mark.parametrize("mapping", ["affine", "linear", None])
@pytest.mark.parametrize("options", [{"positive": "softplus"}, {"polarity": "fixed"}], ids=str)
def test_options_of_the_ltc(mapping: str | None, options: dict[str, str]) -> None:
    rng = np.random.default_rng(2)
    rnn = gl.LTC(
        gl.auto_ncp(14, 3, inputs=4), input_mapping=mapping, output_mapping=mapping, **options
    )  # fmt: skip
    random_parameters(rnn, rng)
    check_parity(rnn, 5, 6, rng)


def test_calls_of_every_kind_agree() -> None:
    x = mx.array(np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32))
    circuit = gl.auto_ncp(14, 3, inputs=5)
    for options in ({}, {"return_sequences": False}, {"reverse": True}):
        fused = gl.LTC(circuit, engine="fused", key=mx.random.key(1), **options)
        plain = gl.LTC(circuit, engine="ops", key=mx.random.key(1), **options)
        for arguments in (
            {},
            {"timespans": 0.5},
            {"timespans": mx.arange(1, 7) / 3},
            {"mask": [1, 1, 0, 1, 0, 1]},
            {"ends": [0, 0, 1, 0, 0, 0]},
            {"record": True},
        ):
            for found, expected in zip(fused(x, **arguments), plain(x, **arguments), strict=True):
                if isinstance(expected, mx.array):
                    assert difference(found, np.array(expected)) < VALUES
                else:
                    assert difference(found.states, expected.states) < VALUES
                    assert np.array_equal(found.times, expected.times)


def test_bad_numbers_come_out_as_they_do_with_operations() -> None:
    circuit = gl.auto_ncp(10, 2, inputs=2)
    x = np.zeros((20, 3, 2), np.float32)
    x[7, 1, 0] = np.nan
    for network in (gl.LTC, gl.CfC):
        y, _ = network(circuit, engine="fused")(mx.array(x))
        spoiled = np.isnan(np.array(y)).any(axis=(1, 2))
        assert spoiled.tolist() == [row == 7 for row in range(20)]


def test_extreme_values_stay_finite() -> None:
    circuit = gl.auto_ncp(10, 2, inputs=2)
    for network in (gl.LTC, gl.CfC):
        fused, plain = (network(circuit, engine=e, key=mx.random.key(0)) for e in ("fused", "ops"))
        x = mx.array([[[1e4, -1e4], [300.0, -300.0], [0.0, 1e-30]]])
        assert difference(fused(x)[0], np.array(plain(x)[0])) < VALUES


@pytest.mark.parametrize(
    "circuit", [gl.auto_ncp(16, 3, inputs=4, seed=1), gl.dense(4, 9)], ids=["wired", "dense"]
)
@pytest.mark.parametrize("spans", [None, 1.0, 1.5])
def test_time_spans_that_are_one_have_their_gradient(spans: float | None, circuit: Any) -> None:
    rnn = gl.CfC(circuit, engine="fused")
    x = mx.random.normal((3, 5, 4))
    given = mx.ones((3, 5)) if spans is None else mx.full((5,), spans)

    def loss(timespans: mx.array) -> mx.array:
        return (rnn(x, timespans=timespans)[0] ** 2).sum()

    found = mx.grad(loss)(given)
    rnn.engine = "ops"
    assert relative_error(np.array(found), np.array(mx.grad(loss)(given))) < GRADIENTS
    assert np.abs(np.array(found)).max() > 0
