"""What a run is: model, optimizer, loss and data, as plain data that a resumed run must agree with.

Settings are written down by name, so that a difference can be named; arrays as digests. How the network is
executed (engine, layout) is no part of it, nor how long the run is to be.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import networkx as nx
import numpy as np

from ..arguments import short
from ..cells import RNN, NCPLayer
from ..cells.config import to_plain
from ..cells.priors import Prior
from ..compile import CompiledCircuit, Plan, make_plan
from ..interchange.origins import TRAINING
from ..wiring import Dense
from .data import Arrays, Batches

EXECUTION = ("engine", "checkpoint_every", "layout", "block_size")
"""Options of networks that change nothing of what they compute."""
UNSAID = ("_training", "_no_grad", "_given", "_kept", "built", TRAINING)
"""What modules hold beside their options."""
PROBES = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000)
"""Steps at which two schedules are compared."""
CHUNK = 1 << 22
DIGESTS = {"circuit:": "another circuit", "arrays:": "other data", "code:": "another loss"}
"""What an error says instead of two digests."""
WARNED: set[str] = set()


def recipe_of(
    model: nn.Module,
    optimizer: optim.Optimizer,
    loss: Callable[..., Any],
    batches: Batches,
    validation: Any,
    clip_norm: float | None,
) -> dict[str, Any]:
    """The recipe of a run, as JSON."""
    judged = validation if validation is None or callable(validation) else validation.data
    return {
        "items": len(batches.data),
        "batch_size": batches.size,
        "seed": batches.seed,
        "clip_norm": clip_norm,
        "loss": _function(loss),
        "optimizer": _optimizer(optimizer),
        "model": _module(model),
        "data": _data(batches.data),
        "validation": judged and (_function(judged) if callable(judged) else _data(judged)),
    }


def difference(theirs: Any, ours: Any, name: str = "") -> str | None:
    """The first difference between two recipes, in words; None if there is none."""
    if isinstance(theirs, dict) and isinstance(ours, Mapping):
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            where = f"{name}.{key}" if name else str(key)
            if (found := difference(theirs.get(key), ours.get(key), where)) is not None:
                return found
        return None
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = zip(theirs, ours, strict=True)
        each = (difference(a, b, f"{name}.{k}") for k, (a, b) in enumerate(pairs))
        return next((words for words in each if words is not None), None)
    if theirs == ours:
        return None
    for text, words in DIGESTS.items():
        if any(isinstance(value, str) and value.startswith(text) for value in (theirs, ours)):
            return words if theirs and ours else f"{name} {short(theirs)}, not {short(ours)}"
    return f"{name} {short(theirs)}, not {short(ours)}"


def warn_of_bias(optimizer: optim.Optimizer) -> None:
    """Say once that MLX's Adam leaves out the bias correction that published rates count on."""
    for one in [optimizer, *getattr(optimizer, "optimizers", [])]:
        kind = type(one).__name__
        if type(one) in (optim.Adam, optim.AdamW) and not one.bias_correction and not WARNED:
            WARNED.add(kind)
            warnings.warn(
                f"this {kind} takes its first steps 3.16 times as large as in its paper, PyTorch and Keras, "
                f"so that their learning rates do not fit: optim.{kind}(..., bias_correction=True) does as "
                "they do",
                stacklevel=3,
            )


def _optimizer(optimizer: optim.Optimizer) -> dict[str, Any]:
    """The kind of an optimizer and its settings; of a schedule, the values at some steps."""
    found: dict[str, Any] = {"kind": type(optimizer).__name__}
    for name, value in vars(optimizer).items():
        if name == "optimizers":
            found[name] = [_optimizer(one) for one in value]
        elif name == "filters":
            found[name] = [_function(one) for one in value]
        elif not name.startswith("_"):
            found[name] = _plain(value)
    schedules = getattr(optimizer, "_schedulers", {})
    for name, schedule in schedules.items():
        found[name] = [float(np.array(schedule(mx.array(step)))) for step in PROBES]
    for name, value in optimizer.state.items():  # settings that are arrays, such as the learning rate
        if name not in schedules and name != "step" and isinstance(value, mx.array) and value.ndim == 0:
            found[name] = float(np.array(value))
    return found


