"""Right calls of what says what trained numbers mean."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

import ganglion as gl

from .rows import Call, X, Y, cfc, ltc, plain

ROWS: dict[str, Callable[[], Call]] = {
    "Normal": plain(gl.Normal, mean=0.0, deviation=1.0),
    "LogNormal": plain(gl.LogNormal, median=0.3, spread=0.5),
    "HalfNormal": plain(gl.HalfNormal, deviation=0.5),
    "Uniform": plain(gl.Uniform, low=0.0, high=1.0),
    "Fixed": plain(gl.Fixed, value=0.5),
    "gaussian": lambda: Call(
        gl.training.gaussian, {"model": cfc(), "x": mx.array(X), "y": mx.array(Y), "noise": 0.1}
    ),
    "identifiability": lambda: Call(gl.identifiability, {"rnn": ltc(), "x": X[:1, :2]}),
}
