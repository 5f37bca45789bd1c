"""The continuous-time recurrent network: leaky neurons with a firing rate."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Literal

import mlx.core as mx
import numpy as np

from ..arguments import flag, label, one_of, real
from ..compile import Source
from .equations.cell import EquationCell
from .equations.declaration import WORDS, neuron, synapse
from .equations.model import Model
from .equations.parsing import EquationError
from .ltc.operations import SOLVERS
from .ops import Activation, activate, activation_of, softplus_inverse
from .overlay import Changes, Places
from .parameters import Parameter, constant
from .priors import Priors
from .sharing import Scale, Ties
from .strengths import Floats, as_floats

RATES = {name: f"{name}(i + rate_b)" for name in ("tanh", "sigmoid", "relu", "softplus")} | {
    "silu": "(i + rate_b) * sigmoid(i + rate_b)",
    "lecun_tanh": "1.7159 * tanh(0.666 * (i + rate_b))",
}
"""Activations that are equations, so that there is a kernel; others are functions of arrays."""


class CTRNNCell(EquationCell):
    r"""One time step of a continuous-time recurrent network over a circuit.

    In `ode_unfolds` steps of length dt = timespan / ode_unfolds, it solves

    .. math::

        \tau_j \frac{dh_j}{dt} = -h_j + f\bigl(b_j + \sum_i w_{ij} [x, h]_i\bigr)

    over the synapses i -> j. Without the leak, the first term is absent: a neural differential equation.

    Parameters: ``rate_w`` (E,) on recurrent and ``sensory_rate_w`` (S,) on sensory synapses, ``rate_b`` and,
    through softplus, ``tau`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        ode_unfolds: solver steps per time step, or "auto", see `LTCCell`.
        solver: "semi_implicit" (the leak at the new time: stable for any step), "explicit" or "rk4".
        activation: f; a name or a function, as `NCPDense` takes it. There is a fused kernel for tanh,
            sigmoid, relu, softplus, silu and lecun_tanh.
        tau: where every time constant starts, in units of `time_scale`. ``cell.freeze(keys="tau")`` keeps it
            there.
        leak: whether neurons leak.
        clip: the largest absolute state; None for no limit.
        polarity: "init" (the circuit's signs are where weights start) or "fixed" (they keep them, as
            those of a `CfCCell`).
        tie, scale, fixed, penalty, priors: which parameters are shared, and what is known of them, see
            `LTCCell`; a `scale` by name alone is of the weights that carry the signs of synapses.
        time_scale: the time of the data that counts as 1, see `LTCCell`: dt is the time span divided by it;
            `fit` chooses one where none is given and `tau` is 1.
        max_step: the longest time span that is solved in one go, see `LTCCell`.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option, or a number that is not positive.

    Example:
        >>> rnn = gl.RNN(gl.CTRNNCell(gl.auto_ncp(64, 8, inputs=16), solver="rk4"))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Funahashi and Nakamura, Neural Networks 1993, equation 1; without leak, Chen et al., Neural
    ordinary differential equations, NeurIPS 2018.
    """

    parameters = {
        "rate_w": synapse("signed_glorot", strength=True),
        "rate_b": neuron(0.0),
        "tau": neuron(1.0),
    }
    synapse = {"i": "rate_w * h_pre"}
    let = {"leak_time": "softplus(tau)"}
    dynamics = "leak_time * dh/dt = tanh(i + rate_b) - h"

    changeable = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        said = [word for word in WORDS if word in vars(cls) and not callable(vars(cls)[word])]
        if said:
            raise EquationError(
                f"{cls.__name__}.{said[0]}: options make the equations of a CTRNNCell: make a class of "
                "gl.EquationCell for others"
            )
        super().__init_subclass__(**kwargs)

    def __init__(
        self,
        circuit: Source,
        *,
        ode_unfolds: int | Literal["auto"] = 6,
        solver: str = "semi_implicit",
        activation: Activation = "tanh",
        tau: float = 1.0,
        leak: bool = True,
        clip: float | None = None,
        polarity: str = "init",
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        priors: Priors = None,
        time_scale: float | None = None,
        max_step: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        one_of("solver", solver, SOLVERS)
        flag("leak", leak)
        self._tau = real("tau", tau, above=0)
        if clip is not None:
            real("clip", clip, above=0)
        self.activation = activation_of("activation", activation)
        self.leak, self.clip = leak, clip
        self.times_given = self._tau != 1.0
        super().__init__(
            circuit, solver=solver, ode_unfolds=ode_unfolds, polarity=polarity, tie=tie, scale=scale,
            fixed=fixed, penalty=penalty, priors=priors, time_scale=time_scale,
            max_step=max_step, key=key,
        )  # fmt: skip

    def equations_chosen(self) -> Model:
        return _model(self.activation, self.leak, self.clip)

    def declared(self) -> dict[str, Parameter]:
        found = super().declared()
        return found | {"tau": replace(found["tau"], start=constant(softplus_inverse(self._tau)))}

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        if self.clip is not None and (np.abs(values) > self.clip).any():
            raise ValueError(f"states are clipped at {self.clip}, got {label(values.tolist())}")
        super().hold_neurons(changes, neurons, values)

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        changes.add("rate_b", neurons, currents)

    def resting_states(self) -> Floats:
        """Where a leak pulls it; without a leak it has no rest, and 0 counts."""
        bias = self.effective()["rate_b"]
        return as_floats(activate(self.activation, bias)) if self.leak else np.zeros(self.n_neurons)

    def _extra_repr(self) -> str:
        return (
            f"{self.compiled.plan!r}, solver={self.solver!r}, activation={self.activation!r}{self._timing()}"
        )


def _model(activation: Activation, leak: bool, clip: float | None) -> Model:
    if isinstance(activation, str):
        return _named(activation, leak, clip)
    return _with_rate(activation, "f(i + rate_b)", leak, clip)


@lru_cache
def _named(activation: str, leak: bool, clip: float | None) -> Model:
    rate = RATES.get(activation, "f(i + rate_b)")
    return _with_rate(activation, rate, leak, clip)


def _with_rate(activation: Activation, rate: str, leak: bool, clip: float | None) -> Model:
    dynamics = f"leak_time * dh/dt = {rate}{' - h' if leak else ''}"
    own = {} if isinstance(activation, str) and activation in RATES else {"f": partial(activate, activation)}
    return CTRNNCell.model_with(dynamics=dynamics, functions=own, clip=clip)
