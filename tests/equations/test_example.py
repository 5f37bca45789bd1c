"""The cell that the gallery takes from a paper: written in few lines, it is what the paper says."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.testing import check_cell

EXAMPLE = Path(__file__).parents[2] / "examples" / "plot_oscillators.py"
CIRCUIT = gl.auto_ncp(11, 2, inputs=3, seed=4)


@pytest.fixture(scope="module")
def kind() -> Any:
    found = runpy.run_path(str(EXAMPLE))["CoRNN"]
    plt.close("all")
    return found


def test_it_is_short(kind: Any) -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 60


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_it_is_the_equation_of_the_paper(kind: Any, engine: str) -> None:
    """Steps of Euler's method, by matrices."""
    cell = kind(CIRCUIT, solver="euler", ode_unfolds=3, key=mx.random.key(0))
    plan, rng = cell.compiled.plan, np.random.default_rng(0)
    w, u = np.zeros((2, plan.n_neurons, plan.n_neurons))
    v = np.zeros((plan.n_inputs, plan.n_neurons))
    w[plan.recurrent.pre, plan.recurrent.post], u[plan.recurrent.pre, plan.recurrent.post] = cell.w, cell.u
    v[plan.sensory.pre, plan.sensory.post] = cell.sensory_w
    b, gamma, epsilon = (np.array(part, np.float64) for part in (cell.b, cell.gamma, cell.epsilon))
    x = rng.uniform(-1, 1, (2, 5, 3)).astype(np.float32)
    y = z = np.zeros((2, plan.n_neurons))
    for t in range(5):
        for _ in range(3):
            rate = np.tanh(y @ w + z @ u + x[:, t] @ v + b) - gamma * y - epsilon * z
            y, z = y + 0.2 / 3 * z, z + 0.2 / 3 * rate
    outputs, state = gl.RNN(cell, engine=engine)(mx.array(x), timespans=0.2)
    assert np.abs(np.array(outputs)[:, -1] - y[:, :2]).max() < 1e-5
    assert np.abs(np.array(state[1]) - z).max() < 1e-5


def test_it_does_all_that_cells_do(kind: Any) -> None:
    check_cell(kind(CIRCUIT, ode_unfolds=2))
