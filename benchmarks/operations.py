"""The operations of `cells/ops` beside NumPy: time, and the largest difference.

    python benchmarks/operations.py [--out benchmarks/results]

A call of MLX costs some microseconds whatever it computes, so small arrays show the overhead and large ones
the work. An operation "keeps up" if it needs at most NumPy's time and the overhead of its calls, which is the
time for a single row. The others are bound by the primitive of MLX that the last column names.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from measure import interleaved, machine
from scipy.special import expit

import ganglion as gl
from ganglion.cells import ops

ROWS = 4096
N = 256
EXPONENTIAL = "exp"  # scalar on x86, 11 to 17 ns per element, where NumPy uses vectors


@dataclass(frozen=True)
class Twin:
    """An operation, the same in NumPy, and their arguments for a number of rows."""

    name: str
    ours: Callable[..., Any]
    numpy: Callable[..., Any]
    arguments: Callable[[int], tuple[Any, ...]]
    bound: str = ""


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def index(rows: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, N, (rows, N)).astype(np.int32)


def twins() -> list[Twin]:
    """Every operation with work to do; the others only make shapes and indices."""
    compiled = gl.compile_circuit(gl.random(N, inputs=8, sparsity=0.95))
    s = compiled.recurrent.synapses
    w = floats(len(s))
    dense = np.zeros((N, N), np.float32)
    dense[s.pre, s.post] = w
    chosen = np.random.default_rng(2).random(ROWS) < 0.5

    def summed(a: np.ndarray) -> np.ndarray:
        out = np.zeros((len(a), N), np.float32)
        np.add.at(out, (slice(None), s.post), a)
        return out

    return [
        Twin("affine", ops.affine, lambda x, w, b: x * w + b, lambda r: (floats(r, N), floats(N), floats(N))),
        Twin("lecun_tanh", ops.lecun_tanh, lambda x: 1.7159 * np.tanh(0.666 * x), lambda r: (floats(r, N),),
             EXPONENTIAL),
        Twin("synaptic_sigmoid", ops.synaptic_sigmoid, lambda v, m, s: expit(s * (v - m)),
             lambda r: (floats(r, N), floats(N), floats(N)), EXPONENTIAL),
        Twin("ode_step, explicit", lambda v, dt: ops.ode_step("explicit", lambda u: -u, v, dt),
             lambda v, dt: v - dt * v, lambda r: (floats(r, N), np.full((r, 1), 0.1, np.float32))),
        Twin("ode_step, rk4", lambda v, dt: ops.ode_step("rk4", lambda u: -u, v, dt), rk4,
             lambda r: (floats(r, N), np.full((r, 1), 0.1, np.float32))),
        Twin("take_steps", ops.take_steps, lambda x, i: np.take_along_axis(x, i, 1),
             lambda r: (floats(r, N), index(r))),
        Twin("blend", ops.blend, lambda c, a, b: np.where(c[:, None], a, b),
             lambda r: (chosen[:r], floats(r, N), floats(r, N))),
        Twin("reset", lambda c, a: ops.reset(a, c), lambda c, a: np.where(c[:, None], 0, a),
             lambda r: (chosen[:r], floats(r, N))),
        Twin("Draws.uniform", lambda _: ops.Draws(mx.random.key(0)).uniform(0.0, 1.0, len(_), N), draw,
             lambda r: (floats(r, 1),), "random bits"),
        Twin("masked_matmul", lambda x, w: gl.masked_matmul(x, w, compiled.recurrent), lambda x, w: x @ dense,
             lambda r: (floats(r, N), w), "matmul, reference BLAS on Linux"),
        Twin("synaptic_sum", lambda a: gl.synaptic_sum(a, compiled.recurrent), summed,
             lambda r: (floats(r, len(s)),)),
    ]  # fmt: skip


def rk4(v: np.ndarray, dt: np.ndarray) -> np.ndarray:
    k1 = -v
    k2 = -(v + 0.5 * dt * k1)
    k3 = -(v + 0.5 * dt * k2)
    k4 = -(v + dt * k3)
    return v + dt / 6 * (k1 + 2 * (k2 + k3) + k4)


def draw(like: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).random((len(like), N), np.float32)


def given(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments as MLX has them; index arrays stay NumPy, as the operations take them."""
    return tuple(v if v.dtype == np.int32 else mx.array(v) for v in values)


def measure(twin: Twin) -> str:
    """One line of the table."""
    times = {}
    for rows in (1, ROWS):
        theirs = twin.arguments(rows)
        ours = given(theirs)
        mx.eval([a for a in ours if isinstance(a, mx.array)])
        runs = {
            "ours": lambda ours=ours: twin.ours(*ours),
            "numpy": lambda theirs=theirs: twin.numpy(*theirs),
        }
        times[rows], results = interleaved(runs, seconds=0.5)
    differ = np.abs(np.array(results["ours"]) - results["numpy"]).max()
    overhead = times[1]["ours"]
    ours, numpy = (times[ROWS][name] for name in ("ours", "numpy"))
    verdict = "keeps up" if ours <= 1.1 * numpy + overhead else twin.bound or "slower"
    error = "-" if twin.name.startswith("Draws") else f"{differ:.0e}"
    figures = " | ".join(f"{1e6 * value:.0f}" for value in (overhead, times[1]["numpy"], ours, numpy))
    return f"| {twin.name} | {figures} | {ours / numpy:.2f} | {error} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for operations.md")
    chosen = parser.parse_args()
    lines = [
        f"{machine()}; processor time in microseconds for 1 and for {ROWS} rows of {N}\n",
        f"| operation | 1 row | NumPy | {ROWS} rows | NumPy | ratio | differ by | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    for twin in twins():
        lines.append(measure(twin))
        print(lines[-1], flush=True)
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "operations.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
