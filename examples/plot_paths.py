"""
Routes
======

The three shortest routes from one sensor to one motor neuron.
"""

import ganglion as gl

circuit = gl.ncp(
    inter=12, command=8, motor=4, inputs=8,
    sensory_fanout=4, inter_fanout=3, recurrent_command_synapses=8, motor_fanin=4, seed=7,
)  # fmt: skip
picture = gl.viz.plot_paths(circuit, "sensory_0", "motor_2", count=3)
for path, sign in zip(picture.paths, picture.signs, strict=True):
    print("excites:" if sign > 0 else "inhibits:", " -> ".join(path))
