"""An epoch of the demo, with the fused engine and with plain operations.

    python benchmarks/demo.py --out benchmarks/results

Both train the same network on the same images; the table shows the median of the epochs after the first, and
how far the losses of the two are apart in the end. Or the whole demo, beside that of another checkout:

    git worktree add ../old d146048
    python benchmarks/demo.py --before ../old --epochs 40 --out benchmarks/results

Both run in turns, in this Python, pictures and all; the ratios are of the pairs' seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from measure import machine

import ganglion as gl
from ganglion.demo import LABELS, UNITS, build
from ganglion.demo.data import CLASSES, COLUMNS, Digits
from ganglion.demo.training import RECIPES, train


def whole(checkout: Path, epochs: int) -> tuple[float, float]:
    """Seconds of the wall and of the processor that the demo of a checkout takes."""
    with tempfile.TemporaryDirectory() as out:
        environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
        command = [sys.executable, "-m", "ganglion", "demo", "--out", out, "--epochs", str(epochs)]
        start, before = time.perf_counter(), os.times()
        subprocess.run(command, env=environment, cwd=out, check=True, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def beside(other: Path, epochs: int, pairs: int) -> list[str]:
    """A table of the demo of another checkout and of this one, in turns."""
    here = Path(__file__).resolve().parents[1]
    for checkout in (other, here):
        whole(checkout, 1)  # builds what is not there yet
    found = [(whole(other, epochs), whole(here, epochs)) for _ in range(pairs)]
    told = (
        f"{machine()}; `ganglion demo --epochs {epochs}`, both networks, in {pairs} turns; medians of seconds"
    )
    lines = [told, "", "| clock | before | now | ratio |", "|---|---|---|---|"]
    for k, what in enumerate(("wall", "processor")):
        before, now = (statistics.median(pair[i][k] for pair in found) for i in range(2))
        ratio = statistics.median(new[k] / old[k] for old, new in found)
        lines.append(f"| {what} | {before:.2f} | {now:.2f} | {ratio:.2f} |")
    return lines


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, help="folder for the table")
    parser.add_argument("--before", type=Path, help="another checkout, whose demo runs beside this one")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    if options.before:
        _keep(beside(options.before.resolve(), options.epochs, options.pairs), options.out, "demo_before.md")
        return
    digits = Digits.load()
    compiled = gl.compile_circuit(gl.auto_ncp(UNITS, CLASSES, inputs=COLUMNS))
    lines = [
        f"{machine()}; seconds of an epoch of the demo, median of {options.epochs - 1}",
        "",
        "| network | operations | fused | ratio | losses differ by |",
        "|---|---|---|---|---|",
    ]
    for cell in RECIPES:
        histories = {}
        for engine in ("ops", "fused"):
            network = build(cell, compiled, seed=0)
            network.engine = engine
            recipe = replace(RECIPES[cell], epochs=options.epochs)
            histories[engine] = train(network, digits, recipe, seed=0)
        plain, fused = (statistics.median(histories[e].seconds[1:]) for e in ("ops", "fused"))
        apart = abs(histories["ops"].loss[-1] - histories["fused"].loss[-1])
        lines.append(f"| {LABELS[cell]} | {plain:.2f} | {fused:.3f} | {plain / fused:.1f}x | {apart:.1e} |")
    _keep(lines, options.out, "demo.md")


def _keep(lines: list[str], folder: Path | None, name: str) -> None:
    print("\n".join(lines))
    if folder:
        (folder / name).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
