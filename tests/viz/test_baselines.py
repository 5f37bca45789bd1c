"""A few small pictures compared pixel by pixel with those in ``baseline/`` (pytest-mpl, ``--mpl``).

After a change that is meant, run this file with ``--mpl-generate-path=tests/viz/baseline`` and look at every
picture. Texts are left out, since their pixels differ between versions of FreeType.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from packaging.version import Version

from ganglion.viz import current, plot_activity, plot_circuit, plot_masks, styled
from ganglion.viz.style import DARK, LIGHT

TOLERANCE = 1.0
BASELINE = Path(__file__).parent / "baseline"
DPI = 60

# Of matplotlib 3.11, which measures texts, and so places axes, in another way than those before.
pytestmark = pytest.mark.skipif(
    Version(matplotlib.__version__) < Version("3.11"), reason="the pictures are of matplotlib 3.11"
)

same = pytest.mark.mpl_image_compare(
    baseline_dir="baseline",
    tolerance=TOLERANCE,
    style="default",
    remove_text=True,
    savefig_kwargs={"dpi": DPI},
)


def without_text(picture) -> Figure:
    for ax in picture.axes.values():
        for text in [*ax.texts]:
            text.remove()
        ax.tick_params(labelbottom=False, labelleft=False)
        ax.set(xlabel="", ylabel="")
    return picture.figure


@same
def test_links(circuit):
    return without_text(plot_circuit(circuit, legend=False, labels=False))


@same
def test_blocks(circuit):
    return without_text(plot_circuit(circuit, legend=False, style="blocks"))


@same
def test_masks(circuit):
    return without_text(plot_masks(circuit, legend=False, block_size=4))


@same
def test_activity(recording):
    picture = plot_activity(recording)
    for bar in picture.figure.axes[0].child_axes:
        bar.tick_params(labelright=False)
    figure = without_text(picture)
    for ax in figure.axes[0].child_axes:
        for text in [*ax.texts]:
            text.remove()
    return figure


@pytest.mark.mpl_image_compare(baseline_dir="baseline", tolerance=0.01, style="default")
def test_colours():
    """Every colour of both palettes as a flat cell, so that the smallest change of any one is seen."""
    shades = np.linspace(0, 1, 33)
    rows = []
    for look in (LIGHT, DARK):
        one = [look.excitatory, look.inhibitory, look.ink, look.ground, look.muted, look.accent, look.missing]
        rows += [
            to_rgba_array([*look.colors.values(), *one, *look.palette]),
            look.diverging()(shades),
            look.magnitudes()(shades),
        ]
    cells = np.ones((len(rows), len(shades), 4))
    for row, colors in zip(cells, rows, strict=True):
        row[: len(colors)] = colors
    figure = Figure(figsize=(len(shades) / 50, len(rows) / 50), dpi=100)  # two pixels to a cell
    figure.figimage(np.kron(cells, np.ones((2, 2, 1))))
    return figure


@pytest.mark.parametrize(
    "changes", [{"excitatory": "#2b6f9e"}, {"colors": {"inter": "#d9c27a"}}, {"curvature": 0.2}]
)
def test_a_changed_style_fails_the_comparison(circuit, tmp_path, changes):
    for name, change in (("same", {}), ("other", changes)):
        with styled(**change):
            figure = without_text(plot_circuit(circuit, legend=False, labels=False))
        figure.savefig(tmp_path / f"{name}.png", dpi=DPI)
    assert current().curvature != 0.2
    baseline = str(BASELINE / "test_links.png")
    assert compare_images(baseline, str(tmp_path / "same.png"), TOLERANCE) is None
    assert compare_images(baseline, str(tmp_path / "other.png"), TOLERANCE) is not None
