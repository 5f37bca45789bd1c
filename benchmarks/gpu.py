"""The fused kernels on a GPU: beside MLX operations and ncps on PyTorch there, and beside the CPU's kernels.

The networks are those of `peers.py`. All run in one process on one GPU, in turns, through ``rnn(x)``, and for
training the mean square of the outputs with the gradients of all parameters; every call waits for its result.
Products of float32 matrices are exact in both packages (no TF32). Needs the extras `cuda` and `bench`:

    python benchmarks/gpu.py --out benchmarks/results
"""

from __future__ import annotations

import os

os.environ.setdefault("MLX_ENABLE_TF32", "0")  # read when MLX starts

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import torch
from measure import in_turns, machine
from mlx.utils import tree_flatten
from peers import INPUTS, Row, rows, step_of, training_of

import ganglion as gl

BATCHES = (32, 2048)
PEERS = """| row | outputs differ by | forward: ncps | MLX operations | kernel | training: ncps | MLX operations | kernel |
|---|---|---|---|---|---|---|---|"""  # noqa: E501
SIZES = """| row | batch | gradients differ by | forward: CPU's kernel | GPU's kernel | training: CPU's kernel | GPU's kernel |
|---|---|---|---|---|---|---|"""  # noqa: E501


@contextmanager
def on(device: Any) -> Iterator[None]:
    """Run on a device."""
    before = mx.default_device()
    mx.set_default_device(device)
    try:
        yield
    finally:
        mx.set_default_device(before)


def placed(task: Callable[[], Any], device: Any) -> Callable[[], None]:
    """A task that runs on a device."""

    def call() -> None:
        with on(device):
            task()

    return call


def pair(row: Row) -> tuple[torch.nn.Module, Any, Any]:
    """The network of ncps on the GPU, and ours as kernel and as operations, with the same weights."""
    torch.manual_seed(0)
    theirs = row.theirs()
    weights = {name: value.numpy() for name, value in theirs.state_dict().items()}
    ours = [row.ours() for _ in range(2)]
    for rnn, engine in zip(ours, ("fused", "ops"), strict=True):
        gl.load_ncps(rnn, weights)
        rnn.engine = engine
    return theirs.cuda(), *ours


def samples(row: Row, batch: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(batch, row.steps, INPUTS)).astype(np.float32)


def beside_peers(row: Row, repeats: int) -> str:
    """One line of the first table."""
    theirs, fused, plain = pair(row)
    values = samples(row, row.batch)
    x, their_x = mx.array(values), torch.from_numpy(values).cuda()

    def their_step() -> Any:
        with torch.no_grad():
            y = theirs(their_x)[0]
        torch.cuda.synchronize()
        return y

    def their_training() -> None:
        theirs.zero_grad()
        theirs(their_x)[0].square().mean().backward()
        torch.cuda.synchronize()

    difference = np.abs(their_step().cpu().numpy() - np.array(fused(x)[0])).max()
    steps = {"ncps": their_step, "operations": step_of(plain, x, False), "kernel": step_of(fused, x, False)}
    trainings = {"ncps": their_training, "operations": training_of(plain, x), "kernel": training_of(fused, x)}
    cells = [ratios(in_turns(runs, repeats)) for runs in (steps, trainings)]
    return f"| {row.name} | {difference:.1e} | {' | '.join(cells)} |"


def ratios(times: dict[str, float]) -> str:
    """Times in milliseconds, and how many times the last one the others are."""
    *others, ours = times.values()
    return " | ".join([*(f"{t:.2f} ms ({t / ours:.0f}x)" for t in others), f"{ours:.3f} ms"])


def beside_cpu(row: Row, batch: int, repeats: int) -> str:
    """One line of the second table."""
    _, fused, _ = pair(row)
    x = mx.array(samples(row, batch))
    found = []
    for device in (mx.cpu, mx.gpu):
        with on(device):
            found.append(gradients(fused, x))
    worst = max(
        float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-30))
        for (_, a), (_, b) in zip(*found, strict=True)
        if a.size
    )
    devices = {"CPU": mx.cpu, "GPU": mx.gpu}
    cells = [
        ratios(in_turns({name: placed(task, device) for name, device in devices.items()}, repeats))
        for task in (step_of(fused, x, False), training_of(fused, x))
    ]
    return f"| {row.name} | {batch} | {worst:.1e} | {' | '.join(cells)} |"


def gradients(rnn: Any, x: mx.array) -> list[tuple[str, np.ndarray]]:
    """The gradients of the mean square of the outputs."""

    def loss(parameters: Any) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x)[0]).mean()

    parameters = rnn.trainable_parameters()
    made = [(name, np.array(g)) for name, g in tree_flatten(mx.grad(loss)(parameters))]
    rnn.update(parameters)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="measure only rows whose name contains this")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, help="folder for gpu.md")
    chosen = parser.parse_args()
    if mx.default_device().type != mx.gpu:
        parser.error("MLX has no GPU here")
    wanted = [row for row in rows() if row.training and chosen.only in row.name]
    gpu = mx.device_info().get("device_name", "a GPU")
    lines = [
        f"{gpu}; CPU: {machine()}, {os.cpu_count()} processors; "
        f"ncps {version('ncps')}, torch {torch.__version__}; "
        f"T=32, I={INPUTS}, median of {chosen.repeats} turns"
    ]
    print(lines[0])
    for table in (
        [f"\nB=32\n\n{PEERS}", *(lambda row=row: beside_peers(row, chosen.repeats) for row in wanted)],
        [
            f"\n{SIZES}",
            *(lambda row=row, b=b: beside_cpu(row, b, chosen.repeats) for row in wanted for b in BATCHES),
        ],
    ):
        for line in table:
            lines.append(line if isinstance(line, str) else line())
            print(lines[-1], flush=True)
    if chosen.out:
        (chosen.out / "gpu.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
