"""One network under many perturbations, of each only what they reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...compile.kernels.sequence import on_gpu
from ...errors import KernelError
from ..calls import sequence_call
from ..offers import offers
from ..overlay import Overlay
from ..precision import parameters_type
from ..running import Call
from ..values import Values
from ..variants import Differences
from .rnn import RNN
from .sequence import reversed_call

NEURONS, MOST = 8192, 128
"""Neurons of a launch, whose states are to stay in the cache, and networks of one at most."""


def varied(
    network: RNN,
    overlays: Sequence[Overlay | None],
    x: Values,
    state: Any = None,
    timespans: Values | None = None,
) -> Iterator[NDArray[Any]]:
    """The outputs of a network under each of some overlays of its cell, (B, T, M) or (B, M).

    A launch runs the network once, and of many perturbed ones the neurons that their perturbations reach.

    Args:
        network: a network of which nothing is perturbed.
        overlays: what is laid over its cell.
        x: (B, T, I) inputs.
        state: (B, N) initial states; zeros if not given.
        timespans: as the network takes them.

    Raises:
        KernelError: there is none for that: plain operations are asked for, the cell has no kernel, or a
            sensor shows noise.
        ValueError: a shape that does not fit.
    """
    cell = network.cell
    if type(network).__call__ is not RNN.__call__ or network.engine == "ops" or on_gpu():
        raise KernelError("this network does not run by kernels of the processor")
    if not offers(cell, "variants") or any(overlay is not None and overlay.noise for overlay in overlays):
        raise KernelError(f"there is no kernel for variants of this {type(cell).__name__}")
    if cell.max_step is not None:
        raise KernelError("the kernels for variants have no parts of time spans")
    if parameters_type(network) != mx.float32:
        raise KernelError("the kernels for variants give float32 only")
    call = sequence_call(
        x, state, timespans, cell.n_inputs, cell.state_shapes, reverse=network.reverse,
        time_scale=cell.time_scale,
    )  # fmt: skip
    if not call.batched:
        raise ValueError(f"the input has shape {call.x.shape[1:]}: expected (B, T, I)")
    if network.reverse:
        call = reversed_call(call)
    mx.eval(call.x, call.state, call.timespans)
    size = max(1, min(MOST, NEURONS // cell.n_neurons))
    for start in range(0, len(overlays), size):
        differences = Differences.of(cell, overlays[start : start + size])
        yield from _shown(network, call, cell.variants(differences, call)(call))


def _shown(network: RNN, call: Call, outputs: NDArray[np.float32]) -> NDArray[Any]:
    """(K, B, T, M) outputs as the network returns them."""
    if not network.return_sequences:
        outputs = outputs[:, :, 0 if network.reverse else -1]
    return outputs if network.proj_size is None else np.array(network.projection(mx.array(outputs)))
