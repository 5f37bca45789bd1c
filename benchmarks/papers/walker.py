"""The Walker2d task of the CfC paper: predict the next observation of a walker of which frames are missing.

    git clone https://github.com/raminmh/CfC && git -C CfC checkout 59f6e01    # later commits lack the data
    python benchmarks/papers/walker.py --data CfC/data/walker --runs RUNS --table benchmarks/results/walker.md

PATH holds the trajectories rollout_000.npy ... of a MuJoCo walker, 17 numbers a frame.
Protocol (Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022, and
train_walker.py and irregular_sampled_datasets.py of the repository above): the files shuffled by a fixed
seed, the first 15 % for testing, the next 10 % for validation; each frame is there with a chance of 0.9; a
model is told how many frames have passed since the last, and predicts the frame that follows each; sequences
of 64 steps every 16, not normalised; mean squared error, Adam with a rate that falls by 5 % an epoch, 50
epochs.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import mlx.nn as nn
import numpy as np
from compare import Model, Part, Task, compare, cut, options_of, squared_error
from models import full_circuit

import ganglion as gl

STEPS, EVERY, EPOCHS, PRESENT = 64, 16, 50, 0.9
PUBLISHED = {
    "CfC": "0.643 ± 0.006",
    "CfC no_gate": "0.650 ± 0.008",
    "CfC pure": "0.948 ± 0.009",
    "CfC mixed": "0.617 ± 0.006",
    "LTC": "0.662 ± 0.013",
}
NOTES = """\
The split and the missing frames are those of the published script, number by number, and so are rates and
sizes where `--units` does not say otherwise. What differs: the published script keeps the weights of the
best validation epoch but never puts them back, so its figures are those of the last epoch, here they are
those of the best; it clips each gradient by itself, here all together; its heads are 1.7159 tanh(0.666 x),
here tanh as in the package ncps; its dropout of 0.1 behind the only backbone layer and its weight decay of
1e-6 are left out (ncps drops nothing behind the first layer); its five runs are here three. ncps's LTC
keeps its parameters positive by softplus, and ncps reads time spans of a batch rightly only if they are
repeated for each unit."""


def load(folder: Path) -> tuple[Part, Part, Part]:
    """Training, validation and test sequences: observations and the next ones, (n, 64, 17), and spans."""
    files = sorted(folder.glob("*.npy"))
    if len(files) < 7:
        sys.exit(
            f"walker.py: {folder} holds {len(files)} .npy files: expected the 400 of the task, at least 7"
        )
    np.random.RandomState(125487).shuffle(files)
    test, held_out = int(0.15 * len(files)), int(0.25 * len(files))
    rng = np.random.RandomState(891374)  # it goes on from part to part: the order is that of the publication
    parts = [_sequences(part, rng) for part in (files[held_out:], files[test:held_out], files[:test])]
    return parts[0], parts[1], parts[2]


def _sequences(files: list[Path], rng: np.random.RandomState) -> Part:
    found = []
    for file in files:
        trace = np.load(file, allow_pickle=False).astype(np.float32)
        kept = np.flatnonzero(rng.rand(len(trace) - 1) < PRESENT)
        spans = np.diff(kept, prepend=-1).astype(np.float32)
        if len(kept) > STEPS:
            found.append(cut(trace[kept], trace[kept + 1], spans, steps=STEPS, every=EVERY))
    if not found:
        sys.exit(f"walker.py: none of {', '.join(file.name for file in files)} is longer than {STEPS} frames")
    x, y, spans = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return x, y, spans


def _cfc(inputs: int, units: int, seed: int, engine: str, **options: Any) -> nn.Module:
    return gl.CfC(gl.dense(inputs, units), engine=engine, **options)


def _ltc(inputs: int, units: int, seed: int, engine: str) -> nn.Module:
    return gl.LTC(full_circuit(inputs, units, 1000 * seed), ode_unfolds=3, engine=engine)


def _closed(units: int, rate: float, batch: int, clip: float, **options: Any) -> Model:
    make = partial(_cfc, **options)
    named = {
        "activation" if name == "backbone_activation" else name: value for name, value in options.items()
    }
    return Model(make, units, rate, 0.95, clip, batch, ("CfC", named))


MODELS = {
    "CfC": _closed(64, 0.02, 256, 1, backbone_units=256, backbone_activation="silu"),
    "CfC no_gate": _closed(
        256, 0.008, 128, 1, backbone_units=128, backbone_activation="lecun_tanh", mode="no_gate"
    ),
    "CfC pure": _closed(256, 0.006, 128, 10, backbone_units=192, backbone_activation="silu", mode="pure"),
    "LTC": Model(_ltc, 128, 0.05, 0.95, 10, 128, ("LTC", {"ode_unfolds": 3})),
}


def main() -> None:
    """Train every model with every seed and print the table."""
    options = options_of(__doc__, MODELS, EPOCHS, "the folder of the .npy files").parse_args()
    training, validation, test = load(options.data)
    task = Task(
        title="Walker2d with missing frames: next observation",
        measure="test MSE",
        score=squared_error,
        higher=False,
        outputs=training[1].shape[-1],
        classes=False,
        training=training,
        validation=validation,
        test=test,
        published=PUBLISHED,
        baselines={"the frame itself as its successor": squared_error(test[0], test[1])},
        notes=NOTES,
    )
    compare(task, MODELS, options)


if __name__ == "__main__":
    main()
