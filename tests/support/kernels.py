"""The kernel files of the cells that ship."""

from __future__ import annotations

from pathlib import Path

import ganglion.cells
from ganglion.compile.kernels.source import Kernel, read_kernel

CELLS = Path(ganglion.cells.__file__).parent
FOLDERS = {"ltc": CELLS / "ltc", "cfc": CELLS / "cfc", "dense": CELLS / "backbone"}


def kernel_named(name: str) -> Kernel:
    """A kernel by the name of its file, such as ``ltc_forward``."""
    return read_kernel(FOLDERS[name.partition("_")[0]], name)
