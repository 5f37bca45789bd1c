"""
Forecasting sunspots
====================

Yearly sunspot numbers since 1700, as statsmodels ships them. A CfC reads each year beside the one nine years
before and says the next three; the last 60 years are kept for the test. "As now" and "as eleven years ago",
the length of a cycle, are what it has to beat: it does one and two years ahead, and not three.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from statsmodels.datasets import sunspots

import ganglion as gl

AHEAD, BACK, TEST, WINDOW = 3, 9, 60, 48
table = sunspots.load_pandas().data
years, spots = table["YEAR"].to_numpy(), np.sqrt(table["SUNACTIVITY"].to_numpy())  # roots: peaks vary less
known = spots[:-TEST]
series = ((spots - known.mean()) / known.std()).astype(np.float32)
x = np.stack([series[BACK:-AHEAD], series[: -AHEAD - BACK]], axis=1)
y = np.stack([series[BACK + k : len(series) - AHEAD + k] for k in range(1, AHEAD + 1)], axis=1)
cut = len(x) - TEST

# %%
# Windows of 48 years for training; the network is then read over all years at once.

starts = np.arange(0, cut - WINDOW + 1, 4)
windows = np.stack([x[s : s + WINDOW] for s in starts]), np.stack([y[s : s + WINDOW] for s in starts])
mx.random.seed(1)
rnn = gl.Stack([gl.CfC(gl.auto_ncp(32, 8, inputs=2, sparsity=0.5, seed=1)), gl.NCPDense(AHEAD)])
gl.fit(
    rnn,
    windows,
    loss=gl.training.mse,
    optimizer=optim.Adam(0.01, bias_correction=True),
    epochs=60,
    batch_size=16,
    clip_norm=1.0,
    progress=False,
)
said = np.array(rnn(mx.array(x))[0])


def error(guess):
    """Root of the mean squared error over the test years, in spreads of the known ones."""
    return np.sqrt(np.mean((guess - y[cut:]) ** 2, axis=0))


past = np.stack([series[BACK + cut + k - 11 :][:TEST] for k in range(1, AHEAD + 1)], axis=1)
print("years ahead            1     2     3")
for name, guess in (("network", said[cut:]), ("as now", x[cut:, :1]), ("as eleven years ago", past)):
    print(f"{name:20}", *(f"{e:5.2f}" for e in error(guess)))

# %%
figure, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
palette = gl.viz.current().palette
shown = slice(cut - 40, None)
ax.plot(years[BACK + AHEAD :][shown], y[shown, 2], color=palette[0], label="what came")
ax.plot(years[BACK + AHEAD :][shown], said[shown, 2], "--", color=palette[1], label="said three years before")
ax.axvline(years[BACK + AHEAD + cut], color=gl.viz.current().muted, linewidth=0.8)
ax.set(xlabel="year; right of the line it was never trained", ylabel="root of sunspots, scaled")
ax.legend(frameon=False, ncols=2)
