"""The learning curve in a line and in a picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

import ganglion as gl
from ganglion.training.history import History
from ganglion.viz import plot_history

HISTORY = History([3.0, 2.0, 1.0], [4.0, 1.5, math.inf], [0.1, 0.1, 0.1])


def test_a_history_is_one_line():
    assert repr(HISTORY) == "History(3 epochs, loss 1, validation 1.5 at best, in epoch 2, 0.3 s)"
    assert str(History([0.5], [], [2.0])) == "History(1 epoch, loss 0.5, 2 s)"
    assert repr(History()) == "History(no epoch)"


def test_the_curves_are_drawn_by_epoch_with_a_ring_at_the_best():
    picture = plot_history(HISTORY)
    assert picture.artists["loss"].get_xydata().tolist() == [[1, 3], [2, 2], [3, 1]]
    validation = picture.artists["validation"].get_ydata()
    assert validation[:2].tolist() == [4.0, 1.5]
    assert np.isnan(validation[2])
    assert picture.artists["best"].get_xydata().tolist() == [[2.0, 1.5]]
    assert [text.get_text() for text in picture.artists["legend"].get_texts()] == [
        "loss", "validation", "best, epoch 2",
    ]  # fmt: skip


def test_losses_of_zero_are_gaps_on_a_logarithmic_axis():
    picture = plot_history(History([1.0, 0.0, 0.1], [], [1, 1, 1]), log=True)
    assert np.isnan(picture.artists["loss"].get_ydata()[1])
    assert picture.ax.get_yscale() == "log"


def test_what_is_no_history_is_refused():
    with pytest.raises(TypeError, match=r"expected a history, as gl\.fit returns it, got list"):
        plot_history([1.0, 2.0])
    with pytest.raises(ValueError, match="no epoch"):
        plot_history(gl.training.History())
