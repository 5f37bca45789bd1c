"""`wiring` by itself: with networkx, NumPy and lazy-loader, and nothing else installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        room = name.partition(".")[0]
        if room in {"mlx", "scipy", "matplotlib", "rich", "pandas", "pyarrow", "pydot", "h5py"}:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Refuse())
import numpy as np
from ganglion import wiring

circuit = wiring.auto_ncp(16, 3, inputs=4, seed=1)
for ending in ("json", "graphml", "gexf", "gml", "nml", "csv", "json.gz"):
    wiring.write(circuit, f"c.{ending}")
    assert wiring.read(f"c.{ending}").digest() == circuit.digest(), ending
assert wiring.check(circuit) == []
assert wiring.summary(circuit).neurons["motor"] == 3
assert len(wiring.circuit_from(np.array([[0, 1.0], [0, 0]]), roles="infer")) == 2
assert wiring.connectomes.tap_withdrawal().number_of_edges() == 22
assert len(circuit.to_arrays().pre) == circuit.number_of_edges()
print("alone")
"""


def test_wiring_needs_nothing_else(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "alone"
