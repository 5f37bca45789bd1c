"""What survives an edit keeps exactly its numbers, compared by name, in every cell and container.

The circuits are drawn so that numbers of neurons and synapses often agree: what tells a value per synapse
from one per neuron must not be its length.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.belonging import without_digests


class Leaky(gl.NCPRNNCell):
    """A cell of a user's own, whose parameters have names of its own."""

    homes = {"gain": "recurrent", "drive": "sensory", "rest": "neuron", "readout": ("motor", "free")}  # noqa: RUF012

    def __init__(self, circuit: Any) -> None:
        super().__init__(circuit)
        plan = self.compiled.plan
        self.gain = mx.random.normal((len(plan.recurrent),))
        self.drive = mx.random.normal((len(plan.sensory),))
        self.rest = mx.random.normal((plan.n_neurons,))
        self.readout = mx.random.normal((plan.n_outputs, 2))

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        recurrent, sensory = self.compiled.recurrent, self.compiled.sensory
        drive = sensory.matmul(x, sensory.weights(self.drive)) + self.rest
        return mx.tanh(drive + recurrent.matmul(state, recurrent.weights(self.gain)))


NETWORKS: dict[str, Any] = {
    "ltc": gl.LTC,
    "ltc without mappings": lambda c: gl.LTC(c, input_mapping=None, output_mapping="linear"),
    "ltc fixed": lambda c: gl.LTC(c, polarity="fixed", positive="softplus"),
    "cfc": gl.CfC,
    "cfc pure": lambda c: gl.CfC(c, mode="pure"),
    "cfc compat": lambda c: gl.CfC(c, ncps_compat=True),
    "ctrnn": lambda c: gl.RNN(gl.CTRNNCell(c)),
    "ctgru": lambda c: gl.RNN(gl.CTGRUCell(c, scales=2)),
    "own": lambda c: gl.RNN(Leaky(c)),
    "mixed memory": lambda c: gl.LTC(c, mixed_memory=True),
    "projected": lambda c: gl.CfC(c, proj_size=2),
    "bidirectional": lambda c: gl.Bidirectional(gl.LTC(c)),
    "stack": lambda c: gl.Stack([gl.LTC(c), gl.NCPDense(3), gl.NCPDense(2)]),
    "stack with linear": lambda c: gl.Stack([gl.CfC(c), nn.Linear(outputs(c), 2)]),
}


def outputs(circuit: gl.Circuit) -> int:
    return sum(role == "motor" for _, role in circuit.nodes(data="role"))


@st.composite
def circuits(draw: st.DrawFn) -> gl.Circuit:
    """Few neurons, and synapses so many that E = N, S = N or E = S, or any number."""
    sensors, inter, motor = (draw(st.integers(low, 4)) for low in (1, 0, 1))
    circuit = gl.Circuit()
    names = {"sensory": sensors, "inter": inter, "motor": motor}
    for role, count in names.items():
        for k in range(count):
            circuit.add_neuron(f"{role[0]}{k}", role=role)
    states = [name for name, role in circuit.nodes(data="role") if role != "sensory"]
    recurrent = [(a, b) for a in states for b in states]
    sensory = [(f"s{k}", b) for k in range(sensors) for b in states]
    n = len(states)
    e, s = draw(st.sampled_from([(n, n), (n, None), (None, n), (None, None)]))
    e = draw(st.integers(0, len(recurrent))) if e is None else min(e, len(recurrent))
    s = draw(st.integers(0, len(sensory))) if s is None else min(s, len(sensory))
    if draw(st.booleans()):
        e = s = min(e, s)
    for pairs, count in ((recurrent, e), (sensory, s)):
        for pre, post in draw(st.permutations(pairs))[:count]:
            circuit.add_synapse(pre, post, polarity=draw(st.sampled_from([1, -1])))
    return circuit


def labelled(network: Any) -> dict[str, Any]:
    """Every parameter over the names of what it lies on, from our own tables of the equations' parameters."""
    found: dict[str, Any] = {}
    cells = {
        path: module
        for path, module in network.named_modules()
        if isinstance(module, gl.NCPRNNCell) and not isinstance(module, gl.cells.CellWrapper)
    }
    for path, cell in cells.items():
        for name, array in without_digests(dict(tree_flatten(cell.parameters()))).items():
            found |= _entries(f"{path}.{name}", np.array(array), *_homes(cell, name))
    return found


