"""
Tap withdrawal by hand
======================

The worm's reflex, typed in neuron by neuron from the published drawing: a touch of its head sends it
backward, a touch of its tail forward. Roles and signs are yours to give, and ``check`` says what is wrong
before anything runs.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np

import ganglion as gl

worm = gl.Circuit(name="tap withdrawal")
worm.add_neurons(["PLM", "AVM", "ALM", "PVD"], role="sensory")
worm.add_neurons(["PVC", "AVD", "DVA"], role="inter")
worm.add_neurons(["AVB", "AVA"], role="command")
worm.add_neurons(["FWD", "REV"], role="motor")
for pre, post, sign in [
    ("PLM", "PVC", 1), ("PLM", "DVA", 1), ("PLM", "AVD", -1), ("PLM", "AVA", -1),
    ("AVM", "AVD", 1), ("AVM", "PVC", -1), ("AVM", "AVB", -1), ("ALM", "AVD", 1), ("ALM", "PVC", -1),
    ("PVD", "PVC", 1), ("PVD", "AVA", 1), ("DVA", "PVC", 1), ("DVA", "AVB", 1),
    ("PVC", "AVB", 1), ("AVD", "AVA", 1), ("AVB", "AVA", -1), ("AVA", "AVB", -1),
    ("AVB", "FWD", 1), ("AVA", "REV", 1),
]:  # fmt: skip
    worm.add_synapse(pre, post, polarity=sign)
print(gl.check(worm))

# %%
# A slip of the pen is marked where it is:

slip = worm.copy()
slip.add_edge("REV", "ALM", polarity=1)  # no synapse ends at a sensory neuron
gl.viz.plot_circuit(slip)

# %%
# The circuit, and what an untrained LTC over it makes of a touch of the tail, signs held:

gl.viz.plot_circuit(worm)

# %%
rnn = gl.LTC(worm, polarity="fixed", key=mx.random.key(0))
touch = np.zeros((60, 4), np.float32)
touch[10:30, rnn.cell.sensors.index("PLM")] = 2.0
gl.viz.plot_activity(gl.record(rnn, mx.array(touch), timespans=0.2))
plt.show()
