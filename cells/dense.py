"""A dense layer whose weights may live on the synapses of a wiring."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from ..arguments import MOST_NEURONS, flag, one_of, whole
from ..compile import CompiledCircuit, Source, compile_circuit, masked_matmul
from ..errors import CircuitError
from .layer import NCPLayer, Shape
from .ops import ACTIVATIONS, Draws, activate
from .parameters import Parameter, constant, fresh, signed_glorot


class NCPDense(NCPLayer):
    r"""A linear map of the last axis with an activation, :math:`y_j = f(b_j + \sum_i w_{ij} x_i)`.

    Without a wiring every input reaches every unit, and the layer is built by the first input. With one, the
    weights live on its synapses: inputs are the sensory neurons, units the neurons they lead to, and a weight
    starts with the sign of its synapse. A dense layer has no state, so the wiring has no other synapses.

    Parameters: ``weight`` (I, N), or (S,) with a wiring; ``bias`` (N,).

    Args:
        units: N, the number of outputs.
        activation: one of "lecun_tanh", "relu", "tanh", "silu", "gelu", "sigmoid", "softplus"; None for none.
        use_bias: whether to add a bias.
        wiring: a circuit of sensory neurons and `units` others, a plan, or a compiled circuit.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the wiring breaks a rule, or has a synapse between two neurons with state.
        ValueError: an unknown activation, or sizes that differ from the wiring's.

    Example:
        >>> wiring = gl.layered([], inputs=16, outputs=8, density=0.25)
        >>> layer = gl.NCPDense(8, activation="relu", wiring=wiring)
        >>> layer(mx.zeros((32, 16))).shape                                # (32, 8)
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        wiring: Source | None = None,
        *,
        key: mx.array | None = None,
    ) -> None:
        super().__init__()
        whole("units", units, most=MOST_NEURONS)
        flag("use_bias", use_bias)
        if activation is not None:
            one_of("activation", activation, ACTIVATIONS)
        self.units, self.activation, self.use_bias = units, activation, use_bias
        self._draws = Draws(key)
        self.compiled = None if wiring is None else self._checked(wiring)
        if self.compiled is not None:
            self.keep("wiring", self.compiled)
            self.build((self.compiled.plan.n_inputs,))

    def _checked(self, wiring: Source) -> CompiledCircuit:
        compiled = wiring if isinstance(wiring, CompiledCircuit) else compile_circuit(wiring)
        plan = compiled.plan
        if plan.n_neurons != self.units:
            raise ValueError(f"{self.units} units for a wiring of {plan.n_neurons} neurons with state")
        if len(plan.recurrent):
            pre, post = (plan.neurons[int(ids[0])] for ids in (plan.recurrent.pre, plan.recurrent.post))
            raise CircuitError(
                f"a dense layer has no state, so it cannot use the synapse {pre} -> {post}: "
                "expected synapses from sensory neurons only"
            )
        return compiled

    def build(self, input_shape: Shape) -> None:
        before = self.built
        super().build(input_shape)
        if before:
            return  # weights that were learned are not drawn again
        features = input_shape[-1]
        if self.compiled is None:
            self.weight = self._draws.glorot(features, self.units, features, self.units)
        else:
            for name, value in fresh(self.declared(), {"circuit": self.compiled.plan}, self._draws).items():
                self[name] = value
        if self.use_bias:
            self.bias = mx.zeros((self.units,))

    def declared(self) -> dict[str, Parameter]:
        if self.compiled is None:
            found = {"weight": Parameter(("free", "free"))}
            return found | {"bias": Parameter("free")} if self.use_bias else found
        found = {"weight": Parameter("sensory", signed_glorot, "synapse")}
        return found | {"bias": Parameter("neuron", constant(0.0))} if self.use_bias else found

    def remade(self, arguments: dict[str, Any]) -> NCPDense:
        if isinstance(arguments["wiring"], CompiledCircuit):
            arguments = arguments | {"units": arguments["wiring"].plan.n_neurons}
        return super().remade(arguments)

    @property
    def input_size(self) -> int | None:
        if self.compiled is not None:
            return self.compiled.plan.n_inputs
        return self.weight.shape[0] if "weight" in self else None

    def call(self, x: mx.array) -> mx.array:
        """(..., N) from (..., I)."""
        if x.shape[-1] != self.input_size:
            raise ValueError(f"the input has shape {tuple(x.shape)}: expected (..., {self.input_size})")
        wiring = self.compiled
        y = x @ self.weight if wiring is None else masked_matmul(x, self.weight, wiring.sensory)
        y = y + self.bias if self.use_bias else y
        return y if self.activation is None else activate(self.activation, y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def _extra_repr(self) -> str:
        wired = "" if self.compiled is None else f", {self.compiled.plan!r}"
        return f"{self.units} units, activation={self.activation!r}{wired}"
