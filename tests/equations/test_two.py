"""Kernels that take two blocks of a batch at once compute bit by bit what they do one after the other."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.offers import cell_kernel
from ganglion.compile.kernels import cpu, sequence
from ganglion.compile.kernels.cpu import WIDE, CPURunner, form_for, lanes_for
from ganglion.compile.kernels.processor import vector_floats

ROWS = 2 * vector_floats() + 5  # so that the second of two blocks is empty in part, or whole, at the end


@pytest.fixture(autouse=True)
def processor() -> None:
    mx.set_default_device(mx.cpu)


def results(rnn: gl.RNN, x: mx.array, timespans: mx.array, mask: mx.array | None) -> list[np.ndarray]:
    """Outputs, the last state and all gradients."""

    def loss(parameters: dict, x: mx.array) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x, timespans=timespans, mask=mask)[0]).sum()

    outputs, state = rnn(x, timespans=timespans, mask=mask)
    gradients = mx.grad(loss, argnums=(0, 1))(rnn.trainable_parameters(), x)
    found = [outputs, state, *(value for _, value in tree_flatten(gradients))]
    mx.eval(found)
    return [np.array(value) for value in found]


@pytest.mark.parametrize("cell", [gl.CTRNNCell, gl.LeakyRate])
def test_results_do_not_depend_on_how_many_blocks_are_taken_at_once(
    cell: type[gl.EquationCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit = gl.auto_ncp(14, 3, inputs=4, seed=3)
    rng = np.random.default_rng(0)
    rnn = gl.RNN(cell(circuit), engine="fused")
    forms = []
    for module in (cpu, sequence):
        monkeypatch.setattr(module, "form_for", lambda *given: forms.append(form_for(*given)) or forms[-1])
    for batch in (ROWS, ROWS + WIDE):
        x = mx.array(rng.normal(size=(batch, 5, 4)).astype(np.float32))
        timespans = mx.array(rng.uniform(0.0, 2.0, (batch, 5)).astype(np.float32))
        for mask in (None, mx.array(rng.uniform(size=(batch, 5)) > 0.3)):
            found = []
            for threads in ("1", "64"):
                monkeypatch.setenv("GANGLION_NUM_THREADS", threads)
                forms.clear()
                found.append(results(rnn, x, timespans, mask))
                assert set(forms) == {"two" if threads == "1" else ""}
            for one, other in zip(*found, strict=True):
                np.testing.assert_array_equal(one, other)


def test_a_thread_takes_two_blocks_where_there_are_two_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    forward, backward = cell_kernel(gl.CTRNNCell(gl.auto_ncp(14, 3, inputs=4))).sequence.runners(CPURunner)
    monkeypatch.setenv("GANGLION_NUM_THREADS", "2")
    for runner in (forward, backward):
        assert [form_for(runner.kernel, batch) for batch in (1, WIDE, 3 * WIDE, 3 * WIDE + 1)] == [
            "",
            "",
            "",
            "two",
        ]
    assert lanes_for(3 * WIDE + 1) == WIDE
    plain = cell_kernel(gl.LTCCell(gl.auto_ncp(14, 3, inputs=4))).sequence.runners(CPURunner)[0]
    assert form_for(plain.kernel, 1 << 20) == ""
