"""The way of a new user: a table with holes, networks trained on it, and their C and ONNX in its units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import onnxruntime
import pytest

import ganglion as gl

from ..support.electrical import with_pairs
from .test_export_c import compiled, numbers, program_of, run, table

NAMES, STEPS = ["speed [m/s]", "pressure", "humidity"], 120


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, 3) inputs with NaN where a cell is empty, (T, 1) targets and (T,) time spans, read from a table."""
    rng, path = np.random.default_rng(1), tmp_path_factory.mktemp("data") / "data.csv"
    t = np.cumsum(rng.uniform(0.05, 0.2, STEPS))
    inputs = np.column_stack(
        [20 + 40 * np.sin(t), 101325 + 1e5 * np.cos(0.7 * t), 0.4 + 0.01 * np.sin(3 * t)]
    )
    rows = np.column_stack([t, inputs, 0.02 * inputs[:, 0] + 1e-5 * inputs[:, 1]]).tolist()
    lines = [",".join(["time", *NAMES, "torque"])]
    for row in rows:
        hole = rng.integers(12)
        lines.append(",".join("" if k == hole else repr(value) for k, value in enumerate(row, start=-1)))
    path.write_text("\n".join(lines) + "\n")
    read = np.genfromtxt(path, delimiter=",", skip_header=1)
    known = np.where(np.isnan(read), np.nanmean(read, axis=0), read)
    return read[:, 1:4], known[:, 4:], np.diff(t, prepend=t[0] - 0.1)


def stack() -> Any:
    gaps = gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(16, 4, inputs=9, seed=1))))
    behind = gl.CfC(gl.auto_ncp(12, 2, inputs=8, seed=2), proj_size=3)
    return gl.Stack([gaps, nn.LayerNorm(4), gl.NCPDense(8, "tanh"), behind, gl.NCPDense(1)], dropout=0.1)


NETWORKS = {
    "gaps": stack,
    "memory": lambda: gl.CfC(gl.auto_ncp(16, 1, inputs=3, seed=3), mixed_memory=True),
    "junctions": lambda: gl.LTC(with_pairs(gl.auto_ncp(14, 1, inputs=3, seed=4))),
    "rates": lambda: gl.RNN(gl.CTRNNCell(gl.auto_ncp(10, 1, inputs=3, seed=5))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_from_a_table_to_a_robot(
    name: str, data: tuple[np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    x, y, spans = data
    if name != "gaps":
        x = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    mx.random.seed(0)
    model = gl.Scaled(
        NETWORKS[name](), NAMES, ["torque"], mean=np.nanmean(x, axis=0), spread=np.nanstd(x, axis=0),
        offset=y.mean(axis=0), scale=y.std(axis=0), time_unit=0.1,
    )  # fmt: skip
    windows = [part.reshape(-1, 30, *part.shape[1:]) for part in (x, y, spans)]

    def loss(model: Any, x: mx.array, y: mx.array, spans: mx.array) -> mx.array:
        return nn.losses.mse_loss(model(x, timespans=spans)[0], y)

    gl.fit(
        model,
        tuple(windows),
        loss=loss,
        optimizer=optim.Adam(1e-2, bias_correction=True),
        epochs=1,
        batch_size=4,
    )
    model.eval()
    expected = model.predict(x, spans)
    assert np.isfinite(expected).all()

    gl.export_c(model, tmp_path / f"{name}.c")
    program = program_of(tmp_path / f"{name}.c", "-fsanitize=address,undefined")
    cells = table(x, spans).replace("nan", "")
    found = run(program, ",".join([*NAMES, "dt"]) + "\n" + cells)
    assert (found.returncode, found.stderr) == (0, "")
    assert np.abs(numbers(found.stdout) - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())
    compiled("-x", "c++", "-std=c++11", "-fsyntax-only", f"-D{name}_MAIN", tmp_path / f"{name}.c")

    gl.export_onnx(model, tmp_path / f"{name}.onnx")
    session = onnxruntime.InferenceSession(tmp_path / f"{name}.onnx")
    states = [np.zeros(one.shape, np.float32) for one in session.get_inputs()[2:]]
    for sample, span, output in zip(x.astype(np.float32), spans.astype(np.float32), expected, strict=True):
        given = {"inputs": sample[None], "timespan": span[None]}
        given |= {f"state{k}": state for k, state in enumerate(states)}
        shown, *states = session.run(None, given)
        assert np.abs(shown[0] - output).max() < 1e-5 * max(1.0, np.abs(expected).max())
