"""Every name of `ganglion.ops` beside NumPy, small and large: a large array takes kernels of our own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from scipy.special import softmax
from tests.cells.test_ops import ACTIVATION_TWINS, DEVICES, DTYPES

import ganglion as gl
from ganglion import ops
from ganglion.compile.kernels import operations

RNG = np.random.default_rng(0)
NAMES = {
    *(name for name in ops.__all__ if name not in ("array", "math", "nn", "random", "state")),
    *(f"random.{name}" for name in ("get_state", "key", "normal", "seed", "set_state", "split", "uniform")),
}


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32) * 3


def norm(x: np.ndarray, axis: Any, w: Any = 1.0, b: Any = 0.0) -> np.ndarray:
    variance = x.var(axis, keepdims=True)
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(variance + 1e-5) * w + b


# name -> (ours, NumPy's, shapes of arguments that are small, and that are large enough for a kernel)
Twin = tuple[Callable[..., Any], Callable[..., Any], list[tuple[tuple[int, ...], ...]]]
LARGE = (37, 130)
TWINS: dict[str, Twin] = {
    "add": (ops.add, np.add, [((3, 1), (4,)), (LARGE, LARGE), ((0, 3), (3,)), ((), (2,))]),
    "multiply": (ops.multiply, np.multiply, [((3, 1), (4,)), (LARGE, LARGE), ((0, 3), (3,)), ((), (2,))]),
    "matmul": (
        ops.matmul,
        np.matmul,
        [
            *(((3, 4), (4, 2)), ((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 5))),
            *(
                ((65, 70), (70, 33)),
                ((7, 65, 70), (70, 33)),
                ((7, 65, 70), (7, 70, 33)),
                ((1, 300), (300, 300)),
            ),
            *(
                ((2, 1, 65, 70), (3, 70, 33)),
                ((0, 70), (70, 2000)),
                ((70, 0), (0, 70)),
                ((200, 300), (300, 1)),
            ),
        ],
    ),
    "reshape": (
        lambda x: ops.reshape(x, (2, -1)),
        lambda x: np.reshape(x, (2, -1)),
        [((3, 4),), (LARGE[::-1],)],
    ),
    "transpose": (ops.transpose, np.transpose, [((3, 4),), ((2, 3, 4),), ((),), ((0, 3),)]),
    "concatenate": (
        lambda *x: ops.concatenate(x, 1),
        lambda *x: np.concatenate(x, 1),
        [((2, 3), (2, 1)), ((2, 0), (2, 3))],
    ),
    "split": (lambda x: ops.split(x, [1, 9]), lambda x: np.split(x, [1, 9]), [((3, 2),), ((12, 2),)]),
    "zeros": (lambda: ops.zeros((2, 3)), lambda: np.zeros((2, 3), np.float32), [()]),
    "ones": (lambda: ops.ones(4, mx.int32), lambda: np.ones(4, np.int32), [()]),
    "layer_norm": (
        ops.layer_norm,
        lambda x, w=1.0, b=0.0: norm(x, -1, w, b),
        [
            ((3, 5),),
            ((3, 5), (5,), (5,)),
            (LARGE, (130,), (130,)),
            (LARGE, (130,)),
            ((2, 3, 400),),
            ((0, 40),),
        ],
    ),
    "batch_norm": (
        lambda x, w, b: ops.batch_norm(x, weight=w, bias=b),
        lambda x, w, b: norm(x, tuple(range(x.ndim - 1)), w, b),
        [((6, 5), (5,), (5,)), (LARGE, (130,), (130,)), ((5, 20, 40), (40,), (40,))],
    ),
    "affine": (ops.affine, lambda x, w, b: x * w + b, [((3, 5), (5,), (5,)), (LARGE, (130,), (130,))]),
    "synaptic_sigmoid": (
        ops.synaptic_sigmoid,
        lambda v, mu, sigma: 1 / (1 + np.exp(-sigma * (v - mu))),
        [((3, 5), (5,), (5,)), (LARGE, (130,), (130,))],
    ),
    "softmax": (
        ops.softmax,
        lambda x: softmax(x, -1),
        [((3, 5),), (LARGE,), ((2, 5, 301),), ((3000,),), ((1, 20),)],
    ),
    "take_steps": (
        lambda x: ops.take_steps(x, np.array([[1, 0, 2]], np.int32)),
        lambda x: x[:, [1, 0, 2]],
        [((1, 3, 2),)],
    ),
}
for name, twin in ACTIVATION_TWINS.items():
    empty = [] if "soft" in name else [((0, 4),)]
    TWINS.setdefault(name, (getattr(ops, name), twin, [((5, 8),), (LARGE,), ((3, 101, 20),), *empty]))
ROWWISE = {"glu", "softmax", "softmin", "log_softmax"}
AXES = [None, 0, 1, -1, (0, 1), (1, 2), (0, 2), (0, 1, 2), ()]
SHAPES = [(2, 3, 4), (40, 30, 20), (3, 2, 4000), (5000, 2, 1), (0, 3, 4)]
ROWS = [(name, k) for name, (_, _, shapes) in TWINS.items() for k in range(len(shapes))]
ELSEWHERE = {
    # Beside NumPy or numbers worked out by hand in test_ops.py, or below.
    *("ACTIVATIONS", "activate", "activation_of", "blend", "detach", "held_index", "length_mask", "ode_step"),
    *("reset", "reverse_index", "rows", "softplus_inverse", "zero_state", "sum", "mean", "dropout", "update"),
    *("variables", "random.get_state", "random.key", "random.normal", "random.seed", "random.set_state"),
    *("random.split", "random.uniform"),
}


def test_every_name_has_a_twin() -> None:
    assert set(TWINS) | ELSEWHERE == NAMES


def close(found: Any, expected: Any, atol: float = 2e-6) -> None:
    if isinstance(found, list):
        for one, other in zip(found, expected, strict=True):
            close(one, other)
        return
    assert found.shape == np.shape(expected)
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(np.array(found), expected, rtol=2e-6, atol=atol * scale)


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_values_shapes_and_types(name: str, row: int, device: mx.DeviceType) -> None:
    ours, theirs, shapes = TWINS[name]
    given = [floats(*shape) for shape in shapes[row]]
    expected = theirs(*(value.astype(np.float64) for value in given))
    if name == "ones":
        assert ours().dtype == mx.int32
    with mx.stream(device):
        close(ours(*map(mx.array, given)), expected)
        close(ours(*given), expected)  # arrays of NumPy


@pytest.mark.parametrize(("name", "row"), [row for row in ROWS if row[0] != "take_steps"])
def test_the_same_inside_transformations(name: str, row: int) -> None:
    ours, theirs, shapes = TWINS[name]
    given = [mx.array(floats(*shape)) for shape in shapes[row]]
    if not given or name == "split":
        return
    expected = theirs(*(np.array(value, np.float64) for value in given))
    if name in ("tanh", "softmax", "layer_norm", "matmul"):  # MLX calls a compiler for each of the others
        close(mx.compile(ours)(*given), expected)
    many = [mx.stack([value, value * 0.5]) for value in given]
    halves = theirs(*(np.array(value, np.float64) * 0.5 for value in given))
    found = mx.vmap(ours)(*many)
    close(found[0], expected)
    close(found[1], halves)
    moved = mx.vmap(ours, in_axes=(given[0].ndim, *[None] * (len(given) - 1)))
    close(moved(mx.stack([given[0], given[0]], -1), *given[1:])[1], expected)


DIFFERENTIABLE = [
    row
    for row in ROWS
    if row[0] not in ("split", "take_steps", "zeros", "ones", "step", "reshape", "transpose")
]
STRAIGHT = ("relu", "relu6", "leaky_relu", "hard", "shrink", "softsign", "elu")  # with a bend, somewhere


@pytest.mark.parametrize(("name", "row"), DIFFERENTIABLE)
def test_derivatives_along_a_line_are_differences(name: str, row: int) -> None:
    """First ones in both modes, and second ones where there is no bend, from NumPy in float64."""
    ours, theirs, shapes = TWINS[name]
    exact = [floats(*shape).astype(np.float64) for shape in shapes[row]]
    along = [RNG.normal(size=x.shape) for x in exact]
    target = RNG.normal(size=theirs(*exact).shape)
    x, u = ([mx.array(value.astype(np.float32)) for value in values] for values in (exact, along))
    t = mx.array(target.astype(np.float32))

    def line(step: float) -> float:
        return float((theirs(*(a + step * b for a, b in zip(exact, along, strict=True))) * target).sum())

    def slope(*x: mx.array) -> mx.array:
        found = mx.vjp(ours, list(x), [t])[1]
        return sum(((g * v).sum() for g, v in zip(found, u, strict=True)), mx.array(0.0))

    size = 1.0 + float(np.abs(target).sum())
    first = (line(1e-6) - line(-1e-6)) / 2e-6
    assert slope(*x).item() == pytest.approx(first, rel=1e-4, abs=1e-5 * size)
    assert (mx.jvp(ours, x, u)[1][0] * t).sum().item() == pytest.approx(first, rel=1e-4, abs=1e-5 * size)
    if any(word in name for word in STRAIGHT):
        return
    bend = mx.vjp(slope, x, [mx.array(1.0)])[1]
    second = (line(1e-4) - 2 * line(0.0) + line(-1e-4)) / 1e-8
    found = sum((g * v).sum().item() for g, v in zip(bend, u, strict=True))
    assert found == pytest.approx(second, rel=1e-3, abs=1e-4 * size)


NOTHING = mx.zeros((0, 5))
OF_NOTHING = {
    "add": lambda w: ops.add(NOTHING, w),
    "multiply": lambda w: ops.multiply(NOTHING, w),
    "affine": lambda w: ops.affine(NOTHING, w, w),
    "synaptic_sigmoid": lambda w: ops.synaptic_sigmoid(NOTHING, w, w),
    "layer_norm": lambda w: ops.layer_norm(NOTHING, w, w),
    "batch_norm": lambda w: ops.batch_norm(NOTHING, w, w, w, w),
}


@pytest.mark.parametrize("name", OF_NOTHING)
def test_gradients_of_no_rows_are_zeros(name: str) -> None:
    """MLX takes seconds, or for ever, for sums over no rows, by what lay in memory."""
    for _ in range(20):
        (found,), (gradient,) = mx.vjp(OF_NOTHING[name], [mx.ones(5)], [NOTHING])
        assert found.shape == (0, 5)
        np.testing.assert_array_equal(gradient, np.zeros(5))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_sums_and_means(name: str, axis: Any, keepdims: bool, shape: tuple[int, ...]) -> None:
    x = floats(*shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = getattr(np, name)(x.astype(np.float64), axis, keepdims=keepdims)
    if name == "mean" and np.isnan(expected).any():
        assert np.isnan(np.array(ops.mean(mx.array(x), axis, keepdims))).all()
        return
    found = getattr(ops, name)(mx.array(x), axis, keepdims)
    assert found.shape == expected.shape
    close(found, expected, atol=1e-5 * max(1.0, np.sqrt(x.size)) if name == "sum" else 1e-5)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_derivatives_of_sums(axis: int | None) -> None:
    """Beside float64: where a sum is nearly 0, MLX's own is off by more than a hundred roundings."""
    x, t = mx.array(floats(70, 90)), mx.array(floats(70, 90))
    for ours, theirs in ((ops.sum, np.sum), (ops.mean, np.mean)):
        exact, direction = (theirs(np.array(a, np.float64), axis, keepdims=axis is not None) for a in (x, t))
        count = x.size / exact.size if ours is ops.mean else 1
        found = mx.grad(lambda x, f=ours: mx.square(f(x, axis)).sum())(x)
        close(found, np.broadcast_to(2 * exact / count, x.shape), atol=1e-5 * np.sqrt(x.size) / count)
        direction = np.squeeze(direction)
        close(mx.jvp(lambda x, f=ours: f(x, axis), [x], [t])[1][0], direction, atol=1e-4)
        many = mx.vmap(lambda x, f=ours: f(x, axis), in_axes=1)(mx.stack([x, t], 1))
        close(many[1], direction, atol=1e-4)


