"""Running a kernel on a GPU, by MLX's custom kernels.

What ran where: the CUDA kernels ran on an H100, and in the tests their source runs on a CPU, with threads
and barriers emulated. The Metal source was never run on Metal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...errors import KernelError
from .source import CallSizes, Kernel
from .targets import gpu_body, gpu_header, memory_of

MOST_THREADS = 512
PARTS = 8  # threads that share a neuron
FEWEST = 8  # Metal puts smaller arrays into another address space, which has other pointers


class GPURunner:
    """One kernel over one circuit; the arguments are those of `CPURunner`."""

    def __init__(
        self,
        kernel: Kernel,
        sizes: Mapping[str, int],
        numbers: Mapping[str, float],
        index: Mapping[str, NDArray[np.int32]],
    ) -> None:
        self.kernel, self.sizes = kernel, dict(sizes)
        self.language = "metal" if mx.metal.is_available() else "cuda"
        # On an H100, two neurons in turn for each PARTS threads are best with large batches, and no worse
        # than one with small ones.
        widest = max(sizes["N"], sizes.get("H", 0))
        self.threads, self.parts = min(MOST_THREADS, 32 * math.ceil(widest * PARTS / 2 / 32)), PARTS
        self._numbers = mx.array(_padded([numbers[name] for name in kernel.numbers], np.float32))
        whole = [np.ravel(index[array.name]) for array in kernel.of("index")]
        self._index = mx.array(_padded(np.concatenate([np.zeros(0), *whole]), np.int32))
        self._n_values = len(kernel.of("values"))

    def load(self, batch: int) -> None:
        """Nothing can be built before the first call."""

    def origin(self) -> str:
        """Where the kernel has its code from, in words."""
        return "built by MLX"

    def rows(self, batch: int) -> int:
        """How many rows a saved array has."""
        return batch

    def __call__(self, batch: int, call: CallSizes, arrays: Sequence[mx.array]) -> list[mx.array]:
        """Run over all rows of a batch, one block of threads per row; see `CPURunner`."""
        sizes = {**self.sizes, **call._asdict()}
        given = self.kernel.of("values") + self.kernel.of("rows", "saved")
        for array, declared in zip(arrays, given, strict=True):
            if declared.kind == "saved":
                continue
            count = declared.count(sizes) * (batch if declared.kind == "rows" else 1)
            if array.size != count or array.dtype != mx.float32:
                raise KernelError(
                    f"{declared.name} of the kernel {self.kernel.name} has shape {array.shape} of "
                    f"{array.dtype}: expected {count} of float32"
                )
        values = mx.concatenate([array.reshape(-1) for array in arrays[: self._n_values]])
        rows = [array.reshape(-1) for array in arrays[self._n_values :]]
        shapes = [(batch, *array.shape(sizes)) for array in self.kernel.of("results")]
        shapes += [(batch, max(1, array.count(sizes))) for array in self.kernel.of("saves")]
        totals = self.kernel.of("totals")
        sums = [array.shape(sizes) for array in totals]
        shapes += [(batch, sum(map(math.prod, sums)))] if totals else []
        _, prepared, own = memory_of(self.kernel, self.sizes)
        shapes += [(batch, max(1, sum(array.count(sizes) for array in own)))]
        shapes += [(max(1, sum(array.count(sizes) for array in prepared)),)]
        made = self._function(
            inputs=[
                _sizes(call),
                self._numbers,
                self._index,
                *map(_at_least, (values, *rows)),
            ],
            grid=(batch * self.threads, 1, 1),
            threadgroup=(self.threads, 1, 1),
            output_shapes=shapes,
            output_dtypes=[mx.float32] * len(shapes),
        )
        if not totals:
            return list(made[:-2])
        ends = np.cumsum([math.prod(shape) for shape in sums])[:-1].tolist()
        return [*made[:-3], *mx.split(made[-3].sum(axis=0), ends)]

    @cached_property
    def _function(self) -> Any:
        """The kernel as MLX calls it."""
        make: Any = mx.fast.metal_kernel if self.language == "metal" else mx.fast.cuda_kernel
        return make(
            name=f"ganglion_{self.kernel.name}",
            input_names=[
                *("call", "numbers", "index", "values"),
                *(array.name for array in self.kernel.of("rows", "saved")),
            ],
            output_names=output_names(self.kernel),
            header=gpu_header(self.language, self.threads, self.parts),
            source=gpu_body(self.kernel, self.language, self.sizes),
        )


def output_names(kernel: Kernel) -> list[str]:
    """The outputs of a kernel's function on a GPU."""
    totals = ["totals"] if kernel.of("totals") else []
    return [*(array.name for array in kernel.of("results", "saves")), *totals, "workspace", "prepared"]


@lru_cache(maxsize=64)
def _sizes(call: CallSizes) -> mx.array:
    """On the GPU already, for few lengths of sequences come again and again."""
    return mx.array(_padded(call, np.int32))


def _padded(values: Any, kind: type) -> NDArray[Any]:
    """A vector of at least `FEWEST` elements."""
    array: NDArray[Any] = np.asarray(values, kind)
    return np.pad(array, (0, max(0, FEWEST - len(array))))


def _at_least(array: mx.array) -> mx.array:
    """The same on a GPU."""
    short = FEWEST - array.size
    return mx.concatenate([array, mx.zeros((short,))]) if short > 0 else array
