"""The same network trained by fit: validation, early stopping, checkpoints, and a file to hand on.

python examples/train_fit.py                     # and once more: it goes on where it was
"""

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl

mx.random.seed(0)
x = mx.random.normal((80, 20, 2))
target = mx.tanh(mx.cumsum(x, axis=1)[..., :1])

rnn = gl.LTC(gl.auto_ncp(16, 1, inputs=2))
history = gl.fit(
    rnn,
    (x[:64], target[:64]),
    loss=gl.training.mse,
    optimizer=optim.Adam(learning_rate=0.01, bias_correction=True),
    epochs=100,
    batch_size=16,
    validation=(x[64:], target[64:]),
    patience=30,
    clip_norm=1.0,
    checkpoint="run-fit",
)
print(f"best epoch: {history.best + 1} of {len(history.loss)}, loss {min(history.validation):.4f}")

gl.save(rnn, "rnn.safetensors")
outputs, _ = gl.load("rnn.safetensors")(x[64:])
assert mx.array_equal(outputs, rnn(x[64:])[0])
