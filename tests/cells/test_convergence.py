"""The LTC solver is a solver: with more unfolds it converges to the solution of its own ODE, with order 1."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ganglion as gl

from ..reference import ltc
from ..reference.graph import Wires
from ..support.networks import ENGINES, difference, random_parameters

UNFOLDS = [8, 16, 32, 64, 128]

on_all_engines = pytest.mark.parametrize("engine", ENGINES)


def solved(reference: ltc.LTC, state: np.ndarray, x: np.ndarray, span: float) -> np.ndarray:
    """The state (N,) after `span` at constant input, from an adaptive solver of order 8."""
    solution = solve_ivp(reference.ode(x), (0.0, span), state, method="DOP853", rtol=1e-10, atol=1e-12)
    assert solution.success
    return solution.y[:, -1]


def order(errors: list[float]) -> float:
    """The slope of log(error) over log(unfold length)."""
    return float(np.polyfit(-np.log(UNFOLDS), np.log(errors), 1)[0])


@on_all_engines
@pytest.mark.parametrize("positive", ["clip", "softplus"])
@pytest.mark.parametrize("span", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(3))
def test_one_step_converges_with_order_one(seed: int, span: float, positive: str, engine: str) -> None:
    rng = np.random.default_rng(seed)
    circuit = gl.auto_ncp(16, 3, inputs=4, seed=seed)
    state = rng.uniform(-1, 1, 16).astype(np.float32)
    x = rng.uniform(-1, 1, 4).astype(np.float32)
    parameters = random_parameters(gl.LTC(circuit, positive=positive), rng)
    reference = ltc.LTC(Wires.of(circuit), parameters, positive=positive)
    exact = solved(reference, state.astype(float), x.astype(float), span)

    errors = []
    for unfolds in UNFOLDS:
        rnn = gl.LTC(circuit, positive=positive, ode_unfolds=unfolds, engine=engine)
        rnn.cell.update({name: mx.array(value) for name, value in parameters.items()})
        _, new = rnn(mx.array(x[None]), mx.array(state), span)
        errors.append(difference(new, exact))
    assert errors[-1] < 0.01
    assert order(errors) == pytest.approx(1.0, abs=0.1), errors


@on_all_engines
def test_an_unfold_is_a_short_time_step(engine: str) -> None:
    """Six unfolds of one time step are six time steps of one unfold at the same input."""
    rng = np.random.default_rng(0)
    circuit = gl.random(12, inputs=3, outputs=2, sparsity=0.5, seed=1)
    long, short = (gl.LTC(circuit, ode_unfolds=n, engine=engine) for n in (6, 1))
    parameters = random_parameters(long, rng)
    short.cell.update({name: mx.array(value) for name, value in parameters.items()})
    x = mx.array(rng.uniform(-1, 1, (5, 1, 3)).astype(np.float32))
    _, expected = long(x, timespans=1.5)
    _, found = short(mx.repeat(x, 6, axis=1), timespans=0.25)
    assert difference(found, np.array(expected)) < 1e-6


def test_a_state_at_rest_stays() -> None:
    """The ODE's equilibrium is a fixed point of the solver, whatever the time span."""
    rng = np.random.default_rng(2)
    circuit = gl.auto_ncp(16, 3, inputs=4)
    rnn = gl.LTC(circuit)
    reference = ltc.LTC(Wires.of(circuit), random_parameters(rnn, rng))
    x = rng.uniform(-1, 1, 4)
    rest = solved(reference, np.zeros(16), x, 200.0)
    assert np.abs(reference.ode(x)(0.0, rest)).max() < 1e-8
    for span in (0.1, 1.0, 50.0):
        _, state = rnn(mx.array(x[None].astype(np.float32)), mx.array(rest.astype(np.float32)), span)
        assert difference(state, rest) < 1e-5
