"""Evolve a circuit with at most half the synapses of the demo's, and compare the two over many seeds.

    python benchmarks/evolution.py search --store evolution.journal --report evolution.html
    python benchmarks/evolution.py compare --store evolution.journal --seeds 24 --out benchmarks/results

search: `gl.experiment` with search="evolutionary" over policies, `gl.ncp` with arguments that are drawn and
edits behind them. It sees the demo's training images only: a third of them tells how good a circuit is.
compare: the best one and the demo's own by the demo's recipe on all training images, with the same seed in
pairs, all seeds of a circuit in one ensemble; the test images are looked at here for the first time.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from scipy import stats

import ganglion as gl
from ganglion.demo import UNITS, build
from ganglion.demo.data import CLASSES, COLUMNS, Digits
from ganglion.demo.training import RECIPES, steps_per_epoch

CELL = "cfc"
DEMO = gl.auto_ncp(UNITS, CLASSES, inputs=COLUMNS)
MOST = DEMO.number_of_edges() // 2
ALLOWED = 0.5  # points that may be lost
SPACE = {
    "circuit": gl.studies.Evolving(
        gl.studies.Generator(
            partial(gl.ncp, motor=CLASSES, inputs=COLUMNS, seed=22222),
            {
                "inter": (6, 30),
                "command": (6, 24),
                "sensory_fanout": (2, 8),
                "inter_fanout": (2, 8),
                "recurrent_command_synapses": (5, 120),
                "motor_fanin": (2, 8),
            },
        ),
        most_synapses=MOST,
    )
}


def part_of(digits: Digits) -> Digits:
    """Training images alone: two thirds to train, a third in place of the test images."""
    order = np.random.default_rng(0).permutation(len(digits.train_labels))
    told, seen = np.split(order, [len(order) // 3])
    images, labels = digits.train_images, digits.train_labels
    return Digits(images[seen], labels[seen], images[told], labels[told])


def scores(
    circuit: gl.Circuit, digits: Digits, seeds: Sequence[int], epochs: int | None = None
) -> list[list[float]]:
    """Accuracy in percent after each epoch, for each seed: the demo's training, of all in one ensemble."""
    recipe = RECIPES[CELL] if epochs is None else replace(RECIPES[CELL], epochs=epochs)
    compiled, images, labels = gl.compile_circuit(circuit), digits.train_images, digits.train_labels
    ensemble = gl.ensemble([build(CELL, compiled, seed) for seed in seeds])
    mx.random.seed(seeds[0])
    shufflers = [np.random.default_rng(seed) for seed in seeds]
    steps = recipe.epochs * steps_per_epoch(digits, recipe)
    schedule = optim.cosine_decay(recipe.learning_rate, steps)
    optimizer = optim.Adam(learning_rate=schedule, bias_correction=True)

    def loss_of(ensemble: gl.Ensemble, x: mx.array, y: mx.array) -> mx.array:
        motor, _ = ensemble(x + recipe.noise * mx.random.normal(x.shape), own=True)
        return nn.losses.cross_entropy(recipe.gain * motor, y, reduction="none").mean(axis=1).sum()

    loss_and_gradients = nn.value_and_grad(ensemble, loss_of)
    found: list[list[float]] = [[] for _ in seeds]
    for _ in range(recipe.epochs):
        orders = np.stack([shuffler.permutation(len(labels)) for shuffler in shufflers])
        for start in range(0, len(labels), recipe.batch_size):
            chosen = orders[:, start : start + recipe.batch_size]
            _, gradients = loss_and_gradients(ensemble, mx.array(images[chosen]), mx.array(labels[chosen]))
            optimizer.update(ensemble, gradients)
            ensemble.apply_constraints()
            mx.eval(ensemble.parameters(), optimizer.state)
        motor, _ = ensemble(mx.array(digits.test_images))
        right = np.argmax(np.array(motor), axis=-1) == digits.test_labels
        for each, value in zip(found, right.mean(axis=1), strict=True):
            each.append(100 * float(value))
    return found


def objective(trial: gl.studies.Trial, *, epochs: int) -> float:
    (found,) = scores(trial["circuit"], part_of(Digits.load()), [trial.seed % 2**31], epochs)
    for epoch, value in enumerate(found, 1):
        trial.report(epoch, value)
    return found[-1]


def searched(options: Any) -> Any:
    """The experiment; where it is done, only what was found."""
    return gl.experiment(
        partial(objective, epochs=options.epochs),
        SPACE,
        search="evolutionary",
        trials=options.trials,
        population=options.population,
        store=options.store,
        direction="maximize",
        workers=options.workers,
    )


def search(options: Any) -> None:
    found = searched(options)
    print(found)
    if options.report:
        found.report(options.report, title="Half the synapses, on digits")


def compare(options: Any) -> None:
    found = searched(options)
    circuit, digits = found.values(found.best)["circuit"], Digits.load()
    seeds = range(options.seeds)
    demo, evolved = (np.array([each[-1] for each in scores(c, digits, seeds)]) for c in (DEMO, circuit))
    difference = evolved - demo
    bound = difference.mean() - stats.t.ppf(0.95, len(difference) - 1) * stats.sem(difference)
    lines = [
        "# Half the synapses",
        "",
        "Test accuracy on the digits of `ganglion demo` in percent, mean and standard deviation over "
        f"{options.seeds} seeds (`python benchmarks/evolution.py`); a CfC by the demo's recipe.",
        "",
        "| circuit | neurons with state | synapses | accuracy |",
        "|---|---|---|---|",
        *(
            f"| {name} | {sum(d['role'] != 'sensory' for _, d in each.nodes(data=True))} | "
            f"{each.number_of_edges()} | {values.mean():.2f} ± {values.std(ddof=1):.2f} |"
            for name, each, values in (("`auto_ncp(64, 10)`", DEMO, demo), ("evolved", circuit, evolved))
        ),
        "",
        f"Evolved minus demo, paired by seed: {difference.mean():+.2f} points, at least {bound:+.2f} with "
        f"95 % confidence, where -{ALLOWED} was allowed: {'' if bound > -ALLOWED else 'not '}reached.",
        "",
        f"The search tried {len(found)} circuits of at most {MOST} synapses, for "
        f"{options.epochs} epochs, on training images alone, a third of which judged. "
        f"In the best circuit there are {_counted(circuit)}.",
    ]
    print("\n".join(lines))
    if options.out:
        (options.out / "evolution.md").write_text("\n".join(lines) + "\n")
        gl.write(circuit, options.out / "evolution.json")


def _counted(circuit: gl.Circuit) -> str:
    """How many synapses lead from which role to which."""
    roles = circuit.nodes(data="role")
    found = Counter(f"{roles[pre]} to {roles[post]}" for pre, post in circuit.edges)
    return ", ".join(f"{n} synapses from {ends}" for ends, n in sorted(found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("search", "compare"))
    parser.add_argument("--store", type=Path, default=Path("evolution.journal"))
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--population", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--out", type=Path, help="folder for evolution.md and the circuit")
    options = parser.parse_args()
    {"search": search, "compare": compare}[options.what](options)


if __name__ == "__main__":
    main()
