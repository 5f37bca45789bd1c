"""Two losses over sequences; any function ``loss(model, *batch)`` with a scalar result will do for `fit`."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn


def mse(
    model: nn.Module,
    x: mx.array,
    y: mx.array,
    timespans: mx.array | None = None,
    mask: mx.array | None = None,
) -> mx.array:
    """The mean squared error of a network's outputs.

    With a mask it is the mean over sequences of the mean over their valid samples, so that batches, and parts
    of a batch on several processes, add up.

    Args:
        model: a network or a module around one; of a tuple, the first value is the output.
        x: (B, T, I) inputs.
        y: targets of the output's shape, (B, T, M) or, without sequences, (B, M).
        timespans: (B, T) time since the previous sample.
        mask: (B, T) 1 for the samples that count and 0 for padding.

    Raises:
        ValueError: the targets have another shape than the outputs.

    Example:
        >>> gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optim.Adam(0.01), epochs=20)
    """
    outputs = outputs_of(model, x, timespans)
    if outputs.shape != y.shape:  # broadcasting would hide it
        raise ValueError(f"the outputs have shape {outputs.shape}, but the targets {y.shape}")
    errors = mx.square(outputs - y)
    if mask is None:
        return errors.mean()
    samples = errors.mean(axis=-1) * mask
    return (samples.sum(axis=1) / mask.sum(axis=1)).mean()


def cross_entropy(model: nn.Module, x: mx.array, y: mx.array, timespans: mx.array | None = None) -> mx.array:
    """The mean cross entropy of a network's outputs, taken as logits.

    Args:
        model: a network or a module around one; of a tuple, the first value is the output.
        x: (B, T, I) inputs.
        y: classes, (B,) if the network returns only its last output, (B, T) if it returns all.
        timespans: (B, T) time since the previous sample.

    Example:
        >>> rnn = gl.CfC(circuit, return_sequences=False)
        >>> gl.fit(rnn, (x, digits), loss=gl.training.cross_entropy, optimizer=optim.Adam(0.01), epochs=20)
    """
    return nn.losses.cross_entropy(outputs_of(model, x, timespans), y, reduction="mean")


def outputs_of(model: Any, x: mx.array, timespans: mx.array | None = None) -> mx.array:
    """What a network says, without its state; a module that knows no time spans is not given any."""
    result = model(x) if timespans is None else model(x, timespans=timespans)
    outputs: mx.array = result[0] if isinstance(result, tuple) else result
    return outputs
