"""This checkout against another one: the rows of peers.py, the same work in both, in turns.

Two processes, one for each checkout, take turns of a few hundredths of a second, so that what else the
machine does meets both alike. Of the ratios of all pairs, the median is shown, and the one-sided 95 % bound
above which it lies (by bootstrap): a row has become slower where that bound is above 1.05. Beside it stands
the largest difference of the outputs.

    git worktree add ../old d146048 && make -C ../old PYTEST=--co test
    python benchmarks/pairs.py ../old/.venv/bin/python --pairs 40
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

TURN = 0.04  # seconds
BATCH, INPUTS = 32, 16
SLOWER = 1.05


def networks() -> dict[str, tuple[Any, int, int]]:
    """Row -> network, batch and time steps."""
    import mlx.core as mx

    import ganglion as gl

    mx.random.seed(0)
    key = mx.random.key(0)
    ncp = gl.auto_ncp(64, 8, inputs=INPUTS)
    return {
        "LTC 64": (gl.LTC(ncp, key=key), BATCH, 32),
        "LTC random128": (gl.LTC(gl.random(128, inputs=INPUTS, outputs=8, sparsity=0.9), key=key), BATCH, 32),
        "LTC full 64": (gl.LTC(gl.fully_connected(64, inputs=INPUTS, outputs=8), key=key), BATCH, 32),
        "LTC random512": (
            gl.LTC(gl.random(512, inputs=INPUTS, outputs=8, sparsity=0.95), key=key), BATCH, 16,
        ),
        "CfC 64": (gl.CfC(ncp, key=key), BATCH, 32),
        "CfC 64, as ncps": (gl.CfC(ncp, ncps_compat=True, key=key), BATCH, 32),
        "CfC 256, as ncps": (
            gl.CfC(gl.auto_ncp(256, 16, inputs=INPUTS, sparsity=0.8), ncps_compat=True, key=key), BATCH, 32,
        ),
        "CfC dense 64": (gl.CfC(gl.dense(INPUTS, 64), backbone_units=128, key=key), BATCH, 32),
        "LTC 64, one sample": (gl.LTC(ncp, key=key), 1, 1),
        "LTC 64, stream": (gl.LTC(ncp, key=key), 1, 0),
    }  # fmt: skip


def works() -> dict[str, Callable[[], Any]]:
    """What is timed: forward and training of every row."""
    import mlx.core as mx
    import mlx.nn as nn

    found: dict[str, Callable[[], Any]] = {}
    for name, (network, batch, steps) in networks().items():
        x = mx.array(np.random.default_rng(1).normal(size=(batch, max(steps, 1), INPUTS)).astype(np.float32))
        if not steps:
            stream, sample = network.stream(1), np.array(x)[:, 0]
            found[name] = lambda stream=stream, sample=sample: stream(sample)
            continue
        found[f"{name}, forward"] = lambda network=network, x=x: network(x)[0]
        if steps > 1:
            step = nn.value_and_grad(network, lambda model, x=x: mx.square(model(x)[0]).mean())
            found[f"{name}, training"] = lambda step=step, network=network: step(network)
    return found


def worker() -> None:
    """Do what is asked for, a name a line: the outputs' digest of a first call, or the time of a turn."""
    import mlx.core as mx
    from mlx.utils import tree_flatten

    todo = works()
    print(json.dumps(list(todo)), flush=True)
    for line in sys.stdin:
        what, name = json.loads(line)
        run = todo[name]
        if what == "result":
            result = run()
            mx.eval(result)
            arrays = [np.array(a, np.float64).ravel() for _, a in tree_flatten(result)]
            print(json.dumps(np.concatenate(arrays)[:4096].tolist()), flush=True)
            continue
        times, until = [], time.perf_counter() + TURN
        while time.perf_counter() < until or len(times) < 3:
            start = time.perf_counter()
            mx.eval(run())
            times.append(time.perf_counter() - start)
        print(json.dumps(1e3 * statistics.median(times)), flush=True)


class Worker:
    """A process of one checkout's interpreter."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, os.path.abspath(__file__), "--worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.rows: list[str] = self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, what: str, name: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([what, name]) + "\n")
        self.process.stdin.flush()
        return self._answer()


def bound(ratios: list[float]) -> float:
    """The one-sided lower 95 % bound of the median ratio, by bootstrap."""
    drawn = np.random.default_rng(0).choice(ratios, (4000, len(ratios)))
    return float(np.quantile(np.median(drawn, axis=1), 0.05))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("old", nargs="?", help="the other checkout's interpreter, .venv/bin/python")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker()
        return
    if options.old is None:
        parser.error("name the other checkout's interpreter, such as ../old/.venv/bin/python")
    old, new = Worker(options.old), Worker(sys.executable)
    print("| row | old ms | new ms | new / old | lower 95 % bound | outputs differ by |")
    print("|---|---|---|---|---|---|")
    for name in (name for name in new.rows if name in old.rows):
        first, second = (np.array(side.ask("result", name)) for side in (old, new))
        pairs = []
        for turn in range(options.pairs + 1):
            order = (old, new) if turn % 2 else (new, old)
            found = {id(side): side.ask("time", name) for side in order}
            if turn:  # the first one fills caches
                pairs.append((found[id(old)], found[id(new)]))
        ratios = [b / a for a, b in pairs]
        medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
        low = bound(ratios)
        verdict = " (slower)" if low > SLOWER else ""
        print(
            f"| {name} | {medians[0]:.3f} | {medians[1]:.3f} | {statistics.median(ratios):.3f} "
            f"| {low:.3f}{verdict} | {np.abs(first - second).max():.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
