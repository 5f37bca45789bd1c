"""The noise of equations in a program: which numbers a step draws, and from where they go on.

A program has one operation, "Normal", for what MLX records as some 150 operations of whole numbers. The other
way, a type of words with sums, shifts and exclusive ors, would make each operation ask for its type, in C and
in fixed point, and print 150 statements per number; this one is a call of a function that a file has once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

from ...cells import EquationCell
from ...cells.equations.expression import ZERO
from ...cells.equations.noise import drawn_by, normals, words

Words = NDArray[np.uint32]
ROW, SAMPLES, QUIET, SEEDS = range(4)
"""Where in the words of a program's noise each is."""


@dataclass(frozen=True)
class Noise:
    """What the noise of a program begins with.

    Attributes:
        seeds: of its cells, each once.
        leaves: which arrays of the network's state noise goes on from.
        row, samples: the row of a batch that it has the noise of, from 1, and how many samples that had.
        draws: how many numbers a neuron draws per sample, at most.
    """

    seeds: tuple[int, ...] = ()
    leaves: tuple[int, ...] = ()
    row: int = 1
    samples: int = 0
    draws: int = 0

    @classmethod
    def of(cls, draws: Sequence[Drawn]) -> Noise:
        """That of a step."""
        seeds = tuple(dict.fromkeys(drawn.seed for drawn in draws))
        leaves = tuple(sorted({drawn.leaf for drawn in draws}))
        return cls(seeds, leaves, draws=max((drawn.draws for drawn in draws), default=0))

    def __bool__(self) -> bool:
        return bool(self.seeds)

    @property
    def words(self) -> Words:
        """What a step goes on from: the row, the samples, whether it is quiet, and the seeds."""
        return np.array([self.row, self.samples, 0, *self.seeds], np.uint32)

    def begun(self, states: Sequence[NDArray[Any]]) -> Noise:
        """The same behind what (1, 8) states of the network's cells had.

        Raises:
            ValueError: cells that had other rows or samples than others.
        """
        bytes_ = (np.clip(np.rint(state), 0, 255) for state in states)
        found = {tuple(int(word[0]) for word in words(state)) for state in bytes_}
        if len(found) > 1:
            raise ValueError("the state has noise of other rows or samples in some cells than in others")
        row, samples = found.pop() if found else (0, 0)
        return replace(self, row=row or 1, samples=samples)


NO_NOISE = Noise()


@dataclass(frozen=True)
class Drawn:
    """One draw of a step: (N,) numbers of neurons at `places`, by the arguments of `numbers`."""

    seed: int
    places: Words
    draw: int
    draws: int
    leaf: int


def draws_of(step: Any, leaves: Sequence[mx.array]) -> list[Drawn]:
    """What a step of a network draws, in its order.

    Args:
        step: it takes the arrays of a state.
        leaves: such arrays.
    """
    found: list[Drawn] = []

    def noted(seed: int, state: Any, places: Words, draw: int, draws: int) -> mx.array:
        found.append(Drawn(seed, places, draw, draws, int(state[0, 0].item())))
        return mx.zeros((1, len(places)))

    with drawn_by(noted):  # each array says by its numbers which one it is
        mx.eval(step(*(mx.full(leaf.shape, k) for k, leaf in enumerate(leaves))))
    return found


@contextmanager
def given(numbers: Iterator[mx.array]) -> Iterator[None]:
    """Let a step draw what comes next of some numbers."""
    with drawn_by(lambda *_: next(numbers)):
        yield


def silence(network: nn.Module) -> None:
    """Take the noise away from the cells of a network, which are not used again."""
    for cell in network.modules():
        if isinstance(cell, EquationCell) and cell.model.noisy:
            quiet = replace(cell.model, noise=(ZERO,) * len(cell.model.states))
            object.__setattr__(cell, "model", quiet)


def normal(
    row: Any, samples: Any, quiet: Any, seed: Any, draws: Any, draw: Any, places: Any, of: Any = None
) -> Any:
    """The operation, in NumPy; words may be in wider whole numbers, and `of` a table in other units."""
    row, samples, seed, draws, draw, places = (
        np.asarray(word).astype(np.uint32) for word in (row, samples, seed, draws, draw, places)
    )
    found = normals((seed, row), (samples * draws + draw, places), of)
    return np.where(np.asarray(quiet) != 0, 0, found).astype(found.dtype)


def counted(noise: NDArray[Any]) -> NDArray[Any]:
    """The words after a sample."""
    found = np.array(noise)
    found[SAMPLES] = (int(found[SAMPLES]) + 1) % (1 << 32)
    return found
