"""Masked operations as a user meets them: plan order, any layout, gradients, errors."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.random(30, inputs=6, outputs=4, sparsity=0.8, seed=7)
on_all_layouts = pytest.mark.parametrize("layout", ["dense", "block", "edge", "auto"])


def recurrent(layout: str) -> Any:
    return gl.compile_circuit(CIRCUIT, layout, block_size=8, order="block").recurrent


def dense(s: Any, w: mx.array) -> np.ndarray:
    matrix = np.zeros((30, 30))
    matrix[s.synapses.pre, s.synapses.post] = np.array(w)
    return matrix


@on_all_layouts
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)])
def test_masked_matmul(layout: str, lead: tuple[int, ...]) -> None:
    s = recurrent(layout)
    x, w = mx.random.normal((*lead, 30)), mx.random.normal((len(s.synapses),))
    y = gl.masked_matmul(x, w, s)
    assert y.shape == x.shape
    np.testing.assert_allclose(np.array(y), np.array(x) @ dense(s, w), atol=1e-5)


@on_all_layouts
def test_polarity_decides_the_signs(layout: str) -> None:
    s = recurrent(layout)
    x, w = mx.random.normal((5, 30)), mx.random.normal((len(s.synapses),))
    y = gl.masked_matmul(x, w, s, polarity=True)
    np.testing.assert_allclose(
        np.array(y), np.array(x) @ (np.abs(dense(s, w)) * np.array(s.polarity)), atol=1e-5
    )
    flipped = gl.masked_matmul(x, -w, s, polarity=True)
    np.testing.assert_array_equal(np.array(flipped), np.array(y))


@on_all_layouts
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)])
def test_synaptic_sum(layout: str, lead: tuple[int, ...]) -> None:
    s = recurrent(layout)
    a = mx.random.normal((*lead, len(s.synapses)))
    expected = np.zeros((*lead, 30))
    np.add.at(np.moveaxis(expected, -1, 0), s.synapses.post, np.moveaxis(np.array(a), -1, 0))
    found = gl.synaptic_sum(a, s)
    np.testing.assert_allclose(np.array(found), expected, atol=1e-5)
    c = mx.random.normal(found.shape)
    _, (gradient,) = mx.vjp(lambda a: gl.synaptic_sum(a, s), [a], [c])
    np.testing.assert_array_equal(np.array(gradient), np.array(c)[..., s.synapses.post])


class Masked(nn.Module):
    """A user's own layer over the synapses of a circuit."""

    def __init__(self, layout: str) -> None:
        super().__init__()
        self._synapses = recurrent(layout)
        self.w = mx.random.normal((len(self._synapses.synapses),), key=mx.random.key(0))

    def __call__(self, x: mx.array) -> mx.array:
        per_synapse = x[..., mx.array(self._synapses.synapses.pre)] * self.w
        return gl.masked_matmul(x, self.w, self._synapses, polarity=True) + gl.synaptic_sum(
            mx.tanh(per_synapse), self._synapses
        )


def test_in_a_module_under_all_transformations() -> None:
    x = mx.random.normal((4, 30), key=mx.random.key(1))
    results = []
    for layout in ("dense", "block", "edge", "auto"):
        layer = Masked(layout)
        step = nn.value_and_grad(layer, lambda x, layer=layer: (layer(x) ** 2).sum())
        loss, gradients = step(x)
        compiled = mx.compile(lambda x, layer=layer: layer(x))
        vmapped = mx.vmap(layer)(x)
        results.append([loss, gradients["w"], compiled(x), vmapped, mx.grad(lambda x: layer(x).sum())(x)])  # noqa: B023
    for other in results[1:]:
        for found, expected in zip(other, results[0], strict=True):
            np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "w", "message"),
    [
        ((5, 29), None, r"x has shape \(5, 29\): expected \(..., 30\), for 30 presynaptic neurons"),
        ((), None, r"x has shape \(\)"),
        ((5, 30), (7,), r"w has shape \(7,\): expected \(..., \d+\), for \d+ synapses"),
        ((5, 30), (30, 30), r"w has shape \(30, 30\): expected one weight per synapse"),
    ],
)
def test_shapes_that_do_not_fit(x: tuple[int, ...], w: tuple[int, ...] | None, message: str) -> None:
    s = recurrent("edge")
    with pytest.raises(ValueError, match=message):
        gl.masked_matmul(mx.zeros(x), mx.zeros(w or (len(s.synapses),)), s)


def test_values_that_are_not_one_per_synapse() -> None:
    with pytest.raises(ValueError, match=r"a has shape \(3, 2\): expected \(..., \d+\), for \d+ synapses"):
        gl.synaptic_sum(mx.zeros((3, 2)), recurrent("edge"))
