"""How far the solver of a network is from its equation."""

from __future__ import annotations

import copy
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..backbone.cell import BackboneCfCCell
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..values import Values

UNFOLDS = "ode_unfolds"
TOLERANCE = 0.01
"""The error that `fit` allows a solver whose steps it chooses, in the unit of the outputs."""
TRIED = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


def solver_error(
    network: NCPLayer, x: Values, state: Any = None, timespans: Values | None = None, **given: Any
) -> NDArray[np.float32]:
    r"""How far the outputs move when the solver takes twice as many steps: its error, by step doubling.

    .. math:: e_m = \max_{b, t} \left| y_m^{(2u)}(b, t) - y_m^{(u)}(b, t) \right|

    with u = `ode_unfolds`. A solver of first order, as the semi-implicit one, is about 2 e from the
    equation's own solution, and 2 u steps leave about e; rk4 is about e from it. Where e is large beside what
    the outputs tell apart, what the network says depends on how its data were sampled.

    Args:
        network: a network over sequences with a solver in it: an `LTC`, a `CTRNN`, a container of some.
        x: as the network takes it.
        state: the initial state, as the network takes it.
        timespans: as the network takes them.
        given: what else the network takes, such as `mask`.

    Returns:
        (M,) one number per output, in its unit.

    Raises:
        TypeError: no network over sequences, one whose cells solve nothing in steps, as a CfC's, or one
            that has noise.
        ValueError: the network refuses an argument.

    Example:
        >>> rnn = gl.LTC(circuit, ode_unfolds=6)
        >>> gl.solver_error(rnn, x, timespans=spans).max()

    Source: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section II.4.
    """
    if not (isinstance(network, NCPLayer) and network.recurrent):
        raise TypeError(
            f"solver_error needs a network over sequences, such as an LTC, got {type(network).__name__}"
        )
    twin = copy.deepcopy(network)
    cells = [cell for cell in twin.modules() if isinstance(cell, NCPRNNCell) and hasattr(cell, UNFOLDS)]
    solving = [cell for cell in cells if not isinstance(cell, BackboneCfCCell)]  # which is a closed form
    if not solving:
        raise TypeError(
            f"the {type(network).__name__} solves nothing in steps: no cell has {UNFOLDS} to double"
        )
    noisy = next((cell for cell in solving if cell.lasting), None)
    if noisy is not None:
        raise TypeError(
            f"a {type(noisy).__name__} has noise, which twice as many steps draw anew: no error can be seen"
        )
    for cell in solving:  # a copy that nobody else sees, so that its options may change
        object.__setattr__(cell, UNFOLDS, 2 * getattr(cell, UNFOLDS))
    coarse, fine = (_outputs(one(x, state, timespans, **given)) for one in (network, twin))
    found: NDArray[np.float32] = np.abs(fine - coarse).reshape(-1, coarse.shape[-1]).max(axis=0)
    return found


def enough_unfolds(
    network: NCPLayer, x: Values, timespans: Values | None = None, tolerance: float = TOLERANCE, **given: Any
) -> tuple[int, float]:
    """The fewest steps of a network's solver, of those that are tried, whose error is small enough.

    Args:
        network: of which "auto" was asked for.
        x, timespans, given: as the network takes them.
        tolerance: the largest error by step doubling, in the unit of the outputs.

    Returns:
        The steps and their error; the most that are tried, where none is small enough.
    """
    twin, error = copy.deepcopy(network), np.inf
    for unfolds in TRIED:
        for cell in twin.modules():
            if isinstance(cell, NCPRNNCell) and cell.awaits_unfolds:
                object.__setattr__(cell, UNFOLDS, unfolds)  # a copy that nobody else sees
        error = float(solver_error(twin, x, None, timespans, **given).max())
        if error <= tolerance:
            break
    return unfolds, error


def _outputs(result: Any) -> NDArray[np.float32]:
    outputs: mx.array = result[0] if isinstance(result, tuple) else result
    return np.array(outputs.astype(mx.float32))
