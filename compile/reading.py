"""Circuits from columns, without a graph: one of millions of synapses would fill the memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arguments import counted, label, one_of
from ..errors import CircuitError
from ..wiring import CircuitArrays
from ..wiring.columns import Column, Columns, column
from ..wiring.files.column_files import read_columns
from ..wiring.roles import ROLES
from ..wiring.words import listed, sign_in, suggestion

# A path to a table, or its columns by name.
Table: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any]"
Meaning: TypeAlias = "str | tuple[str, Mapping[Any, Any]]"

PRE = ("pre", "source", "from", "pre_root_id", "pre_pt_root_id", "bodyid_pre")
POST = ("post", "target", "to", "post_root_id", "post_pt_root_id", "bodyid_post")
NAMES = ("name", "id", "root_id", "bodyid", "neuron")
WEIGHTS = ("weight", "count", "syn_count", "synapses")
SENSORS = ("split", "drop")


def arrays_from(
    synapses: Table,
    neurons: Table | None,
    roles: Meaning | Sequence[str],
    polarity: Meaning | int,
    weight: str | None,
    sensors: str,
) -> CircuitArrays:
    """The arrays of a circuit from two tables; `Plan.read` says what the arguments mean."""
    one_of("sensors", sensors, SENSORS)
    table = _table("synapses", synapses)
    _refuse_unequal("synapses", table)
    ends = [_take(table, what, names) for what, names in (("pre", PRE), ("post", POST))]
    of_neurons = {} if neurons is None else _table("neurons", neurons)
    _refuse_unequal("neurons", of_neurons)
    ids = _take(of_neurons, "id", NAMES) if of_neurons else np.unique(np.concatenate(ends))
    pre, post = (_places(ids, end, what) for end, what in zip(ends, ("pre", "post"), strict=True))
    found_roles = _roles(of_neurons, roles, len(ids))
    signs = _signs(table, polarity, len(pre))
    weights = _weights(table, weight)
    arrays = _added(
        pre, post, signs, weights, {name: _plain(values) for name, values in table.items()}, len(ids)
    )
    names = tuple(map(str, ids.tolist()))
    data = {name: made for name, values in of_neurons.items() if (made := column(_plain(values))) is not None}
    data.pop("role", None)
    return _without_loops(*arrays, found_roles, names, data, sensors)


def _table(what: str, given: Table) -> dict[str, Column]:
    if isinstance(given, str | os.PathLike):
        return read_columns(Path(given).expanduser())
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a path or a mapping from columns to values, got {label(given)}")
    return {str(name): np.asarray(values) for name, values in given.items()}


def _refuse_unequal(what: str, table: Mapping[str, Column]) -> None:
    lengths = {name: len(values) if values.ndim == 1 else -1 for name, values in table.items()}
    if len(set(lengths.values())) > 1 or -1 in lengths.values():
        raise CircuitError(f"the columns of {what} differ in length, or are no columns: {lengths}")


def _take(table: dict[str, Column], what: str, names: Sequence[str]) -> Column:
    """A column under one of several names, whatever their case; it is no attribute any more."""
    known = {name.casefold(): name for name in table}
    for name in names:
        if name in known:
            return table.pop(known[name])
    raise CircuitError(
        f"there is no column {names[0]!r}: expected {what} as one of {', '.join(names)}, got "
        f"{listed(list(table), 12)}"
    )


def _places(ids: Column, end: Column, what: str) -> NDArray[np.int32]:
    """Where neurons stand in the list of all."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    if (ordered[1:] == ordered[:-1]).any():
        twice = ordered[1:][ordered[1:] == ordered[:-1]][0]
        raise CircuitError(f"the neuron {twice!s} is given twice")
    place = np.minimum(np.searchsorted(ordered, end), max(len(ids) - 1, 0))
    unknown = ordered[place] != end if len(ids) else np.ones(len(end), bool)
    if np.any(unknown):
        first = end[int(np.argmax(unknown))]
        raise CircuitError(
            f"{what} of {counted(int(np.sum(unknown)), 'synapse')} is no neuron of the table, such as "
            f"{first!s}"
        )
    return order[place].astype(np.int32)


def _roles(table: Mapping[str, Column], roles: Any, n: int) -> tuple[str, ...]:
    if isinstance(roles, str | tuple) and not (isinstance(roles, tuple) and len(roles) == n != 2):
        name, meaning = roles if isinstance(roles, tuple) else (roles, {})
        values = _known(table, "roles", name)
        codes: dict[Any, Any] = {value: meaning.get(value, value) for value in set(values.tolist())}
        found = tuple(codes[value] for value in values.tolist())
    else:
        found = tuple(roles)
    if len(found) != n:
        raise CircuitError(f"{len(found)} roles were given for {counted(n, 'neuron')}")
    for role in set(found):
        if role not in ROLES:
            raise CircuitError(
                f"roles: {label(role)} is no role; expected {', '.join(ROLES)}, or "
                f"(column, {{{label(role, 40)}: role, ...}}){suggestion(role, ROLES)}"
            )
    return found


