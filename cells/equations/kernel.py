"""The fused kernels of an equation cell: written, and bound to a circuit."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...compile.kernels import FusedSequence
from ...compile.kernels.source import Texts
from ...compile.synapses import Index, Synapses
from ..ltc.kernel import index_arrays
from .backward import backward
from .expression import Expression
from .model import Model
from .shape import Shape
from .text import Writer


class Written(NamedTuple):
    """The texts of a model's kernels.

    Attributes:
        name: what they are called.
        texts: forward and backward.
        values: the parameters that they take, in their order.
        given: those of them that are parts of equations, by name.
    """

    name: str
    texts: Texts
    values: list[str]
    given: dict[str, Expression]


@lru_cache(maxsize=64)
def written(model: Model, solver: str, coupled: bool, all_states: bool = False) -> Written:
    """The kernels of a model as text, for circuits with electrical synapses or without any.

    Raises:
        KernelError: there are none for the solver or the equations.
    """
    shape = Shape.of(model, solver, coupled=coupled, all_states=all_states)
    writer = Writer(shape)
    name = re.sub(r"\W", "_", f"equations_{model.declaration.owner.lower()}", flags=re.ASCII)
    files = (
        (f"{name}_forward", writer.forward(name)),
        (f"{name}_backward", backward(writer, name)),
    )
    return Written(name, Texts(files), shape.values(), shape.given)


@lru_cache(maxsize=32)
def equation_kernel(
    made: tuple[str, Texts, tuple[int, ...]],
    recurrent: Synapses,
    sensory: Synapses,
    links: Synapses | None,
    outputs: int,
    unfolds: int,
) -> FusedSequence:
    """The fused kernels over a circuit; they take the values of `written`, and which neurons are held.

    `made` is the name and the texts, and how wide the arrays of a state are.
    """
    name, texts, widths = made
    n = recurrent.n_post
    none: Index = np.zeros(n + 1, np.int32)
    coupled = {"link_ptr": none, "link_pre": none[:0]}
    if links is not None:
        coupled = {"link_ptr": links.ptr, "link_pre": links.pre}
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
        },
        numbers={},
        index=index_arrays(recurrent, sensory) | coupled,
        widths=widths,
    )
