"""What rows of `calls` are made of: small circuits and networks, files, and ways to write a row."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.optimizers as optim
import networkx as nx
import numpy as np

import ganglion as gl
from ganglion.cells.networks.options import CfCOptions, LTCOptions
from ganglion.wiring import edits

CIRCUIT = gl.auto_ncp(8, 2, inputs=3, seed=1)
OTHER = gl.auto_ncp(9, 2, inputs=3, seed=2)
PRE, POST, _ = CIRCUIT.synapses()[0]
COMPILED = gl.compile_circuit(CIRCUIT)
PLAN = COMPILED.plan
WEIGHTS = mx.ones((len(COMPILED.recurrent.synapses),))
X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
Y = np.zeros((4, 5, 2), np.float32)
HELD: dict[str, Any] = {"role": "inter"}
OPTIONS = {"LTC": LTCOptions, "CfC": CfCOptions}
"""The options that a constructor takes as ``**options``."""


@dataclass
class Call:
    """A call that works.

    Attributes:
        function: what is called.
        arguments: by name; those behind ``*`` as ``*name``.
        watched: what must be as before if the call is refused.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    watched: Any = None


@cache
def ltc() -> gl.LTC:
    return gl.LTC(CIRCUIT)


@cache
def cfc() -> gl.CfC:
    return gl.CfC(CIRCUIT)


@cache
def spiking() -> gl.RNN:
    return gl.RNN(gl.LIF(CIRCUIT))


@cache
def recording() -> gl.Recording:
    return gl.record(ltc(), X)


@cache
def effects() -> gl.studies.Study:
    return gl.study(ltc(), gl.each("command"), x=X, resamples=10, progress=False)


def circuit() -> gl.Circuit:
    return copy.deepcopy(CIRCUIT)


def session() -> gl.EditSession:
    held = gl.EditSession(circuit())
    held.apply(edits.Remove(neurons=["inter_0"]))
    return held


def undone() -> gl.EditSession:
    held = session()
    held.undo()
    return held


def method(make: Callable[[], Any], what: str, /, **arguments: Any) -> Callable[[], Call]:
    def row() -> Call:
        held = make()
        watched = held if isinstance(held, nx.DiGraph) else getattr(held, "circuit", None)
        return Call(getattr(held, what), arguments, watched)

    return row


def plain(function: Any, /, **arguments: Any) -> Callable[[], Call]:
    return lambda: Call(function, arguments)


def on_circuit(function: Any, /, **arguments: Any) -> Callable[[], Call]:
    def row() -> Call:
        held = circuit()
        return Call(function, {"circuit": held, **arguments}, held)

    return row


def fit_row() -> Call:
    model = gl.CfC(CIRCUIT)
    given = {
        "model": model,
        "data": (X, Y),
        "loss": gl.training.mse,
        "optimizer": optim.Adam(0.01, bias_correction=True),
        "epochs": 1,
        "progress": False,
    }
    return Call(gl.fit, given)


def loaded_row(**_: Any) -> Call:
    gl.save(cfc(), "model.safetensors")
    return Call(gl.load, {"path": "model.safetensors"})


def read_row() -> Call:
    gl.write(CIRCUIT, "c.json")
    return Call(gl.read, {"path": "c.json"})


def series(function: Any, /, **arguments: Any) -> Callable[[], Call]:
    def row() -> Call:
        gl.write(CIRCUIT, "c.json")
        names = [*(f"sensory_{k}" for k in range(3)), "motor_0", "motor_1"]
        rows = np.sin(np.arange(40)[:, None] * np.arange(1, 6) / 5)
        lines = [",".join(f"{v:.4f}" for v in values) for values in rows]
        Path("c.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
        return Call(function, arguments)

    return row


COLUMNS = gl.training.series.Columns(("sensory_0", "sensory_1", "sensory_2"), ("motor_0", "motor_1"))


def parameters(call: Call) -> Iterator[inspect.Parameter]:
    """What can be changed: all parameters with a name, options included."""
    for parameter in inspect.signature(call.function).parameters.values():
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            yield parameter
    name = getattr(call.function, "__name__", "")
    for option, kind in getattr(OPTIONS.get(name), "__annotations__", {}).items():
        text = getattr(kind, "__forward_arg__", str(kind))
        yield inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, annotation=text)


def flat(model: Any) -> Any:
    from mlx.utils import tree_flatten

    return tree_flatten(model.parameters())


def tidy() -> None:
    """Forget the figures that calls have drawn."""
    plt.close("all")
