"""What a cell is in ncps 1.0.1 on PyTorch, and the state dicts of its models, read with checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..compile import Synapses
from ..compile.synapses import Index

Numbers: TypeAlias = "NDArray[Any]"
Mask = NDArray[np.bool_]
Options = dict[str, Any]
Value = TypeVar("Value")

LTC, WIRED_CFC, FREE_CFC = "an LTC", "a CfC with a wiring", "a CfC without wiring"

FLOATS, WHOLE = ("float", "bfloat"), ("int", "uint", "bool")
"""How the names of the types of weights, and of masks besides, begin."""

CELL, AROUND = "rnn_cell.", {"lstm.": "mixed_memory=True", "fc.": "proj_size"}
"""What the names of a cell's weights begin with, and of what is around it, with the option that makes it."""


@dataclass(frozen=True)
class InNcps:
    """A cell as ncps 1.0.1 on PyTorch has it.

    Attributes:
        kind: which model of ncps it is.
        options: the arguments of that model that make the same equation, and change numbers if they differ.
        read: the cell's parameters by name from a state dict, out of which it only picks entries.
        weights: the cell's parameters by name, with the signs that they are held to.
        order: (N,) which neuron stands where in a state there.
        signs: parameter -> the sign of each synapse, where the cell holds it.
        non_negative: the parameters that an optimizer's step leaves at zero or above, there as here.
    """

    kind: str
    options: Options
    read: Callable[[Entries], dict[str, Numbers]]
    weights: dict[str, mx.array]
    order: Index
    signs: dict[str, mx.array] = field(default_factory=dict)
    non_negative: tuple[str, ...] = ()


@dataclass(frozen=True)
class NcpsCell:
    """What the attributes of a cell of ncps say.

    Attributes:
        kind: which model it is.
        options: as in `InNcps`.
        arguments: the arguments of our network of the same equation.
        wiring: the wiring, if it has one, and what its cell uses of it: (N, N) and (I, N) polarities.
        sizes: the numbers of inputs and units.
    """

    kind: str
    options: Options
    arguments: Options
    sizes: tuple[int, int]
    wiring: Any = None
    adjacency: Numbers | None = None
    sensory_adjacency: Numbers | None = None


class Entries:
    """An ncps state dict read with checks; a prefix such as ``rnn_cell.`` does not matter."""

    dtype: DTypeLike = np.float32

    def __init__(self, state_dict: Mapping[str, Any]) -> None:
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                "expected a mapping of names to arrays, or an ncps model on PyTorch, "
                f"got {type(state_dict).__name__}"
            )
        models = sorted({str(name).partition(CELL)[0] for name in state_dict if CELL in str(name)})
        if len(models) > 1:
            raise ValueError(
                f"the state dict holds the weights of {len(models)} ncps models, under "
                f"{', '.join(repr(model + CELL) for model in models)}: expected those of one"
            )
        outer = models[0] if models else ""
        self.values: dict[str, Any] = {}
        self.full_names: dict[str, str] = {}
        for name, value in state_dict.items():
            ours = str(name).removeprefix(outer)
            # Beside a whole model, a user's module may have layers of its own.
            if not models or ours.startswith((CELL, *AROUND)):
                self.values[ours.removeprefix(CELL)] = value
                self.full_names[ours.removeprefix(CELL)] = name
        self.unread = set(self.values)

    def get(self, name: str, shape: tuple[int, ...]) -> Numbers:
        return self._read(name, shape, FLOATS)

    def numbers(self, prefix: str) -> list[int]:
        """The k of all names such as ``prefix.k.weight``."""
        return sorted({int(n.split(".")[1]) for n in self.values if n.startswith(f"{prefix}.")})

    def check_mask(
        self, name: str, ours: Mask, pre: Sequence[str], post: Sequence[str], *, post_first: bool = False
    ) -> None:
        """Refuse weights of another wiring than `ours`, (pre, post); theirs may be stored (post, pre)."""
        if name not in self.values:
            return
        stored = self._read(name, ours.T.shape if post_first else ours.shape, (*FLOATS, *WHOLE))
        theirs = (stored.T if post_first else stored) != 0
        if (theirs != ours).any():
            i, j = (int(k) for k in np.argwhere(theirs != ours)[0])
            there, here = ("a", "no") if theirs[i, j] else ("no", "a")
            raise ValueError(
                f"{name!r} is another wiring: it has {there} synapse {pre[i]} -> {post[j]}, "
                f"the circuit has {here} such synapse"
            )

    def check_all_read(self) -> None:
        """Refuse weights that nobody asked for: a network of other options had left them out in silence."""
        for prefix, option in AROUND.items():
            if any(name.startswith(prefix) for name in self.unread):
                raise ValueError(f"the state dict has {prefix}weights: expected a network made with {option}")
        if self.unread:
            raise ValueError(
                f"the state dict has {some(self.unread)}, which this network has no parameter for: "
                "expected a network made with the options of the ncps model"
            )

    def _read(self, name: str, shape: tuple[int, ...], dtypes: tuple[str, ...]) -> Numbers:
        if name not in self.values:
            raise ValueError(f"the state dict has no {name!r}; it has {', '.join(sorted(self.values))}")
        self.unread.discard(name)
        array = _array(name, self.values[name])
        if not array.dtype.name.startswith(dtypes):
            given = getattr(self.values[name], "dtype", array.dtype)
            raise ValueError(f"{name!r} holds {given}: expected floating-point numbers")
        if array.shape != shape:
            raise ValueError(f"{name!r} has shape {array.shape}: the circuit needs {shape}")
        with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and refused as that
            return array.astype(self.dtype)


def read_homes(
    homes: Mapping[str, str],
    sizes: Mapping[str, int],
    synapses: Mapping[str, Synapses],
    entries: Entries,
) -> dict[str, Numbers]:
    """Parameters that ncps has under their own name: matrices where there are synapses, else vectors.

    Args:
        homes: parameter -> what it lies on.
        sizes: how many there are of each home that is no synapse.
        synapses: the synapses of each home that is.
        entries: the state dict.
    """
    found = {}
    for name, home in homes.items():
        if home in synapses:
            on = synapses[home]
            found[name] = entries.get(name, (on.n_pre, on.n_post))[on.pre, on.post]
        else:
            found[name] = entries.get(name, (sizes[home],))
    return found


def mask_of(synapses: Synapses) -> Mask:
    """(n_pre, n_post) true where there is a synapse."""
    mask = np.zeros((synapses.n_pre, synapses.n_post), bool)
    mask[synapses.pre, synapses.post] = True
    return mask


def array_of(tensor: Any) -> Numbers:
    """A torch tensor, or whatever becomes an array, in NumPy, which has no bfloat16: that becomes float32."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        tensor = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    elif isinstance(tensor, mx.array) and tensor.dtype == mx.bfloat16:
        tensor = tensor.astype(mx.float32)
    return np.asarray(tensor)


def under(path: str, found: Mapping[str, Value]) -> dict[str, Value]:
    """The same values, by names that begin with a path."""
    return {f"{path}.{name}": value for name, value in found.items()}


def some(names: Iterable[str], most: int = 6) -> str:
    """Names in a sentence."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(map(repr, ordered[:most])) + more


def _array(name: str, value: Any) -> Numbers:
    try:
        return array_of(value)
    except (TypeError, ValueError, RuntimeError) as error:  # sparse, without data, ragged
        raise ValueError(f"{name!r} does not become an array: {error}") from None
