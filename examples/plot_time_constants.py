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
rnn = gl.LTC(circuit)
time = np.arange(80) * 0.25
tones = np.sin(time[:, None] * np.linspace(0.5, 2.0, 6)) * (time[:, None] % 10 < 7)
recording = gl.record(rnn, mx.array(tones.astype(np.float32)), timespans=0.25)
gl.viz.plot_time_constants(recording, gl.time_constants(rnn, recording))
