"""The operations of every layout against NumPy in float64: values, gradients and MLX's transformations."""

from __future__ import annotations

import copy
import io
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ganglion as gl
from ganglion.compile.layouts import MixedProjection, Projection, edge, lay_out, projection
from ganglion.compile.synapses import Synapses
from ganglion.compile.tiling import Order

from ..support.strategies import SEEDS

LAYOUTS = ["dense", "block", "edge", "mixed"]
on_all_layouts = pytest.mark.parametrize("layout", LAYOUTS)


@st.composite
def pairs(draw: st.DrawFn) -> Synapses:
    """Synapses from 0 to 20 onto 1 to 20 neurons, from none to all."""
    shape = draw(st.tuples(st.integers(0, 20), st.integers(1, 20)))
    signs = draw(hnp.arrays(np.int8, shape, elements=st.sampled_from([0, 1, -1])))
    return synapses_of(signs)


def synapses_of(signs: np.ndarray) -> Synapses:
    pre, post = np.nonzero(signs)
    return Synapses.sorted(pre, post, signs[pre, post], *signs.shape)


def laid_out(synapses: Synapses, layout: str, rng: np.random.Generator, block_size: int = 8) -> Projection:
    """A projection; tiles under a random order."""
    orders = (rng.permutation(n).astype(np.int32) for n in (synapses.n_pre, synapses.n_post))
    if layout == "mixed":
        return MixedProjection(lay_out(synapses, "edge"), lay_out(synapses, "block", 8, Order(*orders)))
    return lay_out(synapses, layout, block_size, Order(*orders))


def matrix(synapses: Synapses, w: np.ndarray) -> np.ndarray:
    dense = np.zeros((synapses.n_pre, synapses.n_post))
    dense[synapses.pre, synapses.post] = w
    return dense


def currents(v: mx.array, w: mx.array, mu: mx.array) -> tuple[mx.array, mx.array]:
    open_ = mx.sigmoid(v - mu)
    return w * open_, w * w * open_


def sample(synapses: Synapses, rng: np.random.Generator, batch: int = 3) -> list[mx.array]:
    """Values of presynaptic neurons, two parameters, and factors for the postsynaptic neurons."""
    k = len(synapses)
    shapes = ((batch, synapses.n_pre), (k,), (k,), (batch, synapses.n_post))
    return [mx.array(rng.uniform(-1, 1, shape).astype(np.float32)) for shape in shapes]


