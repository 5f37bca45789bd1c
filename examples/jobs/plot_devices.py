"""
What ran where
==============

Which devices are here, who runs a network on each of them, and that the numbers agree. It runs as it is on
a laptop, a Mac or a machine with an NVIDIA GPU.
"""

import time

import matplotlib.pyplot as plt
import mlx.core as mx

import ganglion as gl

devices = [mx.cpu] + [mx.gpu] * (mx.metal.is_available() or mx.cuda.is_available())
print("default:", mx.default_device(), " here:", *devices)

rnn = gl.LTC(gl.auto_ncp(48, 8, inputs=8, seed=1), key=mx.random.key(0))
x = mx.random.normal((256, 40, 8), key=mx.random.key(1))

# %%
# Arrays have no device, operations do: the same network runs on each of them.

outputs, batches = {}, (1, 16, 64, 256)
seconds = {str(device): [] for device in devices}
for device in devices:
    with mx.stream(device):
        for batch in batches:
            mx.eval(rnn(x[:batch])[0])  # warm
            start = time.perf_counter()
            mx.eval(rnn(x[:batch])[0])
            seconds[str(device)].append(time.perf_counter() - start)
        outputs[str(device)] = rnn(x)[0]
first, *others = outputs.values()
print("largest difference:", max((mx.abs(first - other).max().item() for other in others), default=0.0))

# %%
figure, ax = plt.subplots(figsize=(5, 2.6), layout="constrained")
for k, (name, took) in enumerate(seconds.items()):
    color, dash = gl.viz.current().line(k)
    ax.loglog(batches, [1e3 * t for t in took], dash, marker="o", color=color, label=name)
ax.set(xlabel="sequences in a batch", ylabel="ms for 40 steps")
ax.legend(frameon=False)
