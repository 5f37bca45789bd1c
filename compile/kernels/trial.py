"""What a library of nodes must compute before it is trusted, in a process of its own."""

from __future__ import annotations

import ctypes
from typing import Any

import mlx.core as mx
import numpy as np

from .nodes import prepared
from .operations import Operations, _curves, _sgemm
from .updates import parts, updated

W, X = 3.0, [[1.0, 2.0], [-4.0, 0.5], [7.0, -1.0]]


def main(path: str) -> None:
    """Run the pair of kernels of the library itself, out = w x, in every way that MLX has.

    Raises:
        KernelError, AssertionError: something is wrong.
    """
    library = prepared(ctypes.CDLL(path)._handle)
    scaled = _scaled(library)
    w, x = mx.array([W]), mx.array(X)
    expected, slope = w * x, 2 * w * w * x

    def loss(w: mx.array, x: mx.array) -> mx.array:
        return mx.square(scaled(w, x)).sum()

    _same(scaled(w, x), expected)
    _same(scaled(w, x.T.reshape(2, 3).T), expected)
    for transformed in (mx.grad(loss, argnums=(0, 1)), mx.compile(mx.grad(loss, argnums=(0, 1)))):
        d_w, d_x = transformed(w, x)
        _same(d_w, (2 * w * x * x).sum())
        _same(d_x, slope)
    _same(mx.compile(scaled)(w, x), expected)
    _same(mx.vmap(scaled, in_axes=(None, 0))(w, mx.stack([x, 2 * x])), mx.stack([expected, 2 * expected]))
    _same(mx.vmap(scaled, in_axes=(0, None))(mx.stack([w, 2 * w]), x), mx.stack([expected, 2 * expected]))
    flat = mx.array([1.0, -2.0, 3.0, 4.0, 5.0])
    first, second = mx.compile(lambda flat: parts(flat, [(1,), (2, 2)], library))(flat)
    _same(second, flat[1:].reshape(2, 2))
    numbers, rate, step = (0.5, 0.0, 1.0, False), mx.array(1.0), mx.array(1, mx.uint64)  # momentum of a half
    new, speed = updated("sgd", numbers, rate, step, [flat, flat], [first, second.T], [False, True], library)
    slope = mx.concatenate([first, second.T.reshape(-1)])
    _same(speed, 0.5 * flat + slope)
    _same(new, mx.concatenate([(flat - speed)[:1], mx.maximum((flat - speed)[1:], 0.0)]))
    many = mx.compile(mx.vmap(mx.grad(loss), in_axes=(0, None)))(mx.stack([w, 2 * w]), x)
    _same(many, mx.stack([1 * w, 2 * w]) * 2 * (x * x).sum())


def operations(path: str) -> None:
    """The same for the library of operations, beside MLX's own.

    Raises:
        KernelError, AssertionError: something is wrong.
    """
    run = Operations(prepared(ctypes.CDLL(path)._handle))
    x = mx.random.normal((100, 70), key=mx.random.key(1))
    y = mx.random.normal((100, 70), key=mx.random.key(3))
    w = mx.random.normal((70, 37), key=mx.random.key(2))
    pairs = [
        (lambda x: run("curve", _curves()["tanh"], [x], (0.0, 0.0)), mx.tanh),
        (lambda x: run("rowwise", 0, [x], (0.0, 0.0, 0.0)), lambda x: mx.softmax(x, axis=-1)),
        *((lambda x, k=k: run("reduce", k, [x], (2.0,)), lambda x, a=a: mx.sum(x, axis=a) / 2)
          for k, a in ((0, None), (1, -1), (2, 0))),
    ]  # fmt: skip
    pairs += [
        (lambda x: run("pair", 0, [x, y]), lambda x: x + y),
        (lambda x: run("pair", 1, [x, y]), lambda x: x * y),
        (lambda x: run("join", 1, [x, y, x]), lambda x: mx.concatenate([x, y, x], axis=1)),
    ]
    if _sgemm():
        pairs += [_product(run, w), _product(run, w[:, :7])]
    for ours, theirs in pairs:
        for changed in (_square(ours), _square(theirs)), (ours, theirs):
            found, expected = (mx.compile(function)(x) for function in changed)
            apart = mx.abs(found - expected).max() / mx.abs(expected).max()
            assert float(np.array(apart)) < 1e-5, f"{found} instead of {expected}"
    bits = mx.random.uniform(shape=(4099,), key=mx.random.key(3))
    drawn = run("draw", 0, [mx.random.key(3)], (), (4099,))
    assert drawn is not None
    assert mx.array_equal(drawn, bits)


def _product(run: Operations, w: mx.array) -> tuple[Any, Any]:
    return lambda x: run("multiply", 0, [x, w]), lambda x: x @ w


def _square(function: Any) -> Any:
    return mx.grad(lambda x: mx.square(function(x)).sum())


def _scaled(library: Any) -> Any:
    def function(name: str) -> int:
        return ctypes.cast(library[name], ctypes.c_void_p).value or 0

    declared = [
        *(function("ganglion_trial_forward"), 0, 0, 0, 0, 0),  # no crew, sizes, numbers
        *(function("ganglion_trial_backward"), 0, 0, 0, 0, 0),
        *(function("ganglion_alone"), 1, 0),  # pool, rows to a vector, bytes to save
        *(1, 1),  # one value of one float
        *(1, 1, 2),  # rows: x of two floats
        *(1, 1, 2),  # results: out of two
        *_list([]),  # saves nothing
        *_list([0, 2]),  # backward reads x and the gradient of out
        *_list([0]),  # gives that of x
        *_list([1]),  # and a total of one float
        *_list([0]),  # which is that of w
    ]
    words = (ctypes.c_int64 * len(declared))(*declared)
    index = library.ganglion_index((ctypes.c_int64 * 1)(0))
    pair = library.ganglion_pair(words, index, index)

    def scaled(w: mx.array, x: mx.array) -> mx.array:
        made, error = mx.array(0.0), ctypes.create_string_buffer(500)
        given = (ctypes.c_void_p * 2)(id(w), id(x))
        out = (ctypes.c_void_p * 1)(id(made))
        code = library.ganglion_call(pair, given, 2, out, 1, 1, 1, 0, error, 500)
        if code == -3:
            code = library.ganglion_call(pair, given, 2, out, 1, 1, 1, 1, error, 500)
        assert code == 0, f"code {code}: {error.value!r}"
        return made

    return scaled


def _list(values: list[int]) -> list[int]:
    return [len(values), *values]


def _same(found: mx.array, expected: mx.array) -> None:
    ours, theirs = (array.reshape(-1).tolist() for array in (found, expected))
    assert ours == theirs, f"{ours} instead of {theirs}"
