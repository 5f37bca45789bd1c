"""A pair of kernels as nodes of MLX's graph: what the library must know of it, and calls."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...errors import KernelError
from .cpu import CPURunner, kernel_function
from .nodes import DONE, FAILED, FOLLOWED, NO_MEMORY, ROOM, library
from .source import Array, CallSizes, Kernel
from .targets import Form
from .threads import pool, thread_count

CREW_SYNAPSES = 1 << 15
"""From so many on, a thread has more to do between two barriers than to wait for the others."""


class Pair:
    """The kernels of a sequence, for one length and one width of vectors.

    Args:
        forward, backward: the runners of the two; both are over the same circuit.
        call: the length of the sequence, and what is kept of it.
        lanes: how many rows of a batch are in one vector.
        saved_most: how many bytes forward may save for backward.
        total_of: for each value, which of backward's totals is its gradient.
        form: of the kernels.
        follow: whether gradients may be asked for; otherwise backward need not be built.

    Raises:
        KernelError: a kernel or the library cannot be built.
    """

    def __init__(
        self, forward: CPURunner, backward: CPURunner, call: CallSizes, lanes: int, saved_most: int,
        total_of: Sequence[int], form: Form, *, follow: bool,
    ) -> None:  # fmt: skip
        self._library = library()
        self._name = forward.kernel.name
        self._declared = forward.kernel.of("values") + forward.kernel.of("rows")
        sizes = {**forward.sizes, **call._replace(SAVING=1)._asdict()}
        self._counts = [array.count(sizes) for array in self._declared]

        def counts(kernel: Kernel, kind: str) -> list[int]:
            return _list([array.count(sizes) for array in kernel.of(kind)])

        declared = [
            *_half(forward, call, lanes, form, built=True),
            *_half(backward, call, lanes, form, built=follow),
            *(_address(pool()), lanes, saved_most),
            *counts(forward.kernel, "values"),
            *_shapes(forward.kernel.of("rows"), sizes),
            *_shapes(forward.kernel.of("results"), sizes),
            *counts(forward.kernel, "saves"),
            *_list(_given(forward.kernel, backward.kernel)),
            *_list(_gradients(forward.kernel, backward.kernel)),
            *counts(backward.kernel, "totals"),
            *_list(total_of),
        ]
        words = (ctypes.c_int64 * len(declared))(*declared)
        index = _index_of(forward), _index_of(backward)
        self._handle = self._library.ganglion_pair(words, *(each.handle for each in index))
        weakref.finalize(self, self._library.ganglion_drop_pair, self._handle).atexit = False

    def __call__(
        self, arrays: Sequence[Any], results: int, members: int, *, follow: bool
    ) -> list[mx.array] | None:
        """The first `results` results for values and rows, in the order the forward kernel declares them.

        Args:
            arrays: for rows, one row of the batch may stand for all.
            results: how many.
            members: for how many networks there are values and rows.
            follow: whether to let MLX compute them later; None is returned if it must, and this is false.

        Raises:
            KernelError: an array is no float32 array of MLX of the declared size.
            MemoryError: no memory for the working arrays of this call, or of one before that MLX ran later.
            RuntimeError: an input that cannot be computed.
        """
        made = [mx.array(0.0) for _ in range(results)]
        error = ctypes.create_string_buffer(ROOM)
        code = self._library.ganglion_call(
            self._handle, _objects(arrays), len(arrays), _objects(made), results, members, thread_count(),
            follow, error, ROOM,
        )  # fmt: skip
        if code == DONE:
            return made
        if code == FOLLOWED:
            return None
        if code > 0:
            raise KernelError(self._misfit(code - 1, arrays, members))
        if code == FAILED:
            raise RuntimeError(error.value.decode(errors="replace"))
        when = "" if code == NO_MEMORY else " in an earlier call, whose results are NaN"
        raise MemoryError(f"no memory for the working arrays of the kernel {self._name}{when}")

    def _misfit(self, place: int, arrays: Sequence[Any], members: int) -> str:
        """What is wrong with an array that does not fit."""
        declared, given = self._declared[place], arrays[place]
        what = f"{declared.name} of the kernel {self._name}"
        if not isinstance(given, mx.array):
            return f"{what} is a {type(given).__name__}: expected an mx.array"
        rows = next(a for a, d in zip(arrays, self._declared, strict=True) if d.kind == "rows").shape[0]
        count = self._counts[place] * (rows if declared.kind == "rows" else members)
        return f"{what} has shape {given.shape} of {given.dtype}: expected {count} of float32"


class _Index:
    """The index arrays of a kernel, as the library keeps them for graphs that outlive the runner."""

    def __init__(self, arrays: Sequence[NDArray[np.int32]]) -> None:
        words = [len(arrays), *(word for array in arrays for word in (array.ctypes.data, array.size))]
        self.handle = library().ganglion_index((ctypes.c_int64 * len(words))(*words))
        weakref.finalize(self, library().ganglion_drop_index, self.handle).atexit = False


_indices: weakref.WeakKeyDictionary[CPURunner, _Index] = weakref.WeakKeyDictionary()


def _index_of(runner: CPURunner) -> _Index:
    if runner not in _indices:
        _indices[runner] = _Index(runner.index)
    return _indices[runner]


def _half(runner: CPURunner, call: CallSizes, lanes: int, form: Form, *, built: bool) -> list[int]:
    """One kernel: where it is, alone and for a crew; its sizes, without and with savings; its numbers."""
    forms: tuple[Form, ...] = (form, "crew") if built and _large(runner) else (form,) if built else ()
    words = [_address(kernel_function(runner.kernel, lanes, runner.constants, each)) for each in forms]
    words += [0] * (2 - len(words))
    for saving in (0, 1):
        sizes = {**runner.sizes, **call._replace(SAVING=saving)._asdict()}
        words += _list([sizes[name] for name in runner.kernel.sizes])
    return [*words, ctypes.addressof(runner.numbers), len(runner.numbers)]


def _large(runner: CPURunner) -> bool:
    """Whether there are enough synapses for threads to share them, and the kernel lets them."""
    kernel = runner.kernel
    lets = not kernel.multiplies and "EACH_BY" not in kernel.body  # which lanes_crew.h does not have
    return lets and runner.sizes.get("E", 0) >= CREW_SYNAPSES


def _given(forward: Kernel, backward: Kernel) -> list[int]:
    """What each row of the backward kernel is, in forward's rows, its results, and their gradients."""
    names = [array.name for array in forward.of("rows") + forward.of("results")]
    names += [f"d_{array.name}" for array in forward.of("results")]
    return [names.index(array.name) for array in backward.of("rows")]


def _gradients(forward: Kernel, backward: Kernel) -> list[int]:
    """Which of forward's rows each result of the backward kernel is the gradient of."""
    names = [f"d_{array.name}" for array in forward.of("rows")]
    return [names.index(array.name) for array in backward.of("results")]


def _shapes(arrays: Sequence[Array], sizes: Mapping[str, int]) -> list[int]:
    return [len(arrays), *(word for array in arrays for word in _list(array.shape(sizes)))]


def _list(values: Sequence[int]) -> list[int]:
    return [len(values), *values]


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _objects(arrays: Sequence[Any]) -> Any:
    return (ctypes.c_void_p * len(arrays))(*map(id, arrays))
