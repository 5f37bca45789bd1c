"""``ganglion demo``: one circuit, two networks, handwritten digits, a table and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
from rich.console import Console

from ..cells import LTC, CfC
from ..commands.output import console as make_console
from ..compile import CompiledCircuit, compile_circuit
from ..wiring import auto_ncp
from . import pictures
from .data import CLASSES, COLUMNS, Digits
from .report import Row, progress_of, table_of
from .training import RECIPES, History, Network, train

__all__ = ["UNITS", "build", "run"]

UNITS = 64
SHOWN = 0
"""The test image that is read for the pictures of activity."""
NETWORKS: dict[str, type[LTC] | type[CfC]] = {"ltc": LTC, "cfc": CfC}
LABELS = {"ltc": "LTC", "cfc": "CfC"}


def build(cell: str, compiled: CompiledCircuit, seed: int) -> Network:
    """A fresh network that answers once, after the last row."""
    mx.random.seed(seed)
    return NETWORKS[cell](compiled, return_sequences=False)


def run(
    cells: Sequence[str] = ("ltc", "cfc"),
    epochs: int | None = None,
    seeds: Sequence[int] = (0,),
    out: Path = Path("out"),
    console: Console | None = None,
) -> list[Row]:
    """Train every cell with every seed, print the table, save the pictures; return the table's rows.

    Args:
        cells: some of "ltc" and "cfc".
        epochs: passes over the training images; None means each cell's own number.
        seeds: of weights and batches. Circuit and test images are always the same.
        out: folder for the pictures, made if it is not there.
        console: where to print; standard output if None.

    Raises:
        OSError: the folder cannot be made.
        ImportError: scikit-learn is not installed; the extra ``demo`` brings it.
    """
    console = console or make_console()
    out.mkdir(parents=True, exist_ok=True)
    digits = Digits.load()
    circuit = auto_ncp(UNITS, CLASSES, inputs=COLUMNS)
    compiled = compile_circuit(circuit)
    baseline = digits.logistic_regression()
    pictures.save_circuit(circuit, out / "circuit.png")
    pictures.save_masks(compiled, out / "masks.png")

    rows, histories = [], {}
    for cell in cells:
        recipe = replace(RECIPES[cell], **({"epochs": epochs} if epochs else {}))
        runs: list[History] = []
        for seed in seeds:
            network = build(cell, compiled, seed)
            with progress_of(f"{LABELS[cell]}, seed {seed}", recipe, digits, console) as watch:
                runs.append(train(network, digits, recipe, seed=seed, watch=watch))
        rows.append(Row.of_runs(LABELS[cell], runs, network, compiled))
        histories[LABELS[cell]] = runs
        pictures.save_activity(LABELS[cell], network, digits, SHOWN, out / f"activity-{cell}.png")
    rows.append(Row.of_baseline(*baseline))
    pictures.save_curves(histories, rows[-1].accuracy[0], out / "curves.png")
    console.print(table_of(rows))
    console.print(f"pictures: {', '.join(sorted(path.name for path in out.glob('*.png')))} in {out}")
    return rows
