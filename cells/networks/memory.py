"""How much memory a network needs, predicted from a few of its first time steps."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from ... import shown
from ...arguments import whole
from ...compile.kernels import SAVED_MOST, forget_spare
from ...errors import KernelError
from ...forks import require_computing
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..offers import cell_kernel

# Numbers of steps that are run: from there on, each further step adds the same. MLX frees arrays while it
# runs on, sooner or later as chance will have it, so it takes several runs to see the line; gradients of
# operations keep most arrays, and where they take so much that little else counts, two runs will do.
FORWARD, TRAINING, KERNEL = tuple(range(8, 44, 3)), (3, 12, 24, 36), tuple(range(16, 64, 4))
LARGE, SHORT = 1 << 26, (3, 5)


@dataclass(frozen=True)
class Memory:
    """What a network needs for one batch, in bytes, on top of the batch itself.

    Attributes:
        parameters: what the parameters take, at all times.
        forward: the most that a run takes at once, without gradients. On a busy machine, where MLX frees the
            arrays of plain operations later, it may be more.
        training: the most that a run and its gradients take at once, likewise. An optimizer comes on top:
            Adam keeps twice the parameters.
    """

    parameters: int
    forward: int
    training: int

    def __str__(self) -> str:
        return (
            f"parameters {shown.human_bytes(self.parameters)}, forward {shown.human_bytes(self.forward)}, "
            f"training {shown.human_bytes(self.training)}"
        )

    def _repr_html_(self) -> str:
        return shown.table(
            "Memory of a batch", [(name, shown.human_bytes(n)) for name, n in vars(self).items()]
        )


def predict_memory(network: NCPLayer, batch: int, steps: int) -> Memory:
    """The memory for a batch of `batch` sequences of `steps` samples.

    The network runs over a few numbers of samples of such a batch, and the line through what they take is
    extended to all steps: memory grows by the same amount with every step, but not with every row, since
    layouts bound what is alive at once. The working arrays inside a kernel, some hundred bytes per synapse
    and thread, are not counted. This resets MLX's peak memory.

    Raises:
        ValueError: sizes of less than one, or a network that is not built.
    """
    whole("batch", batch)
    whole("steps", steps)
    if network.input_size is None:
        raise ValueError(f"the {type(network).__name__} is not built yet: call build() first")
    require_computing()
    arrays = _arrays(network.parameters())
    mx.eval(arrays)

    fused = _fused(network)

    def needed(train: bool) -> int:
        probes = KERNEL if fused else TRAINING if train else FORWARD
        if train and not fused and _peak(network, batch, min(steps, SHORT[0]), train) > LARGE:
            probes = SHORT
        if steps <= probes[-1]:
            return _peak(network, batch, steps, train)
        return _extended([(n, _shorter_peak(network, batch, n, train, steps)) for n in probes], steps)

    return Memory(sum(array.nbytes for array in arrays), needed(train=False), needed(train=True))


def _peak(network: NCPLayer, batch: int, steps: int, train: bool) -> int:
    """The most bytes in use at once during a run, by MLX and by NumPy together.

    It is the middle between the least and the most of four runs: in some, MLX frees an array a moment later.
    """
    x = mx.zeros((batch, steps, network.input_size or 1))
    mx.eval(x)
    follow = nn.value_and_grad(network, lambda model: _squares(model(x)))

    def run() -> Any:
        return follow(network) if train else network(x)

    run()  # builds what is built only once
    peaks = [peak_bytes(run) for _ in range(4)]
    return (min(peaks) + max(peaks)) // 2


def _shorter_peak(network: NCPLayer, batch: int, n: int, train: bool, steps: int) -> int:
    """The peak of a run of n steps in which kernels save what they would save in one of `steps`."""
    before = SAVED_MOST.set(SAVED_MOST.get() * n // steps)
    try:
        return _peak(network, batch, n, train)
    finally:
        SAVED_MOST.reset(before)


def _extended(points: list[tuple[int, int]], steps: int) -> int:
    """The line through (steps, bytes), whose slope is the median of those of all pairs, at another place."""
    slope = median((q - p) / (m - n) for (n, p), (m, q) in combinations(points, 2))
    return int(median(p + slope * (steps - n) for n, p in points))


def _fused(network: NCPLayer) -> bool:
    """Whether kernels run all cells of a network."""
    for module in network.modules():
        if getattr(module, "engine", None) == "ops":
            return False
        if isinstance(module, NCPRNNCell):
            try:
                cell_kernel(module)
            except KernelError:
                return False
    return True


def _squares(result: Any) -> mx.array:
    """A loss of everything that a network returns."""
    return mx.square(mx.concatenate([array.reshape(-1) for array in _arrays(result)])).sum()


def _arrays(tree: Any) -> list[mx.array]:
    return [array for _, array in cast("list[tuple[str, mx.array]]", tree_flatten(tree))]


def peak_bytes(run: Callable[[], Any]) -> int:
    """The most bytes that a function holds at once while its result is computed, by MLX and by NumPy."""
    nested = tracemalloc.is_tracing()
    forget_spare()
    if not nested:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        mx.reset_peak_memory()
        before = mx.get_active_memory() + tracemalloc.get_traced_memory()[0]
        result = run()
        mx.eval(result)
        return mx.get_peak_memory() + tracemalloc.get_traced_memory()[1] - before
    finally:
        if not nested:
            tracemalloc.stop()
