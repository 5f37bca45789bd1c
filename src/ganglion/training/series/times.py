"""The times of a table: numbers, or dates and times of day."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from ...habits import ORDINARY, Habits

COMPACT = re.compile(r"(?:19|20)\d{6}(\d{6})?")
NUMBER, DATE = "a number", "a date"


class AmbiguousDate(ValueError):
    """A date that cannot be read without saying how it is written; the message names the option."""


def read_time(stamp: str, habits: Habits = ORDINARY) -> tuple[Decimal, str]:
    """A number as it is, or a date and time in seconds since 1970; and which of them it is.

    Dates are written in ISO 8601, or as `Habits.dates` says. Eight digits that are a day of the years 1900 to
    2099, and 14 that are a second in them, are dates.

    Raises:
        AmbiguousDate: the day or the month may come first, or there is no such date.
        ValueError: it is neither.
    """
    text = stamp.strip()
    try:
        moment = habits.moment(text)
    except ValueError as error:
        raise AmbiguousDate(str(error)) from None
    if moment is not None:
        return _since_1970(moment), DATE
    if (digits := COMPACT.fullmatch(text)) is not None:
        with suppress(ValueError):
            return _since_1970(datetime.strptime(text, "%Y%m%d%H%M%S" if digits[1] else "%Y%m%d")), DATE
    try:
        if "_" in text:
            raise ValueError(stamp)
        return Decimal(text), NUMBER
    except InvalidOperation:
        return _since_1970(datetime.fromisoformat(text)), DATE


def _since_1970(moment: datetime) -> Decimal:
    # A time without a zone counts as UTC, so that no clock change ever makes it jump.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(since.days * 86_400 + since.seconds) + Decimal(since.microseconds) / 1_000_000
