"""The terms that a sum has where a constant says that the others are zero: the synapses of a circuit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .indices import Index
from .program import Array, Node, Program, computed

DENSE = 0.7  # the share of pairs from which a product goes over all of them


@dataclass(frozen=True)
class Pattern:
    """The synapses of a sum, sorted by what they lead to.

    Attributes:
        number: which of the patterns of a file it is.
        pre, post: the source and the target of each.
        ends: where the synapses of each target end.
    """

    number: int
    pre: Array
    post: Array
    ends: Array


@dataclass(frozen=True)
class Sum:
    """A reduction or a product, as a loop that adds terms up.

    Attributes:
        node: the operation.
        count: how many terms there are, if all are added.
        pattern: the terms that there are, if not all are.
        target: the index of the sum's place, in whose list of synapses the loop goes.
    """

    node: Node
    index: Index
    count: int
    pattern: Pattern | None
    target: str

    @property
    def loop(self) -> tuple[object, ...]:
        """What sums have in common that one loop can add up."""
        return (self.count, self.pattern and self.pattern.number, self.target if self.pattern else "")


@dataclass
class Synapse:
    """The synapse that a loop is at: the variables of its number, its source and its target."""

    pattern: Pattern
    number: str
    pre: str
    post: str


class Patterns:
    """The patterns of a program, each of which is there once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._nodes = {node.name: node for node in program.nodes}
        self._known: dict[bytes, Pattern] = {}

    def of(self, node: Node) -> Pattern | None:
        """That of a product or a reduction; None if all terms are to be added."""
        if node.op == "Matmul":
            weights = self._matrix(node.inputs[1])
            present = None if weights is None else weights != 0
        else:
            present = self._mask(node)
        return None if present is None else self._sorted(present)

    def _matrix(self, name: str) -> Array | None:
        """The (I, N) constant that a value is, if it is one."""
        found = self._whole(name)
        return found if found is not None and found.ndim == 2 else None

    def _whole(self, name: str) -> Array | None:
        """A constant behind views."""
        if name in self._program.constants:
            return self._program.constants[name]
        node = self._nodes.get(name)
        if node is None or not node.is_view:
            return None
        inner = self._whole(node.inputs[0])
        if inner is None:
            return None
        return computed(node, [inner])

    def _mask(self, node: Node) -> Array | None:
        """(I, N) where a sum has terms, if a constant says that there are none elsewhere."""
        shape, axes = self._program.shapes[node.inputs[0]], node.arguments[0]
        inner = self._nodes.get(node.inputs[0])
        if node.op != "Sum" or inner is None or inner.op != "Select" or len(axes) != 1:
            return None
        mask, other = self._whole(inner.inputs[0]), self._whole(inner.inputs[2])
        wide = [a for a, size in enumerate(shape) if size > 1 and a not in axes]
        if mask is None or other is None or other.any() or len(wide) > 1:
            return None
        full = np.broadcast_to(mask, shape)
        return full.transpose(axes[0], *(a for a in range(len(shape)) if a != axes[0])).reshape(
            shape[axes[0]], -1
        )

    def _sorted(self, present: Array) -> Pattern | None:
        if present.size and present.mean() > DENSE:
            return None
        key = present.tobytes() + str(present.shape).encode()
        if key not in self._known:
            post, pre = np.nonzero(present.T)
            ends = np.concatenate([[0], np.cumsum(present.sum(axis=0))])
            self._known[key] = Pattern(len(self._known), pre, post, ends)
        return self._known[key]
