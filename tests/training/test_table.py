"""CSV files: what is in them comes out, and every fault is one sentence that says where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganglion as gl
from ganglion.training.series.rows import Rows
from ganglion.training.series.table import LONGEST_LINE, open_table


def read(path: Path, *columns: str, time: str | None = None, group: str | None = None) -> list[Rows]:
    with open_table(path) as reader:
        return reader.groups(columns, time, group)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "d.csv"


def test_columns_groups_and_times(table: Path) -> None:
    table.write_text("t,who,a,b\n1,x,1.5,2\n0.5,y,3,4\n\n2,x,5,6e1\n")
    x, y = read(table, "b", "a", time="t", group="who")
    assert (x.group, y.group) == ("x", "y")
    assert x.values.tolist() == [[2, 1.5], [60, 5]]
    assert x.times is not None
    assert x.times.tolist() == [1, 2]
    assert (x.stamps, x.lines.tolist(), y.lines.tolist()) == (("1", "2"), [2, 5], [3])


def test_without_time_and_group_there_is_one_sequence(table: Path) -> None:
    table.write_bytes(b"\xef\xbb\xbfa , b\r\n1,2\r\n3,4")
    (rows,) = read(table, "a", "b")
    assert rows.values.tolist() == [[1, 2], [3, 4]]
    assert (rows.times, rows.group) == (None, None)


def test_dates_are_seconds(table: Path) -> None:
    table.write_text("t,a\n2024-02-28 23:59:30,1\n2024-02-29T00:00:00.5,2\n2024-02-29T01:00:01+01:00,3\n")
    (rows,) = read(table, "a", time="t")
    assert rows.times is not None
    assert np.diff(rows.times).tolist() == [30.5, 0.5]


def test_days_and_seconds_of_digits_are_dates(table: Path) -> None:
    """Months and years are no jumps of 70 and 8871 units."""
    for stamps, step in (
        (["20240130", "20240131", "20240201", "20240202"], 86_400),
        (["20231231235958", "20231231235959", "20240101000000", "20240101000001"], 1),
    ):
        table.write_text("t,a\n" + "".join(f"{stamp},1\n" for stamp in stamps))
        (rows,) = read(table, "a", time="t")
        assert rows.spans is not None
        assert rows.spans[1:].tolist() == [step] * 3


def test_spans_are_exact_where_times_are_large(table: Path) -> None:
    """Nanoseconds since 1970, and decimals that no float holds."""
    start = 1_700_000_000_000_000_000
    for stamps, steps in (
        ([start + 10 * k * k for k in range(4)], [10, 30, 50]),
        (["1700000000.1", "1700000000.2", "1700000000.201"], [0.1, 0.001]),
    ):
        table.write_text("t,a\n" + "".join(f"{stamp},1\n" for stamp in stamps))
        (rows,) = read(table, "a", time="t")
        assert rows.spans is not None
        assert np.isnan(rows.spans[0])
        assert rows.spans[1:].tolist() == steps


def test_spaces_around_a_group_do_not_count(table: Path) -> None:
    table.write_text("g,a\nA,1\nA ,2\n\u00a0A,3\nB,4\n", encoding="utf-8")
    first, second = read(table, "a", group="g")
    assert (first.group, first.values.tolist()) == ("A", [[1], [2], [3]])
    assert second.group == "B"


def test_quotes_and_commas_in_names(table: Path) -> None:
    table.write_text('"a, b","say ""y"""\n1,"2"\n')
    (rows,) = read(table, "a, b", 'say "y"')
    assert rows.values.tolist() == [[1, 2]]


