"""Two processes train as one would with the joint batch, and one that dies does not take the run with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from ganglion.interchange.files import newest_checkpoint

SCRIPT = Path(__file__).with_name("two_ranks.py")


def launch(out: Path, *arguments: str, ranks: int = 2) -> subprocess.CompletedProcess[str]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, str(SCRIPT), str(out), *arguments]
    if ranks > 1:
        # In this file's own interpreter, whether or not its folder of commands is on the path.
        # Ports of its own, because other tests launch processes at the same time, and below 32768, because
        # from there on the system gives ports to whoever connects.
        port = ["--starting-port", str(20000 + os.getpid() % 3000 * 4)]
        start = "from mlx._distributed_utils.launch import main; main()"
        command = [sys.executable, "-c", start, "-n", str(ranks), "--backend", "ring", *port, *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def weights(path: Path) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in mx.load(str(path)).items()}


def newest(out: Path) -> Path:
    checkpoint = newest_checkpoint(out / "run")
    assert checkpoint is not None
    return checkpoint


def history(out: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((newest(out) / "state.json").read_text())["history"]
    return found


def assert_close(found: Path, expected: Path) -> None:
    theirs = weights(expected)
    for name, array in weights(found).items():
        assert np.abs(array - theirs[name]).max(initial=0) <= 1e-5, name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process leaves behind."""
    out = tmp_path_factory.mktemp("alone")
    assert launch(out, ranks=1).returncode == 0
    return out


def test_two_ranks_are_one_with_the_joint_batch(alone: Path, tmp_path: Path) -> None:
    ran = launch(tmp_path)
    assert "Error" not in ran.stderr, ran.stderr
    assert newest(alone).name == newest(tmp_path).name == "step-00000020"
    for rank in range(2):
        assert_close(tmp_path / f"rank-{rank}.safetensors", alone / "rank-0.safetensors")
    for curve in ("loss", "validation"):
        assert np.allclose(history(tmp_path)[curve], history(alone)[curve], rtol=1e-5, atol=1e-6)


def test_a_rank_that_dies_leaves_a_checkpoint_to_go_on_from(alone: Path, tmp_path: Path) -> None:
    ran = launch(tmp_path, "--die", "1", "7")
    assert "rank 0 of 2 lost another process of the run at step" in ran.stderr
    assert "the last complete checkpoint is" in ran.stderr
    assert not list(tmp_path.glob("rank-*"))
    assert newest(tmp_path).name in ("step-00000006", "step-00000007")
    assert launch(tmp_path, ranks=1).returncode == 0  # one process can finish what two began
    assert_close(tmp_path / "rank-0.safetensors", alone / "rank-0.safetensors")


def test_the_first_rank_may_die_too(tmp_path: Path) -> None:
    ran = launch(tmp_path, "--die", "0", "3")
    assert "rank 1 of 2 lost another process of the run at step" in ran.stderr
    assert newest(tmp_path).name in ("step-00000002", "step-00000003")
