"""How long a network over a large circuit takes to be made and drawn, in processor time.

    GANGLION_NUM_THREADS=1 python benchmarks/construction.py --neurons 139255 --synapses 3200000

The circuit is compiled before. `made` is the constructor of an LTC, `drawn` the first look at all its values;
medians of several. Run it on two versions, by turns, to compare them.
"""

from __future__ import annotations

import argparse
import statistics
import time

import mlx.core as mx
import numpy as np

import ganglion as gl


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--neurons", type=int, default=139_255)
    parser.add_argument("--synapses", type=int, default=3_200_000)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, given.neurons * (given.neurons - 100), given.synapses))
    roles = ["sensory"] * 100 + ["motor"] * 10 + ["inter"] * (given.neurons - 110)
    pre, post = pairs % given.neurons, pairs // given.neurons + 100
    plan = gl.Plan.from_arrays(pre, post, rng.choice([-1, 1], len(pairs)), roles)
    compiled = gl.compile_circuit(plan, layout="edge")
    made, drawn = [], []
    for turn in range(given.repeat + 1):
        begun = time.process_time()
        network = gl.LTC(compiled, key=mx.random.key(turn))
        there = time.process_time()
        mx.eval(network.parameters())
        if turn:  # the first one builds what all have in common
            made.append(there - begun)
            drawn.append(time.process_time() - there)
    print(f"{len(pairs)} synapses: made in {statistics.median(made):.3f} s", end=", ")
    print(f"drawn in {statistics.median(drawn):.3f} s")


if __name__ == "__main__":
    main()
