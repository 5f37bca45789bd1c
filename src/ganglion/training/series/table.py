"""Reading CSV files line by line, with every fault named by its line, column and the option that takes it.

A file is never held whole: lines longer than a limit are refused before they are read, so that a file without
line ends costs no memory, and numbers go into compact arrays as they come.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from ...arguments import counted, short
from ...errors import FileError
from ...habits import NOTHING, ORDINARY, Habits
from ...storage import open_file
from ...wiring.words import listed
from .rows import Draft, Rows
from .times import DATE, AmbiguousDate, read_time

LONGEST_LINE = 1 << 20
"""Bytes that one line may have."""
LARGEST = 1e30
"""Numbers up to here can be scaled and squared in float32 after scaling."""


LARGEST_TIME, SMALLEST_SPAN = 10**19, 1e-12
"""So that every ratio of two time spans fits into float32; times may be nanoseconds since 1970."""
LARGEST_WHOLE, WHOLE = 2**53, re.compile(r"[+-]?\d+")
NAMED = 20
"""Columns that an error lists."""
COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?")
"""A number with a decimal comma."""
PLAIN = {
    "unexpected end of data": "a quotation mark is not closed",
    "new-line character seen": "a carriage return alone: expected lines that end in \\n or \\r\\n",
}
"""What Python's csv module says, for those who do not know its options."""


