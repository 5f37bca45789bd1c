"""Shared parameters: the same function as without ties, gradients added up per group, carried everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

PAIRS = ("type", "type")
TIES: dict[str, dict[str, Any]] = {
    "pairs of types, counts": {
        "tie": {"w": PAIRS, "sensory_w": (None, "type"), "cm": "type", "erev": ()},
        "scale": "count",
    },
    "softplus": {"tie": {"w": PAIRS, "gleak": ()}, "scale": {"w": "count"}, "positive": "softplus"},
    "fixed signs": {"tie": {"w": PAIRS, "erev": PAIRS, "sigma": ()}, "polarity": "fixed"},
    "an attribute of synapses": {"tie": {"w": "transmitter", "mu": "transmitter", "output_w": ()}},
    "factors alone": {"scale": "count"},
    "given values": {
        "tie": {"w": PAIRS, "cm": "type"},
        "fixed": {"w": {("A", "B"): 0.25}, "cm": 0.5},
        "penalty": {"w": (0.5, 0.1)},
    },
}
on_all_ties = pytest.mark.parametrize("kind", TIES)


def typed(seed: int = 0) -> gl.Circuit:
    """A circuit whose neurons have a type, and synapses a count and a transmitter."""
    circuit = gl.random(16, inputs=4, outputs=3, sparsity=0.6, seed=seed)
    for k, name in enumerate(circuit):
        circuit.add_node(name, type="AABC"[k % 4])
    for k, (pre, post) in enumerate(circuit.edges):
        circuit.add_edge(pre, post, count=1 + k % 5, transmitter=["ACh", "GABA", "Glu"][k % 3])
    return circuit


def inputs(rows: int = 5) -> mx.array:
    return mx.random.normal((rows, 7, 4), key=mx.random.key(1))


def gradients(rnn: Any, x: mx.array) -> dict[str, np.ndarray]:
    found = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0]).sum())(rnn)[1]
    return {name: np.array(value, np.float64) for name, value in tree_flatten(found)}


@on_all_ties
@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_a_tied_network_is_the_untied_one_with_repeated_values(kind: str, engine: str) -> None:
    rnn = gl.LTC(typed(), engine=engine, key=mx.random.key(3), **TIES[kind])
    free = gl.untie(rnn)
    plan = rnn.cell.compiled.plan
    assert free.cell.w.shape == (len(plan.recurrent),)
    assert not free.cell.shared
    assert np.allclose(rnn(inputs())[0], free(inputs())[0], rtol=0, atol=1e-6)


def test_gradients_are_the_sums_over_each_group() -> None:
    circuit = typed()
    rnn = gl.LTC(circuit, key=mx.random.key(3), tie={"w": PAIRS, "cm": "type", "mu": ()}, scale="count")
    plan, x = rnn.cell.compiled.plan, inputs()
    tied, free = gradients(rnn, x), gradients(gl.untie(rnn), x)
    type_of = circuit.nodes(data="type")
    names = [
        (plan.neurons[i], plan.neurons[j])
        for i, j in zip(plan.recurrent.pre, plan.recurrent.post, strict=True)
    ]
    pairs = [(type_of[pre], type_of[post]) for pre, post in names]
    counts = np.array([circuit.edges[pair]["count"] for pair in names])
    expected = [sum((free["cell.w"] * counts)[[pair == key for pair in pairs]]) for key in sorted(set(pairs))]
    assert np.allclose(tied["cell.w"], expected, rtol=1e-4, atol=1e-6)
    types = np.array([type_of[name] for name in plan.neurons])
    expected = [free["cell.cm"][types == key].sum() for key in sorted(set(types))]
    assert np.allclose(tied["cell.cm"], expected, rtol=1e-4, atol=1e-6)
    assert np.allclose(tied["cell.mu"], [free["cell.mu"].sum()], rtol=1e-4, atol=1e-6)


def test_signs_part_the_groups_of_what_carries_them() -> None:
    rnn = gl.LTC(typed(), tie={"erev": ()})
    polarity = rnn.cell.compiled.plan.recurrent.polarity
    assert rnn.cell.erev.tolist() == [-1.0, 1.0]
    assert np.array_equal(rnn.cell.effective()["erev"], polarity)


def test_fixed_values_stay_and_priors_pull() -> None:
    options = {"fixed": {"w": {("A", "B"): 0.25}}, "penalty": {"w": {("A", "A"): (2.0, 0.01)}}}
    rnn = gl.LTC(typed(), key=mx.random.key(3), tie={"w": PAIRS}, **options)
    keys = ["AA", "AB", "AC", "BA", "BB", "BC", "CA", "CB", "CC"]
    before = np.array(rnn.cell.w)
    assert before[1] == 0.25
    assert rnn.cell.penalty().item() == pytest.approx(0.5 * ((before[0] - 2.0) / 0.01) ** 2, rel=1e-4)
    x = inputs(8)
    y = mx.zeros((8, 7, 3))
    gl.fit(
        rnn, (x, y), loss=gl.training.mse, optimizer=optim.SGD(1e-5), epochs=40, batch_size=8, progress=False
    )
    after = dict(zip(keys, np.array(rnn.cell.w), strict=True))
    assert after["AB"] == 0.25
    assert after["AA"] == pytest.approx(2.0, abs=0.05)  # the prior is far stronger than the data
    assert abs(after["BB"] - before[4]) < 1e-3


def test_what_is_shared_is_told() -> None:
    rnn = gl.LTC(typed(), tie={"w": PAIRS, "cm": "type"}, scale="count", fixed={"w": {("A", "B"): 0.25}})
    text = rnn.cell.describe()
    plan = rnn.cell.compiled.plan
    line = f"w: {len(plan.recurrent)} synapses by type of pre and type of post, times count"
    assert f"{line}, share 9 values, 1 fixed" in text
    assert "cm: 16 neurons by type, share 3 values" in text
    kept = sum(value.size for _, value in tree_flatten(rnn.parameters()))
    assert f"parameters: {kept} numbers" in text
    assert text in rnn.describe()


@on_all_ties
def test_a_file_keeps_ties(kind: str, tmp_path: Path) -> None:
    rnn = gl.LTC(typed(), key=mx.random.key(3), **TIES[kind])
    gl.save(rnn, tmp_path / "rnn.safetensors")
    again = gl.load(tmp_path / "rnn.safetensors")
    assert again.cell.describe() == rnn.cell.describe()
    assert np.array_equal(again(inputs())[0], rnn(inputs())[0])
    twin = gl.LTC.from_config(rnn.get_config())
    assert twin.cell.describe() == rnn.cell.describe()


@on_all_ties
def test_a_lesion_keeps_the_values_of_groups_that_stay(kind: str) -> None:
    rnn = gl.LTC(typed(), key=mx.random.key(3), **TIES[kind])
    left = gl.lesion(rnn, [name for name in rnn.cell.neurons if name.startswith("inter")][:4])
    free = gl.lesion(gl.untie(rnn), [name for name in rnn.cell.neurons if name.startswith("inter")][:4])
    assert left.cell.shared == rnn.cell.shared
    assert np.allclose(left(inputs())[0], free(inputs())[0], rtol=0, atol=1e-6)


def test_new_synapses_of_a_known_group_take_its_value() -> None:
    circuit = typed()
    rnn = gl.LTC(circuit, key=mx.random.key(3), tie={"w": PAIRS})
    grown = circuit.copy()
    grown.add_neuron("new", role="inter", type="B")
    grown.add_synapse("new", "motor_0", count=1)
    grown.add_synapse("inter_0", "new", count=1)
    more = gl.carried(rnn, grown)
    assert np.array_equal(more.cell.w, rnn.cell.w)  # all nine pairs were there
    assert len(more.cell.effective()["w"]) == len(rnn.cell.effective()["w"]) + 2


def test_weights_of_other_ties_are_refused(tmp_path: Path) -> None:
    circuit, other = typed(), typed()
    names = list(other)
    other.add_node(names[-1], type="A" if other.nodes[names[-1]]["type"] == "B" else "B")
    path = str(tmp_path / "w.safetensors")
    gl.LTC(circuit, tie={"w": PAIRS}).save_weights(path)
    twin = gl.LTC(other, tie={"w": PAIRS})
    assert twin.cell.w.shape == (9,)  # so that shapes alone would not tell
    with pytest.raises(ValueError, match="with other ties"):
        twin.load_weights(path)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda c, **o: gl.CfC(c, **o), "ff1_w"),
        (lambda c, **o: gl.RNN(gl.CTRNNCell(c, **o)), "rate_w"),
    ],
)
def test_other_cells_share_as_well(make: Any, name: str) -> None:
    rnn = make(typed(), tie={name: PAIRS, f"sensory_{name}": (None, "type")}, scale="count")
    assert rnn.cell[name].size < 19  # 9 pairs of types, each with one sign or two
    free = gl.untie(rnn)
    assert free.cell[name].shape == (len(rnn.cell.compiled.plan.recurrent),)
    assert np.allclose(rnn(inputs())[0], free(inputs())[0], rtol=0, atol=1e-6)


def test_ties_of_arrays() -> None:
    plan = gl.Plan.from_arrays(
        [0, 1, 2, 1], [1, 2, 1, 1], [1, 1, -1, 1], ["sensory", "motor", "inter"],
        neurons={"type": ["S", "M", "I"]}, synapses={"count": np.array([4, 3, 2, 1])},
    )  # fmt: skip
    rnn = gl.LTC(plan, tie={"w": PAIRS}, scale="count")
    assert rnn.cell.w.shape == (3,)
    places = {
        (plan.neurons[i], plan.neurons[j]): k
        for k, (i, j) in enumerate(zip(plan.recurrent.pre, plan.recurrent.post, strict=True))
    }
    rnn.cell.w = mx.ones(3)
    assert rnn.cell.effective()["w"][places["motor_0", "inter_0"]].item() == 3
    assert rnn.cell.effective()["w"][places["motor_0", "motor_0"]].item() == 1


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"tie": {"v": ()}}, ValueError, "no parameter 'v'"),
        ({"tie": ["w"]}, TypeError, "tie must be a mapping"),
        ({"tie": {"w": ("type",)}}, TypeError, "attribute of pre"),
        ({"tie": {"w": ("tpye", "type")}}, gl.CircuitError, "did you mean 'type'"),
        ({"tie": {"w": "typ"}}, gl.CircuitError, "synapses have .*count"),
        ({"tie": {"cm": 3}}, TypeError, "the tie of 'cm' is 3"),
        ({"scale": "cuont"}, gl.CircuitError, "did you mean 'count'"),
        ({"scale": {"cm": "count"}}, ValueError, "lies on synapses"),
        ({"scale": "transmitter"}, ValueError, "numbers of at least 0"),
        ({"fixed": {"w": 1.0}}, ValueError, "not shared by any tie"),
        ({"tie": {"w": ()}, "fixed": {"w": -1.0}}, ValueError, "fixed value of 'w'"),
        ({"tie": {"w": PAIRS}, "fixed": {"w": {("A", "Z"): 1.0}}}, ValueError, r"no group \('A', 'Z'\)"),
        ({"tie": {"w": ()}, "penalty": {"w": 1.0}}, TypeError, "mean, standard deviation"),
        ({"tie": {"w": ()}, "penalty": {"w": (0.0, 0.0)}}, ValueError, "deviation"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        gl.LTC(typed(), **options)


def test_neurons_without_the_attribute_are_named() -> None:
    circuit = typed()
    del circuit.nodes["inter_0"]["type"]
    with pytest.raises(gl.CircuitError, match="inter_0 has no attribute 'type'"):
        gl.LTC(circuit, tie={"cm": "type"})


def test_ncps_has_no_ties() -> None:
    with pytest.raises(ValueError, match=r"gl\.untie"):
        gl.cells.ncps_options(gl.LTC(typed(), tie={"w": PAIRS}))
    with pytest.raises(ValueError, match="ncps_compat"):
        gl.CfC(typed(), ncps_compat=True, tie={"ff1_w": PAIRS})
