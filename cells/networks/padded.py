"""Layers without state over padded sequences: padding reaches no output, gradient or statistics."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..ops.array_ops import Index, Mask, held_index
from ..samples import begun, only_valid, valid_samples
from .sequence import held


class Padding:
    """Which samples of a stack's input are there, and which way the network before a layer has read them.

    Attributes:
        valid: (B, T) which samples are valid; None for all.
    """

    def __init__(self, values: mx.array, mask: Any, lengths: Any) -> None:
        self.valid: Mask | None = None
        self._begun: Mask | None = None
        if (mask is not None or lengths is not None) and values.ndim in (2, 3):
            batched = values.ndim == 3
            batch = values.shape[0] if batched else 1
            self.valid = valid_samples(mask, lengths, batch, values.shape[-2], batched)
            self.read_by(None)

    def read_by(self, network: Any) -> None:
        """Behind a network: what it showed before its first sample is zeros, whichever way it reads."""
        if self.valid is None:
            return
        both = hasattr(network, "backward")
        backwards = bool(getattr(network, "reverse", False))
        ahead, back = begun(self.valid), begun(self.valid, backwards=True)
        self._begun = ahead | back if both else back if backwards else ahead

    def held(self, values: mx.array) -> mx.array:
        """The values of the last sample where there is none, and zeros before the first one."""
        if self.valid is None:
            return values
        batched = values if values.ndim == 3 else values[None]
        return held(batched, self.valid).reshape(values.shape)

    def map(self, layer: Any, values: mx.array) -> mx.array:
        """What a layer makes of the values; where there is no sample, what it was, and zeros at first.

        A layer with a `BatchNorm` that learns is given the valid samples alone, as (samples, features).
        """
        if self.valid is None or values.ndim < 2 or values.shape[-2] != self.valid.shape[1]:
            mapped: mx.array = layer(values)
            return mapped
        assert self._begun is not None
        shown = self._of_valid(layer, values) if _learns_statistics(layer) else layer(values)
        if shown.shape[:-1] != values.shape[:-1]:  # a layer that looks at several samples answers for itself
            return shown
        return only_valid(shown, self._like(shown, self._begun))

    def _of_valid(self, layer: Any, values: mx.array) -> mx.array:
        assert self.valid is not None
        places = np.flatnonzero(self.valid)
        features = values.reshape(-1, values.shape[-1])
        shown = layer(features[mx.array(places)])
        rows: Index = np.cumsum(self.valid.reshape(-1)).reshape(self.valid.shape) - 1
        last = np.take_along_axis(rows, np.maximum(held_index(self.valid), 0), axis=1)
        taken: mx.array = shown[mx.array(np.maximum(last, 0).reshape(-1))]
        return taken.reshape(*values.shape[:-1], shown.shape[-1])

    @staticmethod
    def _like(values: mx.array, flags: Mask) -> Mask:
        return flags if values.ndim == 3 else flags[0]


def _learns_statistics(layer: Any) -> bool:
    if not isinstance(layer, nn.Module):
        return False
    return any(isinstance(module, nn.BatchNorm) and module.training for module in layer.modules())
