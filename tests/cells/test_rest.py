"""The state at which a network stays with a constant input: found, differentiated, and taken everywhere."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.networks import resting
from ganglion.cells.ops.state_ops import parted

COMPILER = shutil.which("cc") or shutil.which("gcc")
CIRCUIT = gl.auto_ncp(16, 3, inputs=4, seed=5)
KEY = mx.random.key(3)
X = mx.array([0.3, -0.2, 0.5, 0.1])
MAKERS = {
    "ltc": lambda: gl.LTC(CIRCUIT, key=KEY),
    "memory": lambda: gl.LTC(CIRCUIT, key=KEY, mixed_memory=True),
    "cfc": lambda: gl.CfC(CIRCUIT, key=KEY),
    "ctrnn": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT, key=KEY)),
    "dense": lambda: gl.CfC(gl.dense(4, 8), key=KEY),
    "stack": lambda: gl.Stack([gl.LTC(CIRCUIT, key=KEY), gl.NCPDense(4), gl.CfC(CIRCUIT, key=KEY)]),
    "both": lambda: gl.Bidirectional(gl.CfC(CIRCUIT, key=KEY)),
    "scaled": lambda: gl.Scaled(
        gl.LTC(CIRCUIT, key=KEY), list("abcd"), list("xyz"), mean=[1.0, 2, 3, 4], spread=2.0, time_unit=0.1
    ),
    "observed": lambda: gl.observe(gl.LTC(CIRCUIT, key=KEY), "command", gl.Calcium(0.5, 2.0, gain=3.0)),
}


def leaves(state: Any) -> list[mx.array]:
    if isinstance(state, tuple):
        return [leaf for part in state for leaf in leaves(part)]
    return [state]


def apart(one: Any, other: Any) -> float:
    pairs = zip(leaves(one), leaves(other), strict=True)
    return max(mx.abs(a - b).max().item() for a, b in pairs)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_network_stays_where_it_rests(kind: str) -> None:
    network = MAKERS[kind]()
    for inputs in (None, X):
        state = gl.rest(network, inputs)
        x = mx.zeros((1, 4)) if inputs is None else inputs[None]
        assert apart(network(x, state)[1], state) < 1e-6
        later = network(mx.broadcast_to(x, (40, 4)), state)[0]
        assert mx.abs(later - later[:1]).max().item() < 2e-6
    rows = gl.rest(network, mx.stack([X, mx.zeros((4,))]))
    assert apart(tuple(part[0] for part in leaves(rows)), tuple(leaves(state))) < 1e-5
    sequence = mx.random.normal((2, 5, 4), key=KEY)
    zero = gl.rest(network)
    found, _ = network(sequence, "rest")
    expected = mx.stack([network(row, zero)[0] for row in sequence])
    assert mx.allclose(found, expected, atol=2e-6)
    assert mx.allclose(network(sequence[0], "rest")[0], expected[0], atol=2e-6)


def test_it_is_where_the_network_goes_and_not_where_it_only_slows_down() -> None:
    slow = gl.LTC(CIRCUIT, key=KEY)
    slow.cell.cm = slow.cell.cm * 300.0  # a step moves it little, far from its rest
    fast = gl.LTC(CIRCUIT, key=KEY)
    assert apart(gl.rest(slow, X), gl.rest(fast, X)) < 2e-3  # the equation's is the same
    assert apart(gl.rest(slow, X, timespan=300.0), gl.rest(fast, X)) < 2e-5
    plain = gl.LTC(CIRCUIT, key=KEY, engine="ops")
    assert apart(plain(X[None], gl.rest(fast, X))[1], gl.rest(fast, X)) < 1e-6
    assert apart(gl.rest(fast, X, timespan=50.0), gl.rest(fast, X)) < 1e-5
    cfc = gl.CfC(CIRCUIT, key=KEY)  # a closed form has another one for another time span
    state = gl.rest(cfc, X, timespan=0.2)
    assert apart(cfc(X[None], state, 0.2)[1], state) < 1e-6


@pytest.mark.parametrize("kind", ["ltc", "cfc", "memory", "scaled"])
def test_gradients_are_those_of_a_long_run(kind: str) -> None:
    network = MAKERS[kind]()
    mx.eval(network.parameters())

    def weighed(state: Any) -> mx.array:
        return sum(((k + 1) * part * mx.arange(part.size)).sum() for k, part in enumerate(leaves(state)))

    def implicit(model: nn.Module, x: mx.array) -> mx.array:
        return weighed(gl.rest(model, x * 1.5))

    def unrolled(model: nn.Module, x: mx.array) -> mx.array:
        return weighed(model(mx.broadcast_to(x * 1.5, (2500, 4)))[1])

    found, expected = (dict(tree_flatten(mx.grad(
        lambda p, f=f: (network.update(p), f(network, X))[1])(network.parameters())))
        for f in (implicit, unrolled))  # fmt: skip
    for name, gradient in expected.items():
        if gradient.size:
            scale = max(1.0, mx.abs(gradient).max().item())
            assert mx.abs(found[name] - gradient).max().item() < 1e-4 * scale, name
    by_x = [np.array(mx.grad(partial(f, network))(X)) for f in (implicit, unrolled)]
    assert np.abs(by_x[1]).max() > 0.1
    np.testing.assert_allclose(by_x[0], by_x[1], rtol=1e-3, atol=1e-3)
    for k in range(4):
        step = mx.array(np.eye(4, dtype=np.float32)[k] * 1e-2)
        slope = (implicit(network, X + step) - implicit(network, X - step)).item() / 2e-2
        assert by_x[0][k] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def test_large_states_have_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    network = gl.LTC(CIRCUIT, key=KEY)

    def loss(x: mx.array) -> mx.array:
        return (gl.rest(network, x) * mx.arange(16)).sum()

    small, states = mx.grad(loss)(X), gl.rest(network, X)
    monkeypatch.setattr(resting, "MOST", 4)
    assert mx.allclose(mx.grad(loss)(X), small, rtol=1e-4, atol=1e-4)
    assert apart(gl.rest(network, X), states) < 1e-5


def pair(weights: list[float]) -> gl.RNN:
    """Two neurons that drive each other, and each itself: a to b, b to a, and to themselves."""
    circuit = gl.Circuit()
    circuit.add_neuron("light", role="sensory")
    for name in ("left", "right"):
        circuit.add_neuron(name, role="motor")
        circuit.add_synapse("light", name)
        for other in ("left", "right"):
            circuit.add_synapse(other, name) if other in circuit else None
    circuit.add_synapse("right", "left")
    rnn = gl.RNN(gl.CTRNNCell(circuit, key=KEY))
    plan = rnn.cell.compiled.plan
    pairs = [
        (plan.neurons[i], plan.neurons[j])
        for i, j in zip(plan.recurrent.pre, plan.recurrent.post, strict=True)
    ]
    given = dict(
        zip(
            [("left", "left"), ("left", "right"), ("right", "left"), ("right", "right")], weights, strict=True
        )
    )
    rnn.cell.rate_w = mx.array([given[each] for each in pairs])
    rnn.cell.rate_b = mx.array([0.1, -0.05])
    return rnn


def test_where_there_is_no_rest_the_restless_neuron_is_named() -> None:
    turning = pair([2.5, 3.0, -3.0, 2.5])  # it has a fixed point, which it leaves
    with pytest.raises(ValueError, match=r"no state at rest.*neuron '(left|right)' still moves by 0\.\d+"):
        gl.rest(turning)
    still = pair([0.1, 0.3, -0.3, 0.1])
    assert apart(still(mx.zeros((1, 1)), gl.rest(still))[1], gl.rest(still)) < 1e-6
    spiking = gl.RNN(gl.LIF(CIRCUIT, key=KEY))
    with pytest.raises(ValueError, match="still moves by"):
        spiking(mx.zeros((3, 4)), "rest")


def test_delays_and_perturbations_have_a_rest_too() -> None:
    class Late(gl.EquationCell):
        parameters: ClassVar = {"w": gl.synapse(-0.4, 0.4), "b": gl.neuron(-0.5, 0.5)}
        synapse: ClassVar = {"i": "w * h_pre"}
        dynamics = "dh/dt = tanh(i + b) - h"

    late = gl.RNN(Late(CIRCUIT, delays=3, key=KEY))
    state = gl.rest(late)
    assert len(state) > 1
    assert apart(late(mx.zeros((1, 4)), state)[1], state) < 1e-6
    rnn = gl.LTC(CIRCUIT, key=KEY)
    with gl.perturbed(rnn, gl.studies.Silence("inter_0", 0.7)) as held:
        state = gl.rest(held)
        place = rnn.cell.neurons.index("inter_0")
        assert state[place].item() == pytest.approx(0.7, abs=1e-5)
        assert apart(held(mx.zeros((1, 4)), state)[1], state) < 1e-6


def test_ensembles_streams_and_training_start_at_rest() -> None:
    members = [gl.LTC(CIRCUIT, key=mx.random.key(k)) for k in range(3)]
    ensemble, x = gl.ensemble(members), mx.random.normal((2, 6, 4), key=KEY)
    assert mx.allclose(ensemble(x, "rest")[0], mx.stack([m(x, "rest")[0] for m in members]), atol=1e-5)
    assert gl.rest(ensemble, X).shape == (3, 16)
    slopes = mx.grad(lambda p: (ensemble.update(p), ensemble(x, "rest")[0].sum())[1])(ensemble.parameters())
    own = nn.value_and_grad(members[1], lambda m: m(x, "rest")[0].sum())(members[1])[1]
    assert mx.allclose(slopes["members"]["cell"]["gleak"][1], own["cell"]["gleak"], rtol=1e-3, atol=1e-3)

    for rnn in (members[0], MAKERS["scaled"]()):
        stream, rows = rnn.stream(), rnn.stream(2)
        stream.state = rows.state = "rest"
        expected = rnn(x, "rest")[0]
        assert mx.allclose(mx.stack([stream(sample) for sample in x[0]]), expected[0], atol=1e-5)
        assert mx.allclose(mx.stack([rows(x[:, t]) for t in range(6)], axis=1), expected, atol=1e-5)

    loss = partial(gl.training.mse, state="rest")
    rnn, y = members[0], mx.zeros((2, 6, 3))
    before = loss(rnn, x, y).item()
    adam = optim.Adam(0.02, bias_correction=True)
    gl.fit(rnn, (x, y), loss=loss, optimizer=adam, epochs=12, batch_size=2, progress=False)
    assert loss(rnn, x, y).item() < before / 2


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_the_c_begins_where_it_is_told(tmp_path: Path) -> None:
    for name in ("scaled", "memory"):
        network = MAKERS[name]()
        path = tmp_path / "policy.c"
        gl.export_c(network, path, state="rest")
        assert "policy_start0" in path.read_text()
        program = tmp_path / name
        command = [COMPILER, "-O1", "-Dpolicy_MAIN", path, "-o", program, "-lm"]
        subprocess.run(command, check=True, timeout=60)
        x = np.array(mx.random.normal((5, 4), key=KEY), np.float32)
        text = "\n".join(",".join(map(repr, row.tolist())) for row in x)
        done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=20, check=True)
        found = np.array([[float(v) for v in line.split(",")] for line in done.stdout.split()])
        np.testing.assert_allclose(found, np.array(network(mx.array(x), "rest")[0]), atol=2e-6)
    with pytest.raises(ValueError, match=r"the state has shapes \(3,\): expected \(16,\), \(16,\)"):
        gl.export_c(network, path, state=mx.zeros((3,)))


def test_what_cannot_rest_is_told_in_a_sentence() -> None:
    rnn = gl.LTC(CIRCUIT, key=KEY)
    with pytest.raises(ValueError, match="the state is 'zero': expected an array, or 'rest'"):
        rnn(mx.zeros((3, 4)), "zero")
    with pytest.raises(ValueError, match="no sensor 'sensory_00'; did you mean 'sensory_0'"):
        gl.rest(rnn, {"sensory_00": 1.0})
    with pytest.raises(ValueError, match=r"inputs have shape \(3,\): expected \(4,\) or \(B, 4\)"):
        gl.rest(rnn, [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="expected a network over sequences"):
        gl.rest(rnn.cell)
    with pytest.raises(ValueError, match=r"inside mx\.compile"):
        mx.compile(lambda x: rnn(x, gl.rest(rnn, x[0]))[0])(mx.zeros((3, 4)))
    assert isinstance(parted(gl.rest(rnn)), tuple)
