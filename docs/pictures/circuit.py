"""Draw the circuit of the demo.

python docs/pictures/circuit.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import ganglion as gl


def main(path: Path) -> None:
    """auto_ncp(64, 10, inputs=8), layered by role."""
    plt.rcParams["svg.hashsalt"] = "ganglion"
    _, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    picture = gl.viz.plot_circuit(gl.auto_ncp(64, 10, inputs=8), ax=ax)
    picture.save(path, dpi=100, **({"metadata": {"Date": None}} if path.suffix == ".svg" else {}))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
