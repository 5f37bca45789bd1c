"""Right calls of what says what trained numbers mean."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

import ganglion as gl

from .rows import Call, X, Y, cfc, ltc, plain


def simulate() -> gl.Simulator:
    return gl.simulator(ltc(), X[:1, :2])


ROWS: dict[str, Callable[[], Call]] = {
    "Normal": plain(gl.Normal, mean=0.0, deviation=1.0),
    "LogNormal": plain(gl.LogNormal, median=0.3, spread=0.5),
    "HalfNormal": plain(gl.HalfNormal, deviation=0.5),
    "Uniform": plain(gl.Uniform, low=0.0, high=1.0),
    "Fixed": plain(gl.Fixed, value=0.5),
    "gaussian": lambda: Call(
        gl.training.gaussian, {"model": cfc(), "x": mx.array(X), "y": mx.array(Y), "noise": 0.1}
    ),
    "laplace": lambda: Call(gl.laplace, {"rnn": ltc(), "x": X[:1, :2], "noise": 0.1}),
    "simulator": lambda: Call(gl.simulator, {"rnn": ltc(), "x": X[:1, :2]}),
    "Simulator": lambda: Call(gl.Simulator, {"rnn": ltc(), "x": X[:1, :2]}),
    "simulate()": lambda: Call(simulate().__call__, {"theta": simulate().theta}),
    "identifiability": lambda: Call(gl.identifiability, {"rnn": ltc(), "x": X[:1, :2]}),
}
