"""Perturbations of a network, written down by the names of its neurons."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arguments import LARGEST, instance, label, one_of, real, whole
from ...compile import Synapses
from ...errors import CircuitError
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..overlay import Changes, Noise, Overlay, Places, among
from ..strengths import Floats
from ..values import BOUND
from ..wrappers import CellWrapper
from .rnn import RNN
from .sites import Site, chosen, sites_of

SIDES = ("recurrent", "sensory", "electrical")


class Perturbing:
    """Perturbations of one network while they are written down; `overlays` has what came of it.

    Args:
        network: a network or cell over a circuit, or a container of some, which stays as it is.

    Raises:
        TypeError: the network has no circuit.
    """

    def __init__(self, network: NCPLayer) -> None:
        instance("network", network, NCPLayer, "a network or cell")
        self.sites = [site for site in sites_of(network) if isinstance(site.owner, RNN | NCPRNNCell)]
        if not self.sites:
            raise TypeError(f"{type(network).__name__} is not over a circuit: it has no neurons to perturb")
        self._cells = {site.path: _chain(site) for site in self.sites}
        self._changes = {id(cell): Changes(cell) for chain in self._cells.values() for cell in chain}

    def begin(self) -> None:
        """Begin anew, with what is laid over the network now."""
        self._changes = {key: Changes(old.cell, old.known) for key, old in self._changes.items()}

    def overlays(self) -> list[tuple[NCPRNNCell, Overlay | None]]:
        """Every cell, and what is to be laid over it."""
        return [(changes.cell, changes.done()) for changes in self._changes.values()]

    def lesion(self, neurons: Any) -> None:
        """Cut all synapses of neurons, and let them show 0; a sensor is not read."""
        for site, states, sensors in self._found(neurons):
            inner = self._inner(site, sensors)
            for changes in self._over(site):
                cell = changes.cell
                for side in SIDES:
                    for name, synapses in changes.conducting(side):
                        pre = inner if side == "sensory" else states
                        post = among(synapses.post, states, synapses.n_post)
                        changes.scale(name, among(synapses.pre, pre, synapses.n_pre) | post, 0.0)
                changes.sever("neuron", states)
                changes.sever("sensor", inner if cell is self._cells[site.path][-1] else sensors)
            self._hold(site, states, np.zeros(len(states)))
            self._outer(site).input_factor[sensors] = 0.0
            self._outer(site).input_shift[sensors] = 0.0
            for changes in self._over(site):
                if "output_b" in changes.declared:
                    changes.put("output_b", states[states < changes.cell.n_outputs], 0.0)

    def silence(self, neurons: Any, to: float | str | None = None) -> None:
        """Hold neurons at a value, or at their rest; sensors show it."""
        if to is not None and not isinstance(to, str):
            to = _number("to", to)
        elif to is not None:
            one_of("to", to, ("rest",))
        for site, states, sensors in self._found(neurons):
            inside = self._cells[site.path][-1].resting_states() if to == "rest" else np.zeros(0)
            values = inside[states] if to == "rest" else np.full(len(states), float(to or 0.0))
            self._hold(site, states, values)
            outer = self._outer(site)
            outer.input_factor[sensors] = 0.0
            outer.input_shift[sensors] = 0.0
            if isinstance(to, int | float):
                units, zeros = self._units(site)
                outer.input_shift[sensors] = (to - zeros[sensors]) / units[sensors]

    def scale(self, pre: Any, post: Any, by: float) -> None:
        """Multiply the strength of the synapses from a group to a group; 0 cuts them."""
        by = _number("by", by)
        for changes, name, here in self._synapses(pre, post):
            p = changes.declared[name]
            if by == 0 or p.strength:
                changes.scale(name, here, by)
            elif not any(q.strength for q in changes.declared.values()):
                raise TypeError(
                    f"a {type(changes.cell).__name__} does not say which of its parameters is how strongly a "
                    "synapse acts: declare it as gl.cells.Parameter(home, strength=True)"
                )

    def flip(self, pre: Any, post: Any) -> None:
        """Turn the signs of the synapses from a group to a group."""
        turned = False
        for changes, name, here in self._synapses(pre, post, signed=True):
            changes.scale(name, here, -1.0)
            turned = turned or bool(here.any())
        if not turned:
            raise CircuitError("electrical synapses have no sign that could be turned")

    def stimulate(self, neurons: Any, current: float, *, relative: bool = False) -> None:
        """Add a current to neurons, as it is or in multiples of their unit, and to what sensors show."""
        current = _number("current", current)
        for site, states, sensors in self._found(neurons):
            if len(states):
                for changes in self._over(site):
                    units = changes.current_units()[states] if relative else np.ones(len(states))
                    if not units.all() and current:
                        name = site.compiled.plan.neurons[int(states[np.argmin(units)])]
                        raise ValueError(
                            f"neuron {label(name)} has no leak or threshold to measure a current by: "
                            "Stimulate(..., absolute=True) takes one in the neuron's own unit"
                        )
                    changes.cell.drive_neurons(changes, states, current * units)
            self._outer(site).input_shift[sensors] += current / self._units(site)[0][sensors]

    def noise(self, sensors: Any, mean: float | None, spread: float | None, seed: int) -> None:
        """Let sensors show random numbers."""
        whole("seed", seed, 0, LARGEST)
        for site, states, places in self._found(sensors):
            if len(states):
                name = site.compiled.plan.neurons[int(states[0])]
                raise CircuitError(f"neuron {label(name)} is no sensor: noise is for sensors alone")
            units, zeros = self._units(site)
            for k in places.tolist():
                at = 0.0 if mean is None else (_number("mean", mean) - zeros[k]) / units[k]
                wide = 1.0 if spread is None else _number("spread", spread, least=0) / units[k]
                self._outer(site).noise[k] = Noise(k, float(at), float(wide), seed + k)

    def _found(self, group: Any) -> list[tuple[Site, Places, Places]]:
        """The sites with a group of neurons, and the numbers of those with state and of sensors."""
        first, names = chosen(self.sites, group)
        wanted, found = set(names), []
        for site in self.sites:
            if site.group == first.group:
                states, sensors = (
                    np.array(sorted(known[name] for name in wanted if name in known), np.intp)
                    for known in site.numbers
                )
                found.append((site, states, sensors))
        return found

    def _synapses(self, pre: Any, post: Any, *, signed: bool = False) -> list[tuple[Changes, str, Any]]:
        """The parameters of the synapses between two groups, and which of their entries; None is all."""
        found, count = [], 0
        ends = [None if group is None else self._found(group) for group in (pre, post)]
        for site in self.sites:
            groups = [None if end is None else [g for s, *g in end if s is site] for end in ends]
            if [] in groups:
                continue
            given = [None if g is None else g[0] for g in groups]
            senders, receivers = given
            for changes in self._over(site):
                for side in SIDES:
                    for name, synapses in self._named(changes, side, signed):
                        here = _between(self, site, synapses, side, senders, receivers)
                        count += int(here.sum())
                        found.append((changes, name, here))
        if not count:
            shown = [label(group, 60) if group is not None else "any neuron" for group in (pre, post)]
            raise CircuitError(f"there is no synapse from {shown[0]} to {shown[1]}")
        return found

    @staticmethod
    def _named(changes: Changes, side: str, signed: bool) -> list[tuple[str, Synapses]]:
        if not signed:
            return changes.conducting(side)
        declared = changes.synaptic(side)
        return [(name, p.synapses(changes.plans[p.part])) for name, p in declared.items() if p.signed]

    def _over(self, site: Site) -> list[Changes]:
        return [self._changes[id(cell)] for cell in self._cells[site.path]]

    def _outer(self, site: Site) -> Changes:
        return self._over(site)[0]

    def _hold(self, site: Site, states: Places, values: Floats) -> None:
        if len(states):
            for changes in self._over(site):
                changes.cell.hold_neurons(changes, states, values)
            outer = self._outer(site)
            outer.held[states] = True
            outer.values[states] = values

    def _inner(self, site: Site, sensors: Places) -> Places:
        """The numbers of the circuit's sensors that sensors from outside stand for."""
        place = {name: k for k, name in enumerate(site.compiled.plan.sensors)}
        names = site.inner([site.sensors[k] for k in sensors])
        return np.array([place[name] for name in names], np.intp)

    def _units(self, site: Site) -> tuple[Floats, Floats]:
        """What a sensor's 1 and 0 are in the units that inputs come in."""
        units, zeros = np.ones(len(site.sensors)), np.zeros(len(site.sensors))
        for wrapper in reversed(site.wrappers):
            given = getattr(wrapper, "units", None)
            if isinstance(given, tuple):  # of data; those of a cell are its neurons
                spread, mean = given
                units, zeros = units * spread, zeros * spread + mean
        return units, zeros


