"""Directions in which parameters move and nothing that is seen does: found, taken out, made short."""

from __future__ import annotations

from typing import Any, NamedTuple

import mlx.nn as nn
import numpy as np

from ..cells import Observed
from ..cells.scaling import free_factors
from ..cells.strengths import Floats, as_floats
from ..cells.wrappers import CellWrapper, InputWrapper
from .vector import Vector

RANK = 1e-8
"""Beside the largest, a singular value of directions that counts as none."""


class Basis(NamedTuple):
    """An orthonormal basis of some directions, and of all that is at right angles to them."""

    basis: Floats
    complement: Floats


def trivial_directions(model: nn.Module, vector: Vector) -> tuple[Floats, tuple[str, ...]]:
    """(P, D) how numbers of the equations move with units that no output tells, and what these units are."""
    columns: list[Floats] = []
    names: list[str] = []
    kinds: dict[int, Any] = {id(m.rnn.cell): m for m in model.modules() if isinstance(m, Observed)}
    wrapped = {
        id(m.cell) for m in model.modules() if isinstance(m, CellWrapper) and not isinstance(m, InputWrapper)
    }
    slopes = vector.slopes()
    for holder in {id(p.holder): p.holder for p in vector.parts if p.holder is not None}.values():
        ours = {p.name: (own, places) for p, own, places in vector.pieces if p.holder is holder}
        observed: Any = kinds.get(id(holder))
        gain = None if observed is None or observed.indicator is None else _gain(observed, vector)
        seen: list[int] = []
        if id(holder) in wrapped:
            seen = list(range(holder.n_neurons))
        elif observed is not None and gain is None:
            seen = list(observed._places)
        free = free_factors(holder, seen, observed is None, set(ours))
        found = np.zeros((len(vector), len(free.names)))
        for name, move in free.moves.items():
            if name in ours:
                own, places = ours[name]
                found[places] = move[own] * slopes[places, None]
        if gain is not None:
            held = as_floats(observed.indicator.gain)[:, None]
            found[gain] = -held * free.shown[np.array(observed._places)]
        columns.append(found)
        names += free.names
    return np.hstack(columns) if columns else np.zeros((len(vector), 0)), tuple(names)


def _gain(observed: Observed, vector: Vector) -> Any:
    """Where the gains of an indicator are in the vector; None if they are not trained."""
    modules = dict(vector.model.named_modules())
    for part, _, places in vector.pieces:
        path, _, name = part.path.rpartition(".")
        if name == "gain" and modules.get(path) is observed.indicator:
            return places
    return None


def plain_basis(directions: Floats) -> Basis:
    """An orthonormal basis of the span of (P, D) directions, and of its complement."""
    if not directions.size:
        return Basis(np.zeros((len(directions), 0)), np.eye(len(directions)))
    lengths = np.linalg.norm(directions, axis=0)
    directions = directions[:, lengths > 0] / lengths[lengths > 0]
    left, singular, _ = np.linalg.svd(directions, full_matrices=True)
    rank = int((singular > RANK * singular[:1].max(initial=0.0)).sum())
    return Basis(left[:, :rank], left[:, rank:])


def gauged(vectors: Floats, trivial: Floats, still: Floats, *, mixed: bool) -> Floats:
    """Combinations in which as few numbers move as is easy, each of length 1.

    Trivial directions are added such that some numbers stand still, one for each, of those that (P,) `still`
    is largest for; where combinations may be `mixed` because all of them are equally uncertain, each has a
    number of its own, too.
    """
    if trivial.shape[1]:
        fixed = _pivots(trivial * still[:, None])
        vectors = vectors - trivial @ np.linalg.solve(trivial[fixed], vectors[fixed])
    if mixed and vectors.shape[1]:
        own = _pivots(vectors)
        vectors = vectors @ np.linalg.inv(vectors[own])
    lengths = np.linalg.norm(vectors, axis=0)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))


def _pivots(columns: Floats) -> Any:
    """As many rows as there are columns, as far from dependent as is easy."""
    from scipy.linalg import qr

    return qr(columns.T, mode="r", pivoting=True)[1][: columns.shape[1]]
