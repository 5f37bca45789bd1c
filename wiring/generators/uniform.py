"""Circuits without layers: every synapse, or every synapse with equal probability."""

from __future__ import annotations

import numpy as np

from ...arguments import MOST_NEURONS, counted, flag, fraction, seed_number, whole
from ..circuit import Circuit
from ..guards import announce
from .assemble import Ints, Links, assemble, join

_TWO_THIRDS_EXCITATORY = np.array([-1, 1, 1])


def fully_connected(
    units: int, *, inputs: int, outputs: int | None = None, self_connections: bool = True, seed: int = 1111
) -> Circuit:
    """A circuit with a synapse from every neuron to every neuron with state; a third is inhibitory.

    Args:
        units: number of neurons with state, outputs included.
        inputs: number of sensory neurons.
        outputs: how many of the units are motor neurons, the others being inter neurons; all if None.
        self_connections: whether neurons have a synapse onto themselves.
        seed: of the polarities. The same arguments give the synapses and polarities of `FullyConnected` in
            ncps 1.0.1, bit for bit.

    Raises:
        ValueError: a number out of its range, such as more outputs than units.
        TypeError: an argument that is no number.

    Example:
        >>> fully_connected(32, inputs=8, outputs=4).number_of_edges()
        1280
    """
    units, inputs, sizes = _sizes(units, inputs, outputs)
    flag("self_connections", self_connections)
    announce(units * (units + inputs))
    rng = np.random.default_rng(seed_number(seed))
    pre, post = np.divmod(np.arange(units * units), units)
    if not self_connections:
        pre, post = pre[pre != post], post[pre != post]
    recurrent = Links(pre, post, _signs(rng, len(pre)))
    pre, post = np.divmod(np.arange(inputs * units), units)
    sensory = Links(pre, post, _signs(rng, len(pre)))
    return assemble(sizes, join(sensory.shifted(0, inputs), recurrent.shifted(inputs, inputs)))


def random(
    units: int, *, inputs: int, outputs: int | None = None, sparsity: float = 0.0, seed: int = 1111
) -> Circuit:
    """A circuit of synapses between random neurons, a third of them inhibitory.

    `(1 - sparsity) * units**2` recurrent and `(1 - sparsity) * inputs * units` sensory synapses are drawn. At
    a high sparsity some neurons may end up without a synapse; `check` names them.

    Args:
        units: number of neurons with state, outputs included.
        inputs: number of sensory neurons.
        outputs: how many of the units are motor neurons, the others being inter neurons; all if None.
        sparsity: fraction of the possible synapses that is left out, from 0 to below 1.
        seed: of synapses and polarities. The same arguments give the synapses and polarities of `Random` in
            ncps 1.0.1, bit for bit.

    Raises:
        ValueError: a number out of its range, such as more outputs than units.
        TypeError: an argument that is no number.

    Example:
        >>> random(128, inputs=8, outputs=4, sparsity=0.9).number_of_edges()
        1740
    """
    units, inputs, sizes = _sizes(units, inputs, outputs)
    sparsity = fraction("sparsity", sparsity, below=True)
    announce((1 - sparsity) * units * (units + inputs))
    rng = np.random.default_rng(seed_number(seed))
    pre, post = _pairs(rng, units, units, sparsity)
    recurrent = Links(pre, post, _signs(rng, len(pre)))
    pre, post = _pairs(rng, inputs, units, sparsity)
    # ncps draws every sensory polarity twice and keeps the second one.
    sensory = Links(pre, post, _signs(rng, 2 * len(pre))[1::2])
    return assemble(sizes, join(sensory.shifted(0, inputs), recurrent.shifted(inputs, inputs)))


def _sizes(units: int, inputs: int, outputs: int | None) -> tuple[int, int, dict[str, int]]:
    units, inputs = whole("units", units, most=MOST_NEURONS), whole("inputs", inputs, most=MOST_NEURONS)
    motor = units if outputs is None else whole("outputs", outputs)
    if motor > units:
        raise ValueError(
            f"outputs must not exceed units, got {counted(motor, 'output')} of {counted(units, 'unit')}"
        )
    return units, inputs, {"sensory": inputs, "motor": motor, "inter": units - motor}


def _signs(rng: np.random.Generator, count: int) -> Ints:
    return _TWO_THIRDS_EXCITATORY[rng.integers(0, 3, size=count)]


def _pairs(rng: np.random.Generator, n_pre: int, n_post: int, sparsity: float) -> tuple[Ints, Ints]:
    """Different (pre, post) pairs, chosen among all by their number so that the pairs need no list."""
    count = int(np.round(n_pre * n_post * (1 - sparsity)))
    return np.divmod(rng.choice(n_pre * n_post, size=count, replace=False), n_post)
