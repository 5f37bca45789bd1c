"""Train the touch circuit of C. elegans: forward when touched behind, backward when touched in front.

python examples/train_touch.py

Conductances begin in proportion to the published numbers of synapses, and signs stay as they are published,
the four excitatory synapses between the two halves included. The circuit's `graph["uncertain"]` says what of
that is not known.
"""

import warnings

import mlx.core as mx
import mlx.optimizers as optim

import ganglion as gl

circuit = gl.connectomes.tap_withdrawal(across=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # nobody counted the synapses onto FWD and REV
    rnn = gl.LTC(circuit, start="weight", polarity="fixed", key=mx.random.key(0))
sensors, (forward, reverse) = rnn.cell.sensors, map(rnn.cell.neurons.index, ("FWD", "REV"))

# A touch of ten samples somewhere in forty, behind (PLM) or in front (AVM and ALM); the worm is to move while
# it lasts, and for five samples more.
behind = mx.random.randint(0, 2, (128, 1), key=mx.random.key(1))
onset = mx.random.randint(5, 20, (128, 1), key=mx.random.key(2))
time = mx.arange(40)[None]
touched = (time >= onset) & (time < onset + 10)
where = {"PLM": behind == 1, "AVM": behind == 0, "ALM": behind == 0, "PVD": behind < 0}
x = mx.stack([(touched & where[name]).astype(mx.float32) for name in sensors], axis=-1)
moving = (time >= onset) & (time < onset + 15)
target = mx.where(moving, mx.where(behind == 1, 1.0, -1.0), 0.0)


def loss(rnn: gl.LTC, x: mx.array, target: mx.array) -> mx.array:
    y, _ = rnn(x)
    return mx.square(y[..., forward] - y[..., reverse] - target).mean()


def answers(rnn: gl.LTC) -> mx.array:
    """The share of touches that the worm answers in the right direction, from where it was at rest."""
    y, _ = rnn(x)
    net = y[..., forward] - y[..., reverse]
    during = (net * touched).sum(axis=1) / touched.sum(axis=1)
    return ((during - net[:, 4] > 0) == (behind[:, 0] == 1)).mean()


print(f"before: loss {loss(rnn, x, target).item():.3f}, {answers(rnn).item():.0%} of the answers right")
optimizer = optim.Adam(0.02, bias_correction=True)
gl.fit(rnn, (x, target), loss=loss, optimizer=optimizer, epochs=60, batch_size=32, progress=False)
print(f"after: loss {loss(rnn, x, target).item():.3f}, {answers(rnn).item():.0%} of the answers right")
