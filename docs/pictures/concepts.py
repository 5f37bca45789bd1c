"""Draw the picture of the concepts: one small circuit as a graph, a plan, a layout and an engine.

    python docs/pictures/concepts.py [FILE]

Everything in it is computed by Ganglion from the circuit; only the places of the neurons are set here.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import ganglion as gl

LOOK = gl.viz.current()
SIGN = {1: LOOK.excitatory, -1: LOOK.inhibitory}
WRITING = {"sensory": "white", "inter": "black", "command": "white", "motor": "white"}
STEPS = 6
INK, PALE = "#333333", "#f3f3f0"


def small_circuit() -> gl.Circuit:
    """Two inputs, five neurons with state, nine synapses."""
    circuit = gl.Circuit()
    circuit.add_neurons(["s0", "s1"], role="sensory")
    circuit.add_neuron("m0", role="motor")
    circuit.add_neurons(["c0", "c1"], role="command")
    circuit.add_neurons(["i0", "i1"], role="inter")
    circuit.add_synapses(
        [("s0", "i0"), ("s1", "i1"), ("s1", "i0", -1), ("i0", "c0"), ("i1", "c1", -1), ("i1", "c0")]
    )
    circuit.add_synapses([("c0", "c1"), ("c1", "c0", -1), ("c0", "m0"), ("c1", "m0", -1)])
    return circuit


def main(path: Path) -> None:
    """Draw the four panels, left to right."""
    plt.rcParams.update({"svg.hashsalt": "ganglion", "font.size": 9, "text.color": INK})
    circuit = small_circuit()
    compiled = gl.compile_circuit(circuit)
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.9), gridspec_kw={"width_ratios": [1.15, 1.2, 1, 1.45]})
    titles = ("circuit", "plan", "layout", "engine")
    notes = (
        "a networkx digraph:\nroles on neurons, signs on synapses",
        "plain arrays in a fixed order;\none parameter per synapse",
        "how synapses are executed:\nhere dense, masks (pre, post)",
        "runs the sequence: one step\nof the cell per sample",
    )
    for ax, title, note in zip(axes, titles, notes, strict=True):
        ax.set_axis_off()
        ax.text(0.5, 1.1, title, transform=ax.transAxes, ha="center", fontsize=13, weight="bold")
        ax.text(0.5, -0.02, note, transform=ax.transAxes, ha="center", va="top", color="#666666")
    draw_circuit(axes[0], circuit)
    draw_plan(axes[1], compiled.plan)
    draw_layout(axes[2], compiled)
    draw_engine(axes[3], compiled)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.84, bottom=0.15, wspace=0.16)
    for left, right in pairwise(axes):
        start, end = left.get_position(), right.get_position()
        arrow = FancyArrowPatch(
            (start.x1 + 0.004, 0.925),
            (end.x0 - 0.004, 0.925),
            transform=figure.transFigure,
            arrowstyle="-|>",
            mutation_scale=13,
            color="#999999",
        )
        figure.add_artist(arrow)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def draw_circuit(ax: Axes, circuit: gl.Circuit) -> None:
    """Neurons in columns by role."""
    place = {
        "s0": (0, 2.0),
        "s1": (0, 0.6),
        "i0": (1, 2.1),
        "i1": (1, 0.5),
        "c0": (2, 2.1),
        "c1": (2, 0.5),
        "m0": (3, 1.3),
    }
    for pre, post, sign in circuit.synapses():
        back = circuit.has_edge(post, pre)
        ax.add_patch(
            FancyArrowPatch(
                place[pre],
                place[post],
                arrowstyle="-|>" if sign > 0 else "|-|,widthA=0,widthB=3",
                connectionstyle=f"arc3,rad={0.22 if back else 0.06}",
                shrinkA=11,
                shrinkB=12,
                mutation_scale=10 if sign > 0 else 1.2,
                color=SIGN[sign],
                lw=1.3,
            )
        )
    for name, (x, y) in place.items():
        role = circuit.nodes[name]["role"]
        ax.plot(x, y, "o", ms=21, color=LOOK.colors[role], mec=INK, mew=0.8)
        ax.text(x, y, name, ha="center", va="center", color=WRITING[role], weight="bold")
    for x, role in enumerate(("sensory", "inter", "command", "motor")):
        ax.text(x, -0.35, role, ha="center", color=INK, fontsize=8.5)
    ax.set(xlim=(-0.45, 3.45), ylim=(-0.55, 2.75))


def draw_plan(ax: Axes, plan: gl.Plan) -> None:
    """The neurons in order, and the recurrent synapses as a table."""
    ax.text(0, 9.6, "neurons", va="center")
    for k, (name, role) in enumerate(zip(plan.neurons, plan.roles, strict=True)):
        cell(ax, 2.6 + 1.2 * k, 9.6, name, LOOK.colors[role], WRITING[role], bold=True)
        ax.text(2.6 + 1.2 * k, 10.5, str(k), ha="center", va="center", fontsize=7.5, color="#888888")
    synapses = plan.recurrent
    weights = [f"w{k}" for k in range(len(synapses.pre))]
    for row, (title, values) in enumerate(
        (("pre", synapses.pre), ("post", synapses.post), ("polarity", synapses.polarity), ("w", weights))
    ):
        y = 7.4 - 1.5 * row
        ax.text(0, y, title, va="center")
        for k, value in enumerate(values):
            x = 2.6 + 0.94 * k
            if title == "polarity":
                cell(ax, x, y, f"{value:+d}", "white", SIGN[int(value)], width=0.86)
            else:
                cell(ax, x, y, str(value), PALE if title != "w" else "#e4eef7", INK, width=0.86)
    ax.set(xlim=(-0.2, 9.6), ylim=(1.4, 11.4))


def draw_layout(ax: Axes, compiled: gl.CompiledCircuit) -> None:
    """The sensory and the recurrent mask, coloured by polarity."""
    plan = compiled.plan
    top = len(plan.neurons)
    blocks = ((compiled.sensory, plan.sensors, top + 2.2), (compiled.recurrent, plan.neurons, top - 0.2))
    for projection, names, y in blocks:
        polarity = np.array(projection.polarity)
        for i, name in enumerate(names):
            ax.text(-0.75, y - i, name, ha="right", va="center", fontsize=8)
            for j in range(polarity.shape[1]):
                sign = int(polarity[i, j])
                cell(ax, j, y - i, "", SIGN.get(sign, PALE), INK, width=0.92, height=0.92)
    for j, name in enumerate(plan.neurons):
        ax.text(j, top + 3.15, name, ha="center", va="center", fontsize=8)
    ax.text(top - 0.1, top + 1.7, "sensory", va="center", rotation=90, fontsize=8, color="#888888")
    ax.text(top - 0.1, 2.8, "recurrent", va="center", rotation=90, fontsize=8, color="#888888")
    ax.set(xlim=(-2, top + 0.8), ylim=(-0.2, top + 3.7), aspect="equal")


def draw_engine(ax: Axes, compiled: gl.CompiledCircuit) -> None:
    """A real run of an LTC: inputs go in, the state goes along, the output comes out."""
    mx.random.seed(1)
    rnn = gl.LTC(compiled)
    t = np.arange(STEPS)
    x = np.stack([np.sin(t), np.cos(t)], axis=1).astype(np.float32)
    recording = gl.record(rnn, mx.array(x))
    roles = recording.roles
    strength = np.abs(recording.states) / np.abs(recording.states).max()
    for k in range(STEPS):
        ax.add_patch(
            FancyBboxPatch((k - 0.3, 0.9), 0.6, 1.2, boxstyle="round,pad=0.03", fc="#fbf6e9", ec="#bbbbbb")
        )
        for n, role in enumerate(roles):
            share = 0.2 + 0.8 * strength[k, n]
            ax.plot(k, 1.98 - 0.24 * n, "o", ms=6.5, color=LOOK.colors[role], mec=INK, mew=0.4, alpha=share)
        arrow(ax, (k, 0.28), (k, 0.84))
        arrow(ax, (k, 2.16), (k, 2.72))
        ax.text(k, 0.1, f"x{k}", ha="center", va="center")
        ax.text(k, 2.9, f"y{k}", ha="center", va="center")
        if k:
            arrow(ax, (k - 0.66, 1.5), (k - 0.34, 1.5))
    arrow(ax, (STEPS - 0.66, 1.5), (STEPS - 0.34, 1.5))
    ax.text(STEPS - 0.28, 1.5, "state", va="center")
    ax.set(xlim=(-0.5, STEPS + 0.5), ylim=(-0.2, 3.2))


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A thin arrow."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color="#888888", shrinkA=0, shrinkB=0)
    )


def cell(
    ax: Axes, x: float, y: float, text: str, color: str, ink: str,
    *, width: float = 1.1, height: float = 1.1, bold: bool = False,
) -> None:  # fmt: skip
    """One box of a table."""
    ax.add_patch(
        plt.Rectangle((x - width / 2, y - height / 2), width, height, fc=color, ec="#dddddd", lw=0.6)
    )
    ax.text(x, y, text, ha="center", va="center", color=ink, fontsize=8, weight="bold" if bold else "normal")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
