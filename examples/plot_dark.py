"""
Dark ground
===========

Colours follow the ground of the axes, so style sheets just work; ``styled`` changes single fields.
"""

from matplotlib import pyplot as plt

import ganglion as gl

circuit = gl.auto_ncp(24, 4, inputs=8, sparsity=0.7, seed=5)
with plt.style.context("dark_background"), gl.viz.styled(curvature=0.2, markers={"command": "h"}):
    gl.viz.plot_circuit(circuit)