def agree(found: mx.array, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    assert tuple(found.shape) == expected.shape
    np.testing.assert_allclose(np.array(found.astype(mx.float32)), expected, rtol=tolerance, atol=tolerance)


@on_all_layouts
@given(synapses=pairs(), seed=SEEDS)
def test_products(layout: str, synapses: Synapses, seed: int) -> None:
    """x @ W and its gradients: c W^T by x, and x^T c at the synapses by w."""
    rng = np.random.default_rng(seed)
    s = laid_out(synapses, layout, rng)
    x, w, _, c = sample(synapses, rng)
    x64, w64, c64 = (np.array(a, np.float64) for a in (x, w, c))
    agree(s.matmul(x, s.weights(w)), x64 @ matrix(synapses, w64))
    _, (by_x, by_w) = mx.vjp(lambda x, w: s.matmul(x, s.weights(w)), [x, w], [c])
    agree(by_x, c64 @ matrix(synapses, w64).T)
    agree(by_w, (x64.T @ c64)[synapses.pre, synapses.post])


@on_all_layouts
@given(synapses=pairs(), seed=SEEDS)
def test_sums_of_currents(layout: str, synapses: Synapses, seed: int) -> None:
    rng = np.random.default_rng(seed)
    s = laid_out(synapses, layout, rng)
    v, w, mu, c = sample(synapses, rng)

    def run(v: mx.array, w: mx.array, mu: mx.array) -> Any:
        return s.sums(currents, v, s.spread(w), s.spread(mu))

    v64, w64, mu64, c64 = (np.array(a, np.float64) for a in (v, w, mu, c))
    sigmoid = 1 / (1 + np.exp(mu64 - v64[:, synapses.pre]))
    onto = np.zeros((len(synapses), synapses.n_post))
    onto[np.arange(len(synapses)), synapses.post] = 1
    found = run(v, w, mu)
    agree(found[0], (w64 * sigmoid) @ onto)
    agree(found[1], (w64**2 * sigmoid) @ onto)

    _, (by_v, by_w, by_mu) = mx.vjp(run, [v, w, mu], [c, c])
    at_post = c64[:, synapses.post]
    slope = at_post * (w64 + w64**2) * sigmoid * (1 - sigmoid)
    from_ = np.zeros((len(synapses), synapses.n_pre))
    from_[np.arange(len(synapses)), synapses.pre] = 1
    agree(by_v, slope @ from_)
    agree(by_mu, -slope.sum(axis=0))
    agree(by_w, (at_post * (1 + 2 * w64) * sigmoid).sum(axis=0))


@on_all_layouts
@given(synapses=pairs(), seed=SEEDS, bounds=st.tuples(st.integers(0, 19), st.integers(0, 19)))
def test_a_part_of_the_targets(layout: str, synapses: Synapses, seed: int, bounds: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    start, stop = sorted(bound % synapses.n_post for bound in bounds)
    s = laid_out(synapses, layout, rng)
    x, w, _, _ = sample(synapses, rng)
    part = s.onto(start, stop + 1)
    found = part.matmul(x, part.weights(w[synapses.span(start, stop + 1)]))
    agree(found, np.array(s.matmul(x, s.weights(w)))[:, start : stop + 1])


@on_all_layouts
def test_all_pairs(layout: str) -> None:
    """A full matrix, which the dense layout need not put together."""
    rng = np.random.default_rng(6)
    synapses = synapses_of(rng.choice([1, -1], (9, 7)))
    s = laid_out(synapses, layout, rng)
    x, w, _, c = sample(synapses, rng)
    x64, c64, w64 = (np.array(a, np.float64) for a in (x, c, matrix(synapses, np.array(w))))
    agree(s.matmul(x, s.weights(w)), x64 @ w64)
    _, (by_x, by_w) = mx.vjp(lambda x, w: s.matmul(x, s.weights(w)), [x, w], [c])
    agree(by_x, c64 @ w64.T)
    agree(by_w, (x64.T @ c64)[synapses.pre, synapses.post])


@on_all_layouts
@pytest.mark.parametrize("x_type", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("w_type", [mx.float32, mx.float16, mx.bfloat16])
def test_products_of_mixed_types(layout: str, x_type: mx.Dtype, w_type: mx.Dtype) -> None:
    """The product has the type of both together, and each gradient that of what it belongs to."""
    rng = np.random.default_rng(8)
    s = laid_out(synapses_of(rng.choice([0, 1, -1], (12, 10))), layout, rng)
    x, w, _, _ = sample(s.synapses, rng)
    x, w = x.astype(x_type), w.astype(w_type)

    def product(x: mx.array, w: mx.array) -> mx.array:
        return s.matmul(x, s.weights(w))

    found = product(x, w)
    assert found.dtype == mx.result_type(x, w)
    agree(found, np.array(x.astype(mx.float32)) @ matrix(s.synapses, np.array(w.astype(mx.float32))), 0.05)
    gradients = mx.grad(lambda x, w: product(x, w).astype(mx.float32).sum(), argnums=(0, 1))(x, w)
    assert [g.dtype for g in gradients] == [x_type, w_type]


@on_all_layouts
@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0), (1, 0)])
def test_products_of_several_inputs_or_weights(layout: str, axes: tuple[int | None, int | None]) -> None:
    rng = np.random.default_rng(7)
    synapses = synapses_of(rng.choice([0, 1, -1], (12, 10), p=[0.6, 0.2, 0.2]))
    s = laid_out(synapses, layout, rng)
    draws = [sample(synapses, rng)[:2] for _ in range(4)]
    xs, ws = (
        draws[0][i] if axis is None else mx.stack([d[i] for d in draws], axis=axis)
        for i, axis in enumerate(axes)
    )

    def product(x: mx.array, w: mx.array) -> mx.array:
        return s.matmul(x, s.weights(w))

    found = mx.vmap(product, in_axes=axes)(xs, ws)
    for k, (x, w) in enumerate(draws):
        x, w = (draws[0][i] if axes[i] is None else a for i, a in enumerate((x, w)))
        agree(found[k], np.array(product(x, w)))


