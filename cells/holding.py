"""The parameters of a cell: made, shared, held in range, and as the equation uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

from ..compile import CompiledCircuit, Plan
from ..compile.synapses import Index
from .layer import NCPLayer
from .ops.math_ops import softplus_inverses
from .ops.random_ops import Draws
from .overlay import ONLY, overlay_of
from .parameters import Grouped, Parameter, Rule, Streams, fresh, rule_of
from .placing import Placed, placed_priors
from .priors import Priors
from .sharing import NOTHING_SHARED, Scale, Share, Ties, shares
from .signs import signs
from .strengths import Floats, as_floats

REMEMBERED = 1 << 16
"""How many numbers of the first parameters are kept, of the smallest of them."""
# One sign per synapse, as plans hold them.
Polarity: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int8]]"


class ParameterHolder(NCPLayer):
    """The part of `NCPRNNCell` that has to do with its parameters.

    Attributes:
        by_effective: whether a step takes all synapses from `compiled` and all parameters from `effective`,
            so that it can run over some of its synapses alone.
        polarity: "init" or "fixed": whether signed parameters may leave the signs of their synapses.
        positive: "clip" or "softplus": how non-negative parameters stay so.
        compiled: the compiled circuit; a cell without wiring has no such attribute.
    """

    by_effective: ClassVar[bool] = False
    polarity: str = "init"
    positive: str = "clip"
    compiled: CompiledCircuit
    _shares: ClassVar[Mapping[str, Share]] = {}
    _priors: ClassVar[Mapping[str, Placed]] = {}
    _draws: Draws | None = None

    @property
    def plans(self) -> dict[str, Plan]:
        """The plans whose synapses parameters lie on, by part; that of the circuit for most cells."""
        return {"circuit": self.compiled.plan}

    def share(
        self,
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        priors: Priors = None,
    ) -> None:
        """Let parameters follow from fewer numbers, and have priors, before `make_parameters`.

        A cell that has these options passes them on; an `LTC` says what they mean.

        Raises:
            TypeError, ValueError, CircuitError: an option that does not fit the parameters or the circuit.
        """
        declared = self.declared()
        found = shares(declared, self.plans, tie, scale, fixed, penalty)
        groups = {name: each.groups for name, each in found.items() if each.groups is not None}
        placed = placed_priors(priors, declared, self.plans, self.polarity, groups)
        for name, each in placed.items():
            if each.fixed is not None:
                found[name] = found.get(name, NOTHING_SHARED).with_fixed(each.fixed)
        object.__setattr__(self, "_shares", found)  # nn.Module would take it for parameters
        object.__setattr__(self, "_priors", placed)
        if found:
            shared = "".join(f"{name} {share.digest} " for name, share in found.items())
            self.belong_to(self.compiled.plan, shared)

    def declaration(self) -> dict[str, Parameter]:
        """The parameters as they are kept: those of a group once."""
        found = self.declared()
        for name, share in self._shares.items():
            if share.groups is not None:
                found[name] = replace(found[name], home=Grouped(found[name].lies_on, share.groups))
        return found

    def make_parameters(self, key: mx.array | None = None) -> None:
        """Give the cell fresh values of all parameters that say where they start.

        Args:
            key: random key; MLX's global state if not given.
        """
        self._draws = Draws(key)
        tied = {name: share.groups for name, share in self._shares.items() if share.groups is not None}
        declared, streams = self.declared(), Streams(self.plans, self._draws, tied)
        values = fresh(declared, self.plans, streams)
        for name, placed in self._priors.items():
            groups = self._shares[name].groups if name in self._shares else None
            spread = placed if groups is None else placed.spread(groups)
            drawn_by = streams.of(name, declared[name])
            shares = as_floats(drawn_by.uniform(0.0, 1.0, *values[name].shape))
            values[name] = mx.array(spread.drawn(shares, as_floats(values[name])).astype(np.float32))
        for name, value in values.items():
            share = self._shares.get(name)
            if share is not None:
                drawn = name in self._priors
                used = nn.softplus(value) if self._softened(name) and not drawn else value
                # A prior is of the number that is kept, before any factor.
                begun = share.chosen if drawn else share.begun
                value = self._kept_as(name, begun(as_floats(used)))
            elif name in self._priors:
                value = self._kept_as(name, as_floats(value))
            self[name] = value
        self.remember_first()

    def remember_first(self) -> None:
        """Keep hold of some parameters, by which `fresh` sees whether others took their place."""
        leaves: list[tuple[str, mx.array]] = tree_flatten(self.parameters())  # type: ignore[assignment]
        named = sorted(leaves, key=lambda pair: pair[1].size)
        sizes = np.cumsum([array.size for _, array in named])
        first = tuple(named[: max(1, int((sizes <= REMEMBERED).sum()))])
        object.__setattr__(self, "_first", first)  # nn.Module would take them for parameters

    @property
    def fresh(self) -> bool:
        """Whether the parameters are those that the cell began with: not trained, loaded or carried over."""
        first = self.__dict__.get("_first", ())
        now: dict[str, Any] = dict(tree_flatten(self.parameters()))
        return bool(first) and all(now.get(name) is array for name, array in first)

    def begin_at(self, name: str, values: Floats) -> None:
        """Let a parameter begin where the equation uses these values, one per synapse or neuron.

        Where a group shares one value, it is the mean.
        """
        share = self._shares.get(name)
        self[name] = self._kept_as(name, values if share is None else share.reached(values))

    @property
    def draws(self) -> Draws:
        """What its initial values are drawn by; see `Draws.of`."""
        if self._draws is None:
            self._draws = Draws()
        return self._draws

    @property
    def shared(self) -> tuple[str, ...]:
        """The parameters that follow from fewer numbers or have a factor."""
        return tuple(self._shares)

    def give_own_values(self, twin: Any) -> None:
        """Give the parameters of a cell that shares none the values that are shared here."""
        values = self.effective() if self._shares else {}
        for name in self._shares:
            twin.begin_at(name, as_floats(values[name]))

    def effective(self) -> dict[str, mx.array]:
        """The parameters as the equation uses them: float32, of the sign and range that were promised."""
        rules = self._rules()
        found = {name: self[name].astype(mx.float32) for name in rules}
        for name, rule in rules.items():
            if rule is not None and rule.shapes:
                found[name] = rule.effective(found[name])
        for name, share in self._shares.items():
            found[name] = share.spread(found[name])
        overlay = overlay_of(self)
        return found if overlay is None else self._left({n: overlay.over(n, v) for n, v in found.items()})

    def _left(self, values: dict[str, mx.array]) -> dict[str, mx.array]:
        """Parameters without the synapses that a perturbation has removed."""
        only = self.__dict__.get(ONLY)
        if not only:
            return values
        declared = self.declared()
        places = {name: (p.part, p.lies_on) for name, p in declared.items() if len(p.axes) == 1}
        return {n: v[only[places[n]]] if places.get(n) in only else v for n, v in values.items()}

    def rewired(self, kept: Mapping[tuple[str, str], Index]) -> dict[str, Any]:
        """The attributes by which a cell runs over some of its synapses alone.

        Attributes are those that `step` takes synapses from; with none, what is removed is multiplied with 0.

        Args:
            kept: (part, side) -> the numbers of the synapses that are kept, of sides that lose some.
        """
        if not self.by_effective:
            return {}
        self._rules()  # which are of all synapses
        return {"compiled": self.compiled.only({side: numbers for (_, side), numbers in kept.items()})}

    def penalty(self) -> mx.array:
        """What the priors of shared parameters add to a loss, as `fit` does: see the option `penalty`."""
        rules, total = self._rules(), mx.array(0.0)
        for name, share in self._shares.items():
            if share.prior is not None:
                rule, value = rules[name], self[name].astype(mx.float32)
                total = total + share.penalty(value if rule is None else rule.effective(value))
        return total

    @property
    def priors_placed(self) -> Mapping[str, Placed]:
        """The priors of the values that are kept, by parameter."""
        return self._priors

    def log_prior(self) -> mx.array:
        """The logarithm of the density of the priors, of the values that the equation uses."""
        rules, total = self._rules(), mx.array(0.0)
        for name, placed in self._priors.items():
            rule, value = rules[name], self[name].astype(mx.float32)
            total = total + placed.log_density(value if rule is None else rule.effective(value))
        return total

    def _rules(self) -> dict[str, Rule | None]:
        """What each declared parameter has to keep, or None; made once for all calls."""
        key = self.polarity, self.positive
        if self.__dict__.get("_made_for") != key:
            rules = {
                name: rule_of(p, self._held_sign(name, p), self.positive)
                for name, p in self.declared().items()
            }
            object.__setattr__(self, "_made_rules", rules)  # nn.Module would take them for parameters
            object.__setattr__(self, "_made_for", key)
        made: dict[str, Rule | None] = self.__dict__["_made_rules"]
        return made

    def polarity_of(self, p: Parameter) -> Polarity:
        """The signs of the synapses that a parameter lies on; 0 for one that may have any."""
        return p.synapses(self.plans[p.part]).polarity

    def _softened(self, name: str) -> bool:
        rule = self._rules()[name]
        return rule is not None and rule.softened

    def _kept_as(self, name: str, values: Floats) -> mx.array:
        """The parameter with which the equation uses these values."""
        kept = softplus_inverses(values) if self._softened(name) else values
        return mx.array(kept.astype(np.float32))

    def _sign(self, p: Parameter) -> mx.array | None:
        """The sign that a parameter is to have, +1, -1 or 0 (any); None if it may have any everywhere."""
        if p.sign == "synapse":
            return signs(self.polarity_of(p))
        softened = p.non_negative and self.positive == "softplus"
        return mx.array(1.0) if p.sign == "positive" and not softened else None

    def _held_sign(self, name: str, p: Parameter) -> mx.array | None:
        sign = self._sign(p) if self.polarity == "fixed" else None
        groups = self._shares[name].groups if name in self._shares else None
        return sign if sign is None or groups is None or not sign.ndim else sign[mx.array(groups.first)]

    def held_signs(self) -> dict[str, mx.array]:
        """The parameters that are held to a sign, +1, -1 or 0 (any); none unless the polarity is fixed."""
        rules = self._rules()
        return {name: rule.sign for name, rule in rules.items() if rule is not None and rule.sign is not None}

    def held_at_zero(self) -> set[str] | None:
        """The parameters that constraints put back to zero from below it; None if they do more than that."""
        rules = {name: rule for name, rule in self._rules().items() if rule is not None}
        if any(rule.sign is not None for rule in rules.values()):
            return None
        return {name for name, rule in rules.items() if rule.clipped}

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; called after each optimizer step."""
        for name, rule in self._rules().items():
            if rule is not None:
                self[name] = rule.constrained(self[name])
