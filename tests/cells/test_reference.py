"""Our cells against the float64 reference of `tests/reference` on random circuits: values and gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl

from ..reference import cfc, ltc
from ..reference.graph import Wires
from ..support.networks import (
    ENGINES,
    LAYOUTS,
    difference,
    quadratic_loss,
    random_parameters,
    set_parameters,
)
from ..support.strategies import SEEDS, circuits

VALUES = 1e-5
GRADIENTS = 1e-4
BATCH, STEPS = 2, 4

on_all_engines = pytest.mark.parametrize("engine", ENGINES)
on_all_layouts = pytest.mark.parametrize("layout", LAYOUTS)
on_all_modes = pytest.mark.parametrize("mode", ["default", "pure", "no_gate"])
on_both_schedules = pytest.mark.parametrize("schedule", ["layered", "synchronous"])
on_both_constraints = pytest.mark.parametrize("positive", ["clip", "softplus"])


def sample_inputs(wires: Wires, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs, an initial state and irregular time spans, in float32."""
    values = {
        "x": rng.uniform(-1, 1, (BATCH, STEPS, len(wires.sensors))),
        "state": rng.uniform(-1, 1, (BATCH, len(wires.neurons))),
        "timespans": rng.uniform(0.2, 2.0, (BATCH, STEPS)),
    }
    return {name: value.astype(np.float32) for name, value in values.items()}


def check_values(rnn: nn.Module, reference: Any, inputs: dict[str, np.ndarray]) -> None:
    outputs, states = reference.run(**inputs)
    y, last, recording = rnn(**{name: mx.array(value) for name, value in inputs.items()}, record=True)
    assert difference(y, outputs) < VALUES
    assert difference(recording.states, states) < VALUES
    assert difference(last, states[:, -1]) < VALUES
    assert recording.neurons == tuple(reference.wires.neurons)


@on_all_layouts
@on_all_engines
@on_both_constraints
@given(circuit=circuits(), seed=SEEDS, unfolds=st.integers(1, 8), with_state=st.booleans())
def test_ltc_values(
    engine: str, layout: str, positive: str, circuit: nx.DiGraph, seed: int, unfolds: int, with_state: bool
) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    compiled = gl.compile_circuit(circuit, layout=layout)
    rnn = gl.LTC(compiled, ode_unfolds=unfolds, positive=positive, engine=engine)
    reference = ltc.LTC(wires, random_parameters(rnn, rng), unfolds, positive=positive)
    inputs = sample_inputs(wires, rng)
    if not with_state:
        del inputs["state"]
    check_values(rnn, reference, inputs)


@on_all_layouts
@on_all_engines
@on_all_modes
@on_both_schedules
@given(circuit=circuits(), seed=SEEDS, with_state=st.booleans())
def test_cfc_values(
    engine: str, layout: str, mode: str, schedule: str, circuit: nx.DiGraph, seed: int, with_state: bool
) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    rnn = gl.CfC(gl.compile_circuit(circuit, layout=layout), mode=mode, schedule=schedule, engine=engine)
    reference = cfc.CfC(wires, random_parameters(rnn, rng), mode, schedule)
    inputs = sample_inputs(wires, rng)
    if not with_state:
        del inputs["state"]
    check_values(rnn, reference, inputs)


@on_all_engines
@pytest.mark.parametrize("shape", [(), (STEPS,), (BATCH, STEPS), (BATCH, STEPS, 1)])
@given(circuit=circuits(), seed=SEEDS)
@settings(max_examples=5)
def test_every_form_of_time_spans(
    engine: str, shape: tuple[int, ...], circuit: nx.DiGraph, seed: int
) -> None:
    rng, wires = np.random.default_rng(seed), Wires.of(circuit)
    inputs = sample_inputs(wires, rng)
    spans = rng.uniform(0.2, 2.0, shape).astype(np.float32)
    for rnn, reference_cell in ((gl.LTC(circuit, engine=engine), ltc.LTC), (gl.CfC(circuit), cfc.CfC)):
        reference = reference_cell(wires, random_parameters(rnn, rng))
        per_step = spans[..., 0] if spans.ndim == 3 else spans
        outputs, states = reference.run(inputs["x"], inputs["state"], per_step)
        y, last = rnn(mx.array(inputs["x"]), mx.array(inputs["state"]), mx.array(spans))
        assert difference(y, outputs) < VALUES
        assert difference(last, states[:, -1]) < VALUES


