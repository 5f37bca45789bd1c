"""Large circuits: plans from arrays, no memory for pairs without a synapse, and a clear refusal of dense."""

from __future__ import annotations

import tracemalloc

import mlx.core as mx
import numpy as np
import pytest
import scipy.sparse

import ganglion as gl
from ganglion.compile import layouts

N, K, SENSORS = 20_000, 100_000, 50


@pytest.fixture(scope="module")
def plan() -> gl.Plan:
    """20,000 neurons: a matrix over all pairs would take 1.6 GB."""
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, N + SENSORS, K).astype(np.int64) * N + rng.integers(0, N, K))
    roles = ["motor"] * 10 + ["command"] * 990 + ["inter"] * (N - 1000) + ["sensory"] * SENSORS
    return gl.Plan.from_arrays(pairs // N, pairs % N, rng.choice([-1, 1], len(pairs)), roles)


@pytest.mark.parametrize("layout", ["edge", "auto"])
def test_nothing_is_allocated_for_pairs_without_a_synapse(layout: str, plan: gl.Plan) -> None:
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    tracemalloc.start()
    try:
        compiled = gl.compile_circuit(plan, layout)
        str(compiled.report())
        rnn = gl.LTC(compiled, ode_unfolds=1, engine="ops")
        y, _ = rnn(mx.zeros((1, 1, SENSORS)))
        w = mx.ones((len(plan.recurrent),))
        mx.eval(y, mx.grad(lambda w: gl.masked_matmul(mx.ones((1, N)), w, compiled.recurrent).sum())(w))
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert mx.get_peak_memory() - before < 100e6


def test_dense_beyond_the_limit_names_the_memory_and_the_way_out(plan: gl.Plan) -> None:
    with pytest.raises(
        gl.LayoutError, match=r"20000 x 20000 neurons takes 1.49 GiB per weight.*limit of 1 GiB.*'edge'"
    ):
        gl.compile_circuit(plan, "dense")
    compiled = gl.compile_circuit(plan, "edge")
    for name in ("mask", "polarity"):
        with pytest.raises(gl.LayoutError, match=r"dense mask of 20000 x 20000.*1.49 GiB.*\.synapses"):
            getattr(compiled.recurrent, name)


def test_tiles_beyond_the_limit_are_refused_as_well() -> None:
    n = 600_000
    rng = np.random.default_rng(1)
    plan = gl.Plan.from_arrays(np.arange(n), rng.permutation(n), np.ones(n), ["motor"] * n)
    with pytest.raises(gl.LayoutError, match=r"tiles of 32 x 32 takes 2.\d\d GiB per weight.*layout='edge'"):
        gl.compile_circuit(plan, "block")
    assert gl.compile_circuit(plan).recurrent.name == "edge"


def test_tiles_of_a_large_circuit_follow_the_synapses() -> None:
    n = 20_000
    line = np.arange(n - 1)
    plan = gl.Plan.from_arrays(line, line + 1, np.ones(n - 1), ["motor"] * n)
    compiled = gl.compile_circuit(plan, "block")
    assert isinstance(compiled.recurrent, layouts.BlockProjection)
    assert len(compiled.recurrent.tiling) == 625 + 624
    y = gl.masked_matmul(mx.arange(n).astype(mx.float32), mx.ones((n - 1,)), compiled.recurrent)
    np.testing.assert_array_equal(np.array(y)[1:], np.arange(n - 1))


def test_from_scipy() -> None:
    circuit = gl.auto_ncp(24, 4, inputs=6)
    arrays = circuit.to_arrays()
    n = len(arrays.names)
    for kind in (scipy.sparse.coo_array, scipy.sparse.csr_matrix, scipy.sparse.csc_array):
        signs = scipy.sparse.coo_array((0.5 * arrays.polarity, (arrays.pre, arrays.post)), shape=(n, n))
        plan = gl.Plan.from_scipy(kind(signs), arrays.roles, arrays.names)
        assert plan == gl.compile_circuit(circuit).plan


def test_from_scipy_leaves_out_explicit_zeros() -> None:
    matrix = scipy.sparse.coo_array(([1.0, 0.0, -2.0], ([0, 0, 1], [1, 2, 2])), shape=(3, 3))
    plan = gl.Plan.from_scipy(matrix, ["sensory", "inter", "motor"])
    assert (len(plan.recurrent), len(plan.sensory)) == (1, 1)
    assert plan.recurrent.polarity.tolist() == [-1]


def test_from_scipy_refuses_a_matrix_that_does_not_fit() -> None:
    with pytest.raises(
        gl.CircuitError, match=r"shape \(3, 4\): expected one row and column per role, \(2, 2\)"
    ):
        gl.Plan.from_scipy(scipy.sparse.coo_array((3, 4)), ["sensory", "motor"])


def test_to_arrays_is_the_inverse_of_from_arrays(plan: gl.Plan) -> None:
    circuit = gl.auto_ncp(24, 4, inputs=6)
    arrays = circuit.to_arrays()
    again = gl.Plan.from_arrays(arrays.pre, arrays.post, arrays.polarity, arrays.roles, arrays.names)
    assert again == gl.compile_circuit(circuit).plan
    assert gl.compile_circuit(gl.Circuit.from_arrays(arrays)).plan == again
