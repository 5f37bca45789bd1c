"""How synapses of equations act: which quantities they conduct by, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...compile import Plan
from ..parameters import Parameter
from ..strengths import Strengths, as_floats
from .expression import ZERO, name, substituted
from .model import Model


def conducting(model: Model, declared: Mapping[str, Parameter], side: str) -> list[str]:
    """The parameters without which no sum over the synapses of a side is left.

    Raises:
        TypeError: there are none: the sums are not 0 where all quantities of a synapse are 0.
    """
    of = [total.of for total in model.totals.values() if total.kind == side]
    names = [key for key, p in declared.items() if p.lies_on == side]

    def vanish(keys: list[str]) -> bool:
        zeros = {name(side, key): ZERO for key in keys}
        return all(substituted(part, zeros) is ZERO for part in of)

    alone = [key for key in names if vanish([key])]
    if not alone and not vanish(names):
        raise TypeError(
            f"the {side} synapses of a {model.declaration.owner} bring something where all their quantities "
            "are 0, so they cannot be cut: give them a factor, such as w * (...)"
        )
    return alone or names


def strengths(
    model: Model, declared: Mapping[str, Parameter], plan: Plan, p: Mapping[str, mx.array]
) -> Strengths:
    """The product of the quantities that are strengths, with the signs of those that carry signs.

    Where a neuron may count them in a unit of its own, they are over its first positive quantity in that
    unit, as w / g in ``c * dv/dt = g * (rest - v) + w * ...``; see `factors_in`.

    Raises:
        TypeError: no quantity is one.
    """
    sides = []
    for side in ("recurrent", "sensory"):
        synapses = getattr(plan, side)
        named = [key for key, q in declared.items() if q.lies_on == side and q.strength]
        signed = [key for key, q in declared.items() if q.lies_on == side and q.signed and not q.strength]
        if not named:
            raise TypeError(
                f"the synapses of a {model.declaration.owner} have no strength: declare which quantity it "
                "is, as gl.synapse(..., strength=True)"
            )
        found = np.ones(len(synapses))
        for key in named:
            found = found * as_floats(p[key])
        for key in signed:
            values = as_floats(p[key])
            found = found * np.where(values == 0, synapses.polarity, np.sign(values))
        units = _units(declared, named, p)
        sides.append(found / (units[synapses.post] if len(units) > 1 else units))
    recurrent, sensory = sides
    return Strengths(plan, recurrent, sensory)


def _units(
    declared: Mapping[str, Parameter], named: list[str], p: Mapping[str, mx.array]
) -> NDArray[np.float64]:
    """(N,) or (1,) the units in which neurons count the product of some quantities of synapses."""
    powers: dict[str, float] = {}
    for factor in (factor for key in named for factor in declared[key].factors if factor.of == "target"):
        powers[factor.kind] = powers.get(factor.kind, 0.0) + float(factor.power)
    found = np.ones(1)
    for kind, power in powers.items():
        for key, q in declared.items():
            if q.lies_on == "neuron" and q.non_negative and [f.kind for f in q.factors] == [kind]:
                values = np.maximum(as_floats(p[key]), np.finfo(np.float32).tiny)
                found = found * values ** (power / float(q.factors[0].power))
                break
    return found
