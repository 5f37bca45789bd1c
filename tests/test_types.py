"""What a type checker says to a user's program: the errors that are meant, and no other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

import ganglion as gl
from ganglion.cells.networks.options import CfCOptions, LTCOptions, RunnerOptions, RunOptions

ROOT = Path(__file__).resolve().parents[1]
CONSUMER = Path(__file__).parent / "typing" / "consumer.py"


def options_of(*functions: Any) -> set[str]:
    found = {name for function in functions for name in signature(function).parameters}
    return found - {"self", "cell", "circuit", "units", "key", "options", "x", "state", "timespans", "record"}


@pytest.mark.parametrize(
    ("declared", "functions"),
    [
        (RunnerOptions, [gl.RNN.__init__]),
        (LTCOptions, [gl.RNN.__init__, gl.LTCCell.__init__]),
        (
            CfCOptions,
            [gl.RNN.__init__, gl.CfCCell.__init__, gl.cells.BackboneCfCCell.__init__, gl.LiquidCell.__init__],
        ),
        (RunOptions, [gl.RNN.__call__]),
    ],
)
def test_the_options_for_type_checkers_are_those_of_the_constructors(declared: Any, functions: Any) -> None:
    expected = options_of(*functions)
    if declared is CfCOptions:
        expected -= {"ode_unfolds", "max_step"}  # which a closed form refuses
    assert (
        set(declared.__annotations__)
        | set().union(
            *(base.__annotations__ for base in declared.__mro__ if hasattr(base, "__annotations__"))
        )
        == expected
    )


def wanted() -> set[int]:
    lines = CONSUMER.read_text().splitlines()
    return {k for k, line in enumerate(lines, 1) if re.search(r"# error$", line)}


def test_mypy_reads_a_program_of_a_user() -> None:
    options = ["--strict", "--follow-imports=silent"]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(CONSUMER)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    found = {int(match[1]) for match in re.finditer(r"consumer\.py:(\d+): error", ran.stdout)}
    assert found == wanted(), ran.stdout + ran.stderr


def test_pyright_reads_a_program_of_a_user() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(CONSUMER)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    report = json.loads(ran.stdout)["generalDiagnostics"]
    found = {one["range"]["start"]["line"] + 1 for one in report if one["severity"] == "error"}
    assert found == wanted(), json.dumps(report, indent=1)
