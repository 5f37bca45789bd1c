"""
A convolution in front of a circuit
===================================

Handwritten digits of scikit-learn, read column by column: a convolution looks at three columns at once, and
a circuit of 40 neurons follows what it sees. Any module of MLX goes in front of a network or behind it.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from sklearn.datasets import load_digits

import ganglion as gl


class Reader(nn.Module):
    """Features of three columns, a circuit over them, and the last state of its motor neurons."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv1d(8, 12, kernel_size=3, padding=1)
        self.follow = gl.CfC(gl.auto_ncp(40, 10, inputs=12, seed=1))

    def __call__(self, x):
        y, state = self.follow(nn.relu(self.look(x)))
        return 4 * y[:, -1:], state  # scores of the ten digits


mx.random.seed(0)
digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
x = (digits.images[order] / 16).transpose(0, 2, 1).astype(np.float32)  # (B, column, row)
y = digits.target[order].astype(np.int32)


def loss(model, x, y):
    return nn.losses.cross_entropy(model(x)[0][:, 0], y, reduction="mean")


model = Reader()
history = gl.fit(
    model,
    (x[:1300], y[:1300]),
    loss=loss,
    optimizer=optim.Adam(0.01, bias_correction=True),
    epochs=20,
    batch_size=64,
    progress=False,
)
said = np.array(model(mx.array(x[1300:]))[0][:, 0].argmax(axis=-1))
print(f"{(said == y[1300:]).mean():.1%} of {len(said)} digits that it has not seen")

# %%
# What the circuit does while it reads one of them:

recording = gl.record(model.follow, nn.relu(model.look(mx.array(x[1300:1301])))[0])
picture = gl.viz.plot_activity(recording)
picture.figure.suptitle(f"a {y[1300]}, taken for a {said[0]}", fontsize="medium")
plt.show()
