"""Train a saved network on saved data as one of several processes; `check_distributed` starts this.

python two_ranks.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl


def train(model: object, data: tuple[mx.array, ...], *, distributed: bool) -> list[float]:
    """Two epochs of batches of two, whose losses are returned."""
    history = gl.fit(
        model, data, loss=gl.training.mse, optimizer=optim.SGD(1e-2), epochs=2, batch_size=2, progress=False,
        distributed=distributed,
    )  # fmt: skip
    return list(history.loss)


def main() -> None:
    folder = Path(sys.argv[1])
    rank = mx.distributed.init().rank()
    mx.random.seed(7)  # the order of the batches
    model, arrays = gl.load(folder / "model.safetensors"), mx.load(str(folder / "data.safetensors"))
    data = tuple(arrays[name] for name in ("x", "y", "spans", "mask"))
    loss = train(model, data, distributed=True)
    gl.save(model, folder / f"rank-{rank}.safetensors")
    (folder / f"rank-{rank}.txt").write_text(" ".join(map(repr, loss)))


if __name__ == "__main__":
    main()
