"""Cells from equations beside the LTC's kernel by hand, plain operations, and JAX.

    GANGLION_NUM_THREADS=1 python benchmarks/equations.py --rounds 5        # needs jax, if it is to be beside
    python benchmarks/equations.py --first      # from a class to its first result, in fresh processes

B = T = 32. All that stands in one row is timed in turn, in processor time of one thread, forward and with
gradients by all parameters; `apart` is the largest difference between outputs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import in_turns, machine

import ganglion as gl

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.equations import ChemicalLTC

BATCH, STEPS, INPUTS = 32, 32, 16
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
    dynamics = "dv/dt = speed * (-sigmoid(gleak + f) * v + tanh(gleak + u) * vleak)"

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


def ways(name: str, circuit: gl.Circuit, x: np.ndarray) -> dict[str, dict[str, Callable[[], Any]]]:
    """Who computes a cell, by what is computed."""
    cell = CELLS[name](circuit)
    networks = {engine: gl.RNN(cell, engine=engine) for engine in ("fused", "ops")}
    if name == "LTC":
        hand = gl.LTCCell(circuit)
        hand.update(cell.parameters())
        networks["by hand"] = gl.RNN(hand, engine="fused")
    found: dict[str, dict[str, Callable[[], Any]]] = {"forward": {}, "gradients": {}}
    for title, rnn in networks.items():
        for what, run in calls(rnn, mx.array(x)).items():
            found[what][title] = run
    if find_spec("jax"):
        import equations_jax

        for what, runs in equations_jax.ways(name, networks["fused"], x).items():
            found[what] |= {f"JAX, {title}": run for title, run in runs.items()}
    return found


def compared(turns: int) -> None:
    """Print the table of times."""
    print("| circuit | cell | | equations, ms | by hand | operations | JAX, the better | apart |")
    print("|---|---|---|---|---|---|---|---|")
    for place, make in CIRCUITS.items():
        circuit = make()
        x = np.random.default_rng(0).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
        for name in CELLS:
            for what, runs in ways(name, circuit, x).items():
                results = {title: run() for title, run in runs.items()}  # JAX compiles meanwhile
                times = in_turns(runs, turns, turn=0.4, clock=time.process_time)
                fused = times.pop("fused")
                jax = {title: took for title, took in times.items() if title.startswith("JAX")}
                best = min(jax, key=jax.__getitem__, default="-")
                columns = [_beside(times.get(title), fused) for title in ("by hand", "ops")]
                columns.append(f"{_beside(jax.get(best), fused)} {best.removeprefix('JAX, ')}".strip())
                outputs = [np.array(result) for result in results.values()] if what == "forward" else []
                apart = max((np.abs(y - outputs[0]).max() for y in outputs), default=0.0)
                told = f"{apart:.0e}" if outputs else ""
                print(
                    f"| {place} | {name} | {what} | {fused:.2f} | {' | '.join(columns)} | {told} |",
                    flush=True,
                )


def _beside(took: float | None, fused: float) -> str:
    """How long something takes, and how many times as long as the equations."""
    return "" if took is None else f"{took:.2f} ({took / fused:.2f}x)"


def first(rounds: int) -> None:
    """Print how long it takes from a class to its first result, without a cache and with one."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GANGLION_CACHE": folder}
        for k in range(rounds + 1):
            command = [sys.executable, "-W", "ignore", "-c", FIRST]
            ran = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True, timeout=600
            )
            wall, processor = map(float, ran.stdout.split())
            title = "from the cache" if k else "with an empty cache"
            print(f"{title}: {wall:.0f} ms, of which this process computed {processor:.0f} ms", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of 0.4 s each, or processes (default: 5)"
    )
    parser.add_argument("--first", action="store_true", help="from a class to its first result instead")
    given = parser.parse_args()
    print(f"{machine()}\n")
    if given.first:
        first(given.rounds)
    else:
        compared(given.rounds)
