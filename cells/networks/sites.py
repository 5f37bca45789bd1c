"""Where in a network there are circuits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx

from ...compile import CompiledCircuit, Plan, compile_circuit
from ..layer import NCPLayer
from ..wrappers import InputWrapper
from .bidirectional import Bidirectional


@dataclass(frozen=True)
class Site:
    """A place in a network that is over a circuit.

    Attributes:
        path: the constructor's arguments that lead there.
        group: the path of what is edited together.
        compiled: the circuit.
        wrappers: what stands around the cell and reads other sensors than it has.
    """

    path: str
    group: str
    compiled: CompiledCircuit
    wrappers: tuple[InputWrapper, ...] = ()

    @property
    def names(self) -> set[str]:
        """The neurons that can be named from outside."""
        sensors = self.wrappers[0].sensors if self.wrappers else self.compiled.plan.sensors
        return {*self.compiled.plan.neurons, *sensors}

    def inner(self, names: list[str]) -> list[str]:
        """The circuit's neurons that names from outside stand for."""
        for wrapper in self.wrappers:
            names = [inner for name in names for inner in wrapper.inner_names(name)]
        return names


def sites_of(
    layer: NCPLayer, path: str = "", group: str | None = None, wrappers: tuple[InputWrapper, ...] = ()
) -> Iterator[Site]:
    """Where a layer and the layers inside it are over circuits."""
    if isinstance(layer, InputWrapper):
        wrappers = (*wrappers, layer)
    if isinstance(layer, Bidirectional) and group is None:
        sites = [*sites_of(layer.forward, f"{path}.rnn"), *sites_of(layer.backward, f"{path}.backward")]
        if len({site.compiled.plan.digest for site in sites}) <= 1:  # one circuit, read both ways
            group = path
    for name, value in layer.made_with().items():
        for place, part in _parts(f"{path}.{name}" if path else name, value):
            if isinstance(part, NCPLayer):
                yield from sites_of(part, place, group, wrappers)
            elif isinstance(part, CompiledCircuit | Plan | nx.DiGraph):
                compiled = part if isinstance(part, CompiledCircuit) else compile_circuit(part)
                yield Site(place, place if group is None else group, compiled, wrappers)


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A constructor's argument, or the parts of a list of them."""
    if isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from _parts(f"{path}.{k}", part)
    else:
        yield path, value
