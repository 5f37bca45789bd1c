"""Operations on whole arrays by vectors and threads, as nodes of MLX's graph; None where MLX's own must do.

Each is faster than MLX's on a processor from some size on, with derivatives of any order and inside every
transformation. It needs float32, the library of `nodes`, and is not taken while exporting.
"""

from __future__ import annotations

import ctypes
import math
import re
import sys
import warnings
from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Literal

import mlx.core as mx

from ...errors import KernelError
from . import nodes
from .nodes import DONE, FAILED_BEFORE, FOLLOWED, NO_MEMORY, ROOM
from .processor import vector_floats
from .source import SOURCE
from .threads import pool, thread_count
from .tracing import exporting

PARTS = (*nodes.PARTS, "lanes_cpu.h", "curves.h", "whole.h", "operation.h", "pairwise.h", "operations.h")
KINDS = ("curve", "rowwise", "reduce", "draw", "multiply", "listed", "pair", "join")
LISTED = ("masked", "by_synapse", "segments", "expand")
ROWWISE = ("softmax", "log_softmax", "layer_norm", "glu")
OVER = ("all", "last", "first")
DRAWN = ("uniform", "normal")
PAIRWISE = ("add", "multiply")
LEAST = 2048
"""From so many numbers on, a node takes less time than MLX's own operation."""
LEAST_MOVED = 1 << 16
"""The same where each number is only added, multiplied or copied."""
LEAST_ROW = 16
"""Numbers of a row, the same."""
LEAST_ROWS = 4
"""The same for rows in sums over synapses, of which a vector does many at once."""
LEAST_PRODUCTS = 1 << 16
"""The same for the multiplications of a matrix product."""
BLAS = "void (char *, char *, int *, int *, int *, "
"""How the type of SciPy's `sgemm` begins where its whole numbers have 32 bits."""


class Operations:
    """The library of operations, as it was loaded."""

    def __init__(self, library: Any) -> None:
        pointer, whole, word = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
        library.ganglion_equip.restype = None
        library.ganglion_equip.argtypes = [pointer] * 2
        library.ganglion_operation.argtypes = [
            *(whole, whole, pointer, word, pointer, word, pointer, word, pointer, word, whole),
            *(ctypes.c_char_p, word),
        ]
        library.ganglion_equip(ctypes.cast(pool(), pointer), _sgemm())
        self._call = library.ganglion_operation

    def __call__(
        self, kind: str, what: int, arrays: Sequence[mx.array], numbers: Sequence[float] = (),
        shape: Sequence[int] = (),
    ) -> mx.array | None:  # fmt: skip
        """The result, for MLX to compute later; None while exporting."""
        made, error = mx.array(0.0), ctypes.create_string_buffer(ROOM)
        given = (ctypes.c_void_p * len(arrays))(*map(id, arrays))
        values = (ctypes.c_float * len(numbers))(*numbers)
        sizes = (ctypes.c_int * len(shape))(*shape)
        for follow in (0, 1):
            if follow and exporting():
                return None
            code = self._call(
                KINDS.index(kind), what, values, len(numbers), sizes, len(shape), given, len(arrays),
                id(made), thread_count(), follow, error, ROOM,
            )  # fmt: skip
            if code != FOLLOWED:
                break
        if code == DONE:
            return made
        if code in (NO_MEMORY, FAILED_BEFORE):
            when = "" if code == NO_MEMORY else " of an earlier one, whose result is NaN"
            raise MemoryError(f"no memory for the result of an operation, or for the work{when}")
        raise RuntimeError(error.value.decode(errors="replace") or f"the array {code} is none of MLX")


def curve(name: str, x: mx.array, *numbers: float) -> mx.array | None:
    """A function of `CURVES` of each number, with the numbers that it takes."""
    run = _ready(x.size, x)
    return None if run is None else run("curve", _curves()[name], [x], (*numbers, 0.0, 0.0)[:2])


def rowwise(
    name: Literal["softmax", "log_softmax", "layer_norm", "glu"],
    x: mx.array,
    weight: mx.array | None = None,
    bias: mx.array | None = None,
    eps: float = 0.0,
) -> mx.array | None:
    """What `ROWWISE` names, of each row of the last axis; weight and bias of a norm are (N,)."""
    vectors = [v for v in (weight, bias) if v is not None]
    if x.ndim == 0 or any(v.shape != x.shape[-1:] for v in vectors):
        return None
    run = _ready(x.size, x, *vectors)
    flags = (float(weight is not None), float(bias is not None))
    return None if run is None else run("rowwise", ROWWISE.index(name), [x, *vectors], (eps, *flags))


def reduced(over: Literal["all", "last", "first"], x: mx.array, divisor: float = 1.0) -> mx.array | None:
    """The sum of all numbers, or along the last or the first axis, divided by a number."""
    run = _ready(x.size, x) if x.ndim else None
    return None if run is None else run("reduce", OVER.index(over), [x], (divisor,))


def paired(
    what: Literal["add", "multiply"], a: mx.array, b: mx.array, more: mx.array | None = None
) -> mx.array | None:
    """Sums or products of the numbers of two arrays of one shape, or with one number of `b` for each row.

    To a product, `more` of the shape of `a` is added.
    """
    if a.size < LEAST_MOVED or not (a.shape == b.shape or _is_column(a, b)):
        return None
    arrays = [a, b] if more is None else [a, b, more]
    if more is not None and more.shape != a.shape:
        return None
    run = _ready(a.size, *arrays)
    return None if run is None else run("pair", PAIRWISE.index(what), arrays)


