"""Attributes of a class that declare nothing, and would be passed over in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...arguments import label
from ...wiring.words import suggestion
from .declaration import WORDS, Quantity
from .parsing import EquationError

ABSENT = {"delay", "delays", "reset", "threshold"}
"""What other simulators declare, of whatever form."""
DECLARING = (Mapping, str, list, tuple, Quantity)
"""The forms of what could be meant as a declaration."""


def refuse_unread(owner: type, options: Collection[str]) -> None:
    """Refuse public attributes of a class's own that look like declarations, and are none.

    Args:
        owner: the class, once its declarations are taken out of it.
        options: what its constructor takes, which a class cannot say.

    Raises:
        EquationError: such an attribute. One that is a value of a base may be another here.
    """
    for word, value in vars(owner).items():
        given = f"{owner.__name__}.{word}"
        if word in options and not hasattr(value, "__get__"):
            raise EquationError(
                f"{given}: equations have no {word}, which is an option of the constructor: "
                f"{owner.__name__}(circuit, {word}={label(value)})"
            )
        if word in ABSENT and not is_method(value):
            raise EquationError(f"{given}: equations have no {word}; they have {', '.join(WORDS)}")
        if word.startswith("_") or not isinstance(value, DECLARING) or _of_a_base(owner, word):
            continue
        if isinstance(value, Quantity):
            raise EquationError(f"{given} is read by nothing: a quantity stands in parameters = {{...}}")
        raise EquationError(
            f"{given} is read by nothing: expected one of {', '.join(WORDS)}, or _{word} for a constant of "
            f"your own{suggestion(word, WORDS)}"
        )


def is_method(value: Any) -> bool:
    """Whether an attribute of a class is none of its values."""
    return callable(value) and not isinstance(value, Quantity)


def _of_a_base(owner: type, word: str) -> bool:
    """Whether a base that is not MLX's or Python's has a value under a name, and no method."""
    for base in owner.__mro__[1:]:
        if word in vars(base):
            value = vars(base)[word]
            theirs = base.__module__.partition(".")[0] in ("mlx", "builtins")
            return not (theirs or is_method(value) or isinstance(value, classmethod | staticmethod))
    return False
