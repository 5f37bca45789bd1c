"""
Heat map
========

All neurons with state, sorted by role; inside a role, similar neurons are neighbours.
"""

import mlx.core as mx
import numpy as np

import ganglion as gl

mx.random.seed(3)
circuit = gl.auto_ncp(64, 8, inputs=6, sparsity=0.6)
time = np.arange(120) * 0.25
tones = np.sin(time[:, None] * np.linspace(0.5, 2.0, 6)) * (time[:, None] % 10 < 7)

recording = gl.record(gl.LTC(circuit), mx.array(tones.astype(np.float32)), timespans=0.25)
gl.viz.plot_heatmap(recording, cluster=True)
