"""What the block layout shows: tiles, their places, and the operands of mx.block_masked_mm."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.compile.layouts import BlockProjection


def projection(block_size: int = 32, order: str = "block") -> BlockProjection:
    circuit = gl.random(90, inputs=5, outputs=10, sparsity=0.97, seed=3)
    found = gl.compile_circuit(circuit, "block", block_size, order).recurrent
    assert isinstance(found, BlockProjection)
    return found


@pytest.fixture(params=[(8, "role"), (16, "rcm"), (32, "block"), (64, "given")], ids=str)
def s(request: pytest.FixtureRequest) -> BlockProjection:
    return projection(*request.param)


def arranged(s: BlockProjection, matrix: mx.array) -> np.ndarray:
    """A matrix in plan order, rearranged and padded."""
    rows, columns = (n * s.block_size for n in s.tiling.blocks)
    padded = np.zeros((rows, columns), np.float32)
    padded[: s.synapses.n_pre, : s.synapses.n_post] = np.array(matrix)[s.order.pre][:, s.order.post]
    return padded


def test_tiles_are_the_non_empty_squares_of_the_mask(s: BlockProjection) -> None:
    side = s.block_size
    for tiles, matrix in ((s.mask_tiles, s.mask), (s.polarity_tiles, s.polarity)):
        whole = np.zeros_like(arranged(s, matrix))
        for (i, j), tile in zip(s.tile_index.tolist(), np.array(tiles), strict=True):
            assert tile.any()
            whole[i * side : (i + 1) * side, j * side : (j + 1) * side] = tile
        np.testing.assert_array_equal(whole, arranged(s, matrix))


def test_the_block_mask_says_where_tiles_are(s: BlockProjection) -> None:
    mask = np.zeros(s.tiling.blocks, bool)
    mask[tuple(np.array(s.tile_index).T)] = True
    np.testing.assert_array_equal(np.array(s.block_mask), mask)


def test_the_dense_matrix_on_request(s: BlockProjection) -> None:
    w = mx.arange(1, len(s.synapses) + 1).astype(mx.float32)
    matrix = mx.zeros(s.mask.shape)
    matrix[mx.array(s.synapses.pre), mx.array(s.synapses.post)] = w
    np.testing.assert_array_equal(np.array(s.arranged_matrix(w)), arranged(s, matrix))


def test_arranging_and_restoring() -> None:
    s = projection(8)
    x = mx.random.normal((3, 90))
    found = np.array(s.arrange(x))
    np.testing.assert_array_equal(found[:, :90], np.array(x)[:, s.order.pre])
    assert not found[:, 90:].any()
    np.testing.assert_array_equal(np.array(s.restore(x))[:, s.order.post], np.array(x))


def products(s: BlockProjection, x: mx.array, w: mx.array) -> Any:
    return s.matmul(x, s.weights(w)), mx.grad(lambda x, w: (s.matmul(x, s.weights(w)) ** 2).sum(), (0, 1))(
        x, w
    )


@pytest.mark.parametrize("block_size", [32, 64])
def test_block_masked_mm_gives_what_tiles_give(block_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path that Metal takes; elsewhere MLX computes the same from the whole matrix."""
    s = projection(block_size)
    x, w = mx.random.normal((32, 90)), mx.random.normal((len(s.synapses),))
    y, gradients = products(s, x, w)
    monkeypatch.setattr(BlockProjection, "_has_masked_mm", True)
    other, others = products(s, x, w)
    np.testing.assert_allclose(np.array(other), np.array(y), atol=1e-5)
    for found, expected in zip(others, gradients, strict=True):
        np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not mx.metal.is_available(), reason="needs Metal")
def test_metal_uses_block_masked_mm() -> None:
    s = projection(32)
    x, w = mx.random.normal((32, 90)), mx.random.normal((len(s.synapses),))
    matrix = np.zeros(s.mask.shape, np.float32)
    matrix[s.synapses.pre, s.synapses.post] = np.array(w)
    assert s._has_masked_mm
    np.testing.assert_allclose(np.array(s.matmul(x, s.weights(w))), np.array(x) @ matrix, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(mx.default_device() == mx.cpu, reason="needs a GPU")
@pytest.mark.parametrize("layout", ["dense", "block", "edge"])
def test_layouts_on_a_gpu(layout: str) -> None:
    circuit = gl.random(90, inputs=5, outputs=10, sparsity=0.9, seed=3)
    s = gl.compile_circuit(circuit, layout).recurrent
    x, w = mx.random.normal((8, 90)), mx.random.normal((len(s.synapses),))
    matrix = np.zeros(s.mask.shape, np.float32)
    matrix[s.synapses.pre, s.synapses.post] = np.array(w)
    # Tensor cores round products of float32 matrices to 10 bits.
    np.testing.assert_allclose(np.array(s.matmul(x, s.weights(w))), np.array(x) @ matrix, atol=2e-2)
