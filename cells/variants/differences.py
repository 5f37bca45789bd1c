"""How networks differ from one: what their parameters, their inputs and their first states are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compile.synapses import Index
from ..overlay import Overlay, Single

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Differences:
    """How K networks differ from one.

    Attributes:
        base: the parameters of the one, as the equation uses them.
        count: K.
        factors, shifts: parameter -> (K, n) what its values are multiplied with, and what is added.
        held: (K, N) which neurons begin elsewhere, and (K, N) where.
        inputs: (K, I) what inputs are multiplied with, and (K, I) what is added.
    """

    base: Mapping[str, Single]
    count: int
    factors: Mapping[str, Single]
    shifts: Mapping[str, Single]
    held: tuple[Flags, Single]
    inputs: tuple[Single, Single]

    @classmethod
    def of(cls, cell: Any, overlays: Sequence[Overlay | None]) -> Differences:
        """What overlays say of a cell that nothing is laid over."""
        base = {name: np.array(value) for name, value in cell.effective().items()}
        k, n, i = len(overlays), cell.n_neurons, cell.n_inputs
        factors: dict[str, Single] = {}
        shifts: dict[str, Single] = {}
        held, at = np.zeros((k, n), bool), np.zeros((k, n), np.float32)
        factor, shift = np.ones((k, i), np.float32), np.zeros((k, i), np.float32)
        for m, overlay in enumerate(overlays):
            if overlay is None:
                continue
            for name in overlay.factors:
                if name not in factors:
                    factors[name] = np.ones((k, base[name].size), np.float32)
                    shifts[name] = np.zeros((k, base[name].size), np.float32)
                factors[name][m], shifts[name][m] = overlay.factors[name], overlay.shifts[name]
            if overlay.held is not None:
                held[m], at[m] = overlay.held
            if overlay.inputs is not None:
                factor[m], shift[m] = overlay.inputs
        return cls(base, k, factors, shifts, (held, at), (factor, shift))

    def changed(self, *names: str) -> Flags:
        """(K, n) where any of some parameters of one length differs."""
        found = np.zeros((self.count, self.base[names[0]].size), bool)
        for name in names:
            if name in self.factors:
                found |= (self.factors[name] != 1) | (self.shifts[name] != 0)
        return found

    def removed(self, *names: str) -> Flags:
        """(K, n) where all of some parameters of one length are 0 whatever they were."""
        found = np.full((self.count, self.base[names[0]].size), True)
        for name in names:
            found &= (
                False if name not in self.factors else (self.factors[name] == 0) & (self.shifts[name] == 0)
            )
        return found

    def at(self, name: str, network: Index, place: Index) -> Single:
        """The values of a parameter at some places of some networks."""
        values = self.base[name][place]
        if name in self.factors:
            values = values * self.factors[name][network, place] + self.shifts[name][network, place]
        return values

    def behind(self, name: str, network: Index, place: Index) -> Single:
        """The values of a parameter, and behind them those at some places of some networks."""
        found: Single = np.append(self.base[name], self.at(name, network, place))
        return found

    def shows_else(self) -> Flags:
        """(K, I) the sensors that show something else."""
        factor, shift = self.inputs
        found: Flags = (factor != 1) | (shift != 0)
        names = [name for name in ("input_w", "input_b") if name in self.base]
        return found | self.changed(*names) if names else found


def also(changed: Flags, network: Index, place: Index) -> Index:
    """Where values stand of which those that are changed in a network stand behind all n of the one."""
    behind = np.searchsorted(np.flatnonzero(changed), network.astype(np.int64) * changed.shape[1] + place)
    found: Index = np.where(changed[network, place], changed.shape[1] + behind, place).astype(np.int32)
    return found


def inputs_of(differences: Differences) -> dict[str, Any]:
    """The inputs as kernels take them, and those that a network reads otherwise behind them.

    An input that is multiplied with 0 is not read: its sensor is -1.
    """
    d, (factor, shift) = differences, differences.inputs
    networks, places = nonzero(d.shows_else())
    every = np.arange(factor.shape[1], dtype=np.int32)
    factors, shifts = factor[networks, places], shift[networks, places]
    w, b = (
        (
            d.base.get(name, np.full(len(every), neutral, np.float32)),
            d.at(name, networks, places) if name in d.base else neutral,
        )
        for name, neutral in (("input_w", 1.0), ("input_b", 0.0))
    )
    return {
        "sensor": np.append(every, np.where(factors == 0, -1, places)),
        "input_w": np.append(w[0], w[1] * factors),
        "input_b": np.append(b[0], b[1] + w[1] * shifts),
    }


def nonzero(flags: Flags) -> tuple[Index, Index]:
    """Where flags of networks are set: network and place. NumPy's own takes ten times as long on two axes."""
    width = flags.shape[1]
    flat: NDArray[Any] = np.flatnonzero(flags).astype(np.int32 if flags.size < 2**31 else np.int64)
    network = flat // max(width, 1)
    return network.astype(np.int32), (flat - network * width).astype(np.int32)