def _homes(cell: Any, name: str) -> tuple[list[Any], ...]:
    plan = cell.compiled.plan
    if getattr(cell, "ncps_compat", False) and "ff" in name and name.endswith("_w"):
        plan = cell.signal
    pairs = {}
    for side, names in (("recurrent", plan.neurons), ("sensory", plan.sensors)):
        synapses = getattr(plan, side)
        ends = zip(synapses.pre, synapses.post, strict=True)
        pairs[side] = [(names[i], plan.neurons[j]) for i, j in ends]
    motors, two = list(plan.neurons[: plan.n_outputs]), [0, 1]
    own = {"gain": ["recurrent"], "drive": ["sensory"], "rest": ["n"], "readout": ["m", "two"]}
    if isinstance(cell, Leaky):
        kinds = own[name]
    elif name in ("input_w", "input_b"):
        kinds = ["s"]
    elif name in ("output_w", "output_b"):
        kinds = ["m"]
    elif name.startswith("sensory_"):
        kinds = ["sensory"]
    elif name in ("w", "mu", "sigma", "erev") or (name.endswith("_w") and name != "w_tau"):
        kinds = ["recurrent"]
    else:
        kinds = ["n"]
    named = {"n": list(plan.neurons), "s": list(plan.sensors), "m": motors, "two": two} | pairs
    return tuple(named[kind] for kind in kinds)


def _entries(path: str, values: Any, *axes: list[Any]) -> dict[str, float]:
    assert values.shape == tuple(len(axis) for axis in axes), path
    flat = {}
    for index in np.ndindex(values.shape):
        flat[f"{path}[{', '.join(str(axis[k]) for axis, k in zip(axes, index, strict=True))}]"] = float(
            values[index]
        )
    return flat


def shuffled(network: Any, seed: int) -> Any:
    """A network all of whose numbers differ."""
    rng = np.random.default_rng(seed)
    values = [
        (name, mx.array(rng.uniform(0.1, 1, a.shape))) for name, a in tree_flatten(network.parameters())
    ]
    network.load_weights(values)
    return network


@pytest.mark.parametrize("kind", NETWORKS)
@given(circuit=circuits(), seed=st.integers(0, 99), data=st.data())
def test_what_survives_a_lesion_keeps_its_numbers(
    kind: str, circuit: gl.Circuit, seed: int, data: st.DataObject
) -> None:
    network = NETWORKS[kind](circuit)
    if not network.built:
        network.build((1, 1, network.input_size))
    network = shuffled(network, seed)
    candidates = [n for n in circuit if n not in ("m0", "s0")]
    gone = data.draw(st.lists(st.sampled_from(candidates), unique=True, max_size=3)) if candidates else []
    cut = (
        data.draw(st.lists(st.sampled_from(list(circuit.edges)), unique=True, max_size=2))
        if circuit.edges
        else []
    )
    if kind == "cfc compat":
        cut = []  # there, pairs inside a layer are no synapses of the circuit
    before = labelled(network)
    ablated = gl.lesion(network, gone, cut, keep_shapes=False)
    edited = circuit.copy()
    edited.remove_edges_from(cut)
    edited.remove_nodes_from(gone)
    after = labelled(ablated)
    # What there is now is what a network made over the edited circuit has, with the numbers of the old one.
    assert after.keys() == labelled(_made(kind, edited)).keys()
    assert after == {key: before[key] for key in after}
    assert labelled(network) == before
    x = mx.array(np.random.default_rng(seed).normal(size=(2, 3, len([n for n in edited if n[0] == "s"]))))
    assert bool(mx.isfinite(_out(ablated(x))).all())


def _made(kind: str, circuit: gl.Circuit) -> Any:
    network = NETWORKS[kind](circuit)
    if not network.built:
        network.build((1, 1, network.input_size))
    return network


def _out(result: Any) -> mx.array:
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("kind", NETWORKS)
@given(circuit=circuits(), seed=st.integers(0, 99), data=st.data())
def test_what_is_carried_over_a_renaming_keeps_its_numbers(
    kind: str, circuit: gl.Circuit, seed: int, data: st.DataObject
) -> None:
    network = shuffled(_made(kind, circuit), seed)
    names = list(circuit)
    new_names = dict(zip(names, data.draw(st.permutations(names)), strict=True))
    roles = nx_roles(circuit)
    same = all(roles[a] == roles[b] for a, b in new_names.items())
    renames = new_names if same else {names[0]: "AVA"}
    edited = circuit.copy()
    edited.rename(renames)
    carried = gl.carried(network, edited, renames=renames)
    before = labelled(network)
    assert sorted(labelled(carried).values()) == sorted(before.values())
    x = mx.array(np.random.default_rng(seed).normal(size=(2, 3, len(network_sensors(network)))))
    # The order of neurons inside a role is that of the graph, which a renaming leaves alone.
    np.testing.assert_allclose(np.array(_out(carried(x))), np.array(_out(network(x))), atol=2e-6)


def nx_roles(circuit: gl.Circuit) -> dict[str, str]:
    return dict(circuit.nodes(data="role"))


