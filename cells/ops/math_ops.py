"""Sums and products, the synaptic sigmoid, steps of a solver, and the parameter behind a positive number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...arguments import flag, label, one_of, scalar
from ...compile.kernels import operations
from ..axes import axes_of
from ..values import Values, Where, any_array, mlx_array, running_on

__all__ = [
    "add",
    "matmul",
    "mean",
    "multiply",
    "ode_step",
    "softplus_inverse",
    "sum",
    "synaptic_sigmoid",
]

Rate = Callable[[mx.array], mx.array]

# The solvers that need only the right-hand side; a cell knows its own semi-implicit step.
EXPLICIT_SOLVERS = ("explicit", "rk4")
WIDE = 16  # numbers that fill a vector: what is shorter is left to MLX


def or_nothing(found: mx.array) -> mx.array:
    """A result; one of no numbers without the graph behind it.

    MLX sums its gradients over no rows, where it counts on from what lay in memory: for seconds, or for ever.
    """
    return found if found.size else mx.zeros_like(found)


def add(a: Values, b: Values, *, stream: Where = None) -> mx.array:
    """a + b of shapes that broadcast."""
    with running_on(stream):
        return _added(any_array("a", a), any_array("b", b))


def _added(a: mx.array, b: mx.array) -> mx.array:
    found = operations.paired("add", *_larger_first(a, b))
    return or_nothing(mx.add(a, b)) if found is None else found


def _multiplied(a: mx.array, b: mx.array) -> mx.array:
    found = operations.paired("multiply", *_larger_first(a, b))
    return or_nothing(mx.multiply(a, b)) if found is None else found


def _larger_first(a: mx.array, b: mx.array) -> tuple[mx.array, mx.array]:
    return (b, a) if a.size < b.size else (a, b)


def multiply(a: Values, b: Values, *, stream: Where = None) -> mx.array:
    """a * b of shapes that broadcast."""
    with running_on(stream):
        return _multiplied(any_array("a", a), any_array("b", b))


def matmul(a: Values, b: Values, *, stream: Where = None) -> mx.array:
    """a @ b: products of matrices (..., M, K) and (..., K, N), or of vectors as in NumPy.

    On Linux, where MLX has no BLAS of its own, large ones of float32 run on SciPy's or on vectors of AVX-512.
    """
    with running_on(stream):
        return operations.matmul(any_array("a", a), any_array("b", b))


def sum(
    x: Values, axis: int | Sequence[int] | None = None, keepdims: bool = False, *, stream: Where = None
) -> mx.array:
    """The sum over one axis, several or all."""
    with running_on(stream):
        array = any_array("x", x)
        axis, keepdims = axes_of(axis, array), flag("keepdims", keepdims)
        found = _reduced(array, axis, keepdims, mean=False)
        if not array.size:  # MLX leaves the result of no numbers open
            return mx.zeros_like(mx.sum(array, axis, keepdims=keepdims))
        return mx.sum(array, axis, keepdims=keepdims) if found is None else found


def mean(
    x: Values, axis: int | Sequence[int] | None = None, keepdims: bool = False, *, stream: Where = None
) -> mx.array:
    """The mean over one axis, several or all; NaN of no numbers."""
    with running_on(stream):
        array = any_array("x", x)
        axis, keepdims = axes_of(axis, array), flag("keepdims", keepdims)
        found = _reduced(array, axis, keepdims, mean=True)
        if not array.size:
            return mx.full_like(mx.mean(array, axis, keepdims=keepdims), math.nan)
        return mx.mean(array, axis, keepdims=keepdims) if found is None else found


def _reduced(x: mx.array, axis: int | Sequence[int] | None, keepdims: bool, *, mean: bool) -> mx.array | None:
    """The same by our own kernels, where the axes are the first or the last ones and the array is large."""
    if x.size < operations.LEAST:
        return None
    given = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = sorted({k + x.ndim if k < 0 else k for k in given})
    n = len(axes)
    if not n or not 0 <= axes[0] <= axes[-1] < x.ndim or n < len(list(given)):
        return None
    count = math.prod(x.shape[k] for k in axes)
    divisor, kept = float(count if mean else 1), x.size // count
    if n == x.ndim:
        found = operations.reduced("all", x, divisor)
    elif axes == list(range(x.ndim - n, x.ndim)) and count >= WIDE:
        found = operations.reduced("last", x.reshape(kept, count), divisor)
    elif axes == list(range(n)) and kept >= WIDE:
        found = operations.reduced("first", x.reshape(count, kept), divisor)
    else:
        return None
    shape = [1 if k in axes else length for k, length in enumerate(x.shape) if keepdims or k not in axes]
    return None if found is None else found.reshape(shape)


def synaptic_sigmoid(v: Values, mu: Values, sigma: Values, *, stream: Where = None) -> mx.array:
    """sigmoid(sigma * (v - mu)): how far a synapse opens at the presynaptic state v.

    Args:
        v: presynaptic states, of any shape.
        mu: the state at which the synapse is half open.
        sigma: how steeply it opens, per unit of state.
    """
    with running_on(stream):
        apart = mlx_array("v", v) - mlx_array("mu", mu)
        scaled = mlx_array("sigma", sigma) * apart
        found = operations.curve("sigmoid", scaled)
        return or_nothing(mx.sigmoid(scaled)) if found is None else found


def ode_step(solver: str, rate: Rate, v: mx.array, dt: mx.array, *, stream: Where = None) -> mx.array:
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
    if not callable(rate):
        raise TypeError(f"rate must be a function of the states, got {label(rate)}")
    v, dt = mlx_array("v", v), mlx_array("dt", dt)
    with running_on(stream):
        k1 = mlx_array("rate(v)", rate(v))
        if solver == "explicit":
            found = operations.paired("multiply", k1, dt, v)
            return _added(v, _multiplied(dt, k1)) if found is None else found
        k2 = rate(v + 0.5 * dt * k1)
        k3 = rate(v + 0.5 * dt * k2)
        k4 = rate(v + dt * k3)
        return v + dt / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)


def softplus_inverse(y: float) -> float:
    """The x with softplus(x) = y > 0: where a parameter begins whose softplus is to begin at y."""
    y = scalar("y", y)
    if not 0 < y < math.inf:
        raise ValueError(f"softplus is positive and finite: it is never {y}")
    return y + math.log(-math.expm1(-y))


def softplus_inverses(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for many at once, where those below 1e-7 count as that: softplus has no zero."""
    y = np.maximum(y, 1e-7)
    found: NDArray[np.float64] = y + np.log(-np.expm1(-y))
    return found
