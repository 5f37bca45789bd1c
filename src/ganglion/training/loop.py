"""`fit`: a plain MLX training loop with what hours of training need around it."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

from ..arguments import flag, function_of, instance, label, real, scalar, seed_number, several, whole
from ..arguments import path as as_path
from ..cells.networks.knowing import place_priors, refuse_members_with_priors
from ..cells.networks.solving import TOLERANCE
from ..cells.priors import Priors
from ..forks import require_computing
from ..interchange.files import put_parameters
from ..interchange.modes import modes_kept
from ..interchange.origins import remember_training
from .carried import CarriedStep, measured, require_carrier
from .checkpoints import Checkpoints
from .data import Arrays, Batches, as_data, sampled
from .finite import Guard, Loss, blame, blow_up, half_and_epsilon
from .history import History
from .inspection import summarize
from .losses import takes
from .measuring import Measure
from .progress import Drawn, progress_for
from .ranks import LostRankError, Ranks, Terminated
from .ready import build_for, require_loss, require_trainable
from .recipe import recipe_of, warn_of_bias
from .run import Callback, EarlyStopping, Run
from .step import Step
from .summary import told_scale
from .timescale import choose_time_scale, choose_unfolds, warn_of_gaps, warn_of_time
from .windows import Cut, Windows

Judge: TypeAlias = Callable[[nn.Module], float]


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
    carry_state: bool = False,
    window: int | None = None,
    washout: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    callbacks: Sequence[Callback] = (),
    distributed: bool = False,
    progress: bool = True,
    priors: Priors = None,
) -> History:
    """Train a network in place and return its learning curves.

    With validation the network ends with the parameters of its best epoch, without with those of the last
    step. Priors, see ``priors`` and ``penalty`` of `LTCCell`, add to the loss of each step, not to that of
    validation: minus the logarithm of the density of all ``priors``, over the number of items in the data
    (with `window`, over the number of all windows of all recordings). Where the loss is minus the logarithm
    of the likelihood of an item, as `gl.training.gaussian` is, the run so looks for the maximum a posteriori.
    With a checkpoint directory, the same call goes on where the run ended, however it ended, to the bit as if
    it had not. The constraints of every network in the model are applied after every step. A model in
    evaluation mode is put into training mode meanwhile; in one that is in training mode, modules that you put
    into evaluation mode stay there.

    Long recordings are trained window by window: with ``carry_state=True, window=W`` every step takes the
    next W samples of a batch of recordings, all arrays of which are cut along axis 1, from the state that the
    window before left; its gradients end where the window begins. A state that the loss gives, such as
    "rest", is where recordings begin. The last window may be shorter; what a
    mask, (B, T), says is over is left out, and windows without a target only carry the state on. The first
    `washout` samples bring the state about, cost nothing and have no gradient; validation leaves them out,
    too, and runs behind them in one go.

    A network with the weights that it was made with and without a `time_scale` gets one where the loss takes
    `timespans`: the median of them over the data, once; cells from equations, whose numbers say their time,
    stay so. One with ``ode_unfolds="auto"`` gets the fewest steps whose error on the first sequences,
    see `solver_error`, is 0.01 at most.

    Args:
        model: a network, or a module around one.
        data: a tuple of arrays with the items along the first axis, such as (inputs, targets), or an object
            with ``len(data)`` and ``data[indices] -> tuple of arrays``. A list of protocols may stand for the
            inputs, see `gl.protocol`, whose time spans come behind the targets.
        loss: ``loss(model, *batch)``, the mean over a batch's items; `mse` and `cross_entropy` are two.
        optimizer: of ``mlx.optimizers``; its learning rate may be a schedule.
        epochs: passes over the data.
        batch_size: items per step, over all processes together.
        validation: data in the same form, whose loss is measured after every epoch, or a function of the
            model that returns the number to make small.
        patience: stop after this many epochs without a better validation loss.
        clip_norm: the largest norm that all gradients together may have.
        seed: decides the order of the data. Initial weights were drawn before.
        carry_state: whether to train on recordings window by window.
        window: samples in a window, as far as gradients go back.
        washout: samples at the beginning of every recording, or of every sequence, that cost nothing.
        checkpoint: a directory for checkpoints, made if it is not there.
        checkpoint_every: steps between checkpoints inside an epoch; there is one after each epoch anyway.
        callbacks: what else to do after steps and epochs.
        distributed: average gradients over the processes that ``mlx.launch`` started; each one calls `fit`
            with the same arguments and trains on its part of every batch. The first one writes checkpoints.
        priors: what is known of parameters, as a network takes it, in place of what the network was made
            with for these; it keeps them. They do not move it to where they would have let it begin.
        progress: whether to show a progress bar on the terminal, a bar and curves in a notebook, a line for
            each epoch in a log, and a line about the run at its end.

    Raises:
        FloatingPointError: the loss is not finite: the message says whether the data, or a blow-up. The
            network has the last finite weights, the optimizer its state at that time.
        FileError: the checkpoint is damaged, or of another model, optimizer, loss or data, all of which it
            compares by their settings or digests; another process trains there.
        OSError: a checkpoint cannot be written; the one before it is still there.
        ConnectionError: another process of a distributed run is gone.
        ValueError, TypeError: an argument out of range or of a wrong kind.

    Example:
        >>> optimizer = optim.Adam(0.01, bias_correction=True)
        >>> history = gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optimizer, epochs=20,
        ...                  validation=(vx, vy), clip_norm=1.0, checkpoint="run")
    """
    instance("model", model, nn.Module, "a network")
    instance("optimizer", optimizer, optim.Optimizer, "an optimizer of mlx.optimizers")
    flag("distributed", distributed)
    flag("progress", progress)
    flag("carry_state", carry_state)
    _check(epochs=epochs, batch_size=batch_size, patience=patience, checkpoint_every=checkpoint_every)
    whole("washout", washout, 0)
    if window is not None:
        whole("window", window)
    if carry_state != (window is not None):
        raise ValueError("carry_state=True and window= belong together: the state is carried between windows")
    in_windows = carry_state or washout > 0
    if in_windows and distributed:
        raise ValueError("windows and washout are for one process: leave out distributed, or them")
    whole("epochs", epochs)
    whole("batch_size", batch_size)
    if patience is not None and validation is None:
        raise ValueError("patience needs validation data")
    if checkpoint_every is not None and checkpoint is None:
        raise ValueError("checkpoint_every needs a checkpoint directory")
    if clip_norm is not None:
        real("clip_norm", clip_norm, above=0)
    require_computing()
    seed = seed_number(seed)
    for callback in several("callbacks", callbacks, "callbacks"):
        instance("a callback", callback, Callback, "a Callback")
    warn_of_bias(optimizer)
    ranks = Ranks.of(distributed)
    batches = Batches(as_data(sampled(model, data)), batch_size, seed, ranks)
    require_loss(loss, batches)
    held_out: Batches | Windows | Judge | None = validation
    if callable(validation):
        function_of("validation", validation, "the model")
    elif validation is not None:
        name = "the validation data"
        held_out = Batches(as_data(sampled(model, validation), name), batch_size, None, ranks, name)
        require_loss(loss, held_out)
    build_for(model, batches, loss)
    if priors is not None:
        place_priors(model, priors)
    refuse_members_with_priors(model)
    require_trainable(model)
    chosen = choose_time_scale(model, batches, loss)
    if ranks.first and progress and chosen is not None:
        print(f"fit: {told_scale(*chosen)}, the median time span of the data", file=sys.stderr)
    unfolds = choose_unfolds(model, batches, loss)
    if ranks.first and progress and unfolds is not None:
        print(f"fit: ode_unfolds={unfolds}, for an error of the solver below {TOLERANCE}", file=sys.stderr)
    if ranks.first:
        warn_of_time(model, batches, loss)
        warn_of_gaps(batches, loss)
    parts: Batches | Windows = batches
    if in_windows:
        require_carrier(model, takes(model, "state"))
        parts = Windows.of(batches, window, washout, loss)
        if isinstance(held_out, Batches):
            held_out = Windows.of(held_out, None, washout, loss)
    directory = as_path("checkpoint", checkpoint) if checkpoint is not None else None
    recipe = recipe_of(model, optimizer, loss, batches, held_out, clip_norm)
    if in_windows:
        recipe |= {"window": window, "washout": washout}
    remember_training(model, recipe)
    checkpoints = Checkpoints(directory, checkpoint_every, ranks, recipe)
    stopping = [EarlyStopping(patience)] if patience is not None else []
    bar = [progress_for()] if progress and ranks.first else []
    watchers = [*stopping, *callbacks, checkpoints, *bar]
    run = Run(model, optimizer, epochs, len(parts))
    with modes_kept(model):
        if not model.training:
            model.train()
        try:
            with ranks.watched():
                checkpoints.resume(run)
                for watcher in watchers:
                    watcher.on_start(run)
                _train(run, parts, held_out, loss, clip_norm, watchers)
        except (LostRankError, Terminated) as error:  # the signal may come on the way out of the block, too
            where = f"rank {ranks.rank} of {ranks.size} lost another process of the run at step {run.step}"
            raise ConnectionError(f"{where} ({error}); {checkpoints.last()}") from None
        finally:
            for watcher in watchers:
                watcher.on_end(run)
        if run.best is not None:
            put_parameters(model, run.best)
        summary = summarize(run, batches, held_out, loss)
        run.history.summary = summary = replace(summary, ode_unfolds=unfolds)
        if chosen is not None:
            run.history.summary = summary = replace(summary, time_scale=chosen[0], time_unit=chosen[1])
    if ranks.first and summary.stuck:
        warnings.warn(summary.stuck, stacklevel=2)
    if ranks.first and progress:
        print(f"fit: {summary}", file=sys.stderr)
    return run.history


def _train(
    run: Run,
    batches: Batches | Windows,
    validation: Batches | Windows | Judge | None,
    loss: Loss,
    clip_norm: float | None,
    watchers: Sequence[Callback],
) -> None:
    """The loop itself: what you would write, and calls of the watchers."""
    model, optimizer, ranks = run.model, run.optimizer, batches.ranks
    step: Any
    if isinstance(batches, Windows):
        step = CarriedStep(model, optimizer, loss, clip_norm, len(batches.data) * batches.per_batch)
        step.state = run.carried
    else:
        step = Step(model, optimizer, loss, clip_norm, ranks, len(batches.data))
    behind = isinstance(batches, Batches) and isinstance(batches.data, Arrays)
    behind = behind and not any(map(_sees_steps, watchers))
    step.unseen = behind
    drawn = [watcher for watcher in watchers if isinstance(watcher, Drawn)]
    run.guard = Guard(model, optimizer, step.settle)
    judged = Measure(model, loss, step.worth_compiling) if isinstance(step, Step) else None
    if isinstance(validation, Batches | Windows) and validation.suspicious():
        evaluate(model, validation, loss)  # before hours of training, not after
    while run.epoch < run.epochs and run.stop is None:
        began = time.perf_counter()
        begun: deque[tuple[Any, Any, int]] = deque()  # steps whose loss nobody has looked at yet
        try:
            for batch, items, weight in batches.epoch(run.epoch, start=run.batch):
                value = step(batch, weight)
                begun.append((value, batch, items))
                if behind and step.compiled and run.stop is None:
                    # MLX computes it while Python prepares the next one.
                    mx.async_eval(value, run.guard.stepped(step.kept))
                    if len(begun) > 1:
                        _count(run, batches, loss, begun, drawn)
                    continue
                mx.eval(value, run.guard.stepped(step.kept))
                run.carried = getattr(step, "state", None)
                while begun:
                    _count(run, batches, loss, begun, watchers)
                if run.stop is not None:
                    break
            while begun:
                _count(run, batches, loss, begun, watchers)
        finally:
            step.settle()
        run.require_sound()
        if run.stop is not None:
            return
        held_out = None if validation is None else validate(model, validation, loss, judged)
        run.passed(time.perf_counter() - began, held_out)
        for watcher in watchers:
            watcher.on_epoch(run)


def _sees_steps(watcher: Callback) -> bool:
    """Whether what a watcher does after a step depends on what the step left."""
    if isinstance(watcher, Checkpoints):
        return watcher.every is not None
    return not isinstance(watcher, Drawn) and getattr(watcher.on_step, "__func__", None) != Callback.on_step


def _count(
    run: Run,
    batches: Batches | Windows,
    loss: Loss,
    begun: deque[tuple[Any, Any, int]],
    watchers: Sequence[Callback],
) -> None:
    """Count the first of the steps that have begun, and tell the watchers.

    Raises:
        FloatingPointError: its loss is not finite; the weights are those before it.
    """
    value, batch, items = begun.popleft()
    number = float(value.item())
    run.stepped(number, items)
    if not math.isfinite(number):
        assert run.guard is not None
        run.guard.restore(len(begun))
        measure(run.model, loss, batch)  # which may be an error that a compiled step cannot raise
        raise FloatingPointError(_reason(run, batches, batch, loss))
    for watcher in watchers:
        watcher.on_step(run)


def measure(model: nn.Module, loss: Loss, batch: Any) -> mx.array:
    """The loss of a batch, or of a window by itself."""
    return measured(model, loss, batch) if isinstance(batch, Cut) else loss(model, *batch)


def validate(
    model: nn.Module, validation: Batches | Windows | Judge, loss: Loss, judged: Measure | None = None
) -> float:
    """The number that chooses the best epoch, with the model in evaluation mode; inf for none."""
    if isinstance(validation, Batches | Windows):
        return evaluate(model, validation, loss, judged)
    with modes_kept(model):
        model.eval()
        value = scalar("what validation gives", validation(model))
    return value if math.isfinite(value) else math.inf


def evaluate(
    model: nn.Module, batches: Batches | Windows, loss: Loss, judged: Measure | None = None
) -> float:
    """The mean loss over all items, with the model in evaluation mode; inf for no number.

    Args:
        model, batches, loss: of which.
        judged: measures a batch in less time.

    Raises:
        FloatingPointError: a number in the data that is not finite makes the loss so.
    """
    total, count, bad, ranks = 0.0, 0, None, batches.ranks
    batch: Any
    with modes_kept(model):
        model.eval()
        for number, (lazy, batch, items, weight) in enumerate(_measured_ahead(model, batches, loss, judged)):
            value = float(np.array(lazy))
            if not math.isfinite(value) and bad is None:
                measure(model, loss, batch)  # which may be an error that a compiled loss cannot raise
                bad = blame(batches.name, model, loss, list(batch), batches.items(0, number))
            total += value * items * weight / ranks.size
            count += items
    if ranks.sum(0.0 if bad is None else 1.0):
        raise FloatingPointError(f"the validation loss is not finite: {bad or batches.name + ' hold NaN'}")
    mean = ranks.sum(total) / max(count, 1)
    return mean if math.isfinite(mean) else math.inf


def _measured_ahead(
    model: nn.Module, batches: Batches | Windows, loss: Loss, judged: Measure | None
) -> Iterator[tuple[mx.array, Any, int, float]]:
    """The loss of each batch with the batch, its items and weight; with `judged`, the next one has begun."""
    before: tuple[mx.array, Any, int, float] | None = None
    batch: Any
    for batch, items, weight in batches.epoch(0):
        if judged is None or isinstance(batch, Cut):
            yield measure(model, loss, batch), batch, items, weight
            continue
        value = judged(batch)
        mx.async_eval(value)
        if before is not None:
            yield before
        before = value, batch, items, weight
    if before is not None:
        yield before


def _reason(run: Run, batches: Batches | Windows, batch: Any, loss: Loss) -> str:
    """Why the loss of the step that was just counted is not finite."""
    where = f"the loss is not finite at step {run.step} (epoch {run.epoch + 1}, batch {run.batch})"
    found = blame(batches.name, run.model, loss, list(batch), batches.items(run.epoch, run.batch - 1))
    found = found or half_and_epsilon(run.model, run.optimizer)
    return f"{where}: {found or blow_up(list(batch), run.model, first=run.step == 1)}"


def _check(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and (type(number) is not int or number < 1):
            raise ValueError(f"{name} is {label(number)}: expected a whole number of at least 1")
