"""The vocabulary of a circuit: its roles, and what a legal role, polarity and name are."""

from __future__ import annotations

from collections.abc import Hashable
from numbers import Real
from typing import Any

from ..errors import CircuitError

ROLES = ("sensory", "inter", "command", "motor")
"""The roles a neuron may have, from the inputs of a circuit to its outputs."""


def is_polarity(value: Any) -> bool:
    """Whether `value` is a legal polarity: a number equal to +1 or -1 (a bool is not one)."""
    return isinstance(value, Real) and not isinstance(value, bool) and value in (1, -1)


def require_role(role: Any, neuron: Hashable | None = None) -> str:
    """The role, or a `CircuitError` that names what was given and what is expected."""
    if isinstance(role, str) and role in ROLES:
        return role
    whose = "" if neuron is None else f" of neuron {neuron!r}"
    raise CircuitError(f"the role{whose} is {role!r}; expected one of {', '.join(ROLES)}")


def require_polarity(polarity: Any, pre: Hashable, post: Hashable) -> int:
    """The polarity as an int, or a `CircuitError` that names the synapse."""
    if is_polarity(polarity):
        return int(polarity)
    raise CircuitError(f"the polarity of synapse {pre!r} -> {post!r} is {polarity!r}; expected +1 or -1")


def require_name(name: Any) -> str:
    """The text of a neuron's name, or a `CircuitError` if it has none or cannot be a node.

    A name is any hashable but None whose `str()` is not empty: plans, files and pictures know a neuron by
    that text.
    """
    try:
        hash(name)
        text = str(name)
    except Exception as error:
        raise CircuitError(
            f"a neuron's name must be hashable and have a str(), got a {type(name).__name__}: {error}"
        ) from error
    if name is None or not text:
        raise CircuitError(f"a neuron's name must not be None or empty, got {name!r}")
    return text
