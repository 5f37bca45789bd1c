"""What tasks of events share: streams of unequal lengths in batches, and the answer after the last event."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import ganglion as gl

PARTS = 4


class Streams:
    """Streams as batches that come by their numbers of events, and end with the last event of the longest.

    Its arrays are events (n, T, I), time spans (n, T), numbers of events (n,) and answers (n,).
    """

    def __init__(self, *arrays: np.ndarray) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, items: np.ndarray) -> tuple[mx.array, ...]:
        items = items[np.argsort(self.arrays[2][items], kind="stable")]
        events, spans, lengths, answers = (array[items] for array in self.arrays)
        steps = lengths[-1]
        return mx.array(events[:, :steps]), mx.array(spans[:, :steps]), mx.array(lengths), mx.array(answers)


class LastEvent(nn.Module):
    """A network, and a linear map of its outputs after the last event."""

    def __init__(self, rnn: nn.Module, units: int, outputs: int) -> None:
        super().__init__()
        self.rnn = rnn
        self.readout = nn.Linear(units, outputs)

    def __call__(self, x: mx.array, spans: mx.array, lengths: mx.array) -> mx.array:
        """(B, outputs). Short streams need fewer steps, so the batch, which is sorted, runs in parts."""
        rows = -(-len(lengths) // PARTS)
        parts = [slice(start, start + rows) for start in range(0, len(lengths), rows)]
        last = [self._last(x[part], spans[part], lengths[part]) for part in parts]
        return self.readout(mx.concatenate(last))

    def _last(self, x: mx.array, spans: mx.array, lengths: mx.array) -> mx.array:
        steps = lengths[-1].item()
        states = gl.training.outputs_of(self.rnn, x[:, :steps], spans[:, :steps])
        return mx.take_along_axis(states, lengths[:, None, None] - 1, axis=1)[:, 0]


def share_right(model: nn.Module, data: Streams) -> float:
    """How many streams, in percent, a model names rightly: by its largest output or its only one's sign."""
    model.eval()
    right = 0
    for start in range(0, len(data), 500):
        *given, answers = data[np.arange(start, min(start + 500, len(data)))]
        outputs = model(*given)
        named = outputs[:, 0] > 0 if outputs.shape[1] == 1 else mx.argmax(outputs, axis=1)
        right += (named == answers.astype(named.dtype)).sum().item()
    return 100 * right / len(data)
