"""`plot_correlation`: which neurons do the same at the same time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arguments import flag
from ..recording import Recording
from .picture import Picture, axes_or_new
from .samples import Samples, samples
from .series import add_colorbar, clustered, name_columns, name_rows, places
from .style import current

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_correlation(
    recording: Recording,
    neurons: str | Iterable[Hashable] | None = None,
    *,
    sequence: int = 0,
    cluster: bool = False,
    ax: Axes | None = None,
) -> Picture:
    """The correlation over time (Pearson) of each pair of neurons: 1 where they rise and fall together.

    Of each pair the samples count at which both have a value. A neuron that never changes correlates with
    nothing; its row and column have the colour of what is missing.

    Args:
        recording: what `ganglion.record` returns.
        neurons: names, the name of a role, or None for all, sorted by role.
        sequence: which sequence of a batched recording.
        cluster: sort the neurons inside a role so that similar ones are neighbours, as `plot_heatmap` does.
        ax: the axes to draw on; a new figure if not given.

    Returns:
        A `Picture` with the mesh ``correlation``; a neuron's index is its row from the top, and its column.

    Example:
        >>> gl.viz.plot_correlation(recording, "command", cluster=True)
    """
    shown = samples(recording, sequence).select(neurons)
    if flag("cluster", cluster):
        shown = clustered(shown)
    axes = axes_or_new(ax, 4.6, 4.0)
    look = current(axes)
    edges = np.arange(len(shown.names) + 1)
    mesh = axes.pcolormesh(
        edges,
        edges,
        np.ma.masked_invalid(correlations(shown)),
        cmap=look.diverging(),
        vmin=-1,
        vmax=1,
        rasterized=True,
        zorder=1,
    )
    axes.set_facecolor(look.missing)
    axes.set(xlim=(0, len(shown.names)), ylim=(len(shown.names), 0))
    for spine in axes.spines.values():
        spine.set(linewidth=0.6, color=look.ink)
    name_rows(axes, shown, look)
    name_columns(axes, shown, look)
    add_colorbar(axes, (1.03, 0.0, 0.03, 1.0), mesh, look)
    return Picture({"correlation": axes}, {"correlation": mesh}, places(mesh, shown))


def correlations(shown: Samples) -> NDArray[np.float64]:
    """(R, R) Pearson's r over the samples that both neurons of a pair have; NaN where one does not change."""
    known = np.isfinite(shown.values).astype(float)
    centre = np.nan_to_num(np.nanmean(np.where(known, shown.values, np.nan), axis=0)) if len(known) else 0.0
    values = np.where(known > 0, shown.values - centre, 0.0)  # near zero, so that sums of squares are exact
    count = known.T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        means = values.T @ known / count  # [i, j]: of i, where j is known
        squares = (values**2).T @ known / count - means**2
        products = values.T @ values / count - means * means.T
        least = 1e-12 * np.max(values**2, initial=0.0)
        spread = np.where(squares > least, squares, np.nan)
        found: NDArray[np.float64] = np.clip(products / np.sqrt(spread * spread.T), -1, 1)
    return found
