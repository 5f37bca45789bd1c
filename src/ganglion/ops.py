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

from .cells.ops import ACTIVATIONS as ACTIVATIONS
from .cells.ops import activate as activate
from .cells.ops import activation_of as activation_of
from .cells.ops import add as add
from .cells.ops import affine as affine
from .cells.ops import array_ops as array
from .cells.ops import batch_norm as batch_norm
from .cells.ops import blend as blend
from .cells.ops import celu as celu
from .cells.ops import concatenate as concatenate
from .cells.ops import detach as detach
from .cells.ops import dropout as dropout
from .cells.ops import elu as elu
from .cells.ops import exponential as exponential
from .cells.ops import gelu as gelu
from .cells.ops import gelu_approx as gelu_approx
from .cells.ops import gelu_fast_approx as gelu_fast_approx
from .cells.ops import glu as glu
from .cells.ops import hard_shrink as hard_shrink
from .cells.ops import hard_sigmoid as hard_sigmoid
from .cells.ops import hard_tanh as hard_tanh
from .cells.ops import hardswish as hardswish
from .cells.ops import held_index as held_index
from .cells.ops import layer_norm as layer_norm
from .cells.ops import leaky_relu as leaky_relu
from .cells.ops import lecun_tanh as lecun_tanh
from .cells.ops import length_mask as length_mask
from .cells.ops import linear as linear
from .cells.ops import log_sigmoid as log_sigmoid
from .cells.ops import log_softmax as log_softmax
from .cells.ops import math_ops as math
from .cells.ops import matmul as matmul
from .cells.ops import mean as mean
from .cells.ops import mish as mish
from .cells.ops import multiply as multiply
from .cells.ops import nn_ops as nn
from .cells.ops import ode_step as ode_step
from .cells.ops import ones as ones
from .cells.ops import random_ops as random
from .cells.ops import relu as relu
from .cells.ops import relu2 as relu2
from .cells.ops import relu6 as relu6
from .cells.ops import reset as reset
from .cells.ops import reshape as reshape
from .cells.ops import reverse_index as reverse_index
from .cells.ops import rows as rows
from .cells.ops import selu as selu
from .cells.ops import sigmoid as sigmoid
from .cells.ops import silu as silu
from .cells.ops import softmax as softmax
from .cells.ops import softmin as softmin
from .cells.ops import softplus as softplus
from .cells.ops import softplus_inverse as softplus_inverse
from .cells.ops import softshrink as softshrink
from .cells.ops import softsign as softsign
from .cells.ops import split as split
from .cells.ops import state_ops as state
from .cells.ops import step as step
from .cells.ops import sum as sum
from .cells.ops import synaptic_sigmoid as synaptic_sigmoid
from .cells.ops import take_steps as take_steps
from .cells.ops import tanh as tanh
from .cells.ops import transpose as transpose
from .cells.ops import update as update
from .cells.ops import variables as variables
from .cells.ops import zero_state as zero_state
from .cells.ops import zeros as zeros

__all__ = [
    "ACTIVATIONS",
    "activate",
    "activation_of",
    "add",
    "affine",
    "array",
    "batch_norm",
    "blend",
    "celu",
    "concatenate",
    "detach",
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
    "held_index",
    "layer_norm",
    "leaky_relu",
    "lecun_tanh",
    "length_mask",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "math",
    "matmul",
    "mean",
    "mish",
    "multiply",
    "nn",
    "ode_step",
    "ones",
    "random",
    "relu",
    "relu2",
    "relu6",
    "reset",
    "reshape",
    "reverse_index",
    "rows",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softplus_inverse",
    "softshrink",
    "softsign",
    "split",
    "state",
    "step",
    "sum",
    "synaptic_sigmoid",
    "take_steps",
    "tanh",
    "transpose",
    "update",
    "variables",
    "zero_state",
    "zeros",
]
