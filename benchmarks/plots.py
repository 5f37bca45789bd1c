"""How long pictures take, next to `draw_graph` of ncps and `networkx.draw`, all on the Agg canvas.

    python benchmarks/plots.py [--out benchmarks/results]

One row for each picture: seconds of the processor from the circuit to a rendered canvas, the best of three
runs (of one, if it takes longer than ten seconds), and how often faster that is than ncps in the same run.
ncps draws a wiring with the same synapses; it and networkx use a circular layout, which costs them least. At
the end a 60-frame animation is written to a temporary GIF.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import networkx as nx
import numpy as np

mpl.use("Agg")

import ncps.wirings
from matplotlib import pyplot as plt
from measure import machine

import ganglion as gl
from ganglion.recording import Recording


def seconds(draw: Callable[[], Any]) -> float:
    """The best of three runs, a canvas rendered in each; figures are closed outside the clock."""
    best = float("inf")
    for _ in range(3):
        gc.collect()  # what the last picture left behind is not this one's time
        start = time.process_time()
        draw()
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        best = min(best, time.process_time() - start)
        plt.close("all")
        if best > 10:
            break
    return best


def ncps_wiring(circuit: nx.DiGraph) -> Any:
    """An ncps wiring with the synapses of a circuit."""
    roles = nx.get_node_attributes(circuit, "role")
    sensors = [node for node in circuit if roles[node] == "sensory"]
    state = [node for role in ("motor", "command", "inter") for node in circuit if roles[node] == role]
    index = {node: k for group in (sensors, state) for k, node in enumerate(group)}
    wiring = ncps.wirings.Wiring(len(state))
    wiring.set_output_dim(sum(roles[node] == "motor" for node in state))
    wiring.set_input_dim(len(sensors))
    for pre, post, sign in circuit.edges(data="polarity"):
        add = wiring.add_sensory_synapse if roles[pre] == "sensory" else wiring.add_synapse
        add(index[pre], index[post], sign)
    return wiring


def recording(circuit: nx.DiGraph, steps: int) -> Recording:
    """Waves on every neuron."""
    plan = gl.compile_circuit(circuit).plan
    times = np.arange(1.0, steps + 1)

    def waves(count: int) -> np.ndarray:
        return np.sin(times[:, None] * np.linspace(0.1, 0.6, count) + np.arange(count)).astype(np.float32)

    states = waves(len(plan.neurons))
    return Recording(
        states, waves(len(plan.sensors)), states[:, :1], times, plan.neurons, plan.sensors, plan.roles
    )


def compare(name: str, circuit: nx.DiGraph, *, others: bool) -> Iterator[str]:
    """One block of the table; the others take minutes at 50,000 synapses."""
    wiring = ncps_wiring(circuit)
    rivals: dict[str, Callable[[], Any]] = {}
    if others:
        rivals["ncps `draw_graph`"] = lambda: wiring.draw_graph(layout="circular")
        rivals["`networkx.draw`"] = lambda: nx.draw(circuit, pos=nx.circular_layout(circuit))
    ours = {
        "`plot_circuit`": lambda: gl.viz.plot_circuit(circuit, style="links"),
        "`plot_circuit`, blocks": lambda: gl.viz.plot_circuit(circuit, style="blocks"),
        "`plot_masks`": lambda: gl.viz.plot_masks(circuit),
        "`plot_summary`": lambda: gl.viz.plot_summary(circuit),
    }
    size = f"{name}, {len(circuit)} / {circuit.number_of_edges()}"
    base = None
    for label, draw in {**rivals, **ours}.items():
        took = seconds(draw)
        base = took if base is None and label.startswith("ncps") else base
        yield f"| {size} | {label} | {took:.2f} s | {f'{base / took:.1f} x' if base else ''} |"


def table() -> Iterator[str]:
    """The rows of the table, each when it has been measured."""
    yield "# Pictures"
    yield ""
    yield f"`python benchmarks/plots.py` on {machine()}; matplotlib {mpl.__version__}, networkx"
    yield f"{nx.__version__}, ncps 1.0.1. Seconds of the processor, the best of three."
    yield ""
    yield "| circuit, neurons / synapses | picture | time | faster than ncps |"
    yield "|---|---|---|---|"
    yield from compare("small", gl.auto_ncp(64, 10, inputs=8), others=True)
    yield from compare("medium", gl.auto_ncp(270, 20, inputs=30, sparsity=0.855), others=True)
    yield from compare("large", gl.random(1980, inputs=20, outputs=20, sparsity=0.9874), others=False)
    circuit = gl.auto_ncp(90, 8, inputs=10, sparsity=0.74)
    played = recording(circuit, 60)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.gif")
        took = seconds(lambda: gl.viz.animate_activity(circuit, played, path))
        size = path.stat().st_size / 1e6
    shape = f"animated, {len(circuit)} / {circuit.number_of_edges()}"
    yield f"| {shape} | GIF of 60 frames, {size:.2f} MB | {took:.2f} s |  |"


def main() -> None:
    """Print the table, and write it if a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = []
    for line in table():
        print(line, flush=True)
        lines.append(line)
    if arguments.out:
        (arguments.out / "plots.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
