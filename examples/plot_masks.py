"""
Masks
=====

What the cells see: rows are presynaptic, columns postsynaptic, the sensory part above the recurrent part.
"""

import ganglion as gl

circuit = gl.auto_ncp(64, 8, inputs=16)
gl.viz.plot_masks(gl.compile_circuit(circuit))
