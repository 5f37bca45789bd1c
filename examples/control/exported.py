"""The exported C file of a policy, in the loop by ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import ganglion as gl

SIZE = """
#include "policy.h"
unsigned long policy_size(void);
unsigned long policy_size(void) { return sizeof(policy_state); }
"""


def in_c(policy: gl.NCPLayer, folder: Path, fixed: np.ndarray | None = None) -> Any:
    """The best action for what is seen, by the C of a policy; in fixed point, if samples are given."""
    gl.export_c(policy, folder / "policy.c", fixed=fixed)
    (folder / "size.c").write_text(SIZE)
    library = folder / "policy.so"
    command = ["cc", "-O2", "-shared", "-fPIC", folder / "policy.c", folder / "size.c", "-o", library]
    subprocess.run(command, check=True)
    c = ctypes.CDLL(str(library))
    c.policy_size.restype = ctypes.c_ulong
    state = ctypes.create_string_buffer(c.policy_size())
    outputs = np.zeros(policy.compute_output_shape((1, 1, policy.input_size))[-1], np.float32)
    floats = np.ctypeslib.ndpointer(np.float32, flags="C")
    c.policy_step.argtypes = [ctypes.c_void_p, floats, ctypes.c_float, floats]

    def act(seen: np.ndarray, first: bool) -> int:
        if first:
            c.policy_reset(state)
        c.policy_step(state, seen, 1.0, outputs)
        return int(outputs[:-1].argmax())

    return act
