"""What this processor can do: kernels are built for it, and never run on one of another kind."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

NATIVE = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"
TELLING = ("flags", "Features", "CPU implementer", "CPU part", "isa")
"""How lines of /proc/cpuinfo begin that `NATIVE` depends on: x86, ARM and RISC-V."""


@cache
def features() -> str:
    """What this processor can do, and with ARM which it is; the host's name where nothing tells."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"]
        try:
            found = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
            ).stdout.decode(errors="replace")
        except (OSError, subprocess.TimeoutExpired):
            found = ""
    else:
        try:
            lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        found = "\n".join(sorted({line for line in lines if line.startswith(TELLING)}))
    return found or f"{platform.processor()} {platform.node()}"


def processor_name() -> str:
    """The kind of processor, for a file's name: two kinds that share a home never share a kernel."""
    return f"{platform.machine()}-{hashlib.sha256(features().encode()).hexdigest()[:8]}"


@cache
def vector_floats() -> int:
    """How many floats this processor has in a vector.

    GCC keeps larger vectors in memory, and kernels are five times slower; Clang, as on macOS, cuts them.
    """
    if sys.platform == "darwin":
        return 16
    known = set(features().split())
    return 16 if known >= {"avx512vl", "avx512dq"} else 8 if "avx2" in known else 4