@on_all_layouts
@pytest.mark.parametrize("block_size", [8, 16, 32, 64])
def test_many_blocks(layout: str, block_size: int) -> None:
    rng = np.random.default_rng(1)
    synapses = synapses_of(rng.choice([0, 1, -1], (150, 130), p=[0.97, 0.02, 0.01]))
    s = laid_out(synapses, layout, rng, block_size)
    x, w, _, _ = sample(synapses, rng)
    agree(s.matmul(x, s.weights(w)), np.array(x, np.float64) @ matrix(synapses, np.array(w)))


@on_all_layouts
def test_any_batch_axes(layout: str) -> None:
    rng = np.random.default_rng(2)
    synapses = synapses_of(rng.choice([0, 1, -1], (12, 9)))
    s = laid_out(synapses, layout, rng)
    x, w, mu, _ = sample(synapses, rng, batch=6)
    flat = np.array(s.matmul(x, s.weights(w)))
    both = [np.array(a) for a in s.sums(currents, x, s.spread(w), s.spread(mu))]
    for shape in ((6,), (2, 3), (3, 1, 2), (1, 6)):
        agree(s.matmul(x.reshape(*shape, 12), s.weights(w)), flat.reshape(*shape, 9))
        found = s.sums(currents, x.reshape(*shape, 12), s.spread(w), s.spread(mu))
        agree(found[0], both[0].reshape(*shape, 9))
        agree(found[1], both[1].reshape(*shape, 9))
    agree(s.matmul(x[0], s.weights(w)), flat[0])
    agree(s.sums(currents, x[0], s.spread(w), s.spread(mu))[0], both[0][0])


