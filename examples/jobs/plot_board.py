"""
Onto a board
============

A policy that pushes back what it sees tilt is trained, leaves Python as C without heap or libraries, is
compiled, and gives the same answers.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.optimizers as optim
import numpy as np

import ganglion as gl

rng = np.random.default_rng(0)
angles = np.cumsum(rng.normal(0, 0.3, (64, 30, 1)), axis=1) * 0.3
x = angles.astype(np.float32)
y = np.clip(-(2 * angles + 4 * np.diff(angles, axis=1, prepend=angles[:, :1])), -1, 1).astype(np.float32)

mx.random.seed(0)
circuit = gl.auto_ncp(12, 1, inputs=1, sparsity=0.3, seed=1)
circuit.rename({"sensory_0": "angle", "motor_0": "torque"})
rnn = gl.CfC(circuit)
gl.fit(
    rnn,
    (x, y),
    loss=gl.training.mse,
    optimizer=optim.Adam(0.02, bias_correction=True),
    epochs=40,
    batch_size=16,
    progress=False,
)

# %%
# The same policy as C, fed from standard input, a sample a line:

with tempfile.TemporaryDirectory() as folder:
    source, program = Path(folder, "policy.c"), Path(folder, "policy")
    gl.export_c(rnn, source)
    print(f"policy.c: {len(source.read_text().splitlines())} lines")
    subprocess.run(
        [shutil.which("cc") or "gcc", "-O2", "-Dpolicy_MAIN", source, "-o", program, "-lm"], check=True
    )
    lines = "".join(f"{value}\n" for value in x[0, :, 0])
    said = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
c = np.array([float(line) for line in said.split()])
ours = np.array(rnn(mx.array(x[:1]))[0])[0, :, 0]
print(f"C and Python differ by at most {np.abs(c - ours).max():.0e}")

# %%
figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
palette = gl.viz.current().palette
ax.plot(y[0, :, 0], color=palette[3], linewidth=4, alpha=0.5, label="wanted")
ax.plot(ours, color=palette[0], label="Python")
ax.plot(c, "--", color=palette[1], label="C")
ax.set(xlabel="sample", ylabel="torque")
ax.legend(frameon=False, ncols=3)
