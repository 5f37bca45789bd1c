"""
What is each neuron for?
========================

A network is trained to turn towards the louder of two sounds. Then every inter and command neuron is taken
out in turn, all of them in one launch, and the interval around each effect says whether it is more than
chance.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.optimizers as optim
import numpy as np

import ganglion as gl

rng = np.random.default_rng(0)
loud = rng.uniform(0, 1, (96, 1, 2)) * (rng.random((96, 30, 2)) < 0.7)
x = loud.astype(np.float32)
y = np.tanh(3 * (np.cumsum(x[..., :1] - x[..., 1:], axis=1) / np.arange(1, 31)[None, :, None])).astype(
    np.float32
)

circuit = gl.auto_ncp(20, 1, inputs=2, sparsity=0.4, seed=3)
circuit.rename({"sensory_0": "left ear", "sensory_1": "right ear", "motor_0": "turn"})
mx.random.seed(0)
rnn = gl.LTC(circuit)
history = gl.fit(
    rnn,
    (x[:64], y[:64]),
    loss=gl.training.mse,
    optimizer=optim.Adam(0.02, bias_correction=True),
    epochs=40,
    batch_size=16,
    clip_norm=1.0,
    progress=False,
)
print(history.summary)

# %%
# Sequences that it has not seen, with and without each neuron:

study = gl.study(rnn, [gl.each("inter"), gl.each("command")], measure="error", x=x[64:], y=y[64:])
for name, effect in list(study.effects().items())[:3]:
    print(f"without {name} the error rises by {effect:.3f}")
gl.viz.plot_study(study)

# %%
# The synapses from the left ear to the turn, strongest way first:

gl.viz.plot_paths(gl.circuit_of(rnn), "left ear", "turn")
plt.show()
