"""Numbers that are not finite: whose fault they are, and the last weights without any."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten

from ..arguments import counted
from ..cells import NCPRNNCell
from ..interchange.modes import modes_kept
from .flat import Kept
from .losses import cross_entropy, gaussian, likelihood, mse, places

Loss = Callable[..., mx.array]
Tree = dict[str, Any]
TARGETS_MASKED = (mse, likelihood, gaussian)
"""Losses that take a mask of the targets' shape."""
MOST_NAMED = 4
"""How many parameters a message names."""


class Guard:
    """The weights and the optimizer's state of the last steps, so that a blow-up leaves finite ones.

    Nothing is computed while all goes well: arrays never change, so that keeping them is no copy.

    Args:
        model, optimizer: what is trained.
        settle: makes them what the last step has made of them, where they are not yet.

    Raises:
        FloatingPointError: the weights are not finite to begin with.
    """

    def __init__(
        self, model: nn.Module, optimizer: optim.Optimizer, settle: Callable[[], None] = lambda: None
    ) -> None:
        self._model, self._optimizer, self._settle = model, optimizer, settle
        now = self._now()
        self._sound: tuple[Tree, Tree] | Kept = now
        self._recent: deque[tuple[Tree, Tree] | Kept] = deque([now], maxlen=4)
        if name := not_finite(now[0]):
            raise FloatingPointError(f"the model's {name} holds values that are not finite, before any step")

    def stepped(self, kept: Kept | None = None) -> Any:
        """Keep the weights and the state after a step, and return them: those given, or what is there now."""
        self._recent.append(kept or self._now())
        return kept.state if kept else self._recent[-1]

    def require(self) -> None:
        """Raise FloatingPointError if the weights are not finite now, and go back to the last that were."""
        last = self._recent[-1]
        known = isinstance(last, Kept) and not not_finite({"long": last.state.long[0], **last.state.rest})
        if not known and (name := not_finite(_trees(last)[0])):
            self.restore()
            raise FloatingPointError(
                f"{name} is not finite any more: {blow_up((), self._model, first=False)}"
            )
        self._sound = last

    def restore(self, later: int = 0) -> None:
        """Go back to the last finite weights before this step, and to the optimizer's state at that time.

        Args:
            later: how many more steps have begun since.
        """
        self._settle()
        before = map(_trees, list(self._recent)[-2 - later :: -1])
        sound = (kept for kept in before if not not_finite(kept[0]))
        weights, self._optimizer.state = next(sound, _trees(self._sound))
        self._model.update(weights)
        mx.eval(self._model.parameters())

    def _now(self) -> tuple[Tree, Tree]:
        return self._model.parameters(), _kept(self._optimizer.state)


def _trees(kept: tuple[Tree, Tree] | Kept) -> tuple[Tree, Tree]:
    return kept.trees() if isinstance(kept, Kept) else kept


def _kept(state: Any) -> Any:
    """A tree of the same arrays: an optimizer changes the dictionaries of its state."""
    if isinstance(state, dict):
        return {name: _kept(part) for name, part in state.items()}
    return type(state)(map(_kept, state)) if isinstance(state, list | tuple) else state


def not_finite(weights: Tree) -> str | None:
    """The name of the first array with a value that is not finite; None if there is none."""
    named: Any = tree_flatten(weights)
    arrays = [(name, a) for name, a in named if mx.issubdtype(a.dtype, mx.floating) and a.size]
    sound = np.array(mx.stack([mx.isfinite(a).all() for _, a in arrays])) if arrays else np.ones(0, bool)
    return None if sound.all() else str(arrays[int(np.argmin(sound))][0])


