"""Right calls of every operation in `ganglion.ops`, by the names of their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion import ops

from .rows import Call, X, plain

STATE = (mx.ones((4, 3)), mx.zeros((4, 2)))
GIVEN: dict[str, Any] = {
    "x": mx.array(X),
    "a": mx.ones((4, 3)),
    "b": mx.ones((3,)),
    "v": mx.ones((4, 3)),
    "arrays": [mx.ones((2, 3)), mx.ones((1, 3))],
    "mask": np.ones((4, 5), bool),
    "lengths": np.array([1, 5, 0, 2]),
    "steps": 5,
    "shape": (3, 20),
    "index": np.array([[0, 1], [1, 0], [0, 0], [1, 1]]),
    "solver": "rk4",
    "rate": lambda v: -v,
    "dt": mx.array(0.1),
    "y": 0.5,
    "mu": 0.1,
    "sigma": 2.0,
    "activation": "tanh",
    "what": "the activation",
    "given": "tanh",
    "w": mx.ones((3, 4)),
    "chosen": np.array([True, False, True, False]),
    "ended": np.array([True, False, True, False]),
    "new": STATE,
    "old": STATE,
    "state": STATE,
    "module": gl.NCPDense(4),
    "values": {},
    "shapes": [(3,), (2,)],
    "batch": 4,
    "key": mx.random.key(1),
}
OWN: dict[str, dict[str, Any]] = {
    "reshape": {"shape": (4, 15)},
    "split": {"x": mx.ones((4, 6)), "sections": 2, "key": mx.random.key(1)},
    "matmul": {"b": mx.ones((3, 2))},
    "affine": {"w": mx.ones((3,))},
    "glu": {"x": mx.ones((4, 6))},
    "rows": {"index": 0},
    "seed": {"number": 3},
    "key": {"number": 3},
    "set_state": {"state": mx.random.key(3)},
}


def row(name: str, part: Any) -> Callable[[], Call]:
    """A call of an operation with what it needs."""
    function = getattr(part, name)
    asked = inspect.signature(function).parameters.values()
    needed = [p.name for p in asked if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return plain(function, **{p: {**GIVEN, **OWN.get(name, {})}[p] for p in needed})


ROWS: dict[str, Callable[[], Call]] = {
    f"{part}.{name}": row(name, getattr(ops, part))
    for part in ("array", "math", "nn", "state")
    for name in getattr(ops, part).__all__
    if callable(getattr(getattr(ops, part), name)) and name != "activation_of"  # of layers, which name it
} | {
    f"random.{name}": row(name, ops.random)
    for name in ("seed", "key", "split", "get_state", "set_state", "uniform", "normal")
}
