"""Cells from equations beside the LTC's kernel by hand, and beside plain operations.

    GANGLION_NUM_THREADS=1 python benchmarks/equations.py --rounds 20

B = T = 32. All that stands in one row is timed in turn, forward and with gradients, in processor time; the
largest difference of any output stands beside the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import ganglion as gl

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.equations import ChemicalLTC

BATCH, STEPS, INPUTS = 32, 32, 16
CIRCUITS: dict[str, Callable[[], gl.Circuit]] = {
    "auto_ncp(64, 8)": lambda: gl.auto_ncp(64, 8, inputs=INPUTS),
    "random(512, 0.95)": lambda: gl.random(512, inputs=INPUTS, outputs=8, sparsity=0.95),
}


def pairs(circuit: gl.Circuit) -> dict[str, tuple[gl.RNN, gl.RNN]]:
    """What is compared: first what it is compared with."""
    hand, made = gl.LTCCell(circuit), ChemicalLTC(circuit)
    made.update(hand.parameters())
    found = {"LTC, equations / by hand": (gl.RNN(hand, engine="fused"), gl.RNN(made, engine="fused"))}
    for cell in (made,):
        found[f"{type(cell).__name__}, fused / operations"] = (
            gl.RNN(cell, engine="ops"),
            gl.RNN(cell, engine="fused"),
        )
    return found


def calls(rnn: gl.RNN, x: mx.array) -> dict[str, Callable[[], Any]]:
    """A forward pass, and one with gradients."""
    differentiate = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0]).mean())

    def forward() -> mx.array:
        y: mx.array = rnn(x)[0]
        mx.eval(y)
        return y

    return {"forward": forward, "gradients": lambda: mx.eval(differentiate(rnn))}


def main(rounds: int) -> None:
    """Print the table."""
    for name, make in CIRCUITS.items():
        circuit = make()
        x = mx.array(np.random.default_rng(0).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32))
        for title, (base, other) in pairs(circuit).items():
            functions = [calls(rnn, x) for rnn in (base, other)]
            apart = float(mx.abs(functions[0]["forward"]() - functions[1]["forward"]()).max())
            line = [f"{name:18} {title:40}"]
            for what in ("forward", "gradients"):
                times = _timed([each[what] for each in functions], rounds)
                line.append(
                    f"{what} {1e3 * times[0]:8.2f} {1e3 * times[1]:8.2f} ms {times[1] / times[0]:6.2f}"
                )
            print(*line, f"apart {apart:.1e}", flush=True)


def _timed(functions: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The median processor time of each, in turn."""
    spent: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(rounds):
        for times, function in zip(spent, functions, strict=True):
            begun = time.process_time()
            function()
            times.append(time.process_time() - begun)
    return [statistics.median(times) for times in spent]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
