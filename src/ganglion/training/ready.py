"""What has to be so before training begins: a loss that fits the data, built layers, weights to train."""

from __future__ import annotations

import inspect
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from ..arguments import counted, label
from ..cells import NCPLayer
from ..interchange.modes import modes_kept
from .data import Arrays, Batches
from .finite import Loss


def require_loss(loss: Any, batches: Batches) -> None:
    """Refuse what cannot be the loss of a model and of batches of these data.

    Raises:
        TypeError: no function, one of MLX that takes no model, or one that takes other arguments.
    """
    if not callable(loss):
        raise TypeError(f"loss must be a function of the model and a batch, got {label(loss)}")
    if str(getattr(loss, "__module__", None)).startswith("mlx.nn.losses"):
        name = loss.__name__
        raise TypeError(
            f"loss is nn.losses.{name}, which takes predictions: expected a function of the model and a "
            f'batch, such as lambda model, x, y: nn.losses.{name}(model(x)[0], y, reduction="mean")'
        )
    batch = _first(batches)
    try:
        inspect.signature(loss).bind(None, *batch)
    except TypeError as error:
        name = getattr(loss, "__name__", label(loss))
        raise TypeError(
            f"{batches.name} give {counted(len(batch), 'array')} to the loss {name}(model, ...), which "
            "takes others: "
            f"{error}"
        ) from None
    except ValueError:  # a function that does not say what it takes
        return


def _first(batches: Batches) -> Any:
    """A batch of one item.

    Raises:
        TypeError: data of your own that are no tuple of arrays for an array of places.
    """
    kind = f"{batches.name} are a {type(batches.data).__name__}"
    try:
        batch = batches.data[np.arange(1)]
    except (TypeError, ValueError, LookupError, AttributeError) as error:  # as from what takes one place only
        if isinstance(batches.data, Arrays):
            raise
        told = label(f"{type(error).__name__}: {error}", 120)
        raise TypeError(f"{kind}: expected arrays from data[indices], which ended in {told}") from error
    if not isinstance(batch, tuple | list):
        raise TypeError(f"{kind}: expected a tuple of arrays from data[indices], got {label(batch, 120)}")
    return batch


def gives_scalar(loss: Loss) -> Loss:
    """The loss, refused where it gives no single number.

    Raises:
        TypeError: it gives no array of MLX, so that there is no gradient.
        ValueError: it gives an array with axes.
    """

    def checked(model: nn.Module, *batch: mx.array) -> mx.array:
        value = loss(model, *batch)
        if not isinstance(value, mx.array):
            raise TypeError(f"the loss gave {label(value)}: expected an array of MLX, which has gradients")
        if value.ndim:
            raise ValueError(
                f"the loss has shape {value.shape}: expected a single number, such as its mean()"
            )
        return value

    return checked


def build_for(model: nn.Module, batches: Batches, loss: Loss) -> None:
    """Make the parameters of layers that are built by their first input, before an optimizer asks for them.

    Raises:
        ValueError: a layer that the data do not reach.
    """
    if not _unbuilt(model):
        return
    batch = batches.data[np.arange(1)]
    with modes_kept(model):
        model.eval()
        if isinstance(model, NCPLayer):
            model.ensure_built(batch[0].shape)
        else:
            loss(model, *batch)
    if waiting := _unbuilt(model):
        raise ValueError(f"{waiting[0]} has no parameters yet, and the data do not reach it: call it once")


def require_trainable(model: nn.Module) -> None:
    """Raise ValueError for a model of which nothing is left to train."""
    if not tree_flatten(model.trainable_parameters()):
        raise ValueError(
            f"the {type(model).__name__} has nothing to train: all its parameters are frozen; unfreeze() some"
        )


def _unbuilt(model: nn.Module) -> list[str]:
    named = [(path or "the model", module) for path, module in model.named_modules()]
    return [path for path, module in named if isinstance(module, NCPLayer) and not module.built]
