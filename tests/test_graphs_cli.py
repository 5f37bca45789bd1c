"""The commands `ganglion convert`, `check` and `new`."""

from __future__ import annotations

from pathlib import Path

import pytest

import ganglion as gl
from ganglion.cli import main

DIALECTS = Path(__file__).parent / "wiring" / "dialects"


def test_convert_tells_what_it_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c.json"
    assert main(["convert", str(DIALECTS / "yed.graphml"), str(out)]) == 0
    said = capsys.readouterr()
    assert "read as GraphML of yEd: 3 nodes and 2 edges became 3 neurons and 2 synapses." in said.out
    assert said.err == ""
    assert gl.read(out).digest() == gl.read(DIALECTS / "yed.graphml").digest()


def test_convert_with_meaning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = DIALECTS / "one_file_typed.csv", tmp_path / "c.graphml.gz"
    options = ["--roles", "infer", "--inhibitory", "ADAL", "--electrical", "drop"]
    assert main(["convert", str(source), str(out), *options]) == 0
    assert "Dropped 2 electrical synapses (by 'type')" in capsys.readouterr().out
    assert gl.read(out).synapses() == [("ADAL", "AIBL", -1), ("ADLL", "AVDR", 1)]
    given = ["--sensory", "ADLL,ADAL", "--motor", "AVDR", "--polarity", "1", "--electrical", "drop"]
    assert main(["convert", str(source), str(out), *given]) == 0
    assert capsys.readouterr().err == ""
    assert gl.read(out).neurons("motor") == ["AVDR"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["norole/c.csv", "c.json"], "roles= says where roles come from"),
        (["g.gml", "c.jsn"], "must end in .json"),
        (
            ["g.gml", "c.json", "--sensors", "drip"],
            "sensors takes 'split', 'drop', 'keep', got 'drip'; did you mean",
        ),
        (["nowhere.gml", "c.json"], "there is no file"),
    ],
)
def test_convert_refuses_in_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target, *rest = arguments
    assert main(["convert", str(DIALECTS / source), str(tmp_path / target), *rest]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ganglion convert: ")
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_convert_never_replaces_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    gl.write(gl.auto_ncp(8, 2, inputs=3), path)
    assert main(["convert", str(path), str(path)]) == 2
    assert "this is the file that is read" in capsys.readouterr().err


def test_check_names_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    broken = gl.Circuit([("eye", "leg", {"polarity": 3}), ("leg", "eye")])
    broken.add_node("eye", role="sensory")
    gl.write(broken, path, strict=False)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(path)])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    for message in (
        "error: neuron 'leg' has no role",
        "error: synapse 'eye' -> 'leg' has polarity 3",
        "error: synapse 'leg' -> 'eye' ends on a sensory neuron",
        "2 neurons, 2 synapses, 5 errors, 0 warnings",
    ):
        assert f"{path}: {message}" in said
    gl.write(gl.auto_ncp(8, 2, inputs=3), path)
    assert main(["check", str(path)]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    path.write_text("{")
    assert main(["check", str(path)]) == 2


def test_new_makes_what_the_function_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {
        "auto-ncp --units 20 --outputs 4 --inputs 3": gl.auto_ncp(20, 4, inputs=3),
        "random --units 9 --inputs 2 --sparsity 0.5 --seed 3": gl.random(9, inputs=2, sparsity=0.5, seed=3),
        "fully-connected --units 5 --inputs 2 --no-self-connections": gl.fully_connected(
            5, inputs=2, self_connections=False
        ),
        "layered --layers 6,4 --inputs 3 --outputs 2": gl.layered([6, 4], inputs=3, outputs=2),
    }
    for line, circuit in made.items():
        assert main(["new", *line.split(), "-o", str(tmp_path / "c.json")]) == 0
        assert gl.read(tmp_path / "c.json").digest() == circuit.digest()
    assert main(["new", "auto-ncp", "--units", "4", "--outputs", "4", "--inputs", "1", "-o", "c.json"]) == 2
    assert "outputs must be below units - 2" in capsys.readouterr().err
