"""The event-based sequential MNIST of the CfC paper: a digit, told by where its pixels turn black or white.

    git clone https://github.com/rasbt/mnist-pngs
    python benchmarks/papers/events.py --data mnist-pngs --items 12000 --epochs 20 --runs RUNS

PATH holds the images of MNIST as train/0/1.png ... and test/9/9999.png, 28 x 28 grey pixels.
Protocol (Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022, and
train_et_smnist.py and irregular_sampled_datasets.py of the public repository raminmh/CfC): pixels above 128,
line by line, are a stream of bits, of which each change is an event: the bit, and the pixels since the event
before, in units of 256; at most 256 events; the class after the last one; 64 units, a backbone of 128, cross
entropy, RMSprop with a rate of 0.0005, batches of 128, 200 epochs. Here 5 % of the training images choose the
epoch that is tested. --items takes the first of the training images in an order that a fixed seed decides.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from common import arguments, table, train
from models import full_circuit
from PIL import Image
from streams import LastEvent, Streams, share_right

import ganglion as gl

MOST, DARK, ITEMS, EPOCHS, BATCH = 256, 128, 60_000, 200, 128
PUBLISHED = {"CfC no_gate": "96.99", "CfC mixed": "98.09", "LTC": "95.25"}
"""As the publication's text has them; the rest of its table was not at hand."""
NOTES = """\
The events are those of the published script, number by number. It chooses no epoch: it tests the last. Its
heads are 1.7159 tanh(0.666 x), ours tanh. After the last event nothing is told: how many pixels follow is
not known."""
MODES: dict[str, dict[str, Any]] = {
    "CfC": {},
    "CfC no_gate": {"mode": "no_gate"},
    "CfC pure": {"mode": "pure"},
    "CfC mixed": {"mixed_memory": True},
}
MODELS = [*MODES, "LTC"]


def events(images: np.ndarray) -> tuple[np.ndarray, ...]:
    """Events (n, T, 1), time spans (n, T) and numbers of events (n,) of images (n, 28, 28) of bytes."""
    bits = images.reshape(len(images), -1) > DARK
    changes = [np.flatnonzero(np.diff(row.astype(np.int8), prepend=-1))[:MOST] for row in bits]
    lengths = np.array([len(places) for places in changes], np.int32)
    shape = len(images), int(lengths.max())
    values, spans = np.zeros((*shape, 1), np.float32), np.ones(shape, np.float32)
    for item, places in enumerate(changes):
        values[item, : len(places), 0] = bits[item, places]
        spans[item, : len(places)] = np.diff(places, prepend=-1) / np.float32(MOST)
    return values, spans, lengths


def load(folder: Path, part: str, items: int | None = None) -> tuple[np.ndarray, ...]:
    """Events, time spans, numbers of events and classes (n,) of a part's images, in a fixed order."""
    files = sorted((folder / part).glob("[0-9]/*.png"), key=lambda file: (file.parent.name, int(file.stem)))
    if not files:
        sys.exit(f"events.py: {folder / part} holds no images: expected {part}/0/1.png and the like")
    picked = np.random.default_rng(7).permutation(len(files))[:items]
    images = np.stack([np.asarray(Image.open(files[pick]).convert("L")) for pick in picked])
    return *events(images), np.array([int(files[pick].parent.name) for pick in picked], np.int32)


def loss(model: LastEvent, x: mx.array, spans: mx.array, lengths: mx.array, digits: mx.array) -> mx.array:
    """Cross entropy of the digit."""
    return nn.losses.cross_entropy(model(x, spans, lengths), digits, reduction="mean")


def network(name: str, options: Any, seed: int) -> nn.Module:
    """The network of a name."""
    if name == "LTC":
        return gl.LTC(full_circuit(1, options.units, 1000 * seed), engine=options.engine)
    given = {"backbone_units": options.backbone, "backbone_activation": "gelu", **MODES[name]}
    return gl.CfC(gl.dense(1, options.units), engine=options.engine, **given)


def main() -> None:
    """Train every model with every seed and print the table."""
    parser = arguments(__doc__, MODELS, EPOCHS)
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the folder of the images")
    parser.add_argument("--items", type=int, default=ITEMS, help=f"training images (default: {ITEMS})")
    parser.add_argument("--units", type=int, default=64, help="hidden units (default: 64)")
    parser.add_argument("--backbone", type=int, default=128, help="backbone units (default: 128)")
    parser.add_argument("--rate", type=float, default=0.0005, help="of RMSprop (default: 0.0005)")
    parser.add_argument("--clip", type=float, help="largest norm of all gradients (default: none)")
    options = parser.parse_args()
    data, test = load(options.data, "train", options.items), Streams(*load(options.data, "test"))
    held_out = len(data[0]) // 20
    training = Streams(*(array[held_out:] for array in data))
    validation = Streams(*(array[:held_out] for array in data))
    results = []
    for name in options.models:
        for seed in options.seeds:
            mx.random.seed(seed)
            model = LastEvent(network(name, options, seed), options.units, 10)
            results.append(
                train(
                    name, seed, model, training, validation, lambda model: share_right(model, test), options,
                    loss=loss, optimizer=optim.RMSprop(options.rate, alpha=0.9), batch_size=BATCH,
                    clip_norm=options.clip,
                )
            )  # fmt: skip
    text = table(results, PUBLISHED, "test accuracy, %", f"python {shlex.join(sys.argv)}") + f"\n\n{NOTES}"
    print(text)
    if options.table:
        options.table.write_text(f"# Event-based sequential MNIST\n\n{text}\n")


if __name__ == "__main__":
    main()