def test_many_numbers_are_added_as_well_as_few() -> None:
    x = np.full(3_000_001, 0.1, np.float32)
    assert ops.sum(x).item() == pytest.approx(x.astype(np.float64).sum(), rel=1e-6)
    assert ops.mean(x).item() == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize("name", sorted(set(ACTIVATION_TWINS) - ROWWISE))
def test_what_is_not_finite_is_as_in_a_small_array(name: str) -> None:
    odd = np.array(
        [np.nan, np.inf, -np.inf, 0.0, 1e-30, -1e-30, 1e-8, 90.0, -90.0, 500.0, -500.0, 1e38], np.float32
    )
    few = np.array(getattr(ops, name)(mx.array(odd)))
    many = np.array(getattr(ops, name)(mx.array(np.tile(odd, 1000))))
    np.testing.assert_allclose(many, np.tile(few, 1000), rtol=2e-6, atol=1e-7)


MLX_HAS: dict[str, Callable[..., mx.array]] = {
    "tanh": mx.tanh,
    "softmax": lambda x: mx.softmax(x, axis=-1),
    "layer_norm": lambda x: mx.fast.layer_norm(x, None, None, 1e-5),
    "sum": mx.sum,
    "add": mx.add,
}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, dtype) for name in MLX_HAS for dtype in (mx.float16, mx.bfloat16)),
        *((name, mx.int32) for name in ("tanh", "sum", "add")),
    ],
    ids=str,
)
def test_other_types_stay_with_mlx(name: str, dtype: mx.Dtype) -> None:
    x = mx.array(floats(*LARGE)).astype(dtype)
    given = (x, x) if name == "add" else (x,)
    found = getattr(ops, name)(*given)
    expected = MLX_HAS[name]
    assert found.dtype == expected(*given).dtype
    exact = np.array(expected(*given).astype(mx.float32))
    np.testing.assert_allclose(np.array(found.astype(mx.float32)), exact, rtol=DTYPES.get(dtype, 1e-6))


