"""Sums, products, concatenations and products of matrices of large arrays, by nodes of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
import scipy
from packaging.version import Version

from ganglion import ops
from ganglion.compile.kernels import operations

SHAPE = (300, 231)  # more than LEAST_MOVED, and no whole number of vectors
Pair = Callable[[mx.array, mx.array], mx.array]


def floats(*shape: int, seed: int = 0) -> mx.array:
    made = mx.array(np.random.default_rng(seed).normal(size=shape).astype(np.float32))
    mx.eval(made)
    return made


X, Y = floats(*SHAPE), floats(*SHAPE, seed=1)
PAIRS: dict[str, tuple[Pair, Pair]] = {
    "add": (ops.add, mx.add),
    "multiply": (ops.multiply, mx.multiply),
    "add, a column": (lambda a, b: ops.add(b[:, :1], a), lambda a, b: b[:, :1] + a),
    "multiply, a column": (lambda a, b: ops.multiply(a, b[:, 3:4]), lambda a, b: a * b[:, 3:4]),
    "ode_step, a column": (
        lambda a, b: ops.ode_step("explicit", lambda v: v * b, a, b[:, 2:3]),
        lambda a, b: a + b[:, 2:3] * (a * b),
    ),
    "concatenate": (lambda a, b: ops.concatenate([a, b, a], -1), lambda a, b: mx.concatenate([a, b, a], -1)),
    "matmul": (lambda a, b: ops.matmul(a, b.T), lambda a, b: a @ b.T),
}


@pytest.fixture(autouse=True)
def _needs_nodes() -> None:
    if operations.paired("add", X, Y) is None:
        pytest.skip("there is no library of nodes here, so that MLX's own operations run")


def same(found: Any, expected: Any, name: str = "") -> None:
    exact = name != "matmul" and "column" not in name  # whose gradients are sums
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=0 if exact else 2e-4, rtol=0)


def derivatives(f: Pair, c: mx.array) -> list[mx.array]:
    """By each of the two alone."""
    return [
        mx.vjp(lambda x: f(x, Y), [X], [c])[1][0],
        mx.vjp(lambda y: f(X, y), [Y], [c])[1][0],
        mx.jvp(lambda y: f(X, y), [Y], [X])[1][0],
    ]


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_what_mlx_computes_in_every_transformation(name: str) -> None:
    ours, theirs = PAIRS[name]
    same(ours(X, Y), theirs(X, Y), name)
    same(mx.compile(ours)(X, Y), theirs(X, Y), name)
    c = floats(*theirs(X, Y).shape, seed=2)
    for found, expected in zip(derivatives(ours, c), derivatives(theirs, c), strict=True):
        same(found, expected, name)
    for of in (mx.vjp, mx.jvp):
        given = [c] if of is mx.vjp else [Y, X]
        for found, expected in zip(of(ours, [X, Y], given)[1], of(theirs, [X, Y], given)[1], strict=True):
            same(found, expected, name)
    many, more = floats(3, *SHAPE, seed=3), floats(SHAPE[0], 3, SHAPE[1], seed=4)
    for axes, a, b in (((0, None), many, Y), ((None, 0), X, many), ((0, 1), many, more)):
        same(mx.vmap(ours, in_axes=axes)(a, b), mx.vmap(theirs, in_axes=axes)(a, b), name)


def test_second_derivatives_of_a_product() -> None:
    def loss(ours: Pair) -> Any:
        return mx.grad(lambda x: (mx.grad(lambda x: ours(ours(x, x), Y).sum())(x) * X).sum())(X)

    same(loss(ops.multiply), loss(mx.multiply))


def test_arrays_that_do_not_lie_row_after_row() -> None:
    turned = floats(*SHAPE[::-1], seed=5).T
    same(ops.add(turned, X), turned + X)
    column = mx.broadcast_to(Y[0, :1], (SHAPE[0], 1))
    same(ops.add(column, turned), column + turned)
    same(ops.multiply(X[::-1], mx.broadcast_to(Y[0], SHAPE)), X[::-1] * Y[0])
    same(ops.concatenate([turned, X[:, ::3]], 1), mx.concatenate([turned, X[:, ::3]], 1))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_parts_of_all_lengths(axis: int) -> None:
    parts = [mx.moveaxis(floats(n, 60, 41, seed=n), 0, axis) for n in (0, 1, 7, 0, 20, 3)]
    same(ops.concatenate(parts, axis), mx.concatenate(parts, axis))


def test_what_mlx_does_itself_is_left_to_it() -> None:
    half, wide = X.astype(mx.float16), floats(1, *SHAPE)
    assert operations.paired("add", X, half) is None
    assert operations.paired("add", X, wide) is None
    assert operations.paired("add", Y[0], X) is None
    assert operations.paired("add", X, Y[0]) is None
    assert operations.paired("multiply", X, Y[:1, :1]) is None
    assert operations.joined([X, half], 0) is None
    assert operations.joined([X, wide], 0) is None
    assert operations.joined([X, Y[:, :5]], 0) is None
    assert ops.add(X, half).dtype == mx.float32
    same(ops.add(X, Y[:1]), X + Y[:1])
    with pytest.raises(ValueError, match="concatenate"):
        ops.concatenate([X, Y[:, :5]], 0)


@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(97, 33, 45), (48, 32, 32), (60, 1024, 33), (61, 1025, 40), (500, 64, 31), (145, 40, 257)],
)
def test_products_of_matrices_of_odd_sizes(m: int, k: int, n: int) -> None:
    a, b = floats(m, k + 3)[:, 2:-1], floats(k, n + 5, seed=1)[:, 1:-4]
    found = ops.matmul(a, b)
    exact = np.array(a, np.float64) @ np.array(b, np.float64)
    np.testing.assert_allclose(np.array(found), exact, atol=1e-6 * k**0.5 * 8, rtol=0)
    if m > 96:  # a row does not depend on what stands below it, but for the BLAS of SciPy before 1.15
        exactly = Version(scipy.__version__) >= Version("1.15")
        rows = np.array(ops.matmul(a[:60], b))
        np.testing.assert_allclose(rows, np.array(found)[:60], rtol=0, atol=0 if exactly else 1e-5)


def test_what_is_not_finite_stays_in_its_row_and_column() -> None:
    a, b = floats(100, 40), floats(40, 50, seed=1)
    a[3, 4], b[7, 11] = mx.array(float("nan")), mx.array(float("inf"))
    found = np.isfinite(np.array(ops.matmul(a, b)))
    assert not found[3].any()
    assert not found[:, 11].any()
    found[3], found[:, 11] = True, True
    assert found.all()
