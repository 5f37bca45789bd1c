"""Layouts and orders are invisible: every network computes what it computes on dense matrices.

Outputs and states agree within 1e-5, gradients within 1e-4 of the largest entry of each array, in plan order
and under the circuit's names.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl

from ..support.golden import NAMES, Golden
from ..support.networks import difference, quadratic_loss, random_parameters, relative_error, set_parameters
from ..support.strategies import SEEDS, circuits

VALUES, GRADIENTS = 1e-5, 1e-4
VARIANTS = [("edge", "role"), ("auto", "role"), *(("block", o) for o in ("role", "rcm", "given", "block"))]


def check_variant(
    make: Any, parameters: dict[str, np.ndarray], inputs: dict[str, np.ndarray], variant: Any
) -> None:
    """A network in one layout and order against the same on dense matrices."""
    layout, order, block_size = variant
    reference = make(lambda c: gl.compile_circuit(c, "dense"))
    rnn = make(lambda c: gl.compile_circuit(c, layout, block_size, order))
    for network in (reference, rnn):
        set_parameters(network, parameters)
    given = {name: mx.array(value) for name, value in inputs.items()}
    y, last, expected = reference(**given, record=True)
    y2, last2, found = rnn(**given, record=True)
    assert difference(y2, np.array(y)) < VALUES
    assert difference(last2, np.array(last)) < VALUES
    assert difference(found.states, expected.states) < VALUES
    assert (found.neurons, found.sensors) == (expected.neurons, expected.sensors)

    targets = np.ones(y.shape, np.float32), np.ones(last.shape, np.float32)
    _, wanted = quadratic_loss(reference, inputs, *targets)
    _, gradients = quadratic_loss(rnn, inputs, *targets)
    overall = max(np.abs(value).max(initial=0.0) for value in wanted.values())
    assert gradients.keys() == wanted.keys()
    for name, value in wanted.items():
        # Where all true entries cancel, what is left is the rounding of the others.
        scale = max(np.abs(value).max(initial=0.0), 1e-3 * overall)
        assert difference(gradients[name], value) < GRADIENTS * scale, name


def sampled(plan: gl.Plan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"x": (2, 3, plan.n_inputs), "state": (2, plan.n_neurons)}
    values = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    values["timespans"] = rng.uniform(0.2, 2.0, (2, 3))
    return {name: value.astype(np.float32) for name, value in values.items()}


variants = st.tuples(st.sampled_from(VARIANTS), st.sampled_from([8, 16])).map(lambda v: (*v[0], v[1]))


@settings(max_examples=40)
@given(
    circuit=circuits(largest=7), seed=SEEDS, variant=variants, positive=st.sampled_from(["clip", "softplus"])
)
def test_ltc(circuit: nx.DiGraph, seed: int, variant: Any, positive: str) -> None:
    rng = np.random.default_rng(seed)

    def make(compile_: Any) -> gl.LTC:
        return gl.LTC(compile_(circuit), ode_unfolds=2, positive=positive, engine="ops")

    rnn = make(gl.compile_circuit)
    check_variant(make, random_parameters(rnn, rng), sampled(rnn.cell.compiled.plan, rng), variant)


@settings(max_examples=60)
@given(
    circuit=circuits(largest=7),
    seed=SEEDS,
    variant=variants,
    mode=st.sampled_from(["default", "pure", "no_gate"]),
    schedule=st.sampled_from(["layered", "synchronous"]),
    polarity=st.sampled_from(["init", "fixed"]),
    compat=st.booleans(),
)
def test_cfc(
    circuit: nx.DiGraph, seed: int, variant: Any, mode: str, schedule: str, polarity: str, compat: bool
) -> None:
    rng = np.random.default_rng(seed)
    options = {"mode": mode, "schedule": schedule, "polarity": polarity, "ncps_compat": compat}

    def make(compile_: Any) -> gl.CfC:
        return gl.CfC(compile_(circuit), engine="ops", **options)

    rnn = make(gl.compile_circuit)
    check_variant(make, random_parameters(rnn, rng), sampled(rnn.cell.compiled.plan, rng), variant)


WIRED = [name for name in NAMES if Golden.load(name).config["wiring"] != "dense"]
OPTIONS = ("ode_unfolds", "positive", "input_mapping", "output_mapping", "mode")


@pytest.mark.parametrize("name", WIRED)
def test_golden_files(name: str) -> None:
    """Five steps of every configuration that ncps ran, in every layout and order, against ncps's states."""
    golden = Golden.load(name)
    config = golden.config
    circuit = getattr(gl, config["generator"])(**config["arguments"])
    options = {key: config[key] for key in OPTIONS if key in config}
    if config["cell"] == "CfC":
        options["ncps_compat"] = True
    states = golden.by_neuron(golden["states"])[..., :5, :]
    targets = golden["targets"][..., :5, :], states[..., -1, :]
    inputs = dict(golden.inputs)
    for time_axis in ("x", "timespans"):
        if time_axis in inputs:
            cut = inputs[time_axis]
            inputs[time_axis] = cut[:, :5] if golden["states"].ndim == 3 else cut[:5]

    expected: dict[str, np.ndarray] = {}
    for layout, order in [("dense", "role"), *VARIANTS]:
        compiled = gl.compile_circuit(circuit, layout, 8, order)
        rnn = getattr(gl, config["cell"])(compiled, engine="ops", **options)
        gl.load_ncps(rnn, golden.state_dict)
        _, _, recording = rnn(**{key: mx.array(value) for key, value in inputs.items()}, record=True)
        assert difference(recording.states, states) < VALUES, (layout, order)
        _, found = quadratic_loss(rnn, inputs, *targets)
        expected = expected or found
        for key, value in expected.items():
            assert relative_error(found[key], value) < GRADIENTS, (layout, order, key)
