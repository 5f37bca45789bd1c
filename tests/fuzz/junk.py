"""Values that are mostly wrong wherever they are given."""

from __future__ import annotations

import datetime
import math
import os
import socket
from collections import UserDict
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np

import ganglion as gl

from . import rows


class Mute:
    """A value that cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


class Shaped:
    """A value that claims to be an array."""

    shape = (4, 5, 3)
    dtype = "float32"
    ndim = 3

    def __len__(self) -> int:
        return 4


def fifo() -> str:
    """A pipe to which nobody writes."""
    if not os.path.exists("pipe.json"):
        os.mkfifo("pipe.json")
    return "pipe.json"


def unix_socket() -> Path:
    """A socket in the place of a file."""
    if not os.path.exists("socket.csv"):
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.csv")
    return Path("socket.csv")


def recursive() -> list[Any]:
    """A list that holds itself."""
    held: list[Any] = [1]
    held.append(held)
    return held


def deep() -> list[Any]:
    """Lists inside each other, deeper than Python recurses."""
    held: list[Any] = []
    for _ in range(5000):
        held = [held]
    return held


PLAIN: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    7,
    -1,
    -7,
    2**31,
    2**63,
    10**30,
    10**5000,
    0.5,
    -0.5,
    1.0,
    2.5,
    1e300,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    1j,
    complex(math.nan, 1),
    "",
    "x",
    "no",
    "True",
    "3",
    "motor",
    "inter",
    "inter_0",
    "nobody",
    "\ud800",
    "a\0b",
    "n" * 100_000,
    "\x1b[31m",
    "line\nline",
    "auto",
    "dense",
    b"",
    b"x",
    bytearray(b"3"),
    [],
    [1],
    [0, 1, 2],
    [1.5, math.nan],
    ["x"],
    ["x", "x"],
    ["inter_0", "inter_0"],
    [[1, 2], [3]],
    [None],
    [[]],
    [{}],
    (),
    (1,),
    (1, 2),
    (-1, 3),
    ("inter_0", "motor_0"),
    [("a", "b")],
    [("inter_0",)],
    [("inter_0", "motor_0", 5)],
    [("inter_0", {"role": "king"})],
    {},
    {"x": 1},
    {1: 2},
    {"inter_0": None},
    {"inter_0": "inter_1"},
    {None: None},
    {"role": 5},
    set(),
    {1, "x"},
    frozenset({"inter_0"}),
    range(3),
    slice(1),
    ...,
    NotImplemented,
    int,
    object,
    print,
    len,
    lambda: None,
    lambda *_, **__: None,
    object(),
    Mute(),
    Shaped(),
    Mute,
    Decimal("0.5"),
    Decimal("nan"),
    Fraction(1, 3),
    datetime.date(2026, 1, 1),
    ValueError("x"),
    UserDict(x=1),
    Path("x"),
    Path("."),
    Path("/nonexistent/x.json"),
    "c.json",
    "x.txt",
    "x.svg",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/",
    "~nobody/x.json",
    "x" * 300 + ".json",
    3.0,
    np.float32(0.5),
    np.float64("nan"),
    np.int64(3),
    np.int8(-1),
    np.uint64(2**63),
    np.bool_(True),
    np.str_("x"),
    np.bytes_(b"x"),
    np.datetime64("2026-01-01"),
    np.array(3),
    np.array(0.5),
    np.zeros(3),
    np.zeros(0),
    np.zeros((2, 3, 4)),
    np.zeros((4, 5, 7)),
    np.zeros((4, 0, 3)),
    np.zeros((0, 5, 3)),
    np.full((4, 5, 3), np.nan, np.float32),
    np.full((4, 5, 3), 1e300),
    np.ones((4, 5)),
    np.ones((4, 5), bool),
    -np.ones((4, 5)),
    np.array(["a", "b"]),
    np.array([1 + 1j]),
    np.array([object(), None], object),
    np.zeros((4, 5, 3), np.int64),
    np.zeros((4, 5, 3), np.float16),
    np.ones((1,) * 30),
    np.array([[1, 2], [3, 4]]),
    np.zeros(3, [("a", int)]),
    np.arange(8),
    np.ones(8, bool),
    np.ma.masked_array([1, 2], [True, False]),
    mx.array(3),
    mx.array(0.5),
    mx.array(True),
    mx.zeros((3,)),
    mx.zeros((0,)),
    mx.zeros((2, 3)),
    mx.zeros((4, 5, 7)),
    mx.zeros((4, 5, 3), mx.int32),
    mx.zeros((4, 5, 3), mx.bfloat16),
    mx.zeros((4, 5), mx.bool_),
    mx.array([math.nan] * 8),
    mx.array([1 + 1j]),
    mx.zeros((1, 1, 1, 1, 1)),
    mx.float32,
    mx.cpu,
    mx.random.key(1),
    nx.Graph(),
    nx.DiGraph(),
    nx.MultiDiGraph([(1, 2), (1, 2)]),
    nx.path_graph(3, nx.DiGraph),
]

MADE: list[Callable[[], Any]] = [
    fifo,
    unix_socket,
    recursive,
    deep,
    lambda: iter([]),
    lambda: iter(["inter_0"]),
    lambda: (k for k in [1, 2]),
    lambda: open(os.devnull, "rb"),  # noqa: SIM115
    rows.circuit,
    lambda: gl.Circuit(),
    lambda: rows.OTHER,
    lambda: rows.COMPILED,
    lambda: rows.PLAN,
    lambda: rows.PLAN.recurrent,
    lambda: rows.COMPILED.recurrent,
    lambda: gl.dense(3, 4),
    rows.ltc,
    rows.cfc,
    lambda: rows.ltc().cell,
    lambda: rows.ltc().parameters(),
    lambda: rows.ltc().get_config(),
    lambda: gl.CfC(gl.dense(3, 4)),
    lambda: gl.NCPDense(4),
    lambda: gl.Stack([gl.CfC(rows.CIRCUIT)]),
    lambda: rows.ltc().stream(),
    rows.recording,
    lambda: rows.recording().sequence(0),
    rows.session,
    lambda: gl.viz.plot_masks(rows.CIRCUIT),
    lambda: nn.Linear(3, 2),
    lambda: nn.Sequential(nn.Linear(3, 2)),
    lambda: gl.LTC,
]
COUNT = len(PLAIN) + len(MADE)


def value(number: int) -> Any:
    """The junk of a number below `COUNT`."""
    return PLAIN[number] if number < len(PLAIN) else MADE[number - len(PLAIN)]()
