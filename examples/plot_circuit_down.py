"""
A circuit for one column
========================

The layers run down the page, in the width of a single column.
"""

from matplotlib import pyplot as plt

import ganglion as gl

circuit = gl.ncp(
    inter=10, command=7, motor=3, inputs=6,
    sensory_fanout=3, inter_fanout=3, recurrent_command_synapses=6, motor_fanin=4, seed=3,
)  # fmt: skip
_, ax = plt.subplots(figsize=(3.4, 4.0), layout="constrained")
gl.viz.plot_circuit(circuit, ax=ax, direction="down")
