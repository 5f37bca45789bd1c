"""Neurons as an experiment sees them: which, through what, and with gradients."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ganglion as gl
from ganglion.errors import CircuitError

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=4)
X = mx.random.normal((4, 9, 3), key=mx.random.key(0))
SPANS = mx.random.uniform(0.1, 2.0, (4, 9), key=mx.random.key(1))


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC])
def test_any_neuron_is_seen(make: type[gl.LTC]) -> None:
    rnn = make(CIRCUIT)
    _, last, states = rnn(X, timespans=SPANS, return_states=True)
    seen, state = gl.observe(rnn, ["command_0", "motor_1"])(X, timespans=SPANS)
    names = rnn.wiring.plan.neurons
    expected = np.array(states)[..., [names.index("command_0"), names.index("motor_1")]]
    np.testing.assert_array_equal(np.array(seen), expected)
    np.testing.assert_array_equal(np.array(state), np.array(last))
    assert gl.observe(rnn, "inter").neurons == tuple(name for name in names if name.startswith("inter"))
    assert gl.observe(rnn)(X)[0].shape == (4, 9, 12)
    assert gl.observe(rnn, "motor_0")(X[0])[0].shape == (9, 1)


def test_what_else_a_network_returns_comes_behind() -> None:
    rnn = gl.LTC(CIRCUIT)
    seen = gl.observe(rnn, "command_0", gl.Calcium(0.2, 1.0))
    _, _, states, recording = seen(X, return_states=True, record=True)
    np.testing.assert_array_equal(np.array(states), np.array(rnn(X, return_states=True)[2]))
    np.testing.assert_array_equal(gl.record(seen, X).states, recording.states)
    masked, _ = gl.observe(rnn, "command_0")(X, lengths=[9, 3, 5, 1], stream=mx.cpu)
    assert masked.shape == (4, 9, 1)


@pytest.mark.parametrize("rise", [0.0, 0.3, 1.5, 1.5000001])
def test_an_indicator_solves_its_equation(rise: float) -> None:
    """Against SciPy's solver, sample by sample."""
    values, decay = np.array(mx.random.normal((9, 2), key=mx.random.key(2))), 1.5
    indicator = gl.Calcium(rise, decay, gain=2.0, offset=-0.5)
    found = np.array(indicator(mx.array(values), SPANS[0]))
    r, c = np.zeros(2), np.zeros(2)
    for t, span in enumerate(np.array(SPANS[0], np.float64)):
        v = values[t].astype(np.float64)

        def slope(_: float, y: np.ndarray, v: np.ndarray = v) -> np.ndarray:
            first = (v - y[:2]) / rise if rise else np.zeros(2)
            return np.concatenate([first, ((y[:2] if rise else v) - y[2:]) / decay])

        end = solve_ivp(slope, (0, span), np.concatenate([r, c]), rtol=1e-9, atol=1e-11).y[:, -1]
        r, c = end[:2], end[2:]
        np.testing.assert_allclose(found[t], 2 * c - 0.5, rtol=1e-4, atol=2e-5)


def test_gradients_reach_neurons_that_are_not_motor() -> None:
    seen = gl.observe(gl.LTC(CIRCUIT), ["inter_0"], gl.Calcium(0.2, 1.0))
    _, gradients = nn.value_and_grad(seen, lambda model: mx.square(model(X)[0]).mean())(seen)
    assert float(mx.abs(gradients["indicator"]["gain"]).sum()) > 0
    assert float(mx.abs(gradients["rnn"]["cell"]["sensory_w"]).sum()) > 0


def test_targets_with_gaps_train_it() -> None:
    rng = np.random.default_rng(0)
    teacher = gl.observe(gl.LTC(CIRCUIT, key=mx.random.key(3)), "command", gl.Calcium(0.2, 1.0))
    traces = np.array(teacher(X)[0])
    there = rng.random(traces.shape) < 0.7
    y = mx.array(np.where(there, traces, np.nan).astype(np.float32))
    pupil = gl.observe(gl.LTC(CIRCUIT, key=mx.random.key(5)), "command", gl.Calcium(0.2, 1.0))
    mask = mx.array(there)
    expected = np.mean([((np.array(pupil(X)[0])[b] - traces[b])[there[b]] ** 2).mean() for b in range(4)])
    loss = gl.training.mse(pupil, X, y, mx.ones((4, 9)), mask)
    np.testing.assert_allclose(float(loss), expected, rtol=1e-5)
    optimizer = optim.Adam(0.05, bias_correction=True)
    data = (X, y, mx.ones((4, 9)), mask)
    history = gl.fit(pupil, data, loss=gl.training.mse, optimizer=optimizer, epochs=25, progress=False)
    assert history.loss[-1] < 0.2 * history.loss[0]


def test_it_is_kept_in_a_file(tmp_path: Path) -> None:
    seen = gl.observe(gl.LTC(CIRCUIT), "command", gl.Calcium(0.2, 1.0, gain=3.0))
    gl.save(seen, tmp_path / "seen")
    again = gl.load(tmp_path / "seen")
    assert isinstance(again, gl.Observed)
    assert again.neurons == seen.neurons
    np.testing.assert_array_equal(np.array(again(X)[0]), np.array(seen(X)[0]))


def test_what_cannot_be_seen_is_refused() -> None:
    rnn = gl.LTC(CIRCUIT)
    with pytest.raises(CircuitError, match="nobody"):
        gl.observe(rnn, "nobody")
    with pytest.raises(ValueError, match="neuron 'sensory_0' to observe"):
        gl.observe(rnn, "sensory_0")
    with pytest.raises(TypeError, match=r"rnn.*a network, such as gl\.LTC"):
        gl.observe(gl.NCPDense(3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="over no circuit"):
        gl.observe(gl.CfC(gl.dense(3, 4)))
    with pytest.raises(TypeError, match="indicator"):
        gl.observe(rnn, "motor_0", nn.Linear(1, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="decay"):
        gl.Calcium(0.1, 0.0)
    with pytest.raises(ValueError, match="takes no lengths"):
        gl.observe(rnn, "motor_0", gl.Calcium(0.1, 1.0))(X, lengths=[9, 9, 9, 3])
    with pytest.raises(ValueError, match="1 features"):
        gl.observe(rnn, "motor_0", gl.Calcium(0.1, 1.0)).indicator(X)
    with pytest.raises(ValueError, match="returns sequences"):
        gl.observe(gl.LTC(CIRCUIT, return_sequences=False))
