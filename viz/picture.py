"""What every plotting function returns, and the axes it draws on when none are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arguments import counted, instance, label
from ..arguments import path as as_path
from ..errors import FileError
from ..storage import replace_files

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNDATED: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "ps": {"CreationDate": None},
    "eps": {"CreationDate": None},
}
"""What says by format that a file holds no date."""


class Place(NamedTuple):
    """Where a neuron or synapse is drawn: an artist, and which item of it (marker, line, cell or row)."""

    artist: Artist
    item: int


@dataclass(frozen=True, eq=False)
class Picture:
    """What was drawn, for changing it further.

    Attributes:
        axes: the axes by panel; most pictures have one.
        artists: the artists by what they show, such as ``"neurons/command"`` or ``"synapses/inhibitory"``.
        neurons: name -> `Place`.
        synapses: (name before, name behind) -> `Place`.

    Example:
        >>> picture = gl.viz.plot_circuit(circuit)
        >>> picture.artists["synapses/inhibitory"].set_linewidth(2)
        >>> picture.save("circuit.pdf")
    """

    axes: Mapping[str, Axes]
    artists: Mapping[str, Artist]
    neurons: Mapping[str, Place] = field(default_factory=dict)
    synapses: Mapping[tuple[str, str], Place] = field(default_factory=dict)

    @property
    def ax(self) -> Axes:
        """The first axes."""
        return next(iter(self.axes.values()))

    @property
    def figure(self) -> Figure:
        """The figure that everything is drawn on."""
        return root_figure(self.ax)

    def save(self, path: str | Path, **options: Any) -> None:
        """Write the figure whole or, if there is an error, not at all.

        The same figure is the same file: nothing in it depends on the time or on chance.

        Args:
            path: the ending chooses png, pdf, svg or whatever else matplotlib writes.
            options: of ``savefig``.

        Raises:
            ValueError: an unknown ending.
            OSError: the file cannot be written.
        """
        from matplotlib import rc_context

        path = as_path("path", path)
        if not path.name:
            raise FileError(f"path is {label(str(path))}, which is no file")
        form = str(options.pop("format", None) or path.suffix[1:] or "png").lower()
        options = {"dpi": 300, "bbox_inches": "tight", "pad_inches": 0.03, **options}
        options["metadata"] = {**UNDATED.get(form, {}), **options.get("metadata", {})}
        data = BytesIO()
        with rc_context({"svg.hashsalt": "ganglion"}):
            known = sorted(self.figure.canvas.get_supported_filetypes())
            if form not in known:
                raise ValueError(f"{label(str(path))}: expected one of the endings {', '.join(known)}")
            self.figure.savefig(data, format=form, **options)
        replace_files({path if path.suffix else path.with_name(f"{path.name}.{form}"): data.getvalue()})

    def __repr__(self) -> str:
        sizes = ((self.neurons, "neuron"), (self.synapses, "synapse"), (self.artists, "artist"))
        parts = ", ".join(counted(len(of), thing) for of, thing in sizes)
        return f"Picture({', '.join(self.axes)}: {parts})"

    def _ipython_display_(self) -> None:
        """The figure and nothing else, where a notebook draws figures; what is said of it elsewhere.

        A notebook shows by itself what was drawn in a cell, and closes it then: only a picture of an earlier
        cell has to be shown here.
        """
        import matplotlib
        from matplotlib import pyplot as plt

        if "inline" not in str(matplotlib.get_backend()):
            print(repr(self))
        elif not plt.fignum_exists(getattr(self.figure, "number", -1)):
            tools: Any = import_module("IPython.display")
            tools.display(self.figure)


def axes_or_new(ax: Axes | None, width: float = 7.0, height: float = 4.2) -> Axes:
    """``ax``, or the axes of a new figure (inches) that they fill."""
    from matplotlib import pyplot as plt
    from matplotlib.axes import Axes

    if ax is not None:
        return instance("ax", ax, Axes, "axes of matplotlib")

    figure = plt.figure(figsize=(width, height), layout="constrained")
    return figure.add_subplot()


def root_figure(ax: Axes) -> Figure:
    """The figure that an axes is on, also where it is on a part of it."""
    return ax.figure.figure  # a SubFigure's figure is the whole one, a Figure's itself


def axes_width(ax: Axes) -> float:
    """The width of the axes in points."""
    return float(ax.get_window_extent().width * 72 / ax.figure.dpi)


def clear_canvas(ax: Axes) -> tuple[float, float]:
    """Hide the axes' frame and ticks; return its size in points, after any automatic layout of the figure."""
    ax.set_axis_off()
    figure = root_figure(ax)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    box = ax.get_window_extent()
    scale = 72 / figure.dpi
    return box.width * scale, box.height * scale
