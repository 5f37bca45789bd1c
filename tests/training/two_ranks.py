"""Train as one process or several; `test_distributed.py` starts this with `mlx.launch`.

    python two_ranks.py OUT [--die RANK STEP]

Every process draws other initial weights, so that only what `fit` does can make them equal.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl

STEPS = 20


class Die(gl.training.Callback):
    """End this process as the system would, if it is the one."""

    def __init__(self, rank: int, step: int) -> None:
        self.mine = mx.distributed.init().rank() == rank
        self.step = step

    def on_step(self, run: gl.training.Run) -> None:
        if self.mine and run.step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    out = Path(sys.argv[1])
    dying = [Die(int(sys.argv[3]), int(sys.argv[4]))] if "--die" in sys.argv else []
    rank = mx.distributed.init().rank()
    mx.random.seed(100)
    x = mx.random.normal((18, 5, 3))
    mx.random.seed(rank)
    rnn = gl.LTC(gl.random(6, inputs=3, outputs=2), ode_unfolds=2)
    history = gl.fit(
        rnn,
        (x, mx.sin(x[..., :2])),
        loss=gl.training.mse,
        optimizer=optim.Adam(0.02),
        epochs=STEPS // 5,
        batch_size=4,  # the last batch of an epoch has 2 items
        validation=(x[:7], mx.sin(x[:7, :, :2])),
        clip_norm=0.5,
        checkpoint=out / "run",
        checkpoint_every=1,
        callbacks=dying,
        distributed=True,
        progress=False,
    )
    assert len(history.loss) == STEPS // 5
    gl.save(rnn, out / f"rank-{rank}.safetensors")


main()
