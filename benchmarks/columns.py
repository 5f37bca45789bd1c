"""Fifteen million pairs of neurons from a file of columns: read, checked, compiled.

python benchmarks/columns.py make pairs.npz       # a synthetic file, and one of neurons beside it
python benchmarks/columns.py make pairs.parquet   # with pip install 'ganglion-mlx[parquet]'
python benchmarks/columns.py read pairs.npz
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

NEURONS, SENSORY, MOTOR, PAIRS = 139_255, 7_000, 1_000, 15_000_000
ROLES = {"afferent": "sensory", "intrinsic": "inter", "efferent": "motor"}


def make(path: Path) -> None:
    """Write pairs in no order, none of them twice and none onto a sensory neuron."""
    rng = np.random.default_rng(0)
    apart = NEURONS * (NEURONS - SENSORY) // PAIRS
    pairs = np.arange(PAIRS, dtype=np.int64) * apart + rng.integers(0, apart, PAIRS)
    order = rng.permutation(PAIRS)
    table = {
        "pre": (pairs % NEURONS).astype(np.int32)[order],
        "post": (SENSORY + pairs // NEURONS).astype(np.int32)[order],
        "syn_count": rng.integers(1, 50, PAIRS).astype(np.int32),
        "sign": np.where(rng.random(PAIRS) < 0.25, -1, 1).astype(np.int8),
    }
    flow = ["afferent"] * SENSORY + ["efferent"] * MOTOR + ["intrinsic"] * (NEURONS - SENSORY - MOTOR)
    np.savez(_neurons(path), id=np.arange(NEURONS), flow=np.array(flow))
    if path.suffix == ".npz":
        np.savez(path, **table)
    else:
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table(table), path)


def read(path: Path) -> None:
    """Print the time of the processor and the most memory after each step."""
    import ganglion as gl

    start = time.process_time()
    plan = gl.Plan.read(path, _neurons(path), roles=("flow", ROLES), polarity="sign")
    _tell("read and checked", start)
    print(gl.compile_circuit(plan))
    _tell("compiled", start)


def _neurons(path: Path) -> Path:
    return path.with_name(f"{path.stem}-neurons.npz")


def _tell(what: str, start: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{what} after {time.process_time() - start:.1f} s of the processor, peak {peak:.0f} MB")


if __name__ == "__main__":
    {"make": make, "read": read}[sys.argv[1]](Path(sys.argv[2]))
