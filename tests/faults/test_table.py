"""Each row of the table ends as it says: one sentence, its exit code, and the disk as it was."""

from __future__ import annotations

import pytest

from .table import GROUPS
from .table.fault import Fault, Found, holds, wrong
from .table.running import run

ROWS = [
    pytest.param(group, row, id=f"{group}-{number}")
    for group, rows in GROUPS.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize(("group", "row"), ROWS)
def test_faults(group: str, row: Fault) -> None:
    found = run(row, group)
    assert wrong(row, found) == [], (row.given, row.command[:300], found)


def test_rows_are_told_apart() -> None:
    assert len(ROWS) >= 300
    for rows in GROUPS.values():
        assert len({row.given for row in rows}) == len(rows)


def test_a_fault_of_a_row_is_found() -> None:
    """What the table asks can fail."""
    row, good = Fault("x", "show", "no file …json"), Found(2, "", "show: there is no file bad.json\n", ())
    assert wrong(row, good) == []
    assert holds("a b c", "a…c")
    assert not holds("a b c", "c…a")
    for bad in (
        good._replace(code=1),
        good._replace(code=None),
        good._replace(said=""),
        good._replace(said="Traceback: no file bad.json\n"),
        good._replace(said="no file bad.json\nmore\n"),
        good._replace(said=f"no file {'x' * 1000}.json"),
        good._replace(out="something"),
        good._replace(left=("half.json",)),
    ):
        assert wrong(row, bad) != []
