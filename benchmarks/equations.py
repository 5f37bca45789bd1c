"""Cells from equations beside the LTC's kernel by hand, plain operations, and JAX.

    python benchmarks/equations.py              # all cores free; needs jax to have it beside
    GANGLION_NUM_THREADS=1 python benchmarks/equations.py --processor       # of one thread, on a busy machine
    python benchmarks/equations.py --first      # from a class to its first result, in fresh processes

B = T = 32, forward and with gradients by all parameters, each way in turns with the equations; ratios are of
such a pair, and `apart` is the largest difference between outputs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import in_turns, machine

import ganglion as gl

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.equations import ChemicalLTC

BATCH, STEPS, INPUTS = 32, 32, 16
JAX = ("matrices", "segment sums")
Call = Callable[[], Any]
CIRCUITS: dict[str, Callable[[], gl.Circuit]] = {
    "auto_ncp(64, 8)": lambda: gl.auto_ncp(64, 8, inputs=INPUTS),
    "random(512, 0.95)": lambda: gl.random(512, inputs=INPUTS, outputs=8, sparsity=0.95),
}
CELLS: dict[str, Callable[[gl.Circuit], gl.EquationCell]] = {
    "LTC": ChemicalLTC,
    "LRC": gl.LRC,
    "CTRNN": gl.CTRNNCell,
}
FIRST = """
import time
import mlx.core as mx
import ganglion as gl
circuit, x = gl.auto_ncp(64, 8, inputs=16), mx.zeros((32, 32, 16))
gl.RNN(gl.LTCCell(circuit), engine="ops")
begin, used = time.perf_counter(), time.process_time()

class Own(gl.EquationCell):
    parameters = {
        "w": gl.synapse(0.001, 1.0, positive=True, strength=True), "h": gl.synapse("signed_glorot"),
        "mu": gl.synapse(0.3, 0.8), "sigma": gl.synapse(3.0, 8.0), "vleak": gl.neuron(-0.2, 0.2),
        "gleak": gl.neuron(0.001, 1.0, positive=True),
        "elastance_w": gl.synapse("glorot"), "elastance_b": gl.neuron(0.0),
    }
    synapse = {
        "f": "w * sigmoid(sigma * (v_pre - mu))", "u": "h * sigmoid(sigma * (v_pre - mu))",
        "elastance": "elastance_w * v_pre",
    }
    let = {"speed": "sigmoid(elastance + elastance_b)"}
    dynamics = "dv/dt = speed * (-sigmoid(gleak + f) * v + tanh(gleak + u) * vleak - LEAK * v)"

mx.eval(gl.RNN(Own(circuit), engine="fused")(x))
print(1e3 * (time.perf_counter() - begin), 1e3 * (time.process_time() - used))
"""


def calls(rnn: gl.RNN, x: mx.array) -> dict[str, Callable[[], Any]]:
    """A forward pass, and one with gradients."""
    differentiate = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0]).mean())
    return {"forward": lambda: evaluated(rnn(x)[0]), "gradients": lambda: evaluated(differentiate(rnn))}


def evaluated(result: Any) -> Any:
    """A result that there is."""
    mx.eval(result)
    return result


def ways(name: str, circuit: gl.Circuit, x: np.ndarray) -> tuple[gl.RNN, dict[str, dict[str, Call]]]:
    """A network of a cell from equations, and who else computes it, but for JAX, by what is computed."""
    cell = CELLS[name](circuit)
    networks = {engine: gl.RNN(cell, engine=engine) for engine in ("fused", "ops")}
    if name == "LTC":
        hand = gl.LTCCell(circuit)
        hand.update(cell.parameters())
        networks["by hand"] = gl.RNN(hand, engine="fused")
    found: dict[str, dict[str, Call]] = {"forward": {}, "gradients": {}}
    for title, rnn in networks.items():
        for what, run in calls(rnn, mx.array(x)).items():
            found[what][title] = run
    return networks["fused"], found


def compared(turns: int, clock: Callable[[], float]) -> None:
    """Print the table of times; each way is in turns with the equations alone."""
    print("| circuit | cell | | equations, ms | by hand | operations | JAX, the better | apart |")
    print("|---|---|---|---|---|---|---|---|")
    for place, make in CIRCUITS.items():
        circuit = make()
        x = np.random.default_rng(0).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
        for name in CELLS:
            rnn, runs = ways(name, circuit, x)
            rows = {what: _beside(runs[what], turns, clock) for what in runs}
            if find_spec("jax"):
                import equations_jax  # behind the others, whose threads and memory it would share

                for what, others in equations_jax.ways(name, rnn, x).items():
                    rows[what] += _beside({"fused": runs[what]["fused"], **others}, turns, clock)
            for what, row in rows.items():
                fused = statistics.median(one.fused for one in row)
                best = min((one for one in row if one.title in JAX), key=lambda one: one.took, default=None)
                columns = [str(one or "") for one in (_of(row, "by hand"), _of(row, "ops"), best)]
                apart = f"{max(one.apart for one in row):.0e}" if what == "forward" else ""
                columns[2] += f" {best.title}" if best else ""
                print(
                    f"| {place} | {name} | {what} | {fused:.2f} | {' | '.join(columns)} | {apart} |",
                    flush=True,
                )


class Beside(NamedTuple):
    """How many milliseconds equations and another way take, and how far their outputs are apart."""

    title: str
    fused: float
    took: float
    apart: float

    def __str__(self) -> str:
        return f"{self.took:.2f} ({self.took / self.fused:.2f}x)"


def _beside(runs: dict[str, Call], turns: int, clock: Callable[[], float]) -> list[Beside]:
    fused, found = runs["fused"], []
    for title, run in runs.items():
        if title != "fused":
            one, other = fused(), run()  # JAX compiles meanwhile
            apart = np.abs(np.array(one) - np.array(other)).max() if isinstance(one, mx.array) else 0.0
            times = in_turns({"fused": fused, title: run}, turns, turn=0.3, clock=clock)
            found.append(Beside(title, times["fused"], times[title], float(apart)))
    return found


def _of(row: list[Beside], title: str) -> Beside | None:
    return next((one for one in row if one.title == title), None)


def first(rounds: int) -> None:
    """Print how long it takes from a class to its first result: where nothing is built, else, and again."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GANGLION_CACHE": folder}
        ways = [("nothing built", "0.01"), ("another class", "0.02"), *[("from the cache", "0.02")] * rounds]
        for title, leak in ways:
            command = [sys.executable, "-W", "ignore", "-c", FIRST.replace("LEAK", leak)]
            ran = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True, timeout=600
            )
            wall, processor = map(float, ran.stdout.split())
            print(f"{title}: {wall:.0f} ms, of which this process computed {processor:.0f} ms", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of 0.3 s each, or processes (default: 5)"
    )
    parser.add_argument(
        "--processor", action="store_true", help="processor time instead of what a clock says"
    )
    parser.add_argument("--first", action="store_true", help="from a class to its first result instead")
    given = parser.parse_args()
    print(f"{machine()}\n")
    if given.first:
        first(given.rounds)
    else:
        compared(given.rounds, time.process_time if given.processor else time.perf_counter)
