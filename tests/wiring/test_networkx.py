"""networkx's own tests, which its wheel brings, pass with `Circuit` in the place of `DiGraph`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CONVERSIONS = ("convert", "convert_numpy", "convert_scipy", "convert_pandas", "relabel")
SUITES = ("classes", "readwrite", *(f"tests.test_{name}" for name in CONVERSIONS))
EXCEPTIONS: dict[str, str] = {}
"""Tests that fail, by name, and why that is right. None do."""


def test_networkx_tests_pass_with_circuits(tmp_path: Path) -> None:
    plugins = Path(__file__).parents[1] / "support"
    path = os.pathsep.join(filter(None, [str(plugins), os.environ.get("PYTHONPATH")]))
    options = ["-q", "-p", "circuit_as_digraph", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line"]
    deselected = [f"--deselect={name}" for name in EXCEPTIONS]
    suites = [f"networkx.{suite}" for suite in SUITES]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *deselected, "--pyargs", *suites],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed
    assert int(passed[1]) > 1000  # a wheel without tests would pass as well
