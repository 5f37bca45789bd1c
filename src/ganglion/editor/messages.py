"""Messages of pages, read with suspicion: what is missing or of another kind is said in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import CircuitError
from ..wiring.roles import label
from .journal import JournalState

Message = dict[str, Any]


class Malformed(ValueError):
    """What came is no message at all; whoever sent it is no page of ours."""


def parse(text: str) -> Message:
    try:
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"this is not JSON: {error}") from None
    if not isinstance(message, Mapping):
        raise Malformed("a message is an object")
    for key in ("type", "client"):
        value = message.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= 100:
            raise Malformed(f"a message has a {key}, a text of at most 100 characters")
    number = message.get("id")
    if isinstance(number, bool) or not isinstance(number, int | None):
        raise Malformed("the id of a message is a whole number")
    return dict(message)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def journal_message(state: JournalState) -> Message:
    return {"type": "journal", "synced": state.synced, "pending": state.pending, "error": state.error}


def flag(message: Message, key: str) -> bool:
    value = message.get(key)
    if not isinstance(value, bool):
        raise CircuitError(f"{key} must be true or false, got {label(value, 60)}")
    return value


def number(message: Message, key: str, default: float | None) -> float | None:
    value = message.get(key, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise CircuitError(f"{key} must be a number, got {label(value, 60)}")
    return value


def whole(message: Message, key: str, default: int | None = None, *, least: int = 1, most: int = 1000) -> int:
    value = message.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise CircuitError(f"{key} must be a whole number from {least} to {most}, got {label(value, 60)}")
    return value


def text_of(message: Message, key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        raise CircuitError(f"{key} must be a text, got {label(value, 60)}")
    return value


def list_of(message: Message, key: str) -> list[Any]:
    value = message.get(key, [])
    if not isinstance(value, list):
        raise CircuitError(f"{key} must be a list, got {label(value, 60)}")
    return value
