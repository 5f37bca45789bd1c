"""A few kills of each kind; `make kills` makes two hundred, at random moments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .checks import CHECKS
from .run import said_by

ROOT = Path(__file__).parents[2]
QUICK = ("saving", "writing", "editing", "exporting", "sweeping")


def test_nothing_is_lost_but_the_step_in_flight() -> None:
    """In a process that has computed nothing, because work is forked from it."""
    kinds = [word for work in QUICK for word in ("--work", work)]
    command = [sys.executable, "-m", "tests.kills.run", "--moments", "5", "--seed", "1", *kinds]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=220, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("\n") == 1 + len(QUICK)


@pytest.mark.parametrize("work", QUICK)
def test_what_is_lost_is_found(work: str, tmp_path: Path) -> None:
    """The checks can fail: there is nothing in the folder."""
    (tmp_path / "c.json").write_text("{")
    assert "Error" in said_by(lambda: CHECKS[work](tmp_path, 5))
