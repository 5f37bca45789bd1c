"""
Rings
=====

Sensory neurons outside, motor neurons inside; loops and reciprocal pairs stay visible.
"""

from matplotlib import pyplot as plt

import ganglion as gl

circuit = gl.auto_ncp(24, 4, inputs=8, sparsity=0.75, seed=5)
circuit.add_synapse("command_0", "command_0", polarity=1)
_, ax = plt.subplots(figsize=(4.6, 4.9), layout="constrained")
gl.viz.plot_circuit(circuit, pos="radial", ax=ax)
