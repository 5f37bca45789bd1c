"""``ganglion plot`` and ``ganglion show`` on circuit files, sound and unsound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

import ganglion as gl
from ganglion.cli import main


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "circuit.json"
    gl.write(gl.auto_ncp(12, 2, inputs=3), path)
    return str(path)


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_plot_writes_a_figure(file: str, tmp_path: Path, ending: str, start: bytes) -> None:
    out = tmp_path / f"figure.{ending}"
    assert main(["plot", file, "-o", str(out), "--style", "matrix"]) == 0
    assert out.read_bytes().startswith(start)
    if ending == "png":
        assert len(set(Image.open(out).convert("L").tobytes())) > 2, "the picture is empty"


def test_plot_writes_a_page_of_the_whole_circuit(file: str, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["plot", file, "-o", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert all(name in text for name in gl.read(file))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "figure.docx"], "figure.docx: a figure ends in one of .png, .pdf, .svg"),
        (["-o", "figure.png", "--layout", "sideways"], "unknown layout 'sideways'"),
        (["-o", "nowhere/figure.png"], "nowhere"),
        (["-o", "page.html", "--style", "hive"], "without --layout and --style"),
        (["-o", "nowhere/page.html"], "nowhere"),
    ],
)
def test_plot_refuses_in_one_sentence(
    file: str,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plot", file, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["circuit.json"]


def rows_of(text: str) -> list[tuple[str, list[str]]]:
    """The name and the marks of every row of the matrix."""
    found = re.findall(r"^ ?\d+ (\S+) +((?:[·+±-] ?)+)$", text, re.MULTILINE)
    return [(name, marks.split()) for name, marks in found]


def test_show_tells_roles_synapses_and_signs(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    circuit = gl.read(file)
    assert main(["show", file]) == 0
    text = capsys.readouterr().out
    for role in ("sensory", "inter", "command", "motor"):
        assert str(len(circuit.neurons(role))) in next(line for line in text.splitlines() if role in line)
    rows = rows_of(text)
    assert [name for name, _ in rows] == [name for role in gl.wiring.ROLES for name in circuit.neurons(role)]
    marks = [mark for _, row in rows for mark in row]
    signs = [sign for _, _, sign in circuit.edges(data="polarity")]
    assert marks.count("+") == signs.count(1)
    assert marks.count("-") == signs.count(-1)


def test_show_puts_a_large_circuit_into_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gl.write(gl.auto_ncp(200, 10, inputs=20), tmp_path / "large.json")
    assert main(["show", str(tmp_path / "large.json")]) == 0
    text = capsys.readouterr().out
    assert "7 neurons to a cell, named by the first" in text
    assert max(map(len, text.splitlines())) <= 80


def test_show_names_the_problems_of_an_unsound_circuit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("eye", "sensory")
    circuit.add_neuron("a", "inter")
    circuit.add_edge("a", "eye", polarity=1)
    gl.write(circuit, tmp_path / "bad.json")
    assert main(["show", str(tmp_path / "bad.json")]) == 0
    text = capsys.readouterr().out
    assert "motor" in text
    assert "'a' -> 'eye'" in text


@pytest.mark.parametrize("width", [40, 80])
def test_show_fits_the_terminal(
    width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit = gl.random(1000, inputs=8, outputs=4, sparsity=0.99, seed=1)
    gl.write(circuit, tmp_path / "large.json")
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["show", str(tmp_path / "large.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    rows = rows_of("\n".join(lines))
    assert len(rows) >= 10
    assert {len(marks) for _, marks in rows} == {len(rows)}, "a row of the matrix was broken"
    pathway = next(line.split() for line in lines if line.replace("│", " ").split()[:2] == ["inter", "motor"])
    assert {"43", "28", "15"} <= set(pathway), "a number was cut"


def test_plot_says_in_one_sentence_that_it_sums_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gl.write(gl.random(500, inputs=8, outputs=4, sparsity=0.99, seed=1), tmp_path / "large.json")
    assert main(["plot", str(tmp_path / "large.json"), "-o", str(tmp_path / "figure.png")]) == 0
    error = capsys.readouterr().err
    assert error.startswith("ganglion plot: 508 neurons")
    assert error.count("\n") == 1


def test_plot_refuses_a_layout_that_does_not_suit(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", file, "-o", str(tmp_path / "figure.png"), "--layout", "bipartite"]) == 2
    assert "by the layout 'bipartite'" in capsys.readouterr().err
