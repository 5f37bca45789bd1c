"""`ganglion train` and `ganglion predict`, from a CSV file to a CSV file."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

import ganglion as gl
from ganglion import cli
from ganglion.commands.series import CELLS as OFFERED
from ganglion.interchange.files import newest_checkpoint
from ganglion.studies.needs import needs
from ganglion.training.series import Columns, Settings, predict, read_series, score_series, train_series
from ganglion.training.series.job import CELLS, errors_of
from ganglion.training.series.pictures import activity, recording_of, times_of
from ganglion.training.series.report import _page
from ganglion.training.series.sequences import Scaling, read_columns, split, windows

TRAIN = ["--target", "y", "--time", "t", "--group", "who", "--epochs", "2", "--window", "10"]


def write_table(path: Path, rows: int = 40, groups: str = "AB") -> None:
    """Irregular samples of two inputs and a target, the groups' rows taking turns."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.1, 1.0, rows))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["t", "who", "a", "b", "y"])
        for now in times:
            for shift, name in enumerate(groups):
                a, b = np.sin(now + shift), rng.normal()
                writer.writerow([round(float(now), 3), name, a, b, 100 + 7 * a])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a circuit, data, and a finished run, for tests to copy."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        gl.write(gl.auto_ncp(6, 1, inputs=2, sparsity=0.2), "c.json")
        write_table(folder / "d.csv")
        assert ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "run") == 0
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder's copy, as the current directory."""
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def ganglion(*arguments: str) -> int:
    return cli.main(list(arguments))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_train_leaves_a_report_and_a_network(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "run" / "report.html").unlink()
    assert ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "run") == 0
    assert "report: run/report.html" in capsys.readouterr().out
    page = (folder / "run" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    model = gl.load("run")
    assert (model.inputs, model.outputs) == (("a", "b"), ("y",))


def test_the_report_says_how_good_the_network_is_and_names_what_it_shows(folder: Path) -> None:
    outcome = train_series(
        Path("c.json"), Path("d.csv"), Path("new"), targets=["y"], time="t", group="who", epochs=3,
        settings=Settings(cell="cfc"), progress=False,
    )  # fmt: skip
    best = outcome.history.best
    assert best is not None
    assert repr(outcome) == f"Outcome(CfC, 3 epochs, the best {best + 1}; RMSE of y {outcome.errors[0]:.4g})"
    page = _page(outcome)
    assert "<h1>CfC for y</h1>" in page
    assert re.search(r"samples of who = [AB], one of 2 that were held out", page)
    pairs = [
        (one.y[:, 0], outcome.model.predict(one.x, one.timespans(outcome.model.time_unit))[:, 0])
        for one in outcome.held_out
    ]
    truth, said = (np.concatenate(part) for part in zip(*pairs, strict=True))
    share = 1 - np.mean((said - truth) ** 2) / outcome.baselines[0] ** 2
    cells = re.findall(r"<td>([^<]*)</td>", page)[:6]
    assert cells[:2] == ["y", str(len(truth))]
    numbers = np.array([float(cell) for cell in cells[2:]])
    expected = np.sqrt(np.mean((said - truth) ** 2)), outcome.baselines[0], np.abs(said - truth).mean(), share
    assert np.allclose(numbers, expected, rtol=1e-3, atol=1e-3)


def test_the_report_ranks_neurons_by_the_errors_without_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: dict[str, Any] = {"targets": ["y"], "time": "t", "group": "who", "epochs": 1, "progress": False}
    outcome = train_series(Path("c.json"), Path("d.csv"), Path("new"), **run)
    found = needs(outcome)
    assert found is not None
    assert found.errors == pytest.approx(outcome.errors, rel=1e-6)
    assert found.samples == sum(len(one.x) for one in outcome.held_out)
    assert {one.role for one in found.neurons} == {"sensory", "inter", "command"}
    assert [one.rise for one in found.neurons] == sorted((one.rise for one in found.neurons), reverse=True)
    for one in found.neurons:  # beside predictions sequence by sequence
        with gl.perturbed(outcome.model, gl.studies.Lesion(one.name)):
            said = [predict(outcome.model, part) for part in outcome.held_out]
        assert one.errors == pytest.approx(errors_of(said, outcome.held_out), rel=1e-5)
    first = found.neurons[0]
    row = f"<tr><td>{first.name}</td><td>{first.role}</td><td>{first.errors[0]:.4g}</td></tr>"
    assert row in _page(outcome, found)
    unknown = [replace(one, y=np.full_like(one.y, np.nan)) for one in outcome.held_out]
    assert needs(replace(outcome, held_out=unknown)) is None
    monkeypatch.setattr("ganglion.studies.needs.WORK", 1)
    assert needs(outcome) is None
    assert "Not computed" in _page(outcome)


def test_dates_are_drawn_in_a_unit_that_can_be_read(folder: Path) -> None:
    at = [f"2024-03-{day:02}T00:00:00" for day in range(1, 19)]
    rows = [f"{stamp},{k % 3},{k % 2}" for k, stamp in enumerate(at)]
    Path("days.csv").write_text("\n".join(["at,a,y", *rows]) + "\n")
    gl.write(gl.auto_ncp(4, 1, inputs=1, sparsity=0.2), "one.json")
    outcome = train_series(
        Path("one.json"), Path("days.csv"), Path("days"), targets=["y"], time="at", epochs=1, progress=False,
    )  # fmt: skip
    (one,) = outcome.held_out
    times, label = times_of(outcome, one)
    assert (times.tolist(), label) == ([0, 1, 2, 3], "days of at since the first sample")
    assert "time (days)" in [text.get_text() for text in activity(outcome, one).findobj(Text)]


def test_any_column_name_gets_into_the_report(folder: Path) -> None:
    """Formulas are none, markup is text, and the font need not have every character."""
    names = ["cost $x_$", "温度", "<b>&"]
    header, rows = Path("d.csv").read_text().split("\n", 1)
    Path("d.csv").write_text(",".join([*header.split(",")[:2], *names]) + "\n" + rows)
    arguments = ["--time", "t", "--group", "who", "--epochs", "1"]
    for name in names:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Glyph")
            assert ganglion("train", "c.json", "d.csv", *arguments, "--target", name, "--out", name[:4]) == 0
        page = (folder / name[:4] / "report.html").read_text()
        assert page.count(html.escape(name)) >= 3  # title, result and settings
        assert "<b>" not in page


def test_the_report_tells_times_in_the_unit_of_the_data_and_nothing_in_that_of_a_neuron(folder: Path) -> None:
    columns = Columns(("a", "b"), ("y",), "t", "who")
    outcome = train_series(
        Path("c.json"), Path("d.csv"), Path("new"), targets=["y"], time="t", group="who", epochs=1,
        progress=False,
    )  # fmt: skip
    series, _ = read_columns(folder / "d.csv", columns)
    one = series[0].part(slice(5, 15))
    times = recording_of(outcome, one).times
    assert outcome.model.time_unit != 1
    assert one.rows.times is not None
    assert np.allclose(np.diff(times), np.diff(one.rows.times[5:15]), rtol=1e-5)
    before = _page(outcome)
    cell, plan = outcome.model.model.cell, outcome.compiled.plan
    factor = np.geomspace(0.2, 5.0, plan.n_neurons).astype(
        np.float32
    )  # a unit of conductance for each neuron
    for name, by in (("gleak", factor), ("cm", factor), ("w", factor[plan.recurrent.post]),
                     ("sensory_w", factor[plan.sensory.post])):  # fmt: skip
        cell[name] = cell[name] * mx.array(by)
    (words, pictures), (others, drawn) = (split_page(page) for page in (before, _page(outcome)))
    assert words == others
    assert len(pictures) == len(drawn) == 5
    for picture, other in zip(pictures, drawn, strict=True):
        assert (np.abs(picture - other) > 0.02).mean() < 1e-3


def split_page(page: str) -> tuple[list[str], list[np.ndarray]]:
    """The texts of a report, with numbers as it rounds them, and the pixels of its pictures."""
    image = re.compile(r"data:image/png;base64,([^\"]+)")
    pixels = [imread(io.BytesIO(base64.b64decode(data))) for data in image.findall(page)]
    return image.sub("", page).splitlines(), pixels


def test_predictions_are_those_of_the_python_api(folder: Path) -> None:
    write_table(folder / "new.csv", rows=25, groups="XYZ")
    assert ganglion("predict", "run", "new.csv", "-o", "out.csv") == 0
    with open("new.csv") as given, open("out.csv") as said:
        asked, answered = list(csv.DictReader(given)), list(csv.DictReader(said))
    assert [(row["t"], row["who"]) for row in answered] == [(row["t"], row["who"]) for row in asked]
    assert list(answered[0]) == ["t", "who", "y"]

    model = gl.load("run")
    for name in "XYZ":
        rows = [row for row in asked if row["who"] == name]
        x = np.array([[float(row["a"]), float(row["b"])] for row in rows])
        times = np.array([float(row["t"]) for row in rows])
        spans = np.diff(times, prepend=np.nan)
        spans[0] = model.time_unit
        found = np.array([row["y"] for row in answered if row["who"] == name], np.float64)
        assert np.allclose(found, model.predict(x, spans)[:, 0], rtol=1e-6)  # times are subtracted exactly
        assert np.allclose(found, np.array(model(mx.array(x), timespans=spans)[0])[:, 0], rtol=1e-6)


def test_the_same_command_goes_on(folder: Path) -> None:
    """The run of two epochs, prolonged, is one of four."""
    ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "whole", "--epochs", "4")
    ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "run", "--epochs", "4")
    whole, parts = newest_checkpoint(folder / "whole"), newest_checkpoint(folder / "run")
    assert whole is not None
    assert parts is not None
    for name in ("model.safetensors", "best.safetensors", "optimizer.safetensors"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_regular_samples_need_no_time(folder: Path) -> None:
    arguments = ["--target", "y", "--input", "b", "--input", "a", "--epochs", "1", "--cell", "cfc"]
    Path("r.csv").write_text("a,b,y\n" + "".join(f"{k % 5},{k % 3},{k % 2}\n" for k in range(30)))
    assert ganglion("train", "c.json", "r.csv", *arguments, "--out", "new") == 0
    assert ganglion("predict", "new", "r.csv", "-o", "out.csv") == 0
    assert gl.load("new").inputs == ("b", "a")
    assert Path("out.csv").read_text().startswith("y\n")


def test_a_cell_from_equations_trains(folder: Path) -> None:
    assert {"ltc", "cfc", "stc", "lrc", "lrcu", "ctrnn", "rate", "mingru"} == set(CELLS) == set(OFFERED)
    given = ["c.json", "d.csv", *TRAIN, "--epochs", "1", "--cell", "mingru"]
    assert ganglion("train", *given, "--out", "new") == 0
    assert "<h1>MinGRU for y</h1>" in (folder / "new" / "report.html").read_text()
    assert "MinGRU" in repr(gl.load("new"))


def test_inputs_are_found_by_the_names_of_the_sensory_neurons(folder: Path) -> None:
    circuit = gl.Circuit()
    circuit.add_neurons(["b"], role="sensory")
    circuit.add_neurons(["out"], role="motor")
    circuit.add_synapse("b", "out")
    gl.write(circuit, "named.json")
    assert ganglion("train", "named.json", "d.csv", *TRAIN, "--out", "new") == 0
    assert gl.load("new").inputs == ("b",)


MALFORMED = {
    "missing column": "t,who,a,b\n1,A,1,2\n",
    "text in a number": "t,who,a,b,y\n1,A,1,2,3\n2,A,1,two,3\n",
    "nan": "t,who,a,b,y\n1,A,1,2,3\n2,A,1,nan,3\n",
    "ragged": "t,who,a,b,y\n1,A,1,2,3\n2,A,1,2\n",
    "empty": "",
    "no rows": "t,who,a,b,y\n",
    "same time": "t,who,a,b,y\n1,A,1,2,3\n1,A,1,2,3\n",
    "decreasing": "t,who,a,b,y\n2,A,1,2,3\n1,A,1,2,3\n",
    "one row": "t,who,a,b,y\n2,A,1,2,3\n",
    "inputs": "t,who,a,b,c,y\n1,A,1,2,3,4\n2,A,1,2,3,4\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_data_end_in_one_sentence_and_touch_nothing(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder / "run")
    Path("bad.csv").write_text(MALFORMED[kind])
    capsys.readouterr()
    for out in ("run", "new"):
        assert ganglion("train", "c.json", "bad.csv", *TRAIN, "--out", out) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("ganglion train: ")
        assert said.err.count("\n") == 1
    assert contents(folder / "run") == before
    assert not Path("new").exists()


def test_malformed_data_leave_the_old_predictions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv").write_text("mine")
    Path("bad.csv").write_text("t,who,a,b\n1,A,1,2\n1,A,1,2\n")
    assert ganglion("predict", "run", "bad.csv", "-o", "out.csv") == 2
    assert "does not come after" in capsys.readouterr().err
    assert Path("out.csv").read_text() == "mine"


def test_errors_of_predictions_are_those_of_another_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(folder / "new.csv", rows=25, groups="XYZ")
    assert ganglion("predict", "run", "new.csv", "-o", "out.csv", "--errors") == 0
    said = re.search(r"y: RMSE (\S+)", capsys.readouterr().out)
    assert said
    truth, found = (
        np.array([float(row["y"]) for row in csv.DictReader(Path(name).read_text().splitlines())])
        for name in ("new.csv", "out.csv")
    )
    assert np.isclose(float(said[1]), np.sqrt(np.mean((truth - found) ** 2)), rtol=1e-3)
    (score,) = score_series(folder / "run", folder / "new.csv").values()
    assert (score.samples, score.unseen) == (len(truth), 0)
    assert score.rmse == pytest.approx(float(said[1]), rel=1e-3)


def test_a_series_with_gaps_is_predicted_as_the_command_line_does(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (folder / "d.csv").read_text().splitlines()
    place = lines[0].split(",").index("a")
    for k in range(3, len(lines), 5):
        cells = lines[k].split(",")
        lines[k] = ",".join([*cells[:place], "", *cells[place + 1 :]])
    (folder / "g.csv").write_text("\n".join(lines) + "\n")
    few = [*TRAIN[: TRAIN.index("--epochs")], "--epochs", "1"] if "--epochs" in TRAIN else TRAIN
    assert ganglion("train", "c.json", "g.csv", *few, "--missing", "mask", "--out", "gaps") == 0
    capsys.readouterr()
    assert ganglion("predict", "gaps", "g.csv", "-o", "said.csv", "--errors") == 0
    assert re.search(
        r"RMSE \S+ over \d+ samples; \d+ more are in rows that it does not see", capsys.readouterr().out
    )
    said = [float(row["y"]) for row in csv.DictReader((folder / "said.csv").read_text().splitlines())]
    model = gl.load("gaps")
    series = read_series(
        folder / "g.csv", inputs=["a", "b"], targets=["y"], time="t", group="who", missing="mask"
    )
    lines_of = np.concatenate([one.rows.lines for one in series])
    found = np.concatenate([predict(model, one)[:, 0] for one in series])[np.argsort(lines_of)]
    np.testing.assert_allclose(found, said, rtol=1e-6)


def test_a_prediction_that_is_no_number_is_no_good_one(folder: Path) -> None:
    """Only targets may be missing."""
    one = read_series(folder / "d.csv", inputs=["a", "b"], targets=["y"])[0]
    one.y[0] = np.nan
    said = one.y + 2.0
    said[0] = 7.0
    assert errors_of([said], [one]) == [pytest.approx(2.0)]
    for wrong in (np.nan, np.inf):
        said[1] = wrong
        assert not np.isfinite(errors_of([said], [one])[0])


def test_predictions_replace_neither_the_run_nor_the_data(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    checkpoint = newest_checkpoint(folder / "run")
    Path("link").symlink_to("run")
    for out in ("run/run.json", "link/report.html", f"{checkpoint}/new.csv", "d.csv", "run/../d.csv"):
        assert ganglion("predict", "run", "d.csv", "-o", out) == 2
        assert capsys.readouterr().err == (
            f"ganglion predict: {out} is a file of the run or the data: "
            "choose another file for the predictions\n"
        )
    Path("link").unlink()
    assert contents(folder) == before
    assert ganglion("predict", "run", "d.csv", "-o", "run/said.csv") == 0
    assert ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "run") == 0


def test_predictions_are_never_written_in_part(folder: Path) -> None:
    """The system lets no file grow so long; the limit binds a child only."""
    Path("out.csv").write_text("mine")
    before = contents(folder)
    code = (
        "import resource, signal, sys; from ganglion.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))\n"
        "sys.exit(main(['predict', 'run', 'd.csv', '-o', 'out.csv']))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == f"ganglion predict: {folder / 'out.csv'}: File too large\n"
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["c.json", "d.csv", *TRAIN, "--seed", "4"], "a run with seed 0, not 4"),
        (["c.json", "d.csv", *TRAIN, "--input", "b", "--input", "a"], r"a run with inputs \['a', 'b'\]"),
        (["other.json", "d.csv", *TRAIN], "a run with another circuit file"),
        (["c.json", "other.csv", *TRAIN], "a run with another data file"),
        (["c.json", "d.csv", *TRAIN, "--target", "a"], "2 targets .* 1 motor neuron$"),
        (["c.json", "d.csv", *TRAIN, "--input", "y", "--input", "y"], "named twice as input: 'y', 'y'"),
        (
            ["c.json", "d.csv", *TRAIN, "--input", "a", "--input", "y"],
            "column 'y' is both an input and a target: choose the inputs",
        ),
        (
            ["c.json", "five.csv", *TRAIN, "--validation", "0.95"],
            "0.95 of 5 groups for validation leaves none for training",
        ),
        (["c.json", "nothing.csv", *TRAIN], "nothing.csv: No such file"),
        (["c.json", "no\nthing.csv", *TRAIN], "no thing.csv: No such file"),
        (["nothing.json", "d.csv", *TRAIN], "nothing.json"),
        (["broken.json", "d.csv", *TRAIN], "broken.json, line 1, column 2: this is not JSON"),
        (["c.txt", "d.csv", *TRAIN], "c.txt: not a circuit"),
    ],
)
def test_another_command_is_refused_and_the_run_stays(
    arguments: list[str], reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gl.write(gl.auto_ncp(7, 1, inputs=2), "other.json")
    write_table(folder / "other.csv", rows=41)
    write_table(folder / "five.csv", rows=4, groups="ABCDE")
    Path("broken.json").write_text("{")
    Path("c.txt").write_text("{}")
    before = contents(folder / "run")
    capsys.readouterr()
    assert ganglion("train", *arguments, "--out", "run") == 2
    said = capsys.readouterr().err
    assert re.search(reason, said)
    assert said.count("\n") == 1
    assert contents(folder / "run") == before


def test_somebody_elses_directory_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("precious")
    assert ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "mine") == 2
    assert "is not empty and holds no run" in capsys.readouterr().err
    assert ganglion("predict", "mine", "d.csv", "-o", "out.csv") == 2
    assert "holds no trained network" in capsys.readouterr().err
    assert [path.name for path in Path("mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "content", ["", "{}", "[", '{"format": "ganglion-run", "version": 1, "columns": {"inputs": 5}}']
)
def test_a_damaged_description_is_refused(
    content: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run/run.json").write_text(content)
    for command in (
        ["train", "c.json", "d.csv", *TRAIN, "--out", "run"],
        ["predict", "run", "d.csv", "-o", "o"],
    ):
        assert ganglion(*command) == 2
        assert "run" in capsys.readouterr().err


def test_an_interrupted_command_goes_on(folder: Path) -> None:
    """The real command, ended by the user's own signal while it trains."""
    command = [sys.executable, "-m", "ganglion", "train", "c.json", "d.csv", *TRAIN]
    endless = [*command, "--out", "new", "--epochs", "100000"]
    # A test run in the background ignores the signal, and its children would inherit that.
    with subprocess.Popen(endless, stderr=subprocess.PIPE, preexec_fn=_heed_interrupts) as ran:
        try:
            while not Path("new").is_dir() or newest_checkpoint(folder / "new") is None:
                assert ran.poll() is None
                time.sleep(0.05)
            ran.send_signal(signal.SIGINT)
            said = ran.communicate(timeout=60)[1]
        finally:
            ran.kill()
    assert ran.returncode == 130
    *epochs, end = said.splitlines()  # a log has a line for each epoch
    assert end == b"ganglion train: interrupted"
    assert all(line.startswith(b"fit: epoch ") for line in epochs)
    reached = newest_checkpoint(folder / "new")
    assert reached is not None
    assert ganglion("train", "c.json", "d.csv", *TRAIN, "--out", "new", "--epochs", "1") == 0


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_windows_cover_every_sample(folder: Path) -> None:
    columns = Columns(("a", "b"), ("y",), "t", "who")
    series, _ = read_columns(folder / "d.csv", columns)
    training, held_out = split(series, 0.25)
    assert [len(one.x) for one in training] == [30, 30]
    assert [len(one.x) for one in held_out] == [10, 10]
    scaling = Scaling.of(training)
    x, y, spans, weights = windows(training, 8, scaling, every=8)
    assert x.shape == (8, 8, 2)
    assert (weights > 0).sum() == 60
    assert (spans > 0).all()
    assert np.abs(y).max() == pytest.approx(0.8, abs=1e-5)
    assert np.allclose(x[weights > 0].mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("length", [1, 7, 16, 29, 40])
def test_every_sample_counts_alike_whatever_window_it_is_in(length: int, folder: Path) -> None:
    columns = Columns(("a", "b"), ("y",), "t", "who")
    series, _ = read_columns(folder / "d.csv", columns)
    series[1] = series[1].part(slice(0, 17))
    scaling = Scaling.of(series)
    every = max(1, length // 2)
    x, _, _, weights = windows(series, length, scaling, every=every)
    first = x[..., 0] * scaling.spread[0] + scaling.mean[0]  # the column has no value twice
    for one in series:
        for value in one.x[:, 0]:
            total = weights[np.isclose(first, value, rtol=0, atol=1e-6) & (weights > 0)].sum()
            assert total == pytest.approx(weights.size / 57, rel=1e-5)


def test_many_groups_are_split_by_group(folder: Path) -> None:
    write_table(folder / "g.csv", rows=4, groups="ABCDEFGHIJ")
    series, _ = read_columns(folder / "g.csv", Columns(("a", "b"), ("y",), "t", "who"))
    training, held_out = split(series, 0.2)
    assert [one.rows.group for one in held_out] == ["I", "J"]
    assert len(training) == 8