def _is_column(a: mx.array, b: mx.array) -> bool:
    return a.ndim > 0 and a.shape[-1] >= LEAST_ROW and b.shape == (*a.shape[:-1], 1)


def joined(arrays: Sequence[mx.array], axis: int) -> mx.array | None:
    """Arrays one behind the other along an axis from 0 on."""
    size = sum(x.size for x in arrays)
    shapes = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in arrays}
    if size < LEAST_MOVED or len(shapes) > 1 or len({x.ndim for x in arrays}) > 1 or axis >= arrays[0].ndim:
        return None
    run = _ready(size, *arrays)
    return None if run is None else run("join", axis, arrays)


def draws(shape: Sequence[int]) -> bool:
    """Whether `drawn` takes so many numbers."""
    return math.prod(shape) < 1 << 32 and _ready(math.prod(shape)) is not None


def drawn(what: Literal["uniform", "normal"], shape: Sequence[int], key: mx.array) -> mx.array | None:
    """The numbers that `mx.random` makes of a key: uniform in [0, 1), or normal to some 1e-6."""
    run = _ready(math.prod(shape))
    return None if run is None else run("draw", DRAWN.index(what), [key], (), shape)


def listed(
    what: Literal["masked", "by_synapse", "segments", "expand"], rows: int, *arrays: mx.array
) -> mx.array | None:
    """Sums over the synapses of lists, for each of some rows, without rules for gradients and `mx.vmap`.

    Arrays, with int32 index arrays: "masked" has x (B, n), w (K,), ptr (m + 1,), which x (K,), which w (K,);
    "by_synapse" x (B, n), c (B, m), which x (K,), which c (K,), and gives (K,); "segments" a (B, K),
    ptr (m + 1,); "expand" y (B, m), which y (K,).
    """
    floats = [x for x in arrays if x.dtype != mx.int32]
    if rows < LEAST_ROWS:
        return None
    run = _ready(sum(x.size for x in arrays), *floats)
    return None if run is None else run("listed", LISTED.index(what), arrays)


def matmul(a: mx.array, b: mx.array) -> mx.array:
    """``a @ b``, by the BLAS that SciPy brings where MLX has none of its own: on Linux."""
    made = None
    if sys.platform == "linux" and a.ndim >= 2 <= b.ndim and a.shape[-1] == b.shape[-2]:
        work = a.size * b.shape[-1] * (1 if b.ndim == 2 else -(-b.size // max(1, a.size)))
        if work >= LEAST_PRODUCTS and (run := _ready(LEAST, a, b)) and _sgemm():
            made = _product(run, a, b)
    return a @ b if made is None else made


def _product(run: Operations, a: mx.array, b: mx.array) -> mx.array | None:
    if b.ndim == 2:
        rows = a if a.ndim == 2 else mx.flatten(a, 0, -2)
        made = run("multiply", 0, [rows, b])
        return made if made is None or a.ndim == 2 else made.reshape(*a.shape[:-1], b.shape[-1])
    leading = a.shape[:-2]
    if leading != b.shape[:-2]:
        shapes = [mx.zeros(x.shape[:-2]) for x in (a, b)]
        leading = mx.broadcast_arrays(*shapes)[0].shape
        a, b = (mx.broadcast_to(x, (*leading, *x.shape[-2:])) for x in (a, b))
    pair = [mx.flatten(x, 0, -3) if x.ndim > 3 else x for x in (a, b)]
    made = run("multiply", 0, pair)
    return made if made is None else made.reshape(*leading, *made.shape[-2:])


def _ready(count: int, *arrays: mx.array) -> Operations | None:
    """The library, if it has something to do that is worth a node."""
    if count < LEAST or mx.default_device() != mx.cpu or any(x.dtype != mx.float32 for x in arrays):
        return None
    return _library()


@cache
def _library() -> Operations | None:
    if not nodes.usable():
        return None
    try:
        thread_count()
    except KernelError:  # which is told where a kernel runs
        return None
    source = [f"#define LANES {vector_floats()}", *((SOURCE / part).read_text() for part in PARTS)]
    symbols = (*nodes.SYMBOLS, "ganglion_operation")
    trial = partial(nodes.tried, trial="operations")
    try:
        return Operations(nodes.built("operations", "\n".join(source), symbols, trial))
    except KernelError as error:
        warnings.warn(f"operations run slower than they could: {error}", RuntimeWarning, stacklevel=2)
        return None


@cache
def _curves() -> dict[str, int]:
    """The number of each curve, as curves.h counts them."""
    found = re.search(r"enum Curve \{([^}]*)\}", (SOURCE / "curves.h").read_text())
    assert found is not None
    return {word.strip().lower(): k for k, word in enumerate(found[1].split(","))}


@cache
def _sgemm() -> int | None:
    """Where SciPy's matrix product is, if it is what it is taken for."""
    from scipy.linalg import cython_blas  # it takes 50 ms to load

    capsule = getattr(cython_blas, "__pyx_capi__", {}).get("sgemm")
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype, python.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name = None if capsule is None else python.PyCapsule_GetName(capsule)
    if name is None or not name.decode().startswith(BLAS):
        return None
    place: int | None = python.PyCapsule_GetPointer(capsule, name)
    return place