class Reader:
    """An open CSV file whose header has been read.

    Attributes:
        header: the names of the columns.
        missing: of each column in which cells have no number, how many.
    """

    def __init__(self, file: BinaryIO, path: Path, habits: Habits = ORDINARY) -> None:
        self.path, self.habits = path, habits
        self.missing: Counter[str] = Counter()
        self._first_time: tuple[str, str, int] | None = None
        self._marked: tuple[str, str, int] | None = None  # the first number with decimals: mark, text, line
        self._digest = hashlib.sha256()
        lines = self._lines(file)
        first = next(lines, "")
        self._separator = habits.separator_of(first)
        self._records = csv.reader(chain([first], lines), delimiter=self._separator, strict=True)
        self.header = self._header()

    def groups(self, columns: Sequence[str], time: str | None = None, group: str | None = None) -> list[Rows]:
        """All rows, as one sequence or, with a group column, one per group in the order they appear.

        Args:
            columns: whose numbers to read.
            time: the column of times, all numbers or all dates; they must increase, inside each group.
            group: the column that says which sequence a row belongs to; spaces around a name do not count.

        Raises:
            FileError: a column that is not there, a row that is not as long as the header, a cell that is no
                finite number, times that do not increase, or no rows at all.
        """
        places = [self.place(name) for name in columns]
        time_place = None if time is None else self.place(time)
        group_place = None if group is None else self.place(group)
        found: dict[str | None, Draft] = {}
        for row in self._rows():
            key = None if group_place is None else row[group_place].strip()
            draft = found.setdefault(key, Draft())
            numbers = [self._number(row, place) for place in places]
            tied = time_place is not None and self._add_time(draft, row, time_place, key)
            draft.add(numbers, self._records.line_num, self.habits.ties if tied else None)
        if not found:
            raise FileError(f"{self.path} has a header but no rows")
        return [draft.rows(key, len(places), self.habits.descending) for key, draft in found.items()]

    def place(self, name: str) -> int:
        """The number of a column.

        Raises:
            FileError: there is no such column.
        """
        if name not in self.header:
            hint = f"; between cells stands {self._separator!r}: --separator says which mark does"
            raise FileError(
                f"{self.path} has no column {short(name)}; it has {listed(self.header, NAMED)}"
                f"{hint if len(self.header) == 1 else ''}"
            )
        return self.header.index(name)

    def digest(self) -> str:
        """A hash of what has been read so far."""
        return self._digest.hexdigest()

    def _header(self) -> list[str]:
        header = next(self._nonempty(), None)
        if header is None:
            raise FileError(f"{self.path} is empty: expected a line of column names")
        header = [name.strip() for name in header]
        name, times = Counter(header).most_common(1)[0]
        if times > 1:
            raise FileError(f"{self.path} has {counted(times, 'column')} named {short(name)}")
        return header

    def _rows(self) -> Iterator[list[str]]:
        for row in self._nonempty():
            if len(row) != len(self.header):
                raise self._fault(f"{counted(len(row), 'cell')}, but the header has {len(self.header)}")
            yield row

    def _nonempty(self) -> Iterator[list[str]]:
        while True:
            try:
                row = next(self._records, None)
            except csv.Error as error:
                known = (plain for said, plain in PLAIN.items() if str(error).startswith(said))
                raise self._fault(next(known, str(error))) from None
            if row is None:
                return
            if row:  # an empty line, such as the last one
                yield row

    def _lines(self, file: BinaryIO) -> Iterator[str]:
        number = 0
        while line := self._line(file):
            number += 1
            if len(line) > LONGEST_LINE:
                raise FileError(f"{self.path}, line {number}: longer than {LONGEST_LINE} bytes")
            self._digest.update(line)
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise FileError(f"{self.path} is UTF-16 text: save it as UTF-8") from None
                raise FileError(
                    f"{self.path}, line {number}: byte 0x{byte:02x} is not UTF-8 text: save it as such"
                ) from None

    def _line(self, file: BinaryIO) -> bytes:
        try:
            return file.readline(LONGEST_LINE + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise FileError(f"{self.path} is no whole gzip file") from None

    def _number(self, row: list[str], place: int) -> float:
        text = row[place]
        if text.strip().lower() in NOTHING:
            if self.habits.missing == "refuse":
                raise self._fault(
                    f"column {self.header[place]!r} holds {short(text)}, not a finite number: "
                    "--missing impute or mask takes such cells"
                )
            self.missing[self.header[place]] += 1
            return math.nan
        if self.habits.decimal == "comma" or self._separator != "," or "," in text:
            text = self._with_point(text, place)
        try:
            value = float(text) if "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not abs(value) <= LARGEST:  # NaN is not
            raise self._fault(f"column {self.header[place]!r} holds {short(text)}, not a finite number")
        if abs(value) >= LARGEST_WHOLE and WHOLE.fullmatch(text.strip()) and int(text) != value:
            raise self._fault(
                f"column {self.header[place]!r} holds {short(text)}, a whole number of more digits than "
                "a float of 64 bits tells apart: subtract a constant first"
            )
        return value

    def _with_point(self, text: str, place: int) -> str:
        """A number with the decimal mark of Python, from one with that of the table."""
        mark = "comma" if COMMA.fullmatch(text.strip()) else "point" if "." in text else None
        if mark is None:
            return text
        known, before, line = self.habits.decimal, "", 0
        if known is None and self._separator == ",":
            known = "point"  # a comma in quotes may as well stand between thousands
        if known is None:
            known, before, line = self._marked = self._marked or (mark, text, self._records.line_num)
        if mark != known:
            after = f", and {short(before)} of line {line} has a {known}" if before else ""
            raise self._fault(
                f"column {self.header[place]!r} holds {short(text)}, with a decimal {mark}{after}: "
                f"--decimal {mark} takes it"
            )
        return text.replace(",", ".") if mark == "comma" else text

    def _add_time(self, draft: Draft, row: list[str], place: int, group: str | None) -> bool:
        """Add the time of a row, and say whether it is that of the row before."""
        stamp, column = row[place], self.header[place]
        try:
            number = COMMA.fullmatch(stamp.strip())
            now, kind = read_time(self._with_point(stamp, place) if number else stamp, self.habits)
        except AmbiguousDate as error:
            raise self._fault(f"column {column!r}: {error}") from None
        except ValueError:
            now, kind = Decimal("nan"), ""
        if not now.is_finite() or abs(now) > LARGEST_TIME:
            raise self._fault(f"column {column!r} holds {short(stamp)}, neither a number nor a time")
        first_kind, first, line = self._first_time = self._first_time or (kind, stamp, self._records.line_num)
        if kind != first_kind:
            raise self._fault(
                f"column {column!r} holds {short(stamp)}, {kind}, but {short(first)} of line {line} is "
                f"{first_kind}"
            )
        span = math.nan if draft.last is None else float(now - draft.last)
        span = -span if self.habits.descending else span
        if span == 0 and self.habits.ties != "refuse":
            return True
        if span < SMALLEST_SPAN:
            where = "" if group is None else f" of group {short(group)}"
            before = f"{short(draft.stamps[-1])} of line {draft.lines[-1]}"
            order, other = (
                ("before", "without --descending, or with --no-descending,")
                if self.habits.descending
                else ("after", "--descending")
            )
            hint = (
                "--ties mean or last takes rows of one time as one sample"
                if span == 0
                else f"{other} takes a table whose times {'rise' if self.habits.descending else 'fall'}"
            )
            raise self._fault(f"time {short(stamp)}{where} does not come {order} {before}: {hint}")
        draft.last = now
        draft.times.append(float(now))
        draft.spans.append(span)
        draft.stamps.append(stamp)
        return False

    @property
    def dated(self) -> bool:
        """Whether the times that were read are dates."""
        return self._first_time is not None and self._first_time[0] == DATE

    def _fault(self, problem: str) -> FileError:
        return FileError(f"{self.path}, line {self._records.line_num}: {problem}")


@contextmanager
def open_table(path: Path, habits: Habits = ORDINARY) -> Iterator[Reader]:
    """A CSV file, compressed by gzip or not, with its header read.

    Raises:
        FileError: it is no regular file, is empty, or has no sound header.
        OSError: it cannot be read.
    """
    with open_file(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        yield Reader(cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file, path, habits)
