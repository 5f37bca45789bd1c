"""
A ward: irregular vital signs with gaps
=======================================

Pulse, pressure and temperature of patients, each measured when a nurse came by, and not always all of them:
two of three values are missing. The network is told what is missing and for how long, and says after every
sample whether the patient gets worse. The patients are simulated; nothing here is medicine.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

import ganglion as gl

rng = np.random.default_rng(0)
SIGNS = ("pulse", "pressure", "temperature")


def patient(ill):
    """Times in hours (T,), what was measured (T, 3) with NaN for what was not, and whether it gets worse."""
    hours = np.cumsum(rng.exponential(1.5, rng.integers(15, 30)))
    course = ill * np.clip((hours - rng.uniform(3, 15)) / 10, 0, 1.5)
    ideal = np.stack([75 + 30 * course, 120 - 25 * course, 37 + 1.5 * course], axis=1)
    seen = ideal + rng.normal(0, [9, 10, 0.4], ideal.shape)
    seen[rng.random(seen.shape) < 0.66] = np.nan
    return hours, seen, (course > 0.3).astype(np.float32)[:, None]


hours, seen, worse = zip(*(patient(k % 2) for k in range(160)), strict=True)
scaled = [(one - [75, 120, 37]) / [20, 20, 1] for one in seen]
x, lengths = gl.pad(scaled)
y, _ = gl.pad(worse)
spans, _ = gl.pad([np.diff(t, prepend=t[0]) / 4 for t in hours])  # four hours are one
there = (np.arange(x.shape[1]) < lengths[:, None]).astype(np.float32)
print(f"{len(x)} patients, {np.isnan(np.concatenate(seen)).mean():.0%} of their values missing")

# %%
# ``MissingValueCell`` reads NaN as it stands, and gives the cell inside three numbers for every sign.


def loss(model, x, y, spans, there):
    outputs, _ = model(x, timespans=spans)
    wrong = nn.losses.binary_cross_entropy(outputs, y, reduction="none")[..., 0]
    return (wrong * there).sum() / there.sum()


def network(inside):
    mx.random.seed(0)
    return gl.Stack([inside, gl.NCPDense(1)])


aware = network(gl.RNN(gl.MissingValueCell(gl.CfCCell(gl.auto_ncp(24, 4, inputs=9, sparsity=0.5, seed=1)))))
plain = network(gl.CfC(gl.auto_ncp(24, 4, inputs=3, sparsity=0.5, seed=1)))
carried = x.copy()
for t in range(x.shape[1]):  # the plain one takes the value before, or the usual one
    before = carried[:, t - 1] if t else np.zeros_like(x[:, 0])
    carried[:, t] = np.where(np.isnan(x[:, t]), before, x[:, t])

train, test = slice(0, 120), slice(120, None)
for name, model, given in (("told what is missing", aware, x), ("value before instead", plain, carried)):
    gl.fit(
        model,
        (given[train], y[train], spans[train], there[train]),
        loss=loss,
        optimizer=optim.Adam(0.01, bias_correction=True),
        epochs=40,
        batch_size=32,
        clip_norm=1.0,
        progress=False,
    )
    said = np.array(model(mx.array(given[test]), timespans=spans[test])[0])
    right = ((said > 0) == (y[test] > 0))[there[test] > 0].mean()
    print(f"{name}: {right:.1%} of the samples of new patients")

# %%
# One patient: what was measured, and what the network makes of it.

k = 121
n = lengths[k]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(7, 3.6), sharex=True, layout="constrained")
for sign, name in enumerate(SIGNS):
    color, _ = gl.viz.current().line(sign)
    top.plot(hours[k], scaled[k][:, sign], "os^"[sign], color=color, markersize=4, label=name)
chance = np.array(mx.sigmoid(aware(mx.array(x[k : k + 1]), timespans=spans[k : k + 1])[0]))[0, :n, 0]
bottom.plot(hours[k], worse[k], color=gl.viz.current().muted, label="gets worse")
bottom.plot(hours[k], chance, "--", color=gl.viz.current().palette[1], label="said")
top.set(ylabel="spreads from usual")
bottom.set(xlabel="hours", ylabel="chance")
for ax in (top, bottom):
    ax.legend(frameon=False, fontsize="small", ncols=3)
