"""
A slow script made fast, step by step
=====================================

The same training step four times: sample by sample on plain operations, then a whole sequence, then one
kernel, then compiled. The numbers stay the same at each step, and a picture shows what each was worth here.
"""

import time
from functools import partial

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim

import ganglion as gl

circuit = gl.auto_ncp(24, 4, inputs=6, seed=1)
x, y = mx.random.normal((16, 12, 6), key=mx.random.key(1)), mx.zeros((16, 12, 4))


def network(engine):
    """The same weights each time."""
    return gl.LTC(circuit, engine=engine, key=mx.random.key(0))


def sample_by_sample(model, x, y):
    state, total = None, 0.0
    for t in range(x.shape[1]):
        output, state = model(x[:, t : t + 1], state)
        total = total + mx.square(output - y[:, t : t + 1]).mean()
    return total / x.shape[1]


def step_of(model, loss):
    """One step of training, and the loss before it."""
    optimizer = optim.Adam(0.01, bias_correction=True)
    of = nn.value_and_grad(model, loss)

    def step(x, y):
        value, gradients = of(model, x, y)
        optimizer.update(model, gradients)
        model.apply_constraints()
        return value

    return step, [model.state, optimizer.state]


def milliseconds(step, state):
    """The median of five steps, and the loss after them: MLX computes when it is asked to, so ask."""
    mx.eval(step(x, y), state)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        value = step(x, y)
        mx.eval(value, state)
        took.append(1e3 * (time.perf_counter() - start))
    return sorted(took)[2], value.item()


# %%
# Four ways, the slowest first:

found = {}
found["sample by sample"] = milliseconds(*step_of(network("ops"), sample_by_sample))
found["whole sequences"] = milliseconds(*step_of(network("ops"), gl.training.mse))
found["one kernel"] = milliseconds(*step_of(network("auto"), gl.training.mse))
step, state = step_of(network("auto"), gl.training.mse)
found["compiled"] = milliseconds(partial(mx.compile, inputs=state, outputs=state)(step), state)
losses = [value for _, value in found.values()]
print("losses agree within", f"{max(losses) - min(losses):.0e}")

# %%
figure, ax = plt.subplots(figsize=(6, 2.2), layout="constrained")
times = [time for time, _ in found.values()]
ax.barh(list(found), times, color=gl.viz.current().muted)
ax.set(xscale="log", xlabel="ms a step, logarithmic")
ax.bar_label(ax.containers[0], fmt=" %.1f")
ax.margins(x=0.2)
ax.invert_yaxis()