FAULTS = {
    "empty": (b"", "d.csv is empty"),
    "blank": (b"\n\n", "d.csv is empty"),
    "header only": (b"t,a,g\n", "has a header but no rows"),
    "column": (b"t,b,g\n1,2,x\n", "has no column 'a'; it has 't', 'b', 'g'"),
    "twice": (b"t,a,g,a\n1,2,x,3\n", "has 2 columns named 'a'"),
    "text": (b"t,a,g\n1,2,x\n2,two,x\n", "line 3: column 'a' holds 'two', not a finite number"),
    "missing": (b"t,a,g\n1,,x\n", "line 2: column 'a' holds '', not a finite number"),
    "nan": (b"t,a,g\n1,nan,x\n", "line 2: column 'a' holds 'nan'"),
    "infinite": (b"t,a,g\n1,-inf,x\n", "line 2: column 'a' holds '-inf'"),
    "huge": (b"t,a,g\n1,1e39,x\n", "line 2: column 'a' holds '1e39'"),
    "underscore": (b"t,a,g\n1,1_0,x\n", "line 2: column 'a' holds '1_0'"),
    "short row": (b"t,a,g\n1,2\n", "line 2: 2 cells, but the header has 3"),
    "long row": (b"t,a,g\n1,2,x,4\n", "line 2: 4 cells, but the header has 3"),
    "same time": (
        b"t,a,g\n1,2,x\n1,2,x\n",
        "line 3: time '1' of group 'x' does not come after '1' of line 2",
    ),
    "back": (
        b"t,a,g\n5,2,x\n1,2,y\n4,2,x\n",
        "line 4: time '4' of group 'x' does not come after '5' of line 2",
    ),
    "no gap": (b"t,a,g\n0,2,x\n1e-40,2,x\n", "line 3: time '1e-40' of group 'x' does not come after '0'"),
    "far": (b"t,a,g\n1e300,2,x\n", "line 2: column 't' holds '1e300', neither a number nor a time"),
    "wide": (b"a," * 200_000 + b"z\n", "has 200000 columns named 'a'"),
    "many": (",".join(map(str, range(99_999))).encode() + b"\n1\n", "'19' and 99979 more"),
    "mixed times": (
        b"t,a,g\n20240131,2,x\n20240132,2,x\n",
        "line 3: column 't' holds '20240132', a number, but '20240131' of line 2 is a date",
    ),
    "mixed dates": (b"t,a,g\n5,2,x\n2024-01-31,2,y\n", "'2024-01-31', a date, but '5' of line 2 is a number"),
    "digits": (
        b"t,a,g\n1,9007199254740993,x\n",
        "column 'a' holds '9007199254740993', a whole number of more digits than a float of 64 bits tells",
    ),
    "no time": (b"t,a,g\nnoon,2,x\n", "line 2: column 't' holds 'noon', neither a number nor a time"),
    "nan time": (b"t,a,g\nnan,2,x\n", "line 2: column 't' holds 'nan', neither"),
    "latin": ("t,a,g\n1,2,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
    "utf-16": ("t,a,g\n1,2,x\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
    "open quote": (b't,a,g\n1,"2,x\n', "a quotation mark is not closed"),
    "old Mac": (b"t,a,g\r1,2,x\r", r"a carriage return alone: expected lines that end in \n"),
    "bad quote": (b't,a,g\n1,"2"3,x\n', "line 2: "),
    "long cell": (b"t,a,g\n1," + b"1" * 200_000 + b",x\n", "line 2: field larger than field limit"),
    "long quoted": (b't,a,g\n1,"' + b"1\n" * 200_000, "field larger than field limit"),
    "zeros": (b"t,a,g\n1,\0,x\n", "line 2: "),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_one_sentence(kind: str, table: Path) -> None:
    content, reason = FAULTS[kind]
    table.write_bytes(content)
    with pytest.raises(gl.FileError) as caught:
        read(table, "a", time="t", group="g")
    message = str(caught.value)
    assert reason in message
    assert message.startswith(str(table))
    assert "\n" not in message
    assert len(message) < len(str(table)) + 250


def test_a_line_of_a_gigabyte_costs_no_memory(table: Path) -> None:
    with table.open("wb") as file:
        file.write(b"t,a,g\n1,2,x\n")
        file.truncate(10**9)  # zeros that the disk does not store
    with pytest.raises(gl.FileError, match=f"line 3: longer than {LONGEST_LINE} bytes"):
        read(table, "a", time="t", group="g")


def test_a_directory_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(gl.FileError, match="is a directory"):
        read(tmp_path, "a")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "d.csv"
    path.write_bytes(b"t,a,g\n" + content)
    try:
        found = read(path, "a", time="t", group="g")
    except gl.FileError:
        return
    assert all(np.isfinite(rows.values).all() for rows in found)