def test_arrays_that_lie_in_any_way() -> None:
    x = mx.array(floats(130, 200))
    for view in (x.T, x[::2], x[:, ::3], mx.broadcast_to(x[:1], (90, 200)), x.reshape(200, 130).T[5:]):
        close(ops.tanh(view), np.tanh(np.array(view)))
        close(ops.softmax(view), softmax(np.array(view, np.float64), -1))
        close(ops.sum(view, -1), np.array(view, np.float64).sum(-1), atol=1e-5)
        w = mx.array(floats(view.shape[1], 40))
        for b in (w, mx.array(np.array(w.T)).T, mx.stack([w, w], 1)[:, 1]):
            close(ops.matmul(view, b), np.array(view, np.float64) @ np.array(b, np.float64), atol=1e-5)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w = mx.array(floats(300, 201)), mx.ones(201)
    key = ops.random.key(3)

    def results() -> list[mx.array]:
        found = [
            *(ops.tanh(x), ops.sum(x), ops.sum(x, 0), ops.mean(x, 1), ops.layer_norm(x, w), ops.softmax(x)),
            *(ops.random.normal(size=x.shape, key=key), ops.matmul(x, x.T)),
        ]
        mx.eval(found)
        return found

    monkeypatch.setenv("GANGLION_NUM_THREADS", "1")
    one = results()
    for threads in ("2", "5"):
        monkeypatch.setenv("GANGLION_NUM_THREADS", threads)
        assert all(mx.array_equal(a, b) for a, b in zip(one, results(), strict=True))


