"""The command that sweeps over circuits and settings of a time series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ganglion as gl
from ganglion.cli import main


def folder(path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    y = np.tanh(x[:, 0] - 0.5 * np.roll(x[:, 1], 1))
    lines = ["a,b,y", *(f"{p:.4f},{q:.4f},{r:.4f}" for (p, q), r in zip(x, y, strict=True))]
    (path / "data.csv").write_text("\n".join(lines) + "\n")
    for name, units in (("small", 8), ("large", 12)):
        gl.write(gl.auto_ncp(units, 1, inputs=2, seed=1), path / f"{name}.json")
    (path / "sweep.toml").write_text(
        'circuits = ["small.json", "large.json"]\ndata = "data.csv"\ntargets = ["y"]\nseeds = 2\nepochs = 1\n'
        '[space]\ncell = ["cfc"]\nlearning_rate = [0.01]\n'
    )
    return path


def test_a_sweep_says_what_is_best_and_writes_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = folder(tmp_path)
    command = ["sweep", str(here / "sweep.toml"), "--report", str(here / "page.html")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "Experiment(4 trials: 4 complete; best" in said
    assert "circuit = small: " in said
    assert "best: circuit = " in said
    page = (here / "page.html").read_text()
    assert "Their circuits" in page
    assert "Learning curves" in page
    found = gl.studies.sweep(here / "sweep.toml", store=here / "sweep.journal")
    assert len(found) == 4
    model = gl.load(here / "sweep.journal.trials" / f"{found.best.number:06d}" / "run")
    assert model.inputs == ("a", "b")


def test_a_sweep_evolves_its_circuits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder(tmp_path) / "sweep.toml"
    said = 'search = "evolutionary"\ntrials = 4\npopulation = 2\nmost_synapses = 20\n[space]'
    file.write_text(file.read_text().replace("seeds = 2\n", "").replace("[space]", said))
    assert main(["sweep", str(file)]) == 0
    assert " synapses, " in capsys.readouterr().out
    found = gl.studies.sweep(file, store=tmp_path / "sweep.journal")
    circuits = [found.values(result)["circuit"] for result in found]
    assert len({circuit.digest() for circuit in circuits}) == 4
    assert all(circuit.number_of_edges() <= 20 for circuit in circuits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seeds = 2", "seeds = 0"), "seeds must be 1 or more"),
        (("seeds = 2", "sedes = 2"), "unknown 'sedes'"),
        (('data = "data.csv"', ""), "data is missing"),
        (("learning_rate", "rate"), r"\[space\] may have batch_size"),
        (("epochs = 1", "epochs ="), "this is no TOML"),
        (("epochs = 1", "epochs = 1\nmost_synapses = 20"), 'most_synapses is for search = "evolutionary"'),
        (("epochs = 1", 'search = "grid"\npopulation = 4'), 'population is for search = "evolutionary"'),
        (("learning_rate = [0.01]", "learning_rate = {low = 1}"), "learning_rate must be a list"),
    ],
)
def test_mistakes_in_the_file_are_named(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    file = folder(tmp_path) / "sweep.toml"
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(gl.FileError, match=message):
        gl.studies.sweep(file, store=tmp_path / "s.journal")


def test_a_sweep_takes_the_habits_of_a_table_where_its_refusal_says(tmp_path):
    (tmp_path / "d.csv").write_text("a,y\n" + "".join(f"{k % 3 or ''},{k % 2}\n" for k in range(20)))
    gl.write(gl.auto_ncp(4, 1, inputs=1, sparsity=0.2), tmp_path / "c.json")
    file, text = tmp_path / "s.toml", 'circuits = ["c.json"]\ndata = "d.csv"\ntargets = ["y"]\nepochs = 1\n'
    file.write_text(text)
    with pytest.raises(gl.FileError, match=r"--missing impute .* \(missing = ... under \[habits\] in "):
        gl.studies.sweep(file, store=tmp_path / "s.journal")
    file.write_text(text + '[habits]\nmissing = "mask"\n')
    assert np.isfinite(gl.studies.sweep(file, store=tmp_path / "s.journal").best.value)
    # a store does not tell the results of other data, or of the same read or trained otherwise
    (tmp_path / "e.csv").write_text((tmp_path / "d.csv").read_text() + "1,1\n")
    for old, new, what in (
        ("mask", "impute", "habits"),
        ("epochs = 1", "epochs = 2", "epochs"),
        ('["y"]', '["y"]\ninputs = ["a"]', "inputs"),
        ("d.csv", "e.csv", "data"),
    ):
        file.write_text((text + '[habits]\nmissing = "mask"\n').replace(old, new))
        with pytest.raises(gl.FileError, match=f"another experiment 's', with another {what}: give this one"):
            gl.studies.sweep(file, store=tmp_path / "s.journal")
