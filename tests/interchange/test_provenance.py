"""What a saved model says of where it comes from."""

from __future__ import annotations

import copy
import json
import platform
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.interchange import origins
from ganglion.interchange.files import metadata_of
from ganglion.interchange.tensors import decode, encode

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
Y = np.zeros((4, 5, 2), np.float32)


def fitted(seed: int = 7, x: np.ndarray = X, **options: object) -> gl.LTC:
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(3))
    optimizer = optim.Adam(0.01, bias_correction=True)
    gl.fit(
        rnn, (x, Y), loss=gl.training.mse, optimizer=optimizer, epochs=1, seed=seed, progress=False, **options
    )
    return rnn


def test_a_file_says_where_the_network_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "--rate", "0.01", "\udcff"])
    gl.save(gl.LTC(CIRCUIT, engine="ops"), tmp_path / "rnn.safetensors")
    found = gl.provenance(tmp_path / "rnn.safetensors")
    assert found["ganglion"] == gl.__version__
    assert found["mlx"] == mx.__version__
    assert found["python"] == platform.python_version()
    assert json.loads(found["command"]) == ["train.py", "--rate", "0.01", "\udcff"]
    assert found["engines"] == {"": "ops"}
    assert found["circuits"] == {"cell": gl.compile_circuit(CIRCUIT).plan.digest}
    assert "training" not in found


def test_what_fit_was_given_is_in_the_file_and_stays_there(tmp_path: Path) -> None:
    gl.save(fitted(), tmp_path / "rnn.safetensors")
    training = gl.provenance(tmp_path / "rnn.safetensors")["training"]
    assert training["seed"] == 7
    assert training["optimizer"]["kind"] == "Adam"
    assert training["loss"].startswith("code: mse ")
    gl.save(gl.load(tmp_path / "rnn.safetensors"), tmp_path / "again.safetensors")
    assert gl.provenance(tmp_path / "again.safetensors")["training"] == training
    gl.save(copy.deepcopy(gl.load(tmp_path / "rnn.safetensors")), tmp_path / "again.safetensors")
    assert gl.provenance(tmp_path / "again.safetensors")["training"] == training


@pytest.mark.parametrize("other", [{"seed": 8}, {"x": X + 1}])
def test_another_run_says_something_else(other: dict[str, object], tmp_path: Path) -> None:
    said = []
    for number, options in enumerate(({}, other, {})):
        gl.save(fitted(**options), tmp_path / f"{number}.safetensors")
        said.append(gl.provenance(tmp_path / f"{number}.safetensors")["training"])
    assert said[0] == said[2] != said[1]


def test_a_checkpoint_says_it_too_and_a_run_goes_on(tmp_path: Path) -> None:
    rnn = fitted(checkpoint=tmp_path / "run")
    assert gl.provenance(tmp_path / "run")["training"]["seed"] == 7
    optimizer = optim.Adam(0.01, bias_correction=True)
    history = gl.fit(
        rnn, (X, Y), loss=gl.training.mse, optimizer=optimizer, epochs=2, seed=7, progress=False,
        checkpoint=tmp_path / "run",
    )  # fmt: skip
    assert len(history.loss) == 2


class Own(nn.Module):
    """A module of one's own, which a run knows by what it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = gl.LTC(CIRCUIT, key=mx.random.key(3))

    def __call__(self, x: mx.array) -> mx.array:
        return self.rnn(x)[0]


def test_what_a_module_was_trained_on_is_no_part_of_what_it_is(tmp_path: Path) -> None:
    model = Own()
    for epochs in (1, 2):
        history = gl.fit(
            model, (X, Y), loss=lambda m, x, y: mx.square(m(x) - y).mean(),
            optimizer=optim.Adam(0.01, bias_correction=True), epochs=epochs, progress=False,
            checkpoint=tmp_path / "run",
        )  # fmt: skip
        assert len(history.loss) == epochs
    assert [name for name in model.parameters() if name != "rnn"] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "the provenance is not sound JSON"),
        ("[1]", r"the provenance is .*expected an object"),
        ('{"a": 1e999}', "is no finite number"),
        ("[" * 100_000, "the provenance is not sound JSON"),
    ],
)
def test_a_file_whose_provenance_is_damaged_can_be_loaded(text: str, told: str, tmp_path: Path) -> None:
    rnn, path = gl.LTC(CIRCUIT), tmp_path / "rnn.safetensors"
    gl.save(rnn, path)
    arrays, metadata = decode(path.read_bytes(), path)
    path.write_bytes(encode(arrays, {**metadata, origins.KEY: text}))
    with pytest.raises(gl.FileError, match=told):
        gl.provenance(path)
    np.testing.assert_array_equal(np.array(gl.load(path)(X)[0]), np.array(rnn(X)[0]))


def test_a_file_of_an_earlier_release_says_nothing(tmp_path: Path) -> None:
    rnn, path = gl.LTC(CIRCUIT), tmp_path / "rnn.safetensors"
    gl.save(rnn, path)
    arrays, metadata = decode(path.read_bytes(), path)
    path.write_bytes(encode(arrays, {"ganglion": metadata["ganglion"]}))
    assert gl.provenance(path) == {}
    gl.load(path)


def test_the_digest_of_kernels_changes_with_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = origins.kernels_digest()
    assert metadata_of(gl.LTC(CIRCUIT))[origins.KEY].count(before) == 1
    monkeypatch.setattr(origins, "kernel_texts", lambda *_: [("ltc_forward-4", "another text")])
    assert origins.kernels_digest.__wrapped__() != before


def test_stores_of_studies_and_experiments_say_it_too(tmp_path: Path) -> None:
    rnn = fitted()
    for _ in range(2):  # the second one goes on
        gl.study(
            rnn, gl.each("motor"), measure="output change", x=X, store=tmp_path / "s.study", progress=False
        )
    found = gl.provenance(tmp_path / "s.study")
    assert found["circuits"] == origins.provenance_of(rnn)["circuits"]
    assert found["training"]["seed"] == 7
    gl.experiment(lambda trial: trial["x"], {"x": [1, 2]}, store=tmp_path / "e.journal", progress=False)
    found = gl.provenance(tmp_path / "e.journal")
    assert found == origins.surroundings()
    (tmp_path / "old").write_text('{"format": "ganglion study", "version": 1, "digest": "x"}\n')
    assert gl.provenance(tmp_path / "old") == {}
