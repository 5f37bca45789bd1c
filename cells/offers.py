"""What a cell's class has for its time step: a kernel, a model of ncps, parts that others leave out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..errors import KernelError
from .cell import NCPRNNCell
from .running import CellKernel

# The parts of a time step that a kernel does at once, and a model of ncps.
STEP = ("prepare", "encode", "step", "visible", "decode", "__call__")


def cell_kernel(cell: NCPRNNCell, *, all_states: bool = False) -> CellKernel:
    """The kernel of a cell.

    Its outputs are those of the cell, or the states of all neurons if `all_states` is asked for.

    Raises:
        KernelError: there is none for the cell, or for one of its options.
    """
    if not has_kernel(cell):
        raise KernelError(f"there is no fused kernel for {type(cell).__name__}")
    cell.refuse_weights_of_other_circuits()
    return cell.kernel(all_states=True) if all_states else cell.kernel()


def has_kernel(cell: NCPRNNCell) -> bool:
    """Whether a cell's class has a kernel."""
    return offers(cell, "kernel")


def offers(cell: NCPRNNCell, what: str) -> bool:
    """Whether a method is of the class that a cell's time step is of.

    A subclass that overrides a part of the step computes something else than what its parents offer.
    """
    return _offered(type(cell), what)


@cache
def _offered(kind: type[NCPRNNCell], what: str) -> bool:
    kinds = kind.__mro__
    owner = kinds.index(_first_with(what, kinds))
    others = (_first_with(part, kinds) for part in STEP)
    return kinds[owner] is not NCPRNNCell and all(kinds.index(other) >= owner for other in others)


def _first_with(name: str, kinds: Sequence[type]) -> type:
    return next(kind for kind in kinds if name in vars(kind))
