"""How many crossings the layered layout removes, and how many more a long search finds.

    python benchmarks/crossings.py [--anneal SECONDS] [--out benchmarks/results]

Crossings are those of straight lines between the neurons as `plot_circuit` places them, all synapses counted.
"removed" is the share of those in the order of the graph. With ``--anneal``, simulated annealing goes on from
the layout for that long, on the first seed of each circuit: pairs of neurons of a layer change places, and
every move is judged by the exact number of crossings. It shows what is left to be had.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measure import machine

import ganglion as gl
from ganglion.viz.exchange import sides
from ganglion.viz.layout import positions
from ganglion.viz.order import crossings
from ganglion.viz.view import View, view

SEEDS = (1, 2, 3)


def circuits(seed: int) -> Iterator[tuple[str, gl.Circuit]]:
    """Circuits of 300 neurons and about 3000 synapses."""
    yield "auto_ncp", gl.auto_ncp(270, 20, inputs=30, sparsity=0.855, seed=seed)
    yield (
        "ncp",
        gl.ncp(
            inter=120, command=120, motor=30, inputs=30, sensory_fanout=12, inter_fanout=10,
            recurrent_command_synapses=1100, motor_fanin=12, seed=seed,
        ),
    )  # fmt: skip
    yield "random", gl.random(270, inputs=30, outputs=20, sparsity=0.963, seed=seed)
    yield (
        "layered",
        gl.layered([80, 60, 60], inputs=30, outputs=20, command=50, density=0.165, seed=seed),
    )


class Annealed:
    """Crossings counted exactly while pairs of neurons change places."""

    def __init__(self, seen: View, xy: np.ndarray) -> None:
        keep = seen.pre != seen.post
        self.pre, self.post = seen.pre[keep], seen.post[keep]
        self.side, self.place = sides(xy), np.arange(len(xy))
        self.layers = [seen.of_role(role) for role in seen.drawn_roles]
        self.touching = [np.flatnonzero((self.pre == k) | (self.post == k)) for k in range(len(xy))]

    def count(self, some: np.ndarray) -> int:
        """The crossings in which the synapses `some` take part."""
        a, b = self.place[self.pre[some]], self.place[self.post[some]]
        c, d = self.place[self.pre], self.place[self.post]
        own, theirs = self.side[a, b], self.side[c, d]
        crossed = (own[:, c] * own[:, d] < 0) & (theirs[:, a] * theirs[:, b] < 0).T
        return int(np.count_nonzero(crossed)) - int(np.count_nonzero(crossed[:, some])) // 2

    def run(self, seconds: float, hot: float = 500.0, cold: float = 10.0) -> int:
        """Moves that were tried; the places are those at the end."""
        rng, start, moves = np.random.default_rng(0), time.perf_counter(), 0
        chances = np.array([len(layer) for layer in self.layers]) / len(self.place)
        while (gone := (time.perf_counter() - start) / seconds) < 1:
            layer = self.layers[rng.choice(len(self.layers), p=chances)]
            if len(layer) < 2:
                continue
            pair = rng.choice(layer, 2, replace=False)
            some = np.union1d(*(self.touching[k] for k in pair))
            before = self.count(some)
            self.place[pair] = self.place[pair[::-1]]
            more = self.count(some) - before
            if more > 0 and rng.random() >= np.exp(-more / (hot * (cold / hot) ** gone)):
                self.place[pair] = self.place[pair[::-1]]
            moves += 1
        return moves


def row(name: str, circuit: gl.Circuit, seed: int, seconds: float) -> str:
    """One line of the table."""
    seen = view(circuit)

    def count(xy: np.ndarray) -> int:
        return crossings(xy, seen.pre, seen.post)

    graph = count(positions(seen, "layered", order="graph"))
    start = time.perf_counter()
    xy = positions(seen, "layered")
    took = time.perf_counter() - start
    ours, further = count(xy), ""
    if seconds and seed == SEEDS[0]:
        annealed = Annealed(seen, xy)
        moves = annealed.run(seconds)
        further = f"{1 - count(xy[annealed.place]) / graph:.1%} after {moves:,} moves"
    cells = (
        name, seed, f"{len(circuit)} / {circuit.size()}", f"{graph:,}", f"{ours:,}",
        f"{1 - ours / graph:.1%}", f"{took:.2f} s", further,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table, and write it if a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anneal", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = [
        "# Crossings in the layered layout",
        "",
        f"`python benchmarks/crossings.py --anneal {arguments.anneal:g}` on {machine()}.",
        "",
        "| circuit | seed | neurons / synapses | order of the graph | layered | removed | time | annealed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    positions(view(gl.auto_ncp(16, 2, inputs=3)), "layered")  # imports what is imported late
    for seed in SEEDS:
        for name, circuit in circuits(seed):
            lines.append(row(name, circuit, seed, arguments.anneal))
            print(lines[-1], flush=True)
    if arguments.out:
        (arguments.out / "crossings.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
