"""The fused kernels of an equation cell: written, and bound to a circuit."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import mlx.core as mx
import numpy as np

from ...compile import CompiledCircuit
from ...compile.kernels import FusedSequence, constant
from ...compile.kernels.source import Texts
from ...compile.kernels.weighed import side_by_side
from ...compile.synapses import Index, Synapses
from ..ltc.kernel import index_arrays
from ..running import CellKernel
from .backward import backward
from .delays import Delays
from .expression import Expression, name
from .forward import forward
from .model import Model
from .noise import places, table
from .noise_kernel import halves
from .shape import Shape
from .summing import evaluate
from .synaptic import Kept
from .taps import tap_arrays
from .text import Writer


class Written(NamedTuple):
    """The texts of a model's kernels.

    Attributes:
        name: what they are called.
        texts: forward and backward.
        values: the parameters that they take, in their order.
        given: those of them that are parts of equations, by name.
        weighed: whether they read synapses in the order of weighed.h, too.
    """

    name: str
    texts: Texts
    values: list[str]
    given: dict[str, Expression]
    weighed: bool


@lru_cache(maxsize=64)
def written(
    model: Model, solver: str, coupled: bool, all_states: bool = False, delayed: bool = False
) -> Written:
    """The kernels of a model as text, for circuits with electrical synapses or without any, and with delays.

    Raises:
        KernelError: there are none for the solver or the equations.
    """
    shape = Shape.of(model, solver, coupled=coupled, all_states=all_states)
    writer = Writer(shape, delayed=delayed)
    name = re.sub(r"\W", "_", f"equations_{model.declaration.owner.lower()}", flags=re.ASCII)
    files = (
        (f"{name}_forward", forward(writer, name)),
        (f"{name}_backward", backward(writer, name)),
    )
    return Written(name, Texts(files), shape.values(), shape.given, bool(writer.weighed))


@lru_cache(maxsize=32)
def equation_kernel(
    made: tuple[str, Texts, tuple[int, ...], bool],
    recurrent: Synapses,
    sensory: Synapses,
    links: Synapses | None,
    outputs: int,
    unfolds: int,
    delays: Delays | None,
    kept: Kept,
) -> FusedSequence:
    """The fused kernels over a circuit; they take the values of `written`, and which neurons are held.

    `made` is the name and the texts, how wide the arrays of a state are, and `Written.weighed`.
    """
    name, texts, widths, weighed = made
    n = recurrent.n_post
    none: Index = np.zeros(n + 1, np.int32)
    coupled = {"link_ptr": none, "link_pre": none[:0]}
    if links is not None:
        coupled = {"link_ptr": links.ptr, "link_pre": links.pre}
    index, sizes = index_arrays(recurrent, sensory), dict[str, int]()
    if weighed:
        index |= side_by_side("in", recurrent.ptr, recurrent.pre)
        index |= side_by_side("back", index["out_ptr"], index["out_post"])
    if delays is not None:
        late = tap_arrays(delays, recurrent, sensory)
        index |= late
        sizes = {"U": len(late["tap"]), "W": len(late["sensory_tap"])}
        sizes |= {"DEEP": delays.depth("recurrent"), "FAR": delays.depth("sensory")}
    return FusedSequence(
        texts,
        name,
        sizes={
            "I": sensory.n_pre,
            "N": sum(widths),
            "P": n,
            "M": outputs,
            "E": len(recurrent),
            "S": len(sensory),
            "K": 0 if links is None else len(links),
            "UNFOLDS": unfolds,
            "EW": kept.whole["recurrent"],
            "SW": kept.whole["sensory"],
            **sizes,
        },
        numbers={},
        index=index | coupled | {"own": kept.places("recurrent"), "sensory_own": kept.places("sensory")},
        widths=widths,
    )


def bound(
    model: Model,
    compiled: CompiledCircuit,
    p: dict[str, mx.array],
    stays: mx.array | None,
    seed: int,
    steps: tuple[str, int],
    widths: tuple[int, ...],
    all_states: bool,
    delays: Delays | None,
    kept: Kept,
) -> CellKernel:
    """The kernels of a cell, with its parameters.

    Args:
        model: its equations.
        compiled: what it is over.
        p: its parameters, as the equations use them.
        stays: (N,) which neurons are held; None for none.
        seed: of its noise.
        steps: the solver, and its steps per sample.
        widths: how wide the arrays of its state are.
        all_states: whether it shows the states of all neurons.
        delays: of its synapses.
        kept: which of its synapses are not cut.

    Raises:
        KernelError: there are none for the solver or the equations.
    """
    plan, coupling = compiled.plan, compiled.electrical
    made = written(model, steps[0], coupling is not None, all_states, delays is not None)
    outputs = plan.n_neurons if all_states else plan.n_outputs
    links = None if coupling is None else coupling.projection.synapses
    named = made.name, made.texts, widths, made.weighed
    wires = plan.recurrent, plan.sensory, links
    sequence = equation_kernel(named, *wires, outputs, steps[1], delays, kept)
    for key, parameter in model.parameters.items():
        if parameter.home == "electrical" and coupling is not None:
            p[key] = coupling.both_ways(p[key])
    if made.given:
        names = {name(q.lies_on, key): p[key] for key, q in model.parameters.items() if key in p}
        p |= dict(zip(made.given, evaluate(made.given.values(), names), strict=True))
    values = [p[key] for key in made.values]
    values.append(constant(0.0, plan.n_neurons) if stays is None else stays.astype(mx.float32))
    if model.noisy:
        words = np.array([seed], np.uint32), places(plan.neurons)
        values += [mx.array(table()), *(mx.array(halves(word)) for word in words)]
    return CellKernel(sequence, values, encodes=True)
