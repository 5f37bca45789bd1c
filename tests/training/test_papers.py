"""The tasks of the papers: what their data are, told by small files of the same form."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import mlx.core as mx
import numpy as np
import pytest
from PIL import Image

import ganglion as gl

PAPERS = Path(__file__).resolve().parents[2] / "benchmarks" / "papers"
NAMES = "common", "models", "streams", "compare", "walker", "occupancy", "traffic", "events", "xor"


@pytest.fixture(scope="module")
def papers() -> Iterator[dict[str, ModuleType]]:
    """The scripts by name; their folder is on the path only meanwhile."""
    sys.path.insert(0, str(PAPERS))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(PAPERS))
        for name in NAMES:
            sys.modules.pop(name, None)


def test_walker_predicts_the_frame_after_each_that_is_there(
    papers: dict[str, ModuleType], tmp_path: Path
) -> None:
    for file in range(20):
        frames = 1000 * file + np.arange(150 + 10 * file)
        np.save(tmp_path / f"rollout_{file:03}.npy", np.repeat(frames[:, None], 17, axis=1).astype(float))
    parts = papers["walker"].load(tmp_path)
    files = []
    for x, y, spans in parts:
        assert x.shape == y.shape == (len(x), 64, 17)
        assert spans.shape == (len(x), 64)
        np.testing.assert_array_equal(y, x + 1)
        np.testing.assert_array_equal(np.diff(x[..., 0], axis=1), spans[:, 1:])
        assert 1.05 < spans.mean() < 1.2  # a frame in ten is missing
        assert spans.min() == 1 < spans.max()
        files.append({int(number) for number in x[..., 0].ravel() // 1000})
    assert [len(part) for part in files] == [15, 2, 3]
    assert len(set.union(*files)) == 20  # no file is in two parts


def test_walker_says_what_it_needs(papers: dict[str, ModuleType], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds 0 \.npy files: expected the 400"):
        papers["walker"].load(tmp_path)
    for file in range(8):
        np.save(tmp_path / f"rollout_{file}.npy", np.zeros((30, 17)))
    with pytest.raises(SystemExit, match="longer than 64 frames"):
        papers["walker"].load(tmp_path)


def room(file: Path, rows: int, start: float) -> None:
    """An occupancy file: the first column has no name, and somebody is there while the light is on."""
    lines = ['"date","Temperature","Humidity","Light","CO2","HumidityRatio","Occupancy"']
    for row in range(rows):
        there = (row // 20) % 2
        lines.append(
            f'"{row + 1}",2015-02-04 17:51:00,{start + row},27.2,{400 * there + row % 3},721.25,0.004,{there}'
        )
    file.write_text("\n".join(lines) + "\n")


def test_occupancy_is_normalised_by_its_training_alone(papers: dict[str, ModuleType], tmp_path: Path) -> None:
    occupancy = papers["occupancy"]
    for name, rows, start in zip(occupancy.FILES, (200, 60, 100), (0.0, 1000.0, 2000.0), strict=True):
        room(tmp_path / name, rows, start)
    lines = (tmp_path / occupancy.FILES[0]).read_text().replace("27.2", "27.3", 1)
    (tmp_path / occupancy.FILES[0]).write_text(lines)  # columns that never change have no spread
    varied = np.random.default_rng(0)
    for name in occupancy.FILES:
        text = (tmp_path / name).read_text().splitlines()
        text[1:] = [
            line.replace("721.25,0.004", f"{varied.uniform(400, 800)},{varied.uniform()}")
            for line in text[1:]
        ]
        (tmp_path / name).write_text("\n".join(text) + "\n")
    training, validation, test = occupancy.load(tmp_path)
    assert training[0].shape == (184 - 18, 16, 5)
    assert validation[0].shape == (18, 16, 5)
    assert test[0].shape == (-(-44 // 8) + -(-84 // 8), 16, 5)
    assert training[1].shape == training[0].shape[:2]
    temperatures = np.arange(200.0)
    seen = np.concatenate([training[0], validation[0]])[..., 0]
    steps = np.unique(seen)
    np.testing.assert_allclose(
        steps, ((temperatures - temperatures.mean()) / temperatures.std())[:199], rtol=1e-5, atol=1e-6
    )
    assert test[0][..., 0].min() > seen.max()  # of the training's mean and spread, nothing of its own
    assert occupancy.by_light(training, test) == 100
    with pytest.raises(SystemExit, match=r"there is no .*datatraining\.txt"):
        occupancy.load(tmp_path / "elsewhere")


def test_traffic_shares_lines_by_chance_but_not_by_time(
    papers: dict[str, ModuleType], tmp_path: Path
) -> None:
    traffic, file = papers["traffic"], tmp_path / "traffic.csv"
    start = datetime(2012, 10, 2, 9)
    rows = [
        "holiday,temp,rain_1h,snow_1h,clouds_all,weather_main,weather_description,date_time,traffic_volume"
    ]
    for hour in range(600):
        moment = start + timedelta(hours=hour)
        rows.append(f"None,{280 + hour % 7},0.0,0.0,{hour % 100},Clouds,few clouds,{moment},{hour}")
    file.write_text("\n".join(rows) + "\n")
    lines = {}
    for split in ("chance", "time"):
        parts = traffic.load(file, split)
        assert all(x.shape == (len(x), 32, 7) and y.shape == (len(x), 32, 1) for x, y in parts)
        lines[split] = [set(y.ravel().tolist()) for _, y in parts]
    training, validation, test = lines["time"]
    assert max(training) < min(validation) <= max(validation) < min(test)
    training, validation, test = lines["chance"]
    assert len(test - training) < len(test) / 2
    x, y = traffic.read(file)
    assert abs(y.mean()) < 1e-6
    np.testing.assert_allclose(y.std(), 1, rtol=1e-5)
    np.testing.assert_allclose(x[:3, 6], np.sin(np.pi * np.array([9, 10, 11]) / 24), rtol=1e-6)
    assert x[0, 5] == 1  # a Tuesday
    file.write_text(rows[0].replace("temp,", "") + "\n")
    with pytest.raises(SystemExit, match="lacks the columns temp"):
        traffic.read(file)


def test_hours_that_repeat_are_known_by_weekday_and_hour(papers: dict[str, ModuleType]) -> None:
    x = np.zeros((4, 32, 7), np.float32)
    x[..., 5], x[..., 6] = np.arange(4)[:, None], np.arange(32) % 8
    y = (10 * x[..., 5] + x[..., 6])[..., None]
    assert papers["traffic"].by_hour((x, y), (x[1:3], y[1:3])) == 0
    assert papers["traffic"].by_hour((x, y), (x[1:3], y[1:3] + 2)) == 4


def test_events_are_where_pixels_change(papers: dict[str, ModuleType]) -> None:
    images = np.zeros((3, 28, 28), np.uint8)
    images[0, 0, 3:5] = 129  # off from pixel 0, on from 3, off from 5
    images[1] = 255
    images[1, 27, 27] = 128  # which is still dark
    images[2].flat[::2] = 200
    values, spans, lengths = papers["events"].events(images)
    np.testing.assert_array_equal(lengths, [3, 2, 256])
    np.testing.assert_array_equal(values[0, :3, 0], [0, 1, 0])
    np.testing.assert_array_equal(256 * spans[0, :3], [1, 3, 2])
    np.testing.assert_array_equal(values[1, :2, 0], [1, 0])
    np.testing.assert_array_equal(256 * spans[1, :2], [1, 783])
    np.testing.assert_array_equal(256 * spans[2], np.ones(256))


def test_fewer_images_are_the_first_of_all(papers: dict[str, ModuleType], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(12):
        folder = tmp_path / "train" / str(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (28, 28)).astype(np.uint8)).save(folder / f"{number}.png")
    everything, few = papers["events"].load(tmp_path, "train"), papers["events"].load(tmp_path, "train", 5)
    assert sorted(everything[3]) == [0] * 4 + [1] * 4 + [2] * 4
    np.testing.assert_array_equal(few[3], everything[3][:5])
    np.testing.assert_array_equal(few[0], everything[0][:5, : few[0].shape[1]])
    with pytest.raises(SystemExit, match="holds no images"):
        papers["events"].load(tmp_path, "test")


def test_nothing_after_the_last_event_is_read(papers: dict[str, ModuleType]) -> None:
    streams = papers["streams"]
    rng = np.random.default_rng(0)
    lengths = np.array([5, 2, 9, 1, 7, 4], np.int32)
    events, spans = rng.normal(size=(6, 9, 2)).astype(np.float32), np.ones((6, 9), np.float32)
    data = streams.Streams(events, spans, lengths, np.arange(6))
    *given, answers = data[np.array([1, 0, 3, 4, 5])]
    assert given[0].shape == (5, 7, 2)
    assert given[2].tolist() == [1, 2, 4, 5, 7]
    assert answers.tolist() == [3, 1, 5, 0, 4]
    mx.random.seed(0)
    model = streams.LastEvent(gl.CfC(gl.dense(2, 4), backbone_units=4, engine="ops"), 4, 3)
    whole = model(*given)
    beyond = np.arange(7) >= np.array(given[2])[:, None]
    other = mx.where(mx.array(beyond)[..., None], 100.0, given[0])
    np.testing.assert_array_equal(np.array(model(other, *given[1:])), np.array(whole))
    alone = model(given[0][2:3, :4], given[1][2:3, :4], given[2][2:3])
    np.testing.assert_allclose(np.array(alone[0]), np.array(whole[2]), rtol=1e-5, atol=1e-6)


def test_a_table_is_the_same_after_a_run_is_resumed(
    papers: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare, models = papers["compare"], papers["models"]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6, 2)).astype(np.float32)
    y = (x.sum(-1) > 0).astype(np.int32)
    task = compare.Task(
        title="Sums", measure="accuracy, %", score=compare.accuracy, higher=True, outputs=2, classes=True,
        training=(x[:24], y[:24]), validation=(x[24:32], y[24:32]), test=(x[32:], y[32:]),
        published={"LSTM": "99 ± 1", "LTC": "98 ± 2"}, baselines={"nothing": 50.0}, notes="Made up.",
    )  # fmt: skip
    known = {"LSTM": compare.Model(models.MODELS["LSTM"][0], 4, 0.05)}
    tables = []
    for runs, epochs in (("whole", 3), ("halves", 1), ("halves", 3)):
        options = Namespace(
            models=["LSTM"], seeds=[0, 1], epochs=epochs, runs=tmp_path / runs, table=tmp_path / "t.md",
            engine="auto", units=None,
        )  # fmt: skip
        results = compare.compare(task, known, options)
        tables.append((tmp_path / "t.md").read_text())
        assert all(result.epochs == epochs and 0 < result.processor < 60 for result in results)
        scores = [result.score for result in results]
        best = [result.epoch for result in results]
        assert tables[-1].startswith("# Sums\n\n| model | accuracy, % | published |")
        assert "| 99 ± 1 | " in tables[-1]
        assert "Also published: LTC 98 ± 2." in tables[-1]
        assert "nothing: 50.000" in tables[-1]
        if runs == "whole":
            expected = scores, best
    assert (scores, best) == expected
    assert len((tmp_path / "halves" / "LSTM-0.processor.json").read_text().split(",")) == 3
    capsys.readouterr()
