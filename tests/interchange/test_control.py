"""The example for classic control: policies learn, and their C closes the loop as they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--how", "imitation", "--task", "acrobot", "--nets", "mlp", "--effort", "1"],
        ["--how", "ppo", "--nets", "cfc", "lstm", "--effort", "1"],
    ],
)
def test_policies_learn_and_their_c_does_what_they_do(arguments: list[str]) -> None:
    script = ROOT / "examples" / "control" / "run.py"
    command = [sys.executable, str(script), *arguments, "--seeds", "1", "--episodes", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in ran.stdout.splitlines()]
    nets = arguments[arguments.index("--nets") + 1 : arguments.index("--effort")]
    assert [line[2] for line in lines] == nets
    for _, _, net, _, told, in_c, fixed, _ in lines:
        assert "+-" in told
        if net != "lstm":  # which is no network of ours
            assert in_c == fixed == told
