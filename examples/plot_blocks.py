"""
A large circuit, summed up
==========================

Above 400 neurons or 6000 synapses a circuit is drawn by role: ribbons are as wide as they hold synapses.
"""

import ganglion as gl

circuit = gl.auto_ncp(1000, 40, inputs=60, sparsity=0.9)
gl.viz.plot_circuit(circuit, style="blocks")
