"""Who runs a sequence: plain MLX operations, or one fused kernel for all of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import mlx.core as mx
import numpy as np

from ..compile.kernels import (
    ACTIVATIONS,
    CFC_PARAMETERS,
    LTC_PARAMETERS,
    FusedSequence,
    cfc_kernel,
    dense_kernel,
    ltc_kernel,
    on_metal,
    where,
)
from ..errors import KernelError
from .arguments import Call
from .cell import NCPRNNCell
from .cfc import CfCCell
from .liquid import BackboneCfCCell
from .ltc import LTCCell
from .sequence import Engine, Run, run_ops
from .wrappers import MissingValueCell

ENGINES = ("auto", "ops", "fused")


def run_update(cell: NCPRNNCell, engine: str, *, record: bool, checkpoint_every: int) -> Engine:
    """The engine of one call: the kernel where it can run, else operations.

    With "auto", what stands in the kernel's way is told once in a warning, unless it is the cell itself;
    with "fused" it is an error. On Metal, "auto" runs operations: the kernels have never run there.
    """
    if isinstance(cell, MissingValueCell):
        inner = run_update(cell.cell, engine, record=record, checkpoint_every=checkpoint_every)
        return cell.around(inner)
    if engine == "ops" or (engine == "auto" and (type(cell) not in KERNELS or on_metal())):
        return run_ops(cell)
    kernel = run_kernel(cell, record=record, checkpoint_every=checkpoint_every)
    return kernel if engine == "fused" else _with_fallback(kernel, cell)


def run_kernel(cell: NCPRNNCell, *, record: bool = False, checkpoint_every: int = 1) -> Engine:
    """The engine "fused": the whole sequence in one kernel. A call raises `KernelError` if it cannot run.

    Args:
        cell: what to run.
        record: whether the run shows all neurons at all times, or only outputs and the last state.
        checkpoint_every: see `FusedSequence`.
    """

    def engine(call: Call) -> Run:
        sequence, parameters = cell_kernel(cell)
        assert isinstance(call.state, mx.array)
        x = call.x if isinstance(cell, LTCCell) else cell.encode(call.x)  # the LTC's kernel encodes itself
        outputs, state, *visible = sequence(
            x, call.timespans, call.state, parameters, checkpoint_every=checkpoint_every, record=record
        )
        return Run(outputs, state, visible[0] if record else None)

    return engine


def explain_engine(cell: NCPRNNCell, engine: str) -> str:
    """One paragraph on which engine and layout run a cell, and why. May build the kernel."""
    if isinstance(cell, MissingValueCell):
        return (
            f"What is missing is found in plain MLX operations, and then {explain_engine(cell.cell, engine)}"
        )
    compiled = getattr(cell, "compiled", None)
    if compiled is None:
        layout = "full matrices: the cell has no wiring"
    else:
        chosen = "which the cost model chose" if compiled.layout == "auto" else "as asked for"
        layout = f"the layout {compiled.recurrent.name!r}, {chosen}"
    sizes = (
        f"{type(cell).__name__} with {cell.n_inputs} inputs and {cell.n_neurons} neurons, engine={engine!r}"
    )
    plain = f"Plain MLX operations run step by step on {layout}"
    if engine == "ops":
        return f"{sizes}: {plain[0].lower()}{plain[1:]}, as asked for."
    if engine == "auto" and on_metal():
        return (
            f"{sizes}: {plain}. The fused kernels have never run on Metal: engine='fused' tries them, and "
            f"after mx.set_default_device(mx.cpu) those of the processor run."
        )
    try:
        kernel = cell_kernel(cell)
        kernel.sequence.load()
    except KernelError as error:
        last = "every call is an error" if engine == "fused" else f"{plain[0].lower()}{plain[1:]}"
        return f"{sizes}: {error}, so {last}."
    inside = "a call is an error" if engine == "fused" else f"{plain[0].lower()}{plain[1:]}"
    visits = "" if compiled is None else "It visits synapses only, so the layout does not matter to it. "
    return (
        f"{sizes}: one fused kernel, {kernel.sequence.name!r}, runs each sequence as a whole on {where()}. "
        f"{visits}Inside mx.compile and mx.vmap, where "
        f"arrays have no values yet, {inside}."
    )


class CellKernel(NamedTuple):
    """A cell's kernel, and the cell's parameters as the kernel takes them."""

    sequence: FusedSequence
    parameters: list[mx.array]


def cell_kernel(cell: NCPRNNCell) -> CellKernel:
    """The kernel of a cell.

    Raises:
        KernelError: there is none for the cell, or for one of its options.
    """
    if type(cell) not in KERNELS:  # a subclass may compute anything
        raise KernelError(f"there is no fused kernel for {type(cell).__name__}")
    sequence, parameters = KERNELS[type(cell)](cell)
    return CellKernel(sequence, [p.astype(mx.float32) for p in parameters])  # kept in half precision perhaps


def _ltc(cell: LTCCell) -> CellKernel:
    if cell.solver != "semi_implicit":
        raise KernelError(f"the fused kernel has no solver {cell.solver!r}")
    plan = cell.compiled.plan
    p = cell.effective()
    for name, neutral in (("input_w", 1.0), ("input_b", 0.0), ("output_w", 1.0), ("output_b", 0.0)):
        if (given := cell[name]) is None:  # there is no mapping
            given = _constant(neutral, plan.n_inputs if name.startswith("input") else plan.n_outputs)
        p[name] = given
    sequence = ltc_kernel(plan.recurrent, plan.sensory, plan.n_outputs, cell.ode_unfolds, cell.epsilon)
    return CellKernel(sequence, [p[name] for name in LTC_PARAMETERS])


def _cfc(cell: CfCCell) -> CellKernel:
    plan = cell.compiled.plan
    p = cell.effective(lifted=False)
    if cell.mode == "pure":
        p["w_tau"] = mx.abs(p["w_tau"])
    phases = tuple((phase.start, phase.stop) for phase in cell._phases)
    signal = (cell.signal.recurrent, cell.signal.sensory)
    sequence = cfc_kernel(plan.recurrent, plan.sensory, plan.n_outputs, cell.mode, phases, signal)
    return CellKernel(sequence, [p.get(name, _constant(0.0, 0)) for name in CFC_PARAMETERS])


def _backbone_cfc(cell: BackboneCfCCell) -> CellKernel:
    if cell.backbone_activation not in ACTIVATIONS:
        raise KernelError(f"the fused kernel has no activation {cell.backbone_activation!r}")
    if cell.dropout is not None and cell.training:
        raise KernelError("the fused kernel has no dropout, which acts in training")
    layers = [*cell.backbone, *(cell[name] for name in cell.heads)]
    none = _constant(0.0, 0)
    parameters = [
        mx.concatenate([layer.weight.reshape(-1) for layer in layers]),
        mx.concatenate([layer.bias for layer in layers]),
        *((mx.abs(cell.w_tau), cell.A) if cell.mode == "pure" else (none, none)),
    ]
    first = layers[0].weight.shape[1] - cell.n_neurons
    shape = (first, cell.n_neurons, cell.backbone_layers, cell.backbone_units)
    return CellKernel(dense_kernel(*shape, cell.mode, cell.backbone_activation), parameters)


KERNELS: dict[type[NCPRNNCell], Callable[..., CellKernel]] = {
    LTCCell: _ltc,
    CfCCell: _cfc,
    BackboneCfCCell: _backbone_cfc,
}


@lru_cache(maxsize=64)
def _constant(value: float, n: int) -> mx.array:
    """(n,) of one value; it has its values at once, as one made by an MLX operation has not."""
    return mx.array(np.full(n, value, np.float32))


def _with_fallback(kernel: Engine, cell: NCPRNNCell) -> Engine:
    """An engine that runs operations where the kernel cannot run, and says why the first time."""

    def engine(call: Call) -> Run:
        try:
            return kernel(call)
        except KernelError as error:
            _tell_once(str(error))
            return run_ops(cell)(call)

    return engine


@cache
def _tell_once(reason: str) -> None:
    warnings.warn(
        f"running plain operations instead of a fused kernel: {reason}", RuntimeWarning, stacklevel=2
    )
