"""The operations of `ganglion.ops` beside NumPy: time, and the largest difference.

    python benchmarks/operations.py [--out benchmarks/results]

Times are those of the clock, the least of several turns, for 4096 rows of 256: a call and the computation of
what it gives. What only makes or arranges an array is measured without the computation, which for most of
them is none.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from measure import machine
from scipy.special import erf, expit

import ganglion as gl
from ganglion import ops

ROWS, N = 4096, 256
SHAPE = (ROWS, N)
KEY = mx.random.key(0)
GENERATOR = np.random.default_rng(0)


@dataclass(frozen=True)
class Twin:
    """An operation, the same in NumPy, and their arguments.

    Attributes:
        work: whether it computes; otherwise it makes or arranges an array.
        random: whether results are drawn, and not to be compared.
    """

    name: str
    ours: Callable[..., Any]
    numpy: Callable[..., Any]
    arguments: tuple[np.ndarray, ...] = ()
    work: bool = True
    random: bool = False


def floats(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


X, Y, V, W = floats(ROWS, N), floats(ROWS, N), floats(N), floats(N, N)
CHOSEN = GENERATOR.random(ROWS) < 0.5
F = np.float32


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    z = x - x.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def norm(x: np.ndarray, axis: int) -> np.ndarray:
    z = x - x.mean(axis, keepdims=True)
    return z / np.sqrt((z * z).mean(axis, keepdims=True) + F(1e-5)) * V + V


def rk4(v: np.ndarray, dt: np.ndarray) -> np.ndarray:
    k1 = -v
    k2 = -(v + F(0.5) * dt * k1)
    k3 = -(v + F(0.5) * dt * k2)
    k4 = -(v + dt * k3)
    return v + dt / F(6) * (k1 + F(2) * (k2 + k3) + k4)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exponential": np.exp,
    "gelu": lambda x: x * (1 + erf(x * F(0.70710678))) * F(0.5),
    "gelu_approx": lambda x: x * (1 + np.tanh(F(0.79788456) * (x + F(0.044715) * x * x * x))) * F(0.5),
    "gelu_fast_approx": lambda x: x / (1 + np.exp(F(-1.702) * x)),
    "glu": lambda x: x[:, : N // 2] / (1 + np.exp(-x[:, N // 2 :])),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, F(0)),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / F(6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / F(6),
    "leaky_relu": lambda x: np.maximum(F(0.01) * x, x),
    "lecun_tanh": lambda x: F(1.7159) * np.tanh(F(0.666) * x),
    "log_sigmoid": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    "log_softmax": log_softmax,
    "mish": lambda x: x * np.tanh(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))),
    "relu": lambda x: np.maximum(x, 0),
    "relu2": lambda x: np.square(np.maximum(x, 0)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: F(1.0507) * np.where(x > 0, x, F(1.67326) * np.expm1(np.minimum(x, 0))),
    "sigmoid": expit,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softmax": softmax,
    "softmin": lambda x: softmax(-x),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "softshrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - F(0.5), 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "step": lambda x: (x > 0).astype(F),
    "tanh": np.tanh,
}


def twins() -> list[Twin]:
    """Every operation."""
    compiled = gl.compile_circuit(gl.random(N, inputs=8, sparsity=0.95))
    s = compiled.recurrent.synapses
    weights, per_synapse = floats(len(s)), floats(ROWS, len(s))
    dense = np.zeros((N, N), F)
    dense[s.pre, s.post] = weights
    index = GENERATOR.integers(0, N, SHAPE).astype(np.int32)
    steps = np.full((ROWS, 1), 0.1, F)
    return [
        *(Twin(name, getattr(ops, name), numpy, (X,)) for name, numpy in ACTIVATIONS.items()),
        Twin("activate", lambda x: ops.activate("tanh", x), np.tanh, (X,)),
        Twin("layer_norm", ops.layer_norm, lambda x, v, _: norm(x, -1), (X, V, V)),
        Twin("batch_norm", lambda x, v: ops.batch_norm(x, weight=v, bias=v), lambda x, _: norm(x, 0), (X, V)),
        Twin("dropout", lambda x: ops.dropout(x, 0.5, key=KEY),
             lambda x: x * (GENERATOR.random(SHAPE, F) < F(0.5)) * F(2), (X,), random=True),
        Twin("matmul", ops.matmul, np.matmul, (X, W)),
        Twin("sum", ops.sum, np.sum, (X,)),
        Twin("sum, axis=0", lambda x: ops.sum(x, 0), lambda x: x.sum(0), (X,)),
        Twin("sum, axis=-1", lambda x: ops.sum(x, -1), lambda x: x.sum(-1), (X,)),
        Twin("mean", ops.mean, np.mean, (X,)),
        Twin("mean, axis=0", lambda x: ops.mean(x, 0), lambda x: x.mean(0), (X,)),
        Twin("mean, axis=-1", lambda x: ops.mean(x, -1), lambda x: x.mean(-1), (X,)),
        Twin("add", ops.add, np.add, (X, Y)),
        Twin("multiply", ops.multiply, np.multiply, (X, Y)),
        Twin("affine", ops.affine, lambda x, w, b: x * w + b, (X, V, V)),
        Twin("synaptic_sigmoid", ops.synaptic_sigmoid, lambda v, m, s: expit(s * (v - m)), (X, V, V)),
        Twin("ode_step, explicit", lambda v, dt: ops.ode_step("explicit", lambda u: -u, v, dt),
             lambda v, dt: v - dt * v, (X, steps)),
        Twin("ode_step, rk4", lambda v, dt: ops.ode_step("rk4", lambda u: -u, v, dt), rk4, (X, steps)),
        Twin("random.uniform", lambda: ops.random.uniform(size=SHAPE, key=KEY),
             lambda: GENERATOR.random(SHAPE, F), random=True),
        Twin("random.normal", lambda: ops.random.normal(size=SHAPE, key=KEY),
             lambda: GENERATOR.standard_normal(SHAPE, F), random=True),
        Twin("gl.masked_matmul", lambda x, w: gl.masked_matmul(x, w, compiled.recurrent),
             lambda x, _: x @ dense, (X, weights)),
        Twin("gl.synaptic_sum", lambda a: gl.synaptic_sum(a, compiled.recurrent),
             lambda a: np.add.reduceat(a, s.ptr[:-1], axis=1), (per_synapse,)),
        Twin("take_steps", lambda x: ops.take_steps(x, index),
             lambda x: np.take_along_axis(x, index, 1), (X,)),
        Twin("blend", lambda a, b: ops.blend(CHOSEN, a, b),
             lambda a, b: np.where(CHOSEN[:, None], a, b), (X, Y)),
        Twin("reset", lambda a: ops.reset(a, CHOSEN), lambda a: np.where(CHOSEN[:, None], 0, a), (X,)),
        Twin("concatenate", lambda a, b: ops.concatenate([a, b]),
             lambda a, b: np.concatenate([a, b]), (X, Y)),
        Twin("zeros", lambda: ops.zeros(SHAPE), lambda: np.zeros(SHAPE, F), work=False),
        Twin("ones", lambda: ops.ones(SHAPE), lambda: np.ones(SHAPE, F), work=False),
        Twin("zero_state", lambda: ops.zero_state([(N,)], 32), lambda: np.zeros((32, N), F), work=False),
        Twin("reshape", lambda x: ops.reshape(x, (N, ROWS)), lambda x: x.reshape(N, ROWS), (X,), work=False),
        Twin("transpose", ops.transpose, np.transpose, (X,), work=False),
        Twin("split", lambda x: ops.split(x, 4, 1), lambda x: np.split(x, 4, 1), (X,), work=False),
        Twin("rows", lambda x: ops.rows(x, slice(8)), lambda x: x[:8], (X,), work=False),
        Twin("detach", ops.detach, lambda x: x, (X,), work=False),
        Twin("linear", ops.linear, lambda x: x, (X,), work=False),
        Twin("random.key", lambda: ops.random.key(3), lambda: np.random.SeedSequence(3),
             work=False, random=True),
        Twin("random.split", lambda: ops.random.split(KEY), lambda: np.random.SeedSequence(3).spawn(2),
             work=False, random=True),
    ]  # fmt: skip


def clock(runs: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The least time of each run, in turns."""
    least = dict.fromkeys(runs, float("inf"))
    end = time.perf_counter() + seconds
    turns = 0
    while turns < 5 or time.perf_counter() < end:
        turns += 1
        for name, run in runs.items():
            start = time.perf_counter()
            held = run()
            least[name] = min(least[name], time.perf_counter() - start)
            del held
    return least