def _chain(site: Site) -> list[NCPRNNCell]:
    """The cells around a circuit, from outside inwards."""
    cell: Any = site.owner.cell if isinstance(site.owner, RNN) else site.owner
    found = [cell]
    while isinstance(cell, CellWrapper):
        cell = cell.cell
        found.append(cell)
    return found


def _between(
    writer: Perturbing, site: Site, synapses: Synapses, side: str, senders: Any, receivers: Any
) -> Any:
    """Which synapses lead from some neurons to others; electrical ones lead both ways."""
    here = np.ones(len(synapses), bool)
    if senders is not None:
        states, sensors = senders
        numbers = writer._inner(site, sensors) if side == "sensory" else states
        here &= among(synapses.pre, numbers, synapses.n_pre)
    if receivers is not None:
        here &= among(synapses.post, receivers[0], synapses.n_post)
    if side == "electrical":
        back = np.ones(len(synapses), bool)
        if senders is not None:
            back &= among(synapses.post, senders[0], synapses.n_post)
        if receivers is not None:
            back &= among(synapses.pre, receivers[0], synapses.n_pre)
        here |= back
    return here


def _number(name: str, value: Any, **limits: float) -> float:
    """A number that float32 holds with room for a product, as inputs do."""
    number = real(name, value, **limits)
    if abs(number) > BOUND:
        raise ValueError(f"{name} must be from {-BOUND} to {BOUND}, got {value}")
    return number
