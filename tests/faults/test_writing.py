"""What other libraries write for us is replaced whole, too: weights, exported functions, checkpoints."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import pytest

import ganglion as gl
from ganglion import storage

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
X = mx.zeros((1, 4, 3))
WRITERS: dict[str, Callable[[Path], object]] = {
    "w.safetensors": lambda path: gl.LTC(CIRCUIT).save_weights(str(path)),
    "w.npz": lambda path: gl.LTC(CIRCUIT).save_weights(str(path)),
    "f.mlxfn": lambda path: gl.export_mlx(gl.LTC(CIRCUIT), path, X),
}


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Callable[[Path], object], Path]:
    return WRITERS[request.param], tmp_path / request.param


def test_a_full_disk_leaves_the_old_file(
    writer: tuple[Callable[[Path], object], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, path = writer
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write(path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    write(path)
    assert path.stat().st_size > 100


def test_a_link_stays_a_link_and_permissions_stay(
    writer: tuple[Callable[[Path], object], Path],
) -> None:
    write, path = writer
    target = path.with_name("there")
    target.write_text("old")
    target.chmod(0o640)
    path.symlink_to("there")
    write(path)
    assert path.is_symlink()
    assert target.stat().st_size > 100
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("made", "told"),
    [(os.mkfifo, "it is no regular file"), (os.mkdir, "it is a directory"), (None, "there is no directory")],
)
def test_what_cannot_be_replaced_is_refused(
    made: Callable[[Path], object] | None, told: str, writer: tuple[Callable[[Path], object], Path]
) -> None:
    write, path = writer
    if made is None:
        path = path.parent / "missing" / path.name
    else:
        made(path)
    with pytest.raises(OSError, match=told):
        write(path)
    assert made is None or not path.is_file()


def test_a_directory_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.make_directory(tmp_path / "one", {"a": b"1", "b": b"2"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == {"a": b"1", "b": b"2"}
    with pytest.raises(OSError, match="not empty"):
        storage.make_directory(tmp_path / "one", {"a": b"3"})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        storage.make_directory(tmp_path / "two", {"a": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one" / "a").read_bytes() == b"1"
    (tmp_path / ".two.abcd.tmp").mkdir()
    storage.sweep_directory(tmp_path, "two.*")
    storage.remove_directory(tmp_path / "one")
    assert list(tmp_path.iterdir()) == []
