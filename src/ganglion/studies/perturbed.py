"""Perturbations of a network for as long as a block runs, or in a copy of it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from ..arguments import instance, label
from ..cells import NCPLayer
from ..cells.networks.perturbing import Perturbing
from ..cells.overlay import laid_over, lay_over
from .perturbations import Perturbation, Silence

Network = TypeVar("Network", bound=NCPLayer)
Overlays: TypeAlias = "list[tuple[Any, Any]]"


class Perturbed(Generic[Network]):
    """A network that is perturbed inside a ``with`` block; `perturbed` and `silenced` make it.

    Example:
        >>> with gl.silenced(rnn, "AVA"):
        ...     outputs, state = rnn(x)
        >>> other = gl.silenced(rnn, "AVA").copy()
    """

    def __init__(self, network: Network, perturbations: tuple[Perturbation, ...]) -> None:
        self.network, self.perturbations = network, perturbations
        self._overlays = overlays_of(network, perturbations)
        self._open: list[ExitStack] = []

    def __enter__(self) -> Network:
        stack = ExitStack()
        # Written anew, so that blocks inside each other add up.
        stack.enter_context(laid_over(overlays_of(self.network, self.perturbations)))
        self._open.append(stack)
        return self.network

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().close()

    def copy(self) -> Network:
        """A copy of the network that is perturbed for good. It cannot be saved, but the network can."""
        twin = copy.deepcopy(self.network)
        for cell, overlay in overlays_of(twin, self.perturbations):
            lay_over(cell, overlay)
        return twin

    def __repr__(self) -> str:
        said = "; ".join(map(str, self.perturbations))
        return f"Perturbed({type(self.network).__name__}: {said})"


def overlays_of(network: NCPLayer, perturbations: tuple[Perturbation, ...]) -> Overlays:
    """Every cell of a network with what is to be laid over it."""
    return next(overlays_of_each(network, [perturbations]))


def overlays_of_each(
    network: NCPLayer, perturbations: Iterable[tuple[Perturbation, ...]]
) -> Iterator[Overlays]:
    """The same for some perturbations after another, each by itself."""
    writer = Perturbing(network)
    for together in perturbations:
        writer.begin()
        for each in together:
            if not isinstance(each, Perturbation):
                raise TypeError(
                    f"expected perturbations, such as gl.studies.Lesion('AVA'), got {label(each)}"
                )
            each.write(writer)
        yield writer.overlays()


def perturbed(network: Network, *perturbations: Perturbation) -> Perturbed[Network]:
    """A network under perturbations, for a ``with`` block or as a copy.

    Parameters stay as they are: a perturbation is laid over them where the equation uses them, on every
    engine and layout, and gradients, recordings, streams and exported C follow it. Training inside of the
    block trains the perturbed network. What `mx.compile` has traced outside of the block does not know of it.

    Args:
        network: a network or cell over a circuit, or a container of some.
        perturbations: what is done to it, in this order.

    Raises:
        CircuitError: a neuron or synapse that does not exist.
        TypeError: no perturbation, a network without a circuit, or a cell of your own that does not say how
            its neurons are held or driven.
        ValueError: a value that a neuron cannot have.

    Example:
        >>> with gl.perturbed(rnn, gl.studies.Lesion("command"), gl.studies.Scale("inter", by=2.0)):
        ...     outputs, state = rnn(x)
    """
    instance("network", network, NCPLayer, "a network or cell")
    return Perturbed(network, perturbations)


def silenced(network: Network, neurons: Any, to: float | str | None = None) -> Perturbed[Network]:
    """A network of which neurons are held at a value, for a ``with`` block or as a copy.

    The neurons keep their synapses, so that one of an LTC that is held at 0 still sends. `lesion` removes
    them, which is another question.

    Args:
        network: a network or cell over a circuit, or a container of some.
        neurons: a group of neurons or sensors.
        to: see `Silence`: a value, or "rest"; 0 if not given.

    Raises:
        CircuitError, TypeError, ValueError: as `perturbed`.

    Example:
        >>> with gl.silenced(rnn, "AVA"):
        ...     recording = gl.record(rnn, x)
    """
    return perturbed(network, Silence(neurons, to))
