"""Do the shipped examples and the quick start train from every seed? Each as it stands, with other seeds.

    python benchmarks/recipes.py --seeds 20 --table benchmarks/results/recipes.md
    python benchmarks/recipes.py --only plain --rates 0.02 0.005

A run is stuck if its last loss is above half of the loss of always saying the mean, which is the variance of
the targets.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine

ROOT = Path(__file__).resolve().parents[1]
STUCK = 0.5


def sources() -> dict[str, str]:
    """The examples, and the quick start up to its training, as Python."""
    page = (ROOT / "docs" / "quickstart.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    last = next(k for k, block in enumerate(blocks) if "value_and_grad" in block)
    # The page asserts what this table counts.
    quick = re.sub(r"(?m)^assert losses.*$", "", "\n".join(blocks[: last + 1]))
    files = {path.name: path.read_text() for path in sorted((ROOT / "examples").glob("train_*.py"))}
    return {"quick start": quick, **files}


def shipped(source: str) -> float:
    """The learning rate that a recipe has."""
    (rate,) = re.findall(r"learning_rate=([\d.]+)", source)
    return float(rate)


def run(source: str, seed: int, rate: float) -> float:
    """The last loss of a run, in units of the variance of its targets."""
    source = re.sub(r"mx\.random\.seed\(\d+\)", f"mx.random.seed({seed})", source)
    source, changed = re.subn(r"learning_rate=[\d.]+", f"learning_rate={rate}", source)
    assert changed == 1, "one learning rate"
    source = re.sub(r"(?m)^ *checkpoint=.*\n", "", source)  # which only takes time
    names: dict[str, Any] = {"__name__": "__main__"}
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            said = io.StringIO()
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                exec(compile(source, "example", "exec"), names)
        finally:
            os.chdir(before)
    losses = names["history"].loss if "history" in names else names.get("losses", [])
    last = losses[-1] if losses else names["loss"].item()
    return float(last / np.array(names["target"]).var())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rates", type=float, nargs="+", help="instead of the recipe's own")
    parser.add_argument("--only", help="a part of the name")
    parser.add_argument("--table", type=Path, help="also write the table to a file")
    options = parser.parse_args()
    lines = [
        "| recipe | learning rate | seeds | stuck | best | median | worst |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, source in sources().items():
        if options.only and options.only not in name:
            continue
        for rate in options.rates or [shipped(source)]:
            losses = [run(source, seed, rate) for seed in range(options.seeds)]
            stuck = sum(not loss < STUCK for loss in losses)
            figures = " | ".join(f"{value:.3f}" for value in (min(losses), np.median(losses), max(losses)))
            lines.append(f"| {name} | {rate} | {options.seeds} | {stuck} | {figures} |")
            print(lines[-1], flush=True)
    said = f"{machine()}; python {shlex.join(sys.argv)}; losses in units of the variance of the targets"
    text = "\n".join(["# Do the shipped recipes train from every seed?", "", said, "", *lines, ""])
    if options.table:
        options.table.write_text(text)


if __name__ == "__main__":
    main()
