"""Our weights as the state dict of an ncps model on PyTorch: the way back from `load_ncps`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mlx.utils import tree_flatten

from ..cells import RNN, BackboneCfCCell, MixedMemoryCell, ncps_parameters
from ..cells.networks.ncps import Entries, Floats, Mask
from ..cells.signs import hold

LARGEST = 2**24
"""Entries of one array that can be numbered exactly in float32."""


def to_ncps(rnn: RNN) -> dict[str, Floats]:
    """The weights of a network as the state dict of the ncps 1.0.1 model that `load_ncps` would load here.

    Where the circuit has no synapse, ncps keeps a number that its mask hides; here it is zero. A polarity
    that is fixed here is not held there, but the numbers have its signs.

    Args:
        rnn: an LTC, a CfC without wiring, or ``CfC(circuit, ncps_compat=True)``.

    Returns:
        Name -> array, for ``model.load_state_dict({n: torch.tensor(a) for n, a in state_dict.items()})``.

    Raises:
        ValueError: a network that ncps does not have, such as a CfC that follows its circuit.

    Example:
        >>> state_dict = gl.to_ncps(rnn)
        >>> gl.load_ncps(rnn, state_dict)                                  # changes nothing
    """
    where, which = _Numbered(rnn, by_entry=False), _Numbered(rnn, by_entry=True)
    places, owners = ncps_parameters(rnn, where), ncps_parameters(rnn, which)
    names = list(where.arrays)
    state = {name: np.zeros(shape, np.float32) for name, shape in where.arrays.items()}
    for name, values in _effective(rnn).items():
        place, owner = np.array(places[name]).ravel(), np.array(owners[name]).ravel()
        for number in np.unique(owner):
            mine = owner == number
            state[names[int(number)]].flat[place[mine].astype(np.int64)] = values.ravel()[mine]
    state |= where.masks
    return {_torch_name(name): array for name, array in state.items()}


class _Numbered(Entries):
    """A state dict that has whatever it is asked for: numbers that say where `load_ncps` picks each value.

    Loading from it tells for every parameter of ours the place inside an array of ncps (`by_entry` false) or
    the number of that array (`by_entry` true).
    """

    def __init__(self, rnn: RNN, *, by_entry: bool) -> None:
        super().__init__(dict.fromkeys(_backbone_names(rnn)))
        self.by_entry = by_entry
        self.arrays: dict[str, tuple[int, ...]] = {}
        self.masks: dict[str, Floats] = {}

    def get(self, name: str, shape: tuple[int, ...]) -> Floats:
        if np.prod(shape) > LARGEST:
            raise ValueError(
                f"{name!r} would have shape {shape}: to_ncps serves arrays of up to 2**24 entries"
            )
        number = list(self.arrays).index(name) if name in self.arrays else len(self.arrays)
        self.arrays[name] = shape
        if self.by_entry:
            return np.full(shape, number, np.float32)
        return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    def check_mask(
        self, name: str, ours: Mask, pre: Sequence[str], post: Sequence[str], *, post_first: bool = False
    ) -> None:
        self.masks[name] = (ours.T if post_first else ours).astype(np.float32)


def _effective(rnn: RNN) -> dict[str, Floats]:
    """The parameters by path; where a polarity is fixed, with the signs that the equation gives them."""
    found = {name: np.array(array) for name, array in dict(tree_flatten(rnn.parameters())).items()}
    cell, path = _innermost(rnn)
    kept = {name: cell[name] for rules in cell.signed() for name in rules}
    hold(cell, kept)
    found |= {f"{path}.{name}": np.array(array) for name, array in kept.items()}
    return found


def _innermost(rnn: RNN) -> tuple[Any, str]:
    """The cell, or the one inside its mixed memory, and the path to it."""
    if isinstance(rnn.cell, MixedMemoryCell):
        return rnn.cell.cell, "cell.cell"
    return rnn.cell, "cell"


def _backbone_names(rnn: RNN) -> list[str]:
    """The linear layers as torch numbers them: activations count, and so does dropout behind the first."""
    cell, _ = _innermost(rnn)
    if not isinstance(cell, BackboneCfCCell):
        return []
    step = 2 if cell.dropout is None else 3
    return [f"backbone.{max(0, k * step - (step - 2))}.weight" for k in range(len(cell.backbone))]


def _torch_name(name: str) -> str:
    return name if name.startswith(("lstm.", "fc.")) else f"rnn_cell.{name}"
