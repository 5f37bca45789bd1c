"""Perturbations laid over networks: against others without what is cut, or with a sensor for who is held."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.networks.perturbing import Perturbing
from ganglion.cells.overlay import laid_over

from ..support.electrical import with_pairs

CIRCUIT = gl.auto_ncp(14, 2, inputs=3, seed=3)
X = mx.array(np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32))
SPANS = mx.array(np.random.default_rng(1).uniform(0.0, 2.0, (4, 6)).astype(np.float32))


NETWORKS: dict[str, Any] = {
    "ltc": gl.LTC,
    "ltc on operations": lambda c: gl.LTC(c, engine="ops"),
    "ltc softplus": lambda c: gl.LTC(c, positive="softplus", polarity="fixed"),
    "ltc tied": lambda c: gl.LTC(c, tie={"w": (), "gleak": ()}),
    "ltc explicit": lambda c: gl.LTC(c, solver="explicit", ode_unfolds=40),
    "cfc": gl.CfC,
    "cfc no gate": lambda c: gl.CfC(c, mode="no_gate"),
    "cfc pure": lambda c: gl.CfC(c, mode="pure"),
    "cfc at once": lambda c: gl.CfC(c, schedule="synchronous", engine="ops"),
    "ctrnn": lambda c: gl.RNN(gl.CTRNNCell(c)),
    "ctrnn rk4": lambda c: gl.RNN(gl.CTRNNCell(c, solver="rk4")),
}
OTHERS: dict[str, Any] = {
    "ltc coupled": lambda c: gl.LTC(with_pairs(c, seed=1)),
    "ctgru": lambda c: gl.RNN(gl.CTGRUCell(c, scales=3)),
    "memory": lambda c: gl.LTC(c, mixed_memory=True),
    "cfc memory": lambda c: gl.CfC(c, mixed_memory=True, engine="ops"),
    "projected": lambda c: gl.CfC(c, proj_size=3),
    "two ways": lambda c: gl.Bidirectional(gl.LTC(c), merge="sum"),
    "stack": lambda c: gl.Stack([gl.LTC(c), gl.NCPDense(2)]),
    "scaled": lambda c: gl.Scaled(gl.LTC(c), ["a", "b", "c"], ["y", "z"], spread=[2.0, 3.0, 4.0]),
}


def made(kind: str, circuit: Any = CIRCUIT) -> Any:
    mx.random.seed(7)
    network = (NETWORKS | OTHERS)[kind](circuit)
    if not network.built:
        network.build((1, 2, 3))
    return network


@contextmanager
def perturbed(network: Any, what: str, *arguments: Any) -> Iterator[Any]:
    writer = Perturbing(network)
    getattr(writer, what)(*arguments)
    with laid_over(writer.overlays()):
        yield network


def run(network: Any, x: Any = X, **given: Any) -> Any:
    result = network(x, timespans=SPANS, **given)
    return np.array(result[0] if isinstance(result, tuple) else result)


@pytest.mark.filterwarnings("ignore:the '.*' solver may blow up")
@pytest.mark.parametrize("kind", [*NETWORKS, *OTHERS])
def test_a_lesion_in_place_is_the_network_without_the_neurons(kind: str) -> None:
    network = made(kind)
    names = ["inter_1", "command_0", "motor_0"] if kind not in ("projected", "stack") else ["inter_1"]
    expected = run(gl.lesion(network, names, keep_shapes=False))
    found = gl.lesion(network, names, keep_shapes=True)
    outputs = run(found)
    if len(names) > 1:
        assert not outputs[..., 0].any()
        outputs = outputs[..., 1:]
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    before = run(network)
    assert np.abs(run(network)[..., -1] - outputs[..., -1]).max() > 1e-4
    blind = gl.lesion(network, "sensory_1", keep_shapes=True)
    x = np.array(X)
    x[..., 1] = np.nan  # which nobody reads
    np.testing.assert_allclose(
        run(blind, mx.array(x)),
        run(gl.lesion(network, "sensory_1", keep_shapes=False), X[..., [0, 2]]),
        atol=1e-6,
    )
    assert np.array_equal(run(network), before)


def with_a_sensor(network: Any, kind: str, name: str) -> Any:
    """The same network, in which a neuron is a sensor; its parameters are copied by the names of synapses."""
    circuit = gl.Circuit()
    for node, data in CIRCUIT.nodes(data=True):
        if node != name:
            circuit.add_node(node, **data)
    circuit.add_neuron(name, role="sensory")
    circuit.add_edges_from((u, v, d) for u, v, d in CIRCUIT.edges(data=True) if v != name)
    twin = made(kind, circuit)
    old, new = network.cell.compiled.plan, twin.cell.compiled.plan
    values: dict[str, np.ndarray] = {}
    for key, p in network.cell.declared().items():
        source = np.array(network.cell.effective()[key])
        if p.home == "recurrent":
            pairs = {
                (old.neurons[i], old.neurons[j]): k
                for k, (i, j) in enumerate(zip(old.recurrent.pre, old.recurrent.post, strict=True))
            }
            sensory = {
                (old.sensors[i], old.neurons[j]): k
                for k, (i, j) in enumerate(zip(old.sensory.pre, old.sensory.post, strict=True))
            }
            values[key] = np.array(
                [
                    source[pairs[new.neurons[i], new.neurons[j]]]
                    for i, j in zip(new.recurrent.pre, new.recurrent.post, strict=True)
                ]
            )
            from_sensors = np.array(network.cell.effective()[f"sensory_{key}"])
            values[f"sensory_{key}"] = np.array(
                [
                    source[pairs[name, new.neurons[j]]]
                    if new.sensors[i] == name
                    else from_sensors[sensory[new.sensors[i], new.neurons[j]]]
                    for i, j in zip(new.sensory.pre, new.sensory.post, strict=True)
                ]
            )
        elif p.home == "neuron":
            values[key] = source[[old.neurons.index(n) for n in new.neurons]]
        elif p.home == "motor":
            values[key] = source
    for key, array in values.items():
        twin.cell.begin_at(key, array.astype(np.float64))
    return twin


@pytest.mark.filterwarnings("ignore:the '.*' solver may blow up")
@pytest.mark.parametrize("value", [0.0, 0.6, -0.3])
@pytest.mark.parametrize("name", ["inter_2", "command_1"])
@pytest.mark.parametrize("kind", [k for k in NETWORKS if "tied" not in k])
def test_a_silenced_neuron_is_a_sensor_of_one_value(kind: str, name: str, value: float) -> None:
    network = made(kind)
    twin = with_a_sensor(network, kind, name)
    x = mx.concatenate([X, mx.full((4, 6, 1), value)], axis=-1)
    with perturbed(network, "silence", name, value):
        outputs, _, states = network(X, timespans=SPANS, return_states=True)
        k = network.cell.neurons.index(name)
        np.testing.assert_allclose(states[..., k], value, atol=1e-6)
        np.testing.assert_allclose(outputs, run(twin, x), atol=2e-6)
        alone = gl.record(network, X[0], timespans=SPANS[0])
        np.testing.assert_allclose(alone.of(name), value, atol=1e-6)
        stream = network.stream(4)
        for t in range(6):
            said = stream(X[:, t], SPANS[:, t])
            np.testing.assert_allclose(said, outputs[:, t], atol=2e-6)


@pytest.mark.filterwarnings("ignore:running plain operations")
@pytest.mark.parametrize("kind", ["ltc", "cfc", "ctrnn"])
def test_held_neurons_stay_so_behind_the_end_of_an_episode(kind: str) -> None:
    network = made(kind)
    twin = with_a_sensor(network, kind, "command_1")
    x = mx.concatenate([X, mx.full((4, 6, 1), 0.5)], axis=-1)
    ends = np.zeros((4, 6), bool)
    ends[:, 2] = True
    with perturbed(network, "silence", "command_1", 0.5):
        np.testing.assert_allclose(run(network, ends=ends), run(twin, x, ends=ends), atol=2e-6)


def test_gradients_go_through_what_is_perturbed() -> None:
    """Against differences: the fused kernel beside a neuron that is held."""
    network = made("ltc")
    with perturbed(network, "silence", "command_0", 0.3):
        fused = mx.grad(lambda x: mx.square(network(x)[0]).sum())(X)
        network.engine = "ops"
        plain = mx.grad(lambda x: mx.square(network(x)[0]).sum())(X)
    np.testing.assert_allclose(fused, plain, atol=1e-5)


def test_synapses_are_cut_scaled_and_flipped() -> None:
    pre, post, _ = CIRCUIT.synapses("command", "motor")[0]
    for kind in ("ltc", "cfc", "cfc pure", "ctrnn", "ctgru"):
        network = made(kind)
        with perturbed(network, "scale", pre, post, 0.0):
            cut = run(network)
        np.testing.assert_allclose(cut, run(gl.lesion(network, synapses=[(pre, post)])), atol=1e-6)
        with perturbed(network, "scale", pre, post, 1.0):
            np.testing.assert_array_equal(run(network), run(network))
        plan = network.cell.compiled.plan
        place = int(
            plan.recurrent.find(np.array([plan.neurons.index(pre)]), np.array([plan.neurons.index(post)]))[0]
        )
        names = {
            "ltc": (["w"], ["erev"]),
            "ctrnn": (["rate_w"],) * 2,
            "ctgru": (["detect_w"],) * 2,
            "cfc": (["ff1_w", "ff2_w"],) * 2,
            "cfc pure": (["ff1_w"],) * 2,
        }[kind]
        for what, factor, touched in (("scale", 2.5, names[0]), ("flip", -1.0, names[1])):
            twin = copy.deepcopy(network)
            for key in touched:
                values = np.array(twin.cell[key])
                values[place] *= factor
                twin.cell[key] = mx.array(values)
            arguments = (pre, post, factor) if what == "scale" else (pre, post)
            with perturbed(network, what, *arguments):
                np.testing.assert_allclose(run(network), run(twin), atol=1e-6)


def test_a_current_adds_to_what_reaches_a_neuron() -> None:
    for kind, key in (("ctrnn", "rate_b"), ("ctgru", "detect_b"), ("cfc pure", "ff1_b")):
        network = made(kind)
        twin = copy.deepcopy(network)
        values = np.array(twin.cell[key])
        values[network.cell.neurons.index("inter_0")] += 0.7
        twin.cell[key] = mx.array(values)
        with perturbed(network, "stimulate", "inter_0", 0.7):
            np.testing.assert_allclose(run(network), run(twin), atol=1e-6)
    ltc = made("ltc")
    k = ltc.cell.neurons.index("inter_0")
    twin = copy.deepcopy(ltc)
    values = np.array(twin.cell.vleak)
    values[k] += 0.7 / np.array(ltc.cell.gleak)[k]
    twin.cell.vleak = mx.array(values)
    with perturbed(ltc, "stimulate", "inter_0", 0.7):
        np.testing.assert_allclose(run(ltc), run(twin), atol=1e-6)


def test_sensors_show_values_currents_and_noise_in_the_units_of_their_data() -> None:
    plain, scaled = made("ltc"), made("scaled")
    x = np.array(X)
    for network, name in ((plain, "sensory_1"), (scaled, "b")):
        shown = x.copy()
        shown[..., 1] = 0.8
        with perturbed(network, "silence", name, 0.8):
            np.testing.assert_allclose(run(network), run(network, mx.array(shown)), atol=1e-6)
            inside = run(network)
        np.testing.assert_allclose(inside, run(network, mx.array(shown)), atol=1e-6)
        shown[..., 1] = x[..., 1] + 0.8
        with perturbed(network, "stimulate", name, 0.8):
            inside = run(network)
        np.testing.assert_allclose(inside, run(network, mx.array(shown)), atol=1e-5)
        with perturbed(network, "noise", name, 5.0, 0.1, 3):
            seen = gl.record(network, X, timespans=SPANS).inputs
            assert np.array_equal(run(network), run(network))
            with pytest.raises(ValueError, match="cannot be streamed"):
                network.stream()
        assert abs(seen[..., 1].mean() - 5.0) < 0.1
        np.testing.assert_allclose(seen[..., [0, 2]], x[..., [0, 2]], atol=1e-6)


def test_perturbations_add_up_and_nest() -> None:
    network = made("cfc")
    writer = Perturbing(network)
    writer.lesion("inter_0")
    writer.silence("command_0", 0.2)
    with laid_over(writer.overlays()):
        both = run(network)
    with perturbed(network, "lesion", "inter_0"):
        with perturbed(network, "silence", "command_0", 0.2):
            np.testing.assert_array_equal(run(network), both)
        outside = run(network)
    with perturbed(network, "lesion", "inter_0"):
        np.testing.assert_array_equal(run(network), outside)


@pytest.mark.parametrize(
    "do",
    [
        lambda n: gl.save(n, "n.safetensors"),
        lambda n: gl.ensemble([n]),
        lambda n: gl.untie(n),
        lambda n: gl.carried(n, CIRCUIT),
        lambda n: gl.lesion(n, "inter_1"),
    ],
)
def test_what_would_lose_a_perturbation_is_refused(do: Any, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    network = made("ltc")
    with perturbed(network, "silence", "inter_0", 0.0), pytest.raises(ValueError, match="is perturbed, and"):
        do(network)
    do(network)


@pytest.mark.parametrize(
    ("what", "arguments", "error"),
    [
        ("silence", ("AVA", 0.0), "there is no neuron 'AVA'"),
        ("silence", ("inter_0", 1.5), "held between -1 and 1"),
        ("silence", ("inter_0", "rset"), "unknown to 'rset'"),
        ("scale", ("motor_0", "inter_0", 2.0), "there is no synapse from 'motor_0' to 'inter_0'"),
        ("noise", ("inter_0", None, None, 0), "neuron 'inter_0' is no sensor"),
        ("stimulate", ("inter_0", float("nan")), "current must be finite"),
    ],
)
def test_what_cannot_be_done_is_said(what: str, arguments: Any, error: str) -> None:
    with pytest.raises(ValueError, match=error), perturbed(made("cfc"), what, *arguments):
        pass


def test_a_cell_that_does_not_say_how_is_named() -> None:
    class Leaky(gl.NCPRNNCell):
        homes = {"gain": "recurrent", "sensory_gain": "sensory"}  # noqa: RUF012

        def __init__(self, circuit: Any) -> None:
            super().__init__(circuit)
            plan = self.compiled.plan
            self.gain = mx.ones((len(plan.recurrent),))
            self.sensory_gain = mx.ones((len(plan.sensory),))

        def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
            p, c = self.effective(), self.compiled
            drive = c.sensory.matmul(x, c.sensory.weights(p["sensory_gain"]))
            return mx.tanh(drive + c.recurrent.matmul(state, c.recurrent.weights(p["gain"])))

    network = gl.RNN(Leaky(CIRCUIT))
    with pytest.raises(TypeError, match="a Leaky does not say how its neurons are held"):
        gl.lesion(network, "inter_0", keep_shapes=True)
    pre, post, _ = CIRCUIT.synapses()[0]
    cut = gl.lesion(network, synapses=[(pre, post)], keep_shapes=True)
    np.testing.assert_allclose(run(cut), run(gl.lesion(network, synapses=[(pre, post)])), atol=1e-6)
