"""
Phase plane
===========

The state of a whole circuit along its first two principal components, coloured by time.
"""

import mlx.core as mx
import numpy as np

import ganglion as gl

mx.random.seed(3)
circuit = gl.auto_ncp(32, 4, inputs=2, sparsity=0.6)
time = np.arange(160) * 0.25
drive = np.stack([np.sin(time), np.cos(0.7 * time)], axis=1).astype(np.float32)

recording = gl.record(gl.LTC(circuit), mx.array(drive), timespans=0.25)
gl.viz.plot_phase(recording)
