"""The synaptic sigmoid, steps of a differential equation, and the parameter behind a positive number."""

from __future__ import annotations

import math
from collections.abc import Callable

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...arguments import one_of

Rate = Callable[[mx.array], mx.array]

# The solvers that need only the right-hand side; a cell knows its own semi-implicit step.
EXPLICIT_SOLVERS = ("explicit", "rk4")


def synaptic_sigmoid(v: mx.array, mu: mx.array, sigma: mx.array) -> mx.array:
    """sigmoid(sigma * (v - mu)): how far a synapse opens at the presynaptic state v.

    Args:
        v: presynaptic states, of any shape.
        mu: the state at which the synapse is half open.
        sigma: how steeply it opens, per unit of state.
    """
    return mx.sigmoid(sigma * (v - mu))


def ode_step(solver: str, rate: Rate, v: mx.array, dt: mx.array) -> mx.array:
    """v(t + dt) from v(t) and dv/dt = rate(v), by one explicit step.

    "explicit" is Euler's method, of order 1; "rk4" is the classical method of Runge and Kutta, of order 4,
    which asks for the rate four times. Both are stable only for steps shorter than the fastest time constant.

    Args:
        solver: "explicit" or "rk4".
        rate: dv/dt as a function of v.
        v: (B, N) states.
        dt: (B, 1) or (1, 1) length of the step.

    Example:
        >>> ode_step("rk4", lambda v: -v, mx.ones((1, 1)), mx.array([[0.1]]))      # 0.904838, exp(-0.1)

    Raises:
        ValueError: another solver.
    """
    one_of("solver", solver, EXPLICIT_SOLVERS)
    k1 = rate(v)
    if solver == "explicit":
        return v + dt * k1
    k2 = rate(v + 0.5 * dt * k1)
    k3 = rate(v + 0.5 * dt * k2)
    k4 = rate(v + dt * k3)
    return v + dt / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)


def softplus_inverse(y: float) -> float:
    """The x with softplus(x) = y > 0: where a parameter begins whose softplus is to begin at y."""
    if not 0 < y < math.inf:
        raise ValueError(f"softplus is positive and finite: it is never {y}")
    return y + math.log(-math.expm1(-y))


def softplus_inverses(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for many at once, where those below 1e-7 count as that: softplus has no zero."""
    y = np.maximum(y, 1e-7)
    found: NDArray[np.float64] = y + np.log(-np.expm1(-y))
    return found
