"""
Time constants
==============

What makes a neuron liquid: its time constant ``c / (g + sum of synaptic activations)`` follows its inputs.
"""

import mlx.core as mx
import numpy as np

import ganglion as gl

mx.random.seed(3)
circuit = gl.auto_ncp(32, 4, inputs=6, sparsity=0.6)
plan = gl.compile_circuit(circuit).plan
rnn = gl.LTC(circuit)
time = np.arange(80) * 0.25
tones = np.sin(time[:, None] * np.linspace(0.5, 2.0, 6)) * (time[:, None] % 10 < 7)
recording = gl.record(rnn, mx.array(tones.astype(np.float32)), timespans=0.25)

cell = {name: np.array(value) for name, value in rnn.cell.parameters().items()}


def activation(synapses, values, prefix=""):
    """(T, N) the sum of what a neuron's synapses let through."""
    w, mu, sigma = (cell[prefix + name] for name in ("w", "mu", "sigma"))
    each = w / (1 + np.exp(-sigma * (values[:, synapses.pre] - mu)))
    total = np.zeros((len(values), synapses.n_post))
    np.add.at(total.T, synapses.post, each.T)
    return total


inputs = recording.inputs * cell["input_w"] + cell["input_b"]
conductance = cell["gleak"] + activation(plan.recurrent, recording.states)
conductance = conductance + activation(plan.sensory, inputs, "sensory_")
gl.viz.plot_time_constants(recording, cell["cm"] / conductance)
