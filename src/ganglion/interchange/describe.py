"""What a model is, in JSON, and the model again from that: the configs of the layers, read with suspicion.

A config names its layers, and only the classes of layers that are already imported can be chosen: no module
is imported and no code is run because a file says so. What constructors take on trust, the index arrays of a
circuit and the sizes of things, is checked before they see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, short
from ..cells import RNN, NCPLayer, NCPRNNCell
from ..cells.config import CONFIG_CLASS, KIND, from_plain, to_plain
from ..compile import STATE_ROLES
from ..errors import FileError
from ..wiring import Circuit, CircuitArrays
from .circuits import circuit_of

Config = dict[str, Any]


def describe(model: nn.Module) -> Config:
    """What a model is, without its weights.

    Raises:
        TypeError: a module of your own, or an argument that cannot be written down.
        ValueError: a network that is not built, or not all of it.
    """
    if not isinstance(model, NCPLayer):
        raise TypeError(
            f"a file can hold the layers of this package, not {type(model).__name__}: keep the weights of "
            "your own module by save_weights(path) and build it again in code, or derive it from NCPLayer"
        )
    model.require_built("has no weights to save")
    _refuse_tied(model)
    return {**model.get_config(), "input_size": model.input_size}


def _refuse_tied(model: nn.Module) -> None:
    """Raise TypeError if a layer is in two places: a file would hold it twice, and training part them."""
    places: dict[int, str] = {}
    for path, module in sorted(model.named_modules()):
        if (before := places.setdefault(id(module), path)) != path:
            raise TypeError(
                f"{before} and {path} are one layer, which a file would hold as two: keep its weights by "
                "save_weights(path), and tie the layers again in code"
            )


def build(config: Any, largest: int, *, engine: str | None = None, layout: str | None = None) -> Any:
    """A model from its description, with weights still to come.

    Args:
        config: what `describe` wrote.
        largest: the largest whole number that a sound description may have: no part of a network can be
            larger than the number of its weights.
        engine: instead of the engine that was in use.
        layout: instead of the layout that was in use.

    Raises:
        FileError: the description is of no model that this release knows; the message says what is wrong.
    """
    name = config.get(CONFIG_CLASS) if isinstance(config, dict) else config
    if not isinstance(config, dict) or not isinstance(name, str) or name not in NCPLayer._classes:
        known = ", ".join(sorted(NCPLayer._classes))
        raise FileError(f"the model is a {short(name)}: this program knows {known}")
    for part in _objects(config):
        _check_sizes(part, largest)
        if part.get(KIND) == "plan":
            _check_plan(part)
        runner = NCPLayer._classes.get(str(part.get(CONFIG_CLASS)), NCPLayer)
        if engine is not None and issubclass(runner, RNN):
            part["engine"] = engine
        if layout is not None and part.get(KIND) == "compiled":
            part["layout"] = layout
    given = {name: value for name, value in config.items() if name != "input_size"}
    try:
        model = from_plain(given, NCPLayer._classes)
        if not model.built:
            model.build((1, 1, config["input_size"]))
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as error:  # a constructor refuses its arguments
        raise FileError(f"the description of the model is not sound: {short(str(error))}") from None
    return model


def circuits_of(model: nn.Module) -> dict[str, Circuit]:
    """The circuits of all cells in a model, by the path of the network or cell they are in."""
    found = {}
    for path, module in model.named_modules():
        if isinstance(module, NCPRNNCell) and hasattr(module, "compiled"):
            config = to_plain(module, path)
            plans = [from_plain(part, {}) for part in _objects(config) if part.get(KIND) == "compiled"]
            place = re.sub(r"(^|\.)cell(\.cell)*$", "", path)  # a cell may be inside another one
            found[place] = circuit_of(plans[0].plan if plans else module.compiled.plan)
    return found


def _objects(value: Any) -> Iterator[Config]:
    """All objects inside a JSON value, the outer ones first."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _check_sizes(part: Config, largest: int) -> None:
    for name, value in part.items():
        if isinstance(value, int) and abs(value) > largest and name != "seed":  # which makes nothing large
            raise FileError(f"{short(name)} is {value}, in a file of {counted(largest, 'number')}")


def _check_plan(plan: Config) -> None:
    """Refuse names and index arrays that are no circuit, which `CircuitArrays` does for people's own."""
    try:
        sensors, neurons = tuple(plan["sensors"]), tuple(plan["neurons"])
        counts = plan["counts"]
        if sum(counts) != len(neurons) or min(counts) < 0:  # before a list gets as long as a count says
            raise ValueError(f"the counts {counts} were given for {counted(len(neurons), 'name')}")
        roles = [role for role, n in zip(STATE_ROLES, counts, strict=True) for _ in range(n)]
        pre, post, polarity = _columns(plan["recurrent"])
        CircuitArrays(pre, post, polarity, tuple(roles), neurons)
        pre, post, polarity = _columns(plan["sensory"])
        if (pre >= len(sensors)).any():
            raise ValueError(
                f"a sensory synapse starts at {pre.max()} of {counted(len(sensors), 'sensory neuron')}"
            )
        all_roles = ("sensory",) * len(sensors) + tuple(roles)
        CircuitArrays(pre, post + len(sensors), polarity, all_roles, sensors + neurons)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileError(f"the model's circuit is not sound: {short(str(error))}") from None


def _columns(synapses: Any) -> NDArray[np.int64]:
    return np.asarray(synapses, np.int64).reshape(3, -1)
