"""The cell that the documentation writes gets sequences, time spans, recording and every layout for free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

from ..reference.graph import Wires
from ..support.networks import LAYOUTS, difference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "layers.md"
B, T = 4, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, 5)).astype(np.float32)
SPANS = RNG.uniform(0.2, 2, (B, T)).astype(np.float32)
CIRCUIT = gl.auto_ncp(16, 3, inputs=5)


@pytest.fixture(scope="module")
def leaky() -> Any:
    """The class as the page has it."""
    text = PAGE.read_text().partition("class LeakyIntegrator")
    source = text[1] + text[2].partition("\n\n\n")[0]
    names: dict[str, Any] = {"gl": gl, "mx": mx, "__name__": __name__}
    exec(source, names)
    return names["LeakyIntegrator"]


def test_the_example_is_short() -> None:
    text = PAGE.read_text().partition("class LeakyIntegrator")[2].partition("\n\n\n")[0]
    code = [line for line in text.splitlines() if line.strip() and '"""' not in line]
    assert len(code) <= 20


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sequences_time_spans_and_recording_on_every_layout(leaky: Any, layout: str) -> None:
    wires = Wires.of(CIRCUIT)
    rnn = gl.RNN(leaky(gl.compile_circuit(CIRCUIT, layout=layout)))
    y, state, recording = rnn(mx.array(X), timespans=mx.array(SPANS), record=True)
    w, sensory_w = (np.array(rnn.cell[name], np.float64) for name in ("w", "sensory_w"))
    v = np.zeros((B, 16))
    for t in range(T):
        current = wires.arrivals(w * v[:, wires.pre])
        current += wires.arrivals(sensory_w * X[:, t][:, wires.sensory_pre], sensory=True)
        drive = np.tanh(current)
        v = drive + (v - drive) * np.exp(-SPANS[:, t, None])
        assert difference(recording.states[:, t], v) < 1e-5
        assert difference(y[:, t], v[:, :3]) < 1e-5
    assert difference(state, v) < 1e-5
    assert recording.neurons == tuple(wires.neurons)
    assert np.allclose(recording.times, np.cumsum(SPANS, axis=1), atol=1e-5)


def test_what_comes_for_free(leaky: Any) -> None:
    rnn = gl.RNN(leaky(CIRCUIT))
    y, state = rnn(mx.array(X), timespans=mx.array(SPANS), lengths=[6, 2, 4, 1])
    one, last = rnn(mx.array(X[1, :2]), timespans=mx.array(SPANS[1, :2]))
    assert difference(y[1, :2], np.array(one)) < 1e-6
    assert difference(state[1], np.array(last)) < 1e-6
    stream = rnn.stream(B)
    streamed = mx.stack([stream(X[:, t], SPANS[:, t]) for t in range(T)], axis=1)
    assert difference(streamed, np.array(rnn(mx.array(X), timespans=mx.array(SPANS))[0])) < 1e-6
    both = gl.Bidirectional(rnn)
    assert both(mx.array(X))[0].shape == (B, T, 6)
    twin = gl.NCPLayer.from_config(json.loads(json.dumps(rnn.get_config())))
    assert type(twin.cell) is leaky
    mixed = gl.RNN(gl.MixedMemoryCell(leaky(CIRCUIT)))
    assert mixed(mx.array(X))[0].shape == (B, T, 3)
    assert "no fused kernel for LeakyIntegrator" in rnn.explain()
    with pytest.raises(gl.KernelError, match="LeakyIntegrator"):
        gl.RNN(leaky(CIRCUIT), engine="fused")(mx.array(X))


def test_a_cell_without_step_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"NCPRNNCell has no step\(\)"):
        gl.NCPRNNCell(CIRCUIT)(mx.array(X[:, 0]))
