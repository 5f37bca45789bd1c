"""An epoch of the demo, with the fused engine and with plain operations.

    python benchmarks/demo.py --out benchmarks/results

Both train the same network on the same images; the table shows the median of the epochs after the first, and
how far the losses of the two are apart in the end.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

from measure import machine

import ganglion as gl
from ganglion.demo import LABELS, UNITS, build
from ganglion.demo.data import CLASSES, COLUMNS, Digits
from ganglion.demo.training import RECIPES, train


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, help="folder for demo.md")
    options = parser.parse_args()
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
    print("\n".join(lines))
    if options.out:
        (options.out / "demo.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
