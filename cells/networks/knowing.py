"""Priors that a network gets when it is made already."""

from __future__ import annotations

import inspect
from typing import Any

import mlx.nn as nn

from ...arguments import label, mapping_of
from ...wiring.words import listed, suggestion
from ..holding import ParameterHolder
from ..priors import Priors
from ..sharing import regularised
from .ensemble import Ensemble
from .rnn import RNN


def place_priors(model: nn.Module, priors: Priors) -> None:
    """Let the cells of a model have priors, of parameters that they have, beside or instead of those before.

    Raises:
        TypeError, ValueError: priors that are none, or of a parameter that no cell has.
    """
    given = dict(mapping_of("priors", priors, "parameters to priors"))
    cells = [part for part in model.modules() if isinstance(part, ParameterHolder) and takes_priors(part)]
    known = {name for cell in cells for name in cell.declared()}
    for name in given:
        if name not in known:
            raise ValueError(
                f"priors: no cell of this {type(model).__name__} that takes them has a parameter "
                f"{label(name)}; they have {listed(sorted(known), 20)}{suggestion(name, known)}"
            )
    for cell in cells:
        ours = {name: prior for name, prior in given.items() if name in cell.declared()}
        if ours:
            options: dict[str, Any] = cell.made_with()
            every = {**dict(options.get("priors") or {}), **ours}
            tie, scale, fixed, penalty = map(options.get, ("tie", "scale", "fixed", "penalty"))
            cell.share(tie, scale, fixed, penalty, every)
            cell.keep("priors", every)
            for part in model.modules():
                inside = part.get("cell") if isinstance(part, RNN) else None
                if isinstance(inside, nn.Module) and takes_priors(part, by_name=False):
                    if all(each is not cell for each in inside.modules()):
                        continue
                    part.keep("priors", every)  # an LTC, say, whose options are its cell's


def refuse_members_with_priors(model: nn.Module) -> None:
    """Raise ValueError for an ensemble whose members have priors or penalties.

    How much of a loss of one's own is a member's, no one else knows.
    """
    for part in model.modules():
        if isinstance(part, Ensemble) and any(map(regularised, part.member(0).modules())):
            raise ValueError(
                "the members of this Ensemble have priors or penalties, which fit adds to the loss of one "
                "network: fit each member by itself"
            )


def takes_priors(part: Any, by_name: bool = True) -> bool:
    """Whether the constructor of a cell, or of a network with the options of its cell, takes priors."""
    parameters = inspect.signature(type(part).__init__).parameters
    named = "priors" in parameters
    return hasattr(part, "compiled") and named if by_name else not named and _any_options(parameters)


def _any_options(parameters: Any) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
