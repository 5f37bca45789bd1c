"""The kernels that are generated from equations, beside plain operations."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.equations.kernel import written
from ganglion.compile.kernels import nodes, pairs, sequence

from ..kernels.emulate import EmulatedRunner
from ..support.equations import SAMPLES, cell_of
from ..support.networks import difference, relative_error

KINDS = [kind for kind in SAMPLES if kind != "Gated"]
on_all = pytest.mark.parametrize("kind", KINDS)


def outcome(rnn: gl.RNN, seed: int, batch: int, steps: int) -> dict[str, np.ndarray]:
    """The loss of a batch to which everything happens, and all its gradients."""
    rng, cell = np.random.default_rng(seed), rnn.cell
    mask, ends = rng.random((batch, steps)) < 0.8, rng.random((batch, steps)) < 0.2
    mask[:, rng.integers(steps)] = False
    x = rng.uniform(-1, 1, (batch, steps, cell.n_inputs))
    spans = rng.choice([0.0, 1e-40, 0.3, 1.0], (batch, steps))
    x[~mask], spans[~mask] = np.nan, np.nan
    states = tuple(
        mx.array(rng.uniform(-0.5, 0.5, (batch, *s)).astype(np.float32)) for s in cell.state_shapes
    )

    def loss(p: Any, x: mx.array, spans: mx.array, states: Any) -> mx.array:
        cell.update(p)
        y, last = rnn(x, states if len(states) > 1 else states[0], timespans=spans, mask=mask, ends=ends)
        weights = mx.arange(steps)[:, None] + 1.0
        ended = last if isinstance(last, tuple) else (last,)
        return mx.square(y * weights).sum() + sum(mx.square(part - 0.5).sum() for part in ended)

    before = cell.trainable_parameters()
    arrays = mx.array(x.astype(np.float32)), mx.array(spans.astype(np.float32)), states
    value, found = mx.value_and_grad(loss, argnums=(0, 1, 2, 3))(before, *arrays)
    cell.update(before)
    return {"loss": np.array(value), **{name: np.array(g) for name, g in tree_flatten(list(found))}}


def assert_alike(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    for name, gradient in expected.items():
        assert relative_error(found[name], gradient) < 1e-4, name


@on_all
@pytest.mark.parametrize(
    ("batch", "every", "reverse"), [(1, 1, False), (5, 3, True), (19, 1, False), (19, 4, True)]
)
def test_kernels_are_the_operations(kind: str, batch: int, every: int, reverse: bool) -> None:
    cell = cell_of(kind, seed=batch)
    ops, fused = (
        outcome(gl.RNN(cell, engine=engine, checkpoint_every=every, reverse=reverse), batch, batch, 7)
        for engine in ("ops", "fused")
    )
    assert_alike(fused, ops)


@pytest.mark.parametrize("solver", ["euler", "exponential"])
def test_every_solver_that_has_a_kernel(solver: str) -> None:
    cell = cell_of("Driven", seed=1, solver=solver, ode_unfolds=3)
    assert_alike(outcome(gl.RNN(cell, engine="fused"), 2, 5, 6), outcome(gl.RNN(cell, engine="ops"), 2, 5, 6))


@pytest.mark.parametrize("kind", ["AsLTC", "Rate", "Recovering"])
def test_the_body_computes_the_same_as_on_a_gpu(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With threads and barriers, emulated on the CPU."""
    expected = outcome(gl.RNN(cell_of(kind, seed=3), engine="fused"), 4, 3, 5)
    monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
    monkeypatch.setattr(sequence.nodes, "usable", lambda: False)
    assert_alike(outcome(gl.RNN(cell_of(kind, seed=3), engine="fused"), 4, 3, 5), expected)


@pytest.mark.skipif(not nodes.usable(), reason="kernels are no nodes here")
@pytest.mark.parametrize("kind", ["AsLTC", "Rate", "Recovering"])
def test_a_crew_computes_what_one_thread_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for least, threads in ((1 << 62, "1"), (1, "1"), (1, "2"), (1, "3")):
        monkeypatch.setattr(pairs, "CREW_SYNAPSES", least)
        monkeypatch.setenv("GANGLION_NUM_THREADS", threads)
        found.append(outcome(gl.RNN(cell_of(kind, seed=5), engine="fused"), 6, 19, 5))
    for other in found[1:]:
        for name, value in found[0].items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


def test_a_memory_in_front() -> None:
    cell = gl.MixedMemoryCell(cell_of("Rate", seed=7))
    assert_alike(outcome(gl.RNN(cell, engine="fused"), 8, 5, 6), outcome(gl.RNN(cell, engine="ops"), 8, 5, 6))


@on_all
def test_a_perturbed_kernel_is_the_perturbed_operations(kind: str) -> None:
    cell = cell_of(kind, seed=9)
    x = mx.array(np.random.default_rng(0).uniform(-1, 1, (3, 6, 3)).astype(np.float32))
    found = []
    for engine in ("ops", "fused"):
        rnn = gl.RNN(cell, engine=engine)
        with gl.silenced(rnn, cell.neurons[-1], to=0.25):
            found.append(np.array(rnn(x)[0]))
        effects = gl.study(rnn, gl.each("inter"), x=x).effects()  # of many at once
        found.append(np.array(list(effects.values())))
    assert difference(mx.array(found[2]), found[0]) < 1e-5
    assert np.abs(found[3] - found[1]).max() < 1e-5


def test_what_has_no_kernel_says_so() -> None:
    for kind, options, told in (
        ("Rate", {"solver": "rk4"}, "the fused kernel has no solver 'rk4'"),
        ("Gated", {}, "the fused kernel has no sums of sums, and f_pre of Gated is one"),
    ):
        rnn = gl.RNN(cell_of(kind, **options), engine="fused")
        with pytest.raises(gl.KernelError, match=told):
            rnn(mx.zeros((1, 2, 3)))


@pytest.mark.parametrize("options", [{}, {"delays": 2}])
def test_cells_over_one_circuit_share_a_kernel(options: dict[str, int]) -> None:
    """As the cells of an ensemble and of experiments are many."""
    compiled = gl.compile_circuit(gl.auto_ncp(11, 2, inputs=3))
    one, other = (SAMPLES["Rate"](compiled, **options).kernel().sequence for _ in range(2))
    assert one is other


def test_a_kernel_has_no_word_that_another_target_lacks() -> None:
    for kind in KINDS:
        model = SAMPLES[kind].model
        made = written(model, model.declaration.solver, True)
        for _, text in made.texts.files:
            assert text.isascii()
            assert " new " not in text
            assert "pow(" not in text
