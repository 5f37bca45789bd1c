"""The cost model and what it tells: predictions, the choice of a layout, the report."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

import ganglion as gl
from ganglion.compile.cost import OPERATIONS, cheapest, constants, cost
from ganglion.compile.layouts import LAYOUTS, MixedProjection
from ganglion.compile.orders import ORDERS
from ganglion.compile.tiling import Order, Tiling


def test_the_constants_are_data_of_the_package() -> None:
    stored = json.loads(files("ganglion.compile").joinpath("cost.json").read_text())
    for operation in OPERATIONS:
        assert constants()[operation].keys() == set(LAYOUTS)
        for call, value in constants()[operation].values():
            assert call >= 0
            assert 0 < value < 1e-6
    assert stored["measured"]


def test_predictions_follow_the_size() -> None:
    plan = gl.compile_circuit(gl.random(64, inputs=4, outputs=4, sparsity=0.9)).plan
    call, value = constants()["sums"]["edge"]
    assert cost(plan.recurrent, "edge").sums == pytest.approx(call + value * 32 * len(plan.recurrent))
    assert cost(plan.recurrent, "dense").bytes == 4 * 64 * 64
    tiling = Tiling.of(plan.recurrent, Order.of_plan(plan.recurrent), 8)
    assert cost(plan.recurrent, "block", tiling).bytes == 4 * 64 * len(tiling)


def test_auto_takes_the_cheapest_for_each_operation() -> None:
    for circuit in (
        gl.random(400, inputs=8, outputs=4, sparsity=0.99),
        gl.random(48, inputs=8, outputs=4, sparsity=0.9),
        gl.fully_connected(200, inputs=8, outputs=4),
    ):
        compiled = gl.compile_circuit(circuit)
        assert compiled.layout == "auto"
        s = compiled.recurrent
        tiling = Tiling.of(s.synapses, Order.of_plan(s.synapses), 32)
        chosen = (s.for_sums, s.for_products) if isinstance(s, MixedProjection) else (s, s)
        for projection, operation in zip(chosen, OPERATIONS, strict=True):
            assert projection.name == cheapest(s.synapses, tiling, operation)
    sparse = gl.compile_circuit(gl.random(400, inputs=8, outputs=4, sparsity=0.99)).recurrent
    assert sparse.name == "edge"


def test_layouts_that_cannot_be_are_never_chosen() -> None:
    """Where dense is beyond its limit, whatever it would cost."""
    n = 40_000
    plan = gl.Plan.from_arrays(np.arange(n), np.arange(n)[::-1], np.ones(n), ["motor"] * n)
    assert not cost(plan.recurrent, "dense").possible
    assert gl.compile_circuit(plan).recurrent.name == "edge"


def test_the_report_lists_every_layout_and_order() -> None:
    compiled = gl.compile_circuit(gl.auto_ncp(64, 8, inputs=16), block_size=8)
    report = compiled.report()
    assert [(row.layout, row.order) for row in report.rows] == [
        ("dense", "any"),
        ("edge", "any"),
        *(("block", order) for order in ORDERS),
    ]
    for row in report.rows:
        assert 0 < row.fill <= 1
        assert row.cost.bytes > 0
        assert row.cost.sums > row.cost.matmul > 0
        assert (row.tiles is not None) == (row.layout == "block")
    assert report.rows[1].fill == 1
    lines = str(report).splitlines()
    assert lines[0].split() == ["layout", "order", "tiles", "fill", "bytes/weight", "sums", "matmul"]
    assert len(lines) == 9
    assert report.choice in lines[-1]


def test_the_report_explains_the_choice_in_a_sentence() -> None:
    circuit = gl.random(400, inputs=8, outputs=4, sparsity=0.99)
    choice = gl.compile_circuit(circuit).report().choice
    assert choice.startswith("auto took edge for sums (predicted ")
    assert "times as fast as dense" in choice
    assert "1% of the recurrent pairs of neurons are synapses." in choice
    assert gl.compile_circuit(circuit, "block").report().choice.startswith("The layout block was asked for")


def test_options_survive_another_plan() -> None:
    compiled = gl.compile_circuit(gl.auto_ncp(32, 4, inputs=8), "block", 16, "rcm")
    twin = compiled.with_plan(gl.compile_circuit(gl.auto_ncp(24, 4, inputs=8)).plan)
    assert (twin.layout, twin.block_size, twin.order) == ("block", 16, "rcm")
    assert twin.recurrent.synapses.n_post == 24


def test_options_survive_a_config() -> None:
    rnn = gl.LTC(gl.compile_circuit(gl.auto_ncp(32, 4, inputs=8), "block", 16, "rcm"))
    found = gl.LTC.from_config(rnn.get_config()).cell.compiled
    assert (found.layout, found.block_size, found.order) == ("block", 16, "rcm")
    assert found.plan == rnn.cell.compiled.plan
