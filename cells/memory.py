"""How much memory a network needs, predicted from a few of its first time steps."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from ..compile.plan import human_bytes
from ..errors import KernelError
from .cell import NCPRNNCell
from .engine import cell_kernel
from .layer import NCPLayer

# Steps that are run: from there on, each further one adds the same. Gradients keep all arrays of operations,
# which is slow and steady; without them MLX frees arrays while it runs on: more steps show the slope.
FORWARD, TRAINING, KERNEL = (8, 24), (3, 5), (16, 32)


@dataclass(frozen=True)
class Memory:
    """What a network needs for one batch, in bytes, on top of the batch itself.

    Attributes:
        parameters: what the parameters take, at all times.
        forward: the most that a run takes at once, without gradients.
        training: the most that a run and its gradients take at once. An optimizer comes on top: Adam keeps
            twice the parameters.
    """

    parameters: int
    forward: int
    training: int

    def __str__(self) -> str:
        return (
            f"parameters {human_bytes(self.parameters)}, forward {human_bytes(self.forward)}, "
            f"training {human_bytes(self.training)}"
        )


def predict_memory(network: NCPLayer, batch: int, steps: int) -> Memory:
    """The memory for a batch of `batch` sequences of `steps` samples.

    The network runs twice over some samples of such a batch, and the difference is extended to all steps:
    memory grows by the same amount with every step, but not with every row, since layouts bound what is alive
    at once. The working arrays inside a kernel, some hundred bytes per synapse and thread, are not counted.
    This resets MLX's peak memory.

    Raises:
        ValueError: sizes of less than one, or a network that is not built.
    """
    if batch < 1 or steps < 1:
        raise ValueError(f"a batch of {batch} with {steps} steps: expected at least one of each")
    if network.input_size is None:
        raise ValueError(f"the {type(network).__name__} is not built yet: call build() first")
    arrays = _arrays(network.parameters())
    mx.eval(arrays)

    fused = _fused(network)

    def needed(train: bool) -> int:
        short, long = KERNEL if fused else TRAINING if train else FORWARD
        if steps <= long:
            return _peak(network, batch, steps, train)
        first, second = (_peak(network, batch, n, train) for n in (short, long))
        return second + (second - first) * (steps - long) // (long - short)

    return Memory(sum(array.nbytes for array in arrays), needed(train=False), needed(train=True))


def _peak(network: NCPLayer, batch: int, steps: int, train: bool) -> int:
    """The most bytes in use at once during a run, by MLX and by NumPy together."""
    x = mx.zeros((batch, steps, network.input_size or 1))
    mx.eval(x)
    follow = nn.value_and_grad(network, lambda model: _squares(model(x)))

    def run() -> Any:
        return follow(network) if train else network(x)

    run()  # builds what is built only once
    # How soon MLX frees an array is a matter of luck, which gradients, that keep all, have no part in.
    return sorted(peak_bytes(run) for _ in range(1 if train else 5))[-1 if train else 2]


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
