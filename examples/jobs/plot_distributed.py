"""
Training on several processes
=============================

``mlx.launch -n 2 script.py`` starts a script twice, and ``gl.fit(..., distributed=True)`` gives each
process its part of every batch. Here a page starts two of them on one machine, and compares their weights
with those that one process gets.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mlx.core as mx

import ganglion as gl

SCRIPT = """
import mlx.core as mx, mlx.optimizers as optim
import ganglion as gl

group = mx.distributed.init()
mx.random.seed(0)  # the same weights and data everywhere
x = mx.random.normal((32, 20, 2))
y = mx.tanh(mx.cumsum(x, axis=1)[..., :1])
rnn = gl.LTC(gl.auto_ncp(8, 1, inputs=2, sparsity=0.2, seed=1))
history = gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optim.Adam(0.02, bias_correction=True),
                 epochs=3, batch_size=16, progress=False, distributed=True)
if group.rank() == 0:
    gl.save(rnn, f"{group.size()}.safetensors")
"""

with tempfile.TemporaryDirectory() as folder:
    script = Path(folder, "script.py")
    script.write_text(SCRIPT)
    launch = [str(Path(sys.executable).with_name("mlx.launch")), "-n", "2", "--python", sys.executable]
    subprocess.run([sys.executable, script.name], cwd=folder, check=True, timeout=60)
    subprocess.run([*launch, str(script)], cwd=folder, check=True, timeout=60, capture_output=True)
    one, two = (gl.load(Path(folder, f"{n}.safetensors")) for n in (1, 2))

difference = max(
    mx.abs(a - b).max().item() for a, b in ((one.cell.w, two.cell.w), (one.cell.erev, two.cell.erev))
)
print(f"weights of two processes and of one differ by at most {difference:.0e}")

# %%
figure, ax = plt.subplots(figsize=(3, 3), layout="constrained")
ax.plot(one.cell.erev.tolist(), two.cell.erev.tolist(), ".", color=gl.viz.current().ink)
ax.set(xlabel="weights of one process", ylabel="weights of two")
