"""Constructor arguments as plain data and back: what a layer's config is made of.

Numbers, texts and None stand for themselves; a list for a list or a tuple, or for a mapping from anything but
texts; an object with a "class" is a
layer, one with a "kind" is a circuit in one of the forms that layers take, or a prior.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from ..arguments import label
from ..compile import CompiledCircuit, Plan, Synapses, compile_circuit, make_plan
from ..compile.attributes import Attributes
from ..errors import CircuitError
from ..wiring import Dense
from .ops.nn_ops import activation_of
from .priors import Prior, prior_from

CONFIG_CLASS = "class"
KIND = "kind"
ATTRIBUTES = "attributes"
COMPILE_OPTIONS = ("layout", "block_size", "order")


def to_plain(value: Any, where: str) -> Any:
    """`value` as data that JSON can hold.

    Raises:
        TypeError: it cannot be written down; the message says `where` it stands.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [to_plain(item, f"{where}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, Prior):
        return {KIND: "prior", **value.to_plain()}
    if isinstance(value, Dense):
        return {KIND: "dense", "inputs": value.inputs, "units": value.units}
    if isinstance(value, nx.DiGraph):
        return _plan_to_plain(make_plan(value))
    if isinstance(value, Plan):
        return _plan_to_plain(value)
    if isinstance(value, CompiledCircuit):
        options = {name: getattr(value, name) for name in COMPILE_OPTIONS}
        return {KIND: "compiled", "plan": _plan_to_plain(value.plan), **options}
    if hasattr(value, "get_config"):
        return value.get_config()
    if type(value) is dict:  # an nn.Module is a dict as well
        if any(type(key) is not str or key in (CONFIG_CLASS, KIND) for key in value):
            return [to_plain(pair, f"{where}[{pair[0]!r}]") for pair in value.items()]
        return {key: to_plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if callable(value) and isinstance(known := activation_of(where, value), str):
        return known
    raise TypeError(
        f"{where} is a {type(value).__name__}, which a config cannot hold: "
        "expected numbers, texts, circuits and layers of this package"
    )


def from_plain(value: Any, classes: Mapping[str, type[Any]]) -> Any:
    """What `to_plain` wrote; `classes` are the layers by name.

    Raises:
        ValueError: a class or a kind that is not known.
    """
    if isinstance(value, list):
        return [from_plain(item, classes) for item in value]
    if not isinstance(value, dict):
        return value
    if KIND in value:
        try:
            if value[KIND] == "prior":
                return prior_from({key: item for key, item in value.items() if key != KIND})
            return _circuit_from_plain(value)
        except CircuitError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            what = f"there is no {error}" if isinstance(error, KeyError) else str(error)[:200]
            part = "prior" if value[KIND] == "prior" else "circuit"
            raise ValueError(f"the {part} in a config is not sound: {what}") from None
    inner = {key: from_plain(item, classes) for key, item in value.items()}
    if CONFIG_CLASS not in value:
        return inner
    name = inner.pop(CONFIG_CLASS)
    if not isinstance(name, str) or name not in classes:
        raise ValueError(
            f"the config is of an unknown layer {label(name)}: import the module that defines it first"
        )
    try:
        inspect.signature(classes[name].__init__).bind(None, **inner)
    except TypeError as error:  # Python's own words; they do not say whose arguments they are about
        raise TypeError(f"the config of a {name}: {error}") from None
    return classes[name](**inner)


def _circuit_from_plain(value: dict[str, Any]) -> Any:
    kind = value[KIND]
    if kind == "dense":
        return Dense(value["inputs"], value["units"])
    if kind == "plan":
        return _plan_from_plain(value)
    if kind == "compiled":
        return compile_circuit(
            _plan_from_plain(value["plan"]), **{name: value[name] for name in COMPILE_OPTIONS}
        )
    raise ValueError(f"unknown kind of circuit {label(kind)} in a config: expected dense, plan or compiled")


def _plan_to_plain(plan: Plan) -> dict[str, Any]:
    """Names, counts, index arrays and attributes: all that a plan is."""
    return {
        KIND: "plan",
        "neurons": list(plan.neurons),
        "sensors": list(plan.sensors),
        "counts": list(plan.counts),
        "recurrent": _synapses_to_plain(plan.recurrent),
        "sensory": _synapses_to_plain(plan.sensory),
        **({"electrical": _synapses_to_plain(plan.electrical)} if len(plan.electrical) else {}),
        **({ATTRIBUTES: plan.attributes.to_plain()} if plan.attributes else {}),
    }


def _plan_from_plain(value: dict[str, Any]) -> Plan:
    neurons, sensors = tuple(value["neurons"]), tuple(value["sensors"])
    motor, command, inter = value["counts"]
    n = len(neurons)
    recurrent = _synapses_from_plain(value["recurrent"], n, n)
    sensory = _synapses_from_plain(value["sensory"], len(sensors), n)
    electrical = _synapses_from_plain(value.get("electrical", [[], [], []]), n, n)
    parts = {"recurrent": recurrent, "sensory": sensory, "electrical": electrical}
    lengths = {name: len(part) for name, part in parts.items()} | {"neurons": n, "sensors": len(sensors)}
    return Plan(
        neurons=neurons,
        sensors=sensors,
        counts=(motor, command, inter),
        recurrent=recurrent,
        sensory=sensory,
        electrical=electrical,
        attributes=Attributes.of(value.get(ATTRIBUTES, {}), lengths),
    )


def _synapses_to_plain(synapses: Synapses) -> list[list[int]]:
    return [array.tolist() for array in (synapses.pre, synapses.post, synapses.polarity)]


def _synapses_from_plain(value: list[list[int]], n_pre: int, n_post: int) -> Synapses:
    pre, post, polarity = value
    return Synapses.sorted(pre, post, polarity, n_pre, n_post)
