"""A dense layer whose weights may live on the synapses of a wiring."""

from __future__ import annotations

from typing import Any, NoReturn

import mlx.core as mx

from ..arguments import MOST_NEURONS, counted, flag, whole
from ..compile import CompiledCircuit, masked_matmul
from .keys import grid, numbered
from .layer import NCPLayer, Shape
from .ops import Activation, Draws, activate, activation_of, matmul
from .parameters import Parameter, Streams, constant, fresh, glorot, signed_glorot
from .pattern import Pattern, is_rule, wired


class NCPDense(NCPLayer):
    r"""A linear map of the last axis with an activation, :math:`y_j = f(b_j + \sum_i w_{ij} x_i)`.

    Without a wiring every input reaches every unit, and the layer is built by the first input. With one, the
    weights live on its synapses alone, and start with their signs where it has any.

    Parameters: ``weight`` (I, N), or (S,) with a wiring; ``bias`` (N,).

    Args:
        units: N, the number of outputs.
        activation: the name of an activation of ``mlx.nn`` or Keras, such as "relu" or "swish", "lecun_tanh",
            or any function of an array; None for none.
        use_bias: whether to add a bias.
        wiring: which input reaches which unit: a circuit, a plan or a compiled circuit of `units` neurons
            with state, whose sensory synapses these are (a layer without state has no use for the others); an
            (I, N) matrix of NumPy, SciPy or MLX, whose entries are not zero where there is a synapse, with
            signs if some are negative; or a rule of `Circuit.connect` as a dict, such as
            ``{"rule": "fixed_indegree", "indegree": 4, "seed": 1}``, or by its name if it has no argument.
        key: random key for the initial values; MLX's global state if not given.

    Attributes:
        wiring: the compiled circuit of these synapses; None without a wiring, or until a rule has drawn it.

    Raises:
        CircuitError: the wiring breaks a rule.
        ValueError: an unknown activation, or sizes that differ from the wiring's.
        TypeError: neither name nor function, or no wiring.

    Example:
        >>> layer = gl.NCPDense(8, activation="relu", wiring=gl.auto_ncp(8, 2, inputs=16))
        >>> layer(mx.zeros((32, 16))).shape                                # (32, 8)
    """

    def __init__(
        self,
        units: int,
        activation: Activation | None = None,
        use_bias: bool = True,
        wiring: Pattern | None = None,
        *,
        key: mx.array | None = None,
    ) -> None:
        super().__init__()
        whole("units", units, most=MOST_NEURONS)
        flag("use_bias", use_bias)
        self.units, self.use_bias = units, use_bias
        self.activation = None if activation is None else activation_of("activation", activation)
        self._draws, self._rule = Draws(key), None
        self.compiled: CompiledCircuit | None = None
        self._signed = False
        if is_rule(wiring):
            object.__setattr__(self, "_rule", wiring)  # no parameter, which MLX takes a dict for
        elif wiring is not None:
            compiled, signed = wired(wiring, units)
            self._wire(compiled, signed)
            self.build((compiled.plan.n_inputs,))

    def _wire(self, compiled: CompiledCircuit, signed: bool) -> None:
        self.compiled, self._signed = compiled, signed
        self.keep("wiring", compiled)  # the graph may be edited later
        self.belong_to(compiled.plan)

    def build(self, input_shape: Shape) -> None:
        before = self.built
        super().build(input_shape)
        if before:
            return  # weights that were learned are not drawn again
        features = input_shape[-1]
        if self._rule is not None:
            self._wire(*wired(self._rule, self.units, features))
        if self.compiled is None:
            drawn = self._draws.of("weight", grid(numbered(features), numbered(self.units)))
            self.weight = drawn.glorot(features, self.units, features, self.units)
        else:
            plans = {"circuit": self.compiled.plan}
            for name, value in fresh(self.declared(), plans, Streams(plans, self._draws)).items():
                self[name] = value
        if self.use_bias:
            self.bias = mx.zeros((self.units,))
        self.settle()

    def to_quantized(self, **_: Any) -> NoReturn:
        """Not for this layer, which `nn.quantize` would otherwise leave as it is without a word.

        Raises:
            ValueError: always, saying what to do.
        """
        raise ValueError(
            "NCPDense has no quantized form: rounding would put weights where there is no synapse. Leave it "
            "out, nn.quantize(model, class_predicate=lambda _, m: hasattr(m, 'to_quantized') and not "
            "isinstance(m, gl.NCPDense)), or take nn.Linear where there is no wiring"
        )

    def declared(self) -> dict[str, Parameter]:
        if self.compiled is None:
            found = {"weight": Parameter(("free", "free"))}
            return found | {"bias": Parameter("free")} if self.use_bias else found
        weight = (
            Parameter("sensory", signed_glorot, "synapse") if self._signed else Parameter("sensory", glorot)
        )
        found = {"weight": weight}
        return found | {"bias": Parameter("neuron", constant(0.0))} if self.use_bias else found

    def remade(self, arguments: dict[str, Any]) -> NCPDense:
        if isinstance(arguments["wiring"], CompiledCircuit):
            arguments = arguments | {"units": arguments["wiring"].plan.n_neurons}
        return super().remade(arguments)

    @property
    def wiring(self) -> CompiledCircuit | None:
        return self.compiled

    @property
    def input_size(self) -> int | None:
        if self.compiled is not None:
            return self.compiled.plan.n_inputs
        return self.weight.shape[0] if "weight" in self else None

    def call(self, x: mx.array) -> mx.array:
        """(..., N) from (..., I)."""
        self.refuse_weights_of_other_circuits()
        if x.shape[-1] != self.input_size:
            raise ValueError(f"the input has shape {tuple(x.shape)}: expected (..., {self.input_size})")
        wiring = self.compiled
        y = matmul(x, self.weight) if wiring is None else masked_matmul(x, self.weight, wiring.sensory)
        y = y + self.bias if self.use_bias else y
        y = y if self.activation is None else activate(self.activation, y)
        return y.astype(self.weight.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        leading = super().compute_output_shape(input_shape)[:-1]
        given = mx.zeros((1, self.units))  # a function may give another number of outputs
        units = self.units if self.activation is None else activate(self.activation, given).shape[-1]
        return (*leading, units)

    def _extra_repr(self) -> str:
        synapses = "" if self.compiled is None else f", {self.compiled.plan!r}"
        return f"{counted(self.units, 'unit')}, activation={self.activation!r}{synapses}"
