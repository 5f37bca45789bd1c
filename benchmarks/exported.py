"""What benchmarks of the exported C share: a network's C file as two functions of Python."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ganglion as gl

SIZE = """
#include "policy.h"
unsigned long policy_size(void);
unsigned long policy_size(void) { return sizeof(policy_state); }
"""


def loaded(
    network: Any, folder: Path, fixed: np.ndarray | None = None
) -> tuple[Callable[[np.ndarray, float, np.ndarray], None], Callable[[], None]]:
    """``step(sample, timespan, outputs)``, over contiguous arrays of float32, and ``reset()``."""
    gl.export_c(network, folder / "policy.c", fixed=fixed)
    (folder / "size.c").write_text(SIZE)
    sources = [folder / "policy.c", folder / "size.c"]
    command = ["cc", "-O2", "-shared", "-fPIC", *sources, "-o", folder / "policy.so", "-lm"]
    subprocess.run(command, check=True)
    c = ctypes.CDLL(str(folder / "policy.so"))
    floats = np.ctypeslib.ndpointer(np.float32, flags="C")
    c.policy_step.argtypes = [ctypes.c_void_p, floats, ctypes.c_float, floats]
    c.policy_size.restype = ctypes.c_ulong
    state = ctypes.create_string_buffer(c.policy_size())
    c.policy_reset(state)
    return (
        lambda sample, timespan, outputs: c.policy_step(state, sample, timespan, outputs),
        lambda: c.policy_reset(state),
    )