# Random numbers


@pytest.mark.parametrize("shape", [(), (7,), (3000,), (4097,), (3, 2001), (0, 5)], ids=str)
def test_the_numbers_are_those_of_mlx(shape: tuple[int, ...]) -> None:
    key = ops.random.key(5)
    assert mx.array_equal(ops.random.uniform(size=shape, key=key), mx.random.uniform(shape=shape, key=key))
    found, expected = (
        ops.random.normal(1.0, 2.0, shape, key=key),
        mx.random.normal(shape, loc=1, scale=2, key=key),
    )
    close(found, np.array(expected))
    with mx.stream(mx.cpu):
        many = mx.vmap(lambda k: ops.random.uniform(size=shape, key=k))(ops.random.split(key, 3))
        theirs = mx.vmap(lambda k: mx.random.uniform(shape=shape, key=k))(mx.random.split(key, 3))
    assert mx.array_equal(many, theirs)


def test_the_global_state_is_that_of_mlx() -> None:
    ops.random.seed(3)
    ours = [ops.random.uniform(-1.0, 3.0, size) for size in (3, 5000, 4)]
    held = ops.random.get_state()
    after = ops.random.normal(size=4000)
    mx.random.seed(3)
    for x in ours:
        close(x, np.array(mx.random.uniform(-1.0, 3.0, x.shape)))
    ops.random.set_state(held)
    assert mx.array_equal(ops.random.normal(size=4000), after)
    assert not mx.array_equal(ops.random.normal(size=4000), after)
    with pytest.raises(TypeError, match="key must be a random key"):
        ops.random.set_state(mx.array([1.0]))


