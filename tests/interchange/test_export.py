"""An exported function computes what the network does, without Ganglion."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

from .test_files import CIRCUIT, MODELS


def inputs(batch: int = 2) -> mx.array:
    return mx.array(np.random.default_rng(1).normal(size=(batch, 4, 3)).astype(np.float32))


@pytest.mark.parametrize("kind", MODELS)
def test_the_function_is_the_network(kind: str, tmp_path: Path) -> None:
    mx.random.seed(0)
    model = MODELS[kind]()
    path = tmp_path / "f.mlxfn"
    gl.export_mlx(model, path, mx.zeros((2, 4, 3)))
    assert [file.name for file in tmp_path.iterdir()] == ["f.mlxfn"]
    ours = [array for _, array in tree_flatten(model(inputs()))]
    for found, expected in zip(mx.import_function(str(path))(inputs()), ours, strict=True):
        assert np.allclose(np.array(found), np.array(expected), atol=3e-5)  # the fused engine differs by 1e-5


def test_state_and_timespans_may_be_arguments(tmp_path: Path) -> None:
    model, path = gl.CfC(CIRCUIT), tmp_path / "f.mlxfn"
    state, spans = 0.1 * mx.ones((2, 10)), mx.full((2, 4), 0.3)
    gl.export_mlx(model, path, (inputs(), mx.zeros((2, 10)), mx.ones((2, 4))))
    found, _ = mx.import_function(str(path))(inputs(), state, spans)
    assert np.allclose(np.array(found), np.array(model(inputs(), state, spans)[0]), atol=1e-5)


def test_a_module_around_a_network_can_be_exported(tmp_path: Path) -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.readout = gl.LTC(CIRCUIT), nn.Linear(2, 1)

        def __call__(self, x: mx.array) -> tuple[mx.array, mx.array]:
            y, state = self.rnn(x)
            return self.readout(y), state

    model, path = Around(), tmp_path / "f.mlxfn"
    gl.export_mlx(model, path, inputs())
    found, _ = mx.import_function(str(path))(inputs())
    assert np.allclose(np.array(found), np.array(model(inputs())[0]), atol=1e-5)


def test_the_network_is_as_before(tmp_path: Path) -> None:
    model = gl.LTC(gl.compile_circuit(CIRCUIT, layout="edge"))
    cell, engine = model.cell, model.engine
    gl.export_mlx(model, tmp_path / "f.mlxfn", inputs())
    assert model.cell is cell
    assert model.engine == engine
    assert model.training


def test_another_program_needs_no_ganglion(tmp_path: Path) -> None:
    model, path = gl.LTC(CIRCUIT), tmp_path / "f.mlxfn"
    gl.export_mlx(model, path, mx.zeros((1, 4, 3)))
    code = (
        "import sys, mlx.core as mx\n"
        f"y, state = mx.import_function({str(path)!r})(mx.zeros((1, 4, 3)))\n"
        "print(y.shape, 'ganglion' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "(1, 4, 2) False"


@pytest.mark.parametrize("example", [mx.zeros((2, 4, 5)), ()])
def test_an_example_that_does_not_fit_leaves_no_file(example: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"):
        gl.export_mlx(gl.LTC(CIRCUIT), tmp_path / "f.mlxfn", example)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        gl.export_mlx(gl.LTC(CIRCUIT), tmp_path / "no" / "f.mlxfn", inputs())
