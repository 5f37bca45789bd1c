"""
A circuit
=========

Neurons stand in layers by role, ordered so that few synapses cross. Arrowheads excite, bars inhibit.
"""

import ganglion as gl

circuit = gl.ncp(
    inter=12, command=8, motor=4, inputs=8,
    sensory_fanout=4, inter_fanout=3, recurrent_command_synapses=8, motor_fanin=4, seed=7,
)  # fmt: skip
gl.viz.plot_circuit(circuit)
