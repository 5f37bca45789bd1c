"""Ganglion beside the strongest form of each peer: the same circuit, weights and inputs, in one run.

The peers are ncps on PyTorch as its users call it, the same with its cell through `torch.compile`, and the
same network written in JAX and jitted (for an LTC the better of matrices over all pairs and of segment sums).
Ours is called as it is, ``rnn(x)``, and inside `mx.compile`. Training is the mean square of the outputs with
the gradients of all parameters. All take turns of a tenth of a second, and medians are compared. Needs ncps
1.0.1, PyTorch and JAX:

    pip install -e ".[cpu,bench]"
    python benchmarks/peers.py --out benchmarks/results        # some minutes on a quiet machine
"""

from __future__ import annotations

import argparse
import copy
import json
import os
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
import peers_jax
import torch
from measure import in_turns, machine

import ganglion as gl

INPUTS, BATCH = 16, 32
PEERS = ("ncps", "ncps, cell compiled", "JAX jitted")
WORKS = ("forward", "training")
LONG = 10.0
"""Seconds after which a way gets no other turn: the slowest row takes PyTorch half a minute a step."""
OURS = ("Ganglion", "Ganglion in mx.compile")


@dataclass(frozen=True)
class Row:
    """One network in all packages."""

    name: str
    theirs: Callable[[], torch.nn.Module]
    ours: Callable[[], Any]
    training: bool = True
    batch: int = BATCH
    steps: int = 32
    stream: bool = False


@dataclass(frozen=True)
class Figures:
    """What was measured of a row.

    Attributes:
        name: of the row.
        difference: the largest one between our outputs and those of any peer.
        forward, training: milliseconds of each way.
    """

    name: str
    difference: float
    forward: dict[str, float]
    training: dict[str, float]

    def line(self, work: str) -> str:
        """The row of the table of a work."""
        found: dict[str, float] = getattr(self, work)
        cells = [f"{found[way]:.3g}" if way in found else "-" for way in (*PEERS, *OURS)]
        return f"| {self.name} | {self.difference:.1e} | {' | '.join(cells)} | {self.times(work):.1f}x |"

    def times(self, work: str) -> float:
        """How many times faster ours is than the best peer."""
        found: dict[str, float] = getattr(self, work)
        peer = min(found[way] for way in PEERS if way in found)
        return peer / min(found[way] for way in OURS if way in found)


def table(found: list[Figures], work: str) -> str:
    """The milliseconds of all rows that have the work."""
    head = ["row", "outputs differ by", *PEERS, *OURS, "best peer / best of ours"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join(lines + [figures.line(work) for figures in found if getattr(figures, work)])


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
        Row("LTC, auto_ncp(64, 8)", **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8))),
        Row(
            "LTC, random(128, sparsity 0.9)",
            **wired(gl.LTC, lambda: wirings.Random(128, 8, 0.9)),
        ),
        Row(
            "LTC, fully_connected(64)",
            **wired(gl.LTC, lambda: wirings.FullyConnected(64, 8)),
        ),
        Row(
            "LTC, random(512, sparsity 0.95), T=16",
            **wired(gl.LTC, lambda: wirings.Random(512, 8, 0.95)), steps=16,
        ),
        Row(
            "CfC wired, auto_ncp(64, 8)",
            **wired(gl.CfC, lambda: wirings.AutoNCP(64, 8), **compat),
        ),
        Row(
            "CfC wired, auto_ncp(256, 16, sparsity 0.8)",
            **wired(gl.CfC, lambda: wirings.AutoNCP(256, 16, 0.8), **compat),
        ),
        Row(
            "CfC dense, 64 units, backbone 128",
            lambda: ncps.torch.CfC(INPUTS, 64, backbone_units=128, backbone_layers=1),
            lambda: gl.CfC(gl.dense(INPUTS, 64), backbone_units=128, backbone_layers=1),
        ),
        Row(
            "CfC dense, 64 units, backbone 128, B=256",
            lambda: ncps.torch.CfC(INPUTS, 64, backbone_units=128, backbone_layers=1),
            lambda: gl.CfC(gl.dense(INPUTS, 64), backbone_units=128, backbone_layers=1), batch=256,
        ),
        Row(
            "LTC, auto_ncp(64, 8), one sample per call",
            **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8)), training=False, batch=1, steps=1,
        ),
        Row(
            "the same, ours through rnn.stream()",
            **wired(gl.LTC, lambda: wirings.AutoNCP(64, 8)), training=False, batch=1, steps=1,
            stream=True,
        ),
    ]  # fmt: skip


