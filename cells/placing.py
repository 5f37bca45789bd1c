"""Where priors lie: on which values of which parameter of a cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import label
from ..compile import Plan
from ..wiring.words import listed, suggestion
from .groups import OF_NEURONS, OF_SYNAPSES
from .parameters import Parameter
from .priors import Fixed, Floats, Prior, Priors, Uniform


@dataclass(frozen=True, eq=False)
class Placed:
    """The priors of one parameter's kept values.

    Attributes:
        parts: each prior and the numbers of the values that have it.
        sign: (G,) +1 or -1 where a value carries the sign of its synapse, else 1.
    """

    parts: tuple[tuple[Prior, NDArray[np.intp]], ...]
    sign: Floats

    def log_density(self, values: mx.array) -> mx.array:
        """The sum of the logarithms over all values, as the equation uses them."""
        total = mx.array(0.0)
        for prior, where in self.parts:
            mine = values[mx.array(where)]
            if prior.of_size:
                mine = mine * mx.array(self.sign[where].astype(np.float32))
            total = total + prior.log_density(mine).sum()
        return total

    def precision(self, values: Floats) -> Floats:
        """(G,) minus the second derivative by each value."""
        found = np.zeros(len(values))
        for prior, where in self.parts:
            mine = values[where] * (self.sign[where] if prior.of_size else 1.0)
            found[where] = prior.precision(mine)
        return found

    def drawn(self, shares: Floats, otherwise: Floats) -> Floats:
        """(..., G) values at these shares of their distributions; of those without one, as given."""
        found = np.array(np.broadcast_to(otherwise, shares.shape))
        for prior, where in self.parts:
            mine = prior.quantile(shares[..., where])
            found[..., where] = mine * self.sign[where] if prior.of_size else mine
        return found

    def spread(self, groups: Any) -> Placed:
        """The same for each entry of groups that share a value."""
        parts = [(prior, np.flatnonzero(np.isin(groups.owner, where))) for prior, where in self.parts]
        return Placed(tuple(parts), self.sign[groups.owner])

    @property
    def fixed(self) -> Floats | None:
        """(G,) the values that are fixed, NaN elsewhere; None if none is."""
        found = np.full(len(self.sign), np.nan)
        for prior, where in self.parts:
            if isinstance(prior, Fixed):
                found[where] = prior.value
        return found if np.isfinite(found).any() else None

    @property
    def count(self) -> int:
        """How many values have a prior."""
        return sum(len(where) for _, where in self.parts)


def placed_priors(
    priors: Priors,
    declared: Mapping[str, Parameter],
    plans: Mapping[str, Plan],
    polarity: str,
    groups: Mapping[str, Any],
) -> dict[str, Placed]:
    """The priors of a cell's parameters, on the values that are kept.

    Args:
        priors: as a cell takes them.
        declared: its parameters.
        plans: the plans that they lie on.
        polarity: "init" or "fixed".
        groups: parameter -> the groups that share a value.

    Raises:
        TypeError: something that is no prior.
        ValueError: a parameter or a place that there is not, or a prior of numbers that it cannot have.
    """
    if priors is None:
        return {}
    if not isinstance(priors, Mapping):
        raise TypeError(
            f"priors must be a mapping, such as {{'w': gl.LogNormal(0.3, 0.5)}}, got {label(priors)}"
        )
    found = {}
    for name, given in priors.items():
        if name not in declared:
            raise ValueError(
                f"priors: there is no parameter {label(name)}; they are {listed(list(declared), 20)}"
                f"{suggestion(name, declared)}"
            )
        p = declared[name]
        if p.home not in (*OF_NEURONS, *OF_SYNAPSES) or p.start is None:
            raise ValueError(
                f"the prior of {name!r}: it lies on {p.home!r} and not on neurons or synapses alone"
            )
        plan, shared = plans[p.part], groups.get(name)
        size = int(np.prod(p.shape(plan)))
        signs = np.ones(size)
        if p.sign == "synapse":
            polarities = p.synapses(plan).polarity
            signs = np.where(polarities == 0, 1, polarities).astype(float)
        parts = []
        for prior, entries in _by_place(name, p, plan, given, size):
            _require_fits(name, p, prior, polarity, signs[entries])
            parts.append((prior, entries if shared is None else _of_groups(name, shared, entries)))
        taken = np.concatenate([where for _, where in parts] or [np.zeros(0, int)])
        if len(taken) != len(set(taken.tolist())):
            raise ValueError(
                f"the priors of {name!r} name a value twice: expected places that do not overlap"
            )
        found[name] = Placed(tuple(parts), signs if shared is None else signs[shared.first])
    return found


def _of_groups(name: str, groups: Any, entries: NDArray[np.intp]) -> NDArray[np.intp]:
    """The groups of which all entries are chosen."""
    chosen = np.zeros(len(groups.owner), bool)
    chosen[entries] = True
    some, every = (np.unique(groups.owner[part]) for part in (chosen, ~chosen))
    if np.intersect1d(some, every).size:
        raise ValueError(
            f"a prior of {name!r} is of a part of values that are shared by tie=: give all of one"
        )
    return some.astype(np.intp)


def _require_fits(name: str, p: Parameter, prior: Prior, polarity: str, signs: Floats) -> None:
    """Raise ValueError for a prior of numbers that a parameter cannot have."""
    low = prior.low if isinstance(prior, Uniform) else prior.value if isinstance(prior, Fixed) else -math.inf
    positive = prior.of_size or low >= 0
    if p.non_negative or (p.sign == "positive" and polarity == "fixed"):
        if not positive:
            raise ValueError(
                f"the prior of {name!r} is {prior}, but {name} is never negative: expected gl.LogNormal, "
                "gl.HalfNormal, gl.Uniform from 0 on, or gl.Fixed"
            )
        return
    known = isinstance(prior, Fixed) and (prior.value * signs >= 0).all()
    if p.sign == "synapse" and polarity == "fixed" and not (prior.of_size or known):
        raise ValueError(
            f"the prior of {name!r} is {prior}, but with polarity='fixed' {name} keeps the signs of its "
            "synapses: expected a prior of its size, gl.LogNormal or gl.HalfNormal"
        )


def _by_place(
    name: str, p: Parameter, plan: Plan, given: Any, size: int
) -> Iterator[tuple[Prior, NDArray[np.intp]]]:
    """Each prior, and the entries that it is of."""
    if isinstance(given, Prior):
        yield given, np.arange(size)
        return
    pairs: Any = given.items() if isinstance(given, Mapping) else given
    if (
        not isinstance(given, Mapping | list | tuple)
        or not given
        or not all(len(pair) == 2 for pair in pairs)
    ):
        raise TypeError(
            f"the prior of {name!r} is {label(given)}: expected such as gl.Normal(0.0, 1.0), or a mapping "
            "from places to such"
        )
    for key, prior in pairs:
        if not isinstance(prior, Prior):
            raise TypeError(
                f"the prior of {name!r} at {label(key)} is {label(prior)}: expected such as "
                "gl.Normal(0.0, 1.0)"
            )
        yield prior, _entries(name, p, plan, key)


def _entries(name: str, p: Parameter, plan: Plan, key: Any) -> NDArray[np.intp]:
    """The entries of a parameter that a key names: a role, a name, a pair of these, or attribute=value."""
    home = p.lies_on
    where = f"the prior of {name!r} at {label(key)}"
    if isinstance(key, str) and "=" in key:
        attribute, _, value = key.partition("=")
        parts = {"neuron": "neurons", "motor": "neurons", "sensor": "sensors"}
        held: Mapping[str, Any] = getattr(plan.attributes, parts.get(home, home))
        if attribute not in held:
            raise ValueError(
                f"{where}: there is no attribute {attribute!r}; they are {listed(list(held), 12)}"
            )
        size = axis = int(np.prod(p.shape(plan)))
        chosen = np.array([str(each) == value for each in held[attribute].tolist()][:axis])
        assert len(chosen) == size
    elif home in OF_SYNAPSES:
        if not isinstance(key, list | tuple) or len(key) != 2:
            raise ValueError(
                f"{where}: expected a pair (pre, post) of roles, names or None, or attribute=value"
            )
        synapses = p.synapses(plan)
        pre = _named(where, plan, key[0], sensors=home == "sensory")[synapses.pre]
        chosen = pre & _named(where, plan, key[1])[synapses.post]
    else:
        chosen = _named(where, plan, key, sensors=home == "sensor")
        chosen = chosen[: plan.n_outputs] if home == "motor" else chosen
    if not chosen.any():
        what = f"{home} synapse" if home in OF_SYNAPSES else home
        raise ValueError(f"{where} is of nothing: this circuit has no such {what}")
    return np.flatnonzero(chosen)


def _named(where: str, plan: Plan, key: Any, sensors: bool = False) -> NDArray[np.bool_]:
    """Which neurons, or sensors, have a role or a name; all for None."""
    names, roles = (plan.sensors, ("sensory",) * plan.n_inputs) if sensors else (plan.neurons, plan.roles)
    if key is None:
        return np.ones(len(names), bool)
    found = np.array([key in (name, role) for name, role in zip(names, roles, strict=True)], bool)
    if not found.any():
        known = [*dict.fromkeys(roles), *names]
        raise ValueError(
            f"{where}: there is no {label(key)} among {listed(known, 8)}{suggestion(str(key), known)}"
        )
    return found
