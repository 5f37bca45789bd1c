"""LEMS: an interpreter of other people runs what we write, and gets our numbers."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

SPANS = np.array([0.3, 0.2, 0.0, 0.3, 0.2], np.float32)


def circuit() -> gl.Circuit:
    """Every kind of synapse, and names that an interpreter has for itself."""
    made = gl.Circuit()
    for name, role in (
        ("left eye", "sensory"), ("id", "sensory"), ("v_AVA", "command"), ("AVA", "command"),
        ("parent", "inter"), ("output_0", "motor"),
    ):  # fmt: skip
        made.add_neuron(name, role=role)
    for pre, post, sign in (
        ("left eye", "AVA", 1), ("id", "parent", -1), ("AVA", "output_0", 1), ("parent", "output_0", -1),
        ("output_0", "AVA", -1), ("AVA", "AVA", 1), ("AVA", "v_AVA", -1), ("v_AVA", "parent", 1),
    ):  # fmt: skip
        made.add_synapse(pre, post, polarity=sign)
    made.add_edge("AVA", "parent", kind="electrical", polarity=1)
    return made


def network(**options: Any) -> gl.LTC:
    rnn = gl.LTC(circuit(), key=mx.random.key(1), **options)
    rnn.cell.input_w, rnn.cell.input_b = mx.array([1.5, 0.5]), mx.array([0.1, 0.0])
    rnn.cell.output_w, rnn.cell.output_b = mx.array([-2.0]), mx.array([0.25])
    return rnn


def run(path: Path) -> dict[str, Any]:
    """What PyLEMS records: (time, value) of each quantity, in seconds and volts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its regular expressions
        from lems.model.model import Model
        from lems.sim.build import SimulationBuilder

        model = Model(include_includes=False)
        model.import_from_file(str(path))
        simulation = SimulationBuilder(model.resolve()).build()
    simulation.run()
    found, left = {}, list(simulation.runnables.values())
    while left:
        part = left.pop()
        left += part.uchildren.values()
        found |= {each.full_path: np.array(each.values) for each in part.recorded_variables}
    return found


def test_an_interpreter_gets_our_trace(tmp_path: Path) -> None:
    rnn = network(ode_unfolds=300, engine="ops", epsilon=0.1, time_scale=0.8)
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    begin = np.array([0.1, -0.2, 0.3, 0.0], np.float32)
    outputs, _, states = rnn(x, begin, SPANS, return_states=True)
    gl.export_lems(rnn, tmp_path / "worm.xml", x, SPANS, state=begin, step=8e-4)
    found = run(tmp_path / "worm.xml")
    ends = np.cumsum(SPANS)
    text = (tmp_path / "worm.xml").read_text()
    columns = re.findall('<OutputColumn id="column_[0-9]+" quantity="(.*?)"', text)
    assert columns == ["output_0/v", "v_AVA/v", "AVA/v", "parent_/v", "shown_0"]
    ours = np.hstack([np.array(states), np.array(outputs)])
    theirs = np.stack([np.interp(ends, found[c][:, 0], found[c][:, 1] * 1e3) for c in columns], 1)
    assert np.abs(ours).max() > 0.2
    assert np.abs(theirs - ours).max() < 1e-3


def test_it_begins_at_rest(tmp_path: Path) -> None:
    rnn, x = network(), np.zeros((2, 2), np.float32)
    gl.export_lems(rnn, tmp_path / "w.xml", x, state="rest")
    _, _, states = rnn(x, "rest", return_states=True)
    begun = re.findall('v0="(.*?)mV"', (tmp_path / "w.xml").read_text())
    assert np.abs(np.array(begun, float) - np.array(states)[0]).max() < 1e-5
    assert np.abs(np.array(states)).max() > 1e-2


def test_the_step_and_the_unit_of_time(tmp_path: Path) -> None:
    rnn = network()
    x = np.ones((2, 2), np.float32)
    gl.export_lems(rnn, tmp_path / "s.xml", x)
    gl.export_lems(rnn, tmp_path / "ms.xml", x[None], 1.0, unit="ms")
    seconds, milli = ((tmp_path / name).read_text() for name in ("s.xml", "ms.xml"))
    step = float(re.search(r'step="(.*?)s"', seconds)[1])
    p = {name: np.array(array) for name, array in rnn.cell.effective().items()}
    plan, total = rnn.cell.compiled.plan, p["gleak"].copy()
    np.add.at(total, plan.recurrent.post, p["w"])
    np.add.at(total, plan.sensory.post, p["sensory_w"])
    for side in (plan.electrical.pre, plan.electrical.post):
        np.add.at(total, side, p["gap"])
    assert step == pytest.approx((p["cm"] / total).min() / 300, rel=1e-5)
    assert 'length="2.0s"' in seconds
    assert 'length="2.0ms"' in milli
    assert milli.count("pF") == seconds.count("nF")
    assert "semi-implicit" in seconds


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            lambda r, x, p: gl.export_lems(gl.RNN(gl.LeakyRate(gl.auto_ncp(6, 2, inputs=2))), p, x),
            TypeError,
            "over LeakyRate",
        ),
        (
            lambda r, x, p: gl.export_lems(gl.LTC(circuit(), mixed_memory=True), p, x),
            TypeError,
            "MixedMemoryCell",
        ),
        (lambda r, x, p: gl.export_lems(gl.LTC(circuit(), reverse=True), p, x), ValueError, "reads forwards"),
        (lambda r, x, p: gl.export_lems(r, p.with_suffix(".nml"), x), gl.FileError, "must end in .xml"),
        (lambda r, x, p: gl.export_lems(r, p, np.stack([x, x])), ValueError, "the input has 2 sequences"),
        (lambda r, x, p: gl.export_lems(r, p, x * np.nan), ValueError, "x has a number that is not finite"),
        (lambda r, x, p: gl.export_lems(r, p, x, -1.0), ValueError, "time span"),
        (lambda r, x, p: gl.export_lems(r, p, x, unit="h"), ValueError, "unit"),
        (lambda r, x, p: gl.export_lems(r, p, x, step=0), ValueError, "step"),
        (lambda r, x, p: gl.export_lems(gl.silenced(r, "AVA"), p, x), TypeError, "got Perturbed(LTC"),
    ],
)
def test_what_it_refuses(change: Any, error: type[Exception], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=re.escape(said)):
        change(network(), np.ones((2, 2), np.float32), tmp_path / "w.xml")
    assert not list(tmp_path.iterdir())


def test_a_neuron_without_capacitance(tmp_path: Path) -> None:
    rnn = network()
    rnn.cell.cm = mx.array([0.5, 0.5, 0.0, 0.5])
    with pytest.raises(ValueError, match="neuron 'AVA' has cm = 0, and so no differential equation"):
        gl.export_lems(rnn, tmp_path / "w.xml", np.ones((2, 2), np.float32))
