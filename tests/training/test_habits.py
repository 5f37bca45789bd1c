"""Tables as people keep them: missing cells, ties, marks, dates, falling times and gzip."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganglion as gl
from ganglion import cli


def read(path: Path, text: str, **habits: Any) -> Any:
    """The one sequence of a table of the columns t, a and y."""
    path.write_text(text)
    return gl.read_series(path, inputs=["a"], targets=["y"], time="t", **habits)[0]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "d.csv"


# Each habit alone: the option that takes it, and what a line is refused for without it


HABITS = {
    "missing": ("t,a,y\n0,1,2\n1,,3\n", {"missing": "impute"}, r"line 3: .*'', .*--missing impute or mask"),
    "ties": (
        "t,a,y\n0,1,2\n0,3,4\n",
        {"ties": "mean"},
        r"line 3: .*after '0' of line 2: --ties mean or last",
    ),
    "descending": ("t,a,y\n1,1,2\n0,3,4\n", {"descending": True}, r"line 3: .*: --descending takes a table"),
    "day first": ("t,a,y\n01/02/2024,1,2\n02/02/2024,3,4\n", {"dates": "day-first"}, r"line 2: .* day-first"),
    "month first": (
        "t,a,y\n1/2/2024,1,2\n2/2/2024,3,4\n",
        {"dates": "month-first"},
        r"line 2: .* month-first",
    ),
    "a comma in quotes": (
        't,a,y\n0,"1,5",2\n1,3,4\n',
        {"decimal": "comma"},
        r"line 2: column 'a' holds '1,5', with a decimal comma: --decimal comma takes it",
    ),
    "dates with dots": ("t;a;y\n31.01.2024;1;2\n01.02.2024 12:00:30,5;3;4\n", {}, None),
    "decimal commas": ("t;a;y\n0,5;1,25;2\n1,5;,5;4,\n", {}, None),
}


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_taken_by_the_option_that_its_error_names(habit: str, table: Path) -> None:
    text, option, refused = HABITS[habit]
    series = read(table, text, **option)
    assert np.isfinite(series.x).all()
    assert len(series.x) == (1 if habit == "ties" else 2)
    if refused is not None:
        with pytest.raises(gl.FileError, match=refused) as caught:
            read(table, text)
        assert "\n" not in str(caught.value)


def test_what_is_missing_is_the_number_before_or_masked(table: Path) -> None:
    text = "t,a,y\n0,,1\n1,2,\n2,NaN,3\n4,n/a,4\n5,6,5\n"
    imputed = read(table, text, missing="impute")
    assert imputed.x[:, 0].tolist() == [2, 2, 2, 2, 6]
    assert imputed.mask is None
    masked = read(table, text, missing="mask")
    assert masked.mask.tolist() == [False, True, False, False, True]
    for series in (imputed, masked):
        assert np.isnan(series.y[:, 0]).tolist() == [False, True, False, False, False]  # never made up
    observed = masked.observed()
    assert observed.x[:, 0].tolist() == [2, 6]
    assert observed.timespans(unit=7.0).tolist() == [7, 4]  # the time between goes by
    assert masked.shown(np.array([[10.0], [20.0]]))[:, 0].tolist() == [10, 10, 10, 10, 20]
    for missing in ("impute", "mask"):
        with pytest.raises(gl.FileError, match=r"column 'a' is empty|in every row an input is missing"):
            read(table, "t,a,y\n0,,1\n1,-,2\n", missing=missing)


def test_a_time_is_never_made_up(table: Path) -> None:
    with pytest.raises(gl.FileError, match="line 3: column 't' holds '', neither a number nor a time"):
        read(table, "t,a,y\n0,1,2\n,3,4\n", missing="mask")


def test_rows_of_one_time_are_one_sample(table: Path) -> None:
    text = "t,a,y\n0,1,10\n0,3,20\n0,,60\n2,5,0\n2,7,\n"
    mean = read(table, text, ties="mean", missing="impute")
    assert mean.x[:, 0].tolist() == [2, 6]
    assert mean.y[:, 0].tolist() == [30, 0]
    last = read(table, text, ties="last", missing="impute")
    assert last.x[:, 0].tolist() == [3, 7]
    assert last.y[:, 0].tolist() == [60, 0]
    assert mean.timespans().tolist() == last.timespans().tolist() == [0, 2]


def test_falling_times_are_read_from_the_end(table: Path) -> None:
    series = read(table, "t,a,y\n9,1,1\n5,2,2\n4,3,3\n", descending=True)
    assert series.x[:, 0].tolist() == [3, 2, 1]
    assert series.timespans().tolist() == [0, 1, 4]
    assert series.times.tolist() == [4, 5, 9]
    assert series.rows.lines.tolist() == [4, 3, 2]
    with pytest.raises(
        gl.FileError, match=r"does not come before .*: without --descending, .* takes a table whose"
    ):
        read(table, "t,a,y\n1,1,1\n2,2,2\n", descending=True)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_says_what_stands_between_cells(mark: str, table: Path) -> None:
    text = 't,"a",y\n0,1.5,2\n1,3,4\n'.replace(",", mark)
    assert read(table, text).x[:, 0].tolist() == [1.5, 3]
    name = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[mark]
    assert read(table, text, separator=name).x[:, 0].tolist() == [1.5, 3]
    other = "tab" if mark != "\t" else "bar"
    with pytest.raises(gl.FileError, match="--separator says which mark does"):
        read(table, text, separator=other)


def test_decimals_have_one_mark_in_a_table(table: Path) -> None:
    with pytest.raises(
        gl.FileError, match=r"line 3: .*'2\.5', with a decimal point, and '1,5' of line 2 has a comma"
    ):
        read(table, "t;a;y\n0;1,5;1\n1;2.5;2\n")
    with pytest.raises(gl.FileError, match=r"holds '1\.234,5', not a finite number"):
        read(table, "t;a;y\n0;1.234,5;1\n")
    assert read(table, "t;a;y\n0;-1,5e2;1\n1;2;2\n", decimal="comma").x[:, 0].tolist() == [-150, 2]
    with pytest.raises(gl.FileError, match="with a decimal comma: --decimal comma takes it"):
        read(table, "t;a;y\n0;1,5;1\n", decimal="point")


def test_dates_and_zones(table: Path) -> None:
    text = (
        "t;a;y\n31.03.2024 01:30 +01:00;1;1\n31.03.2024 03:00:00.5 +0200;2;2\n"  # the clock is put forward
        "31/03/2024 01:00:01Z;3;3\n2024-03-31T03:00:02+02:00;4;4\n"
    )
    spans = read(table, text, dates="day-first").timespans()
    np.testing.assert_allclose(spans, [0, 1800.5, 0.5, 1])
    with pytest.raises(gl.FileError, match="'31/02/2024' is no date that begins with its day: day is out of"):
        read(table, "t,a,y\n31/02/2024,1,1\n", dates="day-first")
    with pytest.raises(gl.FileError, match="'31/01/2024' is no date that begins with its month"):
        read(table, "t,a,y\n31/01/2024,1,1\n", dates="month-first")


def test_text_of_sixteen_bits_is_named(table: Path) -> None:
    table.write_bytes("t,a,y\n0,1,2\n".encode("utf-16"))
    with pytest.raises(gl.FileError, match=r"is UTF-16 text: save it as UTF-8$"):
        gl.read_series(table, inputs=["a"])


def test_gzip_is_seen_by_itself(tmp_path: Path) -> None:
    path, packed = tmp_path / "d.csv.gz", gzip.compress(b"a,y\n1,2\n3,4\n")
    path.write_bytes(packed)
    (series,) = gl.read_series(path, inputs=["a"], targets=["y"])
    assert series.x[:, 0].tolist() == [1, 3]
    assert series.timespans() is None
    for broken in (packed[:-9], packed[:15], packed[:-8] + b"12345678", b"\x1f\x8b" + b"x" * 40):
        path.write_bytes(broken)
        with pytest.raises(gl.FileError, match=r"d\.csv\.gz is no whole gzip file"):
            gl.read_series(path, inputs=["a"])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"missing": "drop"}, ValueError, "unknown missing 'drop': expected one of refuse, impute, mask"),
        ({"separator": ";"}, ValueError, "unknown separator ';': expected one of comma, semicolon, tab, bar"),
        ({"descending": 1}, TypeError, "descending must be True or False, got 1"),
        ({"tie": "mean"}, TypeError, "unexpected keyword argument 'tie'"),
        ({"inputs": "a"}, TypeError, "inputs must be a list of columns, got 'a'"),
        ({"inputs": []}, ValueError, "no inputs: expected at least one column"),
    ],
)
def test_bad_habits(given: dict[str, Any], error: type, message: str, table: Path) -> None:
    table.write_text("a\n1\n")
    with pytest.raises(error, match=message):
        gl.read_series(table, **{"inputs": ["a"], **given})


# Ragged lists


def test_sequences_of_unequal_length_are_padded() -> None:
    x, lengths = gl.pad([np.ones((3, 2)), np.full((5, 2), 2.0), np.zeros((0, 2))], fill=-1.0)
    assert x.shape == (3, 5, 2)
    assert x.dtype == np.float32
    assert lengths.tolist() == [3, 5, 0]
    assert (x[0, :3] == 1).all()
    assert (x[0, 3:] == -1).all()
    assert gl.pad([[1, 2], [3]])[0].tolist() == [[1, 2], [3, 0]]
    gaps, _ = gl.pad([[1, 2], [3]], fill=float("nan"))  # what was not measured
    assert np.isnan(gaps[1, 1])
    assert np.isfinite(gaps).sum() == 3
    flags = gl.pad(np.array(row) for row in ([True, False], [True]))[0]
    assert flags.tolist() == [[True, False], [True, False]]
    assert gl.pad([[True, False], [False]], fill=True)[0].tolist() == [[True, False], [False, True]]
    assert gl.pad(np.array(row) for row in ([1.0, 2.0], [3.0]))[0].dtype == np.float32
    with pytest.raises(ValueError, match="fill is nan: expected True or False"):
        gl.pad([[True], [False, True]], fill=float("nan"))
    with pytest.raises(ValueError, match="fill must be finite, got inf"):
        gl.pad([[1.0]], fill=float("inf"))
    with pytest.raises(
        ValueError, match=r"sequence 1 has shape \(3, 1\): expected \(T, 2\) as the first one"
    ):
        gl.pad([np.ones((3, 2)), np.ones((3, 1))])
    with pytest.raises(ValueError, match="no sequences: expected at least one"):
        gl.pad([])
    with pytest.raises(TypeError, match="sequence 0 must hold real numbers"):
        gl.pad([["a"]])


# One recording with all of it


def recording(folder: Path) -> None:
    """Two patients, semicolons, decimal commas, empty cells, ties, gaps, and a clock that is put forward."""
    rng = np.random.default_rng(0)
    lines = ["at;who;pulse;pressure;score"]
    for who in ("p1", "p2"):
        hour = 0.0
        for k in range(40):
            hour += 0.0 if k % 9 == 4 else rng.uniform(0.02, 0.4)
            zone = "+01:00" if hour < 3 else "+02:00"
            seconds = round(hour * 3600) + (3600 if zone == "+02:00" else 0)
            day, rest = 10 + seconds // 86400, seconds % 86400
            stamp = f"2024-03-{day}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{zone}"
            numbers = [f"{70 + rng.normal():.3f}", f"{120 + rng.normal():.2f}", f"{rng.normal():.3f}"]
            for cell in range(3):
                if rng.random() < 0.1:
                    numbers[cell] = ""
            lines.append(";".join([stamp, who, *(n.replace(".", ",") for n in numbers)]))
    (folder / "ward.csv").write_text("\n".join(lines) + "\n")
    gl.write(gl.auto_ncp(6, 1, inputs=2, sparsity=0.2), folder / "c.json")


@pytest.mark.parametrize("missing", ["impute", "mask"])
def test_a_real_recording_goes_through_with_three_options(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recording(tmp_path)
    train = [
        "train",
        "c.json",
        "ward.csv",
        "--target",
        "score",
        "--group",
        "who",
        "--epochs",
        "2",
        "--out",
        "run",
    ]
    options = ["--time", "at", "--missing", missing, "--ties", "mean"]
    assert cli.main([*train, "--time", "at"]) == 2
    assert "--missing impute or mask takes such cells" in capsys.readouterr().err
    assert cli.main([*train, "--time", "at", "--missing", missing]) == 2
    assert "--ties mean or last takes rows of one time as one sample" in capsys.readouterr().err
    assert cli.main([*train, *options]) == 0
    said = capsys.readouterr().out
    assert f"in score (--missing {missing})" in said
    assert "Cells without a number: " in Path("run/report.html").read_text()
    assert json.loads(Path("run/run.json").read_text())["habits"]["ties"] == "mean"
    assert cli.main(["predict", "run", "ward.csv", "-o", "out.csv"]) == 0
    with Path("out.csv").open() as file:
        rows = list(csv.DictReader(file))
    series = gl.read_series(
        "ward.csv", inputs=["pulse"], time="at", group="who", missing="impute", ties="mean"
    )
    assert len(rows) == sum(len(one.x) for one in series) < 80
    assert np.isfinite([float(row["score"]) for row in rows]).all()
    assert cli.main([*train, "--time", "at", "--missing", missing, "--ties", "last"]) == 2
    assert "a run with ties 'mean', not 'last'" in capsys.readouterr().err


def test_the_same_recording_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recording(tmp_path)
    columns = {"inputs": ["pulse", "pressure"], "targets": ["score"], "time": "at", "group": "who"}
    series = gl.read_series("ward.csv", **columns, missing="mask", ties="mean")
    x, lengths = gl.pad([one.x for one in series])
    mask, _ = gl.pad([one.mask for one in series])
    spans, _ = gl.pad([one.timespans() / 3600 for one in series])
    outputs, state = gl.LTC(gl.auto_ncp(6, 1, inputs=2, sparsity=0.2))(x / 100, timespans=spans, mask=mask)
    assert np.isfinite(np.array(outputs)).all()
    assert np.isfinite(np.array(state)).all()
    assert lengths.tolist() == [len(one.x) for one in series]


def test_groups_without_a_seen_row_are_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{k},{who},{'' if who == 'p2' else k % 3},{k % 2}" for who in ("p1", "p2") for k in range(12)]
    Path("d.csv").write_text("\n".join(["t,who,a,y", *rows]) + "\n")
    gl.write(gl.auto_ncp(6, 1, inputs=1, sparsity=0.2), "c.json")
    train = ["train", "c.json", "d.csv", "--target", "y", "--time", "t", "--group", "who", "--epochs", "1"]
    assert cli.main([*train, "--missing", "mask", "--out", "run"]) == 0
    told = capsys.readouterr()
    assert told.err.count("ganglion train: d.csv: left out group 'p2', where column 'a' is empty\n") == 1
    assert cli.main(["predict", "run", "d.csv", "-o", "said.csv", "--errors"]) == 0
    told = capsys.readouterr()
    assert told.err == "ganglion predict: d.csv: left out group 'p2', where column 'a' is empty\n"
    assert "y: RMSE" in told.out
    assert "over 12 samples; 12 more are in rows that it does not see" in told.out
    with Path("said.csv").open() as file:
        assert [(row["who"] == "p2") == (row["y"] == "") for row in csv.DictReader(file)] == [True] * 24
    columns = {"inputs": ["a"], "time": "t", "group": "who"}
    for missing in ("impute", "mask"):
        with pytest.warns(UserWarning, match="left out group 'p2'"):
            assert [one.group for one in gl.read_series("d.csv", **columns, missing=missing)] == ["p1"]
    # nothing at all to see, and targets that are all unknown
    Path("none.csv").write_text("t,who,a,y\n0,p1,,1\n0,p2,,1\n")
    assert cli.main(["predict", "run", "none.csv", "-o", "none_said.csv"]) == 2
    assert (
        "column 'a' is empty of all 2 groups: fill it, or --input names the columns to train with"
        in capsys.readouterr().err
    )
    assert not Path("none_said.csv").exists()
    Path("new.csv").write_text("t,who,a,y\n0,p1,1,\n1,p1,2,\n")
    assert cli.main(["predict", "run", "new.csv", "-o", "said.csv", "--errors"]) == 0
    assert "y: new.csv has no target to compare with\n" in capsys.readouterr().out
    # what a refusal names is an option of the command at hand
    for text, option in (
        ("0,p1,1,1\n0,p1,2,1\n", ["--ties", "mean"]),
        ("1,p1,1,1\n0,p1,2,1\n", ["--descending"]),
    ):
        Path("other.csv").write_text(f"t,who,a,y\n{text}")
        predict = ["predict", "run", "other.csv", "-o", "said.csv"]
        assert cli.main(predict) == 2
        assert option[0] in capsys.readouterr().err
        assert cli.main([*predict, *option, "--errors"]) == 0
    # also of a run whose own table began with the newest row
    Path("down.csv").write_text("t,who,a,y\n" + "".join(f"{-k},p1,{k % 3},{k % 2}\n" for k in range(12)))
    assert cli.main([*train[:2], "down.csv", *train[3:], "--descending", "--out", "down"]) == 0
    Path("up.csv").write_text("t,who,a,y\n0,p1,1,1\n1,p1,2,1\n")
    assert cli.main(["predict", "down", "up.csv", "-o", "up_said.csv"]) == 2
    assert "--no-descending, takes a table whose times rise" in capsys.readouterr().err
    assert cli.main(["predict", "down", "up.csv", "-o", "up_said.csv", "--no-descending"]) == 0
