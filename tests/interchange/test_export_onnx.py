"""Exported ONNX models compute what the network computes, by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import onnxruntime
import pytest

import ganglion as gl
from ganglion.cli import main

from ..support.exported import BACKWARDS, CIRCUIT, NETWORKS, samples


def run(path: Path, x: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """The outputs of a model, step after step."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    states = [np.zeros(each.shape, np.float32) for each in session.get_inputs()[2:]]
    names = [each.name for each in session.get_inputs()]
    outputs = []
    for row, span in zip(x, spans, strict=True):
        given = [row[None], np.array([span], np.float32), *states]
        output, *states = session.run(None, dict(zip(names, given, strict=True)))
        outputs.append(output[0])
    return np.stack(outputs)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_steps_agree(name: str, tmp_path: Path) -> None:
    mx.random.seed(0)
    network = NETWORKS[name]()
    gl.export_onnx(network, tmp_path / "net.onnx")
    x, spans = samples(name, network)
    network.eval()
    expected = np.array(network(mx.array(x), timespans=mx.array(spans))[0])
    found = run(tmp_path / "net.onnx", x, spans)
    assert np.abs(found - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", ["reverse", "inside", "convolution"])
def test_what_reads_backwards_is_refused(name: str, tmp_path: Path) -> None:
    make, message = BACKWARDS[name]
    with pytest.raises(ValueError, match=message):
        gl.export_onnx(make(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_nan_reaches_those_that_have_a_path_from_it(tmp_path: Path) -> None:
    rnn = gl.CfC(gl.auto_ncp(20, 6, inputs=4, sparsity=0.8, seed=3))
    gl.export_onnx(rnn, tmp_path / "net.onnx")
    x = np.zeros((3, 4), np.float32)
    x[0, 1] = np.nan
    expected = np.isnan(np.array(rnn(mx.array(x))[0]))
    assert np.array_equal(np.isnan(run(tmp_path / "net.onnx", x, np.ones(3))), expected)


def test_bad_names_and_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'net.c' was given: expected a name with the ending \.onnx"):
        gl.export_onnx(gl.LTC(CIRCUIT), tmp_path / "net.c")
    with pytest.raises(TypeError, match="a network"):
        gl.export_onnx(nn.Linear(2, 2), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gl.save(gl.CfC(CIRCUIT), tmp_path / "m.safetensors")
    assert main(["export", str(tmp_path / "m.safetensors"), "-o", str(tmp_path / "p.onnx")]) == 0
    assert "p.onnx: one step, with its state in and out" in capsys.readouterr().out
    assert run(tmp_path / "p.onnx", np.zeros((2, 4), np.float32), np.ones(2)).shape == (2, 3)
