"""Kill processes at random moments, and look what is lost.

    make kills MOMENTS=200 SEED=0

Work of each kind goes on in a folder of its own; it is killed (kill -9) at a moment that is drawn, what it
left is checked, and it goes on. At the end each is let finish what it was at: training must come to the
weights of a run that nobody killed, to the bit, and no file of a kill may stay. It ends with a table, and
with 1 if anything was lost.

Processes are forked from this one, which has loaded everything and computes nothing itself.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import ganglion as gl

from .checks import CHECKS
from .work import WORK, circuit

LONGEST = {"training": 2.0, "building": 1.5, "studying": 1.0, "sweeping": 1.0}
"""Seconds within which a kill comes; 0.4 for what is quick."""
PATIENCE = 90.0
"""Seconds within which work says its first number."""


class Kill(NamedTuple):
    """One kill: of which work, after how long, after which number, and what was wrong; empty if nothing."""

    work: str
    after: float
    told: int
    wrong: str


def child(act: Callable[[], None]) -> tuple[int, int]:
    """A forked process that does something, and what it says: its number and a descriptor."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.dup2(writing, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
            faulthandler.enable(1)
            act()
        except BaseException:
            os.write(1, f"\n{traceback.format_exc()}".encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    return process, reading


def said_by(act: Callable[[], None]) -> str:
    """Let a forked process finish; what it said if it failed."""
    process, reading = child(act)
    with open(reading, errors="replace") as file:
        said = file.read()
    _, status = os.waitpid(process, 0)
    return "" if status == 0 else said.strip() or f"status {status}"


def kill(work: str, folder: Path, chance: random.Random) -> Kill:
    """Let work go on, kill it, and check what is there."""
    before = int((folder / "told").read_text()) if (folder / "told").exists() else 0
    after = chance.uniform(0, LONGEST.get(work, 0.4))
    process, reading = child(lambda: WORK[work](folder))
    said, end = b"", time.monotonic() + PATIENCE
    while b"\n" not in said and (more := _heard(reading, end)):
        said += more  # the moment counts from the first number on
    if time.monotonic() > end:  # it says where it waits, and dies of it
        os.kill(process, signal.SIGABRT)
    stop = time.monotonic() + after
    while more := _heard(reading, stop):
        said += more
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with open(reading, "rb") as file:
        said += file.read()
    if status and (os.WIFEXITED(status) or os.WTERMSIG(status) != signal.SIGKILL):
        return Kill(work, after, before, f"it ended by itself: {said.decode(errors='replace')}")
    lines = said.split(b"\n")[:-1]
    if any(not line.isdigit() for line in lines) and work != "training":
        return Kill(work, after, before, said.decode(errors="replace"))
    told = max([before, *(int(line) for line in lines if line.isdigit())])
    wrong = said_by(lambda: CHECKS[work](folder, told))
    (folder / "told").write_text(str(told))
    (folder / "start").write_text(str(told + 1))
    return Kill(work, after, told, wrong)


def _heard(reading: int, end: float) -> bytes:
    """What a process says next; nothing if it is over, or says nothing until some moment."""
    left = end - time.monotonic()
    return os.read(reading, 65536) if left > 0 and select.select([reading], [], [], left)[0] else b""


def prepared(place: Path, work: str) -> Path:
    """The folder of a kind of work."""
    folder = place / work
    folder.mkdir()
    gl.write(circuit(0), folder / "c.json")
    names = ["sensory_0", "sensory_1", "sensory_2", "motor_0", "motor_1"]
    rows = np.sin(np.arange(60)[:, None] + np.arange(5))
    text = [",".join(f"{value:.4f}" for value in row) for row in rows]
    if work == "studying":
        said_by(lambda: gl.save(gl.LTC(circuit(0)), folder / "m.safetensors"))
    if work == "training":
        (folder / "c.csv").write_text("\n".join([",".join(names), *text]) + "\n")
    return folder


def finished(place: Path) -> dict[str, str]:
    """What is wrong when nobody kills any more, by kind of work."""
    wrong = {}
    folder, whole = place / "training", place / "whole"
    if folder.exists():
        shutil.copytree(folder, whole, ignore=shutil.ignore_patterns("run"))
        wrong["training"] = said_by(lambda: WORK["training"](folder)) or said_by(
            lambda: WORK["training"](whole)
        )
        if not wrong["training"]:
            wrong["training"] = said_by(lambda: _require_equal(folder, whole))
    for path in place.glob("*/.ganglion-*"):
        if path.parent.name not in ("training", "whole"):
            wrong[path.parent.name] = said_by(lambda path=path: _require_swept(path))  # type: ignore[misc]
    return wrong


def _require_equal(*folders: Path) -> None:
    from mlx.utils import tree_flatten

    models = [max(folder.glob("run/step-*")) / "model.safetensors" for folder in folders]
    one, two = (dict(tree_flatten(gl.load(path).parameters())) for path in models)
    assert one.keys() == two.keys()
    for name in one:
        assert np.array_equal(np.array(one[name]), np.array(two[name])), f"{name} is another one"


def _require_swept(path: Path) -> None:
    """What a kill left goes when the same file is written again."""
    for name in ("c.json", "c.graphml", "c.csv", "c.json.gz"):
        gl.write(circuit(1), path.parent / name)
    gl.save(gl.LTC(circuit(1)), path.parent / "m.safetensors")
    gl.export_c(gl.CfC(circuit(1)), path.parent / "p.c")
    gl.viz.to_html(circuit(1), path.parent / "p.html")
    gl.export_mlx(gl.CfC(circuit(1)), path.parent / "p.mlxfn", np.zeros((1, 4, 3), np.float32))
    left = [found.name for found in path.parent.glob(".ganglion-*") if found.stat().st_size]
    assert not left, f"{left} stays"


def kills(moments: int, seed: int, place: Path, kinds: list[str]) -> list[Kill]:
    """So many kills, the kinds in turn."""
    os.environ["GANGLION_CACHE"] = str(place / "cache")
    chance = random.Random(seed)
    folders = {work: prepared(place, work) for work in kinds}
    found = [kill(kinds[k % len(kinds)], folders[kinds[k % len(kinds)]], chance) for k in range(moments)]
    last = finished(place)
    return [*found, *(Kill(work, 0.0, 0, wrong) for work, wrong in last.items() if wrong)]


def main() -> None:
    """Run, report and exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", action="append", choices=tuple(WORK), help="only this kind")
    options = parser.parse_args()
    kinds = options.work or list(WORK)
    with tempfile.TemporaryDirectory(prefix="ganglion-kills-") as place:
        found = kills(options.moments, options.seed, Path(place), kinds)
    print(f"{'work':10} kills  numbers written  lost")
    for work in kinds:
        own = [each for each in found if each.work == work]
        lost = [each for each in own if each.wrong]
        print(f"{work:10} {len(own):5}  {max(each.told for each in own):15}  {len(lost):4}")
        for each in lost:
            print(f"    after {each.after:.3f} s and {each.told}: {each.wrong[-600:]}")
    sys.exit(any(each.wrong for each in found))


if __name__ == "__main__":
    main()
