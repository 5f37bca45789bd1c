"""Where a kernel meets MLX's function transformations: may it run now, and who asks for gradients?"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import mlx.core as mx

from ...errors import KernelError
from ...forks import require_computing

Arrays = tuple[mx.array, ...]


def evaluable(arrays: Sequence[mx.array]) -> bool:
    """Evaluate arrays if they can have values now: inside `mx.compile` and `mx.vmap` they have none.

    Raises:
        RuntimeError: this process was forked after MLX had computed; or another thread was asked for an
            array and has not computed it yet, as MLX is lazy.
    """
    require_computing()
    try:
        mx.eval(arrays)
    except ValueError:
        return False
    except RuntimeError as error:
        raise of_other_thread(error) from None
    return True


def of_other_thread(error: RuntimeError) -> RuntimeError:
    """What to say if MLX cannot evaluate an array because another thread was asked for it; else the error."""
    if "current thread" not in str(error):
        return error
    return RuntimeError(
        "an input or a parameter of the network is still to be computed, and MLX does that only in the "
        "thread that asked for it: call mx.eval on it there, as in mx.eval(network.parameters())"
    )


def exporting() -> bool:
    """Whether `mx.export_function` follows this call, whose files hold MLX's own operations only.

    Nothing tells but that a kernel for Metal is refused where there is none, except then.
    """
    if mx.metal.is_available():
        return False
    try:
        _metal_kernel()(
            inputs=[mx.array(0.0)],
            output_shapes=[(1,)],
            output_dtypes=[mx.float32],
            grid=(1, 1, 1),
            threadgroup=(1, 1, 1),
        )
    except (RuntimeError, ValueError):
        return False
    return True


@cache
def _metal_kernel() -> Any:
    """A kernel that never runs."""
    return mx.fast.metal_kernel(name="probe", input_names=["given"], output_names=["made"], source="")


def differentiated(arrays: Sequence[mx.array]) -> bool:
    """Whether a transformation such as `mx.grad` follows any of these evaluated arrays.

    An evaluated array forgets how it was computed unless a transformation still needs to know, so drawing its
    graph tells. This takes 5 microseconds where entering a custom function costs ten times that.
    """
    drawing = io.StringIO()
    mx.export_to_dot(drawing, *arrays)
    return "label" in drawing.getvalue()


def attach(outputs: Arrays, inputs: Arrays, pullback: Callable[[Arrays, Arrays], Arrays]) -> Arrays:
    """`outputs`, computed from `inputs` outside MLX, as a differentiable function of them.

    Args:
        outputs: evaluated results.
        inputs: what they were computed from.
        pullback: gradients of the inputs, from the inputs and the gradients of the outputs.
    """
    function = mx.custom_function(lambda *_: outputs)

    @function.vjp
    def _vjp(primals: Arrays, cotangents: Arrays, _: Arrays) -> Arrays:
        return _final(pullback(primals, cotangents), (*primals, *cotangents))

    @function.jvp
    def _jvp(primals: Arrays, tangents: Arrays) -> Arrays:
        raise KernelError("the fused engine has no forward-mode derivatives: use engine='ops'")

    return cast(Arrays, function(*inputs))


def _final(gradients: Arrays, inputs: Arrays) -> Arrays:
    """Gradients that refuse to be differentiated themselves, instead of passing for constants."""
    function = mx.custom_function(lambda *_: gradients)

    @function.vjp
    def _vjp(primals: Arrays, cotangents: Arrays, _: Arrays) -> Arrays:
        raise KernelError("the fused engine has no second derivatives: use engine='ops'")

    return cast(Arrays, function(*inputs))
