"""What noise, states of synapses and delays of cells from equations cost.

    GANGLION_NUM_THREADS=1 python benchmarks/mechanisms.py --rounds 5

B = T = 32 over auto_ncp(64, 8), in processor time of one thread, forward and with gradients by all
parameters. A row has the kernel of a leaky rate cell, then the same with a mechanism, by the kernel and by
plain operations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import in_turns, machine

import ganglion as gl

BATCH, STEPS, INPUTS = 32, 32, 16


class Plain(gl.EquationCell):
    """Leaky rates, six steps a sample."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "use": gl.synapse(0.2, 0.6),
        "tau": gl.neuron(0.5, 2.0, positive=True),
    }
    let = {"r": "sigmoid(3 * v)"}
    synapse = {"i": "w * r_pre"}
    sensory = {"i": "w * x"}
    dynamics = "tau * dv/dt = i - v"


class Noisy(Plain):
    """The same with noise."""

    noise = {"v": "0.3"}


class Tiring(Plain):
    """The same with synapses that tire."""

    synapse = {"i": "w * (1 - d) * r_pre"}
    sensory = {"i": "w * (1 - d) * x"}
    synapse_states = "0.8 * dd/dt = -d + use * (1 - d) * r_pre"
    sensory_states = "0.8 * dd/dt = -d + use * (1 - d) * relu(x)"


def timed(cell: gl.EquationCell, engine: str, *, learns: bool) -> Callable[[], Any]:
    """What is timed: a call, or one with its gradients."""
    rnn = gl.RNN(cell, engine=engine)
    x = mx.array(np.random.default_rng(0).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32))
    if not learns:
        return lambda: mx.eval(rnn(x)[0])
    step = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0]).mean())
    return lambda: mx.eval(step(rnn))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    circuit = gl.auto_ncp(64, 8, inputs=INPUTS)
    print(machine())
    rows: dict[str, gl.EquationCell] = {
        "noise": Noisy(circuit),
        "states of synapses": Tiring(circuit),
        "delays of 0 to 5": Plain(_delayed(circuit), delays="delay"),
    }
    for what, cell in rows.items():
        for learns in (False, True):
            contestants = {"plain": timed(Plain(circuit), "fused", learns=learns)}
            contestants["kernel"] = timed(cell, "fused", learns=learns)
            contestants["operations"] = timed(cell, "ops", learns=learns)
            found = in_turns(contestants, rounds, clock=time.process_time)
            told = ", ".join(f"{name} {milliseconds:.2f} ms" for name, milliseconds in found.items())
            print(f"{what}, {'with gradients' if learns else 'forward'}: {told}")


def _delayed(circuit: gl.Circuit) -> gl.Circuit:
    twin = circuit.copy()
    for k, (_, _, synapse) in enumerate(twin.edges(data=True)):
        synapse["delay"] = k % 6
    return twin


if __name__ == "__main__":
    main()