def network_sensors(network: Any) -> tuple[str, ...]:
    return next(m.sensors for _, m in network.named_modules() if isinstance(m, gl.NCPRNNCell))


def test_missing_values_lose_a_feature_with_all_that_is_known_of_it() -> None:
    circuit = gl.auto_ncp(12, 2, inputs=9, seed=1)
    network = gl.RNN(gl.MissingValueCell(gl.LTCCell(circuit)))
    ablated = gl.lesion(network, "sensory_1", keep_shapes=False)
    assert ablated.cell.sensors == ("sensory_0", "sensory_2")
    inner = [name for name in circuit if circuit.nodes[name]["role"] == "sensory"]
    assert ablated.cell.cell.sensors == tuple(inner[k] for k in (0, 2, 3, 5, 6, 8))
    with pytest.raises(gl.CircuitError, match="no neuron 'sensory_4'"):  # what is known of sensory_1
        gl.lesion(network, "sensory_4")


def test_a_head_follows_the_outputs_that_are_left() -> None:
    circuit = gl.auto_ncp(12, 3, inputs=4, seed=1)
    network = gl.Stack([gl.LTC(circuit), gl.NCPDense(2)])
    network.build((1, 1, 4))
    ablated = gl.lesion(network, "motor_1")
    assert np.array_equal(np.array(ablated.layers[1].weight), np.array(network.layers[1].weight)[[0, 2]])
    deeper = gl.Stack([gl.LTC(circuit), gl.CfC(gl.auto_ncp(9, 2, inputs=3, seed=2))])
    with pytest.raises(
        gl.CircuitError, match=r"neuron 'motor_1' is in layers\.0\.circuit, layers\.1\.circuit"
    ):
        gl.lesion(deeper, "motor_1")
    with pytest.raises(ValueError, match="reads 3 features, but layer 0"):
        gl.lesion(deeper, ["motor_2"])


@pytest.mark.parametrize(
    ("front", "columns"),
    [
        (lambda c: gl.Bidirectional(gl.LTC(c)), [0, 2, 3, 5]),
        (lambda c: gl.Bidirectional(gl.LTC(c), merge="sum"), [0, 2]),
        (lambda c: gl.Stack([gl.CfC(c)]), [0, 2]),
        (lambda c: gl.Stack([gl.Bidirectional(gl.CfC(c))]), [0, 2, 3, 5]),
    ],
)
def test_a_head_follows_what_merges_and_nests(front: Any, columns: list[int]) -> None:
    """The outputs that are left give what they gave: the head without the columns of the removed motor."""
    circuit = gl.Circuit()  # whose motors do not hear each other
    circuit.add_neurons(["a", "b"], role="sensory")
    circuit.add_neurons(["left", "middle", "right"], role="motor")
    circuit.connect("sensory", "motor")
    network = front(circuit)
    width = network.compute_output_shape((1, 2, 2))[-1]
    stack = gl.Stack([network, nn.Linear(width, 2)])
    ablated = gl.lesion(stack, "middle", keep_shapes=False)
    x = mx.random.normal((2, 5, 2))
    head = stack.layers[1]
    expected = network(x)[0][..., columns] @ head.weight[:, columns].T + head.bias
    np.testing.assert_allclose(ablated(x)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC])
def test_a_network_without_its_last_sensor_runs_on_by_itself(make: Any) -> None:
    network = make(gl.auto_ncp(8, 2, inputs=1, seed=1))
    blind = gl.lesion(network, "sensory_0", keep_shapes=False)
    assert blind.input_size == 0
    outputs, _ = blind(mx.zeros((2, 5, 0)), mx.full((2, 8), 0.5))
    assert outputs.shape == (2, 5, 2)
    assert bool(mx.isfinite(outputs).all())


def test_a_parameter_without_a_home_is_named() -> None:
    class Silent(Leaky):
        homes = {"gain": "recurrent", "drive": "sensory", "rest": "neuron"}  # noqa: RUF012

    with pytest.raises(ValueError, match="the Silent does not say what its parameter 'readout' lies on"):
        gl.lesion(gl.RNN(Silent(gl.auto_ncp(12, 3, inputs=4))), "inter_0")


def test_the_example_of_the_base_class_can_be_lesioned() -> None:
    source = gl.NCPRNNCell.__doc__ or ""
    lines = [
        line.strip()[4:] for line in source.splitlines() if line.strip().startswith((">>> class", "..."))
    ]
    names: dict[str, Any] = {"gl": gl, "mx": mx, "__name__": __name__}
    exec("\n".join(lines), names)
    network = gl.RNN(names["Leaky"](gl.auto_ncp(16, 2, inputs=3)))
    ablated = gl.lesion(network, "inter_0", [])
    assert ablated(mx.zeros((1, 2, 3)))[0].shape == (1, 2, 2)
