"""`plot_history`: what a loss did while a network was trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..arguments import flag
from .labels import points, quiet
from .picture import Picture, axes_or_new
from .style import current

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_history(history: Any, *, log: bool = False, ax: Axes | None = None) -> Picture:
    """The losses of a run by epoch; a ring marks the epoch with the lowest validation loss.

    Args:
        history: what `fit` returned.
        log: whether the axis of losses is logarithmic; losses of 0 or below are gaps there.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the lines ``loss`` and, if there is validation, ``validation`` and the ring ``best``.

    Raises:
        TypeError: no history.
        ValueError: a history without an epoch.

    Example:
        >>> gl.viz.plot_history(gl.fit(rnn, (x, y), loss=gl.training.mse, optimizer=optimizer, epochs=20))
    """
    if not all(hasattr(history, name) for name in ("loss", "validation", "best")):
        raise TypeError(f"expected a history, as gl.fit returns it, got {type(history).__name__}")
    flag("log", log)
    if not history.loss:
        raise ValueError("the history has no epoch: there is nothing to draw")
    axes = axes_or_new(ax, 3.6, 2.4)
    look = current(axes)
    small = points(look.small_text)
    artists: dict[str, Artist] = {}
    colors = {"loss": look.ink, "validation": look.palette[1]}
    for name, curve in (("loss", history.loss), ("validation", history.validation)):
        if curve:
            values = [v if math.isfinite(v) and (v > 0 or not log) else np.nan for v in curve]
            epochs = range(1, len(values) + 1)
            mark = "o" if len(values) == 1 else ""
            (line,) = axes.plot(
                epochs, values, color=colors[name], linewidth=1.1, marker=mark, markersize=3, label=name
            )
            artists[name] = line
    if history.best is not None:
        best = history.best
        (ring,) = axes.plot(
            [best + 1], [history.validation[best]], "o", markersize=6, markerfacecolor="none",
            markeredgecolor=look.accent, label=f"best, epoch {best + 1}",
        )  # fmt: skip
        artists["best"] = ring
    if log:
        axes.set_yscale("log", nonpositive="mask")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    quiet(axes, look, "epoch", "loss")
    if len(artists) > 1:
        artists["legend"] = axes.legend(frameon=False, fontsize=small, labelcolor=look.ink)
    return Picture({"history": axes}, artists)