def _signs(table: dict[str, Column], polarity: Any, n: int) -> NDArray[np.int8]:
    if polarity in (1, -1) and not isinstance(polarity, bool | str | tuple):
        return np.full(n, polarity, np.int8)
    name, meaning = polarity if isinstance(polarity, tuple) else (polarity, {})
    values = _known(table, "polarity", name)
    if not isinstance(polarity, tuple):
        del table[name]
    kinds, codes = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
    known = {str(key): sign for key, sign in meaning.items()}
    signs = [known.get(str(kind), meaning.get(None, sign_in(kind))) for kind in kinds.tolist()]
    for kind, sign in zip(kinds.tolist(), signs, strict=True):
        if sign not in (1, -1):
            raise CircuitError(
                f"polarity: {label(kind)} in the column {name!r} is no sign; expected +1 or -1, or polarity=("
                f"{name!r}, {{{label(kind, 40)}: -1, None: 1}})"
            )
    return np.asarray(signs, np.int8)[codes.reshape(-1)]


def _weights(table: dict[str, Column], weight: str | None) -> Column | None:
    if weight is None:
        known = {name.casefold(): name for name in table}
        weight = next((known[name] for name in WEIGHTS if name in known), None)
        if weight is None:
            return None
    values = _known(table, "weight", weight)
    if values.dtype.kind not in "iuf" or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise CircuitError(f"the column {weight!r} must hold finite numbers")
    return table.pop(weight)


def _known(table: Mapping[str, Column], what: str, name: Any) -> Column:
    if name not in table:
        raise CircuitError(
            f"{what}: there is no column {label(name)}; they are {listed(list(table), 12) or 'none'}"
            f"{suggestion(name, table)}"
        )
    return table[name]


def _plain(values: Column) -> Column:
    """A column of texts as Python's texts."""
    return values.astype(object) if values.dtype.kind in "US" else values


def _added(
    pre: NDArray[np.int32],
    post: NDArray[np.int32],
    signs: NDArray[np.int8],
    weights: Column | None,
    others: Columns,
    n: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8], dict[str, Column]]:
    """One synapse per pair: of several rows the weights are added, and the heavier sign counts."""
    keys = pre.astype(np.int64) * n + post
    ordered = np.sort(keys)
    repeated = int((ordered[1:] == ordered[:-1]).sum())
    del ordered
    if not repeated:
        data = {name: made for name, values in others.items() if (made := column(values)) is not None}
        return pre, post, signs, data if weights is None else {**data, "weight": weights}
    pairs, owner = np.unique(keys, return_inverse=True)
    owner = owner.reshape(-1)
    given = np.ones(len(keys)) if weights is None else weights.astype(np.float64)
    total, signed = (np.bincount(owner, values, len(pairs)) for values in (given, given * signs))
    whole = weights is None or weights.dtype.kind in "iu"
    text = "" if not others else f", and {listed(list(others), 6)} left out, of which rows may have several"
    warnings.warn(
        f"{repeated} rows repeat a pair of neurons: their weights were added, the heavier sign counts{text}",
        stacklevel=4,
    )
    return (
        (pairs // n).astype(np.int32),
        (pairs % n).astype(np.int32),
        np.where(signed < 0, -1, 1).astype(np.int8),
        {"weight": np.rint(total).astype(np.int64) if whole else total},
    )


def _without_loops(
    pre: NDArray[np.int32],
    post: NDArray[np.int32],
    signs: NDArray[np.int8],
    data: dict[str, Column],
    roles: tuple[str, ...],
    names: tuple[str, ...],
    neurons: dict[str, Column],
    sensors: str,
) -> CircuitArrays:
    """Sensory neurons that receive synapses split into inputs and neurons with state, or not receiving."""
    sensory = np.fromiter((role == "sensory" for role in roles), bool, len(roles))
    onto = sensory[post]
    if not onto.any():
        return CircuitArrays(pre, post, signs, roles, names, neurons, data)
    receivers = np.unique(post[onto])
    if sensors == "drop":
        warnings.warn(
            f"dropped {counted(int(onto.sum()), 'synapse')} onto {counted(len(receivers), 'sensory neuron')}",
            stacklevel=4,
        )
        kept = {name: values[~onto] for name, values in data.items()}
        return CircuitArrays(pre[~onto], post[~onto], signs[~onto], roles, names, neurons, kept)
    first = names[receivers[0]]
    warnings.warn(
        f"split {counted(len(receivers), 'sensory neuron')} with {counted(int(onto.sum()), 'synapse')} onto "
        f"them into an input and a neuron with state that it drives ({first}.in -> {first}, ...)",
        stacklevel=4,
    )
    turned = list(roles)
    for k in receivers.tolist():
        turned[k] = "inter"
    entries = np.arange(len(names), len(names) + len(receivers), dtype=np.int32)

    def unsaid(values: Column) -> Column:
        """A column with no value for the synapses from the inputs."""
        if values.dtype.kind in "iuf":
            return np.concatenate([values.astype(np.float64), np.full(len(receivers), np.nan)])
        return np.concatenate([values.astype(object), np.full(len(receivers), None, object)])

    return CircuitArrays(
        np.concatenate([pre, entries]),
        np.concatenate([post, receivers.astype(np.int32)]),
        np.concatenate([signs, np.ones(len(receivers), np.int8)]),
        (*turned, *("sensory" for _ in receivers)),
        (*names, *(f"{names[k]}.in" for k in receivers.tolist())),
        {name: np.concatenate([values, values[receivers]]) for name, values in neurons.items()},
        {name: unsaid(values) for name, values in data.items()},
    )