def measure(row: Row, repeats: int, compiles: bool) -> Figures:
    """Compare the outputs, then time all ways in turns."""
    torch.manual_seed(0)
    theirs = row.theirs()
    ours = row.ours()
    gl.load_ncps(ours, theirs)
    values = np.random.default_rng(0).normal(size=(row.batch, row.steps, INPUTS)).astype(np.float32)
    x, their_x = mx.array(values), torch.from_numpy(values)
    jitted = peers_jax.models(
        {name: array.detach().numpy() for name, array in theirs.state_dict().items()}, row.batch, row.steps
    )
    expected = np.array(ours(x)[0])
    with torch.no_grad():
        given = [theirs(their_x)[0].numpy()]
    given += [peers_jax.outputs_of(*model, values) for model in jitted.values()]
    difference = max(float(np.abs(y - expected).max()) for y in given)

    loop = not row.training
    works: dict[str, dict[str, Callable[[], object]]] = {"forward": {}, "training": {}}
    works["forward"] |= {
        "ncps": their_step_of(theirs, their_x, loop),
        OURS[0]: stream_of(ours, values) if row.stream else step_of(ours, x, loop),
    }
    if row.training:
        works["forward"][OURS[1]] = compiled_of(ours, x)
        works["training"] = {
            "ncps": their_training_of(theirs, their_x),
            OURS[0]: training_of(ours, x),
            OURS[1]: training_of(ours, x, compiled=True),
        }
    if compiles:
        quick = copy.deepcopy(theirs)
        quick.rnn_cell = torch.compile(quick.rnn_cell)
        works["forward"][PEERS[1]] = their_step_of(quick, their_x, loop)
        if row.training:
            works["training"][PEERS[1]] = their_training_of(quick, their_x)
    for name, model in jitted.items():
        works["forward"][f"JAX {name}"] = peers_jax.forward_of(*model, values, loop)
        if row.training:
            works["training"][f"JAX {name}"] = peers_jax.training_of(*model, values)
    for run in [*works["forward"].values(), *works["training"].values()]:
        settle(run)
    return Figures(row.name, difference, *(_better(in_turns(w, repeats, most=LONG)) for w in works.values()))


def settle(run: Callable[[], object]) -> None:
    """Past the calls in which a package compiles: a state that is carried makes for two kinds, or three."""
    start = time.perf_counter()
    for _ in range(4):
        run()
        if time.perf_counter() - start > LONG:
            return


def _better(times: dict[str, float]) -> dict[str, float]:
    """The same with the faster way of JAX alone."""
    jitted = [t for name, t in times.items() if name.startswith("JAX")]
    others = {name: t for name, t in times.items() if not name.startswith("JAX")}
    return others | ({PEERS[2]: min(jitted)} if jitted else {})


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


def compiled_of(rnn: Any, x: mx.array) -> Callable[[], None]:
    """One call inside `mx.compile`."""
    run = mx.compile(lambda x: rnn(x), inputs=rnn.state)
    return lambda: mx.eval(run(x))


def training_of(rnn: Any, x: mx.array, *, compiled: bool = False) -> Callable[[], None]:
    """The loss and all gradients of ours."""

    def loss(parameters: Any, x: mx.array) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x)[0]).mean()

    parameters = rnn.trainable_parameters()
    step = mx.value_and_grad(loss)
    step = mx.compile(step) if compiled else step

    def call() -> None:
        mx.eval(step(parameters, x))
        rnn.update(parameters)

    return call


def their_training_of(rnn: torch.nn.Module, x: torch.Tensor) -> Callable[[], None]:
    def call() -> None:
        rnn.zero_grad()
        rnn(x)[0].square().mean().backward()

    return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="measure only rows whose name contains this")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--no-torch-compile", action="store_true", help="spare its build, minutes per row")
    parser.add_argument("--out", type=Path, help="folder for peers.md and peers.json")
    chosen = parser.parse_args()
    torch.set_num_threads(2)
    where = f"{machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("mlx", "ncps", "torch", "jax"))
    told = f"{where}; {versions}; milliseconds, B={BATCH}, T=32, I={INPUTS}, median of {chosen.repeats} turns"
    print(told, flush=True)
    found = []
    for row in rows():
        if chosen.only in row.name:
            found.append(measure(row, chosen.repeats, not chosen.no_torch_compile))
            print(*(found[-1].line(work) for work in WORKS if getattr(found[-1], work)), sep="\n", flush=True)
    text = "\n\n".join([told, *(f"## {work.capitalize()}\n\n{table(found, work)}" for work in WORKS)])
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        facts = {"machine": where, "versions": versions, "rows": [asdict(figures) for figures in found]}
        (chosen.out / "peers.json").write_text(json.dumps(facts, indent=2) + "\n")
        (chosen.out / "peers.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
