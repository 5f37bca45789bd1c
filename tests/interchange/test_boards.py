"""Exported networks on emulated boards, where the compiler and the emulator are there."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

TOOLS = "arm-none-eabi-gcc", "qemu-system-arm"
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"{' and '.join(TOOLS)} are needed, see benchmarks/boards.py"
)


@pytest.fixture(scope="module")
def boards() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "boards.py"
    spec = importlib.util.spec_from_file_location("boards", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["boards"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_the_page_brings_a_policy_to_a_board(tmp_path: Path) -> None:
    """The file and the commands of docs/deployment.md, as they stand there."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "deployment.md").read_text()
    (tmp_path / "start.c").write_text(re.search(r"```c\n(extern void _start.*?)```", page, re.DOTALL)[1])
    commands = re.search(r"```sh\n(arm-none-eabi-gcc.*?)```", page, re.DOTALL)[1]
    network = gl.LTC(gl.auto_ncp(16, 2, inputs=4, seed=1), key=mx.random.key(0))
    gl.export_c(network, tmp_path / "policy.c")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.savetxt(tmp_path / "samples.csv", x, delimiter=",")
    told = subprocess.run(
        ["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    lines = told.stdout.splitlines()
    outputs = np.array([[float(cell) for cell in line.split(",")] for line in lines[:5]])
    assert np.abs(outputs - np.array(network(x)[0])).max() < 1e-5
    assert lines[-1].endswith("policy.o")


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("board", [0, 2])
def test_boards_compute_what_python_computes(boards: ModuleType, board: int, fixed: bool) -> None:
    mx.random.seed(0)
    network = gl.CfC(boards.SMALL)
    found = boards.measure(network, boards.BOARDS[board], fixed=fixed, steps=6)
    assert found.error < 1e-5
    assert found.memory < 1000
    assert found.flash < 30_000
    assert 1000 < found.instructions <= found.most < 1_000_000
