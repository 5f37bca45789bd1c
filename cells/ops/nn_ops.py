"""Activations by name or as functions, norms, dropout, and the affine map of one number per neuron."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import mlx.core as mx
import mlx.nn as nn

from ...arguments import fraction, one_of, scalar
from ...compile.kernels import operations
from ..axes import axis_of
from ..values import Values, Where, mlx_array, running_on
from .math_ops import mean as average
from .math_ops import or_nothing
from .random_ops import uniform

__all__ = [
    "ACTIVATIONS",
    "activate",
    "activation_of",
    "affine",
    "batch_norm",
    "celu",
    "dropout",
    "elu",
    "exponential",
    "gelu",
    "gelu_approx",
    "gelu_fast_approx",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_tanh",
    "hardswish",
    "layer_norm",
    "leaky_relu",
    "lecun_tanh",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu2",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "step",
    "tanh",
]

# What a layer takes for its activation: a name of `ACTIVATIONS` or `ALIASES`, or any function of one array.
Activation: TypeAlias = "str | Callable[[mx.array], mx.array]"
WIDE = 16  # numbers that fill a vector: shorter rows are left to MLX


class Curve(Protocol):
    """A function of each number of an array."""

    def __call__(self, x: Values, *, stream: Where = None) -> mx.array: ...


def _curve(name: str, plain: Callable[[mx.array], mx.array], told: str) -> Curve:
    """A function by our own kernel where it is large enough, else by MLX's operations."""

    def function(x: Values, *, stream: Where = None) -> mx.array:
        return _applied(name, plain, x, stream)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = told
    return function


def _applied(name: str, plain: Callable[..., mx.array], x: Values, stream: Where, **given: float) -> mx.array:
    with running_on(stream):
        array = mlx_array("x", x)
        numbers = [scalar(what, value) for what, value in given.items()]
        found = operations.curve(name, array, *numbers)
        return plain(array, *numbers) if found is None else found


def linear(x: Values, *, stream: Where = None) -> mx.array:
    """x."""
    return mlx_array("x", x)


exponential = _curve("exponential", mx.exp, "e to the power of x.")
gelu = _curve("gelu", nn.gelu, "x times the standard normal distribution's share below x.")
gelu_approx = _curve("gelu_approx", nn.gelu_approx, "`gelu` by a tanh of a cubic, good to 5e-4.")
gelu_fast_approx = _curve("gelu_fast_approx", nn.gelu_fast_approx, "x sigmoid(1.702 x), good to 0.02.")
hard_sigmoid = _curve("hard_sigmoid", lambda x: mx.clip(x + 3.0, 0.0, 6.0) / 6.0, "relu6(x + 3) / 6.")
hardswish = _curve("hardswish", nn.hardswish, "x relu6(x + 3) / 6.")
lecun_tanh = _curve(
    "lecun_tanh",
    lambda x: 1.7159 * mx.tanh(0.666 * x),
    "1.7159 tanh(0.666 x), the scaled tanh of LeCun et al., Efficient BackProp, 1998, section 4.4.",
)
log_sigmoid = _curve("log_sigmoid", nn.log_sigmoid, "log(sigmoid(x)), without an overflow.")
mish = _curve("mish", nn.mish, "x tanh(softplus(x)).")
relu = _curve("relu", nn.relu, "max(x, 0).")
relu2 = _curve("relu2", nn.relu2, "max(x, 0) squared.")
relu6 = _curve("relu6", nn.relu6, "x between 0 and 6.")
selu = _curve("selu", nn.selu, "1.0507 elu(x, 1.67326).")
sigmoid = _curve("sigmoid", mx.sigmoid, "1 / (1 + e^-x).")
silu = _curve("silu", nn.silu, "x sigmoid(x), also called swish.")
softplus = _curve("softplus", nn.softplus, "log(1 + e^x), without an overflow.")
softsign = _curve("softsign", nn.softsign, "x / (1 + abs(x)).")
step = _curve(
    "step",
    lambda x: (x > 0).astype(x.dtype),
    "1 where x > 0, else 0, in the type of x.",
)
tanh = _curve("tanh", mx.tanh, "The hyperbolic tangent.")


def celu(x: Values, alpha: float = 1.0, *, stream: Where = None) -> mx.array:
    """max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1)."""
    return _applied("celu", nn.celu, x, stream, alpha=alpha)


def elu(x: Values, alpha: float = 1.0, *, stream: Where = None) -> mx.array:
    """x where x > 0, else alpha (e^x - 1)."""
    return _applied("elu", nn.elu, x, stream, alpha=alpha)


def leaky_relu(x: Values, negative_slope: float = 0.01, *, stream: Where = None) -> mx.array:
    """max(x, negative_slope x)."""
    return _applied("leaky_relu", nn.leaky_relu, x, stream, negative_slope=negative_slope)


def hard_shrink(x: Values, lambd: float = 0.5, *, stream: Where = None) -> mx.array:
    """x where abs(x) > lambd, else 0."""
    return _applied("hard_shrink", nn.hard_shrink, x, stream, lambd=lambd)


def softshrink(x: Values, lambd: float = 0.5, *, stream: Where = None) -> mx.array:
    """x nearer to 0 by lambd, and 0 where it would pass that."""
    return _applied("softshrink", nn.softshrink, x, stream, lambd=lambd)


def hard_tanh(x: Values, min_val: float = -1.0, max_val: float = 1.0, *, stream: Where = None) -> mx.array:
    """x between min_val and max_val."""
    return _applied("hard_tanh", nn.hard_tanh, x, stream, min_val=min_val, max_val=max_val)


