"""Feed-forward circuits of any number of layers, with optional recurrence and skipping synapses."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ...arguments import fraction, seed_number, several, whole
from ..circuit import Circuit
from ..rules import balanced_signs
from .assemble import Ints, Links, assemble

Mask = NDArray[np.bool_]


def layered(
    layers: Iterable[int],
    *,
    inputs: int,
    outputs: int,
    command: int = 0,
    density: float = 0.5,
    fanout: int | None = None,
    recurrent: float = 0.25,
    skip: float = 0.0,
    inhibitory: float = 0.2,
    seed: int = 1111,
) -> Circuit:
    """A circuit of layers: sensory, then inter layers, then perhaps command, then motor neurons.

    Synapses lead from each layer to the next. Every neuron has at least one from the layer before and, unless
    it is a motor neuron, one to the layer behind, so that every input reaches an output through all layers.
    The node attribute `layer` counts from 0, the sensory layer; inter neurons are numbered through.

    Args:
        layers: the number of inter neurons in each inter layer, first to last; may be empty.
        inputs, outputs: number of sensory and of motor neurons.
        command: number of command neurons, a layer of its own between the inter and the motor neurons.
        density: share of the possible synapses between a layer and the next that is drawn.
        fanout: instead of `density`, how many neurons of the next layer each neuron projects to (all of them
            if the next layer is smaller).
        recurrent: share of the possible synapses among command neurons, those onto itself included.
        skip: share of the possible synapses from a layer to the one after the next.
        inhibitory: share of all synapses that is inhibitory, rounded to a whole number.
        seed: the same arguments give the same circuit.

    Raises:
        ValueError: a number out of its range.
        TypeError: an argument that is no number, or `layers` that is no list.

    Example:
        >>> circuit = layered([32, 16], inputs=8, outputs=4, command=12, density=0.3, skip=0.05)
    """
    given = several("layers", layers, "the sizes of the inter layers, such as [32, 16]")
    inter = [whole(f"layers[{k}]", size) for k, size in enumerate(given)]
    inputs, outputs = whole("inputs", inputs), whole("outputs", outputs)
    command = whole("command", command, least=0)
    density = fraction("density", density)
    fanout = None if fanout is None else whole("fanout", fanout)
    recurrent, skip = fraction("recurrent", recurrent), fraction("skip", skip)
    inhibitory = fraction("inhibitory", inhibitory)
    rng = np.random.default_rng(seed_number(seed))

    sizes = {"sensory": inputs, "motor": outputs, "command": command, "inter": sum(inter)}
    ids = _ids_of_layers(sizes, inter)
    drawn = [(pre, post, _draw_projection(rng, pre, post, density, fanout)) for pre, post in pairwise(ids)]
    drawn += [(pre, post, _draw(rng, pre, post, skip)) for pre, post in zip(ids, ids[2:], strict=False)]
    if command:
        drawn.append((ids[-2], ids[-2], _draw(rng, ids[-2], ids[-2], recurrent)))
    pre = np.concatenate([pre[mask.nonzero()[0]] for pre, _, mask in drawn])
    post = np.concatenate([post[mask.nonzero()[1]] for _, post, mask in drawn])
    circuit = assemble(sizes, Links(pre, post, balanced_signs(len(pre), inhibitory, rng)))

    names = list(circuit)
    nx.set_node_attributes(circuit, {names[k]: n for n, layer in enumerate(ids) for k in layer}, "layer")
    return circuit


def _ids_of_layers(sizes: dict[str, int], inter: list[int]) -> list[Ints]:
    """The ids that `assemble` gives to the neurons of each layer, from sensory to motor."""
    sensory, motor, command, all_inter = np.split(
        np.arange(sum(sizes.values())), np.cumsum(list(sizes.values()))[:-1]
    )
    inter_layers = np.split(all_inter, np.cumsum(inter)[:-1]) if inter else []
    return [layer for layer in (sensory, *inter_layers, command, motor) if len(layer)]


def _draw(rng: np.random.Generator, pre: Ints, post: Ints, density: float) -> Mask:
    """A (pre, post) mask of which the share `density` is set."""
    mask = np.zeros((len(pre), len(post)), dtype=bool)
    mask.flat[rng.choice(mask.size, round(density * mask.size), replace=False)] = True
    return mask


def _draw_projection(
    rng: np.random.Generator, pre: Ints, post: Ints, density: float, fanout: int | None
) -> Mask:
    """A mask by `fanout` or else by `density`, completed so that no row and no column is empty."""
    if fanout is None:
        mask = _draw(rng, pre, post, density)
    else:
        # Ranks of random numbers: the `fanout` smallest in each row are a uniform choice.
        ranks = rng.random((len(pre), len(post))).argsort(axis=1).argsort(axis=1)
        mask = ranks < fanout
    (lonely,) = np.nonzero(~mask.any(axis=0))
    mask[rng.integers(len(pre), size=len(lonely)), lonely] = True
    (lonely,) = np.nonzero(~mask.any(axis=1))
    mask[lonely, rng.integers(len(post), size=len(lonely))] = True
    return mask
