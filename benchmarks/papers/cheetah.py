"""The half-cheetah task of the LTC paper: predict the next observation of a running MuJoCo half-cheetah.

    python benchmarks/papers/cheetah.py --data DIR --runs /tmp/cheetah --table benchmarks/papers/cheetah.md
    python benchmarks/papers/cheetah.py --data DIR --keep 0.5 --models LTC STC LRC CfC --epochs 40

DIR holds the trajectories trace_0000.npy ... of the public repository raminmh/liquid_time_constant_networks.
Protocol (Hasani et al., Liquid Time-constant Networks, AAAI 2021, and the code there): files by name, 0-4 for
validation, 5-14 for testing, 15-24 for training; sequences of 32 steps every 10 steps, not normalised; 32
hidden units and a linear readout; mean squared error, Adam, batches of 16, 200 epochs; the epoch with the
best validation error is tested. With --keep, it is an irregular task: each frame is there by that chance
alone, a model is told how many frames have passed, and predicts the frame after each that it sees.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from common import arguments, table, train
from models import MODELS, Readout

import ganglion as gl
from ganglion.training.data import Batches, as_data
from ganglion.training.loop import evaluate

UNITS, STEPS, EVERY, BATCH, EPOCHS = 32, 32, 10, 16, 200
PUBLISHED = {"LTC": "2.308 ± 0.015", "LSTM": "2.500 ± 0.140", "CT-RNN": "2.838 ± 0.112"}
Part = tuple[np.ndarray, ...]


def load(folder: Path, keep: float) -> tuple[Part, Part, Part]:
    """Training, validation and test sequences: observations, the next ones, (n, 32, 17) each, and spans."""
    files = sorted(folder.glob("*.npy"))
    if len(files) < 25:
        sys.exit(f"cheetah.py: {folder} holds {len(files)} .npy files, the task needs 25")
    traces = [np.load(file, allow_pickle=False).astype(np.float32) for file in files]
    return _cut(traces[15:25], keep), _cut(traces[:5], keep), _cut(traces[5:15], keep)


def _cut(traces: list[np.ndarray], keep: float) -> Part:
    rng, found = np.random.default_rng(7), []
    for trace in traces:
        frames = np.flatnonzero(rng.uniform(size=len(trace) - 1) < keep)
        for start in range(0, len(frames) - STEPS, EVERY):
            kept = frames[start : start + STEPS]
            spans = np.diff(kept, prepend=kept[0] - 1).astype(np.float32)
            found.append((trace[kept], trace[kept + 1], spans))
    x, y, spans = (np.stack(parts) for parts in zip(*found, strict=True))
    return (x, y) if keep == 1.0 else (x, y, spans)


def main() -> None:
    """Train every model with every seed and print the table."""
    parser = arguments(__doc__, list(MODELS), EPOCHS)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the .npy files are")
    parser.add_argument("--keep", type=float, default=1.0, help="the share of frames that are there")
    options = parser.parse_args()
    training, validation, test = load(options.data, options.keep)
    features = test[1].shape[-1]
    held_out = Batches(as_data(test), 256)

    def test_error(model: nn.Module) -> float:
        return evaluate(model, held_out, gl.training.mse)

    results = []
    for name in options.models:
        make, recipe = MODELS[name]
        for seed in options.seeds:
            mx.random.seed(seed)
            model = Readout(make(features, UNITS, seed, options.engine), UNITS, features)
            results.append(
                train(
                    name, seed, model, training, validation, test_error, options,
                    loss=gl.training.mse, optimizer=optim.Adam(**recipe, bias_correction=True),
                    batch_size=BATCH,
                )
            )  # fmt: skip
    text = table(
        results, PUBLISHED if options.keep == 1.0 else {}, "test MSE", f"python {shlex.join(sys.argv)}"
    )
    print(text)
    if options.table:
        options.table.write_text(f"# Half-cheetah: next observation, test mean squared error\n\n{text}\n")


if __name__ == "__main__":
    main()
