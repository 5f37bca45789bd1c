"""Activations by name or as functions, and the affine map of one number per neuron."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import mlx.core as mx
import mlx.nn as nn

from ...arguments import one_of
from ..values import Values, mlx_array

# What a layer takes for its activation: a name of `ACTIVATIONS` or `ALIASES`, or any function of one array.
Activation: TypeAlias = "str | Callable[[mx.array], mx.array]"


def lecun_tanh(x: mx.array) -> mx.array:
    """1.7159 tanh(0.666 x), the scaled tanh of LeCun et al., Efficient BackProp, 1998, section 4.4."""
    return 1.7159 * mx.tanh(0.666 * x)


def hard_sigmoid(x: mx.array) -> mx.array:
    """relu6(x + 3) / 6."""
    return mx.clip(x + 3.0, 0.0, 6.0) / 6.0


def linear(x: mx.array) -> mx.array:
    """x."""
    return x


def step(x: mx.array) -> mx.array:
    """1 where x > 0, else 0, in the type of x, which `nn.step` makes a whole number."""
    return (x > 0).astype(x.dtype)


_OF_MLX = (
    *(
        "celu",
        "elu",
        "gelu",
        "gelu_approx",
        "gelu_fast_approx",
        "glu",
        "hard_shrink",
        "hard_tanh",
        "hardswish",
    ),
    *(
        "leaky_relu",
        "log_sigmoid",
        "log_softmax",
        "mish",
        "relu",
        "relu2",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
    ),
    *("softmax", "softmin", "softplus", "softshrink", "softsign", "tanh"),
)
_FUNCTIONS: dict[str, Callable[[mx.array], mx.array]] = {
    **{name: getattr(nn, name) for name in _OF_MLX},
    "exponential": mx.exp,
    "hard_sigmoid": hard_sigmoid,
    "lecun_tanh": lecun_tanh,
    "linear": linear,
    "step": step,
}
ACTIVATIONS = tuple(sorted(_FUNCTIONS))
# Other names that Keras or MLX have for the same.
ALIASES = {
    "exp": "exponential",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "soft_shrink": "softshrink",
    "swish": "silu",
}
# Functions and modules of MLX that are one of the above, so that a config can name them.
_SAME: dict[object, str] = {function: name for name, function in _FUNCTIONS.items()}
_SAME |= {mx.tanh: "tanh", mx.sigmoid: "sigmoid"}
_MODULES: dict[type, str] = {
    nn.HardShrink: "hard_shrink",
    nn.HardTanh: "hard_tanh",
    nn.Hardswish: "hardswish",
    nn.LogSigmoid: "log_sigmoid",
    nn.LogSoftmax: "log_softmax",
    nn.Mish: "mish",
    nn.ReLU: "relu",
    nn.ReLU2: "relu2",
    nn.ReLU6: "relu6",
    nn.SELU: "selu",
    nn.SiLU: "silu",
    nn.Sigmoid: "sigmoid",
    nn.Softmax: "softmax",
    nn.Softmin: "softmin",
    nn.Softplus: "softplus",
    nn.Softsign: "softsign",
    nn.Tanh: "tanh",
}


def activation_of(what: str, given: Activation) -> Activation:
    """An activation as layers keep it: one of the `ACTIVATIONS` by name if it is one, else the function.

    Raises:
        ValueError: an unknown name.
        TypeError: neither a name nor a function.
    """
    if isinstance(given, str):
        one_of(what, name := ALIASES.get(given, given), ACTIVATIONS)
        return name
    if not callable(given) or isinstance(given, type):
        kind = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise TypeError(f"{what} is {kind}: expected a name, such as 'relu', or a function, such as nn.relu")
    if type(given) in _MODULES:
        return _MODULES[type(given)]
    try:
        return _SAME.get(given, given)
    except TypeError:  # a callable without a hash
        return given


def activate(activation: Activation, x: Values) -> mx.array:
    """An activation, by name or as a function, of an array.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> activate("lecun_tanh", mx.array(1.0))                          # 0.9992
    """
    known = activation_of("activation", activation)
    function = _FUNCTIONS[known] if isinstance(known, str) else known
    return function(mlx_array("x", x))


def affine(x: mx.array, w: mx.array | None, b: mx.array | None) -> mx.array:
    """x * w + b elementwise, (..., n) from (..., n) and vectors (n,); an absent vector changes nothing."""
    x = x if w is None else x * w
    return x if b is None else x + b
