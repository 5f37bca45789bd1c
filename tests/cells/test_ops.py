"""The operations of `cells/ops` against NumPy: values in every float type, gradients by differences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from scipy.special import erf, expit, logsumexp, softmax
from scipy.stats import kstest

from ganglion.cells import ops

RNG = np.random.default_rng(0)
DTYPES = {mx.float32: 1e-6, mx.float16: 2e-3, mx.bfloat16: 2e-2}
DEVICES = [mx.cpu, *([mx.gpu] if mx.is_available(mx.gpu) else [])]

ACTIVATION_TWINS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "lecun_tanh": lambda x: 1.7159 * np.tanh(0.666 * x),
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "sigmoid": expit,
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exponential": np.exp,
    "gelu_approx": lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    "gelu_fast_approx": lambda x: x * expit(1.702 * x),
    "glu": lambda x: x[..., : x.shape[-1] // 2] * expit(x[..., x.shape[-1] // 2 :]),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hardswish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "leaky_relu": lambda x: np.maximum(0.01 * x, x),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "log_softmax": lambda x: x - logsumexp(x, axis=-1, keepdims=True),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "relu2": lambda x: np.maximum(x, 0) ** 2,
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507 * np.where(x > 0, x, 1.67326 * np.expm1(np.minimum(x, 0))),
    "softmax": lambda x: softmax(x, axis=-1),
    "softmin": lambda x: softmax(-x, axis=-1),
    "softshrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "step": lambda x: (x > 0).astype(x.dtype),
    "softplus": lambda x: np.logaddexp(x, 0),
    "linear": lambda x: x,
}


def numpy_rk4(v: np.ndarray, dt: np.ndarray) -> np.ndarray:
    """For dv/dt = -v a step is the Taylor polynomial of exp(-dt) of degree 4."""
    return v * (1 - dt + dt**2 / 2 - dt**3 / 6 + dt**4 / 24)


# name -> (operation, NumPy twin, shapes of the arguments)
Twins = tuple[Callable[..., mx.array], Callable[..., np.ndarray], tuple[tuple[int, ...], ...]]
ELEMENTWISE: dict[str, Twins] = {
    "synaptic_sigmoid": (
        ops.synaptic_sigmoid,
        lambda v, mu, sigma: expit(sigma * (v - mu)),
        ((4, 3, 1), (3, 2), (3, 2)),
    ),
    "affine": (ops.affine, lambda x, w, b: x * w + b, ((4, 3), (3,), (3,))),
    "explicit": (
        lambda v, dt: ops.ode_step("explicit", lambda u: -u, v, dt),
        lambda v, dt: v * (1 - dt),
        ((4, 3), (4, 1)),
    ),
    "rk4": (lambda v, dt: ops.ode_step("rk4", lambda u: -u, v, dt), numpy_rk4, ((4, 3), (4, 1))),
}
OURS = (*ELEMENTWISE, "lecun_tanh", "hard_sigmoid", "linear", "step", "exponential")
for name, twin in ACTIVATION_TWINS.items():
    ELEMENTWISE[name] = (partial(ops.activate, name), twin, ((5, 8),))


def arguments(shapes: tuple[tuple[int, ...], ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.uniform(-1.5, 1.5, shape).astype(np.float32) for shape in shapes]


def test_every_activation_has_a_twin() -> None:
    assert set(ops.ACTIVATIONS) == set(ACTIVATION_TWINS)


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize(
    ("name", "dtype"),
    # MLX compiles its activations anew for each type, which takes long; what is ours has to hold in all.
    [(name, dtype) for name in ELEMENTWISE for dtype in DTYPES if dtype == mx.float32 or name in OURS],
)
def test_values_mirror_numpy(name: str, dtype: mx.Dtype, device: mx.DeviceType) -> None:
    operation, twin, shapes = ELEMENTWISE[name]
    with mx.stream(device):
        given = [mx.array(value).astype(dtype) for value in arguments(shapes)]
        found = operation(*given)
        assert found.dtype == dtype
        exact = twin(*(np.array(value.astype(mx.float32), np.float64) for value in given))
        error = np.abs(np.array(found.astype(mx.float32)) - exact)
    assert (error <= DTYPES[dtype] * np.maximum(1, np.abs(exact))).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_are_central_differences(name: str) -> None:
    operation, twin, shapes = ELEMENTWISE[name]
    values = [value.astype(np.float64) for value in arguments(shapes)]
    target = RNG.normal(size=twin(*values).shape)
    given = [mx.array(value.astype(np.float32)) for value in values]
    _, found = mx.vjp(operation, given, [mx.array(target.astype(np.float32))])
    for value, gradient in zip(values, found, strict=True):
        expected = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            kept, sides = value[index], []
            for step in (1e-6, -1e-6):
                value[index] = kept + step
                sides.append((twin(*values) * target).sum())
            value[index] = kept
            expected[index] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(np.array(gradient), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("y", [1e-3, 0.5, 1.0, 20.0])
def test_softplus_inverse(y: float) -> None:
    assert np.logaddexp(ops.softplus_inverse(y), 0) == pytest.approx(y, rel=1e-5)


def test_softplus_inverse_of_what_is_not_positive() -> None:
    for y in (-1.0, 0.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"positive and finite: it is never {y}"):
            ops.softplus_inverse(y)


def test_a_solver_that_there_is_not() -> None:
    for solver in ("nonsense", "semi_implicit"):
        with pytest.raises(ValueError, match=f"unknown solver '{solver}': expected one of explicit, rk4"):
            ops.ode_step(solver, lambda v: -v, mx.ones((1, 1)), mx.ones((1, 1)))


# What layers take for an activation


@pytest.mark.parametrize(
    ("given", "name"),
    [
        *(
            ("swish", "silu"),
            ("hard_swish", "hardswish"),
            ("soft_shrink", "softshrink"),
            ("exp", "exponential"),
        ),
        *(
            (nn.relu, "relu"),
            (mx.tanh, "tanh"),
            (mx.sigmoid, "sigmoid"),
            (nn.ReLU(), "relu"),
            (nn.Mish(), "mish"),
        ),
    ],
)
def test_other_ways_to_say_the_name_of_an_activation(given: Any, name: str) -> None:
    assert ops.activation_of("activation", given) == name
    x = mx.array(arguments(((5, 8),))[0])
    assert mx.array_equal(ops.activate(given, x), ops.activate(name, x))


def test_every_activation_of_mlx_has_its_name() -> None:
    """`prelu` alone takes a parameter: its module can be given."""
    public = {name for name, value in vars(nn.layers.activations).items() if callable(value)}
    functions = {name for name in public if name[0].islower() and name not in ("prelu", "partial")}
    assert functions <= set(ops.ACTIVATIONS) | {"tanh"}


def test_an_activation_may_be_any_function_of_any_array() -> None:
    assert ops.activate(mx.square, mx.array([3.0])).item() == 9.0
    assert ops.activate(nn.LeakyReLU(0.5), np.array([-2.0])).item() == -1.0
    assert ops.activate("relu", [-1.0, 2.0]).tolist() == [0.0, 2.0]
    with pytest.raises(ValueError, match="unknown activation 'reelu': expected one of celu, "):
        ops.activate("reelu", mx.zeros((1,)))
    with pytest.raises(
        TypeError, match="activation is the class ReLU: expected a name, such as 'relu', or a"
    ):
        ops.activate(nn.ReLU, mx.zeros((1,)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="activation is int: expected a name"):
        ops.activate(3, mx.zeros((1,)))  # type: ignore[arg-type]


def test_rows_may_be_chosen_by_a_list() -> None:
    new, old = mx.ones((2, 3)), mx.zeros((2, 3))
    for chosen in ([True, False], np.array([True, False]), mx.array([True, False])):
        assert ops.blend(chosen, new, old).tolist() == [[1.0] * 3, [0.0] * 3]
        assert ops.reset(new, chosen).tolist() == [[0.0] * 3, [1.0] * 3]
    with pytest.raises(ValueError, match=r"rows are chosen by an array of shape \(3,\): expected \(2,\)"):
        ops.blend([True, False, True], new, old)


# Sequences of unequal length


@pytest.fixture
def mask() -> np.ndarray:
    return np.random.default_rng(1).random((6, 9)) < 0.6


def test_length_mask() -> None:
    lengths = np.array([0, 2, 5])
    expected = [[t < n for t in range(5)] for n in lengths]
    np.testing.assert_array_equal(ops.length_mask(lengths, 5), expected)


def test_reverse_index_reverses_the_valid_steps_of_each_row(mask: np.ndarray) -> None:
    x = RNG.normal(size=(6, 9, 2)).astype(np.float32)
    found = np.array(ops.take_steps(mx.array(x), ops.reverse_index(mask)))
    for row, valid, out in zip(x, mask, found, strict=True):
        np.testing.assert_array_equal(out[valid], row[valid][::-1])
        np.testing.assert_array_equal(out[~valid], row[~valid])


def test_held_index_is_the_last_valid_step(mask: np.ndarray) -> None:
    for row, found in zip(mask, ops.held_index(mask), strict=True):
        for t, index in enumerate(found):
            before = np.flatnonzero(row[: t + 1])
            assert index == (before[-1] if len(before) else -1)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2), (3, 4, 2, 2)])
def test_take_steps_mirrors_take_along_axis(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape).astype(np.float32)
    index = RNG.integers(0, 4, (3, 5)).astype(np.int32)
    expected = np.stack([row[order] for row, order in zip(x, index, strict=True)])
    np.testing.assert_array_equal(np.array(ops.take_steps(mx.array(x), index)), expected)

    weight = RNG.normal(size=expected.shape).astype(np.float32)
    found = mx.grad(lambda x: (ops.take_steps(x, index) * mx.array(weight)).sum())(mx.array(x))
    gradient = np.zeros_like(x)
    for b in range(3):
        np.add.at(gradient[b], index[b], weight[b])
    np.testing.assert_allclose(np.array(found), gradient, atol=1e-6)


# States


def states(kind: str) -> tuple[Any, Any]:
    new, old = (mx.array(RNG.normal(size=(4, 3)).astype(np.float32)) for _ in range(2))
    if kind == "tuple":
        return (new, mx.stack([new, new], -1)), (old, mx.stack([old, old], -1))
    return new, old


def arrays(state: Any) -> list[np.ndarray]:
    return [np.array(part) for part in (state if isinstance(state, tuple) else (state,))]


@pytest.mark.parametrize("kind", ["array", "tuple"])
def test_states_are_blended_reset_and_taken_by_row(kind: str) -> None:
    new, old = states(kind)
    chosen = np.array([True, False, True, False])
    wheres = {
        "blend": (ops.blend(mx.array(chosen), new, old), zip(arrays(new), arrays(old), strict=True)),
        "reset": (ops.reset(new, mx.array(chosen)), ((0 * a, a) for a in arrays(new))),
        "reset to": (ops.reset(new, mx.array(chosen), old), zip(arrays(old), arrays(new), strict=True)),
    }
    for name, (found, pairs) in wheres.items():
        assert isinstance(found, tuple) == (kind == "tuple"), name
        for result, (yes, no) in zip(arrays(found), pairs, strict=True):
            rows = chosen.reshape(-1, *(1,) * (yes.ndim - 1))
            np.testing.assert_array_equal(result, np.where(rows, yes, no))
    for index in (1, slice(1, 3)):
        for result, whole in zip(arrays(ops.rows(new, index)), arrays(new), strict=True):
            np.testing.assert_array_equal(result, whole[index])


def test_zeros_are_one_array_or_several() -> None:
    assert ops.zero_state([(3,)], 2).shape == (2, 3)
    one, two = ops.zero_state([(3,), (3, 8)], 2)
    assert one.shape == (2, 3)
    assert two.shape == (2, 3, 8)
    assert not float(mx.abs(two).max())


def test_detach_stops_the_gradient() -> None:
    def loss(v: mx.array) -> mx.array:
        kept, other = ops.detach((v, 2 * v))
        return (v * kept + other).sum()

    v = mx.array([1.0, 2.0])
    np.testing.assert_array_equal(np.array(mx.grad(loss)(v)), np.array(v))


# Random numbers


@pytest.mark.parametrize(("low", "high"), [(0.001, 1.0), (-0.2, 0.2), (3.0, 8.0)])
def test_uniform_draws_fill_their_range_evenly(low: float, high: float) -> None:
    drawn = np.array(ops.Draws(mx.random.key(0)).uniform(low, high, 4000))
    assert low <= drawn.min()
    assert drawn.max() <= high
    assert kstest(drawn, "uniform", (low, high - low)).pvalue > 0.01


def test_draws_follow_the_key_or_the_global_seed() -> None:
    def drawn(key: mx.array | None) -> list[np.ndarray]:
        draws = ops.Draws(key)
        return [np.array(draws.uniform(0, 1, 3)), np.array(draws.uniform(0, 1, 3))]

    first, second = drawn(mx.random.key(1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, drawn(mx.random.key(1))[0])
    mx.random.seed(4)
    expected = drawn(None)
    mx.random.seed(4)
    np.testing.assert_array_equal(expected, drawn(None))


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7)])
def test_orthogonal_draws(shape: tuple[int, int]) -> None:
    q = np.array(ops.Draws(mx.random.key(2)).orthogonal(*shape), np.float64)
    assert q.shape == shape
    product = q.T @ q if shape[0] >= shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-6)


def test_glorot_draws_keep_within_their_limit() -> None:
    drawn = np.array(ops.Draws(mx.random.key(0)).glorot(16, 10, 1000))
    assert np.abs(drawn).max() <= np.sqrt(6 / 26)
