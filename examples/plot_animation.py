"""
Moving picture
==============

Activity on the circuit, one frame per sample. Notebooks show the last line; ``save`` writes GIF or MP4.
"""

import mlx.core as mx
import numpy as np
from matplotlib import pyplot as plt

import ganglion as gl

mx.random.seed(3)
circuit = gl.auto_ncp(32, 4, inputs=6, sparsity=0.6)
time = np.arange(60) * 0.25
tones = np.sin(time[:, None] * np.linspace(0.5, 2.0, 6)) * (time[:, None] % 10 < 7)
recording = gl.record(gl.LTC(circuit), mx.array(tones.astype(np.float32)), timespans=0.25)

animation = gl.viz.animate_activity(circuit, recording)
print(animation)

# A single frame, for those who cannot see it move.
figure, ax = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
ax.imshow(animation.frames[20])
ax.set_axis_off()
animation  # noqa: B018
