"""Exported networks on emulated boards, where the compiler and the emulator are there."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import mlx.core as mx
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
