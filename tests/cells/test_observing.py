"""Neurons as an experiment sees them: which, through what, and with gradients."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten
from scipy.integrate import solve_ivp
from scipy.stats import norm

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
    with pytest.raises(ValueError, match="neurons is empty"):
        gl.observe(rnn, [])
    with pytest.raises(ValueError, match=r"^unknown neuron to observe 'sensory_0'"):
        gl.observe(rnn, "sensory_0")
    with pytest.raises(TypeError, match=r"rnn.*a network, such as gl\.LTC"):
        gl.observe(gl.NCPDense(3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="over no circuit"):
        gl.observe(gl.CfC(gl.dense(3, 4)))
    with pytest.raises(TypeError, match="indicator"):
        gl.observe(rnn, "motor_0", nn.Linear(1, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="decay"):
        gl.Calcium(0.1, 0.0)
    with pytest.raises(ValueError, match="neuron 'inter_0' is in the group twice"):
        gl.observe(rnn, ["inter_0", "motor_0", "inter_0"])
    with pytest.raises(ValueError, match="gain has 3 numbers for 2 neurons: expected one number, or 2"):
        gl.observe(rnn, ["inter_0", "motor_0"], gl.Plain(gain=[1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="noise must be above 0"):
        gl.Calcium(0.1, 1.0, noise=0.0)
    with pytest.raises(ValueError, match="offset must be a finite number, or one for each neuron"):
        gl.Plain(offset=[[1.0]])
    with pytest.raises(ValueError, match="no noise is given where it could start"):
        gl.Plain(trained=["noise"])
    with pytest.raises(ValueError, match=r"trained.*'rise'"):
        gl.Calcium(0.1, 1.0, trained=["rise"])
    seen = gl.observe(rnn, "motor", gl.Calcium(0.1, 1.0))
    with pytest.raises(TypeError, match="expected the pair that a call returned"):
        seen(X, mx.zeros((4, 12)))
    with pytest.raises(ValueError, match=r"the indicator's state has shapes \[\(4, 3\), \(4, 3\)\]"):
        seen(X, (mx.zeros((4, 12)), (mx.zeros((4, 3)), mx.zeros((4, 3)))))
    with pytest.raises(ValueError, match="stream or export the network inside"):
        gl.export_c(seen, "seen.c")
    with pytest.raises(ValueError, match="says no noise level"):
        gl.training.likelihood(seen, X, mx.zeros((4, 9, 2)))
    with pytest.raises(ValueError, match="the batch has no target"):
        gl.training.mse(seen, X, mx.full((4, 9, 2), mx.nan))


@pytest.mark.parametrize("rise", [0.0, 0.4])
def test_a_recording_in_parts_is_one_recording(rise: float) -> None:
    """The state holds the indicator's, too."""
    seen = gl.observe(gl.LTC(CIRCUIT), ["inter_0", "motor_1"], gl.Calcium(rise, 1.0, gain=[2.0, 3.0]))
    whole, last = seen(X, timespans=SPANS)
    first, state = seen(X[:, :4], timespans=SPANS[:, :4])
    second, end = seen(X[:, 4:], state, SPANS[:, 4:])
    np.testing.assert_allclose(np.array(mx.concatenate([first, second], axis=1)), np.array(whole), rtol=2e-5)
    for one, other in zip((end[0], *end[1]), (last[0], *last[1]), strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=2e-5, atol=1e-7)
    rows = [seen(X[k], timespans=SPANS[k]) for k in range(4)]
    np.testing.assert_allclose(np.stack([np.array(y) for y, _ in rows]), np.array(whole), rtol=2e-5)
    begun = seen.get_initial_state(batch_size=4)
    np.testing.assert_array_equal(np.array(seen(X, begun, SPANS)[0]), np.array(whole))
    folded, _ = seen(X.reshape(2, 2, 9, 3), timespans=SPANS.reshape(2, 2, 9))
    np.testing.assert_array_equal(np.array(folded).reshape(4, 9, 2), np.array(whole))


