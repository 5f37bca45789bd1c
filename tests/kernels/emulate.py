"""A GPU kernel on the CPU: the generated CUDA source, compiled with `shim.h` in place of CUDA."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from ganglion.compile.kernels.build import load_library
from ganglion.compile.kernels.gpu import GPURunner, output_names
from ganglion.compile.kernels.targets import gpu_body, gpu_header

SHIM = (Path(__file__).parent / "shim.h").read_text()


def cuda_function(runner: GPURunner) -> str:
    """The function that MLX makes of a kernel's header, names and body on CUDA."""
    kernel, sizes = runner.kernel, runner.sizes
    inputs = ["const int *call", "const float *numbers", "const int *index", "const float *values"]
    inputs += [f"const float *{array.name}" for array in kernel.of("rows", "saved")]
    outputs = [f"float *{name}" for name in output_names(kernel)]
    return "\n".join(
        [
            gpu_header("cuda", runner.threads, runner.parts),
            f"__global__ void {kernel.name}({', '.join(inputs + outputs)}) {{",
            gpu_body(kernel, "cuda", sizes),
            "}",
        ]
    )


class EmulatedRunner(GPURunner):
    """A `GPURunner` whose kernel runs on the CPU, one thread per thread of the block."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Fewer threads than neurons: each two have several.
        self.language, self.threads, self.parts = "cuda", 6, 2

    @cached_property
    def _function(self) -> Callable[..., list[mx.array]]:
        n_inputs = 4 + len(self.kernel.of("rows", "saved"))
        casts = [f"({'const int' if i in (0, 2) else 'const float'} *)a[{i}]" for i in range(n_inputs)]
        casts += [f"(float *)a[{n_inputs + i}]" for i in range(len(output_names(self.kernel)))]
        entry = f"{{ launch(blocks, threads, PARTS, [&] {{ {self.kernel.name}({', '.join(casts)}); }}); }}"
        source = (
            f'{SHIM}\n{cuda_function(self)}\nextern "C" void run(void **a, int blocks, int threads) {entry}\n'
        )
        run = load_library(source, f"emulated-{self.kernel.name}", "run").run

        def function(
            inputs: list[mx.array], grid: Any, threadgroup: Any, output_shapes: Any, output_dtypes: Any
        ) -> list[mx.array]:
            given = [np.ascontiguousarray(array) for array in inputs]
            made = [np.full(shape, np.nan, np.float32) for shape in output_shapes]
            pointers = [array.ctypes.data for array in (*given, *made)]
            run((ctypes.c_void_p * len(pointers))(*pointers), grid[0] // threadgroup[0], threadgroup[0])
            return [mx.array(array) for array in made]

        return function
