"""What this processor can do: kernels are built for it, and never run on one of another kind."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

NATIVE = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"
TELLING = ("flags", "Features", "CPU implementer", "CPU part", "isa")
"""How lines of /proc/cpuinfo begin that `NATIVE` depends on: x86, ARM and RISC-V."""


class Level(NamedTuple):
    """What the processors of one kind of machine have in common, at least.

    Attributes:
        name: as compilers call it.
        machine: as a platform's tag ends.
        floats: how many floats a vector has there.
        needs: the features that tell a processor of this level.
    """

    name: str
    machine: str
    floats: int
    needs: frozenset[str]

    @property
    def flags(self) -> tuple[str, ...]:
        """For the compiler."""
        return (f"-march={self.name}",)


_AVX2 = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})
_AVX512 = _AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
LEVELS = (
    Level("x86-64-v4", "x86_64", 16, _AVX512),
    Level("x86-64-v3", "x86_64", 8, _AVX2),
    Level("x86-64", "x86_64", 4, frozenset()),
    Level("armv8-a", "aarch64", 4, frozenset()),
    Level("armv8-a", "arm64", 16, frozenset()),  # macOS, whose compiler cuts vectors
)
"""The best of each machine first; the last one of a machine is what all of them have."""


def levels_for(platform_tag: str) -> list[Level]:
    """The levels of a wheel's platform, such as ``linux_x86_64`` or ``macosx_14_0_arm64``, best first."""
    system = "darwin" if platform_tag.startswith("macosx") else "linux"
    return [
        level
        for level in LEVELS
        if platform_tag.endswith(f"_{level.machine}") and (system == "darwin") == (level.machine == "arm64")
    ]


@cache
def levels() -> list[Level]:
    """The levels that this processor has, best first."""
    known = set(features().split())
    tag = f"{'macosx' if sys.platform == 'darwin' else sys.platform}_{platform.machine()}"
    return [level for level in levels_for(tag) if level.needs <= known]


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
