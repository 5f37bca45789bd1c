"""Kernels that a wheel carries, built for a few levels of processors, so that no compiler is needed.

What a kernel computes with on a CPU does not depend on the circuit, so all can be built beforehand. They lie
in ``prebuilt/LEVEL/KERNEL-LANES-DIGEST.so`` beside this file. The digest is one of the source: where the text
has changed since, the kernel is built anew. `build_kernels` is the step of the build, which runs without MLX
and NumPy; setup.py calls it.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path

from ...errors import KernelError
from .processor import Level, levels, levels_for
from .source import SOURCE, read_kernel
from .targets import cpu_source

FOLDER = Path(__file__).parent / "prebuilt"
POOL = "pool"
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")
"""For every kernel. No -ffast-math: it deletes the rounding inside the polynomial exponential."""
SHARED = ("-fPIC", "-shared", "-w")


@cache
def find(source: str, name: str) -> tuple[Path, Level] | None:
    """The library of a text that the package carries for this processor, and for which level it was built.

    Example:
        >>> find(cpu_source(kernel, 16), "ltc_forward-16")  # None in a checkout
    """
    for level in levels():
        path = FOLDER / level.name / _file(source, name)
        if path.is_file():
            return path, level
    return None


def carried() -> dict[str, int]:
    """How many kernels the package carries for each level that this processor has."""
    held = {level.name: len(list((FOLDER / level.name).glob("*.so"))) for level in levels()}
    return {name: count for name, count in held.items() if count}


def kernel_texts(cells: Path, lanes: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The names and sources of all kernels in the folders of cells, for vectors of so many floats.

    A kernel file that has constants says in a line ``//: carried`` which values of each a network can have.
    One that includes fragments of a memory is a kernel with it, too, but for those that equations wrote.
    """
    written = "*/carried/*/*.c"
    for path in sorted((*cells.glob("*/*.c"), *cells.glob(written))):
        text = path.read_text()
        if "\n//: sizes " not in text:  # a fragment
            continue
        both = '#include "frame/memory' in text and not path.match(written)
        for memory in (False, True)[: 1 + both]:
            kernel = read_kernel(path.parent, path.stem, memory=memory)
            for constants, count in product(kernel.carried, lanes):
                yield f"{kernel.name}-{count}", cpu_source(kernel, count, constants)
                if kernel.by_twos and count == max(lanes):
                    yield f"{kernel.name}_two-{count}", cpu_source(kernel, count, constants, form="two")


def build_kernels(package: Path, platform_tag: str, command: Sequence[str]) -> list[Path]:
    """Build all kernels into the folder of a package, as its sources there are.

    Args:
        package: the folder ``ganglion``.
        platform_tag: what the wheel is for, such as ``linux_x86_64``.
        command: a C++ compiler for it.

    Returns:
        The libraries.

    Raises:
        KernelError: there are no levels for the platform, or the compiler fails.
    """
    folder = package / "compile" / "kernels" / FOLDER.name
    chosen = levels_for(platform_tag)
    if not chosen:
        raise KernelError(
            f"no kernels can be carried for {platform_tag!r}: nothing is known of its processors"
        )
    work = [(chosen[-1], POOL, (SOURCE / "pool.h").read_text())]  # it computes nothing
    for level in chosen:
        texts = kernel_texts(package / "cells", sorted({min(8, level.floats), level.floats}))
        work += [(level, name, source) for name, source in texts]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        building = [threads.submit(_build, folder, command, *item) for item in work]
    return [built.result() for built in building]


def _build(folder: Path, command: Sequence[str], level: Level, name: str, source: str) -> Path:
    path = folder / level.name / _file(source, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The text comes by standard input, so that no path of this machine gets into the library.
    line = [*command, *FLAGS, *SHARED, *level.flags, "-s", "-x", "c++", "-", "-o", str(path)]
    ran = subprocess.run(line, input=source.encode(), stderr=subprocess.PIPE, check=False)
    if ran.returncode:
        told = ran.stderr.decode(errors="replace")[:2000]
        raise KernelError(f"{shlex.join(line)} failed (exit code {ran.returncode}):\n{told}")
    path.chmod(0o755)
    return path


def _file(source: str, name: str) -> str:
    return f"{name}-{hashlib.sha256(source.encode()).hexdigest()[:24]}.so"
