"""Do the reports of ``ganglion train`` tell the truth? Four hard tables, and as many seeds as wanted.

    python -m tests.audit.train_tables --seeds 20 --epochs 8

For every table and seed a run is prolonged epoch by epoch, the network of each epoch is read from its
checkpoint, and its error is worked out by the reference in `tables`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import ganglion as gl
from ganglion.interchange.files import newest_checkpoint
from ganglion.training.series import Settings, train_series

from .tables import TABLES, Reference, write


def parameters(model: gl.Scaled) -> dict[str, np.ndarray]:
    """The parameters of the cell inside."""
    return {name: np.array(array) for name, array in model.model.cell.parameters().items()}


def audit(kind: str, seed: int, epochs: int, folder: Path) -> tuple[list[tuple[float, float]], bool]:
    """Pairs of a number reported and the reference's, and whether the chosen epoch is the best one."""
    make, columns = TABLES[kind]
    data, circuit = folder / "d.csv", folder / "c.json"
    graph = gl.auto_ncp(6, 1, inputs=2, sparsity=0.2, seed=seed)
    gl.write(graph, circuit)
    write(data, make(np.random.default_rng(seed)))
    reference = Reference.of(data, **columns)
    options = {**columns, "inputs": columns["inputs"].split()}
    judged = []
    for epoch in range(1, epochs + 1):
        outcome = train_series(
            circuit, data, folder / "run", targets=["y"], epochs=epoch,
            settings=Settings(seed=seed, learning_rate=0.05), progress=False, **options,
        )  # fmt: skip
        newest = newest_checkpoint(folder / "run")
        assert newest is not None
        last = gl.load(newest / "model.safetensors")
        judged.append(reference.errors(graph, parameters(last))[2])
    error, mean, number = reference.errors(graph, parameters(outcome.model))
    best = outcome.history.best
    assert best is not None
    pairs = [
        (outcome.errors[0], error),
        (outcome.baselines[0], mean),
        (outcome.history.validation[best], number),
        *zip(outcome.history.validation, judged, strict=True),
    ]
    return pairs, best == int(np.argmin(judged))


def digits(pairs: list[tuple[float, float]]) -> bool:
    """Whether the two numbers that a report prints, error and error of the mean, are the reference's."""
    return all(f"{ours:.4g}" == f"{theirs:.4g}" for ours, theirs in pairs[:2])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    print("| table | seeds | printed digits equal | best epoch chosen | largest relative difference |")
    print("|---|---|---|---|---|")
    for kind in TABLES:
        equal = best = 0
        largest = 0.0
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                pairs, chosen = audit(kind, seed, options.epochs, Path(folder))
            equal, best = equal + digits(pairs), best + chosen
            largest = max(largest, *(abs(ours - theirs) / theirs for ours, theirs in pairs))
        print(f"| {kind} | {options.seeds} | {equal} | {best} | {largest:.1e} |", flush=True)


if __name__ == "__main__":
    main()
