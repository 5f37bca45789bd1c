"""An ensemble beside its members one by one: 16 networks of auto_ncp(64, 8), B=32, T=32.

    python benchmarks/ensembles.py               # half a minute on a quiet machine
    GANGLION_NUM_THREADS=1 python benchmarks/ensembles.py --processor       # on another one

Both take turns, and medians are compared, or the least processor time; wanted is a ratio of 0.6. "kernels" is
the share of the kernels in the time of the single calls, below which no ensemble can come: every row of a
batch has its lane, so there is nothing left to fill.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import machine
from step_shares import kernels_of, seconds

import ganglion as gl

MEMBERS, BATCH, STEPS, INPUTS = 16, 32, 32, 16
NETWORKS = {"LTC": gl.LTC, "CfC": gl.CfC}


def works(networks: list[Any], ensemble: Any, x: mx.array) -> dict[str, list[Callable[[], object]]]:
    """Forward and training, of the members one by one and of all at once."""
    each = [nn.value_and_grad(n, lambda n: mx.square(n(x)[0]).mean()) for n in networks]
    whole = nn.value_and_grad(ensemble, lambda e: mx.square(e(x)[0]).mean())
    return {
        "forward": [
            lambda: [mx.eval(n(x)[0]) for n in networks],
            lambda: mx.eval(ensemble(x)[0]),
        ],
        "training": [
            lambda: [mx.eval(step(n)) for step, n in zip(each, networks, strict=True)],
            lambda: mx.eval(whole(ensemble)),
        ],
    }


def rows(name: str, rounds: int, *, processor: bool) -> list[str]:
    clock, chosen = (time.process_time, min) if processor else (time.perf_counter, statistics.median)
    circuit = gl.auto_ncp(64, 8, inputs=INPUTS)
    networks = [NETWORKS[name](circuit, key=mx.random.key(seed)) for seed in range(MEMBERS)]
    ensemble = gl.ensemble(networks)
    x = mx.random.normal((BATCH, STEPS, INPUTS), key=mx.random.key(0))
    outputs = np.array(ensemble(x)[0])
    differ = max(np.abs(outputs[k] - np.array(n(x)[0])).max() for k, n in enumerate(networks))
    lines = []
    for work, (single, together) in works(networks, ensemble, x).items():
        times: list[list[float]] = [[], [], []]
        for turn in range(rounds + 3):
            taken = seconds(single, clock), seconds(together, clock), kernels_of(single, clock)
            for found, t in zip(times, taken, strict=True):
                if turn >= 3:
                    found.append(t)
        one, all_, kernels = (1000 * chosen(found) for found in times)
        ratios = f"{all_ / one:.2f} | {kernels / one:.2f}"
        lines.append(f"| {name}, {work} | {one:.2f} | {all_:.2f} | {ratios} | {differ:.0e} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--processor", action="store_true", help="compare processor time")
    chosen = parser.parse_args()
    print(f"{machine()}; {MEMBERS} networks, B={BATCH}, T={STEPS}, milliseconds\n")
    print("| | one by one | ensemble | ratio | kernels | differ by |\n|---|---|---|---|---|---|")
    for name in NETWORKS:
        print(*rows(name, chosen.rounds, processor=chosen.processor), sep="\n", flush=True)


if __name__ == "__main__":
    main()
