"""Connection rules: which of the possible synapses between two groups of neurons are made.

The rules and their words are those of NEST and PyNN (Senk et al., "Connectivity concepts in neuronal network
modeling", PLoS Computational Biology 2022), but two neurons never get more than one synapse. They work on
indices: nothing here knows about graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import array_of, fraction, label, whole

Indices = NDArray[np.int64]
Seed = int | np.random.Generator | None


@dataclass(frozen=True)
class Groups:
    """Two groups of neurons, seen from a rule.

    Attributes:
        n_pre, n_post: their sizes; every pre neuron may be connected to every post neuron.
        twin: (n_post,) the position of each post neuron in the pre group if a synapse from there is forbidden
            because it would be a self-synapse, else -1.
    """

    n_pre: int
    n_post: int
    twin: Indices

    @property
    def possible(self) -> int:
        """The number of synapses that may be made."""
        return self.n_pre * self.n_post - int((self.twin >= 0).sum())

    def transposed(self) -> Groups:
        """The same pairs with the groups exchanged."""
        twin = np.full(self.n_pre, -1, dtype=np.int64)
        (shared,) = np.nonzero(self.twin >= 0)
        twin[self.twin[shared]] = shared
        return Groups(self.n_post, self.n_pre, twin)

    def pairs(self, chosen: Indices) -> tuple[Indices, Indices]:
        """The pre and post of possible synapses number `chosen`, which run over pre, then post."""
        (shared,) = np.nonzero(self.twin >= 0)
        forbidden = np.sort(self.twin[shared] * self.n_post + shared)
        # The k-th forbidden cell precedes every possible synapse whose number is at least its cell minus k.
        cells = chosen + np.searchsorted(forbidden - np.arange(len(forbidden)), chosen, side="right")
        pre, post = np.divmod(cells, max(self.n_post, 1))
        return pre, post


def all_to_all(groups: Groups) -> tuple[Indices, Indices]:
    """Every possible synapse."""
    return groups.pairs(np.arange(groups.possible))


def one_to_one(groups: Groups) -> tuple[Indices, Indices]:
    """The k-th pre neuron to the k-th post neuron, for groups of one size."""
    if groups.n_pre != groups.n_post:
        raise ValueError(
            f"rule 'one_to_one' needs groups of one size, got {groups.n_pre} pre and {groups.n_post} post"
        )
    (kept,) = np.nonzero(groups.twin != np.arange(groups.n_post))
    return kept, kept


def fixed_indegree(groups: Groups, indegree: Any, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """`indegree` different pre neurons, drawn uniformly, for every post neuron."""
    return _draw_each(groups, "indegree", indegree, rng)


def fixed_outdegree(groups: Groups, outdegree: Any, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """`outdegree` different post neurons, drawn uniformly, for every pre neuron."""
    post, pre = _draw_each(groups.transposed(), "outdegree", outdegree, rng)
    return pre, post


def pairwise_bernoulli(groups: Groups, p: Any, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Each possible synapse independently with probability `p`."""
    # Independent coins are a binomial number of synapses, uniform among all sets of that size.
    total = rng.binomial(groups.possible, fraction("p", p))
    return fixed_total_number(groups, total, rng)


def fixed_total_number(groups: Groups, total: Any, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """`total` different synapses, drawn uniformly from the possible ones."""
    count = _count("total", total, groups.possible, "possible synapses")
    return groups.pairs(np.sort(rng.choice(groups.possible, count, replace=False, shuffle=False)))


@dataclass(frozen=True)
class _Rule:
    make: Callable[..., tuple[Indices, Indices]]
    argument: str | None = None  # the name of its parameter; a rule is random if and only if it has one


RULES = {
    "all_to_all": _Rule(all_to_all),
    "one_to_one": _Rule(one_to_one),
    "fixed_indegree": _Rule(fixed_indegree, "indegree"),
    "fixed_outdegree": _Rule(fixed_outdegree, "outdegree"),
    "pairwise_bernoulli": _Rule(pairwise_bernoulli, "p"),
    "fixed_total_number": _Rule(fixed_total_number, "total"),
}


def draw(
    rule: str, groups: Groups, arguments: dict[str, Any], inhibitory: float, seed: Seed
) -> tuple[Indices, Indices, NDArray[np.int8]]:
    """Pre, post and polarity of the synapses that `rule` makes, ordered by (pre, post).

    Args:
        rule: one of `RULES`.
        arguments: what the caller gave for `indegree`, `outdegree`, `p` and `total`, None if not given.
        inhibitory: the share of the synapses, rounded to whole synapses, that get polarity -1.
        seed: of the draws; needed if there are any.

    Raises:
        ValueError, TypeError: an unknown rule, or arguments that do not fit the rule or the groups.
    """
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; expected one of {', '.join(RULES)}")
    chosen = RULES[rule]
    given = {name: value for name, value in arguments.items() if value is not None}
    if set(given) != ({chosen.argument} - {None}):
        needs = f"{chosen.argument}= and nothing else" if chosen.argument else "no argument of its own"
        got = ", ".join(f"{name}=" for name in given) or "none"
        raise TypeError(f"rule {rule!r} takes {needs}, got {got}")
    share = fraction("inhibitory", inhibitory)
    if seed is None and (chosen.argument or 0 < share < 1):
        what = f"rule {rule!r} draws" if chosen.argument else f"inhibitory={inhibitory} draws signs"
        raise TypeError(f"{what} at random: pass seed= (a whole number or a numpy.random.Generator)")
    message = f"seed must be a whole number from 0 or a numpy.random.Generator, got {label(seed)}"
    if isinstance(seed, list | tuple) and array_of(seed) is None:  # a list in itself ends the process
        raise TypeError(message)
    try:
        rng = np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(message) from None
    pre, post = chosen.make(groups, *given.values(), *([rng] if chosen.argument else []))
    order = np.lexsort((post, pre))
    return pre[order], post[order], balanced_signs(len(pre), share, rng)


def balanced_signs(count: int, inhibitory: float, rng: np.random.Generator) -> NDArray[np.int8]:
    """`count` polarities of which the share `inhibitory`, rounded to a whole number, is -1."""
    signs = np.ones(count, dtype=np.int8)
    signs[rng.choice(count, round(inhibitory * count), replace=False, shuffle=False)] = -1
    return signs


def _draw_each(
    groups: Groups, argument: str, value: Any, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """`value` different pre neurons for every post neuron."""
    has_twin = groups.twin >= 0
    partners = groups.n_pre - int(has_twin.any())
    count = _count(argument, value, partners, "different partners of each neuron")
    choices = groups.n_pre - has_twin
    picks = np.array([rng.choice(n, count, replace=False, shuffle=False) for n in choices], dtype=np.int64)
    picks = picks.reshape(groups.n_post, count)
    # Where a twin is left out, the choices behind it move up by one.
    picks += has_twin[:, None] & (picks >= groups.twin[:, None])
    return picks.ravel(), np.repeat(np.arange(groups.n_post), count)


def _count(argument: str, value: Any, most: int, of_what: str) -> int:
    count = whole(argument, value, least=0)
    if count > most:
        raise ValueError(f"{argument} is {count}; expected 0 to {most}, the number of {of_what}")
    return count
