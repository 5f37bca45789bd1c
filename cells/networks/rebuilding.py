"""A network made again from the arguments of its constructors, over other circuits or with other options."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from ...compile import CompiledCircuit
from ..configured import options_of
from ..layer import NCPLayer
from ..ops import Draws
from .sites import sites_of


def copy_modes(network: nn.Module, twin: nn.Module) -> None:
    """Freeze and set a network made alike as another one is."""
    modes = dict(network.named_modules())
    for path, module in twin.named_modules():
        module._no_grad = copy.copy(modes[path]._no_grad)
        module._training = modes[path].training


def rebuilt(
    value: Any,
    circuits: Mapping[str, CompiledCircuit],
    key: mx.array | None,
    path: str = "",
    width: int = 0,
    instead: Mapping[str, Any] | None = None,
) -> Any:
    """A constructor's argument over other circuits, by the path of each; layers have fresh parameters.

    `width` is how many features a layer reads now, if that is another number than before; `instead` are
    options that every layer that was given them has now.
    """
    if isinstance(value, list | tuple):
        return _rebuilt_row(value, circuits, key, path, instead)
    if path in circuits:
        return circuits[path]
    if isinstance(value, nn.Linear) and width:
        return nn.Linear(width, value.weight.shape[0], "bias" in value)
    if not isinstance(value, NCPLayer):
        return copy.deepcopy(value) if isinstance(value, nn.Module) else value
    arguments = {
        name: rebuilt(part, circuits, key, f"{path}.{name}" if path else name, instead=instead)
        for name, part in value.made_with().items()
    }
    arguments |= {name: option for name, option in (instead or {}).items() if name in arguments}
    if type(value).takes("key") and "key" in options_of(type(value)):  # maybe among the options it passes on
        arguments["key"] = _key_of(value) if key is None else key
    twin = value.remade(arguments)
    if value.built and value.input_size is not None:
        twin.ensure_built((1, 1, width or twin.input_size or value.input_size))
    return twin


def _key_of(layer: Any) -> mx.array | None:
    """The key that a layer was drawn with, so that one made anew has the same values of what is the same."""
    while isinstance(layer.get("cell"), NCPLayer):
        layer = layer.cell  # a memory's key is made of that of the cell inside
    draws: Draws | None = getattr(layer, "_draws", None)
    return None if draws is None else draws.key


def _rebuilt_row(
    row: Sequence[Any],
    circuits: Mapping[str, CompiledCircuit],
    key: mx.array | None,
    path: str,
    instead: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Layers one behind the other, each of which reads what the one before gives now."""
    twins: list[Any] = []
    for k, part in enumerate(row):
        before, now = (_outputs(row[k - 1]), _outputs(twins[-1])) if k else (0, 0)
        twins.append(rebuilt(part, circuits, key, f"{path}.{k}", now if now != before else 0, instead))
    return twins


def _outputs(layer: Any) -> int:
    """How many features a network gives; 0 if that does not depend on a circuit."""
    if isinstance(layer, NCPLayer) and any(True for _ in sites_of(layer)):
        return layer.compute_output_shape((1, 2, layer.input_size or 1))[-1]
    return 0
