"""Networks that differ from one, in one launch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from ...compile.kernels.cpu import CPURunner
from ...compile.kernels.source import CallSizes, read_kernel
from ...compile.synapses import Index
from ..overlay import Single
from ..running import Call
from .cones import Parts
from .differences import Differences, inputs_of


class Variants(NamedTuple):
    """K networks that differ from one, ready to run: ``variants(call)`` gives (K, B, T, M) outputs.

    Attributes:
        kernel: the kernel, over index arrays, with its sizes.
        values: the kernel's values, in its order.
        begins: (N + Q,) the neuron of the one network whose state each neuron begins with, and those that
            begin elsewhere, and where.
        shape: K and M.
    """

    kernel: CPURunner
    values: list[Single]
    begins: tuple[Index, Index, Single]
    shape: tuple[int, int]

    def __call__(self, call: Call) -> Single:
        batch, steps = call.x.shape[:2]
        of, elsewhere, at = self.begins
        state = np.array(call.state)[:, of]
        state[:, elsewhere] = at
        spans = np.ascontiguousarray(np.broadcast_to(np.array(call.timespans), (batch, steps)))
        given = [*map(mx.array, self.values), call.x, mx.array(spans), mx.array(state)]
        mx.eval(given)
        ((made,), _) = self.kernel.run(batch, CallSizes(steps, BACK=int(call.reverse)), given)
        found: Single = made.reshape(batch, self.shape[0], steps, self.shape[1]).swapaxes(0, 1)
        return found


def built(
    folder: Path, name: str, parts: Parts, differences: Differences, outputs: int, given: Mapping[str, Any],
    sizes: Mapping[str, int], numbers: Mapping[str, float],
) -> Variants:  # fmt: skip
    """The kernel `name` over some parts, for what a family gives: its values and sizes by name."""
    d, n = differences, parts.recurrent.n_post
    networks, neurons = parts.neurons
    kernel = read_kernel(folder, name)
    elsewhere = np.flatnonzero(d.held[0][networks, neurons])
    given = {**parts.index(), **inputs_of(d), "showing": parts.place[:, :outputs].reshape(-1), **given}
    index = {array.name: given[array.name] for array in kernel.of("index")}
    whole = {
        "I": parts.sensory.n_pre, "N": n, "E": len(parts.recurrent), "K": d.count, "M": outputs,
        "Q": len(neurons), "A": len(given["active"]), "J": len(parts.jobs.drive),
        "L": len(parts.jobs.synapse), "S": len(given["drive_synapse"]), "U": len(given["sensor"]), **sizes,
    }  # fmt: skip
    runner = CPURunner(kernel, whole, numbers, index)
    values = [np.ascontiguousarray(given[a.name], np.float32) for a in kernel.of("values")]
    begins = (
        np.append(np.arange(n), neurons).astype(np.int32),
        (n + elsewhere).astype(np.int32),
        d.held[1][networks, neurons][elsewhere],
    )
    return Variants(runner, values, begins, (d.count, outputs))
