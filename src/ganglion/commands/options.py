"""Numbers on the command line: what argparse calls to read and refuse them."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1, 2**31 - 1)


def port(text: str) -> int:
    """A number of a port, 0 for any free one."""
    return _whole(text, 0, 65535)


def seed(text: str) -> int:
    """A whole number of at least 0, as random generators take it."""
    return _whole(text, 0, 2**32 - 1)


def share(text: str) -> float:
    """A number between 0 and 1, both excluded."""
    number = _float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a number between 0 and 1")
    return number


def rate(text: str) -> float:
    """A finite number above 0."""
    number = _float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a positive number")
    return number


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _whole(text: str, lowest: int, largest: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a whole number of {lowest} or more")
    if number > largest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a whole number up to {largest}")
    return number


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}..."
