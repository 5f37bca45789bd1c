"""`fit`: a plain MLX training loop with what hours of training need around it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten

from .checkpoints import Checkpoints
from .data import Batches, as_data
from .history import History
from .progress import ProgressBar
from .ranks import LostRankError, Ranks, Terminated
from .run import Callback, EarlyStopping, Run

Loss = Callable[..., mx.array]


def fit(
    model: nn.Module,
    data: Any,
    *,
    loss: Loss,
    optimizer: optim.Optimizer,
    epochs: int,
    batch_size: int = 32,
    validation: Any = None,
    patience: int | None = None,
    clip_norm: float | None = None,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    callbacks: Sequence[Callback] = (),
    distributed: bool = False,
    progress: bool = True,
) -> History:
    """Train a network in place and return its learning curves.

    With validation data the network ends with the parameters of its best epoch. With a checkpoint directory,
    the same call goes on where the run ended, however it ended, to the bit as if it had not. The constraints
    of every network in the model are applied after every step.

    Args:
        model: a network, or a module around one.
        data: a tuple of arrays with the items along the first axis, such as (inputs, targets), or an object
            with ``len(data)`` and ``data[indices] -> tuple of arrays``.
        loss: ``loss(model, *batch)``, the mean over a batch's items; `mse` and `cross_entropy` are two.
        optimizer: of ``mlx.optimizers``; its learning rate may be a schedule.
        epochs: passes over the data.
        batch_size: items per step, over all processes together.
        validation: data in the same form; its loss is measured after every epoch.
        patience: stop after this many epochs without a better validation loss.
        clip_norm: the largest norm that all gradients together may have.
        seed: decides the order of the data. Initial weights were drawn before.
        checkpoint: a directory for checkpoints, made if it is not there.
        checkpoint_every: steps between checkpoints inside an epoch; there is one after each epoch anyway.
        callbacks: what else to do after steps and epochs.
        distributed: average gradients over the processes that ``mlx.launch`` started; each one calls `fit`
            with the same arguments and trains on its part of every batch. The first one writes checkpoints.
        progress: whether to show a progress bar on the terminal.

    Raises:
        FloatingPointError: the loss is not finite any more.
        FileError: the checkpoint is damaged, or of another model or data; another process trains there.
        OSError: a checkpoint cannot be written; the one before it is still there.
        ConnectionError: another process of a distributed run is gone.
        ValueError: an argument out of range.

    Example:
        >>> history = gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optim.Adam(0.01), epochs=20,
        ...                  validation=(vx, vy), clip_norm=1.0, checkpoint="run")
    """
    _check(epochs=epochs, batch_size=batch_size, patience=patience, checkpoint_every=checkpoint_every)
    if patience is not None and validation is None:
        raise ValueError("patience needs validation data")
    if checkpoint_every is not None and checkpoint is None:
        raise ValueError("checkpoint_every needs a checkpoint directory")
    ranks = Ranks.of(distributed)
    batches = Batches(as_data(data), batch_size, seed, ranks)
    held_out = Batches(as_data(validation), batch_size, None, ranks) if validation is not None else None
    recipe = {"items": len(batches.data), "batch_size": batch_size, "seed": seed}
    checkpoints = Checkpoints(Path(checkpoint) if checkpoint else None, checkpoint_every, ranks, recipe)
    stopping = [EarlyStopping(patience)] if patience is not None else []
    bar = [ProgressBar()] if progress and ranks.first else []
    watchers = [*stopping, *callbacks, checkpoints, *bar]
    run = Run(model, optimizer, epochs, len(batches))
    try:
        with ranks.watched():
            checkpoints.resume(run)
            for watcher in watchers:
                watcher.on_start(run)
            _train(run, batches, held_out, loss, clip_norm, watchers)
    except (LostRankError, Terminated) as error:  # the signal may come on the way out of the block, too
        where = f"rank {ranks.rank} of {ranks.size} lost another process of the run at step {run.step}"
        raise ConnectionError(f"{where} ({error}); {checkpoints.last()}") from None
    finally:
        for watcher in watchers:
            watcher.on_end(run)
    if run.best is not None:
        model.load_weights(list(run.best.items()))
    return run.history


def _train(
    run: Run,
    batches: Batches,
    validation: Batches | None,
    loss: Loss,
    clip_norm: float | None,
    watchers: Sequence[Callback],
) -> None:
    """The loop itself: what you would write, and calls of the watchers."""
    model, optimizer, ranks = run.model, run.optimizer, batches.ranks
    loss_and_gradients = nn.value_and_grad(model, loss)
    networks = constrained(model)
    while run.epoch < run.epochs and run.stop is None:
        began = time.perf_counter()
        for batch, items, weight in batches.epoch(run.epoch, start=run.batch):
            value, gradients = ranks.average(loss_and_gradients(model, *batch), weight)
            if clip_norm is not None:
                gradients, _ = optim.clip_grad_norm(gradients, clip_norm)
            optimizer.update(model, gradients)
            for network in networks:
                network.apply_constraints()
            mx.eval(value, model.parameters(), optimizer.state)
            run.stepped(value.item(), items)
            for watcher in watchers:
                watcher.on_step(run)
            if run.stop is not None:
                return
        held_out = evaluate(model, validation, loss) if validation is not None else None
        run.passed(time.perf_counter() - began, held_out)
        for watcher in watchers:
            watcher.on_epoch(run)


def evaluate(model: nn.Module, batches: Batches, loss: Loss) -> float:
    """The mean loss over all items, with the model in evaluation mode."""
    training = model.training
    model.eval()
    total, count = 0.0, 0
    for batch, items, weight in batches.epoch(0):
        total += float(np.array(loss(model, *batch))) * items * weight / batches.ranks.size
        count += items
    model.train(training)
    return batches.ranks.sum(total) / count


def constrained(module: nn.Module) -> list[Any]:
    """The outermost modules with constraints: a network applies those of its cell itself."""
    if hasattr(module, "apply_constraints"):
        return [module]
    children: Any = tree_flatten(module.children(), is_leaf=nn.Module.is_module)
    return [network for _, child in children for network in constrained(child)]


def _check(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and (type(number) is not int or number < 1):
            raise ValueError(f"{name} is {number!r}: expected a whole number of at least 1")
