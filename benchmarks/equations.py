"""Cells from equations beside the LTC's kernel by hand, and beside plain operations.

    GANGLION_NUM_THREADS=1 python benchmarks/equations.py --rounds 20

B = T = 32. All that stands in one row is timed in turn, forward and with gradients, in processor time; the
largest difference of any output stands beside the ratios.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import interleaved, machine

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
    return {
        "LTC, equations / by hand": (gl.RNN(hand, engine="fused"), gl.RNN(made, engine="fused")),
        f"{type(made).__name__}, fused / operations": (
            gl.RNN(made, engine="ops"),
            gl.RNN(made, engine="fused"),
        ),
    }


def calls(rnn: gl.RNN, x: mx.array) -> dict[str, Callable[[], Any]]:
    """A forward pass, and one with gradients."""
    differentiate = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0]).mean())
    return {"forward": lambda: rnn(x)[0], "gradients": lambda: differentiate(rnn)}


def main(rounds: int) -> None:
    """Print the table."""
    print(machine())
    for name, make in CIRCUITS.items():
        circuit = make()
        x = mx.array(np.random.default_rng(0).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32))
        for title, (base, other) in pairs(circuit).items():
            ways = {"base": calls(base, x), "other": calls(other, x)}
            line, results = [f"{name:18} {title:40}"], {}
            for what in ("forward", "gradients"):
                runs = {way: found[what] for way, found in ways.items()}
                times, results[what] = interleaved(runs, seconds=math.inf, most=rounds)
                one, two = 1e3 * times["base"], 1e3 * times["other"]
                line.append(f"{what} {one:8.2f} {two:8.2f} ms {two / one:6.2f}")
            first, second = results["forward"].values()
            print(*line, f"apart {float(mx.abs(first - second).max()):.1e}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
