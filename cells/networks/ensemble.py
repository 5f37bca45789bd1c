"""Networks over one circuit that run in one launch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_unflatten

from ...arguments import counted, flag, function_of, instance, several
from ..leading import shape_of
from ..overlay import refuse_perturbed
from ..spread import Spread
from ..strengths import Strengths, strengths_in
from ..values import Flags, Values, real_array
from .observing import Observed
from .resting import is_rest, resting_rows
from .rnn import RNN


class Ensemble(nn.Module):
    """Networks over one circuit with parameters of their own, as one module that runs in one launch.

    Its parameters are those of the networks with a leading axis of K members, so that one optimizer, one loss
    and one file serve all of them, and a member's gradient never reaches another.

    Args:
        networks: K networks that differ in nothing but their parameters, seen through `observe` or not; they
            are copied.

    Raises:
        TypeError: something that is no network over sequences.
        ValueError: none at all, one that is not built, or networks that differ in more.

    Example:
        >>> ensemble = gl.ensemble([gl.LTC(circuit) for _ in range(16)])
        >>> outputs, states = ensemble(x)                                  # (16, B, T, M), (16, B, N)
        >>> best = ensemble.member(3)                                      # a plain network
    """

    def __init__(self, networks: Sequence[RNN | Observed]) -> None:
        super().__init__()
        given = several("networks", networks, "networks")
        if not given:
            raise ValueError("an ensemble has at least one network, got none")
        for network in given:
            wanted = "a network such as gl.LTC(circuit), or one that is seen by gl.observe"
            instance("every network of an ensemble", network, (RNN, Observed), wanted)
            network.require_built("cannot be in an ensemble")
            refuse_perturbed(network, "an ensemble")
        first = given[0]
        for k, network in enumerate(given):
            if type(network) is not type(first) or network.get_config() != first.get_config():
                raise ValueError(
                    f"network {k} of the ensemble is another one than the first: expected networks of one "
                    "class, over one circuit, with the same options"
                )
            if network.training != first.training or _frozen(network) != _frozen(first):
                raise ValueError(
                    f"network {k} of the ensemble is frozen elsewhere or in another mode than the first"
                )
        # What computes; its own parameters are placeholders, and no part of this module.
        object.__setattr__(self, "_network", copy.deepcopy(first))
        self.members = tree_map(lambda *arrays: mx.stack(list(arrays)), *(n.parameters() for n in given))
        object.__setattr__(self, "_frozen_names", _frozen(first))
        object.__setattr__(self, "_first", self._leaves() if all(map(_fresh, given)) else None)

    def __len__(self) -> int:
        named: Any = tree_flatten(self.members)
        return int(named[0][1].shape[0])

    def _leaves(self) -> list[mx.array]:
        named: Any = tree_flatten(self.members)
        return [array for _, array in named]

    def _extra_repr(self) -> str:
        return f"{counted(len(self), 'member')}: {type(self._network).__name__}"

    @property
    def fresh(self) -> bool:
        """Whether all members have the parameters that they began with, see the cell's `fresh`."""
        now = self._leaves()
        return self._first is not None and all(a is b for a, b in zip(self._first, now, strict=True))

    def member(self, k: int) -> Any:
        """Network k with its parameters as they are now, on its own.

        Raises:
            IndexError: there are not so many.
        """
        if not -len(self) <= k < len(self):
            raise IndexError(f"member {k} of an ensemble of {len(self)}")
        network = copy.deepcopy(self._network)
        network.update(tree_map(lambda array: array[k], self.members))
        return network

    def spread(self, number: Callable[[Any], Any]) -> Spread:
        """The mean and standard deviation of any number over the members.

        Args:
            number: what gives it, or an array, for a network.

        Raises:
            TypeError: no function.

        Example:
            >>> print(ensemble.spread(lambda rnn: gl.circuit_of(rnn).edges["AVA", "AVB"]["weight"]))
        """
        function_of("number", number, "a network")
        values = [np.asarray(number(self.member(k)), np.float64) for k in range(len(self))]
        return Spread.of(np.stack(values))

    def strengths_over_members(self) -> Strengths:
        """How strongly every synapse acts, the mean over members, and the deviations; see `circuit_of`.

        Raises:
            TypeError: the cell has no such number.
        """
        return Strengths.over([strengths_in(self.member(k)) for k in range(len(self))])

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        mask: Flags | None = None,
        lengths: Flags | None = None,
        ends: Flags | None = None,
        own: bool = False,
    ) -> Any:
        """Run all members over a batch.

        Args:
            x: (B, T, I) or (T, I) inputs, which all members read; (K, ...) with `own`.
            state: initial states, (K, B, N) or a tuple of such; zeros if not given; "rest", see `rest`.
            timespans: as for one network; (K, ...) with `own`.
            mask, lengths, ends: as for one network, for all members alike.
            own: whether each member has inputs and time spans of its own, along the first axis.

        Returns:
            What one network returns, with a leading axis of K members.

        Raises:
            ValueError: a shape that does not fit.
        """
        flag("own", own)
        if is_rest(state):
            shape = shape_of(x)[1 if own else 0 :]
            rows = shape[0] if len(shape) > 2 else None
            state = self.each_member(lambda member: resting_rows(member, rows))
        shared = None if not own else 0
        given: dict[str, Any] = {"x": real_array("the input", x)}
        axes: dict[str, Any] = {"x": shared}
        if timespans is not None:
            given["timespans"], axes["timespans"] = real_array("timespans", timespans), shared
        if state is not None:
            given["state"] = tuple(state) if isinstance(state, list) else state
            axes["state"] = 0
        for name, value in given.items():
            leading = {a.shape[:1] for _, a in _leaves(value)} if axes[name] == 0 else set()
            if leading - {(len(self),)}:
                raise ValueError(f"{name} must have a leading axis of {counted(len(self), 'member')}")
        flags = {"mask": mask, "lengths": lengths, "ends": ends}
        names, network = list(given), self._network

        def run(parameters: Any, *values: Any) -> Any:
            network.update(parameters)
            return network(**dict(zip(names, values, strict=True)), **flags)

        return self._over_members(run, *(given.values()), axes=[axes[name] for name in names])

    def each_member(self, look: Callable[[RNN], Any]) -> Any:
        """What is found of each member, with a leading axis of K members."""
        network, before, found = self._network, self._network.parameters(), []
        try:
            for k in range(len(self)):
                network.update(tree_map(lambda array, k=k: array[k], self.members))
                found.append(look(network))
        finally:
            network.update(before)
        return tree_map(lambda *arrays: mx.stack(list(arrays)), *found)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        network = self._network

        def constrained(parameters: Any) -> Any:
            network.update(parameters)
            network.apply_constraints()
            return network.parameters()

        self.members = self._over_members(constrained, axes=[])

    def trainable_parameters(self) -> Any:
        frozen = self._frozen_names
        if not frozen or "members" not in super().trainable_parameters():
            return super().trainable_parameters()
        return {"members": _without(self.members, frozen)}

    def train(self, mode: bool = True) -> nn.Module:
        self._network.train(mode)
        return super().train(mode)

    def _over_members(self, function: Any, *values: Any, axes: list[Any]) -> Any:
        before = self._network.parameters()
        try:
            return mx.vmap(function, in_axes=(0, *axes) if axes else 0)(self.members, *values)
        finally:
            self._network.update(before)


def ensemble(networks: Sequence[RNN | Observed]) -> Ensemble:
    """Networks over one circuit as one module that runs in one launch; see `Ensemble`."""
    return Ensemble(networks)


def _leaves(tree: Any) -> list[tuple[str, mx.array]]:
    found: Any = tree_flatten({"": tree})
    return list(found)


def _fresh(network: RNN | Observed) -> bool:
    return (network.rnn if isinstance(network, Observed) else network).cell.fresh


def _frozen(network: nn.Module) -> frozenset[str]:
    """The names of the parameters that are not trained."""
    every, trained = (
        {name for name, _ in _leaves(tree)} for tree in (network.parameters(), network.trainable_parameters())
    )
    return frozenset(every - trained)


def _without(tree: Any, names: frozenset[str]) -> Any:
    return tree_unflatten([(n.removeprefix("."), a) for n, a in _leaves(tree) if n not in names])
