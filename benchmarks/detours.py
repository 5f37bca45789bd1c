"""False links: synapses whose line, as it is drawn, enters the marker of a neuron that is not theirs.

    python benchmarks/detours.py [--circuits 200]

Before is every synapse on its plain curve, after with those led around that would run behind a neuron.
Crossings are those of the drawn lines of any two synapses; milliseconds are of all curves of one picture.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import matplotlib as mpl
import numpy as np
from measure import machine

import ganglion as gl
from ganglion.viz import synapses
from ganglion.viz.picture import clear_canvas
from ganglion.viz.routes import Router, crossed, touched
from ganglion.viz.scene import arrange
from ganglion.viz.style import current
from ganglion.viz.view import view
from ganglion.viz.widths import synapse_widths

LEAD = Router.lead


def handmade(seed: int) -> gl.Circuit:
    """A small irregular circuit with synapses that skip layers, lead back or stay in theirs."""
    rng, circuit, layers = np.random.default_rng(seed), gl.Circuit(), []
    for role, most in (("sensory", 5), ("inter", 8), ("command", 6), ("motor", 4)):
        names = [f"{role}_{k}" for k in range(int(rng.integers(role != "command", most)))]
        circuit.add_neurons(names, role=role)
        layers += [names] * bool(names)
    pairs = {pair for some in pairwise(layers) for pair in product(*some) if rng.random() < 0.4}
    everyone = [name for layer in layers for name in layer]
    pairs |= {tuple(map(str, rng.choice(everyone, 2))) for _ in range(int(rng.integers(3, 12)))}
    for pre, post in sorted(pair for pair in pairs if not pair[1].startswith("sensory")):
        circuit.add_synapse(pre, post, polarity=int(rng.choice((1, -1))))
        if rng.random() < 0.1 and pre != post and not pre.startswith("sensory"):
            circuit.edges[pre, post].update(kind="electrical", polarity=1)
    return circuit


def named() -> Iterator[gl.Circuit]:
    """The connectome that is here, and a circuit of each generator."""
    yield gl.connectomes.tap_withdrawal()
    yield gl.connectomes.tap_withdrawal(across=True)
    yield gl.auto_ncp(64, 8, inputs=16, seed=22222)
    yield gl.ncp(
        inter=18, command=12, motor=6, inputs=8, sensory_fanout=6, inter_fanout=4,
        recurrent_command_synapses=10, motor_fanin=6, seed=22222,
    )  # fmt: skip
    yield gl.fully_connected(32, inputs=8, outputs=4, seed=1111)
    yield gl.random(128, inputs=8, outputs=4, sparsity=0.9, seed=1111)
    yield gl.layered([8, 6, 6], inputs=3, outputs=2, command=5, density=0.4, seed=1)


def crossings(lines: np.ndarray) -> int:
    """Where lines (L, P, 2) of different synapses cross."""
    return sum(int(crossed(line[None], lines[k + 1 :])[0]) for k, line in enumerate(lines))


def row(name: str, circuits: list[gl.Circuit], **options: str) -> str:
    """One line of the table."""
    count, found = 0, []
    for lead in (lambda *_: None, LEAD):
        Router.lead = lead  # type: ignore[assignment]
        behind = crossed = count = 0
        seconds = 0.0
        for circuit in circuits:
            figure = mpl.figure.Figure(figsize=(7, 4.2))
            axes, seen = figure.add_subplot(), view(circuit)
            look, size = current(axes), clear_canvas(axes)
            pos, direction = options.get("pos", "layered"), options.get("direction", "right")
            scene = arrange(axes, seen, look, size, pos, direction, {}, [])
            widths = synapse_widths(seen, look, None).points
            head = min(1.1 * scene.radius, 5 * scene.unit) * np.clip(widths / look.line_width[1], 0.6, 2.0)
            start = time.perf_counter()
            links = synapses._curves(seen, scene, look, head)
            drawn = synapses._with_resistors(links, seen, scene)
            seconds += time.perf_counter() - start
            whole = np.concatenate([drawn, links.tips[:, None]], axis=1)
            behind += len(np.unique(touched(whole, scene.pos, scene.extent, seen.pre, seen.post)[:, 0]))
            crossed += crossings(whole) if len(whole) < 600 else 0
            count += len(whole)
        found.append((behind, crossed, 1000 * seconds / len(circuits)))
    Router.lead = LEAD  # type: ignore[method-assign]
    (b0, c0, t0), (b1, c1, t1) = found
    cells: list[Any] = [name, ", ".join(options.values()) or "right", count, b0, b1]
    cells += [f"{c0:,}", f"{c1:,}", f"{c1 / c0 - 1:+.1%}"] if c0 else ["", "", ""]
    return "| " + " | ".join(map(str, [*cells, f"{t0:.1f}", f"{t1:.1f}"])) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--circuits", type=int, default=200)
    drawn = [handmade(seed) for seed in range(parser.parse_args().circuits)]
    print(f"`python benchmarks/detours.py` on {machine()}.\n")
    print("| circuits | layout | synapses | behind a neuron | now | crossings | now | more | ms | now |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for options in ({}, {"direction": "down"}, {"pos": "hierarchy"}, {"pos": "radial"}, {"pos": "spring"}):
        print(row(f"{len(drawn)} made by hand", drawn, **options), flush=True)
    for circuit in named():
        print(row(f"{len(circuit)} neurons", [circuit]), flush=True)


if __name__ == "__main__":
    main()
