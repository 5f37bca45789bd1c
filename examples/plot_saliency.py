"""
Saliency
========

What each sensor contributes to each motor neuron: the gradient of the last output, summed over time.
"""

import mlx.core as mx

import ganglion as gl

mx.random.seed(3)
rnn = gl.LTC(gl.auto_ncp(32, 4, inputs=8, sparsity=0.6))
x = mx.random.normal((20, 8))
gl.viz.plot_saliency(gl.record(rnn, x), gl.saliency(rnn, x))