def test_an_indicator_knows_gaps_and_episodes() -> None:
    """Each part of a row is what it is by itself, whatever stands in between."""
    seen = gl.observe(gl.LTC(CIRCUIT), ["inter_0", "motor_1"], gl.Calcium(0.4, 1.0, offset=0.5))
    there = np.array([[1, 1, 0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1, 0]] * 2, bool)
    spoilt = mx.where(mx.array(there)[..., None], X, mx.nan)
    spans = mx.where(mx.array(there), SPANS, -1.0)
    masked, last = seen(spoilt, timespans=spans, mask=there)
    for k in range(4):
        places = mx.array(np.flatnonzero(there[k]))
        alone, end = seen(X[k][places], timespans=SPANS[k][places])
        np.testing.assert_allclose(np.array(masked)[k][there[k]], np.array(alone), rtol=2e-5)
        np.testing.assert_allclose(np.array(last[1][1][k]), np.array(end[1][1]), rtol=2e-5)
    assert (np.array(masked)[1, :2] == 0).all()
    np.testing.assert_array_equal(np.array(masked)[0, 5], np.array(masked)[0, 4])  # what was seen last
    np.testing.assert_array_equal(
        np.array(seen(X, timespans=SPANS, lengths=[9, 4, 7, 2])[0])[1, :4],
        np.array(seen(X, timespans=SPANS)[0])[1, :4],
    )
    ends = np.zeros((4, 9), bool)
    ends[:, 3] = ends[2, 8] = True
    for given in ({"ends": ends}, {"starts": np.roll(ends, 1, axis=1)}):
        parted, _ = seen(X, timespans=SPANS, **given)
        for part in (slice(0, 4), slice(4, 9)):
            alone = seen(X[:, part], timespans=SPANS[:, part])[0]
            np.testing.assert_allclose(np.array(parted[:, part]), np.array(alone), rtol=2e-5)
    assert float(mx.abs(seen(X, timespans=SPANS, ends=ends)[1][1][1][2]).sum()) == 0.0


