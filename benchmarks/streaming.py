"""A control loop: one sample at a time, the state carried, against ncps on PyTorch in the same run.

    pip install -e ".[cpu,bench]"
    python benchmarks/streaming.py [--out benchmarks/results]

Both have the same weights and read the same samples, in turns of 100. The stream is also measured for eight
rows side by side, and beside calls of the network itself. What is measured is processor time: on an idle
machine that of the wall, since nothing here is large enough for a second thread. How long the slowest steps
take, `latency.py` tells; with --out, its table is behind this one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import latency
import mlx.core as mx
import ncps.torch
import ncps.wirings
import numpy as np
import torch
from measure import machine

import ganglion as gl

INPUTS, TURN, REPEATS, STEPS = 16, 100, 15, 20_000
LIMIT, WANTED = 46.0, 8.0  # microseconds per sample for the first row, and times faster than ncps


@dataclass(frozen=True)
class Loop:
    """A network of ncps, and ours over the wiring that it has built, if any."""

    name: str
    theirs: Callable[[Any], torch.nn.Module]
    ours: Callable[[Any], Any]
    wired: bool = True


LOOPS = [
    Loop(
        "LTC, auto_ncp(64, 8)",
        lambda wiring: ncps.torch.LTC(INPUTS, wiring, implicit_param_constraints=False),
        lambda circuit: gl.LTC(circuit),
    ),
    Loop(
        "CfC wired, auto_ncp(64, 8)",
        lambda wiring: ncps.torch.CfC(INPUTS, wiring),
        lambda circuit: gl.CfC(circuit, ncps_compat=True),
    ),
    Loop(
        "CfC dense, 64 units, backbone 128",
        lambda _: ncps.torch.CfC(INPUTS, 64),
        lambda _: gl.CfC(gl.dense(INPUTS, 64)),
        wired=False,
    ),
]


def measure(loop: Loop) -> str:
    """One line of the table: microseconds per sample."""
    torch.manual_seed(0)
    wiring = ncps.wirings.AutoNCP(64, 8)  # the model of ncps builds it; a second build would change it
    theirs = loop.theirs(wiring)
    ours = loop.ours(gl.from_ncps(wiring) if loop.wired else None)
    gl.load_ncps(ours, theirs)
    samples = np.random.default_rng(0).normal(size=(TURN, INPUTS)).astype(np.float32)
    units = ours.cell.n_neurons
    stream, eight = ours.stream(), ours.stream(8)
    carried = {"ours": mx.zeros((units,)), "theirs": torch.zeros(1, units)}
    tensors, outputs = torch.from_numpy(samples)[:, None], {"stream": [], "ncps": []}

    def of_ncps() -> None:
        with torch.no_grad():
            for sample in tensors:
                y, carried["theirs"] = theirs.rnn_cell(sample, carried["theirs"], 1.0)
                outputs["ncps"].append(y[0].numpy())

    def of_stream() -> None:
        for sample in samples:
            outputs["stream"].append(stream(sample))

    def of_eight() -> None:
        for sample in samples:
            eight(np.broadcast_to(sample, (8, INPUTS)))

    def of_calls() -> None:
        for sample in samples:
            y, carried["ours"] = ours(sample[None], carried["ours"])
            mx.eval(y, carried["ours"])

    tasks = {"ncps": of_ncps, "stream": of_stream, "eight": of_eight, "calls": of_calls}
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(REPEATS + 2):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            times[name].append((time.process_time() - start) / TURN * 1e6)
    found = {name: statistics.median(values[2:]) for name, values in times.items()}
    motors = ours.cell.n_outputs
    pairs = zip(outputs["stream"], outputs["ncps"], strict=True)
    differ = max(float(np.abs(np.array(a) - b[:motors]).max()) for a, b in pairs)
    figures = " | ".join(f"{found[name]:.1f}" for name in ("ncps", "stream"))
    rest = " | ".join(f"{found[name]:.1f}" for name in ("eight", "calls"))
    return f"| {loop.name} | {figures} | {found['ncps'] / found['stream']:.0f}x | {differ:.0e} | {rest} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for streaming.md")
    chosen = parser.parse_args()
    torch.set_num_threads(2)
    packages = f"ncps {version('ncps')}, torch {version('torch')} with 2 threads"
    lines = [
        f"{machine()}; {packages}; processor time in microseconds per sample, B=1, median of {REPEATS} turns "
        f"of {TURN}; wanted in the first row: at most {LIMIT:.0f}, and {WANTED:.0f}x\n",
        "| network | ncps cell | stream | ratio | differ by | stream of 8 rows | rnn(x, state) |",
        "|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for loop in LOOPS:
        lines.append(measure(loop))
        print(lines[-1], flush=True)
    if chosen.out:
        lines += ["", latency.title(STEPS), *latency.rows(STEPS)]
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "streaming.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
