"""Kernels, the threads that share them, and exported C under the sanitizers of GCC.

Run by ``make sanitize``, which takes minutes. The tests of kernels run again with a compiler that adds the
checks: addresses and undefined behaviour for all of them, races for those that use threads, emulated GPU
kernels with their barriers included. Before that, each sanitizer must find a fault that is put before it, so
that silence means something. Exits with 1 and what was found if there is a fault.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KERNELS = "tests/kernels/"
START = "import os, sys; del os.environ['LD_PRELOAD']; "  # it is loaded; compilers need it not
CALL = "from ganglion.compile.kernels.build import load_library; load_library(sys.argv[1], 'fault').fault()"
TEST = "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
BOUNDS = 'extern "C" int fault() { volatile int n = 2; int *p = new int[n]; return p[n]; }'
OVERFLOW = 'extern "C" int fault() { volatile int most = 2147483647; return most + 1; }'
RACE = """
#include <thread>
static int shared;
extern "C" int fault() {
    const auto add = [] { for (int i = 0; i < 100000; i++) shared++; };
    std::thread other(add);
    add();
    other.join();
    return shared;
}
"""


class Sanitizer(NamedTuple):
    """What is checked, how, in which tests, and faults that must be found with what is said of them.

    `libraries` are loaded before Python, which is not built with the checks.
    """

    checks: str
    libraries: tuple[str, ...]
    options: dict[str, str]
    tests: tuple[str, ...]
    faults: dict[str, str]


SANITIZERS = (
    Sanitizer(
        "address,undefined",
        ("libasan.so", "libubsan.so", "libstdc++.so.6"),
        {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"},
        (
            *(f"{KERNELS}test_{name}.py" for name in ("parity", "events", "memory_kernels", "gpu")),
            "tests/interchange/test_export_c.py",
        ),
        {BOUNDS: "heap-buffer-overflow", OVERFLOW: "signed integer overflow"},
    ),
    Sanitizer(
        "thread",
        ("libtsan.so",),
        {"TSAN_OPTIONS": "halt_on_error=1:ignore_noninstrumented_modules=1"},
        (
            f"{KERNELS}test_gpu.py::test_the_body_computes_what_the_cpu_computes",
            f"{KERNELS}test_runtime.py::test_results_do_not_depend_on_the_number_of_threads",
            f"{KERNELS}test_runtime.py::test_eight_threads_can_call_one_network",
            "tests/faults/test_processes.py::test_threads_share_a_network",
        ),
        {RACE: "data race"},
    ),
)


def main() -> None:
    """Run every sanitizer over its tests."""
    gcc = shutil.which("g++")
    if gcc is None or not sys.platform.startswith("linux"):
        sys.exit("make sanitize needs GCC on Linux: on Debian and Ubuntu, apt install g++")
    for sanitizer in SANITIZERS:
        with tempfile.TemporaryDirectory(prefix="ganglion-sanitize-") as folder:
            environment = prepared(sanitizer, Path(folder))
            for fault, told in sanitizer.faults.items():
                ran = python(environment, CALL, fault, capture=True)
                if ran.returncode == 0 or told not in ran.stderr:
                    sys.exit(f"-fsanitize={sanitizer.checks} did not find its own fault:\n{ran.stderr}")
            options = ("-p", "no:cacheprovider", "-n", "0", "-x", "-W", "ignore")
            if python(environment, TEST, *options, *sanitizer.tests).returncode:
                sys.exit(f"-fsanitize={sanitizer.checks}: see above")
            print(f"-fsanitize={sanitizer.checks}: {len(sanitizer.faults)} planted faults found, no other")


def prepared(sanitizer: Sanitizer, folder: Path) -> dict[str, str]:
    """An environment in which `c++` and `cc` add the checks to what they compile."""
    for name, real in (("c++", "g++"), ("cc", "gcc")):
        flags = f"-fsanitize={sanitizer.checks} -fno-sanitize-recover=all -g1"
        # What compiles fast is enough, and shows more: the last word counts.
        command = f'#!/bin/sh\nexec {real} {flags} "$@" -O1\n'
        (folder / name).write_text(command)
        (folder / name).chmod(0o755)
    found = [
        subprocess.check_output(["g++", f"-print-file-name={library}"], text=True).strip()
        for library in sanitizer.libraries
    ]
    return {
        **os.environ,
        **sanitizer.options,
        "LD_PRELOAD": " ".join(found),
        "CXX": str(folder / "c++"),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GANGLION_CACHE": str(folder / "cache"),
        "GANGLION_NUM_THREADS": "4",
    }


def python(
    environment: dict[str, str], program: str, *arguments: str, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Python; its addresses are not drawn at random, for which the sanitizer of threads has no room."""
    return subprocess.run(
        ["setarch", "-R", sys.executable, "-c", START + program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=capture,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    main()
