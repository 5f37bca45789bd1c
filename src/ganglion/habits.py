"""How a table is written, and what is done about what is not there: the habits that people's tables have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .arguments import flag, label, one_of

MISSING = ("refuse", "impute", "mask")
TIES = ("refuse", "mean", "last")
DATES = ("iso", "day-first", "month-first")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
DECIMALS = {"point": ".", "comma": ","}
NOTHING = frozenset({"", "-", "?", "na", "n/a", "#n/a", "nan", "null", "none"})
"""What stands in a cell, in small letters, where there is no number."""

_MOMENT = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)


@dataclass(frozen=True)
class Habits:
    """How a table is written, and what to do where something is not there.

    Attributes:
        separator: what stands between cells: "comma", "semicolon", "tab" or "bar"; None for what the header
            has most of.
        decimal: what stands before the decimals: "point" or "comma"; None for a point, or for the comma that
            cells have between which no comma stands.
        missing: a cell without a number is an error ("refuse"), or takes the number before it in its
            sequence, at the beginning the one behind ("impute"); or the network does not see rows in which
            an input is missing ("mask"). A missing target is never made up: it counts in no error.
        ties: rows of the same time are an error ("refuse"), or one sample: their mean ("mean"), or the last
            number of each column ("last").
        dates: "iso" (2024-01-31), and 31.01.2024, which can be nothing else; or how dates with other marks
            begin: "day-first" or "month-first".
        descending: whether the newest rows come first.
    """

    separator: str | None = None
    decimal: str | None = None
    missing: str = "refuse"
    ties: str = "refuse"
    dates: str = "iso"
    descending: bool = False

    def __post_init__(self) -> None:
        for name, known in (("separator", SEPARATORS), ("decimal", DECIMALS)):
            value = getattr(self, name)
            if value is not None:
                one_of(name, value, tuple(known))
        for name, options in (("missing", MISSING), ("ties", TIES), ("dates", DATES)):
            one_of(name, getattr(self, name), options)
        flag("descending", self.descending)

    @classmethod
    def from_json(cls, given: Any) -> Habits:
        """Those that a file holds.

        Raises:
            ValueError: it holds others.
        """
        if not isinstance(given, Mapping) or not set(given) <= set(cls.__dataclass_fields__):
            names = ", ".join(cls.__dataclass_fields__)
            raise ValueError(f"the habits of a table are {label(given)}: expected some of {names}")
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(str(error)) from None

    def separator_of(self, header: str) -> str:
        """The mark between cells: as given, or the one that the header has most of, outside of quotes."""
        if self.separator is not None:
            return SEPARATORS[self.separator]
        outside = re.sub(r'"[^"]*"', "", header)
        return max(SEPARATORS.values(), key=outside.count)  # of several that are as many, the first

    def moment(self, text: str) -> datetime | None:
        """A date that begins with its day or month; None if it is written otherwise.

        Raises:
            ValueError: it may begin with either, or there is no such day.
        """
        match = _MOMENT.fullmatch(text)
        if match is None:
            return None
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        day_first = self.dates == "day-first" or (
            self.dates == "iso" and text.count(".") >= 2 and "/" not in text
        )
        if self.dates == "iso" and not day_first:
            raise ValueError(
                f"{label(text)} may begin with its day or its month: --dates day-first or --dates "
                "month-first says which"
            )
        day, month = (first, second) if day_first else (second, first)
        hour, minute, second_ = (int(part or 0) for part in match.group(4, 5, 6))
        microsecond = int((match[7] or "0").ljust(6, "0"))
        try:
            return datetime(year, month, day, hour, minute, second_, microsecond, _zone(match[8]))
        except ValueError as error:
            raise ValueError(
                f"{label(text)} is no date that begins with its {'day' if day_first else 'month'}: {error}"
            ) from None


ORDINARY = Habits()
"""A table as Python writes it, in which everything is there."""


def _zone(text: str | None) -> timezone | None:
    if text is None or text == "Z":
        return None if text is None else UTC
    sign, digits = -1 if text[0] == "-" else 1, text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
