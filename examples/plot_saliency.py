"""
Saliency
========

What each sensor contributes to each motor neuron: the gradient of the last output, summed over time.
"""

import mlx.core as mx
import numpy as np

import ganglion as gl

mx.random.seed(3)
circuit = gl.auto_ncp(32, 4, inputs=8, sparsity=0.6)
rnn = gl.LTC(circuit)
x = mx.random.normal((1, 20, 8))
recording = gl.record(rnn, x)

gradients = [mx.grad(lambda v, m=m: rnn(v)[0][0, -1, m])(x).sum(axis=(0, 1)) for m in range(4)]
gl.viz.plot_saliency(recording, np.stack([np.array(g) for g in gradients], axis=1))
