"""Ganglion against ncps on PyTorch: the same circuit, the same weights, the same inputs, in one run.

Both are called as their users call them: ``rnn(x)``, and for training the mean square of the outputs with the
gradients of all parameters. The two take turns of a tenth of a second, and medians are compared. Needs
ncps 1.0.1 and PyTorch:

    pip install -e ".[cpu,bench]"
    python benchmarks/peers.py --out benchmarks/results
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx
import ncps.torch
import ncps.wirings as wirings
import numpy as np
import torch

import ganglion as gl

INPUTS, BATCH = 16, 32
TURN = 0.1  # seconds


@dataclass(frozen=True)
class Row:
    """One network in both packages, and how much faster ours is meant to be."""

    name: str
    theirs: Callable[[], torch.nn.Module]
    ours: Callable[[], Any]
    forward: float
    training: float | None
    batch: int = BATCH
    steps: int = 32
    stream: bool = False


@dataclass(frozen=True)
class Pair:
    """Median milliseconds of both packages, and how many times faster ours is meant to be at least."""

    theirs: float
    ours: float
    wanted: float

    def __str__(self) -> str:
        ratio = self.theirs / self.ours
        met = "" if ratio >= self.wanted else " (missed)"
        return f"{self.theirs:.2f} ms | {self.ours:.3f} ms | {ratio:.0f}x | {self.wanted:.0f}x{met}"


@dataclass(frozen=True)
class Figures:
    """What was measured of a row: the largest difference of the outputs, and the times."""

    name: str
    difference: float
    forward: Pair
    training: Pair | None

    def __str__(self) -> str:
        training = "- | - | - | -" if self.training is None else str(self.training)
        return f"| {self.name} | {self.difference:.1e} | {self.forward} | {training} |"


HEADER = """| row | outputs differ by | forward: ncps | Ganglion | ratio | wanted | training: ncps | Ganglion | ratio | wanted |
|---|---|---|---|---|---|---|---|---|---|"""  # noqa: E501


def wired(network: Any, make: Callable[[], wirings.Wiring], **options: Any) -> dict[str, Any]:
    """An ncps network over a wiring, and ours over the same one."""
    theirs = getattr(ncps.torch, network.__name__)
    # Both keep an LTC's parameters positive by clipping them after a step; ncps has softplus as default.
    clip = {"implicit_param_constraints": False} if network is gl.LTC else {}
    wiring = make()
    wiring.build(INPUTS)
    return {
        "theirs": lambda: theirs(INPUTS, wiring, **clip),
        "ours": lambda: network(gl.from_ncps(wiring), **options),
    }


def rows() -> list[Row]:
    """The table."""
    compat = {"ncps_compat": True}
    return [
        Row("LTC, auto_ncp(64, 8)", **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8)), forward=30, training=80),
        Row(
            "LTC, random(128, sparsity 0.9)",
            **wired(gl.LTC, lambda: wirings.Random(128, 8, 0.9)), forward=30, training=80,
        ),
        Row(
            "LTC, fully_connected(64)",
            **wired(gl.LTC, lambda: wirings.FullyConnected(64, 8)), forward=6, training=10,
        ),
        Row(
            "LTC, random(512, sparsity 0.95), T=16",
            **wired(gl.LTC, lambda: wirings.Random(512, 8, 0.95)), forward=500, training=500, steps=16,
        ),
        Row(
            "CfC wired, auto_ncp(64, 8)",
            **wired(gl.CfC, lambda: wirings.AutoNCP(64, 8), **compat), forward=15, training=15,
        ),
        Row(
            "CfC wired, auto_ncp(256, 16, sparsity 0.8)",
            **wired(gl.CfC, lambda: wirings.AutoNCP(256, 16, 0.8), **compat), forward=12, training=12,
        ),
        Row(
            "CfC dense, 64 units, backbone 128",
            lambda: ncps.torch.CfC(INPUTS, 64, backbone_units=128, backbone_layers=1),
            lambda: gl.CfC(gl.dense(INPUTS, 64), backbone_units=128, backbone_layers=1),
            forward=4, training=4,
        ),
        Row(
            "LTC, auto_ncp(64, 8), one sample per call",
            **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8)), forward=8, training=None, batch=1, steps=1,
        ),
        Row(
            "the same, ours through rnn.stream()",
            **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8)), forward=8, training=None, batch=1, steps=1,
            stream=True,
        ),
    ]  # fmt: skip


def measure(row: Row, repeats: int) -> Figures:
    """Compare the outputs, then time both in turns."""
    torch.manual_seed(0)
    theirs = row.theirs()
    ours = row.ours()
    gl.load_ncps(ours, theirs)
    values = np.random.default_rng(0).normal(size=(row.batch, row.steps, INPUTS)).astype(np.float32)
    x, their_x = mx.array(values), torch.from_numpy(values)
    with torch.no_grad():
        difference = np.abs(theirs(their_x)[0].numpy() - np.array(ours(x)[0])).max()

    loop = row.training is None
    our_step = stream_of(ours, values) if row.stream else step_of(ours, x, loop)
    tasks = [their_step_of(theirs, their_x, loop), our_step]
    times = interleaved(tasks, repeats)
    forward, training = Pair(*times, row.forward), None
    if row.training is not None:
        times = interleaved([their_training_of(theirs, their_x), training_of(ours, x)], repeats)
        training = Pair(*times, row.training)
    return Figures(row.name, float(difference), forward, training)


def step_of(rnn: Any, x: mx.array, loop: bool) -> Callable[[], None]:
    """One call of ours, with the state carried from call to call for a control loop."""
    carried = [None]

    def call() -> None:
        y, state = rnn(x, carried[0])
        mx.eval(y, state)
        carried[0] = state if loop else None

    return call


def stream_of(rnn: Any, values: np.ndarray) -> Callable[[], None]:
    """One sample through a stream, which keeps the state itself."""
    stream, sample = rnn.stream(1), values[:, 0]
    return lambda: mx.eval(stream(sample))


def their_step_of(rnn: torch.nn.Module, x: torch.Tensor, loop: bool) -> Callable[[], None]:
    carried: list[Any] = [None]

    def call() -> None:
        with torch.no_grad():
            _, state = rnn(x, carried[0])
        carried[0] = state if loop else None

    return call


def training_of(rnn: Any, x: mx.array) -> Callable[[], None]:
    """The loss and all gradients of ours."""

    def loss(parameters: Any) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x)[0]).mean()

    parameters = rnn.trainable_parameters()
    step = mx.value_and_grad(loss)

    def call() -> None:
        mx.eval(step(parameters))
        rnn.update(parameters)

    return call


def their_training_of(rnn: torch.nn.Module, x: torch.Tensor) -> Callable[[], None]:
    def call() -> None:
        rnn.zero_grad()
        rnn(x)[0].square().mean().backward()

    return call


def interleaved(tasks: list[Callable[[], None]], repeats: int) -> list[float]:
    """The median time of a call of each task in milliseconds, in turns.

    A turn is as many calls as fit into `TURN`, as a training or control loop makes them: the threads that the
    other package leaves spinning for some milliseconds then disturb only the first call.
    """
    calls = [max(1, round(TURN / min(_seconds(task, 1) for _ in range(2)))) for task in tasks]
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(repeats):
        for task, many, found in zip(tasks, calls, times, strict=True):
            found.append(_seconds(task, many))
    return [1e3 * statistics.median(found) for found in times]


def _seconds(task: Callable[[], None], calls: int) -> float:
    """The mean time of a call over some calls."""
    start = time.perf_counter()
    for _ in range(calls):
        task()
    return (time.perf_counter() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="measure only rows whose name contains this")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, help="folder for peers.md and peers.json")
    chosen = parser.parse_args()
    torch.set_num_threads(2)
    machine = f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    versions = f"MLX {version('mlx')}, ncps {version('ncps')}, torch {version('torch')} with 2 threads"
    print(f"{machine}; {versions}; B={BATCH}, T=32, I={INPUTS}, median of {chosen.repeats} turns\n\n{HEADER}")
    found = []
    for row in rows():
        if chosen.only in row.name:
            found.append(measure(row, chosen.repeats))
            print(found[-1], flush=True)
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        facts = {"machine": machine, "versions": versions, "rows": [asdict(figures) for figures in found]}
        (chosen.out / "peers.json").write_text(json.dumps(facts, indent=2) + "\n")
        table = "\n".join([HEADER, *map(str, found)])
        (chosen.out / "peers.md").write_text(f"{machine}; {versions}\n\n{table}\n")


if __name__ == "__main__":
    main()
