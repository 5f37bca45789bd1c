"""Places where a command cannot write, and disks that take nothing."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .fault import Fault
from .running import TARGETS, TRAIN

TRAINING = f"train good.json good.csv {TARGETS}"
NEW = "new auto-ncp --units 12 --outputs 2 --inputs 3 -o"
WRITERS = {
    "plot .png": "plot good.json -o {}.png",
    "plot .svg": "plot good.json -o {}.svg",
    "plot .pdf": "plot good.json -o {}.pdf",
    "plot .html": "plot good.json -o {}.html",
    "convert": "convert good.json {}.graphml",
    "new": f"{NEW} {{}}.json",
    "predict": "predict run good.csv -o {}.csv",
    "save": "gl.save(gl.LTC(gl.read('good.json')), '{}.safetensors')",
    "write": "gl.write(gl.read('good.json'), '{}.net')",
    "export": "gl.export_mlx(gl.LTC(gl.read('good.json')), '{}.mlxfn', np.zeros((1, 4, 3), np.float32))",
}


def ending(command: str) -> str:
    return WRITERS[command].partition("{}")[2].split("'")[0].split()[0]


def folder(path: Path) -> None:
    path.mkdir()
    (path / "file").write_text("kept")


KINDS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a folder that is not there": ("nowhere/f", lambda path: None, "nowhere"),
    "a file for a folder": ("good.csv/f", lambda path: None, "good.csv"),
    "a folder in its place": ("f", folder, "it is a directory"),
    "a pipe in its place": ("f", os.mkfifo, "it is no regular file"),
    "a device in its place": ("f", lambda path: path.symlink_to("/dev/full"), "it is no regular file"),
    "a name of 300 letters": ("f" * 300, lambda path: None, "File name too long"),
}
FULL = "No space left on device"


def put(kind: str, command: str) -> Callable[[], object]:
    name, make, _ = KINDS[kind]
    return lambda: make(Path(name + ending(command)))


def limited(size: int) -> Callable[[], None]:
    """No file may grow beyond so many bytes; Python ignores the signal, so that writing is an error."""

    def within() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return within


def filling() -> None:
    """What was written cannot be flushed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    os.fsync = full


def files(most: int) -> Callable[[], None]:
    """No more files may be opened than so many."""

    def within() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for descriptor in held[len(held) - most :]:
            os.close(descriptor)

    return within


def kept(name: str) -> Callable[[], object]:
    """There is a file of yesterday."""
    return lambda: Path(name).write_text("of yesterday")


LIMITED = "File too large"
ROWS = [
    *(
        Fault(f"{command}: {kind}", WRITERS[command].format(name), says, put(kind, command))
        for kind, (name, _, says) in KINDS.items()
        for command in WRITERS
    ),
    *(
        Fault(
            f"{command}: a disk that takes 1000 bytes, and a file of yesterday",
            WRITERS[command].format("f"),
            "the disk takes no more" if command == "export" else LIMITED,
            kept(f"f{ending(command)}"),
            within=limited(600),
        )
        for command in WRITERS
    ),
    Fault(
        "weights: a disk that takes 1000 bytes",
        "gl.LTC(gl.read('good.json')).save_weights('f.safetensors')",
        "the disk takes no more",
        kept("f.safetensors"),
        within=limited(600),
    ),
    *(
        Fault(
            f"{command}: a disk that fills up, and a file of yesterday",
            WRITERS[command].format("f"),
            FULL,
            kept(f"f{ending(command)}"),
            within=filling,
        )
        for command in WRITERS
    ),
    Fault("train: a disk that fills up", TRAIN, FULL, left=("new",), within=filling),
    Fault("train: a disk that takes 1000 bytes", TRAIN, LIMITED, left=("new",), within=limited(600)),
    Fault("train: a file for a folder", f"{TRAINING} --out good.csv", "good.csv"),
    Fault(
        "train: a folder of something else",
        f"{TRAINING} --out f",
        "f is not empty",
        lambda: folder(Path("f")),
    ),
    Fault("train: a run of another window", f"{TRAINING} --out run --window 9", "holds a run with window"),
    Fault("train: a run of another cell", f"{TRAINING} --out run --cell cfc", "holds a run with cell"),
    Fault("train: a run of another seed", f"{TRAINING} --out run --seed 9", "holds a run with seed"),
    Fault("predict: onto its table", "predict run good.csv -o good.csv", "good.csv"),
    Fault("predict: into the run", "predict run good.csv -o run/run.json", "run.json"),
    Fault("plot: no file may be opened", "plot good.json -o f.png", "Too many open files", within=files(0)),
    Fault("train: no file may be opened", TRAIN, "Too many open files", within=files(0), left=("new…",)),
]
