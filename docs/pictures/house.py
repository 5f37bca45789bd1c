"""Draw the house: its rooms, what they are for, and which imports which, read from the import statements.

    python docs/pictures/house.py [FILE]

An arrow leads from a room to one that it imports when it is loaded; what follows from others is left out.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "ganglion"
ROOMS = {
    "wiring": "circuits, generators, edits,\nchecks, files",
    "compile": "plans, layouts, masks,\nfused kernels",
    "cells": "LTC, CfC, equations,\nnetworks, streams",
    "viz": "pictures of circuits,\nmasks and activity",
    "interchange": "files, ncps, C, ONNX,\nunits of data",
    "training": "fit, checkpoints,\nseries from tables",
    "studies": "perturbations, studies,\nexperiments",
    "meaning": "what data tell,\npriors, posteriors",
    "editor": "sessions, server,\nwidget, live network",
    "commands": "the command line",
    "demo": "digits, trained\nand drawn",
}
PLACE = {
    "wiring": (1.4, 0), "compile": (0.5, 1), "viz": (2.6, 1.5), "cells": (0.5, 2), "interchange": (0.4, 3),
    "training": (1, 4), "meaning": (0.4, 5), "studies": (1.45, 5), "editor": (1.45, 6), "commands": (3.1, 4),
    "demo": (2.6, 5),
}  # fmt: skip
OWN = ("wiring", "compile", "cells", "viz")  # folders at the root; the others lie in src/ganglion
INK, PALE = "#333333", "#f3f3f0"


def imports() -> nx.DiGraph:
    """Which room imports which when it is loaded, without what follows from the rest."""
    graph = nx.DiGraph()
    graph.add_nodes_from(ROOMS)
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            depth = len(path.relative_to(PACKAGE).parts)
            for target in _targets(ast.parse(path.read_text()), depth):
                if target in ROOMS and target != room:
                    graph.add_edge(room, target)
    return nx.transitive_reduction(graph)


def _targets(tree: ast.AST, depth: int) -> list[str]:
    """The rooms named by relative imports at module level that lead up to the package."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found += [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.unparse(node)[:40]:
            found += _targets(node, depth)
    return found


def main(path: Path) -> None:
    """Draw the boxes and arrows."""
    plt.rcParams.update({"svg.hashsalt": "ganglion", "svg.fonttype": "none", "font.size": 9})
    figure, ax = plt.subplots(figsize=(9.0, 8.0))
    high, wide = 0.62, 0.94
    for pre, post in sorted(imports().edges):
        (x, y), (u, v) = PLACE[pre], PLACE[post]
        arrow = FancyArrowPatch(
            (x, y - high / 2), (u, v + high / 2), arrowstyle="-|>", mutation_scale=11, color="#777777",
            shrinkA=1, shrinkB=1, connectionstyle="arc3,rad=0.0", zorder=1,
        )  # fmt: skip
        arrow.set_gid(f"{pre}-imports-{post}")
        ax.add_patch(arrow)
    for room, what in ROOMS.items():
        x, y = PLACE[room]
        fill = "#dcebe6" if room in OWN else PALE
        box = (x - wide / 2, y - high / 2)
        ax.add_patch(
            FancyBboxPatch(
                box, wide, high, boxstyle="round,pad=0,rounding_size=0.06", fc=fill, ec="#bbbbbb", zorder=2
            )
        )
        name = f"{room}/" if room in OWN else f"src/ganglion/{room}/"
        ax.text(x, y + 0.14, name, ha="center", va="center", weight="bold", color=INK, zorder=3)
        ax.text(x, y - 0.1, what, ha="center", va="center", color="#555555", fontsize=8.5, zorder=3)
    leaves = FancyBboxPatch(
        (-0.13, -0.98),
        3.66,
        0.42,
        boxstyle="round,pad=0,rounding_size=0.06",
        fc="none",
        ec="#bbbbbb",
        ls="--",
    )
    ax.add_patch(leaves)
    said = "leaves that all may import: arguments, errors, palette, recording, shown, storage, versions, ..."
    ax.text(1.7, -0.77, said, ha="center", va="center", color="#555555", fontsize=8.5)
    across, up = zip(*PLACE.values(), strict=True)
    ax.set(xlim=(min(across) - 0.6, max(across) + 0.6), ylim=(-1.05, max(up) + 0.4))
    ax.set_axis_off()
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