def test_gain_and_offset_of_each_neuron_are_trained_or_stay(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    fixed = gl.observe(
        rnn, "motor", gl.Plain(gain=[20.0, 30.0], offset=-60.0, noise=[1.0, 2.0], trained=["noise"])
    )
    states = np.array(rnn(X, return_states=True)[2])[..., :2]
    np.testing.assert_allclose(np.array(fixed(X)[0]), states * [20.0, 30.0] - 60.0, rtol=1e-5)
    fixed.unfreeze()
    assert set(fixed.trainable_parameters()["indicator"]) == {"log_noise"}
    assert set(fixed.parameters()["indicator"]) == {"gain", "offset", "log_noise"}
    np.testing.assert_allclose(np.array(fixed.noise), [1.0, 2.0], rtol=1e-6)
    y = mx.array(states * 25.0 - 55.0)
    optimizer = optim.Adam(0.05, bias_correction=True)
    gl.fit(fixed, (X, y), loss=gl.training.likelihood, optimizer=optimizer, epochs=3, progress=False)
    np.testing.assert_array_equal(np.array(fixed.indicator["gain"]), [20.0, 30.0])
    assert float(mx.abs(fixed.noise - mx.array([1.0, 2.0])).min()) > 0.01
    gl.save(fixed, tmp_path / "seen.safetensors")
    again = gl.load(tmp_path / "seen.safetensors")
    np.testing.assert_array_equal(np.array(again.noise), np.array(fixed.noise))
    assert set(again.trainable_parameters()["indicator"]) == {"log_noise"}
    free = gl.observe(rnn, "motor", gl.Plain())
    assert set(free.trainable_parameters()["indicator"]) == {"gain", "offset"}
    assert free.noise is None


def test_the_likelihood_is_that_of_normal_noise() -> None:
    seen = gl.observe(gl.LTC(CIRCUIT), "motor", gl.Calcium(0.4, 1.0, noise=[0.1, 0.3]))
    said = np.array(seen(X)[0], np.float64)
    y = said + np.random.default_rng(0).normal(size=said.shape) * [0.1, 0.3]
    y[0, 3:] = y[1, :, 0] = y[3] = np.nan  # of the last sequence nothing is known
    each = -norm.logpdf(y, said, [0.1, 0.3])
    expected = np.mean([np.nanmean(each[k]) for k in range(3)])
    targets = mx.array(y.astype(np.float32))
    np.testing.assert_allclose(gl.training.likelihood(seen, X, targets).item(), expected, rtol=1e-5)
    expected = np.mean([np.nanmean((said - y)[k] ** 2) for k in range(3)])
    np.testing.assert_allclose(gl.training.mse(seen, X, targets).item(), expected, rtol=1e-5)
    scaled = gl.Scaled(seen, ["a", "b", "c"], ["u", "v"], offset=[1.0, 2.0], scale=[10.0, 5.0])
    np.testing.assert_allclose(np.array(scaled.noise), [1.0, 1.5], rtol=1e-6)
    targets = mx.array((y * [10.0, 5.0] + [1.0, 2.0]).astype(np.float32))
    expected = np.mean([np.nanmean(each[k] + np.log([10.0, 5.0])) for k in range(3)])
    np.testing.assert_allclose(gl.training.likelihood(scaled, X, targets).item(), expected, rtol=1e-4)
    _, gradients = nn.value_and_grad(
        seen, lambda model: gl.training.mse(model, X, mx.array(y.astype(np.float32)))
    )(seen)
    assert all(np.isfinite(np.array(a)).all() for _, a in tree_flatten(gradients))


def test_gaps_need_no_mask() -> None:
    rng = np.random.default_rng(0)
    seen = gl.observe(gl.LTC(CIRCUIT, key=mx.random.key(3)), "command", gl.Calcium(0.2, 1.0))
    traces = np.array(seen(X)[0])
    there = rng.random(traces.shape) < 0.7
    y = mx.array(np.where(there, traces + 0.1, np.nan).astype(np.float32))
    found = gl.training.mse(seen, X, y, mx.ones((4, 9)))
    np.testing.assert_allclose(
        found.item(), gl.training.mse(seen, X, y, mx.ones((4, 9)), mx.array(there)).item()
    )
    optimizer = optim.Adam(0.02, bias_correction=True)
    history = gl.fit(seen, (X, y), loss=gl.training.mse, optimizer=optimizer, epochs=8, progress=False)
    assert history.loss[-1] < 0.5 * history.loss[0]


def test_an_observed_network_is_perturbed_and_recorded() -> None:
    """A study of what is seen is that of the network inside, and all perturbations agree with one alone."""
    rnn = gl.LTC(CIRCUIT)
    seen = gl.observe(rnn, ["command_0", "motor_1"], gl.Calcium(0.2, 1.0))
    before = np.array(seen(X)[0])
    found = gl.study(
        seen, gl.each(["inter_0", "inter_1"], gl.studies.Silence), measure="output change", x=np.array(X)
    )
    for row in found.rows:
        with gl.silenced(seen, row.first):
            changed = np.array(seen(X)[0])
        look = np.abs(changed - before).mean()
        np.testing.assert_allclose(row.value, look, rtol=1e-4, atol=1e-6)
    y = np.where(np.arange(9)[:, None] % 2, before + 0.1, np.nan)
    found = gl.study(seen, gl.studies.Silence("inter_0"), measure="error", x=np.array(X), y=y)
    np.testing.assert_allclose(found.rows[0].baseline, 0.01, rtol=1e-4)
    recording = gl.record(seen, X)
    np.testing.assert_array_equal(recording.outputs, before)
    np.testing.assert_array_equal(recording.states, gl.record(rnn, X).states)
    stacked = gl.Stack([nn.Linear(3, 3), seen])
    assert stacked(X)[0].shape == (4, 9, 2)


def test_an_ensemble_of_what_is_seen() -> None:
    """What each member says, its state, and a gradient that reaches its indicator alone."""
    eye = gl.Calcium(0.2, 1.0, noise=0.1)
    networks = [gl.observe(gl.LTC(CIRCUIT, key=mx.random.key(k)), "command", eye) for k in range(3)]
    together = gl.ensemble(networks)
    said, (last, parts) = together(X, timespans=SPANS)
    for k, network in enumerate(networks):
        alone, (state, its) = network(X, timespans=SPANS)
        np.testing.assert_allclose(np.array(said[k]), np.array(alone), rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(np.array(last[k]), np.array(state), rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(np.array(parts[1][k]), np.array(its[1]), rtol=2e-5, atol=1e-6)
    _, gradients = nn.value_and_grad(together, lambda model: mx.square(model(X)[0][1]).mean())(together)
    reached = mx.abs(gradients["members"]["indicator"]["gain"]).sum(axis=1)
    assert (np.array(reached) > 0).tolist() == [False, True, False]
    assert together.member(2).neurons == networks[2].neurons
    assert networks[0].indicator["gain"] is not networks[1].indicator["gain"]