def blame(
    data: str, model: nn.Module, loss: Loss, batch: Sequence[mx.array], items: Iterable[int]
) -> str | None:
    """What in a batch makes the loss not finite, in words; None if its numbers are all finite.

    NaN may stand for a value that is missing, or for padding, so that an item is to blame only if the loss of
    this item alone is not finite either.

    Args:
        data: what the data are called.
        model, loss, batch: with which the loss is not finite; the weights are.
        items: the numbers of the batch's items in the data.
    """
    for k, item in enumerate(items):
        one = [array[k : k + 1] for array in batch]
        bad = [n for n, a in enumerate(one) if not_finite({"array": a})]
        if bad and not _finite_alone(model, loss, one):
            values = np.array(one[bad[0]].astype(mx.float32))
            value = values[~np.isfinite(values)][0]
            way = _way_out(loss, bad[0], one[bad[0]])
            return f"array {bad[0]} of {data} holds {value} at item {item}: {way}"
    return None


def _way_out(loss: Loss, place: int, array: mx.array) -> str:
    """What to do about an array that is not finite everywhere: which mask the loss takes, and where."""
    known = places(loss)
    name = next((word for word, number in known.items() if number == place), None)
    behind = f"as mask, the last of the data ({', '.join(list(known)[: known.get('mask', 0) + 1])})"
    if "mask" in known and name == "y" and array.ndim > 2 and getattr(loss, "func", loss) in TARGETS_MASKED:
        shape = ", ".join(map(str, ("B", *array.shape[1:])))
        return f"give np.isfinite(y), of the targets' shape ({shape}), {behind}"
    if "mask" in known and (name == "x" or (name == "y" and array.ndim == 2 and loss is cross_entropy)):
        return f"give (B, T) booleans, false for a sample that is not there, {behind}"
    return f"{name or 'it'} must be finite, or the item left out"


def half_and_epsilon(model: nn.Module, optimizer: Any) -> str | None:
    """Words for an optimizer whose epsilon is zero in the type of the weights, so that it divides by zero."""
    epsilon = getattr(optimizer, "eps", None)
    named: Any = tree_flatten(model.trainable_parameters())
    if (
        not isinstance(epsilon, float)
        or np.float16(epsilon) > 0
        or mx.float16 not in {a.dtype for _, a in named}
    ):
        return None
    kind = type(optimizer).__name__
    return (
        f"the weights are float16, in which the eps={epsilon} of {kind} is zero and it divides by zero: "
        f"optim.{kind}(..., eps=1e-4), or train in float32 or bfloat16"
    )


def _finite_alone(model: nn.Module, loss: Loss, one: Sequence[mx.array]) -> bool:
    with modes_kept(model):
        model.eval()
        try:
            return bool(mx.isfinite(loss(model, *one)).all().item())
        except (TypeError, ValueError):  # a loss of one's own that wants a whole batch
            return False


def blow_up(batch: Sequence[mx.array], model: nn.Module, first: bool) -> str:
    """Words for a loss that is not finite though the data are."""
    if not first:
        return (
            "the weights grew too large, and are back at the last finite ones; a lower learning rate or "
            f"clip_norm may help{_at_zero(model)}"
        )
    floats = [array for array in batch if mx.issubdtype(array.dtype, mx.floating) and array.size]
    largest = max((float(np.array(mx.abs(array).max())) for array in floats), default=0.0)
    return f"the data are finite and reach {largest:.3g}: scale them to about 1{_at_zero(model)}"


def _at_zero(model: nn.Module) -> str:
    """Words for parameters that are not negative and reached 0, by which an equation may divide."""
    found = []
    for path, cell in model.named_modules():
        if isinstance(cell, NCPRNNCell):
            values = cell.effective()
            for key in (key for key, p in cell.declared().items() if p.non_negative and key in values):
                value = np.array(values[key].astype(mx.float32))
                if bad := int(((value == 0) | ~np.isfinite(value)).sum()):
                    found.append(
                        f"{path}.{key}".lstrip(".") + f" (in {bad} of {counted(value.size, 'place')})"
                    )
    if not found:
        return ""
    named = ", ".join(found[:MOST_NAMED]) + (", ..." if len(found) > MOST_NAMED else "")
    return f'; 0 or not finite, which no divisor may be: {named}; see positive="softplus"'
