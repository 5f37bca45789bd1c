"""What happens to rows of a batch, and what it costs beside a plain batch: episode ends, lengths, a mask.

    python benchmarks/sequences.py --out benchmarks/results/sequences.md
    python benchmarks/sequences.py --ncps   # beside ncps on PyTorch, too
    GANGLION_NUM_THREADS=1 python benchmarks/sequences.py --processor   # on a busy machine

A plain batch and its three siblings take turns, and medians are compared. Training is the mean square of the
outputs with the gradients of all parameters. The circuit is auto_ncp(32, 4, inputs=8).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from measure import in_turns

import ganglion as gl

INPUTS = 8
CIRCUIT = gl.auto_ncp(32, 4, inputs=INPUTS)
NETWORKS: dict[str, Callable[[], Any]] = {
    "LTC": lambda: gl.LTC(CIRCUIT, key=mx.random.key(0)),
    "CfC": lambda: gl.CfC(CIRCUIT, key=mx.random.key(0)),
    "CfC, backbone": lambda: gl.CfC(gl.dense(INPUTS, 32), backbone_units=64, key=mx.random.key(0)),
}
BATCHES, STEPS = (1, 8, 64), (32, 128, 1000)
TURN, CLOCK = 0.01, time.perf_counter
MOST = 1.3
"""How many times the time of a plain batch is allowed."""


def events(batch: int, steps: int, rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """What happens to rows: nothing, an end about every 50 steps, lengths, or missing samples."""
    return {
        "plain": {},
        "ends": {"ends": rng.random((batch, steps)) < 1 / 50},
        "lengths": {"lengths": rng.integers(1, steps + 1, batch)},
        "mask": {"mask": rng.random((batch, steps)) < 0.8},
    }


def works(network: Any, x: mx.array, given: dict[str, np.ndarray]) -> dict[str, Callable[[], None]]:
    """Forward and training of a network over a batch to whose rows something happens."""
    step = nn.value_and_grad(network, lambda model: mx.square(model(x, **given)[0]).mean())
    return {
        "forward": lambda: mx.eval(network(x, **given)[0]),
        "training": lambda: mx.eval(step(network)),
    }


def rows(turns: int, batches: list[int], steps: list[int]) -> list[str]:
    """A table of milliseconds, and of ratios to the plain batch."""
    lines = ["| | B | T | | plain ms | ends | lengths | mask |", "|---|---|---|---|---|---|---|---|"]
    for name, make in NETWORKS.items():
        network = make()
        for batch in batches:
            for n in steps:
                rng = np.random.default_rng(0)
                x = mx.array(rng.normal(size=(batch, n, INPUTS)).astype(np.float32))
                kinds = events(batch, n, rng)
                made = {kind: works(network, x, given) for kind, given in kinds.items()}
                for what in ("forward", "training"):
                    found = in_turns(
                        {kind: made[kind][what] for kind in kinds}, turns, turn=TURN, clock=CLOCK
                    )
                    plain = found.pop("plain")
                    ratios = [f"{t / plain:.2f}{'' if t <= MOST * plain else ' **'}" for t in found.values()]
                    lines.append(f"| {name} | {batch} | {n} | {what} | {plain:.2f} | {' | '.join(ratios)} |")
                    print(lines[-1], flush=True)
    return lines


def beside_ncps(turns: int) -> list[str]:
    """Episode ends as ncps can be given them: a loop over time, the state multiplied in between."""
    import ncps.torch
    import ncps.wirings as wirings
    import torch

    batch, n = 64, 128
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, n, INPUTS)).astype(np.float32)
    ends = rng.random((batch, n)) < 1 / 50
    kept = torch.tensor(1.0 - ends.astype(np.float32))
    lines = ["| B=64, T=128, training, ends about every 50 steps | ms |", "|---|---|"]
    theirs: dict[str, Any] = {"LTC": ncps.torch.LTC, "CfC": ncps.torch.CfC}
    for name, kind in theirs.items():
        model = kind(INPUTS, wirings.AutoNCP(32, 4))

        def train(model: Any = model) -> None:
            state, shown = None, []
            for t in range(n):  # the state can be reset between two calls only
                y, state = model(torch.from_numpy(x[:, t : t + 1]), state)
                state = state * kept[:, t, None]
                shown.append(y)
            model.zero_grad()
            torch.cat(shown, 1).square().mean().backward()

        runs = {
            f"ncps {name}, a loop over time": train,
            f"{name}, ends in the kernel": works(NETWORKS[name](), mx.array(x), {"ends": ends})["training"],
        }
        for label, t in in_turns(runs, turns, turn=TURN, clock=CLOCK).items():
            lines.append(f"| {label} | {t:.1f} |")
            print(lines[-1], flush=True)
    return lines


def memory(turns: int, *, theirs: bool) -> list[str]:
    """Mixed memory, training: the kernel beside plain operations and ncps on PyTorch."""
    batch, n, circuit = 32, 32, gl.auto_ncp(64, 8, inputs=16)
    x = mx.random.normal((batch, n, 16))
    lines = ["| mixed memory, 64 neurons, B=32, T=32, training | kernel ms | operations | ncps |"]
    lines += ["|---|---|---|---|"]
    for name, kind in {"LTC": gl.LTC, "CfC": gl.CfC}.items():
        runs: dict[str, Callable[[], None]] = {}
        for engine in ("fused", "ops"):
            network = kind(circuit, mixed_memory=True, engine=engine, key=mx.random.key(0))
            runs[engine] = works(network, x, {})["training"]
        if theirs:
            runs["ncps"] = _ncps_with_memory(name, np.array(x))
        found = in_turns(runs, turns, turn=TURN, clock=CLOCK)
        ours = found.pop("fused")
        ratios = [f"{t / ours:.0f}x" for t in found.values()]
        lines.append(f"| {name} | {ours:.2f} | {' | '.join(ratios)} |")
        print(lines[-1], flush=True)
    return lines


def _ncps_with_memory(name: str, x: np.ndarray) -> Callable[[], None]:
    import ncps.torch
    import ncps.wirings as wirings
    import torch

    kind: Any = getattr(ncps.torch, name)
    model = kind(x.shape[-1], wirings.AutoNCP(64, 8), mixed_memory=True)
    given = torch.from_numpy(x)

    def train() -> None:
        model.zero_grad()
        model(given)[0].square().mean().backward()

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--steps", type=int, nargs="+", default=list(STEPS))
    parser.add_argument("--ncps", action="store_true", help="beside ncps 1.0.1 on PyTorch, too")
    parser.add_argument("--out", type=Path, help="write the tables here as well")
    parser.add_argument("--processor", action="store_true", help="count the processor time of this process")
    options = parser.parse_args()
    if options.processor:
        global CLOCK
        CLOCK = time.process_time
    lines = rows(options.turns, options.batch, options.steps)
    lines += ["", *memory(options.turns, theirs=options.ncps)]
    if options.ncps:
        lines += ["", *beside_ncps(options.turns)]
    if options.out is not None:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
