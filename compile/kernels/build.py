"""Building kernels at run time: the system's C++ compiler, and a cache that survives what happens to it."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

from ...errors import KernelError

# No -ffast-math: it deletes the rounding inside the polynomial exponential.
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast")
SHARED = ("-fPIC", "-shared", "-w")
NATIVE = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"
TIMEOUT = 300.0
_building = threading.Lock()


def _forget_builds() -> None:
    """After a fork, the thread that was building is not there to release the lock."""
    global _building
    _building = threading.Lock()


os.register_at_fork(after_in_child=_forget_builds)


def load_library(source: str, name: str) -> ctypes.CDLL:
    """Compile C++ source, or take it from the cache, and load it.

    The name of a cached file ends with its own SHA-256, so that one that was cut short is noticed and built
    again. It appears under its name by a rename, so that two processes may build at once and one be killed.
    Threads take turns, so that one builds what several need.

    Raises:
        KernelError: there is no compiler, or it fails, or the result cannot be loaded.
    """
    directory, stem = cache_directory(), f"{name}-{_digest(source)}"
    with _building:
        path = _whole(directory, stem) or _compile(source, directory, stem)
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelError(f"cannot load the kernel {path}: {error}") from error


def cache_directory() -> Path:
    """Where built kernels are kept: in the user's cache, private to the user.

    Raises:
        KernelError: the directory cannot be made, or belongs to someone else.
    """
    if chosen := os.environ.get("GANGLION_CACHE"):
        path = Path(chosen)
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Caches" / "ganglion"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganglion"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        if status.st_uid != os.getuid():
            raise KernelError(f"the kernel cache {path} belongs to another user: set GANGLION_CACHE")
        if stat.S_IMODE(status.st_mode) != 0o700:
            path.chmod(0o700)
    except OSError as error:
        raise KernelError(f"cannot use the kernel cache {path}: {error}; set GANGLION_CACHE") from error
    return path


@cache
def compiler() -> tuple[str, ...]:
    """The C++ compiler as a command: $CXX if set, else the first of c++, g++ and clang++.

    Raises:
        KernelError: there is none.
    """
    chosen = shlex.split(os.environ.get("CXX", ""))
    for command in (chosen,) if chosen else (["c++"], ["g++"], ["clang++"]):
        if found := shutil.which(command[0]):
            return (found, *command[1:])
    raise KernelError(f"no C++ compiler: looked for {chosen[0] if chosen else 'c++, g++ and clang++'}")


def _digest(source: str) -> str:
    """What a built file depends on: the source, the command and the machine."""
    parts = (source, *compiler(), *_identity(), *FLAGS, *SHARED, NATIVE, platform.machine(), _features())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


@cache
def _identity() -> tuple[str, ...]:
    """Which compiler the command really is: a newer one under the same name builds anew."""
    found = os.stat(compiler()[0])
    return (os.path.realpath(compiler()[0]), str(found.st_size), str(found.st_mtime_ns))


@cache
def vector_floats() -> int:
    """How many floats this processor has in a vector.

    GCC keeps larger vectors in memory, and kernels are five times slower; Clang, as on macOS, cuts them.
    """
    if sys.platform == "darwin":
        return 16
    features = set(_features().split())
    return 16 if features >= {"avx512vl", "avx512dq"} else 8 if "avx2" in features else 4


@cache
def _features() -> str:
    """What this processor can do, so that a cache on a shared disk never serves another kind."""
    try:
        with Path("/proc/cpuinfo").open() as lines:
            return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return platform.processor()


def _compile(source: str, directory: Path, stem: str) -> Path:
    """Build a file in the cache: written elsewhere in its directory, then renamed."""
    _sweep(directory)
    with tempfile.TemporaryDirectory(dir=directory, prefix="build-") as scratch:
        text, built = Path(scratch) / "kernel.cpp", Path(scratch) / "kernel.so"
        text.write_text(source)
        command = [*compiler(), *FLAGS, *SHARED, NATIVE, str(text), "-o", str(built)]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise KernelError(f"cannot run the compiler: {error}") from error
        if ran.returncode:
            # Without the name of the scratch directory, it is the same message every time, and told once.
            told = "\n".join(ran.stderr.splitlines()[:12]).replace(f"{scratch}/", "")
            raise KernelError(f"{shlex.join(command).replace(f'{scratch}/', '')} failed:\n{told}")
        built.chmod(0o700)
        path = directory / f"{stem}-{_content(built)}.so"
        os.replace(built, path)
    return path


def _sweep(directory: Path) -> None:
    """Remove what builds left behind that were killed long ago."""
    for left in directory.glob("build-*"):
        with contextlib.suppress(OSError):  # another process may have been quicker
            if time.time() - left.stat().st_mtime > 2 * TIMEOUT:
                shutil.rmtree(left, ignore_errors=True)


def _whole(directory: Path, stem: str) -> Path | None:
    """The cached file, if it is there and holds what its name says."""
    for path in directory.glob(f"{stem}-*.so"):
        with contextlib.suppress(OSError):
            if path.stem.endswith(f"-{_content(path)}"):
                return path
    return None


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
