"""Running a kernel on the CPU."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...errors import KernelError
from .build import load_library, origin
from .processor import vector_floats
from .source import CallSizes, Kernel
from .targets import Form, cpu_source
from .threads import run_together, thread_count

FLOAT = mx.float32
WIDE = vector_floats()  # rows of the batch in one vector
WIDEST = 16  # in any processor's
NARROW = min(8, WIDE)  # answers sooner if there are few rows

# Of an array, a ctypes object where its data lie, which keeps them alive.
_memory: Callable[[Any], Any] = (ctypes.c_char * 0).from_buffer


class _Layout(NamedTuple):
    """What a call needs: the kernel's sizes, and how large its arrays are.

    Attributes:
        sizes: as the kernel takes them.
        counts: elements of each given array.
        shapes: of each result.
        saves: elements of each saved array, for one row of the batch.
    """

    sizes: Any
    counts: list[int]
    shapes: list[tuple[int, ...]]
    saves: list[int]


def form_for(kernel: Kernel, batch: int) -> Form:
    """Whether threads take two blocks at once: where they may, and there are two for each of them."""
    many = -(-batch // WIDE) >= 2 * thread_count()
    return "two" if many and kernel.by_twos else ""


class CPURunner:
    """One kernel over one circuit: ``runner(batch, call, arrays)`` gives its results and totals.

    Args:
        kernel: what to run; it is built at the first call.
        sizes: the kernel's sizes and constants by name, but for `CallSizes`.
        numbers: the kernel's numbers by name.
        index: the kernel's index arrays by name.
    """

    def __init__(
        self,
        kernel: Kernel,
        sizes: Mapping[str, int],
        numbers: Mapping[str, float],
        index: Mapping[str, NDArray[np.int32]],
    ) -> None:
        self.kernel, self.sizes = kernel, dict(sizes)
        self.constants = tuple(sizes[name] for name in kernel.constants)
        self.numbers = (ctypes.c_float * len(kernel.numbers))(*(numbers[name] for name in kernel.numbers))
        self.index = [np.ascontiguousarray(index[array.name], np.int32) for array in kernel.of("index")]
        self._pointers = [array.ctypes.data for array in self.index]
        self._given = kernel.of("values") + kernel.of("rows")
        self._types = [FLOAT] * len(self._given)
        self._ends = list(accumulate(array.count(sizes) for array in kernel.of("totals")))
        self._layout = lru_cache(maxsize=16)(self._layout_of)  # few lengths of sequences come again and again

    def __call__(self, batch: int, call: CallSizes, arrays: Sequence[Any]) -> list[Any]:
        """Run over all rows of a batch, and give results to MLX; see `run`."""
        results, kept = self.run(batch, call, arrays)
        return [*map(mx.array, results), *kept]

    def run(
        self, batch: int, call: CallSizes, arrays: Sequence[Any]
    ) -> tuple[list[NDArray[np.float32]], list[Any]]:
        """Run over all rows of a batch, the GIL released, on as many threads as there are blocks for.

        Args:
            batch: B, the number of rows.
            call: the length of the sequence, and what is kept of it.
            arrays: the kernel's values, then its rows, as they are declared; evaluated. Then what the
                forward kernel saved.

        Returns:
            The kernel's results, each (B, ...), then what it saves or its totals.

        Raises:
            KernelError: an array is not float32 or not of the declared size, or the build fails.
            MemoryError: no memory for the working arrays.
        """
        lanes, rows = lanes_for(batch), self.rows(batch)
        blocks = rows // lanes
        sizes, counts, shapes, saves = self._layout(batch, call)
        made = [np.empty(shape, np.float32) for shape in shapes]
        saving = [_aligned(rows * count) for count in saves]
        ends = self._ends
        totals = _aligned(blocks * ends[-1]) if ends else _nothing
        given, saved = arrays[: len(counts)], arrays[len(counts) :]
        buffers = [*self._buffers(given, counts), *map(_memory, (*saved, *made, *saving, totals))]
        pointers = [*self._pointers, *map(ctypes.addressof, buffers)]
        function = kernel_function(self.kernel, lanes, self.constants, form_for(self.kernel, batch))
        places = (ctypes.c_void_p * len(pointers))(*pointers)
        if run_together(function, sizes, self.numbers, places, batch, blocks):
            raise MemoryError(f"no memory for the working arrays of the kernel {self.kernel.name}")
        kept: list[Any] = saving
        if ends:
            # One row per block, added in order: the same sum for any number of threads.
            first, *others = totals.reshape(blocks, ends[-1])
            for other in others:
                first += other
            kept = saving + [mx.array(first[start:end]) for start, end in pairwise((0, *ends))]
        return made, kept

    def load(self, batch: int) -> None:
        """Build the kernel for a batch now, if it was never built on this machine.

        Raises:
            KernelError: the build fails.
        """
        kernel_function(self.kernel, lanes_for(batch), self.constants, form_for(self.kernel, batch))

    def origin(self) -> str:
        """Where the kernel for one row has its code from, in words."""
        return origin(*_code(self.kernel, lanes_for(1), self.constants))

    def rows(self, batch: int) -> int:
        """How many rows a saved array has: whole vectors of them."""
        lanes = lanes_for(batch)
        return -(-batch // lanes) * lanes

    def _buffers(self, arrays: Sequence[mx.array], counts: list[int]) -> list[Any]:
        """The data of the given arrays, after a look at their types and sizes."""
        if [a.size for a in arrays] != counts or [a.dtype for a in arrays] != self._types:
            raise KernelError(self._misfit(arrays, counts))
        try:
            return list(map(_memory, arrays))
        except (TypeError, BufferError):  # an array is not laid out row after row
            return [_memory(np.ascontiguousarray(array)) for array in arrays]

    def _misfit(self, arrays: Sequence[mx.array], counts: list[int]) -> str:
        """What is wrong with the first array that does not fit."""
        return next(
            f"{a.name} of the kernel {self.kernel.name} has shape {given.shape} of {given.dtype}: "
            f"expected {count} of float32"
            for given, count, a in zip(arrays, counts, self._given, strict=True)
            if given.size != count or given.dtype != FLOAT
        )

    def _layout_of(self, batch: int, call: CallSizes) -> _Layout:
        sizes = {**self.sizes, **call._asdict()}
        given = [array.count(sizes) for array in self._given]
        counts = [n * batch if a.kind == "rows" else n for n, a in zip(given, self._given, strict=True)]
        shapes = [(batch, *array.shape(sizes)) for array in self.kernel.of("results")]
        saves = [array.count(sizes) for array in self.kernel.of("saves")]
        names = self.kernel.sizes
        return _Layout((ctypes.c_int64 * len(names))(*(sizes[name] for name in names)), counts, shapes, saves)


_spare: dict[int, list[NDArray[np.float32]]] = {}
_nothing: NDArray[np.float32] = np.empty(0, np.float32)


def _aligned(count: int) -> NDArray[np.float32]:
    """(count,) floats that begin at a whole vector.

    Their memory waits for the next call of that size when nobody needs it any more: on fresh pages, the first
    write costs more than all that a kernel computes for it.
    """
    if not count:
        return _nothing
    try:
        whole = _spare[count].pop()
    except (KeyError, IndexError):
        whole = np.empty(count + WIDEST, np.float32)
    start = -whole.ctypes.data // 4 % WIDE
    view = whole[start : start + count]
    weakref.finalize(view, _keep, count, whole).atexit = False
    return view


def forget_spare() -> None:
    """Give back the memory that waits for the next call."""
    _spare.clear()


def _keep(count: int, whole: NDArray[np.float32]) -> None:
    if count not in _spare and len(_spare) > 3:  # sizes come and go
        _spare.clear()
    kept = _spare.setdefault(count, [])
    if len(kept) < 4:
        kept.append(whole)


def lanes_for(batch: int) -> int:
    """How many rows of a batch go into one vector."""
    return NARROW if batch <= NARROW else WIDE


@cache
def kernel_function(kernel: Kernel, lanes: int, constants: tuple[int, ...], form: Form = "") -> Any:
    """The kernel as a C function, built if this is its first use on this machine."""
    function = load_library(*_code(kernel, lanes, constants, form))[kernel.name]
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int64, ctypes.c_void_p]
    function.restype = ctypes.c_int
    return function


def _code(kernel: Kernel, lanes: int, constants: tuple[int, ...], form: Form = "") -> tuple[str, str, str]:
    """A kernel's source, its library's name and its function's."""
    name = f"{kernel.name}{'_' * bool(form)}{form}-{lanes}"
    return cpu_source(kernel, lanes, constants, form=form), name, kernel.name
