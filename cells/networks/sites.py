"""Where in a network there are circuits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import networkx as nx

from ...arguments import label
from ...compile import CompiledCircuit, Plan, compile_circuit
from ...errors import CircuitError
from ...wiring.columns import plain_values
from ...wiring.groups import group_of
from ...wiring.roles import is_role
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from .bidirectional import Bidirectional
from .rnn import RNN
from .stack import Stack


@runtime_checkable
class Front(Protocol):
    """What stands in front of a circuit and has names of its own for what it reads."""

    @property
    def sensors(self) -> tuple[str, ...]: ...

    def inner_names(self, name: str) -> tuple[str, ...]:
        """What is inside by the name from outside; the name itself where it is none of these."""
        ...


@dataclass(frozen=True)
class Site:
    """A place in a network that is over a circuit.

    Attributes:
        path: the constructor's arguments that lead there.
        group: the path of what is edited together.
        compiled: the circuit.
        owner: what runs the circuit: a network, or a cell by itself.
        wrappers: what stands around the cell and reads other sensors than it has, from outside inwards.
    """

    path: str
    group: str
    compiled: CompiledCircuit
    owner: NCPLayer
    wrappers: tuple[Front, ...] = ()

    @property
    def names(self) -> set[str]:
        """The neurons that can be named from outside."""
        return set(self.neurons)

    @cached_property
    def neurons(self) -> nx.DiGraph[str]:
        """The neurons by the names from outside, with their roles and attributes, and without synapses."""
        plan = self.compiled.plan
        said = plan.attributes
        found: nx.DiGraph[str] = nx.DiGraph()
        inside = {name: {"role": "sensory"} | _at(said.sensors, k) for k, name in enumerate(plan.sensors)}
        for sensor in self.sensors:
            inner = self.inner([sensor])[0]
            found.add_node(sensor, **inside.get(inner, {"role": "sensory"}))
        for k, (name, role) in enumerate(zip(plan.neurons, plan.roles, strict=True)):
            found.add_node(name, **_at(said.neurons, k) | {"role": role})
        return found

    @cached_property
    def numbers(self) -> tuple[dict[str, int], dict[str, int]]:
        """The number of each neuron with state, and of each sensor by its name from outside."""
        neurons, sensors = (
            {name: k for k, name in enumerate(names)} for names in (self.compiled.plan.neurons, self.sensors)
        )
        return neurons, sensors

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features, from outside."""
        named = [wrapper.sensors for wrapper in self.wrappers if wrapper.sensors]
        return named[0] if named else self.compiled.plan.sensors

    def select(self, group: Any) -> list[str]:
        """The neurons of a group by their names from outside; of a sensor also by that of the circuit.

        Raises:
            CircuitError: words of which there is no neuron.
        """
        if isinstance(group, str) and not is_role(group):
            group = self._outside(group)
        elif isinstance(group, list | tuple):
            group = [self._outside(name) for name in group]
        return [str(name) for name in group_of(self.neurons, group)]

    def _outside(self, name: Any) -> Any:
        """The name from outside of a sensor that is named as in the circuit."""
        if name in self.neurons:
            return name
        return next((known for known in self.sensors if self.inner([known]) == [name]), name)

    def inner(self, names: list[str]) -> list[str]:
        """The circuit's neurons that names from outside stand for."""
        for wrapper in self.wrappers:
            names = [inner for name in names for inner in wrapper.inner_names(name)]
        return names


def sites_of(
    layer: NCPLayer,
    path: str = "",
    group: str | None = None,
    wrappers: tuple[Front, ...] = (),
    owner: NCPLayer | None = None,
) -> Iterator[Site]:
    """Where a layer and the layers inside it are over circuits."""
    if owner is None and isinstance(layer, RNN | NCPRNNCell):
        owner = layer
    if isinstance(layer, Front):
        wrappers = (*wrappers, layer)
    if isinstance(layer, Bidirectional) and group is None:
        sites = [*sites_of(layer.forward, f"{path}.rnn"), *sites_of(layer.backward, f"{path}.backward")]
        if len({site.compiled.plan.digest for site in sites}) <= 1:  # one circuit, read both ways
            group = path
    for name, value in layer.made_with().items():
        for place, part in _parts(f"{path}.{name}" if path else name, value):
            if isinstance(part, NCPLayer):
                behind = isinstance(layer, Stack) and part is not layer.layers[0]
                yield from sites_of(part, place, group, () if behind else wrappers, owner)
            elif isinstance(part, CompiledCircuit | Plan | nx.DiGraph):
                compiled = part if isinstance(part, CompiledCircuit) else compile_circuit(part)
                yield Site(place, place if group is None else group, compiled, owner or layer, wrappers)


def chosen(sites: list[Site], group: Any) -> tuple[Site, list[str]]:
    """The one circuit that has the neurons of a group, and their names from outside.

    Raises:
        CircuitError: no circuit has them, or several have.
    """
    owners: dict[str, tuple[Site, list[str]]] = {}
    reason: CircuitError | None = None
    for site in sites:
        try:
            owners.setdefault(site.group, (site, site.select(group)))
        except CircuitError as error:
            reason = reason or error
    if len(owners) > 1:
        listed = ", ".join(owners)
        names = {name for _, found in owners.values() for name in found}
        if len(names) == 1:
            raise CircuitError(
                f"neuron {label(names.pop())} is in {listed}: take one of these layers by itself"
            )
        what = f"of the role {group!r}" if is_role(group) else f"of {label(group, 60)}"
        raise CircuitError(f"neurons {what} are in {listed}: name them")
    if not owners:
        assert reason is not None
        raise reason
    return next(iter(owners.values()))


def _at(columns: Mapping[str, Any], k: int) -> dict[str, Any]:
    """The attributes of entry k, without those that it does not have."""
    values = {name: plain_values(column[k : k + 1])[0] for name, column in columns.items()}
    return {name: value for name, value in values.items() if value is not None}


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A constructor's argument, or the parts of a list of them."""
    if isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from _parts(f"{path}.{k}", part)
    else:
        yield path, value
