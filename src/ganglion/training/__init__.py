"""Training: `fit`, what it keeps, and time series in CSV files."""

from . import series
from .grid import union_grid
from .history import History
from .loop import fit
from .losses import cross_entropy, gaussian, likelihood, mse, outputs_of
from .run import Callback, Run
from .summary import Summary

__all__ = [
    "Callback",
    "History",
    "Run",
    "Summary",
    "cross_entropy",
    "fit",
    "gaussian",
    "likelihood",
    "mse",
    "outputs_of",
    "series",
    "union_grid",
]
