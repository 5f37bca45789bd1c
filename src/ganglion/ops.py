"""Operations on MLX arrays with NumPy's names: what networks are made of, at NumPy's speed.

The five parts are `array`, `math`, `nn`, `random` and `state`; all names but those of `random` are here, too.
It is no second MLX: these are the few that a network needs, each MLX's own where that is as fast, and on a
processor our own where it is not (large float32 arrays). Ours have derivatives of any order, and work inside
`mx.compile` and `mx.vmap`. Each takes ``stream=``.

Example:
    >>> from ganglion import ops
    >>> y = ops.layer_norm(ops.silu(ops.matmul(x, w)))
    >>> noise = ops.random.normal(size=y.shape, key=ops.random.key(0))
"""

from .cells.ops import array_ops as array
from .cells.ops import math_ops as math
from .cells.ops import nn_ops as nn
from .cells.ops import random_ops as random
from .cells.ops import state_ops as state
from .cells.ops.array_ops import *
from .cells.ops.math_ops import *
from .cells.ops.nn_ops import *
from .cells.ops.state_ops import *

__all__ = [
    "array",
    "math",
    "nn",
    "random",
    "state",
    *array.__all__,
    *math.__all__,
    *nn.__all__,
    *state.__all__,
]
