"""Time series in CSV files: reading them, training a circuit on them, and using it.

In processing order: `table` reads a file, `sequences` turns it into what a network sees, `job` trains and
predicts in the `directory` of a run, and `report`, which needs matplotlib, shows what came out.
"""

from ...habits import Habits
from .job import Outcome, Score, Settings, predict, predict_series, score_series, train_series
from .reading import pad, read_series, since_seen
from .sequences import Columns, Series

__all__ = [
    "Columns",
    "Habits",
    "Outcome",
    "Score",
    "Series",
    "Settings",
    "pad",
    "predict",
    "predict_series",
    "read_series",
    "score_series",
    "since_seen",
    "train_series",
]
