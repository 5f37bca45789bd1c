"""Files of every release are read for ever; later minor versions with a warning, later major ones never."""

from __future__ import annotations

import importlib.util
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganglion as gl
from ganglion.editor.journal import Journal
from ganglion.interchange.tensors import decode, encode
from ganglion.training.series import predict_series
from ganglion.versions import deprecated, removed_in

HERE = Path(__file__).parent
RELEASES = sorted(path for path in HERE.iterdir() if (path / "about.json").is_file())
NEWEST = RELEASES[-1]


def about(release: Path) -> dict[str, str]:
    return dict(json.loads((release / "about.json").read_text()))


def made() -> Any:
    """The script that wrote the files: it has the inputs of the networks."""
    spec = importlib.util.spec_from_file_location("make_compat", HERE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = made()
CIRCUITS = [(r, p) for r in RELEASES for p in sorted(r.glob("circuit_*"))]
MODELS = [(r, p) for r in RELEASES for p in sorted(r.glob("models/*.safetensors"))]


def test_there_is_a_folder_for_this_release() -> None:
    minor = ".".join(gl.__version__.split(".")[:2])
    assert minor in {release.name for release in RELEASES}


@pytest.mark.parametrize(("release", "folder"), CIRCUITS, ids=lambda path: path.name)
def test_circuits(release: Path, folder: Path) -> None:
    ending = folder.name.removeprefix("circuit").replace("_", ".")
    assert gl.read(folder / f"c{ending}").digest() == about(release)["digest"]


@pytest.mark.parametrize(("release", "file"), MODELS, ids=lambda path: path.name)
def test_networks(release: Path, file: Path) -> None:
    expected = np.load(release / "outputs.npz")[file.stem]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = gl.load(file)
    assert np.allclose(MAKE.outputs(network), expected, atol=2e-5)
    assert gl.provenance(file).get("ganglion", "0.1.0").startswith("0.")


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_runs(release: Path, tmp_path: Path) -> None:
    shutil.copytree(release / "run", tmp_path / "run")
    predict_series(tmp_path / "run", release / "table.csv", tmp_path / "said.csv")
    ours, theirs = (
        np.loadtxt(path, delimiter=",", skiprows=1)
        for path in (tmp_path / "said.csv", release / "predicted.csv")
    )
    assert np.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_journals(release: Path, tmp_path: Path) -> None:
    shutil.copy(release / "c.json.edits", tmp_path)
    journal = Journal(tmp_path / "c.json.edits")
    try:
        session = gl.EditSession(gl.read(release / "circuit_json" / "c.json"))
        for record in journal.records()[1:]:
            session.replay(record)
    finally:
        journal.close()
    assert session.circuit.digest() == about(release)["edited"]


# Versions to come.


def changed(place: Path, **fields: Any) -> dict[str, Any]:
    """Every document of the newest folder with other versions, and how it is read."""
    readers: dict[str, Any] = {}
    circuit = json.loads((NEWEST / "circuit_json" / "c.json").read_text())
    (place / "c.json").write_text(json.dumps({**circuit, **fields}))
    readers["circuit"] = lambda: gl.read(place / "c.json")
    arrays, metadata = decode((NEWEST / "models" / "cfc.safetensors").read_bytes(), "cfc")
    document = {**json.loads(metadata["ganglion"]), **fields}
    (place / "m.safetensors").write_bytes(encode(arrays, {**metadata, "ganglion": json.dumps(document)}))
    readers["model"] = lambda: gl.load(place / "m.safetensors")
    shutil.copytree(NEWEST / "run", place / "run")
    settings = json.loads((place / "run" / "run.json").read_text())
    (place / "run" / "run.json").write_text(json.dumps({**settings, **fields}))
    readers["run"] = lambda: predict_series(place / "run", NEWEST / "table.csv", place / "said.csv")
    header, *lines = (NEWEST / "c.json.edits").read_text().splitlines()
    (place / "j").write_text("\n".join([json.dumps({**json.loads(header), **fields}), *lines]) + "\n")
    readers["journal"] = lambda: records(place / "j")
    return readers


def records(path: Path) -> None:
    journal = Journal(path)
    try:
        journal.records()
    finally:
        journal.close()


KINDS = ("circuit", "model", "run", "journal")


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_minor_version_is_read_with_a_warning(kind: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"1\.3 is of a later release than this one, which knows 1\.0"):
        changed(tmp_path, minor=3, novelty={"x": 1})[kind]()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "version", [{"version": 2}, {"version": 0}, {"version": "1"}, {"minor": "a"}, {"minor": -1}]
)
def test_a_later_major_version_is_refused(kind: str, version: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"version|expected a whole number"):
        changed(tmp_path, **version)[kind]()


def test_a_deprecated_name_lives_two_minor_releases_and_names_its_successor() -> None:
    def old() -> None:
        deprecated("gl.old", "gl.new", since="0.3")

    with pytest.warns(
        DeprecationWarning, match=r"^gl.old is deprecated .* gone in 0.5: use gl.new$"
    ) as caught:
        old()
    assert Path(caught[0].filename) == Path(__file__)
    assert removed_in("1.9") == "1.11"
