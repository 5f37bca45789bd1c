"""A checkpoint is complete or not there, and a damaged one is refused with a reason."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim
import pytest

import ganglion as gl
from ganglion import storage
from ganglion.interchange.files import newest_checkpoint
from ganglion.interchange.tensors import decode, encode


def train(directory: Path, epochs: int) -> None:
    mx.random.seed(0)
    x = mx.random.normal((4, 3, 2))
    gl.fit(
        gl.CfC(gl.random(3, inputs=2, outputs=2)),
        (x, x),
        loss=gl.training.mse,
        optimizer=optim.Adam(0.01),
        epochs=epochs,
        batch_size=4,
        validation=(x, x),
        checkpoint=directory,
        progress=False,
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


def test_the_two_newest_checkpoints_stay(tmp_path: Path) -> None:
    train(tmp_path, 4)
    assert names(tmp_path) == ["step-00000003", "step-00000004"]
    assert sorted(path.name for path in (tmp_path / "step-00000004").iterdir()) == [
        "best.safetensors",
        "circuit.json",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]


def test_the_circuit_and_the_model_are_there_to_read(tmp_path: Path) -> None:
    train(tmp_path, 1)
    assert gl.read(tmp_path / "step-00000001" / "circuit.json").number_of_nodes() == 5
    outputs, _ = gl.load(tmp_path)(mx.zeros((1, 3, 2)))
    assert outputs.shape == (1, 3, 2)


@pytest.mark.parametrize("broken", ["write", "fsync", "rename", "mkdir"])
def test_a_full_disk_keeps_the_last_checkpoint(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path, 2)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        target = {"write": (storage, "_written"), "mkdir": (Path, "mkdir")}.get(broken, (os, broken))
        if broken == "mkdir":
            make = Path.mkdir
            patch.setattr(Path, "mkdir", lambda p, **k: make(p, **k) if k else full())
        else:
            patch.setattr(*target, full)
        with pytest.raises(OSError, match="No space left on device; the last complete") as caught:
            train(tmp_path, 3)
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == ["step-00000001", "step-00000002"]
    train(tmp_path, 3)
    assert names(tmp_path) == ["step-00000002", "step-00000003"]


def test_a_file_that_may_not_grow_is_like_a_full_disk(tmp_path: Path) -> None:
    """The limit is the system's own, so nothing in Python is patched; it binds a child only."""
    train(tmp_path, 1)
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_store import train\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))\n"
        f"train(Path({str(tmp_path)!r}), 2)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = ran.stderr.strip().splitlines()[-1]
    assert "File too large; the last complete checkpoint is step-00000001" in last
    assert names(tmp_path) == ["step-00000001"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    train(tmp_path, 2)


def with_nan(stem: str, array: str) -> Callable[[Path], None]:
    """Put NaN under a name and keep the digests right, as an attacker would."""

    def edit(checkpoint: Path) -> None:
        file = checkpoint / f"{stem}.safetensors"
        arrays, metadata = decode(file.read_bytes(), file)
        file.write_bytes(encode({**arrays, array: mx.full((3,), float("nan"))}, metadata))
        redigest(checkpoint)

    return edit


def redigest(checkpoint: Path) -> None:
    state = json.loads((checkpoint / "state.json").read_text())
    for name in state["files"]:
        state["files"][name] = hashlib.sha256((checkpoint / name).read_bytes()).hexdigest()
    (checkpoint / "state.json").write_text(json.dumps(state))


def state_with(**values: object) -> Callable[[Path], None]:
    def edit(checkpoint: Path) -> None:
        state = json.loads((checkpoint / "state.json").read_text())
        (checkpoint / "state.json").write_text(json.dumps(state | values))

    return edit


def cut(name: str, keep: int) -> Callable[[Path], None]:
    def edit(checkpoint: Path) -> None:
        (checkpoint / name).write_bytes((checkpoint / name).read_bytes()[:keep])

    return edit


DAMAGE = {
    "cut weights": (cut("model.safetensors", 500), "model.safetensors: the content is not what was written"),
    "cut state": (cut("state.json", 100), "state.json is not sound JSON"),
    "empty state": (cut("state.json", 0), "state.json is not sound JSON"),
    "no weights": (lambda c: (c / "model.safetensors").unlink(), "files are not those that state.json names"),
    "foreign file": (lambda c: (c / "x.pkl").write_bytes(b"\x80"), "files are not those that state.json"),
    "nan": (with_nan("model", "cell.ff1_b"), "model.safetensors: 'cell.ff1_b' holds values that are not"),
    "nan best": (with_nan("best", "cell.ff1_b"), "best.safetensors: 'cell.ff1_b' holds values"),
    "nan moment": (
        with_nan("optimizer", "cell.ff1_b.m"),
        "optimizer.safetensors: 'cell.ff1_b.m' holds",
    ),
    "traversal": (with_nan("model", "../../evil"), "'../../evil' is not among the names expected"),
    "traversal in digests": (state_with(files={"../../evil": "00"}), "files are not those"),
    "version": (state_with(version=9), "is of version 9; this release reads version 1"),
    "epoch": (state_with(epoch=-1), "epoch, batch and items"),
    "random": (state_with(random=[[1]]), r"the random state is \[\[1\]\]"),
    "loss_sum": (state_with(loss_sum="0"), "loss_sum is '0'"),
    "history": (state_with(history={"loss": []}), "a history has loss, seconds, validation"),
    "history text": (
        state_with(history={"loss": ["x"], "seconds": [], "validation": []}),
        "loss must be a list of numbers",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_checkpoint_is_refused(kind: str, tmp_path: Path) -> None:
    train(tmp_path, 1)
    checkpoint = newest_checkpoint(tmp_path)
    assert checkpoint is not None
    damage, reason = DAMAGE[kind]
    damage(checkpoint)
    with pytest.raises(gl.FileError, match=reason):
        train(tmp_path, 2)
    assert names(tmp_path) == [checkpoint.name]


def test_a_pickle_in_disguise_is_refused(tmp_path: Path) -> None:
    train(tmp_path, 1)
    checkpoint = newest_checkpoint(tmp_path)
    assert checkpoint is not None
    (checkpoint / "optimizer.safetensors").write_bytes(b"\x80\x04\x95payload")
    redigest(checkpoint)
    with pytest.raises(gl.FileError, match="this is a Python pickle"):
        train(tmp_path, 2)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        train(tmp_path / "file" / "run", 1)