def measure(twin: Twin, seconds: float) -> tuple[str, bool]:
    """One line of the table, and whether it is as asked."""
    given = [mx.array(value) for value in twin.arguments]
    mx.eval(given)

    def ours() -> Any:
        found = twin.ours(*given)
        if twin.work:
            mx.eval(found)
        return found

    times = clock({"ours": ours, "numpy": lambda: twin.numpy(*twin.arguments)}, seconds)
    found, expected = ours(), twin.numpy(*twin.arguments)
    pairs = zip(found, expected, strict=True) if isinstance(found, list) else [(found, expected)]
    differ = 0.0 if twin.random else max(float(np.abs(np.array(a) - b).max()) for a, b in pairs)
    ratio = times["ours"] / times["numpy"]
    good = ratio <= 1.0 if twin.work else times["ours"] <= 20e-6
    error = "-" if twin.random else f"{differ:.0e}"
    shown = f"{ratio:.2f}" if twin.work else ""
    return (
        f"| {twin.name} | {1e6 * times['ours']:.0f} | {1e6 * times['numpy']:.0f} | {shown} | {error} |",
        good,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for operations.md")
    parser.add_argument("--only", nargs="+", help="measure these operations only")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each; more on a busy machine")
    chosen = parser.parse_args()
    lines = [
        f"{machine()}; microseconds for {ROWS} rows of {N}, without a ratio: the call alone\n",
        "| operation | ours | NumPy | ratio | differ by |",
        "|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    missed = []
    for twin in twins():
        if chosen.only and twin.name not in chosen.only:
            continue
        line, good = measure(twin, chosen.seconds)
        lines.append(line)
        missed += [] if good else [twin.name]
        print(line, flush=True)
    lines.append(f"\nSlower than NumPy, or a call of more than 20: {', '.join(missed) or 'none'}.")
    print(lines[-1])
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "operations.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
