"""The event-based XOR task of the CfC paper: the parity of a bit stream that is told only where it changes.

    python benchmarks/papers/xor.py --epochs 40 --units 64 --backbone 64 --table benchmarks/results/xor.md

A stream of 2 to 31 random bits becomes a sequence of events, one per run of equal bits: the bit, and the time
since the event before. The answer is the parity of all bits, so a model must count bits by time spans.
Protocol (Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022, and
train_xor.py in the public repository raminmh/CfC): 100,000 training and 10,000 test streams, time in units of
32 bits, a CfC with a backbone, RMSprop, 200 epochs. A full run takes hours on a processor: --items, --units
and --epochs make it smaller. Here 5 % of the training streams choose the epoch that is tested.
"""

from __future__ import annotations

import shlex
import sys
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from common import arguments, table, train
from mlx.utils import tree_flatten
from streams import LastEvent, Streams, share_right

import ganglion as gl

LONGEST, TEST_ITEMS, ITEMS, EPOCHS, BATCH = 32, 10_000, 100_000, 200, 128
PUBLISHED = {
    "CfC": "99.42 ± 0.42",
    "CfC no_gate": "96.29 ± 1.61",
    "CfC pure": "85.42 ± 2.84",
    "CfC mixed": "99.72 ± 0.08",
    "LTC": "49.11 ± 0.00",
}
MODELS: dict[str, dict[str, Any]] = {
    "CfC": {"backbone_activation": "relu"},
    "CfC no_gate": {"mode": "no_gate", "backbone_activation": "silu"},
    "CfC pure": {"mode": "pure", "backbone_activation": "silu"},
    "CfC mixed": {"mixed_memory": True, "backbone_activation": "relu"},
}


def streams(items: int, seed: int) -> tuple[np.ndarray, ...]:
    """Events (n, 32, 1), time spans (n, 32), numbers of events (n,), parities (n,) of random bit streams."""
    rng = np.random.default_rng(seed)
    events = np.zeros((items, LONGEST, 1), np.float32)
    spans = np.ones((items, LONGEST), np.float32)  # padding comes after the last event and is never read
    lengths, parity = np.zeros(items, np.int32), np.zeros(items, np.float32)
    for item in range(items):
        bits = rng.integers(0, 2, rng.integers(2, LONGEST))
        changes = np.flatnonzero(np.diff(bits, prepend=-1))  # an event is where a new run of bits begins,
        times = np.append(changes + 1, len(bits))  # and the end of the stream is one more
        values = np.append(bits[changes], bits[-1])
        times, first = np.unique(times, return_index=True)
        n = len(times)
        events[item, :n, 0], spans[item, :n] = values[first], np.diff(times, prepend=0)
        lengths[item], parity[item] = n, bits.sum() % 2
    return events, spans / LONGEST, lengths, parity


def loss(model: LastEvent, x: mx.array, spans: mx.array, lengths: mx.array, parity: mx.array) -> mx.array:
    """Cross entropy of the parity; in training, also the published weight decay of all matrices."""
    error = nn.losses.binary_cross_entropy(model(x, spans, lengths)[:, 0], parity)
    if not model.training:
        return error
    matrices = [array for name, array in tree_flatten(model.rnn.parameters()) if name.endswith("weight")]
    return error + 3e-6 * sum(mx.square(matrix).sum() for matrix in matrices)


def main() -> None:
    """Train every model with every seed and print the table."""
    parser = arguments(__doc__, list(MODELS), EPOCHS)
    parser.add_argument("--items", type=int, default=ITEMS, help=f"training streams (default: {ITEMS})")
    parser.add_argument("--units", type=int, default=192, help="hidden units (default: 192)")
    parser.add_argument("--backbone", type=int, default=128, help="backbone units (default: 128)")
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of all gradients (default: 1)")
    parser.add_argument("--rate", type=float, default=0.005, help="of RMSprop, at first (default: 0.005)")
    options = parser.parse_args()
    data, test = streams(options.items, seed=1234984), Streams(*streams(TEST_ITEMS, seed=48736))
    held_out = options.items // 20
    training = Streams(*(array[held_out:] for array in data))
    validation = Streams(*(array[:held_out] for array in data))
    steps = -(-len(training) // BATCH)
    results = []
    for name in options.models:
        for seed in options.seeds:
            mx.random.seed(seed)
            sizes = gl.dense(1, options.units)
            rnn = gl.CfC(sizes, backbone_units=options.backbone, engine=options.engine, **MODELS[name])
            rate = optim.exponential_decay(options.rate, 0.95 ** (1 / steps))
            results.append(
                train(
                    name, seed, LastEvent(rnn, options.units, 1), training, validation,
                    lambda model: share_right(model, test), options,
                    loss=loss, optimizer=optim.RMSprop(rate, alpha=0.9),
                    batch_size=BATCH, clip_norm=options.clip,
                )
            )  # fmt: skip
    text = table(results, PUBLISHED, "test accuracy, %", f"python {shlex.join(sys.argv)}")
    print(text)
    if options.table:
        options.table.write_text(f"# Event-based XOR: parity of a bit stream\n\n{text}\n")


if __name__ == "__main__":
    main()
