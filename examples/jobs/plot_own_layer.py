"""
A layer of your own over a circuit
==================================

``masked_matmul`` multiplies by weights that exist only where there are synapses, and ``synaptic_sum`` adds
up one value per synapse. Together they are what a layer of your own needs: here neurons that divide by what
reaches them, as in the retina.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim

import ganglion as gl


class Normalized(nn.Module):
    """y = relu(sum of w x) / (1 + sum of v x), over the synapses of a circuit."""

    def __init__(self, synapses):
        super().__init__()
        self._synapses = synapses  # underscored: a mask is no parameter
        count = len(synapses.synapses.pre)
        self.w, self.v = 0.3 * mx.random.normal((count,)), 0.3 * mx.random.normal((count,))

    def __call__(self, x):
        driven = gl.masked_matmul(x, self.w, self._synapses)
        shared = gl.masked_matmul(mx.abs(x), mx.abs(self.v), self._synapses)
        return mx.maximum(driven, 0) / (1 + shared)


mx.random.seed(0)
synapses = gl.compile_circuit(gl.auto_ncp(20, 4, inputs=8, sparsity=0.5, seed=1)).sensory
layer = Normalized(synapses)
print("weights:", layer.w.size, "of", 8 * 20, "pairs")
print("inputs of each neuron:", gl.synaptic_sum(mx.ones((layer.w.size,)), synapses).tolist())

# %%
# Gradients follow the synapses, so it trains like any layer of MLX.

x = mx.random.normal((256, 8))
target = mx.square(x.sum(axis=1, keepdims=True)) / 8
model = nn.Sequential(layer, nn.Linear(20, 1))
optimizer = optim.Adam(0.03, bias_correction=True)
step = nn.value_and_grad(model, lambda model: nn.losses.mse_loss(model(x), target))
losses = []
for _ in range(150):
    loss, gradients = step(model)
    optimizer.update(model, gradients)
    losses.append(loss.item())
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")

# %%
figure, ax = plt.subplots(figsize=(5, 2.6), layout="constrained")
ax.plot(losses, color=gl.viz.current().ink)
ax.set(xlabel="step", ylabel="squared error")
