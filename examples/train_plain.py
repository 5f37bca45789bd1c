"""Train an LTC by a plain MLX loop: nothing but mlx.nn and mlx.optimizers.

python examples/train_plain.py
"""

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim

import ganglion as gl

mx.random.seed(0)
x = mx.random.normal((64, 20, 2))
target = mx.tanh(mx.cumsum(x, axis=1)[..., :1])  # a bounded sum of what was seen

rnn = gl.LTC(gl.auto_ncp(16, 1, inputs=2))
optimizer = optim.Adam(learning_rate=0.01, bias_correction=True)


def loss_of(rnn: gl.LTC, x: mx.array, target: mx.array) -> mx.array:
    outputs, _ = rnn(x)
    return nn.losses.mse_loss(outputs, target)


loss_and_gradients = nn.value_and_grad(rnn, loss_of)
for epoch in range(100):
    order = mx.random.permutation(len(x))
    for start in range(0, len(x), 16):
        chosen = order[start : start + 16]
        loss, gradients = loss_and_gradients(rnn, x[chosen], target[chosen])
        gradients, _ = optim.clip_grad_norm(gradients, 1.0)
        optimizer.update(rnn, gradients)
        rnn.apply_constraints()  # conductances and capacitances stay non-negative
        mx.eval(rnn.parameters(), optimizer.state)
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
