"""The CPU kernels for AArch64, cross-compiled and run under qemu-user, beside golden files made on x86-64.

    python -m tests.aarch64 ["CfC, pure" ...]

Without names the golden files of ncps follow, by the tests that hold this machine's kernels to them.
Needs Debian's ``g++-aarch64-linux-gnu`` and ``qemu-user``; CXX names another cross compiler, such as
``clang++ --target=aarch64-linux-gnu``. Every kernel's text is that for vectors of four floats, built
into a program of its own, which reads from a file what a call is given, and writes another one.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganglion.compile.kernels import cpu, nodes
from ganglion.compile.kernels.prebuilt import FLAGS
from ganglion.compile.kernels.source import Kernel
from ganglion.compile.kernels.targets import TYPES, Form, cpu_source

from .support.families import BOUNDS, far_from_golden, networks

LANES = 4
COMPILER = shlex.split(os.environ.get("CXX", "aarch64-linux-gnu-g++"))
OF_NCPS = [f"tests/cells/{name}.py" for name in ("test_golden", "test_golden_networks")]
ON_KERNELS = "(fused and edge) or (networks and (outputs or gradients) and not ops)"
SCRATCH = Path(tempfile.mkdtemp(prefix="aarch64-"))
MAIN = """
#include <stdio.h>
#include <vector>
int main(int, char **names) {
    FILE *in = fopen(names[1], "rb"), *out = fopen(names[2], "wb");
    int64_t head[4], next = 0;
    if (fread(head, 8, 4, in) != 4) return 2;
    std::vector<int64_t> sizes(head[0]), counts(head[2]);
    std::vector<float> numbers(head[1] + 1);
    if (fread(sizes.data(), 8, head[0], in) != (size_t)head[0]) return 2;
    if (fread(numbers.data(), 4, head[1], in) != (size_t)head[1]) return 2;
    if (fread(counts.data(), 8, head[2], in) != (size_t)head[2]) return 2;
    std::vector<void *> arrays(head[2]);
    for (int64_t i = 0; i < head[2]; i++) {
        if (posix_memalign(&arrays[i], 64, 4 * counts[i] + 64)) return 3;
        if (fread(arrays[i], 4, counts[i], in) != (size_t)counts[i]) return 2;
    }
    const int failed = FUNCTION_NAME(sizes.data(), numbers.data(), arrays.data(), head[3], &next);
    for (int64_t i = 0; i < head[2]; i++) fwrite(arrays[i], 4, counts[i], out);
    fclose(out);
    return failed;
}
"""


@cache
def program(kernel: Kernel, constants: tuple[int, ...]) -> Path:
    """The program that runs a kernel, built once."""
    place = SCRATCH / f"{kernel.name}-{'-'.join(map(str, constants))}"
    text = cpu_source(kernel, LANES, constants) + MAIN.replace("FUNCTION_NAME", kernel.name)
    command = [*COMPILER, *FLAGS, "-w", "-static", "-x", "c++", "-", "-o", str(place)]
    subprocess.run(command, input=text.encode(), check=True)
    return place


class Emulated:
    """A kernel in the place of a C function: `cpu.run_together` hands it the addresses of its arrays."""

    def __init__(self, kernel: Kernel, constants: tuple[int, ...]) -> None:
        self.kernel, self.program = kernel, program(kernel, constants)
        self.constants = dict(zip(kernel.constants, constants, strict=True))

    def __call__(self, sizes: Any, numbers: Any, places: Any, batch: int) -> int:
        kernel = self.kernel
        known = {**dict(zip(kernel.sizes, sizes, strict=True)), **self.constants}
        blocks = -(-batch // LANES)
        whole = {"saved": blocks * LANES, "saves": blocks * LANES, "rows": batch, "results": batch}
        counts = [array.count(known) * whole.get(array.kind, 1) for array in kernel.of(*TYPES)]
        counts.append(blocks * sum(array.count(known) for array in kernel.of("totals")))
        views = [
            np.frombuffer((ctypes.c_float * n).from_address(place or 1), np.float32)
            if n
            else np.empty(0, np.float32)
            for n, place in zip(counts, places, strict=True)
        ]
        given, made = SCRATCH / "given", SCRATCH / "made"
        head = np.array([len(sizes), len(numbers), len(counts), batch], np.int64)
        parts = [head, np.array(list(sizes), np.int64), np.array(list(numbers), np.float32)]
        parts += [np.array(counts, np.int64), *views]
        given.write_bytes(b"".join(part.tobytes() for part in parts))
        ran = subprocess.run(["qemu-aarch64", str(self.program), str(given), str(made)], check=False)
        found = np.fromfile(made, np.float32)
        for view, part in zip(views, np.split(found, np.cumsum(counts)[:-1]), strict=True):
            view[:] = part
        return ran.returncode


def emulated_function(kernel: Kernel, lanes: int, constants: tuple[int, ...], form: Form = "") -> Emulated:
    """In the place of `cpu.kernel_function`."""
    return Emulated(kernel, constants)


def emulate() -> None:
    """Let every kernel of this process run under qemu."""
    cpu.WIDE = cpu.NARROW = LANES
    cpu.kernel_function = emulated_function  # type: ignore[assignment]
    cpu.run_together = (  # type: ignore[assignment]
        lambda function, sizes, numbers, places, batch, blocks: function(sizes, numbers, places, batch)
    )
    nodes.usable = lambda: False  # type: ignore[assignment]


def main() -> None:
    emulate()
    missed = []
    print(f"{' '.join(COMPILER)}, qemu-aarch64, vectors of {LANES}\n")
    print("| network | outputs | gradients |\n|---|---|---|")
    chosen = sys.argv[1:] or list(networks())
    for name in chosen:
        far = far_from_golden(name, "fused")
        print(f"| {name} | {far['outputs']:.0e} | {far['gradients']:.0e} |", flush=True)
        missed += [name for what, bound in BOUNDS.items() if not far[what] <= bound]
    if missed:
        sys.exit(f"too far from the golden file: {', '.join(missed)}")
    if not sys.argv[1:]:
        sys.exit(pytest.main(["-n", "0", "-q", "-p", "no:cacheprovider", *OF_NCPS, "-k", ON_KERNELS]))


if __name__ == "__main__":
    main()
