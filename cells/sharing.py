"""Parameters that synapses or neurons share: fewer numbers, from which the equation's values follow."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from numpy.typing import NDArray

from ..arguments import counted, label, real
from ..compile import Plan
from ..wiring.columns import numbers
from ..wiring.words import listed, suggestion
from .groups import OF_NEURONS, OF_SYNAPSES, Groups, Tie, grouped, of_synapses
from .parameters import Parameter

Floats: TypeAlias = "NDArray[np.float64]"
Ties: TypeAlias = "Mapping[str, Tie] | None"
Scale: TypeAlias = "str | Mapping[str, str] | None"
# One value for all groups of a parameter, or values by group, also as pairs.
ByGroup: TypeAlias = "Any"
Loss: TypeAlias = "Callable[..., Any]"


@dataclass(frozen=True, eq=False)
class Share:
    """How the values of one parameter follow from those that are kept.

    Attributes:
        groups: what has one value together; None where every entry has its own.
        scale: (K,) a factor of each entry; None for one.
        fixed: (G,) values that are given, NaN where they are trained.
        prior: (2, G) means and standard deviations; infinite where there is none.
        words: what it is, for people.
    """

    groups: Groups | None = None
    scale: Floats | None = None
    fixed: Floats | None = None
    prior: Floats | None = None
    words: str = ""

    def spread(self, values: mx.array) -> mx.array:
        """(K,) values of the equation, from those of the groups."""
        if self.fixed is not None:
            held = np.isfinite(self.fixed)
            values = mx.where(mx.array(held), _floats(np.where(held, self.fixed, 0.0)), values)
        if self.groups is not None:
            values = self.groups.expand(values)
        return values if self.scale is None else values * _floats(self.scale)

    def begun(self, values: Floats) -> Floats:
        """(G,) where the groups begin whose entries would begin at (K,) values by themselves.

        A group takes the value of its first entry, over the mean of the factors.
        """
        if self.groups is not None:
            values = values[self.groups.first]
        return self._given(values if self.scale is None else values / self.mean_scale)

    def reached(self, values: Floats) -> Floats:
        """(G,) with which the entries have (K,) values; where those of a group differ, their mean."""
        if self.scale is not None:
            # An entry of factor 0 is 0 whatever its group has.
            values = values / np.where(self.scale > 0, self.scale, self.mean_scale)
        return self._given(values if self.groups is None else self.groups.mean(values))

    def chosen(self, values: Floats) -> Floats:
        """(G,) of (K,) numbers before any factor, that of the first entry of each group."""
        return self._given(values if self.groups is None else values[self.groups.first])

    def with_fixed(self, values: Floats) -> Share:
        """The same with more values that are given, where these are no NaN."""
        before = np.full(len(values), np.nan) if self.fixed is None else self.fixed
        return replace(self, fixed=np.where(np.isfinite(values), values, before))

    @property
    def digest(self) -> str:
        """A text that is equal exactly where values mean the same: groups, factors and given values."""
        state = hashlib.sha256(b"" if self.groups is None else repr(self.groups.keys).encode())
        for array in (None if self.groups is None else self.groups.owner, self.scale, self.fixed):
            state.update(b"none" if array is None else array.tobytes())
        return state.hexdigest()

    @property
    def mean_scale(self) -> float:
        """The mean factor; 1 if there is none above 0."""
        mean = 1.0 if self.scale is None or not len(self.scale) else float(self.scale.mean())
        return mean or 1.0

    def penalty(self, values: mx.array) -> mx.array:
        """Half the sum over the groups of ((value - mean) / deviation) squared."""
        if self.prior is None:
            return mx.array(0.0)
        mean, deviation = _floats(self.prior)
        return 0.5 * mx.square((values - mean) / deviation).sum()

    def _given(self, values: Floats) -> Floats:
        return values if self.fixed is None else np.where(np.isfinite(self.fixed), self.fixed, values)


NOTHING_SHARED = Share()


def used_attributes(options: Mapping[str, Any]) -> set[str]:
    """The attributes of a circuit that options of a network name."""
    found: list[Any] = [options.get("start"), options.get("delays")]
    for option in ("tie", "scale"):
        given = options.get(option)
        for value in given.values() if isinstance(given, Mapping) else [given]:
            found += value if isinstance(value, list | tuple) else [value]
    priors = options.get("priors")
    for value in priors.values() if isinstance(priors, Mapping) else ():
        keys = list(value) if isinstance(value, Mapping) else [pair[0] for pair in _pairs(value)]
        found += [key.partition("=")[0] for key in keys if isinstance(key, str) and "=" in key]
    return {name for name in found if isinstance(name, str)}


def _pairs(value: Any) -> list[Any]:
    return (
        [pair for pair in value if isinstance(pair, list | tuple) and pair] if isinstance(value, list) else []
    )


def described(parameters: Any, shared: Mapping[str, Share]) -> Iterator[str]:
    """How many numbers a cell keeps, and a line for each parameter that is shared."""
    arrays: Any = tree_flatten(parameters)
    total = sum(array.size for _, array in arrays)
    yield f"parameters: {counted(total, 'number')}"
    for name, share in shared.items():
        owners = len(share.scale) if share.groups is None and share.scale is not None else 0
        entries = owners if share.groups is None else len(share.groups.owner)
        line = f"{name}: {entries} {share.words}"
        if not share.words:  # nothing is shared, some of it is fixed
            line = f"{name}: {counted(len(() if share.fixed is None else share.fixed), 'number')}"
        if share.groups is not None:
            line += f", share {counted(len(share.groups), 'value')}"
        held = 0 if share.fixed is None else int(np.isfinite(share.fixed).sum())
        priors = 0 if share.prior is None else int(np.isfinite(share.prior[1]).sum())
        yield line + (f", {held} fixed" if held else "") + (f", {priors} with a prior" if priors else "")


def with_penalty(model: nn.Module, loss: Loss, items: int) -> Loss:
    """A loss and what the priors in a model add to it; the loss itself if there are none.

    Args:
        model: the model.
        loss: the mean over items.
        items: how many there are in all, over which the logarithm of priors is spread.
    """
    if not any(regularised(part) for part in model.modules()):
        return loss

    def penalized(model: nn.Module, *batch: Any) -> mx.array:
        total: mx.array = loss(model, *batch)
        for part in filter(regularised, model.modules()):
            total = total + part.penalty() - part.log_prior() / items
        return total

    return penalized


def regularised(part: Any) -> bool:
    """Whether a module adds to the loss."""
    penalties = any(share.prior is not None for share in _shares_of(part).values())
    return penalties or bool(getattr(part, "_priors", None))


def _shares_of(module: Any) -> Mapping[str, Share]:
    found: Mapping[str, Share] = getattr(module, "_shares", {})
    return found


def shares(
    declared: Mapping[str, Parameter],
    plans: Mapping[str, Plan],
    tie: Ties,
    scale: Scale,
    fixed: Any,
    penalty: Any,
) -> dict[str, Share]:
    """What is shared, by parameter.

    Raises:
        TypeError, ValueError: an option that is none, or of a parameter that there is not.
        CircuitError: an attribute that a neuron or synapse does not have.
    """
    ties = _by_parameter("tie", tie, declared)
    if isinstance(scale, str):
        scale = {name: scale for name, p in declared.items() if p.strength}
        if not scale:
            raise ValueError("scale: no parameter of this cell is the strength of a synapse: name one")
    factors = _factors(_by_parameter("scale", scale, declared), declared, plans)
    scales = {name: scale[name] for name in factors} if isinstance(scale, Mapping) else {}
    given, priors = (
        _by_parameter(what, value, declared) for what, value in (("fixed", fixed), ("penalty", penalty))
    )
    for what, mapping in (("fixed", given), ("penalty", priors)):
        for name in mapping.keys() - ties.keys():
            raise ValueError(
                f"{what}: {name!r} is not shared by any tie; tie={{{name!r}: ()}} makes it one value"
            )
    found = {}
    for name in declared:
        if name in ties or name in factors:
            p = declared[name]
            plan, home = plans[p.part], _home(name, p)
            groups = _groups(name, p, plan, home, ties[name]) if name in ties else None
            found[name] = Share(
                groups,
                factors.get(name),
                _fixed(name, p, groups, given[name]) if groups is not None and name in given else None,
                _prior(name, groups, priors[name]) if groups is not None and name in priors else None,
                _words(p, plan, home, ties.get(name), scales.get(name)),
            )
    return found


def _by_parameter(what: str, given: Any, declared: Mapping[str, Parameter]) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping from parameters, such as {{'w': ...}}, got {label(given)}")
    for name in given:
        if name not in declared:
            raise ValueError(
                f"{what}: there is no parameter {label(name)}; they are {listed(list(declared), 20)}"
                f"{suggestion(name, declared)}"
            )
    return given


def _home(name: str, p: Parameter) -> str:
    home = p.home
    if not isinstance(home, str) or home not in (*OF_NEURONS, *OF_SYNAPSES):
        raise ValueError(
            f"{name!r} cannot be shared: it lies on {home!r} and not on neurons or synapses alone"
        )
    return home


def _groups(name: str, p: Parameter, plan: Plan, home: str, tie: Any) -> Groups:
    groups = grouped(f"the tie of {name!r}", plan, home, tuple(tie) if isinstance(tie, list) else tie)
    if p.sign != "synapse":
        return groups
    # One value cannot have two signs: those of a group that differ part it.
    owner = np.empty(len(groups.owner), object)
    owner[:] = groups.owner.tolist()
    signs = np.asarray(p.synapses(plan).polarity, object)
    parted = Groups.of([owner, signs], len(owner))
    return Groups(tuple((*groups.keys[k], sign) for k, sign in parted.keys), parted.owner)


def _factors(
    factors: Mapping[str, Any], declared: Mapping[str, Parameter], plans: Mapping[str, Plan]
) -> dict[str, Floats]:
    """The factors by parameter; those of one attribute are looked at together."""
    by_attribute: dict[tuple[str, str], dict[str, str]] = {}
    for name, attribute in factors.items():
        home = _home(name, declared[name])
        if home not in OF_SYNAPSES:
            raise ValueError(f"scale: {name!r} lies on {home!r}; only what lies on synapses has a factor")
        if not isinstance(attribute, str):
            raise TypeError(f"the scale of {name!r} is {label(attribute)}: expected a synapse's attribute")
        by_attribute.setdefault((attribute, declared[name].part), {})[name] = home
    found: dict[str, Floats] = {}
    for (attribute, part), names in by_attribute.items():
        values = factors_of(
            f"scale={label(attribute)}", plans[part], tuple(dict.fromkeys(names.values())), attribute
        )
        found |= {name: values[home] for name, home in names.items()}
    return found


def factors_of(what: str, plan: Plan, homes: tuple[str, ...], attribute: str) -> dict[str, Floats]:
    """An attribute of synapses as numbers of at least 0, by home; the mean where it is missing, told once.

    Raises:
        CircuitError: no synapse of these homes has it.
        ValueError: another value.
    """
    with_it = [home for home in homes if attribute in getattr(plan.attributes, home)]
    sizes = {home: len(getattr(plan, home)) for home in homes}
    if not with_it:  # which says what there is
        of_synapses(what, plan, max(homes, key=sizes.__getitem__), attribute, complete=False)
    found = {home: np.full(sizes[home], np.nan) for home in homes}
    for home in with_it:
        try:
            found[home] = numbers(getattr(plan.attributes, home)[attribute])
        except TypeError as error:
            raise ValueError(f"{what}: expected numbers of at least 0, but {error}") from None
    together = np.concatenate(list(found.values()))
    if (together < 0).any():
        raise ValueError(f"{what}: expected numbers of at least 0, got {np.nanmin(together):g}")
    missing = int(np.isnan(together).sum())
    if missing == len(together):
        return {home: np.ones(size) for home, size in sizes.items()}
    if missing:
        warnings.warn(
            f"{what}: {missing} of {len(together)} synapses have no {attribute}, and count with the mean of "
            "the others",
            stacklevel=2,
        )
    mean = float(np.nanmean(together))
    return {home: np.nan_to_num(values, nan=mean) for home, values in found.items()}


def _fixed(name: str, p: Parameter, groups: Groups, given: ByGroup) -> Floats:
    found = np.full(len(groups), np.nan)
    for k, value in _of_groups(f"the fixed value of {name!r}", groups, given, p.sign == "synapse"):
        found[k] = real(f"the fixed value of {name!r}", value, **({"least": 0.0} if p.non_negative else {}))
    return found


def _prior(name: str, groups: Groups, given: ByGroup) -> Floats:
    found = np.full((2, len(groups)), np.inf)
    found[0] = 0.0
    what = f"the penalty of {name!r}"
    for k, value in _of_groups(what, groups, given, False, pair=True):
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise TypeError(f"{what} is {label(value)}: expected (mean, standard deviation)")
        found[:, k] = real(f"{what}: the mean", value[0]), real(f"{what}: the deviation", value[1], above=0)
    return found


def _of_groups(
    what: str, groups: Groups, given: ByGroup, signed: bool, pair: bool = False
) -> Iterator[tuple[int, Any]]:
    """The groups that are given a value, and the value."""
    many = isinstance(given, list | tuple) and all(isinstance(v, list | tuple) for v in given)
    if not isinstance(given, Mapping) and not many:
        yield from ((k, given) for k in range(len(groups)))
        return
    for key, value in given.items() if isinstance(given, Mapping) else given:
        wanted = tuple(key) if isinstance(key, list | tuple) else (key,)
        places = [
            k
            for k, own in enumerate(groups.keys)
            if own in (wanted, (*wanted, 1), (*wanted, -1))  # behind it the sign, where signs part groups
        ]
        if not places:
            have = [" -> ".join(map(str, own)) or "()" for own in groups.keys]
            raise ValueError(f"{what}: there is no group {label(key)}; they are {listed(have, 12)}")
        yield from ((k, value) for k in places)


def _words(p: Parameter, plan: Plan, home: str, tie: Tie | None, scale: str | None) -> str:
    of_what = "synapses" if home in OF_SYNAPSES else "neurons"
    if tie is None:
        by = ""
    elif isinstance(tie, str):
        by = f" by {tie}"
    elif home in OF_SYNAPSES and len(tie):
        by = " by " + " and ".join(
            f"{name} of {side}" for name, side in zip(tie, ("pre", "post"), strict=True) if name
        )
    else:
        by = "".join(f" by {name}" for name in tie if name)
    return f"{of_what}{by}" + (f", times {scale}" if scale else "")


def _floats(values: Floats) -> mx.array:
    return mx.array(values.astype(np.float32))
