"""Train on several processes, on one machine or more: each one trains on its part of every batch.

mlx.launch -n 2 examples/train_distributed.py
mlx.launch --hosts first,second examples/train_distributed.py
"""

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl

mx.random.seed(0)
x = mx.random.normal((64, 20, 2))
target = mx.tanh(mx.cumsum(x, axis=1)[..., :1])

rnn = gl.LTC(gl.auto_ncp(16, 1, inputs=2))
history = gl.fit(
    rnn,
    (x, target),
    loss=gl.training.mse,
    optimizer=optim.Adam(learning_rate=0.01, bias_correction=True),
    epochs=100,
    batch_size=16,
    clip_norm=1.0,
    checkpoint="run-distributed",
    distributed=True,
)
group = mx.distributed.init()
print(f"process {group.rank()} of {group.size()}: loss {history.loss[-1]:.4f}")
