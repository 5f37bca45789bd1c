"""Models of ncps on PyTorch as networks of ours, and our weights as the state dict of such a model."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..cells import LTC, RNN, CfC, load_ncps, ncps_options
from ..cells.ncps import AROUND, CELL, Entries, Mask, Numbers, under
from ..cells.ncps import LTC as IS_LTC
from ..cells.networks.ncps import check_options, in_ncps, picked
from ..cells.networks.ncps_model import read_model
from ..wiring import dense, from_ncps

Floats = NDArray[np.float32]


def network_from_ncps(model: Any) -> RNN:
    """The network that computes what an ncps 1.0.1 model on PyTorch computes; see `gl.from_ncps`."""
    said = read_model(model)
    theirs, wiring = said.cell, said.cell.wiring
    circuit: Any = dense(*theirs.sizes)
    if wiring is not None:
        used = SimpleNamespace(
            adjacency_matrix=theirs.adjacency,
            sensory_adjacency_matrix=theirs.sensory_adjacency,
            output_dim=wiring.output_dim,
            get_type_of_neuron=wiring.get_type_of_neuron,
        )
        circuit = from_ncps(used)
    kind = LTC if theirs.kind == IS_LTC else CfC
    rnn = kind(circuit, **theirs.arguments, **said.around, **said.returns)
    load_ncps(rnn, model)
    rnn.train(bool(getattr(model, "training", True)))
    return rnn


def to_ncps(rnn: RNN, model: Any = None) -> dict[str, Floats]:
    """The weights of a network as the state dict of the ncps 1.0.1 model that `load_ncps` would load here.

    The weights say nothing of the options, and in a model of other options they give other numbers: make it
    with `ncps_options`, and give it here, which compares every option. Where the circuit has no synapse,
    ncps keeps a number that its mask hides; here it is zero. A polarity that is fixed here is not held
    there, but the numbers have its signs.

    Args:
        rnn: an LTC, a CfC without wiring, or ``CfC(circuit, ncps_compat=True)``.
        model: the ncps model on PyTorch that the weights are put into; none if not given.

    Returns:
        Name -> array, for ``model.load_state_dict({n: torch.tensor(a) for n, a in state_dict.items()})``.

    Raises:
        ValueError: a network that ncps does not have, such as a CfC that follows its circuit, or a model of
            other options or another wiring; the message names both.
        TypeError: no network of one cell, such as a `Stack`.

    Example:
        >>> model = ncps.torch.LTC(8, wiring, **gl.ncps_options(rnn))
        >>> state_dict = gl.to_ncps(rnn, model)                            # model computes what rnn does
    """
    ncps_options(rnn)  # refuses what no options of ncps compute
    places = _Places()
    found = picked(rnn, places)
    weights = under("cell", in_ncps(rnn).weights)
    flat = np.zeros(places.size, np.float32)
    for name, place in found.items():
        values = weights[name] if name in weights else rnn.projection[name.rpartition(".")[2]]
        flat[place] = np.array(values.astype(mx.float32))
    arrays = places.arrays(flat) | places.masks
    if model is not None:
        _put(rnn, arrays, model)
    return {n if n.startswith(tuple(AROUND)) else f"{CELL}{n}": array for n, array in arrays.items()}


def _put(rnn: RNN, arrays: dict[str, Floats], model: Any) -> None:
    """The weights into a model that computes the same with them, or nothing."""
    if not hasattr(model, "load_state_dict") or hasattr(model, "get_weights"):  # Keras may have both
        raise TypeError(f"to_ncps puts weights into models on PyTorch: got {type(model).__name__}")
    check_options(rnn, model)
    theirs = model.state_dict()
    entries = Entries(theirs)
    picked(rnn, entries)  # refuses other shapes and masks
    ours = {entries.full_names[name]: array for name, array in arrays.items()}
    model.load_state_dict({name: theirs[name].new_tensor(array) for name, array in ours.items()})


class _Places(Entries):
    """A state dict that has whatever it is asked for: numbers that say where each value stands.

    All its arrays lie behind each other in one vector. Picking parameters from them tells for each number of
    ours its place there.
    """

    dtype = np.int64

    def __init__(self) -> None:
        super().__init__({})
        self.size = 0
        self.starts: dict[str, tuple[int, tuple[int, ...]]] = {}
        self.masks: dict[str, Floats] = {}

    def get(self, name: str, shape: tuple[int, ...]) -> Numbers:
        count = int(np.prod(shape))
        start, _ = self.starts.setdefault(name, (self.size, shape))
        self.size = max(self.size, start + count)
        return np.arange(start, start + count).reshape(shape)

    def check_mask(
        self, name: str, ours: Mask, pre: Sequence[str], post: Sequence[str], *, post_first: bool = False
    ) -> None:
        self.masks[name] = (ours.T if post_first else ours).astype(np.float32)

    def arrays(self, flat: Floats) -> dict[str, Floats]:
        """The vector, cut into arrays by name."""
        return {
            name: flat[start : start + int(np.prod(shape))].reshape(shape)
            for name, (start, shape) in self.starts.items()
        }
