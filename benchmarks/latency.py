"""The slowest step of a control loop: a stream, a bounded stream and the exported C, on a busy machine, too.

    pip install -e ".[cpu]"
    python benchmarks/latency.py [--steps 20000]

Each step is timed by itself, by the clock of the wall. For the busy machine, twice as many processes as it
has processors compute meanwhile. In the last rows this one has a real-time priority (SCHED_FIFO), as every
loop of control should, if the system lets it. `benchmarks/streaming.py --out` keeps the table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from exported import loaded
from measure import machine

import ganglion as gl

INPUTS, WARM = 16, 500
CIRCUIT = gl.auto_ncp(64, 8, inputs=INPUTS, seed=1)
NETWORKS: dict[str, Callable[[], Any]] = {
    "LTC, auto_ncp(64, 8)": lambda: gl.LTC(CIRCUIT),
    "CfC, auto_ncp(64, 8)": lambda: gl.CfC(CIRCUIT),
    "Scaled stack: dense 16, LTC as above, dense 2": lambda: scaled(),
}
COLUMNS = "| network | step | machine | p50 | p99 | p99.9 | worst |"


def scaled() -> Any:
    """What one trains, in the units of its data."""
    stack = gl.Stack([gl.NCPDense(INPUTS, "tanh"), gl.LTC(CIRCUIT), gl.NCPDense(2)])
    stack.build((1, 1, INPUTS))
    names = [f"in_{k}" for k in range(INPUTS)], ["left", "right"]
    return gl.Scaled(stack.eval(), *names, mean=3.0, spread=2.0, scale=10.0, time_unit=0.02)


@contextmanager
def load(workers: int) -> Iterator[None]:
    """Processes that do nothing but compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"]) for _ in range(workers)]
    time.sleep(1.0)
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@contextmanager
def first() -> Iterator[bool]:
    """A real-time priority, and whether the system allows it."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    allowed = False
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        allowed = True
    try:
        yield allowed
    finally:
        if allowed:
            os.sched_setscheduler(0, *before)


def timed(step: Callable[[np.ndarray], Any], steps: int) -> str:
    """p50, p99, p99.9 and the worst of microseconds per step."""
    samples = np.random.default_rng(0).normal(size=(64, INPUTS)).astype(np.float32)
    found, clock = np.zeros(steps), time.perf_counter_ns
    for k in range(WARM):
        step(samples[k % 64])
    for k in range(steps):
        sample = samples[k % 64]
        start = clock()
        step(sample)
        found[k] = clock() - start
    p50, p99, p999 = np.percentile(found, (50, 99, 99.9)) / 1000
    return f"{p50:.1f} | {p99:.1f} | {p999:.1f} | {found.max() / 1000:.0f}"


def in_c(network: Any, folder: Path) -> Callable[[np.ndarray], Any]:
    """A step of the exported C."""
    step, _ = loaded(network, folder)
    outputs = np.zeros(network.compute_output_shape((1, 1, INPUTS))[-1], np.float32)
    return lambda sample: step(sample, 0.02, outputs)


def rows(steps: int) -> Iterator[str]:
    """The table, line by line."""
    yield COLUMNS
    yield "|---|---|---|---|---|---|---|"
    for name, make in NETWORKS.items():
        mx.random.seed(0)
        network = make()
        stream, bounded = network.stream(), gl.BoundedStream(network.stream())
        with tempfile.TemporaryDirectory() as folder:
            kinds = {
                "stream": lambda x, stream=stream: stream(x, 0.02),
                "bounded": lambda x, bounded=bounded: bounded(x, 0.02),
                "C by ctypes": in_c(network, Path(folder)),
            }
            for kind, step in kinds.items():
                yield f"| {name} | {kind} | as it is | {timed(step, steps)} |"
            with load(2 * (os.cpu_count() or 1)):
                for kind, step in kinds.items():
                    yield f"| {name} | {kind} | busy | {timed(step, steps)} |"
                with first() as allowed:
                    for kind, step in kinds.items() if allowed else ():
                        yield f"| {name} | {kind} | busy, SCHED_FIFO | {timed(step, steps)} |"


def title(steps: int) -> str:
    """What is measured, and where."""
    others = os.getloadavg()[0]
    return (
        f"{machine()}; microseconds of the wall per sample, B=1, {steps} steps each, timed one by one; the "
        f"load of others was {others:.1f}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000)
    steps = parser.parse_args().steps
    print(title(steps))
    for line in rows(steps):
        print(line, flush=True)


if __name__ == "__main__":
    main()