def softmax(x: Values, axis: int = -1, *, stream: Where = None) -> mx.array:
    """e^x over its sum along an axis."""
    with running_on(stream):
        array = mlx_array("x", x)
        axis = axis_of(axis, array)
        found = operations.rowwise("softmax", array) if _along_last(array, axis) else None
        return nn.softmax(array, axis) if found is None else found


def softmin(x: Values, axis: int = -1, *, stream: Where = None) -> mx.array:
    """The softmax of -x."""
    return softmax(-mlx_array("x", x), axis, stream=stream)


def log_softmax(x: Values, axis: int = -1, *, stream: Where = None) -> mx.array:
    """The logarithm of the softmax."""
    with running_on(stream):
        array = mlx_array("x", x)
        axis = axis_of(axis, array)
        found = operations.rowwise("log_softmax", array) if _along_last(array, axis) else None
        return nn.log_softmax(array, axis) if found is None else found


def glu(x: Values, axis: int = -1, *, stream: Where = None) -> mx.array:
    """The first half along an axis times the sigmoid of the second."""
    with running_on(stream):
        array = mlx_array("x", x)
        axis = axis_of(axis, array)
        if array.shape[axis] % 2:
            raise ValueError(f"axis {axis} of an array {array.shape} has no two halves")
        found = operations.rowwise("glu", array) if _along_last(array, axis) else None
        return nn.glu(array, axis) if found is None else found


def layer_norm(
    x: Values,
    weight: Values | None = None,
    bias: Values | None = None,
    eps: float = 1e-5,
    *,
    stream: Where = None,
) -> mx.array:
    """The last axis with mean 0 and variance 1, then times a weight (N,) plus a bias (N,)."""
    with running_on(stream):
        array = mlx_array("x", x)
        eps = scalar("eps", eps)
        w, b = (None if v is None else mlx_array("weight and bias", v) for v in (weight, bias))
        found = operations.rowwise("layer_norm", array, w, b, eps) if _along_last(array, -1) else None
        return or_nothing(mx.fast.layer_norm(array, w, b, eps)) if found is None else found


def batch_norm(
    x: Values,
    mean: Values | None = None,
    var: Values | None = None,
    weight: Values | None = None,
    bias: Values | None = None,
    eps: float = 1e-5,
    *,
    stream: Where = None,
) -> mx.array:
    """Each feature of the last axis with mean 0 and variance 1, then times a weight (N,) plus a bias (N,).

    Args:
        x: (..., N).
        mean, var: (N,) of the features, as they were in training; those of `x` itself if not given.
        weight, bias: (N,), left out if not given.
        eps: added to the variance.
        stream: where to compute.
    """
    with running_on(stream):
        array = mlx_array("x", x)
        axes = tuple(range(array.ndim - 1))
        middle = average(array, axes) if mean is None else mlx_array("mean", mean)
        spread = average(mx.square(array - middle), axes) if var is None else mlx_array("var", var)
        scale = mx.rsqrt(spread + scalar("eps", eps))
        scale = scale if weight is None else scale * mlx_array("weight", weight)
        shift = -middle * scale if bias is None else mlx_array("bias", bias) - middle * scale
        return or_nothing(array * scale + shift)


def dropout(x: Values, p: float = 0.5, *, key: mx.array | None = None, stream: Where = None) -> mx.array:
    """x with each number set to 0 with probability p, and the others times 1 / (1 - p).

    Args:
        x: of any shape.
        p: from 0 up to, but not, 1. A layer that is not training takes 0.
        key: a random key; MLX's global state if not given.
        stream: where to compute.
    """
    fraction("p", p, below=True)
    with running_on(stream):
        array = mlx_array("x", x)
        if p == 0:
            return array
        kept = step((1 - p) - uniform(size=array.shape, key=key)) * (1 / (1 - p))
        return array * kept.astype(array.dtype)


def _along_last(x: mx.array, axis: int) -> bool:
    return x.ndim > 0 and axis in (-1, x.ndim - 1) and x.shape[-1] >= WIDE


_OTHERS = "ACTIVATIONS", "activate", "activation_of", "affine", "batch_norm", "dropout", "layer_norm"
_FUNCTIONS: dict[str, Callable[..., mx.array]] = {
    name: globals()[name] for name in __all__ if name not in _OTHERS
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
_SAME: dict[object, str] = {
    getattr(nn, name): name for name in _FUNCTIONS if name != "step" and hasattr(nn, name)
}
_SAME |= {function: name for name, function in _FUNCTIONS.items()}
_SAME |= {mx.exp: "exponential", mx.tanh: "tanh", mx.sigmoid: "sigmoid"}
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


def activate(activation: Activation, x: Values, *, stream: Where = None) -> mx.array:
    """An activation, by name or as a function, of an array.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> activate("lecun_tanh", mx.array(1.0))                          # 0.9992
    """
    known = activation_of("activation", activation)
    function = _FUNCTIONS[known] if isinstance(known, str) else known
    with running_on(stream):
        return function(mlx_array("x", x))


def affine(x: Values, w: Values | None, b: Values | None, *, stream: Where = None) -> mx.array:
    """x * w + b elementwise, (..., n) from (..., n) and vectors (n,); an absent vector changes nothing."""
    with running_on(stream):
        x = mlx_array("x", x)
        x = x if w is None else x * mlx_array("w", w)
        return or_nothing(x if b is None else x + mlx_array("b", b))
