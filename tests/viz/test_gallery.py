"""Every example of the gallery makes one figure on which no text covers another or leaves the page."""

import runpy
import warnings
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))


@pytest.fixture
def drawn(monkeypatch):
    """Every text that is really drawn: ticks beyond the limits of their axis, for example, are not."""
    plt.close("all")  # what other tests left open
    found = {}
    draw = Text.draw

    def recording(self, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            found[id(self)] = self
        return draw(self, *args, **kwargs)

    monkeypatch.setattr(Text, "draw", recording)
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, drawn):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        runpy.run_path(str(path))
    assert len(plt.get_fignums()) == 1
    figure = plt.gcf()
    drawn.clear()
    figure.canvas.draw()
    texts = list(drawn.values())
    boxes = [text.get_window_extent() for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1, text
        assert box.y1 <= figure.bbox.height + 1, text
    covered = [
        (a.get_text(), b.get_text())
        for (a, box), (b, other) in combinations(zip(texts, boxes, strict=True), 2)
        if box.overlaps(other) and box.padded(-0.75).overlaps(other.padded(-0.75))
    ]
    assert covered == []


def test_every_example_has_a_place_in_the_gallery():
    listed = runpy.run_path(str(ROOT / "docs" / "example_order.py"))["EXAMPLES"]
    assert sorted(f"plot_{name}" for name in listed) == [path.stem for path in EXAMPLES]
    assert len(EXAMPLES) >= 15
    jobs = runpy.run_path(str(ROOT / "docs" / "example_order.py"))["JOBS"]
    assert sorted(f"plot_{name}" for name in jobs) == sorted(
        p.stem for p in (ROOT / "examples" / "jobs").glob("*.py")
    )
