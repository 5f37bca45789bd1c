"""Who runs a sequence: plain MLX operations, or one fused kernel for all of it."""

from __future__ import annotations

import warnings
from functools import cache

from ...arguments import counted
from ...compile.kernels import ExportError, way_in, where
from ...errors import KernelError
from ..cell import NCPRNNCell
from ..offers import cell_kernel, has_kernel
from ..running import Call, Engine, Run
from ..wrappers import InputWrapper
from .parted import in_parts
from .sequence import run_ops

ENGINES = ("auto", "ops", "fused")


def run_update(cell: NCPRNNCell, engine: str, *, record: bool, checkpoint_every: int) -> Engine:
    """The engine of one call: the kernel where it can run, else operations.

    With "auto", what stands in the kernel's way is told once in a warning, unless it is the cell itself;
    with "fused" it is an error.
    """
    if isinstance(cell, InputWrapper):
        inner = run_update(cell.cell, engine, record=record, checkpoint_every=checkpoint_every)
        return cell.around(inner)
    if engine == "ops" or (engine == "auto" and not has_kernel(cell)):
        return in_parts(cell, run_ops(cell))
    kernel = run_kernel(cell, record=record, checkpoint_every=checkpoint_every)
    return in_parts(cell, kernel if engine == "fused" else _with_fallback(kernel, cell))


def run_kernel(cell: NCPRNNCell, *, record: bool = False, checkpoint_every: int = 1) -> Engine:
    """The engine "fused": the whole sequence in one kernel. A call raises `KernelError` if it cannot run.

    Args:
        cell: what to run.
        record: whether the run shows all neurons at all times, with gradients, or only outputs and the last
            state.
        checkpoint_every: see `FusedSequence`.
    """

    def engine(call: Call) -> Run:
        if call.held is not None and call.held.starts_elsewhere and call.ends is not None:
            raise KernelError("a kernel starts every episode at 0, and neurons are held at other values")
        sequence, parameters, encodes = cell_kernel(cell, all_states=record)
        # What a layer in front makes of a sample that is not there would be part of its gradient.
        x = call.x if encodes else cell.encode(call.filled().x)
        shown, state = sequence(
            x, call.timespans, call.state, parameters,
            checkpoint_every=checkpoint_every, events=call.events, reverse=call.reverse,
        )  # fmt: skip
        return Run(call.begun(cell.decode(shown)), state, shown) if record else Run(shown, state, None)

    return engine


def explain_engine(cell: NCPRNNCell, engine: str) -> str:
    """One paragraph on which engine and layout run a cell, and why. May build the kernel."""
    if isinstance(cell, InputWrapper):
        return f"{cell.says}, and then {explain_engine(cell.cell, engine)}"
    compiled = getattr(cell, "compiled", None)
    if compiled is None:
        layout = "full matrices: the cell has no wiring"
    else:
        chosen = "which the cost model chose" if compiled.layout == "auto" else "as asked for"
        layout = f"the layout {compiled.recurrent.name!r}, {chosen}"
    sizes = (
        f"{type(cell).__name__} with {counted(cell.n_inputs, 'input')} and "
        f"{counted(cell.n_neurons, 'neuron')}, engine={engine!r}"
    )
    if cell.time_scale is not None:
        sizes += f", time_scale={cell.time_scale:g}"
    if cell.max_step is not None:
        sizes += f", max_step={cell.max_step:g}"
    plain = f"Plain MLX operations run step by step on {layout}"
    if engine == "ops":
        return f"{sizes}: {plain[0].lower()}{plain[1:]}, as asked for."
    try:
        kernel = cell_kernel(cell)
        kernel.sequence.load()
    except KernelError as error:
        last = "every call is an error" if engine == "fused" else f"{plain[0].lower()}{plain[1:]}"
        return f"{sizes}: {error}, so {last}."
    visits = "" if compiled is None else " It visits synapses only, so the layout does not matter to it."
    inside = "a call is an error" if engine == "fused" else f"{plain[0].lower()}{plain[1:]}"
    return (
        f"{sizes}: one fused kernel, {kernel.sequence.name!r}, runs each sequence as a whole on {where()}, "
        f"with code {kernel.sequence.origin()}.{visits} {way_in().format(inside=inside)}"
    )


def _with_fallback(kernel: Engine, cell: NCPRNNCell) -> Engine:
    """An engine that runs operations where the kernel cannot run, and says why the first time."""

    def engine(call: Call) -> Run:
        try:
            return kernel(call)
        except ExportError:  # as it should be: a file holds operations
            return run_ops(cell)(call)
        except KernelError as error:
            _tell_once(str(error))
            return run_ops(cell)(call)

    return engine


@cache
def _tell_once(reason: str) -> None:
    warnings.warn(
        f"running plain operations instead of a fused kernel: {reason}", RuntimeWarning, stacklevel=2
    )