def _module(module: nn.Module) -> dict[str, Any]:
    """A module by its options: the arguments of one of ours, and the numbers and texts of any other."""
    values: dict[str, Any]
    if isinstance(module, RNN):  # whose arguments leave out those of its cell that are at their defaults
        arguments = module.made_with()
        options = {name: getattr(module, name, value) for name, value in arguments.items()}
        known = {*module.cell._arguments(), "circuit", "cell"}
        values = {name: value for name, value in options.items() if name not in known} | _own(module)
    elif isinstance(module, NCPLayer):
        values = module.made_with()
    else:
        values = _own(module)
    parts = {name: _part(value) for name, value in sorted(values.items()) if name not in EXECUTION}
    if parts.get("time_scale") in (None, 1.0):  # which is as if nobody had said anything
        parts.pop("time_scale", None)
    return {"class": type(module).__name__, **parts}


def _own(module: nn.Module) -> dict[str, Any]:
    """What a module holds: its parts, numbers and texts."""
    found = {**vars(module), **module}
    return {name: value for name, value in found.items() if name not in UNSAID and _part(value) is not None}


def _part(value: Any) -> Any:
    if isinstance(value, nn.Module):
        return _module(value)
    if isinstance(value, nx.DiGraph | Plan | CompiledCircuit):
        return f"circuit: {_digest(json.dumps(to_plain(make_plan(value), 'the circuit')).encode())}"
    if isinstance(value, Dense | Prior):
        return str(value)
    if isinstance(value, list | tuple):
        return [_part(item) for item in value]
    if type(value) is dict:
        return {str(key): _part(item) for key, item in value.items()}
    if isinstance(value, mx.array):
        return f"{value.dtype} {list(value.shape)}"
    return value if isinstance(value, bool | int | float | str) else None


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else type(value).__name__


def _function(function: Any) -> str:
    """A function by its name and a digest of its code."""
    if isinstance(function, partial):
        named = (f"{name}={_argument(value)}" for name, value in function.keywords.items())
        return f"{_function(function.func)}({', '.join([*map(_argument, function.args), *named])})"
    name = getattr(function, "__qualname__", type(function).__qualname__)
    code = getattr(function, "__code__", None)
    if code is None:
        return str(name)
    constants = [constant for constant in code.co_consts if isinstance(constant, bool | int | float | str)]
    text = repr((code.co_code, code.co_names, constants))
    return f"code: {name} {_digest(text.encode())}"


def _argument(value: Any) -> str:
    """What a loss was given beforehand, without the address that Python calls an object by."""
    if isinstance(value, mx.array | np.ndarray):
        return f"{value.dtype} {tuple(value.shape)} {_digest(_bytes(value))}"
    if isinstance(value, bool | int | float | str) or value is None:
        return repr(value)
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_argument, value))}]"
    if is_dataclass(value):
        named = (f"{each.name}={_argument(getattr(value, each.name))}" for each in fields(value))
        return f"{type(value).__name__}({', '.join(named)})"
    return _function(value)


def _data(data: Any) -> Any:
    """A digest of arrays; an object with items may say its own as `digest`, or is known by its length."""
    if not isinstance(data, Arrays):
        said = getattr(data, "digest", None)
        return {"items": len(data), "digest": str(said() if callable(said) else said)}
    digest = hashlib.blake2b(digest_size=16)
    for array in data.arrays:
        digest.update(f"{array.dtype} {tuple(array.shape)}".encode())
        items = max(1, CHUNK * len(array) // max(1, array.size))
        for first in range(0, len(array), items):
            part = array[first : first + items]
            digest.update(_bytes(part))
    return f"arrays: {digest.hexdigest()}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _bytes(part: Any) -> bytes:
    array = np.array(part.view(mx.uint16) if _is_bfloat(part) else part)
    return np.ascontiguousarray(array).tobytes()


def _is_bfloat(part: Any) -> bool:
    return isinstance(part, mx.array) and part.dtype == mx.bfloat16
