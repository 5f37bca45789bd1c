"""
Masks in blocks
===============

A circuit compiled to blocks is drawn in the order it runs in, with the tiles that hold a synapse.
"""

import ganglion as gl

circuit = gl.auto_ncp(120, 10, inputs=16, sparsity=0.9)
gl.viz.plot_masks(gl.compile_circuit(circuit, layout="block", block_size=16, order="rcm"))
