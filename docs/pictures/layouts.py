"""Draw the picture of the layouts: one circuit as graph, as dense mask and as block mask.

python docs/pictures/layouts.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import ganglion as gl

GROUPS, SIZE = 6, 8


def modular_circuit() -> gl.Circuit:
    """Six groups of eight neurons, each feeding itself or the next, in no helpful order."""
    rng = np.random.default_rng(4)
    circuit = gl.Circuit()
    circuit.add_neurons([f"s{k}" for k in range(4)], role="sensory")
    group = np.repeat(np.arange(GROUPS), SIZE)
    group[SIZE:] = rng.permutation(group[SIZE:])  # the first group are the motor neurons
    names = [f"n{k}" for k in range(len(group))]
    circuit.add_neurons(names[:SIZE], role="motor")
    circuit.add_neurons(names[SIZE:], role="inter")
    for i, pre in enumerate(names):
        for j, post in enumerate(names):
            likely = (group[i] - group[j]) % GROUPS <= 1 and group[i] > 0
            if rng.random() < (0.5 if likely else 0.002):
                circuit.add_synapse(pre, post, int(rng.choice([1, 1, -1])))
    for k in range(4):
        for j in rng.choice(np.flatnonzero(group == k + 2), 3, replace=False):
            circuit.add_synapse(f"s{k}", names[j])
    return circuit


def main(path: Path) -> None:
    """Three panels: the graph, and the masks of two layouts."""
    plt.rcParams["svg.hashsalt"] = "ganglion"
    circuit = modular_circuit()
    dense = gl.compile_circuit(circuit, "dense")
    block = gl.compile_circuit(circuit, "block", block_size=8, order="block")
    figure, axes = plt.subplots(1, 3, figsize=(15, 5.4), layout="constrained")
    gl.viz.plot_circuit(circuit, ax=axes[0], labels=False)  # 48 names would cross its headings
    gl.viz.plot_masks(dense, ax=axes[1])
    gl.viz.plot_masks(block, ax=axes[2])
    tiling = block.recurrent.tiling
    titles = (
        f"the circuit: {len(dense.plan.recurrent)} recurrent synapses",
        f"dense: {dense.recurrent.size} entries",
        f"block: {len(tiling)} tiles of {tiling.blocks[0] * tiling.blocks[1]}, {tiling.size} entries",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
    figure.savefig(path, **({"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 100}))
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
