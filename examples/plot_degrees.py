"""
Degrees
=======

How many synapses each neuron receives and sends; a bar marks the median of its role.
"""

import ganglion as gl

gl.viz.plot_degrees(gl.auto_ncp(64, 8, inputs=16, sparsity=0.8))
