"""What people write for roles, signs and kinds of synapses, and what they may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Real
from typing import Any

from .roles import ROLES, label, text_of

_LARGEST, _LONGEST = 20_000, 100  # names to compare, and their characters; more would take seconds

_ROLE_WORDS = {
    "sensory": ("sensory", "sensor", "input", "in", "afferent", "s", "sn"),
    "inter": ("inter", "interneuron", "hidden", "intrinsic", "i"),
    "command": ("command", "command inter", "command interneuron", "c"),
    "motor": ("motor", "motoneuron", "motorneuron", "output", "out", "efferent", "m", "mn"),
}
_ROLE = {word: role for role, words in _ROLE_WORDS.items() for word in words}

_SIGN_WORDS = {
    1: ("1", "+", "+1", "e", "ex", "exc", "excitatory", "excitation", "positive", "pos", "ach",
        "acetylcholine", "cholinergic"),
    -1: ("-1", "-", "\u2212", "\u22121", "inh", "inhibitory", "inhibition", "negative", "neg", "gaba",
         "gabaergic"),
}  # fmt: skip
_SIGN = {word: sign for sign, words in _SIGN_WORDS.items() for word in words}

_KIND_WORDS: dict[str | None, tuple[str, ...]] = {
    "chemical": ("chemical", "chem", "chemical synapse", "send", "s", "sp", "nmj"),
    "electrical": ("electrical", "electric", "gap", "gap junction", "gapjunction", "gj", "ej",
                   "electrical synapse", "electric junction"),
    None: ("r", "rp", "receive"),  # the same synapse once more, seen from its target
}  # fmt: skip
_KIND = {word: kind for kind, words in _KIND_WORDS.items() for word in words}


def _words(value: Any) -> str:
    text = re.sub(r"[\s_]+", " ", str(value)).strip().casefold()
    return re.sub(r" (neurons?|cells?)$", "", text)


def roles_in(value: Any) -> list[str]:
    """Every role that a text names, in its order; empty if one of its parts is no role.

    Example:
        >>> roles_in("Sensory neuron; motor")
        ['sensory', 'motor']
    """
    if not isinstance(value, str):
        return []
    parts = [part for part in re.split(r"[,;/|&+]|\band\b", value) if part.strip()]
    roles = [_ROLE.get(_words(part)) for part in parts]
    return [] if None in roles else list(dict.fromkeys(filter(None, roles)))


def sign_in(value: Any) -> int | None:
    """+1 or -1 of a number or text, or None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Real):
        return (1 if value == 1 else -1) if value in (1, -1) else None
    text = _words(value)
    if text in _SIGN:
        return _SIGN[text]
    try:
        return sign_in(float(text))
    except ValueError:
        return None


def is_kind(value: Any) -> bool:
    """Whether a text names a kind of synapse."""
    return isinstance(value, str) and _words(value) in _KIND


def kind_in(value: Any) -> str | None:
    """ "chemical", "electrical", or None for a row that repeats another one."""
    return _KIND[_words(value)]


def suggestion(given: Any, known: Iterable[Any], cutoff: float = 0.6) -> str:
    """ "; did you mean 'ASEL'?" if something known is written alike, else nothing."""
    texts = {text.casefold(): name for name in known if (text := text_of(name)) and len(text) < _LONGEST}
    text = text_of(given)
    if len(texts) > _LARGEST or text is None or len(text) > _LONGEST:
        return ""
    found = get_close_matches(text.casefold(), texts, n=1, cutoff=cutoff)
    return f"; did you mean {label(texts[found[0]])}?" if found else ""


def listed(values: Iterable[Any], most: int = 6) -> str:
    """Some values for a message."""
    values = list(values)
    text = ", ".join(label(value, 40) for value in values[:most])
    return text if len(values) <= most else f"{text} and {len(values) - most} more"


EXPECTED_ROLE = f"expected one of {', '.join(ROLES)}"
