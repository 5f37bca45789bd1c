"""How a row is run: in this process, which takes milliseconds, or in one that is forked for it alone."""

from __future__ import annotations

import atexit
import importlib
import io
import multiprocessing
import os
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

import ganglion as gl
from ganglion.cli import main

from .fault import Fault, Found

ROOT = Path(__file__).parents[3]
HEADER = "sensory_0,sensory_1,sensory_2,motor_0,motor_1"
LINES = [",".join(f"{np.sin(k + i):.3f}" for i in range(5)) for k in range(60)]
TABLE = "\n".join((HEADER, *LINES)) + "\n"
TARGETS = "--target motor_0 --target motor_1 --epochs 1 --window 8"
TRAIN = f"train good.json good.csv {TARGETS} --out new"
PATIENCE = 60
"""Seconds after which a command hangs."""


def run(row: Fault, group: str) -> Found:
    """Run a row of a group in a fresh folder, which is the current one meanwhile."""
    with tempfile.TemporaryDirectory(prefix="ganglion-faults-") as parent:
        folder = Path(parent, "here")
        shutil.copytree(template(), folder)
        with _inside(folder):
            row.prepare()
            before = _on_disk(folder)
            code, out, said = _alone(row, group) if row.within else _here(row.command)
            after = _on_disk(folder)
    left = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return Found(code, out, said, tuple(left))


@cache
def template() -> Path:
    """A folder with a circuit, a table, a model and a trained run, for this process."""
    folder, process = Path(tempfile.mkdtemp(prefix="ganglion-faults-")), os.getpid()
    atexit.register(lambda: os.getpid() == process and shutil.rmtree(folder, ignore_errors=True))
    with _inside(folder):
        circuit = gl.auto_ncp(12, 2, inputs=3, seed=1)
        gl.write(circuit, "good.json")
        gl.save(gl.LTC(circuit), "good.safetensors")
        Path("good.csv").write_text(TABLE)
        code, _, said = _here(TRAIN.replace("--out new", "--out run"))
        assert code == 0, said
    for path in folder.rglob("*.*"):
        if path.suffix in (".png", ".svg", ".html"):
            path.unlink()
    return folder


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    here = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)


def _on_disk(folder: Path) -> dict[str, object]:
    """Every file by name: its content, or what else it is. A run's lock is of no account."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        if path.name != ".lock":
            status = path.lstat()
            regular = path.is_file() and not path.is_symlink() and status.st_size < 2**20
            exact = path.read_bytes() if regular and os.access(path, os.R_OK) else status.st_mode
            found[str(path.relative_to(folder))] = exact
    return found


def serve(command: str) -> int:
    """The exit code of a command, or of a call, of which the error is told like a command's."""
    if not command.startswith("gl."):
        return main(words(command))
    try:
        eval(
            command.replace("\N{SYMBOL FOR NULL}", "\\0"),
            {"gl": gl, "np": np, "mx": mx, "nn": nn, "optim": optim},
        )
    except (TypeError, ValueError, OSError, ImportError, LookupError, RuntimeError, gl.KernelError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except Exception:  # which `wrong` finds
        traceback.print_exc()
        return 1
    return 0


def words(command: str) -> list[str]:
    """The words of a command, as a shell parts them."""
    return [word.replace("\N{SYMBOL FOR NULL}", "\0") for word in shlex.split(command)]


def _here(command: str) -> tuple[int, str, str]:
    """Run a command in this process; one that waits for ever is an error."""
    out, said = io.StringIO(), io.StringIO()
    with _limited(), redirect_stdout(out), redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = serve(command)
        except SystemExit as stop:  # of argparse
            code = int(stop.code or 0)
    return code, out.getvalue(), said.getvalue()


@contextmanager
def _limited() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("the command waits for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _alone(row: Fault, group: str) -> tuple[int | None, str, str]:
    with tempfile.TemporaryDirectory(prefix="ganglion-faults-") as folder:
        process = server().Process(target=_child, args=(row.given, group, os.getcwd(), folder))
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            return None, "", "it waits for ever"
        out, said = (Path(folder, name).read_text(errors="replace") for name in ("out", "said"))
    return process.exitcode, out, said


@cache
def server() -> Any:
    """Forks processes from one that has loaded everything and computed nothing: 20 ms, not 800."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.table.loaded"])
    with _inside(ROOT):  # it looks for modules where it was started
        forkserver.ensure_running()
    return context


def _child(given: str, group: str, folder: str, outputs: str) -> None:
    importlib.import_module("tests.faults.table.loaded")  # before it gives up its rights, or its memory
    from . import GROUPS

    os.chdir(folder)
    for number, name in ((1, "out"), (2, "said")):
        descriptor = os.open(Path(outputs, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    (row,) = (row for row in GROUPS[group] if row.given == given)
    assert row.within is not None
    row.within()
    warnings.simplefilter("ignore")
    try:
        code = serve(row.command)
    except SystemExit as stop:  # of argparse
        code = int(stop.code or 0)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
