"""The ncps package's layers on PyTorch, trained as ours are: ``pip install torch ncps``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np
from common import Result
from compare import Model, Part, Task

try:
    import torch
    from ncps import torch as layers
except ModuleNotFoundError as error:
    sys.exit(f"the models called ncps need the packages torch and ncps: {error}")

torch.set_num_threads(1)


class Network(torch.nn.Module):
    """A layer of ncps and a linear map of its units.

    Its layers multiply time spans with (B, units), and read (B, T) spans as if their batch were units: they
    are given the same span for each unit.
    """

    def __init__(self, layer: Any, units: int, outputs: int) -> None:
        super().__init__()
        self.layer, self.units = layer, units
        self.readout = torch.nn.Linear(units, outputs)

    def forward(self, x: Any, spans: Any = None) -> Any:
        wide = None if spans is None else spans[:, :, None].expand(-1, -1, self.units)
        return self.readout(self.layer(x, timespans=wide)[0])


def train_peer(
    task: Task, name: str, seed: int, model: Model, units: int, options: argparse.Namespace
) -> Result:
    """Train the layer with Adam and test it after its best epoch, as `common.train` does with ours."""
    assert model.peer is not None
    kind, given = model.peer
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network(getattr(layers, kind)(task.training[0].shape[-1], units, **given), units, task.outputs)
    optimizer = torch.optim.Adam(network.parameters(), model.rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, model.decay)
    items, best, kept, seconds, processor = len(task.training[0]), np.inf, (0, {}), 0.0, []
    for epoch in range(options.epochs):
        start, busy = time.perf_counter(), time.process_time()
        network.train()
        order = rng.permutation(items)
        for batch in np.array_split(order, -(-items // model.batch)):
            optimizer.zero_grad()
            _loss(task, network, tuple(array[batch] for array in task.training)).backward()
            if model.clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), model.clip)
            optimizer.step()
        schedule.step()
        score = task.score(_answers(network, task.validation), task.validation[1])
        worse = -score if task.higher else score
        if worse < best:
            best = worse
            kept = epoch + 1, {key: value.clone() for key, value in network.state_dict().items()}
        seconds += time.perf_counter() - start
        processor.append(time.process_time() - busy)
        print(
            f"{name} {seed} epoch {epoch + 1}: {score:.4f}, {processor[-1]:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    network.load_state_dict(kept[1])
    score = task.score(_answers(network, task.test), task.test[1])
    count = sum(value.numel() for value in network.parameters() if value.requires_grad)
    result = Result(name, seed, score, kept[0], options.epochs, seconds, count, median(processor))
    print(json.dumps(asdict(result)), flush=True)
    return result


def _loss(task: Task, network: Network, batch: Part) -> Any:
    x, y, *spans = map(torch.from_numpy, batch)
    outputs = network(x, *spans)
    if task.classes:
        return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten().long())
    return torch.nn.functional.mse_loss(outputs, y)


def _answers(network: Network, part: Part) -> np.ndarray:
    network.eval()
    inputs = (part[0], *part[2:])
    with torch.no_grad():
        return np.concatenate(
            [
                network(*(torch.from_numpy(array[start : start + 256]) for array in inputs)).numpy()
                for start in range(0, len(part[0]), 256)
            ]
        )