@on_all_layouts
def test_parts_change_nothing(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large circuits are computed in parts, of the batch or of the synapses."""
    rng = np.random.default_rng(3)
    synapses = synapses_of(rng.choice([0, 1, -1], (40, 50), p=[0.7, 0.2, 0.1]))
    v, w, mu, c = sample(synapses, rng)

    def run(v: mx.array, w: mx.array, mu: mx.array) -> mx.array:
        return s.sums(currents, v, s.spread(w), s.spread(mu))[0]

    results = []
    for part in (projection.PART, 1, 700):
        monkeypatch.setattr(projection, "PART", part)
        monkeypatch.setattr(edge, "PART", part)
        s = laid_out(synapses, layout, rng)
        results.append([run(v, w, mu), *mx.vjp(run, [v, w, mu], [c])[1]])
        results[-1] += mx.vjp(lambda v, w, s=s: s.matmul(v, s.weights(w)), [v, w], [c])[1]
    assert layout != "edge" or len(s.parts) > 10
    for other in results[1:]:
        for found, expected in zip(other, results[0], strict=True):
            agree(found, np.array(expected))


@on_all_layouts
def test_under_transformations(layout: str) -> None:
    """mx.vmap of gradients, gradients of mx.vmap, and gradients of gradients."""
    rng = np.random.default_rng(4)
    synapses = synapses_of(rng.choice([0, 1, -1], (20, 17), p=[0.6, 0.2, 0.2]))
    s, reference = laid_out(synapses, layout, rng), lay_out(synapses, "dense")
    v, w, mu, _ = sample(synapses, rng)

    def loss_of(s: Projection) -> Any:
        def loss(v: mx.array, w: mx.array, mu: mx.array) -> mx.array:
            both = s.sums(currents, v, s.spread(w), s.spread(mu))
            product = s.matmul(v, s.weights(w * mu))
            return (both[0] * both[1] + product**2).sum()

        return loss

    loss = loss_of(s)

    def directional(v: mx.array, w: mx.array, mu: mx.array) -> mx.array:
        by_v, by_w, by_mu = mx.grad(loss, argnums=(0, 1, 2))(v, w, mu)
        return (by_v**2).sum() + (by_w**2).sum() + (by_mu**2).sum()

    def reference_directional(v: mx.array, w: mx.array, mu: mx.array) -> mx.array:
        parts = mx.grad(loss_of(reference), argnums=(0, 1, 2))(v, w, mu)
        return sum((part**2).sum() for part in parts)

    argnums = (0, 1, 2)
    expected = [np.array(g) for g in mx.grad(loss_of(reference), argnums)(v, w, mu)]
    for found, e in zip(mx.grad(loss, argnums)(v, w, mu), expected, strict=True):
        agree(found, e, 1e-4)

    # One sample at a time, with weights of its own: gradients per sample.
    many_w, many_mu = mx.stack([w, 2 * w, -w]), mx.stack([mu, mu + 1, mu - 1])
    single = [mx.grad(loss, argnums)(v[k : k + 1], many_w[k], many_mu[k]) for k in range(3)]
    together = mx.vmap(mx.grad(loss, argnums))(v[:, None], many_w, many_mu)
    for k in range(3):
        for found, e in zip(together, single[k], strict=True):
            agree(found[k], np.array(e), 1e-4)
    by_vmap = mx.grad(lambda v: mx.vmap(lambda one: loss(one[None], w, mu))(v).sum())(v)
    agree(by_vmap, expected[0], 1e-4)

    second = mx.grad(directional, argnums)(v, w, mu)
    for found, e in zip(second, mx.grad(reference_directional, argnums)(v, w, mu), strict=True):
        agree(found, np.array(e), 1e-3)


@on_all_layouts
def test_compiled_gradients(layout: str) -> None:
    rng = np.random.default_rng(4)
    s = laid_out(synapses_of(rng.choice([0, 1, -1], (20, 17))), layout, rng)
    v, w, _, _ = sample(s.synapses, rng)

    def loss(v: mx.array, w: mx.array) -> mx.array:
        return s.sums(lambda v, w: (v * w,), v, s.spread(w))[0].sum() + s.matmul(v, s.weights(w)).sum()

    gradients = mx.grad(loss, argnums=(0, 1))
    for found, expected in zip(mx.compile(gradients)(v, w), gradients(v, w), strict=True):
        agree(found, np.array(expected))


@on_all_layouts
def test_nothing_is_scattered_and_added(layout: str) -> None:
    """Forward, backward and second derivatives read rows; the only scatter writes each entry once."""
    rng = np.random.default_rng(5)
    synapses = synapses_of(rng.choice([0, 1, -1], (20, 17)))
    s = laid_out(synapses, layout, rng)
    v, w, mu, _ = sample(synapses, rng)

    def loss(v: mx.array, w: mx.array) -> mx.array:
        both = s.sums(currents, v, s.spread(w), s.spread(mu))
        return (both[0] * both[1]).sum() + (s.matmul(v, s.weights(w)) ** 2).sum()

    gradients = mx.grad(loss, argnums=(0, 1))
    twice = mx.grad(lambda v, w: sum((g**2).sum() for g in gradients(v, w)), argnums=(0, 1))
    for outputs in ([loss(v, w)], gradients(v, w), twice(v, w)):
        graph = io.StringIO()
        mx.export_to_dot(graph, *outputs)
        assert "Gather" in graph.getvalue() or layout == "dense"
        # ScatterAxis is put_along_axis: it writes and does not add.
        assert "Scatter" not in graph.getvalue().replace("ScatterAxis", "")


@on_all_layouts
def test_projections_can_be_copied(layout: str) -> None:
    rng = np.random.default_rng(6)
    synapses = synapses_of(rng.choice([0, 1, -1], (20, 17)))
    s = laid_out(synapses, layout, rng)
    x, w, _, _ = sample(synapses, rng)
    expected = np.array(s.matmul(x, s.weights(w)))
    twin = copy.deepcopy(s)
    agree(twin.matmul(x, twin.weights(w)), expected)


def test_masks_are_the_same_in_all_layouts() -> None:
    circuit = gl.auto_ncp(40, 5, inputs=7)
    expected = gl.compile_circuit(circuit, layout="dense")
    for layout in ("block", "edge", "auto"):
        found = gl.compile_circuit(circuit, layout=layout, order="block", block_size=8)
        for side in ("recurrent", "sensory"):
            ours, theirs = getattr(found, side), getattr(expected, side)
            np.testing.assert_array_equal(np.array(ours.mask), np.array(theirs.mask))
            np.testing.assert_array_equal(np.array(ours.polarity), np.array(theirs.polarity))