@on_both_constraints
@given(circuit=circuits(), seed=SEEDS, unfolds=st.integers(1, 4))
@settings(max_examples=8)
def test_ltc_gradients(positive: str, circuit: nx.DiGraph, seed: int, unfolds: int) -> None:
    wires = Wires.of(circuit)

    def network(layout: str, engine: str) -> nn.Module:
        compiled = gl.compile_circuit(circuit, layout=layout)
        return gl.LTC(compiled, ode_unfolds=unfolds, positive=positive, engine=engine)

    def reference(values: dict[str, np.ndarray]) -> ltc.LTC:
        return ltc.LTC(wires, values, unfolds, positive=positive)

    check_gradients(network, reference, seed)


@on_all_modes
@on_both_schedules
@given(circuit=circuits(), seed=SEEDS)
@settings(max_examples=5)
def test_cfc_gradients(mode: str, schedule: str, circuit: nx.DiGraph, seed: int) -> None:
    wires = Wires.of(circuit)

    def network(layout: str, engine: str) -> nn.Module:
        compiled = gl.compile_circuit(circuit, layout=layout)
        return gl.CfC(compiled, mode=mode, schedule=schedule, engine=engine)

    def reference(values: dict[str, np.ndarray]) -> cfc.CfC:
        return cfc.CfC(wires, values, mode, schedule)

    check_gradients(network, reference, seed)


def check_gradients(network: Callable[[str, str], nn.Module], reference: Any, seed: int) -> None:
    """Every entry of every parameter, of inputs, state and time spans, by central differences in float64.

    Layouts and engines are a loop here and no parameters of the test, since the differences take the time.
    Errors are relative to the largest entry of the array; an array without such (all of its true entries
    cancel) is held against the largest entry of all arrays instead.
    """
    rng = np.random.default_rng(seed)
    parameters = random_parameters(network(LAYOUTS[0], ENGINES[0]), rng)
    wires = reference(parameters).wires
    inputs = sample_inputs(wires, rng)
    targets = rng.normal(size=(BATCH, STEPS, wires.motors)).astype(np.float32)
    state_targets = rng.normal(size=inputs["state"].shape).astype(np.float32)

    def loss(values: dict[str, np.ndarray]) -> float:
        arguments = {name: values[name] for name in inputs}
        outputs, states = reference(values).run(**arguments)
        return 0.5 * (((outputs - targets) ** 2).sum() + ((states[:, -1] - state_targets) ** 2).sum())

    everything = {name: value.astype(np.float64) for name, value in {**parameters, **inputs}.items()}
    expected = central_differences(loss, everything)
    overall = max(np.abs(value).max(initial=0.0) for value in expected.values())
    for layout, engine in itertools.product(LAYOUTS, ENGINES):
        rnn = network(layout, engine)
        set_parameters(rnn, parameters)
        _, found = quadratic_loss(rnn, inputs, targets, state_targets)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            scale = max(np.abs(value).max(initial=0.0), 1e-2 * overall)
            error = difference(found[name], value) / scale
            assert error < GRADIENTS, f"{name} on {layout}, {engine}: {error:.1e}"


def central_differences(loss: Any, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of `loss(values)`, entry by entry."""
    step = 1e-5
    gradients = {}
    for name, value in values.items():
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            kept = value[index]
            value[index] = kept + step
            above = loss(values)
            value[index] = kept - step
            below = loss(values)
            value[index] = kept
            gradient[index] = (above - below) / (2 * step)
        gradients[name] = gradient
    return gradients
