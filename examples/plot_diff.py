"""
An edit
=======

What is new has the colour of its polarity, what is gone is dashed, what changed has the accent colour.
"""

import ganglion as gl

circuit = gl.ncp(
    inter=12, command=8, motor=4, inputs=8,
    sensory_fanout=4, inter_fanout=3, recurrent_command_synapses=8, motor_fanin=4, seed=7,
)  # fmt: skip
edited = circuit.copy()
edited.remove_neuron("inter_3")
edited.add_neuron("brake", role="command")
edited.add_synapse("inter_5", "brake")
for motor in ("motor_0", "motor_1"):
    edited.add_synapse("brake", motor, polarity=-1)
edited.flip(*next(edge for edge in edited.edges if edge[0].startswith("command")))
gl.viz.plot_diff(circuit, edited)
