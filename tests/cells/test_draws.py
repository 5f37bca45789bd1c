"""Initial values are functions of a key, of a parameter's name and of names in the circuit alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
import scipy.stats
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.belonging import without_digests
from ganglion.cells.keys import numbered, random_words, together, words_of
from ganglion.cells.ops import Draws
from ganglion.cells.parameters import Entries, Parameter

CIRCUIT = gl.auto_ncp(24, 3, inputs=4, seed=5)
KEY = mx.random.key(7)
CELLS = ("CTRNNCell", "CTGRUCell", "STC", "LRC", "LRCU", "MinGRU", "LeakyRate", "LIF")
MAKERS = {
    "ltc": lambda circuit, **given: gl.LTC(circuit, proj_size=2, **given),
    "memory": lambda circuit, **given: gl.LTC(circuit, mixed_memory=True, **given),
    **{mode: partial(gl.CfC, mode=mode) for mode in ("default", "pure", "no_gate")},
    **{name: lambda circuit, c=name, **given: gl.RNN(getattr(gl, c)(circuit, **given)) for name in CELLS},
}
WORDS, NUMBERS = ["0x6ca34453f04af8c4", "0x11bf6ef610c9e3a1"], [0.8524607419967651, 0.9262027740478516]
WHOLE = {"recurrent_kernel", "input_kernel"}  # a memory's, which is dense: their range is that of its size


def values(network: Any) -> dict[str, np.ndarray]:
    flat = without_digests(dict(tree_flatten(network.parameters())))
    return {name: np.array(value) for name, value in flat.items()}


def by_name(network: Any) -> dict[tuple[Any, ...], float]:
    """Each value of a cell's vectors, by the parameter's name and the names of what it lies on."""
    cell, found = network.cell, {}
    while hasattr(cell, "cell"):
        cell = cell.cell
    for name, p in cell.declared().items():
        plan = cell.plans[p.part]
        if p.lies_on in ("recurrent", "sensory"):
            pre, part = (plan.sensors if p.lies_on == "sensory" else plan.neurons), p.synapses(plan)
            ends = [(pre[i], plan.neurons[j]) for i, j in zip(part.pre, part.post, strict=True)]
        else:
            names = {"neuron": plan.neurons, "sensor": plan.sensors, "motor": plan.neurons[: plan.n_outputs]}
            ends = [(n,) for n in names[p.lies_on]]
        entries = zip(ends, np.array(cell[name]).tolist(), strict=True)
        found |= {(name, *names): value for names, value in entries}
    return found


def edited() -> gl.Circuit:
    """One inter neuron and one sensor more, with synapses in and out, and one synapse less."""
    circuit = CIRCUIT.copy()
    circuit.add_neuron("AVA", role="inter")
    circuit.add_neuron("light", role="sensory")
    circuit.add_synapse("light", "AVA", polarity=1)
    for k, name in enumerate(["inter_0", "inter_1", "command_0", "motor_0", "motor_1", "AVA"]):
        circuit.add_synapse("AVA", name, polarity=(-1) ** k)
    circuit.add_synapse("command_0", "AVA", polarity=1)
    circuit.remove_synapse(*next((i, j) for i, j in circuit.edges if j == "command_0"))
    return circuit


@pytest.mark.parametrize("kind", MAKERS)
def test_an_edit_leaves_the_values_of_all_others(kind: str) -> None:
    make = MAKERS[kind]
    before, after = (make(c, key=KEY) for c in (CIRCUIT, edited()))
    old, new = by_name(before), by_name(after)
    kept = old.keys() & new.keys()
    assert len(kept) > 100
    assert new.keys() - old.keys()
    assert {name: old[name] for name in kept} == {name: new[name] for name in kept}
    grown = values(gl.carried(before, after.wiring))
    for name, value in values(after).items():
        if name.rpartition(".")[2] not in WHOLE:
            assert np.array_equal(grown[name], value), name  # as if it had been made so at once


@pytest.mark.parametrize("seed", range(4))
def test_whatever_circuits_have_in_common_starts_alike(seed: int) -> None:
    """Neurons and synapses that come and go one by one."""
    rng, circuit = np.random.default_rng(seed), gl.random(20, inputs=3, outputs=2, sparsity=0.6, seed=seed)
    first = old = by_name(gl.CfC(circuit, key=KEY))
    for k in range(6):
        inner = [n for n, role in circuit.nodes(data="role") if role in ("inter", "command")]
        if k % 3 == 2:
            circuit.remove_neuron(str(rng.choice(inner)))
        else:
            circuit.add_neuron(f"new_{k}", role="inter")
            for name in rng.choice(inner, 5, replace=False):
                circuit.add_synapse(str(name), f"new_{k}", polarity=1)
                circuit.add_synapse(f"new_{k}", str(name), polarity=-1)
        circuit.remove_synapse(*list(circuit.edges)[rng.integers(circuit.number_of_edges())])
        new = by_name(gl.CfC(circuit, key=KEY))
        for earlier in (first, old):
            kept = earlier.keys() & new.keys()
            assert len(kept) > 200
            assert all(earlier[name] == new[name] for name in kept)
        old = new


def test_the_range_of_glorot_is_that_of_the_average_neuron_rounded_up() -> None:
    for neurons, power in ((3, 4.5), (14, 4.5), (20, 6.5), (80, 6.5), (90, 8.5)):
        cell, k = gl.CTRNNCell(gl.fully_connected(neurons, inputs=8), key=KEY), 2.0**power
        for name in ("rate_w", "sensory_rate_w"):
            drawn, limit = np.abs(np.array(cell[name])), np.sqrt(3 / k)
            assert 0.6 * limit < drawn.max() <= limit
            if drawn.size > 1000:
                assert scipy.stats.kstest(drawn / limit, "uniform").pvalue > 1e-3
    hub = gl.random(80, inputs=3, outputs=2, sparsity=0.9, seed=1)
    others = [n for n, role in hub.nodes(data="role") if role != "sensory" and n != "inter_0"]
    hub.add_synapses([(n, "inter_0", 1) for n in others if not hub.has_edge(n, "inter_0")])
    cell = gl.CTRNNCell(hub, key=KEY)
    drawn, to_hub = (
        np.abs(np.array(cell.rate_w)),
        cell.compiled.plan.recurrent.post == cell.neurons.index("inter_0"),
    )
    assert 0.9 < drawn[to_hub].max() / np.sqrt(3 / 2**6.5) <= 1
    assert 0.9 < drawn[~to_hub].max() / np.sqrt(3 / 2**4.5) <= 1


def test_order_renames_and_layouts_are_nothing_to_the_values() -> None:
    first = by_name(gl.LTC(CIRCUIT, key=KEY))
    turned = gl.Circuit()
    for name in reversed(list(CIRCUIT.nodes)):
        turned.add_neuron(name, role=CIRCUIT.nodes[name]["role"])
    for pre, post in reversed(list(CIRCUIT.edges)):
        turned.add_synapse(pre, post, polarity=CIRCUIT.edges[pre, post]["polarity"])
    assert by_name(gl.LTC(turned, key=KEY)) == first
    for layout in ("dense", "block", "edge"):
        compiled = gl.compile_circuit(CIRCUIT, layout=layout)
        assert by_name(gl.LTC(compiled, key=KEY)) == first
    renamed = CIRCUIT.copy()
    renamed.rename({"inter_0": "RIM"})
    after = by_name(gl.LTC(renamed, key=KEY))
    assert {n for n in first if n not in after} == {n for n in first if "inter_0" in n}
    assert all(after[n] == value for n, value in first.items() if n in after)


def test_one_key_is_drawn_for_a_network_whatever_its_size() -> None:
    found = []
    for circuit in (CIRCUIT, edited()):
        mx.random.seed(3)
        network = gl.LTC(circuit)
        found.append((by_name(network)["cm", "motor_0"], mx.random.uniform().item()))
    assert found[0] == found[1]
    mx.random.seed(4)
    assert by_name(gl.LTC(CIRCUIT))["cm", "motor_0"] != found[0][0]
    state = np.array(mx.random.state[0])
    gl.carried(network, CIRCUIT)
    assert np.array_equal(np.array(mx.random.state[0]), state)


def test_numbers_are_the_same_everywhere_and_for_good() -> None:
    assert [hex(word) for word in words_of(("AVAL", "AVAR"))] == WORDS
    drawn = Draws(mx.random.key(0)).of("w", together(words_of(("a", "b")), words_of(("b", "a"))))
    assert np.array(drawn.uniform(0, 1, 2)).tolist() == NUMBERS
    words, key = numbered(70_000), np.array([1, 2], np.uint32)
    assert np.array_equal(random_words(key, words), np.array(random_words(mx.array(key), words)))

    def traced(key: mx.array) -> mx.array:
        return Draws(key).of("w", words[:5]).uniform(-1.0, 1.0, 5)

    assert np.allclose(mx.compile(traced)(KEY), traced(KEY), atol=1e-6)


def test_draws_are_uniform_and_have_nothing_to_do_with_each_other() -> None:
    cell = gl.LTC(gl.random(160, inputs=20, outputs=10, sparsity=0.5, seed=1), key=KEY).cell
    ranges = {"w": (0.001, 1.0), "mu": (0.3, 0.8), "sigma": (3.0, 8.0), "sensory_w": (0.001, 1.0)}
    drawn = {name: (np.array(cell[name]) - low) / (high - low) for name, (low, high) in ranges.items()}
    for part in drawn.values():
        assert part.min() >= 0
        assert part.max() <= 1
        assert scipy.stats.kstest(part, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(part[:-1], part[1:])[0, 1]) < 4 / np.sqrt(len(part))
    size = len(drawn["w"])
    for one, other in (("w", "mu"), ("mu", "sigma"), ("w", "sigma")):
        assert abs(np.corrcoef(drawn[one], drawn[other])[0, 1]) < 4 / np.sqrt(size)
    matrix = np.zeros((160, 160))
    part = cell.compiled.plan.recurrent
    np.add.at(matrix, (part.pre, part.post), drawn["w"] - 0.5)
    for sums in (matrix.sum(axis=0), matrix.sum(axis=1)):  # no neuron has larger values than others
        assert scipy.stats.kstest(sums / np.sqrt(80 / 12), "norm").pvalue > 1e-3
    bits = random_words(np.array([0, 5], np.uint32), numbered(1 << 14))
    ones = [(bits >> k & 1).mean() for k in range(32)]
    assert np.abs(np.array(ones) - 0.5).max() < 4.5 * 0.5 / 2**7


def test_what_is_shared_is_drawn_by_what_its_members_have_in_common() -> None:
    def types(circuit: gl.Circuit) -> gl.Circuit:
        for name in circuit.nodes:
            circuit.nodes[name]["type"] = circuit.nodes[name]["role"]
        return circuit

    before, after = (
        gl.LTC(types(c), tie={"w": ("type", "type"), "cm": "type"}, key=KEY).cell
        for c in (CIRCUIT.copy(), edited())
    )
    for name in ("w", "cm"):
        keys = [cell.declaration()[name].axes[0].groups.keys for cell in (before, after)]
        old, new = (dict(zip(k, np.array(c[name]).tolist(), strict=True))
                    for k, c in zip(keys, (before, after), strict=True))  # fmt: skip
        shared = old.keys() & new.keys()
        assert len(shared) >= 3
        assert all(old[key] == new[key] for key in shared)


def test_cells_without_wiring_are_drawn_by_units_and_numbers() -> None:
    small, large = (values(gl.CfC(gl.dense(3, n), backbone_units=8, key=KEY)) for n in (5, 6))
    for name in ("ff1.weight", "time_a.weight"):
        a, b = small[f"cell.{name}"], large[f"cell.{name}"][:5]
        assert np.allclose(a * np.sqrt(13 / 14), b, rtol=1e-5)  # Glorot's range: sqrt(6 / (8 + units))
    assert np.array_equal(small["cell.ff1.bias"], large["cell.ff1.bias"][:5])


def test_entries_of_electrical_synapses_have_no_direction() -> None:
    pairs = [("a", "b"), ("b", "a")]
    found = []
    for names in pairs:
        circuit = gl.Circuit()
        for name in names:
            circuit.add_neuron(name, role="motor")
        circuit.add_edge("a", "b", kind="electrical", polarity=1)
        plan = gl.compile_circuit(circuit).plan
        found.append(Entries({"circuit": plan}).words(Parameter("electrical")).tolist())
    assert found[0] == found[1]
