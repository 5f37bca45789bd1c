"""`animate_activity`: the activity of a circuit as a moving picture.

The circuit is drawn once; for every frame only the neurons and the clock are drawn over a copy of it
(blitting), so sixty frames take little longer than one picture.
"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ..arguments import label, real, several
from ..arguments import path as as_path
from ..recording import Recording
from ..storage import replace_files, replacing
from .circuit import plot_circuit
from .labels import points, write
from .picture import Picture
from .samples import Samples, check_recording, samples
from .style import Style, current
from .view import View, view

Frame = NDArray[np.uint8]
_COLORS = 128  # in the palette of a GIF
_SAME = 255  # the palette's place for a pixel that does not change


@dataclass(frozen=True, eq=False)
class Animation:
    """Frames of equal size, shown one after another.

    Attributes:
        frames: (F, H, W, 3) pixels.
        fps: frames per second.

    Example:
        >>> animation = gl.viz.animate_activity(circuit, recording)
        >>> animation.save("activity.gif")
    """

    frames: Frame
    fps: float

    def save(self, path: str | Path) -> Path:
        """Write a GIF, or an MP4 where ffmpeg is installed; the ending of ``path`` chooses.

        Raises:
            ValueError: another ending.
            RuntimeError: an MP4 without ffmpeg, or ffmpeg failed.
        """
        path = as_path("path", path)
        if path.suffix.lower() == ".gif":
            replace_files({path: self.to_gif()})
        elif path.suffix.lower() == ".mp4":
            self._write_mp4(path)
        else:
            raise ValueError(f"cannot write an animation to {str(path)!r}; expected .gif or .mp4")
        return path

    def to_gif(self) -> bytes:
        """The bytes of a GIF that repeats for ever.

        All frames share one palette, so that nothing flickers, and hold only the pixels that change.
        """
        images = [Image.fromarray(frame) for frame in self.frames]
        sample = Image.fromarray(np.concatenate(self.frames[:: max(1, len(images) // 6)]))
        palette = sample.quantize(_COLORS, method=Image.Quantize.MEDIANCUT)
        indexed = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
        pixels = [np.asarray(image) for image in indexed]
        for image, now, before in zip(indexed[1:], pixels[1:], pixels, strict=False):
            image.frombytes(np.where(now == before, _SAME, now).astype(np.uint8).tobytes())
        buffer = io.BytesIO()
        indexed[0].save(
            buffer,
            "GIF",
            save_all=True,
            append_images=indexed[1:],
            duration=max(20, round(100 / self.fps) * 10),  # viewers count hundredths of a second, and from 2
            loop=0,
            disposal=1,
            transparency=_SAME,
            optimize=False,
        )
        return buffer.getvalue()

    def to_html(self) -> str:
        """An ``<img>`` element with the GIF inside, for notebooks and web pages."""
        data = base64.b64encode(self.to_gif()).decode("ascii")
        width = self.frames.shape[2]
        return f'<img alt="activity of a circuit" width="{width}" src="data:image/gif;base64,{data}">'

    _repr_html_ = to_html

    def _write_mp4(self, path: Path) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise RuntimeError(
                f"writing {path.name!r} needs ffmpeg, which is not installed; a .gif needs nothing"
            )
        height, width = (size // 2 * 2 for size in self.frames.shape[1:3])  # yuv420p halves both
        shape = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(self.fps)]
        pixels = np.ascontiguousarray(self.frames[:, :height, :width])
        with replacing(path) as made:
            command = [
                program,
                "-y",
                "-loglevel",
                "error",
                *shape,
                "-i",
                "-",
                "-pix_fmt",
                "yuv420p",
                str(made),
            ]
            done = subprocess.run(command, input=pixels.tobytes(), capture_output=True)
            if done.returncode:
                raise RuntimeError(
                    f"ffmpeg could not write {path.name!r}: {done.stderr.decode(errors='replace')[-300:]}"
                )

    def __repr__(self) -> str:
        count, height, width, _ = self.frames.shape
        return f"Animation({count} frames of {width} x {height}, {self.fps:g} per second)"


_MOST_PIXELS = 2**14  # matplotlib draws no more on a side


def animate_activity(
    circuit: Any,
    recording: Recording,
    path: str | Path | None = None,
    *,
    fps: float = 15,
    sequence: int = 0,
    size: tuple[float, float] = (6.0, 3.6),
    dpi: float = 110,
    **options: Any,
) -> Animation:
    """Show the activity of every neuron on its circuit, one frame per sample.

    Sensory neurons take the colour of their input, all others that of their state, from -1 to 1 of the
    largest magnitude among inputs or states; neurons without a value at that time are grey.

    Args:
        circuit: the circuit that was recorded.
        recording: what `ganglion.record` returns.
        path: where to write a ``.gif`` or ``.mp4``, if anywhere.
        fps: frames per second.
        sequence: which sequence of a batched recording.
        size: width and height in inches.
        dpi: pixels per inch.
        options: go to `plot_circuit`.

    Returns:
        The `Animation`, which notebooks show.

    Raises:
        CircuitError: a recording of another circuit; the message names the difference.

    Example:
        >>> gl.viz.animate_activity(circuit, recording, "activity.gif")
    """
    seen = view(circuit)
    check_recording(recording, seen)
    real("fps", fps, above=0)
    states, inputs = samples(recording, sequence), samples(recording, sequence, sensors=True)
    width, height = (real("size", length, above=0) for length in _pair(size))
    dots = real("dpi", dpi, least=10)  # letters of less have no shape
    if max(width, height) * dots > _MOST_PIXELS:
        raise ValueError(f"size {label(size)} at dpi {dots:g}: expected at most {_MOST_PIXELS} pixels a side")
    figure = Figure(figsize=(width, height), dpi=dots)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    figure.set_facecolor(ax.get_facecolor())
    picture = plot_circuit(circuit, ax=ax, **{"style": "links", "labels": False, **options})
    look = current(ax)
    picture.artists["synapses"].set_alpha(0.3)  # the neurons speak
    picture.artists["heads"].set_alpha(0.4)
    _state_key(ax, look)
    shades = _shades(seen, states, inputs, look)
    frames = np.stack(list(_frames(canvas, seen, picture, shades, states.times, look)))
    animation = Animation(frames, fps)
    if path is not None:
        animation.save(path)
    return animation


def _pair(size: Any) -> list[Any]:
    pair = several("size", size, "two numbers")
    if len(pair) != 2:
        raise ValueError(f"size must be width and height, got {label(size)}")
    return pair


def _state_key(ax: Axes, look: Style) -> None:
    """What the colours of the neurons mean: a slim bar beside the legend."""
    bar = ax.inset_axes((0.02, 0.035, 0.13, 0.016))
    bar.imshow(np.linspace(-1, 1, 64)[None], cmap=look.diverging(), aspect="auto", extent=(-1, 1, 0, 1))
    size = points(look.small_text)
    bar.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}max", "0", "max"])
    bar.tick_params(length=1.5, width=0.5, pad=1, labelsize=0.85 * size, color=look.ink, labelcolor=look.ink)
    bar.set_yticks([])
    bar.spines[:].set(linewidth=0.5, color=look.ink)


def _shades(seen: View, states: Samples, inputs: Samples, look: Style) -> NDArray[np.float64]:
    """(T, K, 4) the colour of each neuron at each time."""
    shades = np.zeros((len(states.times), len(seen.names), 4))
    for part in (states, inputs):
        limit = part.limit()
        values = np.ma.masked_invalid(part.values)
        at = [seen.index[name] for name in part.names]
        shades[:, at] = look.diverging()(Normalize(-limit, limit)(values))
    return shades


def _frames(
    canvas: Any,  # matplotlib does not annotate its canvases
    seen: View,
    picture: Picture,
    shades: NDArray[np.float64],
    times: NDArray[np.float64],
    look: Style,
) -> Iterator[Frame]:
    """Draw what stands still once, then the neurons and the clock for each frame."""
    ax = picture.ax
    clock = write(ax, 0.995, 0.01, "", look, transform=ax.transAxes, ha="right", va="bottom", zorder=5)
    clock.set_fontsize(points(look.small_text))
    members = {role: seen.of_role(role) for role in seen.drawn_roles}
    moving: list[Any] = [*(picture.artists[f"neurons/{role}"] for role in members), clock]
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(canvas.figure.bbox)
    for time, shade in zip(times.tolist(), shades, strict=True):
        canvas.restore_region(still)
        clock.set_text(f"t = {time:.4g}")
        for role, own in members.items():
            picture.artists[f"neurons/{role}"].set(facecolor=shade[own])
        for artist in moving:
            ax.draw_artist(artist)
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()
