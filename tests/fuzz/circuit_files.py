"""Files of circuits, sound ones to begin with, and what reads them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

import ganglion as gl

from . import rows

DIALECTS = Path(__file__).parents[1] / "wiring" / "dialects"
Seeds = dict[str, bytes]
Reader = Callable[[bytes, str], Any]
ENDS = ("pre", "post")


def written(ending_: str) -> bytes:
    """A circuit in a format."""
    path = Path(f"seed{ending_}")
    gl.write(gl.auto_ncp(6, 2, inputs=2, seed=3), path)
    return path.read_bytes() if path.exists() else b""


def circuits(*endings: str, samples: str = "") -> Callable[[], Seeds]:
    """Seeds of a format: a circuit of ours and what other programs have written."""

    def seeds() -> Seeds:
        found = {f"written{end}": written(end) for end in endings}
        for path in sorted(DIALECTS.glob(samples)) if samples else ():
            found[path.name] = path.read_bytes()
        return {name: data for name, data in found.items() if data}

    return seeds


def read_circuit(data: bytes, name: str) -> None:
    """Read it; what was read must come back the same from JSON."""
    path = Path(
        "fuzzed" + "".join(Path(name).suffixes[-2:] if name.endswith(".gz") else Path(name).suffixes[-1:])
    )
    path.write_bytes(data)
    circuit = gl.circuit_from(path, roles=None, strict=False)
    if gl.check(circuit) and any(p.severity == "error" for p in gl.check(circuit)):
        return
    gl.write(circuit, "again.json")
    if gl.read("again.json").digest() != circuit.digest():
        raise AssertionError("the circuit does not come back from JSON")


def two_tables() -> Seeds:
    gl.write(gl.auto_ncp(6, 2, inputs=2, seed=3), "t.csv")
    return {name: Path(name).read_bytes() for name in ("t.neurons.csv", "t.synapses.csv")}


def read_tables(data: bytes, name: str) -> None:
    two_tables()
    Path(name).write_bytes(data)
    gl.read("t.csv", strict=False)


def sonata() -> Seeds:
    gl.write(gl.auto_ncp(6, 2, inputs=2, seed=3), "s.h5")
    return {name: Path(name).read_bytes() for name in ("s_nodes.h5", "s_edges.h5")}


def read_sonata(data: bytes, name: str) -> None:
    sonata()
    Path(name).write_bytes(data)
    gl.read("s.h5", strict=False)


def columns() -> Seeds:
    """A plan's arrays, a table of edges and a matrix, as NumPy, SciPy and pyarrow write them."""
    rows.PLAN.write("seed.npz")
    found = {"plan.npz": Path("seed.npz").read_bytes()}
    edges = pd.DataFrame({"pre": ["a", "b", "b"], "post": ["b", "b", "c"], "weight": [1.0, -2.0, 3.0]})
    for name, write in {
        "edges.npz": lambda file: np.savez(file, **{key: edges[key].to_numpy("U1") for key in ENDS}),
        "matrix.npz": lambda file: scipy.sparse.save_npz(file, scipy.sparse.eye(4, format="csr")),
        "edges.parquet": edges.to_parquet,
        "edges.feather": edges.to_feather,
    }.items():
        file = io.BytesIO()
        write(file)
        found[name] = file.getvalue()
    return found


def read_columns(data: bytes, name: str) -> None:
    path = Path("fuzzed" + Path(name).suffix)
    path.write_bytes(data)
    gl.Plan.read(path, roles=["sensory", "inter", "motor"], polarity=1)
