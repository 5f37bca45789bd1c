"""
Correlation
===========

Which neurons do the same at the same time: Pearson's correlation of every pair, similar neurons side by side.
"""

import mlx.core as mx

import ganglion as gl

mx.random.seed(3)
rnn = gl.LTC(gl.auto_ncp(24, 4, inputs=4, sparsity=0.6, seed=1))
recording = gl.record(rnn, mx.random.normal((60, 4)))
gl.viz.plot_correlation(recording, cluster=True)
