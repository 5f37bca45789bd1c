"""Which circuit parameters belong to, in the parameters themselves.

Two circuits may have as many neurons and synapses, and their weights then the same shapes. So every layer
over a circuit holds one more array, `DIGEST`, without any element, whose *shape* is the circuit's digest: it
goes wherever weights go, into files of MLX and of others too, and MLX itself refuses to load weights over
another one, whatever module of one's own the layer is in. What does arithmetic with weights (an optimizer,
an average, a count) leaves it as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from ..compile import Plan

DIGEST = "circuit_digest"
BITS, SIZES = 19, 3  # the bytes of all sizes together stay below what int64 holds, as arrays are asked for
Value = TypeVar("Value")


class NeverTrained(set[str]):
    """The names of the frozen parameters of a module, of which some stay whatever is unfrozen.

    Attributes:
        always: those that stay.
    """

    def __init__(self, names: Iterable[str], always: Iterable[str] = (DIGEST,)) -> None:
        super().__init__(names)
        self.always = frozenset(always)

    def __contains__(self, name: object) -> bool:
        return name in self.always or super().__contains__(name)


def digest_array(plan: Plan, shared: str = "") -> mx.array:
    """An array without elements whose shape is the digest of a plan, and of what a cell shares over it."""
    digest = hashlib.sha256(f"{plan.digest} {shared}".encode()).hexdigest() if shared else plan.digest
    number = int(digest[:16], 16)
    sizes = (number >> BITS * k & (1 << BITS) - 1 for k in range(SIZES))
    return mx.zeros((0, *sizes), mx.uint8)  # no type that `set_dtype` changes


def circuits_in(module: nn.Module) -> dict[str, str]:
    """The whole digests of the plans of all layers in a module, by path."""
    found = {}
    for path, part in module.named_modules():
        compiled = getattr(part, "compiled", None)
        if compiled is not None and hasattr(compiled, "plan"):
            found[path] = compiled.plan.digest
    return found


def without_digests(flat: Mapping[str, Value]) -> dict[str, Value]:
    """Parameters by path, but for the digests."""
    return {path: value for path, value in flat.items() if path.rpartition(".")[2] != DIGEST}


def belonging_to(module: nn.Module, weights: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Weights that a module is to load, with its own digests where they say nothing of circuits.

    Raises:
        ValueError: weights that were trained on another circuit.
    """
    found = dict(weights)
    own: dict[str, mx.array] = dict(tree_flatten(module.parameters()))
    for path, ours in own.items():
        if path.rpartition(".")[2] == DIGEST:
            refuse_other(f"the weights of {path.removesuffix(DIGEST).rstrip('.') or 'the network'}",
                         found.setdefault(path, ours), ours)  # fmt: skip
    return list(found.items())


def refuse_other(what: str, theirs: Any, ours: mx.array) -> None:
    """Raise ValueError for weights whose digest is another one."""
    if getattr(theirs, "shape", None) != ours.shape:
        raise ValueError(
            f"{what} were trained on another circuit, of digest {_short(theirs)}, than this network's, "
            f"{_short(ours)}, or with other ties; gl.carried(network, circuit) takes a network over to "
            "another circuit"
        )


def _short(digest: Any) -> str:
    sizes = tuple(getattr(digest, "shape", ()))[1:]
    return f"{sum(size << BITS * k for k, size in enumerate(sizes)):015x}" if sizes else "none"
