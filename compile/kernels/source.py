"""The kernels as text: what a kernel file declares, and the source that each target compiles."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from pathlib import Path
from types import CodeType
from typing import NamedTuple

SOURCE = Path(__file__).parent / "source"  # what all kernels share; the kernels lie with their cells
ACTIVATIONS = ("lecun_tanh", "relu", "tanh", "silu", "gelu", "sigmoid")  # in the order of functions.h

# What the words in front of a kernel file's declarations mean. Sizes and numbers are single values, the rest
# are arrays; README.md beside this file explains them at an example.
ARGUMENTS = ("index", "values", "rows", "results", "saves", "saved", "totals")
PRIVATE = ("folded", "scratch", "work", "sums")
_DECLARATION = re.compile(r"^//: *(\w+) +(.*)\n", re.MULTILINE)
_ARRAY = re.compile(r"(\w+)((?:\[[^\]]+\])+)")
_USES = re.compile(r"^//: uses .*\n", re.MULTILINE)  # for people, and for a test: nothing to compile
_INCLUDE = re.compile(r'^( *)#include "([\w./]+\.c)"\n', re.MULTILINE)


class Texts(NamedTuple):
    """Kernel files that were written by a program, in place of a folder.

    Attributes:
        files: the names of kernels and their texts.
    """

    files: tuple[tuple[str, str], ...]


class CallSizes(NamedTuple):
    """The sizes of a kernel that belong to a call.

    Attributes:
        T: the number of time steps.
        KEEP: the states before every so many time steps are kept for the backward pass.
        SAVING: 1 if forward saves all that backward needs, 0 if backward computes it again.
        EVENTS: 1 if something happens to rows (see `FusedSequence`), 0 for a plain batch.
        BACK: 1 if samples are read from last to first, 0 from first to last.
    """

    T: int
    KEEP: int = 1
    SAVING: int = 0
    EVENTS: int = 0
    BACK: int = 0


@dataclass(frozen=True)
class Array:
    """One declared array: its name, what it is for, and its dimensions as C expressions over the sizes."""

    name: str
    kind: str
    dims: tuple[str, ...]

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The dimensions as numbers, without those that are always 1."""
        return tuple(int(eval(_python(dim), {}, dict(sizes))) for dim in self.dims if dim != "1")

    def count(self, sizes: Mapping[str, int]) -> int:
        """The number of elements (of one row of the batch, for arrays that have one)."""
        return math.prod(self.shape(sizes))

    @property
    def of_call(self) -> bool:
        """Whether its size differs from call to call."""
        return any(re.search(rf"\b{name}\b", dim) for dim in self.dims for name in CallSizes._fields)

    @property
    def size(self) -> str:
        """The same as a C expression."""
        return " * ".join(f"(int64_t)({dim})" for dim in self.dims)


@cache
def _python(dim: str) -> CodeType:
    """A C expression of our own files as Python's; in C, whole numbers divide by `/`."""
    return compile(dim.replace("/", "//"), "<dimension>", "eval")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel file: the values and arrays it declares, and its body with all fragments in place.

    Attributes:
        name: the file's name without ending.
        sizes: whole numbers given at each call.
        numbers: float numbers given at each call.
        constants: whole numbers fixed when the kernel is compiled.
        carried: values of the constants for which a wheel carries the kernel.
        gcc: optimizations that help GCC with this kernel.
        blocks: how many blocks a thread may take at once on a CPU, other than one.
        arrays: arrays by name, in the order they are given.
        body: the statements.
    """

    name: str
    sizes: tuple[str, ...]
    numbers: tuple[str, ...]
    constants: tuple[str, ...]
    carried: tuple[tuple[int, ...], ...]
    gcc: tuple[str, ...]
    blocks: tuple[str, ...]
    arrays: dict[str, Array] = field(repr=False)
    body: str = field(repr=False)

    @property
    def by_twos(self) -> bool:
        """Whether threads may take two blocks at once on a CPU: see lanes_two.h."""
        return "2" in self.blocks and not self.multiplies

    @property
    def multiplies(self) -> bool:
        """Whether it multiplies by the functions of products.h."""
        return re.search("ADD_(PRODUCTS|OUTER)", self.body) is not None

    @property
    def weighs(self) -> bool:
        """Whether synapses are products that weighed.h sums up."""
        return "WEIGHED(" in self.body

    def of(self, *kinds: str) -> list[Array]:
        """The arrays of some kinds: kind by kind, and those of one in the order of their declaration."""
        return [array for kind in kinds for array in self.arrays.values() if array.kind == kind]


@cache
def read_kernel(folder: Path | Texts, name: str, *, memory: bool = False) -> Kernel:
    """Read one kernel of a cell's folder, or of texts that were generated.

    With `memory`, its state passes through an LSTM: the fragments whose names begin so stay, and what they
    need is declared behind the rest.

    Example:
        >>> read_kernel(folder, "ltc_forward").sizes  # ('T', 'KEEP', 'I', 'N', 'M', 'E', 'S', 'UNFOLDS')
    """
    kept = partial(_is_kept, memory=memory)
    if isinstance(folder, Texts):
        text = _filled(dict(folder.files)[name], SOURCE, kept)
    else:
        text = _with_fragments(folder / f"{name}.c", kept)
    if memory:
        cell, _, direction = name.rpartition("_")
        name = f"{cell}_memory_{direction}"
        text += _with_fragments(SOURCE / "frame" / f"memory_{direction}.c", kept)
    words: dict[str, list[str]] = {
        kind: [] for kind in ("sizes", "numbers", "constants", "carried", "gcc", "blocks")
    }
    arrays: dict[str, Array] = {}
    for kind, declared in _DECLARATION.findall(text):
        if kind in words:
            words[kind] += declared.split()
            continue
        assert kind in ARGUMENTS + PRIVATE, f"{name}.c declares {kind!r}"
        for array, dims in _ARRAY.findall(declared):
            arrays[array] = Array(array, kind, tuple(re.findall(r"\[([^\]]+)\]", dims)))
    body = _DECLARATION.sub("", text)
    values = dict(word.split("=") for word in words.pop("carried"))
    choices = [
        [int(value) for value in values.get(name, "").split(",") if value] for name in words["constants"]
    ]
    declared = {kind: tuple(names) for kind, names in words.items()}
    return Kernel(name, **declared, carried=tuple(product(*choices)), arrays=arrays, body=body)


def _is_kept(fragment: str, memory: bool) -> bool:
    return memory or not Path(fragment).name.startswith("memory")


def _with_fragments(path: Path, kept: Callable[[str], bool]) -> str:
    return _filled(path.read_text(), path.parent, kept)


def _filled(text: str, folder: Path, kept: Callable[[str], bool]) -> str:
    """A text whose include lines are replaced by the fragments that are kept, at the lines' indentation.

    They lie in its folder, or under `SOURCE` if all kernels have them.
    """

    def fragment(match: re.Match[str]) -> str:
        if not kept(match[2]):
            return ""
        beside = folder / match[2]
        inner = _USES.sub("", _with_fragments(beside if beside.exists() else SOURCE / match[2], kept))
        return "".join(f"{match[1]}{line}\n" if line else "\n" for line in inner.splitlines())

    return _INCLUDE.sub(fragment, text)