def test_random_numbers_inside_a_compiled_function() -> None:
    @mx.compile
    def draw(key: mx.array) -> mx.array:
        return ops.random.uniform(size=(5000,), key=key)

    for k in (1, 2):
        assert mx.array_equal(draw(mx.random.key(k)), mx.random.uniform(shape=(5000,), key=mx.random.key(k)))


def test_normal_numbers_are_normal_beyond_a_doubt() -> None:
    x = np.array(ops.random.normal(size=1_000_000, key=ops.random.key(0)), np.float64)
    assert abs(x.mean()) < 0.005
    assert abs(x.std() - 1) < 0.003
    assert 4.0 < np.abs(x).max() < 6.5
    assert abs((x**4).mean() - 3) < 0.05


def test_shapes_of_random_numbers_follow_their_limits() -> None:
    low = mx.array([[0.0], [10.0]])
    x = np.array(ops.random.uniform(low, low + mx.array([1.0, 2.0, 3.0])))
    assert x.shape == (2, 3)
    assert (x[0] < 3).all()
    assert (x[1] >= 10).all()
    assert ops.random.normal().shape == ()
    assert ops.random.uniform(2.0, 2.5, 3000).min().item() >= 2.0


@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_dropout(p: float) -> None:
    x = mx.ones((100, 300))
    y = np.array(ops.dropout(x, p, key=ops.random.key(1)))
    assert abs((y == 0).mean() - p) < 0.02
    assert np.isclose(y[y != 0], 1 / (1 - p)).all()
    with pytest.raises(ValueError, match="p must be"):
        ops.dropout(x, 1.0)


# State


def test_variables_of_a_module_and_back() -> None:
    layer = nn.Sequential(nn.Linear(3, 2), gl.NCPDense(4))
    layer(mx.ones((1, 3)))
    layer.layers[0].freeze()
    held = ops.variables(layer)
    assert set(held) == {f"layers.{k}.{name}" for k in (0, 1) for name in ("weight", "bias")}
    ops.update(layer, {"layers.0.bias": np.array([1.0, 2.0])})
    assert layer.layers[0].bias.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"layers\.0\.weight has shape \(2, 2\): expected \(2, 3\)"):
        ops.update(layer, {"layers.1.bias": mx.zeros(4), "layers.0.weight": mx.zeros((2, 2))})
    with pytest.raises(ValueError, match="unknown variable 'nothing'"):
        ops.update(layer, {"nothing": mx.zeros(2)})
    ops.update(layer, held)
    assert all(mx.array_equal(value, held[path]) for path, value in ops.variables(layer).items())


# Streams, and machines without a compiler


def test_everything_that_makes_an_array_takes_a_stream() -> None:
    without = {
        *("ACTIVATIONS", "activation_of", "held_index", "length_mask", "reverse_index", "softplus_inverse"),
        *("update", "variables", "zero_state"),
    }
    for name in set(ops.__all__) - without - {"array", "math", "nn", "random", "state"}:
        assert "stream" in inspect.signature(getattr(ops, name)).parameters, name
    stream = mx.new_stream(mx.cpu)
    x = floats(*LARGE)
    close(ops.tanh(x, stream=stream), np.tanh(x))
    close(ops.matmul(x, x.T, stream=stream), x @ x.T, atol=1e-5)
    with pytest.raises(TypeError, match="stream must be a stream or a device of MLX, got 'cpu'"):
        ops.tanh(x, stream="cpu")  # type: ignore[arg-type]


def test_exported_functions_hold_operations_of_mlx_only(tmp_path: Any) -> None:
    x = mx.array(floats(*LARGE))
    mx.export_function(str(tmp_path / "f.mlxfn"), lambda x: ops.softmax(ops.matmul(ops.tanh(x), x.T)), x)
    found = mx.import_function(str(tmp_path / "f.mlxfn"))(x)[0]
    close(found, softmax(np.tanh(np.array(x, np.float64)) @ np.array(x, np.float64).T, -1), atol=1e-5)


def test_the_kernels_are_at_work_here() -> None:
    """Or the tests above would compare MLX with NumPy."""
    with mx.stream(mx.cpu):
        assert operations.curve("tanh", mx.array(floats(*LARGE))) is not None
        assert operations.curve("tanh", mx.array(floats(5))) is None
