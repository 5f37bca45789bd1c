"""Networks under test: which engines and layouts there are, random parameters, runs with gradients."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

# Every test of truth runs on each of these: add a name here when an engine or a layout is added.
ENGINES = ["ops", "fused"]
LAYOUTS = ["dense", "block", "edge"]

Arrays = dict[str, np.ndarray]


def random_parameters(rnn: nn.Module, rng: np.random.Generator) -> Arrays:
    """Put moderate random values into every parameter of the cell, and return them by name.

    Moderate: no sigmoid or tanh saturates for states and inputs in [-1, 1], so that every dependence is
    visible in float32, and nothing is at the value it was initialised with.
    """
    ranges = {
        "mu": (-0.5, 0.5), "sigma": (0.5, 3.0), "erev": (0.4, 1.5), "w": (0.1, 1.0), "gap": (0.1, 1.0),
        "gleak": (0.1, 1.0),
        "vleak": (-0.5, 0.5), "cm": (0.4, 1.2), "A": (0.5, 1.5), "w_tau": (-1.0, 1.0),
        "input_w": (0.5, 1.5), "input_b": (-0.3, 0.3), "output_w": (0.5, 1.5), "output_b": (-0.3, 0.3),
    }  # fmt: skip
    values = {}
    for name, old in rnn.cell.trainable_parameters().items():
        quantity = name.removeprefix("sensory_")
        values[name] = rng.uniform(*ranges.get(quantity, (-0.8, 0.8)), old.shape).astype(np.float32)
        if quantity == "erev":
            values[name] *= np.sign(np.array(old))
    set_parameters(rnn, values)
    return values


def set_parameters(rnn: nn.Module, values: Arrays) -> None:
    """Set parameters of the cell by name."""
    known = rnn.cell.trainable_parameters()
    assert values.keys() <= known.keys()
    assert all(values[name].shape == tuple(known[name].shape) for name in values)
    rnn.cell.update({name: mx.array(value) for name, value in values.items()})


def quadratic_loss(
    rnn: nn.Module,
    inputs: Arrays,
    targets: np.ndarray,
    state_targets: np.ndarray,
    **events: np.ndarray,
) -> tuple[float, Arrays]:
    """The loss (sum (y - targets)^2 + sum (last state - state_targets)^2) / 2 and its gradients, by name.

    `inputs` holds ``x`` and, where given, ``state`` and ``timespans``; they get gradients too. `events` are
    ``mask`` and ``ends``.
    """

    def loss(parameters: dict[str, Any], given: dict[str, mx.array]) -> mx.array:
        rnn.cell.update(parameters)
        y, state = rnn(given["x"], given.get("state"), given.get("timespans"), **events)
        return 0.5 * (((y - mx.array(targets)) ** 2).sum() + ((state - mx.array(state_targets)) ** 2).sum())

    before = rnn.cell.trainable_parameters()
    given = {name: mx.array(value) for name, value in inputs.items()}
    value, gradients = mx.value_and_grad(loss, argnums=(0, 1))(before, given)
    rnn.cell.update(before)
    return value.item(), {name: np.array(g) for part in gradients for name, g in tree_flatten(part)}


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest entry expected.

    For gradient arrays: their small entries are sums of large terms and carry the rounding of those.
    """
    assert found.shape == expected.shape
    largest = np.abs(expected).max(initial=0.0)
    difference = np.abs(found - expected).max(initial=0.0)
    return float(difference / largest if largest else difference)


def difference(found: mx.array | np.ndarray, expected: np.ndarray) -> float:
    """The largest absolute difference."""
    assert tuple(found.shape) == expected.shape
    return float(np.abs(np.array(found) - expected).max(initial=0.0))
