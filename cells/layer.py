"""The base of all layers: built on first use, and able to say in plain data how it was made."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar, Self, TypeAlias, cast

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from ..arguments import counted, flag, instance, label, several, whole
from ..arguments import path as as_path
from ..compile import Plan
from ..compile.kernels.tracing import evaluable
from ..forks import require_computing
from ..storage import replacing
from ..wiring import Circuit
from .belonging import DIGEST, NeverTrained, belonging_to, digest_array, refuse_other
from .configured import Configured
from .ops.state_ops import State
from .parameters import Declared, Parameter, as_parameters
from .running import Steps
from .strengths import circuit_in
from .values import Values, mlx_array, running_on

Shape = tuple[int, ...]
Named: TypeAlias = list[tuple[str, mx.array]]


class NCPLayer(Configured):
    """An `mlx.nn.Module` that is built when the shape of its input is known, with a config.

    A subclass makes its parameters in `build`, computes in `call` (or in its own `__call__`, which begins or
    ends with ``super().__call__(x)``, and that builds) and says in `compute_output_shape` what
    comes out. Its constructor's arguments are its config: nothing needs to be written for `get_config` and
    `from_config`, which keep the class of a subclass. A layer that is made from a circuit knows its input
    at once and is built by its constructor.

    Attributes:
        homes: what the parameters lie on, by name; see `Parameter`.
        recurrent: whether the layer reads sequences and has a state, as `RNN` does.
        changeable: options that may be set on a layer that is made; the config holds what they are then.
        built: whether the parameters exist. A layer that is not built refuses to be asked for what it would
            train, to save or load weights, to be frozen or to change its type: call it, or `build`, before.

    Example:
        >>> class Scale(gl.NCPLayer):
        ...     def __init__(self, start: float = 1.0):
        ...         super().__init__()
        ...         self.start = start
        ...
        ...     def build(self, input_shape):
        ...         self.scale = mx.full((input_shape[-1],), self.start)
        ...         super().build(input_shape)
        ...
        ...     def call(self, x):
        ...         return x * self.scale
        >>> Scale.from_config(Scale(2.0).get_config())(mx.ones((1, 3)))    # [[2, 2, 2]]
    """

    homes: ClassVar[Declared] = {}
    recurrent: ClassVar[bool] = False
    built: bool
    _features: int | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls, *args, **kwargs)
        object.__setattr__(layer, "_features", None)
        return layer

    def __init__(self) -> None:
        super().__init__()
        self.built = False

    def __call__(self, x: Values, *args: Any, **kwargs: Any) -> Any:
        """`call`, after building the layer for this input if it is not built yet.

        Args:
            x: (..., features) inputs.
            args, kwargs: whatever else `call` takes, and `stream`, an MLX stream or device to run on; the
                default one if not given.

        Raises:
            TypeError: an input that does not hold real numbers.
        """
        stream = kwargs.pop("stream", None)
        with running_on(stream):
            inputs = mlx_array("the input", x)
            if inputs.ndim == 0:
                raise ValueError("the input is a single number: expected (..., features)")
            self.ensure_built(inputs.shape)
            return self.call(inputs, *args, **kwargs)

    def call(self, x: mx.array, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; a subclass provides it, or its own `__call__`."""
        if type(self).__call__ is NCPLayer.__call__:
            raise NotImplementedError(f"{type(self).__name__} has no call()")
        return x

    def build(self, input_shape: Shape) -> None:
        """Make the parameters for inputs of a shape; only the last axis matters to most layers.

        Raises:
            ValueError: the layer reads another number of features, since it is built or has a circuit.
        """
        self._require_width("build", input_shape)
        self.built, self._features = True, input_shape[-1]

    def ensure_built(self, input_shape: Shape) -> None:
        """Build the layer for inputs of a shape unless it is built; every call begins here."""
        require_computing()
        if not self.built:
            self.build(tuple(input_shape))
            self.built, self._features = True, input_shape[-1]  # whether or not it calls that of its base
            self.settle()

    def belong_to(self, plan: Plan, shared: str = "") -> None:
        """Let the parameters say that they are of a circuit, and what they share; see `DIGEST`."""
        self[DIGEST] = digest_array(plan, shared)
        object.__setattr__(self, "_digest", self[DIGEST])
        self._no_grad = NeverTrained(self._no_grad)

    def never_train(self, names: Iterable[str]) -> None:
        """Leave parameters as they are, whatever is unfrozen."""
        self._no_grad = NeverTrained(self._no_grad, names)

    def refuse_weights_of_other_circuits(self) -> None:
        """Raise ValueError if the parameters were replaced by those of another circuit, as `update` does."""
        held, ours = self.get(DIGEST), self.__dict__.get("_digest")
        if held is not ours and ours is not None:
            refuse_other(f"the weights of this {type(self).__name__}", held, ours)

    def settle(self) -> None:
        """Compute parameters that are still to be computed, if they can have values now.

        MLX does that only in the thread that asked for them, and a layer may be used in another one than it
        was built in.

        Raises:
            RuntimeError: this is another thread.
        """
        evaluable([array for _, array in cast(Named, tree_flatten(self.parameters()))])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the output for inputs of a shape, without building or computing anything.

        Raises:
            ValueError: a shape that the layer does not read.
        """
        self._require_width("compute_output_shape", input_shape)
        return tuple(input_shape)

    def declared(self) -> dict[str, Parameter]:
        """The layer's own parameters by name or path, without those of layers inside: what `homes` says."""
        return as_parameters(self.homes)

    def declaration(self) -> dict[str, Parameter]:
        """The same as the layer keeps them: where values are shared, one for each group."""
        return self.declared()

    @property
    def input_size(self) -> int | None:
        """How many features the layer reads; None if it has yet to learn that, or does not care."""
        return None

    @property
    def input_shape(self) -> tuple[None, int] | None:
        """(None, features) of the inputs, where None is for any axes; None if it has yet to learn that."""
        features = self.input_size or self._features
        return None if features is None else (None, features)

    def get_initial_state(
        self, inputs: mx.array | None = None, batch_size: int | None = None
    ) -> State | None:
        """The state a sequence starts from, for a batch like `inputs` or of a size; None without a state."""
        return None

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, Any]:
        """(B, M) outputs and the state at rest with (B, I) inputs; see `rest`.

        Raises:
            TypeError: the class does not say where it rests.
        """
        raise TypeError(f"a {type(self).__name__} does not say where it rests: it has no resting(x, span)")

    def to_circuit(self) -> Circuit:
        """The circuit that the layer is over, with trained strengths and signs; see `circuit_of`.

        Raises:
            TypeError: there is none, or its synapses have no strength.
            ValueError: there are several.
        """
        return circuit_in(self)

    def _stepped(self, batch: int) -> Steps:
        """What a `Stream` runs: the layer one sample at a time. One with a state provides it, or refuses."""
        raise ValueError(f"{type(self).__name__} cannot be fed one sample at a time")

    # What MLX would do in silence with the parameters that are not there yet

    def trainable_parameters(self) -> Any:
        self.require_built("has nothing to train")
        return super().trainable_parameters()

    def save_weights(self, file: str) -> None:
        self.require_built("has no weights to save")
        require_computing()
        name = as_path("file", file)
        if not name.name.endswith((".safetensors", ".npz")):
            raise ValueError(f"file is {label(str(name))}: expected the ending .safetensors or .npz")
        with replacing(name) as new:
            super().save_weights(str(new))

    def load_weights(self, file_or_weights: Any, strict: bool = True) -> nn.Module:
        self.require_built("cannot take weights")
        flag("strict", strict)
        weights: Any = file_or_weights
        if isinstance(weights, str | os.PathLike):
            name = str(as_path("file_or_weights", weights))
            if not name.endswith((".safetensors", ".npz")):
                raise ValueError(
                    f"file_or_weights is {label(name)}: expected the ending .safetensors or .npz"
                )
            weights = list(cast("dict[str, mx.array]", mx.load(name)).items())
        return super().load_weights(belonging_to(self, _pairs(weights)), strict)

    def set_dtype(self, dtype: mx.Dtype, *args: Any, **kwargs: Any) -> None:
        self.require_built("has nothing whose type could change")
        instance("dtype", dtype, mx.Dtype, "a type of MLX, such as mx.float16")
        super().set_dtype(dtype, *args, **kwargs)

    def freeze(self, **options: Any) -> nn.Module:
        self.require_built("has nothing to freeze")
        return super().freeze(**options)

    def require_built(self, what: str) -> None:
        """Refuse what a layer cannot do before it and all layers in it are built.

        Raises:
            ValueError: saying `what` it cannot do, and which layer is not built.
        """
        for path, part in self.named_modules():
            if isinstance(part, NCPLayer) and not part.built:
                name = f"the {type(part).__name__} {path!r} in it" if path else "it"
                raise ValueError(
                    f"the {type(self).__name__} {what}: {name} is not built yet; call the network once, or "
                    "build((..., features))"
                )

    def _require_width(self, method: str, input_shape: Shape) -> None:
        shape = tuple(several("input_shape", input_shape, "whole numbers"))
        if not shape:
            raise ValueError(
                f"{type(self).__name__}.{method}() for inputs of shape (): expected (..., features)"
            )
        whole("input_shape's last entry", shape[-1])
        if self.input_size is not None and shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}.{method}() for inputs of shape {label(shape)}: the layer reads "
                f"{counted(self.input_size, 'feature')}, expected (..., {self.input_size})"
            )


def _pairs(weights: Any) -> list[tuple[str, mx.array]]:
    """Weights by name, as MLX takes them."""
    pairs = several("file_or_weights", weights, "(name, array)")
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise TypeError(f"file_or_weights must be a path or a list of (name, array), got {label(pair)}")
        instance(f"the weights {label(pair[0], 60)}", pair[1], mx.array, "an MLX array")
    if not pairs:
        raise ValueError("file_or_weights is empty: expected a path or a list of (name, array)")
    return pairs
