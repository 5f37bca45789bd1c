"""What fixed point costs: the demo's networks on the test images, as floats and as 32-bit numbers.

    python benchmarks/fixed_point.py [--epochs 40] [--out benchmarks/results]

The networks are trained as the demo trains them and exported twice; the C names the digits of all 360 test
images. On a control task, `examples/control/run.py` prints the same beside its returns.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from exported import loaded

import ganglion as gl
from ganglion.demo.data import Digits
from ganglion.demo.training import RECIPES, train


def outputs(rnn: Any, images: np.ndarray, fixed: np.ndarray | None) -> np.ndarray:
    """(B, 10) what the C of a network says after the last row of each image."""
    found = np.zeros((len(images), 10), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        step, reset = loaded(rnn, Path(folder), fixed)
        for image, output in zip(images, found, strict=True):
            reset()
            for row in image:
                step(np.ascontiguousarray(row), 1.0, output)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, help="folder for fixed_point.md")
    chosen = parser.parse_args()
    digits = Digits.load()
    lines = [
        f"auto_ncp(64, 10, inputs=8), {chosen.epochs} epochs, 360 test images; largest differences\n",
        "| cell | MLX | C, float32 | differs by | C, fixed point | differs by |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in (("ltc", gl.LTC), ("cfc", gl.CfC)):
        mx.random.seed(0)
        rnn = kind(gl.auto_ncp(64, 10, inputs=8, seed=0), return_sequences=False)
        train(rnn, digits, replace(RECIPES[name], epochs=chosen.epochs), seed=0)
        expected = np.array(rnn(mx.array(digits.test_images))[0])
        cells = [f"{np.mean(expected.argmax(axis=1) == digits.test_labels):.3f}"]
        for fixed in (None, digits.train_images[:200]):
            found = outputs(rnn, digits.test_images, fixed)
            right = np.mean(found.argmax(axis=1) == digits.test_labels)
            cells += [f"{right:.3f}", f"{np.abs(found - expected).max():.0e}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if chosen.out:
        (chosen.out / "fixed_point.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
