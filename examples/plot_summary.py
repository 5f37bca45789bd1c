"""
A figure for a paper
====================

The circuit, its masks, its degrees and its balance of signs on one page.
"""

import ganglion as gl

circuit = gl.auto_ncp(48, 6, inputs=8, sparsity=0.75)
gl.viz.plot_summary(circuit)
