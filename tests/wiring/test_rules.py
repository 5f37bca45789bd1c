"""The connection rules: exact degrees and counts, no duplicates, self-synapses, signs, seeds, refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, check
from ganglion.wiring.rules import RULES

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def groups(draw: st.DrawFn) -> tuple[Circuit, list[int], list[int]]:
    """Neurons, and two groups of them in any order, which may share neurons."""
    circuit = Circuit()
    circuit.add_neurons(range(8), role="motor")
    group = st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True)
    return circuit, draw(group), draw(group)


def possible(pre: list[int], post: list[int], self_synapses: bool) -> set[tuple[int, int]]:
    return {(i, j) for i in pre for j in post if self_synapses or i != j}


def made(circuit: Circuit) -> set[tuple[Any, Any]]:
    return {(pre, post) for pre, post, _ in circuit.synapses()}


@given(groups(), st.booleans())
def test_all_to_all(given_groups: Any, self_synapses: bool) -> None:
    circuit, pre, post = given_groups
    new = circuit.connect(pre, post, self_synapses=self_synapses)
    assert made(circuit) == possible(pre, post, self_synapses)
    assert len(new) == circuit.number_of_edges()


@given(st.permutations(range(8)), st.permutations(range(8)), st.integers(1, 8), st.booleans())
def test_one_to_one(pre: list[int], post: list[int], size: int, self_synapses: bool) -> None:
    circuit = Circuit()
    circuit.add_neurons(range(8), role="motor")
    circuit.connect(pre[:size], post[:size], "one_to_one", self_synapses=self_synapses)
    pairs = zip(pre[:size], post[:size], strict=True)
    assert made(circuit) == {(i, j) for i, j in pairs if self_synapses or i != j}


@given(groups(), st.booleans(), SEEDS, st.data())
def test_fixed_indegree(given_groups: Any, self_synapses: bool, seed: int, data: st.DataObject) -> None:
    circuit, pre, post = given_groups
    most = min(len(pre) - (not self_synapses and j in pre) for j in post)
    indegree = data.draw(st.integers(0, most))
    new = circuit.connect(
        pre, post, "fixed_indegree", indegree=indegree, self_synapses=self_synapses, seed=seed
    )
    assert made(circuit) <= possible(pre, post, self_synapses)
    assert all(circuit.in_degree(name) == indegree for name in post)
    assert len(new) == indegree * len(post)


@given(groups(), st.booleans(), SEEDS, st.data())
def test_fixed_outdegree(given_groups: Any, self_synapses: bool, seed: int, data: st.DataObject) -> None:
    circuit, pre, post = given_groups
    most = min(len(post) - (not self_synapses and i in post) for i in pre)
    outdegree = data.draw(st.integers(0, most))
    circuit.connect(pre, post, "fixed_outdegree", outdegree=outdegree, self_synapses=self_synapses, seed=seed)
    assert made(circuit) <= possible(pre, post, self_synapses)
    assert all(circuit.out_degree(name) == outdegree for name in pre)


@given(groups(), st.booleans(), SEEDS, st.data())
def test_fixed_total_number(given_groups: Any, self_synapses: bool, seed: int, data: st.DataObject) -> None:
    circuit, pre, post = given_groups
    total = data.draw(st.integers(0, len(possible(pre, post, self_synapses))))
    circuit.connect(pre, post, "fixed_total_number", total=total, self_synapses=self_synapses, seed=seed)
    assert made(circuit) <= possible(pre, post, self_synapses)
    assert circuit.number_of_edges() == total


@given(groups(), st.booleans(), SEEDS, st.floats(0, 1))
def test_pairwise_bernoulli(given_groups: Any, self_synapses: bool, seed: int, p: float) -> None:
    circuit, pre, post = given_groups
    circuit.connect(pre, post, "pairwise_bernoulli", p=p, self_synapses=self_synapses, seed=seed)
    candidates = possible(pre, post, self_synapses)
    assert made(circuit) <= candidates
    if p in (0, 1):
        assert len(made(circuit)) == p * len(candidates)


@given(groups(), st.floats(0, 1), SEEDS)
def test_the_share_of_inhibitory_synapses_is_exact(given_groups: Any, share: float, seed: int) -> None:
    circuit, pre, post = given_groups
    new = circuit.connect(pre, post, inhibitory=share, seed=seed)
    assert sum(sign == -1 for _, _, sign in new) == round(share * len(new))
    assert {sign for _, _, sign in new} <= {1, -1}
    assert new == sorted(circuit.synapses(), key=lambda s: (pre.index(s[0]), post.index(s[1])))


RANDOM = [
    ("fixed_indegree", {"indegree": 2}, 2 / 4),
    ("fixed_outdegree", {"outdegree": 3}, 3 / 4),
    ("fixed_total_number", {"total": 8}, 8 / 20),
    ("pairwise_bernoulli", {"p": 0.3}, 0.3),
]


@pytest.mark.parametrize(("rule", "argument", "probability"), RANDOM)
def test_every_possible_synapse_is_equally_likely(rule: str, argument: Any, probability: float) -> None:
    """Of the 20 synapses among 5 neurons, self-synapses left out, none is preferred."""
    rng = np.random.default_rng(5)
    counts: Counter[tuple[Any, Any]] = Counter()
    runs = 600
    for _ in range(runs):
        circuit = Circuit()
        circuit.add_neurons(range(5), role="motor")
        circuit.connect("motor", "motor", rule, **argument, self_synapses=False, seed=rng)
        counts.update(made(circuit))
    error = np.sqrt(probability * (1 - probability) / runs)
    assert len(counts) == 20
    assert all(abs(count / runs - probability) < 4.5 * error for count in counts.values())


def test_pairwise_bernoulli_varies_in_number() -> None:
    """The number of synapses is binomial: its mean and variance are n p and n p (1 - p)."""
    rng = np.random.default_rng(5)
    numbers = []
    for _ in range(400):
        circuit = Circuit()
        circuit.add_neurons(range(10), role="motor")
        numbers.append(len(circuit.connect("motor", "motor", "pairwise_bernoulli", p=0.3, seed=rng)))
    assert np.mean(numbers) == pytest.approx(30, abs=1)
    assert np.var(numbers) == pytest.approx(21, rel=0.25)


@pytest.mark.parametrize(("rule", "argument", "_"), RANDOM)
def test_the_seed_decides(rule: str, argument: Any, _: float) -> None:
    def build(seed: Any) -> list[Any]:
        circuit = Circuit()
        circuit.add_neurons(range(12), role="motor")
        return circuit.connect("motor", "motor", rule, **argument, inhibitory=0.5, seed=seed)

    assert build(3) == build(3) == build(np.random.default_rng(3))
    assert build(3) != build(4)
    rng = np.random.default_rng(3)
    assert build(rng) != build(rng)


def layers() -> Circuit:
    circuit = Circuit()
    circuit.add_neurons(["s0", "s1", "s2"], role="sensory")
    circuit.add_neurons(["i0", "i1", "i2", "i3"], role="inter")
    circuit.add_neurons(["m0", "m1"], role="motor")
    return circuit


def test_groups_are_roles_names_or_lists() -> None:
    circuit = layers()
    assert circuit.connect("s0", "m0") == [("s0", "m0", 1)]
    assert len(circuit.connect("sensory", "inter")) == 12
    assert circuit.connect(("i2", "i0"), np.array(["m1"])) == [("i2", "m1", 1), ("i0", "m1", 1)]


def test_a_set_is_taken_in_graph_order() -> None:
    circuit = layers()
    new = circuit.connect({"s2", "s0", "s1"}, ["m1", "m0"], "fixed_outdegree", outdegree=1, seed=0)
    assert [pre for pre, _, _ in new] == ["s0", "s1", "s2"]


def test_a_neuron_named_like_a_role() -> None:
    circuit = layers()
    circuit.add_neuron("inter", role="motor")
    with pytest.raises(CircuitError, match=r"'inter' is a role and a neuron; write \['inter'\] for"):
        circuit.connect("sensory", "inter")
    circuit.connect("sensory", ["inter"])
    circuit.connect("sensory", circuit.neurons("inter"))
    assert circuit.number_of_edges() == 3 + 12


def test_existing_synapses_are_an_error_or_skipped() -> None:
    circuit = layers()
    circuit.add_synapse("s1", "i2", polarity=-1)
    with pytest.raises(CircuitError, match=r"synapse 's1' -> 'i2' exists already; skip_existing=True"):
        circuit.connect("sensory", "inter")
    assert circuit.number_of_edges() == 1
    new = circuit.connect("sensory", "inter", skip_existing=True)
    assert len(new) == 11
    assert circuit.edges["s1", "i2"]["polarity"] == -1


@pytest.mark.parametrize(
    ("pre", "post", "message"),
    [
        (
            "nobody",
            "inter",
            r"no neuron 'nobody'; expected a role \(sensory, .*\), a name or a list of names",
        ),
        ("sensory", ["i0", "nobody"], "there is no neuron 'nobody'"),
        (5, "inter", "there is no neuron 5"),
        ("command", "inter", "the group 'command' has no neurons"),
        ("sensory", [], r"the group \[\] has no neurons"),
        ("sensory", ["i0", "i1", "i0"], "neuron 'i0' is in the group twice"),
        ("inter", "sensory", "synapse 'i0' -> 's0' ends on a sensory neuron; sensory neurons are inputs"),
        ("inter", ["m0", "s1"], "synapse 'i0' -> 's1' ends on a sensory neuron"),
    ],
)
def test_bad_groups(pre: Any, post: Any, message: str) -> None:
    circuit = layers()
    with pytest.raises(CircuitError, match=message):
        circuit.connect(pre, post)
    assert circuit.number_of_edges() == 0


@pytest.mark.parametrize(
    ("rule", "options", "error", "message"),
    [
        ("any_to_any", {}, ValueError, "unknown rule 'any_to_any'; expected one of all_to_all, one_to_one"),
        (None, {}, ValueError, "unknown rule None"),
        (["all_to_all"], {}, ValueError, "unknown rule"),
        ("one_to_one", {}, ValueError, "groups of one size, got 3 pre and 4 post"),
        ("fixed_indegree", {"seed": 1}, TypeError, "takes indegree= and nothing else, got none"),
        ("fixed_indegree", {"p": 0.5, "seed": 1}, TypeError, "takes indegree= and nothing else, got p="),
        ("all_to_all", {"p": 0.5}, TypeError, "takes no argument of its own, got p="),
        ("fixed_indegree", {"indegree": 4, "seed": 1}, ValueError, "indegree is 4; expected 0 to 3, the"),
        ("fixed_indegree", {"indegree": -1, "seed": 1}, ValueError, "indegree must be 0 or more, got -1"),
        ("fixed_indegree", {"indegree": 1.5, "seed": 1}, TypeError, "must be a whole number, got 1.5"),
        ("fixed_outdegree", {"outdegree": 5, "seed": 1}, ValueError, "outdegree is 5; expected 0 to 4"),
        ("fixed_total_number", {"total": 13, "seed": 1}, ValueError, "total is 13; expected 0 to 12, the"),
        ("fixed_total_number", {"total": True, "seed": 1}, TypeError, "must be a whole number, got True"),
        ("pairwise_bernoulli", {"p": 1.1, "seed": 1}, ValueError, "p must be from 0.0 to 1.0, got 1.1"),
        (
            "pairwise_bernoulli",
            {"p": float("nan"), "seed": 1},
            ValueError,
            "p must be from 0.0 to 1.0, got nan",
        ),
        ("pairwise_bernoulli", {"p": "1", "seed": 1}, TypeError, "p must be a number, got '1'"),
        ("pairwise_bernoulli", {"p": 0.5}, TypeError, "draws at random: pass seed="),
        ("all_to_all", {"inhibitory": 0.5}, TypeError, "inhibitory=0.5 draws signs at random: pass seed="),
        ("all_to_all", {"inhibitory": -0.5}, ValueError, "inhibitory must be from 0.0 to 1.0, got -0.5"),
        ("all_to_all", {"inhibitory": None}, TypeError, "inhibitory must be a number, got None"),
        ("all_to_all", {"inhibitory": 0.5, "seed": "x"}, TypeError, "seed must be"),
        ("all_to_all", {"inhibitory": 0.5, "seed": -1}, ValueError, "seed must be"),
    ],
)
def test_bad_arguments(rule: Any, options: Any, error: type[Exception], message: str) -> None:
    circuit = layers()
    with pytest.raises(error, match=message):
        circuit.connect("sensory", "inter", rule, **options)
    assert circuit.number_of_edges() == 0


def test_a_neuron_without_partner_is_named_in_the_limit() -> None:
    circuit = layers()
    with pytest.raises(ValueError, match="indegree is 4; expected 0 to 3"):
        circuit.connect("inter", "inter", "fixed_indegree", indegree=4, self_synapses=False, seed=1)


def test_all_inhibitory_needs_no_seed() -> None:
    circuit = layers()
    circuit.connect("sensory", "inter", inhibitory=1)
    assert {sign for _, _, sign in circuit.synapses()} == {-1}


def test_a_whole_circuit_by_rules() -> None:
    rng = np.random.default_rng(7)
    circuit = layers()
    circuit.connect("sensory", "inter", "fixed_indegree", indegree=2, seed=rng)
    circuit.connect("inter", "inter", "pairwise_bernoulli", p=0.5, self_synapses=False, seed=rng)
    circuit.connect("inter", "motor", inhibitory=0.25, seed=rng)
    assert [problem for problem in check(circuit) if problem.severity == "error"] == []
    assert nx.number_of_selfloops(circuit) == 0


def test_every_rule_is_documented() -> None:
    assert all(f"`{rule}`" in (Circuit.connect.__doc__ or "") for rule in RULES)
