"""
To ncps and back
================

An ncps model on PyTorch is a state dict and options. Both go each way; here a network of ours becomes one
and comes back, without PyTorch at hand. :doc:`Coming from ncps </migration>` translates a whole training
script line by line.
"""

import matplotlib.pyplot as plt
import mlx.core as mx

import ganglion as gl

circuit = gl.auto_ncp(16, 2, inputs=4, seed=1)
rnn = gl.LTC(circuit, key=mx.random.key(0))

weights, options = gl.to_ncps(rnn), gl.ncps_options(rnn)
for name, array in list(weights.items())[:4]:
    print(f"{name:30} {array.shape}")
print(options)

# %%
# There: ``model = ncps.torch.LTC(4, wiring, **options)`` and ``model.load_state_dict(...)``. And back here,
# from
# ``model.state_dict()``, into a network over the same wiring:

twin = gl.LTC(circuit, key=mx.random.key(1))
gl.load_ncps(twin, weights)

x = mx.random.normal((1, 40, 4), key=mx.random.key(2))
ours, theirs = rnn(x)[0], twin(x)[0]
print("largest difference:", mx.abs(ours - theirs).max().item())

# %%
figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
for k in range(2):
    color, _ = gl.viz.current().line(k)
    ax.plot(ours[0, :, k].tolist(), color=color, linewidth=3, alpha=0.3, label=f"motor_{k}, before")
    ax.plot(theirs[0, :, k].tolist(), "--", color=color, label=f"motor_{k}, and back")
ax.set(xlabel="sample", ylabel="output")
ax.legend(frameon=False, fontsize="small", ncols=2)
