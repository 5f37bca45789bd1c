"""Networks that differ from one, in one launch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from ...compile.kernels.cpu import CPURunner
from ...compile.kernels.source import CallSizes, read_kernel
from ..overlay import Single
from ..running import Call
from .cones import Parts
from .differences import Differences, inputs_of


class Variants(NamedTuple):
    """K networks that differ from one, ready to run: ``variants(call)`` gives (K, B, T, M) outputs.

    Attributes:
        kernel: the kernel, over index arrays, with its sizes.
        values: the kernel's values, in its order.
        shape: K and M.
    """

    kernel: CPURunner
    values: list[Single]
    shape: tuple[int, int]

    def __call__(self, call: Call) -> Single:
        batch, steps = call.x.shape[:2]
        spans = np.ascontiguousarray(np.broadcast_to(np.array(call.timespans), (batch, steps)))
        given = [*map(mx.array, self.values), call.x, mx.array(spans), call.state]
        mx.eval(given)
        ((made,), _) = self.kernel.run(batch, CallSizes(steps, BACK=int(call.reverse)), given)
        found: Single = made.reshape(batch, steps, *self.shape).transpose(2, 0, 1, 3)
        return found


def built(
    folder: Path, name: str, parts: Parts, differences: Differences, outputs: int, given: Mapping[str, Any],
    sizes: Mapping[str, int], numbers: Mapping[str, float],
) -> Variants:  # fmt: skip
    """The kernel `name` over some parts, for what a family gives: its values and sizes by name."""
    d, n = differences, parts.recurrent.n_post
    networks, neurons = parts.neurons
    kernel = read_kernel(folder, name)
    held, at = (each[networks, neurons] for each in d.held)
    given = {
        **parts.index(), **inputs_of(d), "showing": parts.place[:, :outputs].reshape(-1),
        "begins": np.where(held, -1, neurons), "start": at, **given,
    }  # fmt: skip
    index = {array.name: given[array.name] for array in kernel.of("index")}
    whole = {
        "I": parts.sensory.n_pre, "N": n, "E": len(parts.recurrent), "K": d.count, "M": outputs,
        "Q": len(neurons), "A": len(given["active"]), "J": len(parts.jobs.drive),
        "L": len(parts.jobs.synapse), "S": len(given["drive_synapse"]), "U": len(given["sensor"]), **sizes,
    }  # fmt: skip
    runner = CPURunner(kernel, whole, numbers, index)
    values = [np.ascontiguousarray(given[a.name], np.float32) for a in kernel.of("values")]
    return Variants(runner, values, (d.count, outputs))
