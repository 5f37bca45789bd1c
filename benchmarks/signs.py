"""What it costs to hold the signs of synapses: networks trained with polarity="init" and "fixed", in pairs.

    python benchmarks/signs.py demo --cells ltc cfc --seeds 20
    python benchmarks/signs.py xor --seeds 3

demo: the digits of ``ganglion demo`` by its recipes; seed k is tested on fold k mod 5 of five, so that
every image is tested. xor: the parity of bit streams of ``benchmarks/papers/xor.py``, up to 15 bits long, by
32 units over a full circuit. For the half-cheetah, see ``benchmarks/papers/cheetah.py --models "LTC fixed"``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

import ganglion as gl
from ganglion.demo import NETWORKS, UNITS
from ganglion.demo.data import BRIGHTEST, CLASSES, COLUMNS, Digits
from ganglion.demo.training import RECIPES, train

POLARITY = ("init", "fixed")
FOLDS = 5


def fold(seed: int) -> Digits:
    """All images, of which the fold of this seed is for testing."""
    digits = load_digits()
    images, labels = (digits.images / BRIGHTEST).astype(np.float32), digits.target.astype(np.int32)
    parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(images, labels))
    train_, test = parts[seed % FOLDS]
    return Digits(images[train_], labels[train_], images[test], labels[test])


def demo(cell: str, polarity: str, seed: int) -> float:
    """Test accuracy in percent of the demo's network after its last epoch."""
    compiled = gl.compile_circuit(gl.auto_ncp(UNITS, CLASSES, inputs=COLUMNS))
    mx.random.seed(seed)
    rnn = NETWORKS[cell](compiled, return_sequences=False, polarity=polarity)
    return 100 * train(rnn, fold(seed), RECIPES[cell], seed=seed).accuracy[-1]


def xor(cell: str, polarity: str, seed: int) -> float:
    """Test accuracy in percent on bit streams, after the best of 15 epochs."""
    sys.path.insert(0, str(Path(__file__).parent / "papers"))
    import models
    import xor as task

    task.LONGEST = 16
    data, held_out = task.streams(20_000, seed=1234984), 1000
    test = task.Streams(*task.streams(4000, seed=48736))
    mx.random.seed(seed)
    network = {"ltc": gl.LTC, "cfc": gl.CfC}[cell]
    rnn = network(models.full_circuit(1, 32, 1000 * seed), polarity=polarity)
    model = task.Parity(rnn, 32)
    gl.fit(
        model,
        task.Streams(*(array[held_out:] for array in data)),
        validation=task.Streams(*(array[:held_out] for array in data)),
        loss=task.loss,
        optimizer=optim.Adam(0.01, bias_correction=True),
        epochs=15,
        batch_size=128,
        clip_norm=1.0,
        seed=seed,
    )
    accuracy: float = task.accuracy(model, test)
    return accuracy


TASKS: dict[str, Callable[[str, str, int], float]] = {"demo": demo, "xor": xor}


def row(cell: str, found: np.ndarray[Any, Any]) -> str:
    """Means of (pairs, 2) accuracies, and the mean of what is lost with its bound."""
    lost = found[:, 0] - found[:, 1]
    n = len(lost)
    error = lost.std(ddof=1) / np.sqrt(n)
    bound = lost.mean() + stats.t.ppf(0.95, n - 1) * error
    means = " | ".join(f"{mean:.2f}" for mean in found.mean(axis=0))
    return f"| {cell} | {n} | {means} | {lost.mean():.2f} ± {error:.2f} | {bound:.2f} |"


def main() -> None:
    """Train the pairs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--cells", nargs="+", choices=["ltc", "cfc"], default=["cfc"])
    parser.add_argument("--seeds", type=int, default=20, help="how many pairs (default: 20)")
    options = parser.parse_args()
    print("| cell | pairs | init, % | fixed, % | points lost | upper 95 % bound |\n|---|---|---|---|---|---|")
    for cell in options.cells:
        found = [[TASKS[options.task](cell, p, seed) for p in POLARITY] for seed in range(options.seeds)]
        print(row(cell, np.array(found)), flush=True)


if __name__ == "__main__":
    main()
