"""The error of a solver by step doubling, beside networks that were made with more steps."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 10, 3)).astype(np.float32)
SPANS = RNG.uniform(0.2, 2.0, (4, 10)).astype(np.float32)


def of(unfolds: int, **options: Any) -> gl.RNN:
    return gl.LTC(CIRCUIT, ode_unfolds=unfolds, key=mx.random.key(0), **options)


def outputs(network: Any) -> np.ndarray:
    return np.array(network(mx.array(X), timespans=SPANS)[0])


@pytest.mark.parametrize("engine", ["auto", "ops"])
def test_it_is_the_difference_to_a_network_with_twice_the_steps(engine: str) -> None:
    coarse, fine = of(3, engine=engine), of(6, engine=engine)
    expected = np.abs(outputs(fine) - outputs(coarse)).max(axis=(0, 1))
    found = gl.solver_error(coarse, X, timespans=SPANS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.shape == (2,)
    assert coarse.cell.ode_unfolds == 3


def test_the_default_number_of_steps_is_doubled_too() -> None:
    network = gl.LTC(CIRCUIT, key=mx.random.key(0))
    expected = np.abs(outputs(of(2 * network.cell.ode_unfolds)) - outputs(network)).max(axis=(0, 1))
    np.testing.assert_allclose(gl.solver_error(network, X, timespans=SPANS), expected, atol=1e-6)


def test_a_solver_of_first_order_halves_its_error_with_its_steps() -> None:
    errors = [gl.solver_error(of(unfolds), X, timespans=SPANS).max() for unfolds in (16, 32)]
    assert 1.7 < errors[0] / errors[1] < 2.3


def test_rk4_is_much_closer() -> None:
    first, fourth = (
        gl.solver_error(of(12, solver=s), X, timespans=SPANS).max() for s in ("semi_implicit", "rk4")
    )
    assert fourth < first / 50


def test_every_cell_of_a_container_takes_twice_its_steps() -> None:
    def stack(*unfolds: int) -> gl.Stack:
        lower, upper = CIRCUIT, gl.auto_ncp(8, 1, inputs=2, seed=2)
        return gl.Stack(
            [
                gl.LTC(lower, ode_unfolds=unfolds[0], key=mx.random.key(0)),
                gl.LTC(upper, ode_unfolds=unfolds[1], key=mx.random.key(1)),
            ]
        )

    expected = np.abs(outputs(stack(4, 10)) - outputs(stack(2, 5))).max(axis=(0, 1))
    np.testing.assert_allclose(gl.solver_error(stack(2, 5), X, timespans=SPANS), expected, atol=1e-6)


def test_what_solves_nothing_is_refused() -> None:
    with pytest.raises(TypeError, match="CfC solves nothing in steps"):
        gl.solver_error(gl.CfC(CIRCUIT), X)
    with pytest.raises(TypeError, match="CfC solves nothing in steps"):
        gl.solver_error(gl.CfC(gl.dense(3, 4)), X)
    with pytest.raises(TypeError, match="needs a network over sequences"):
        gl.solver_error(3, X)  # type: ignore[arg-type]
