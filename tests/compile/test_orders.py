"""Orders: permutations that keep what they promise, and tiles that become fewer."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganglion as gl
from ganglion.compile.orders import ORDERS, find_orders
from ganglion.compile.tiling import Tiling

from ..support.strategies import circuits


def plan_of(signs: np.ndarray, rng: np.random.Generator, sensors: int = 10) -> gl.Plan:
    """A plan over a matrix of recurrent synapses, with sensors and roles in an arbitrary order."""
    n = len(signs)
    pre, post = np.nonzero(signs)
    sensory = np.stack([rng.integers(0, sensors, n) + n, np.arange(n)])
    roles = rng.choice(["motor", "command", "inter"], n).tolist() + ["sensory"] * sensors
    return gl.Plan.from_arrays(
        np.concatenate([pre, sensory[0]]),
        np.concatenate([post, sensory[1]]),
        np.ones(len(pre) + n),
        roles,
    )


def tiles(plan: gl.Plan, order: str, block_size: int = 16) -> int:
    return len(Tiling.of(plan.recurrent, find_orders(plan, order, block_size)[0], block_size))


@given(circuit=circuits(largest=8), order=st.sampled_from(ORDERS))
def test_orders_are_permutations(circuit: nx.DiGraph, order: str) -> None:
    plan = gl.compile_circuit(circuit).plan
    recurrent, sensory = find_orders(plan, order, 8)
    for found, n in (
        (recurrent.pre, plan.n_neurons),
        (recurrent.post, plan.n_neurons),
        (sensory.pre, plan.n_inputs),
        (sensory.post, plan.n_neurons),
    ):
        assert found.dtype == np.int32
        np.testing.assert_array_equal(np.sort(found), np.arange(n))


@given(circuit=circuits(largest=8))
def test_what_each_order_keeps(circuit: nx.DiGraph) -> None:
    plan = gl.compile_circuit(circuit).plan
    roles = np.array(plan.roles)
    with_state = [str(name) for name in circuit if circuit.nodes[name]["role"] != "sensory"]
    given_order = find_orders(plan, "given", 8)[0]
    assert [plan.neurons[k] for k in given_order.post] == with_state
    np.testing.assert_array_equal(find_orders(plan, "role", 8)[0].pre, np.arange(plan.n_neurons))
    for order in ("rcm", "block"):
        assert roles[find_orders(plan, order, 8)[0].post].tolist() == list(plan.roles)


@given(circuit=circuits(largest=8))
def test_grouping_never_does_worse(circuit: nx.DiGraph) -> None:
    plan = gl.compile_circuit(circuit).plan
    for side in (0, 1):
        synapses = (plan.recurrent, plan.sensory)[side]
        counts = {o: len(Tiling.of(synapses, find_orders(plan, o, 8)[side], 8)) for o in ORDERS}
        assert counts["block"] == min(counts.values())


def test_grouping_finds_hidden_clusters() -> None:
    """16 groups of 16 neurons, each fed by one other group, shuffled: at best 16 tiles, of 256."""
    rng = np.random.default_rng(0)
    group = rng.permutation(np.repeat(np.arange(16), 16))
    feeds = rng.permutation(16)
    signs = (feeds[group][:, None] == group) & (rng.random((256, 256)) < 0.7)
    pre, post = np.nonzero(signs)
    plan = gl.Plan.from_arrays(pre, post, np.ones(len(pre)), ["motor"] * 256)
    assert tiles(plan, "role") == 256
    assert tiles(plan, "block") == 16


def test_cuthill_mckee_finds_a_hidden_line() -> None:
    rng = np.random.default_rng(1)
    place = rng.permutation(256)
    signs = np.abs(place[:, None] - place) <= 4
    pre, post = np.nonzero(signs)
    plan = gl.Plan.from_arrays(pre, post, np.ones(len(pre)), ["motor"] * 256)
    assert tiles(plan, "role") == 256
    assert tiles(plan, "rcm") <= 3 * 16


def test_tilings_count_and_place_every_synapse() -> None:
    rng = np.random.default_rng(2)
    plan = plan_of(rng.random((50, 50)) < 0.02, rng)
    order = find_orders(plan, "block", 8)[0]
    tiling = Tiling.of(plan.recurrent, order, 8)
    arranged = np.zeros((56, 56), int)
    matrix = np.zeros((50, 50), int)
    matrix[plan.recurrent.pre, plan.recurrent.post] = 1
    arranged[:50, :50] = matrix[order.pre][:, order.post]
    blocks = arranged.reshape(7, 8, 7, 8).transpose(0, 2, 1, 3)
    assert len(tiling) == blocks.any(axis=(2, 3)).sum()
    assert tiling.fill == pytest.approx(arranged.sum() / (64 * len(tiling)))
    for k in range(len(plan.recurrent)):
        t = tiling.tile[k]
        assert blocks[tiling.pre[t], tiling.post[t]].ravel()[tiling.cell[k]] == 1


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.array(a), np.array(b)))


def test_plans_of_unknown_origin_have_no_given_order() -> None:
    plan = gl.compile_circuit(gl.auto_ncp(12, 3, inputs=4)).plan
    bare = gl.Plan(plan.neurons, plan.sensors, plan.counts, plan.recurrent, plan.sensory)
    assert bare == plan
    assert same(find_orders(bare, "given", 8)[0].pre, np.arange(12))
