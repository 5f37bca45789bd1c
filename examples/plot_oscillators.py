"""
A cell from a paper
===================

The coupled oscillatory network (coRNN, Rusch and Mishra, ICLR 2021) in the words of its paper, as equations:
every neuron is a damped oscillator that its synapses drive, with their sources' places and speeds.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np

import ganglion as gl


class CoRNN(gl.EquationCell):
    """Coupled oscillators over a circuit: y'' = tanh(W y + U y' + V x + b) - gamma y - epsilon y'."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "u": gl.synapse("glorot"),
        "b": gl.neuron(0.0),
        "gamma": gl.neuron(2.0, 6.0, positive=True),
        "epsilon": gl.neuron(0.2, 0.8, positive=True),
    }
    synapse = {"drive": "w * y_pre + u * z_pre"}
    sensory = {"drive": "w * x"}
    dynamics = ("dy/dt = z", "dz/dt = tanh(drive + b) - gamma * y - epsilon * z")
    unfolds = 8


mx.random.seed(3)
rnn = gl.RNN(CoRNN(gl.auto_ncp(24, 4, inputs=1)))
time = np.arange(300) * 0.1
pulse = np.where((time > 2) & (time < 4), 3.0, 0.0).astype(np.float32)[None, :, None]
_, _, recording = rnn(mx.array(pulse), timespans=0.1, record=True)

names = [rnn.cell.neurons[k] for k in (0, 12, 20)]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for name in names:
    y = recording.states[0, :, rnn.cell.neurons.index(name)]
    axes[0].plot(time, y, label=name)
    axes[1].plot(y, np.gradient(y, 0.1), label=name)
axes[0].set(xlabel="time", ylabel="y", title="What a pulse leaves behind")
axes[1].set(xlabel="y", ylabel="dy/dt", title="Phase portrait")
axes[1].legend(frameon=False)
