"""
Neurons with channels
=====================

Neurons of Morris and Lecar (Biophysical Journal 35, 1981, 193-213) over a circuit, in mV, ms, mS/cm2 and
uA/cm2, as equations: a calcium current that opens at once, and a potassium current that opens late and ends
each swing. One of them, alone, rests or oscillates, as its drive says; in a circuit, synapses drive them too.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np

import ganglion as gl


class MorrisLecar(gl.EquationCell):
    """A calcium and a potassium current, with graded conductance synapses."""

    parameters = {
        "g": gl.synapse(0.05, 0.5, positive=True, strength=True),
        "theta": gl.synapse(-30.0, 0.0),
        "k": gl.synapse(5.0, 15.0, positive=True),
        "e": gl.synapse("polarity"),
        "swing": gl.neuron(40.0, positive=True),
        "middle": gl.neuron(-40.0),
        "cm": gl.neuron(20.0, positive=True),
        "g_ca": gl.neuron(4.4, positive=True),
        "g_k": gl.neuron(8.0, positive=True),
        "g_l": gl.neuron(2.0, positive=True),
        "v_ca": gl.neuron(120.0),
        "v_k": gl.neuron(-84.0),
        "v_l": gl.neuron(-60.0),
        "v1": gl.neuron(-1.2),
        "v2": gl.neuron(18.0, positive=True),
        "v3": gl.neuron(2.0),
        "v4": gl.neuron(30.0, positive=True),
        "phi": gl.neuron(0.04, positive=True),
        "drive": gl.neuron(30.0, 60.0),
        "input_w": gl.sensor(30.0),
        "input_b": gl.sensor(-15.0),
        "output_w": gl.motor(0.02),
        "output_b": gl.motor(0.5),
    }
    inputs = "input_w * x + input_b"
    outputs = "output_w * v + output_b"
    synapse = {"i": "g * sigmoid((v_pre - theta) / k) * (swing * e + middle - v)"}
    let = {
        "m_open": "(1 + tanh((v - v1) / v2)) / 2",
        "n_open": "(1 + tanh((v - v3) / v4)) / 2",
        "rate": "phi * (exp((v - v3) / (2 * v4)) + exp((v3 - v) / (2 * v4))) / 2",  # phi * cosh
    }
    dynamics = (
        "cm * dv/dt = g_ca * m_open * (v_ca - v) + g_k * n * (v_k - v) + g_l * (v_l - v) + i + drive",
        "dn/dt = rate * (n_open - n)",
    )
    units = {
        "v": "mV", "theta": "mV", "k": "mV", "swing": "mV", "middle": "mV", "v_ca": "mV", "v_k": "mV",
        "v_l": "mV", "v1": "mV", "v2": "mV", "v3": "mV", "v4": "mV", "cm": "uF/cm**2", "g": "mS/cm**2",
        "g_ca": "mS/cm**2", "g_k": "mS/cm**2", "g_l": "mS/cm**2", "i": "uA/cm**2", "drive": "uA/cm**2",
        "phi": "1/ms", "n": "1", "timespan": "ms", "output_w": "1/mV",
    }  # fmt: skip


mx.random.seed(0)
rnn = gl.RNN(MorrisLecar(gl.auto_ncp(24, 4, inputs=3)))  # to train it, positive="softplus"
rnn.cell.drive = mx.random.uniform(80.0, 110.0, (rnn.cell.n_neurons,))  # enough to oscillate alone,
rnn.cell.g = rnn.cell.g / 20  # as they do with weak synapses
time = np.arange(400) * 1.0
x = np.where((time > 100) & (time < 250), 2.0, -1.0).astype(np.float32)[:, None] * np.ones(3, np.float32)
state, states = None, []
for sample in mx.array(x):  # a recording has v alone, the first state
    _, state = rnn(sample[None], state)
    states.append(mx.stack(state))
kept = np.array(mx.stack(states))  # (T, 2, N): v and n

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
axes[0].axvspan(100, 250, color="0.92")
for name in ("motor_0", "command_0", "inter_0"):
    v, n = kept[:, :, rnn.cell.neurons.index(name)].T
    axes[0].plot(time, v, label=name)
    axes[1].plot(v, n, label=name)
axes[0].set(xlabel="time (ms)", ylabel="v (mV)", title="While sensors are on, and after")
axes[1].set(xlabel="v (mV)", ylabel="n", title="Phase portrait")
axes[1].legend(frameon=False)
