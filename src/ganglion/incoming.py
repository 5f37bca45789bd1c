"""What comes from ncps: a wiring becomes a circuit, a model a network. For wirings no MLX is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, overload

from .wiring import from_ncps as circuit_from_ncps

if TYPE_CHECKING:
    from .cells import RNN
    from .wiring import Circuit


class NcpsWiring(Protocol):
    """What an `ncps.wirings.Wiring` is known by."""

    adjacency_matrix: Any
    sensory_adjacency_matrix: Any


class TorchModel(Protocol):
    """What a model on PyTorch is known by."""

    def state_dict(self) -> Mapping[str, Any]: ...


class KerasModel(Protocol):
    """What a model on Keras is known by."""

    def get_weights(self) -> list[Any]: ...


@overload
def from_ncps(source: NcpsWiring) -> Circuit: ...
@overload
def from_ncps(source: TorchModel | KerasModel) -> RNN: ...
def from_ncps(source: Any) -> Circuit | RNN:
    """The circuit of an ncps wiring, or the network of an ncps model on PyTorch with options and weights.

    A wiring gives the same neurons, synapses and polarities, see `ganglion.wiring.from_ncps`. A model, an
    `LTC` or a `CfC`, with or without wiring, mixed memory or projection, gives the `gl.LTC` or `gl.CfC` that
    computes the same numbers: its options are read off the model, its circuit is the wiring as the model
    uses it, and a CfC with a wiring becomes ``gl.CfC(circuit, ncps_compat=True)``. Neither ncps nor torch is
    imported, and nothing is shared: training one does not change the other.

    Args:
        source: an `ncps.wirings.Wiring` that has been built, an `ncps.torch.LTC` or `CfC`, or an
            `ncps.keras.LTC` that has been built.

    Raises:
        CircuitError: a wiring that has not been built or has neurons in another order.
        TypeError: something else, such as a `CfC` on Keras, where other equations have the same names.
        ValueError: a model whose parts were changed by hand.

    Example:
        >>> rnn = gl.from_ncps(ncps.torch.LTC(8, wiring))
        >>> outputs, state = rnn(mx.zeros((32, 20, 8)))
    """
    if isinstance(source, Mapping):
        raise TypeError(
            "weights alone do not say their circuit and options: give the ncps model itself, or make the "
            "network and gl.load_ncps(network, weights)"
        )
    if not hasattr(source, "state_dict") and not hasattr(source, "get_weights"):  # torch, and Keras
        return circuit_from_ncps(source)
    from .interchange.ncps import network_from_ncps

    return network_from_ncps(source)
