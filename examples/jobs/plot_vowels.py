"""
Nine speakers by their vowels
=============================

270 recordings of nine speakers who say a vowel (Japanese Vowels, as sktime ships it): twelve features a
sample, 7 to 26 samples a recording. Ragged sequences are padded, and the network ignores what is behind
their ends.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from sktime.datasets import load_japanese_vowels

import ganglion as gl


def recordings(split):
    """Ragged sequences (T, 12) and the number of the speaker."""
    table, speaker = load_japanese_vowels(split=split)
    rows = [np.stack([cell.to_numpy() for cell in row], axis=1) for row in table.to_numpy()]
    return rows, speaker.astype(int) - 1


heard, who = recordings("train")
x, lengths = gl.pad([row[np.isfinite(row).all(axis=1)] for row in heard])
y = who.astype(np.int32)
print(x.shape, f"{lengths.min()} to {lengths.max()} samples")


def loss(model, x, y, lengths):
    outputs, _ = model(x, lengths=lengths)
    return nn.losses.cross_entropy(
        5 * outputs[:, -1], y, reduction="mean"
    )  # behind its end a row keeps its last output


mx.random.seed(0)
rnn = gl.CfC(gl.auto_ncp(48, 9, inputs=12, sparsity=0.5, seed=1))
history = gl.fit(
    rnn,
    (x, y, lengths),
    loss=loss,
    optimizer=optim.Adam(0.01, bias_correction=True),
    epochs=25,
    batch_size=32,
    progress=False,
)

# %%
# The test recordings were made later, by the same speakers:

heard, who = recordings("test")
x, lengths = gl.pad([row[np.isfinite(row).all(axis=1)] for row in heard])
said = np.array(rnn(x, lengths=lengths)[0][:, -1].argmax(axis=-1))
print(f"{(said == who).mean():.1%} of {len(who)} recordings")

counts = np.zeros((9, 9), int)
np.add.at(counts, (who, said), 1)
figure, ax = plt.subplots(figsize=(3.6, 3.4), layout="constrained")
ax.imshow(counts / counts.sum(axis=1, keepdims=True), cmap="Greys", vmin=0, vmax=1)
for (i, j), n in np.ndenumerate(counts):
    if n:
        ax.text(j, i, n, ha="center", va="center", fontsize=7, color="white" if i == j else "black")
ax.set(xlabel="taken for speaker", ylabel="speaker", xticks=range(9), yticks=range(9))
ax.set(xticklabels=range(1, 10), yticklabels=range(1, 10))
