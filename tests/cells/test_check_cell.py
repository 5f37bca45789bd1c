"""`gl.testing.check_cell` on every cell that ships, and what it says of cells that are wrong."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import pytest

import ganglion as gl
from ganglion.testing import CHECKS, OF_CIRCUITS, check_cell

CIRCUIT = gl.auto_ncp(11, 2, inputs=3, seed=4)
CELLS: dict[str, Any] = {
    "LTCCell": lambda: gl.LTCCell(CIRCUIT),
    "LTCCell softplus": lambda: gl.LTCCell(CIRCUIT, positive="softplus", polarity="fixed"),
    "LTCCell without mappings": lambda: gl.LTCCell(CIRCUIT, input_mapping=None, output_mapping="linear"),
    "CfCCell": lambda: gl.CfCCell(CIRCUIT),
    "CfCCell pure": lambda: gl.CfCCell(CIRCUIT, mode="pure", schedule="synchronous"),
    "CfCCell fixed": lambda: gl.CfCCell(CIRCUIT, mode="no_gate", polarity="fixed"),
    "CTRNNCell": lambda: gl.CTRNNCell(CIRCUIT),
    "CTGRUCell": lambda: gl.CTGRUCell(CIRCUIT, scales=3),
    "STC": lambda: gl.STC(CIRCUIT),
    "LRC": lambda: gl.LRC(CIRCUIT),
    "LRC symmetric": lambda: gl.LRC(CIRCUIT, elastance="symmetric", ode_unfolds=2),
    "LRC tied": lambda: gl.LRC(CIRCUIT, tie={"mu": ("role", "role"), "gleak": ()}),
    "LRCU": lambda: gl.LRCU(CIRCUIT),
    "LeakyRate": lambda: gl.LeakyRate(CIRCUIT, polarity="fixed"),
    "LIF": lambda: gl.LIF(CIRCUIT),
    "MinGRU": lambda: gl.MinGRU(CIRCUIT),
    "MixedMemoryCell": lambda: gl.MixedMemoryCell(gl.LTCCell(CIRCUIT)),
    "MissingValueCell": lambda: gl.MissingValueCell(gl.CfCCell(gl.auto_ncp(11, 2, inputs=6, seed=4))),
    "LiquidCell": lambda: gl.LiquidCell(gl.dense(3, 5), backbone_units=7),
    "BackboneCfCCell": lambda: gl.cells.BackboneCfCCell(gl.dense(3, 5), backbone_units=7),
}

# An LSTM beside a circuit sees all inputs and neurons, as its docstring says.
BESIDE_THE_CIRCUIT = ("lesions", "graph is law")


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_passes(name: str) -> None:
    mx.random.seed(0)
    cell = CELLS[name]()
    skip = BESIDE_THE_CIRCUIT if name == "MixedMemoryCell" else ()
    done = check_cell(cell, skip)
    assert set(done) == set(CHECKS) - {*skip, *(() if hasattr(cell, "compiled") else OF_CIRCUITS)}


def test_every_cell_has_a_row() -> None:
    abstract = {gl.NCPRNNCell, gl.cells.CellWrapper, gl.EquationCell}
    public = [getattr(gl.cells, name) for name in gl.cells.__all__]
    kinds = {c for c in public if isinstance(c, type) and issubclass(c, gl.NCPRNNCell)} - abstract
    assert {kind.__name__ for kind in kinds} <= {name.partition(" ")[0] for name in CELLS}


class Base(gl.NCPRNNCell):
    """A sound cell, of which each one below gets a part wrong."""

    homes = {"w": "recurrent", "sensory_w": "sensory"}  # noqa: RUF012

    def __init__(self, circuit: Any) -> None:
        super().__init__(circuit)
        plan = self.compiled.plan
        self.w = 0.5 * mx.array(plan.recurrent.polarity, mx.float32)
        self.sensory_w = mx.array(plan.sensory.polarity, mx.float32)

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        recurrent, sensory = self.compiled.recurrent, self.compiled.sensory
        drive = recurrent.matmul(state, recurrent.weights(self.w)) + sensory.matmul(
            x, sensory.weights(self.sensory_w)
        )
        return mx.tanh(drive) + (state - mx.tanh(drive)) * mx.exp(-timespan)


class Undeclared(Base):
    homes = {"w": "recurrent"}  # noqa: RUF012


class Misplaced(Base):
    homes = {"w": "neuron", "sensory_w": "sensory"}  # noqa: RUF012


class Leaking(Base):
    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return super().step(prepared, x, state, timespan) + 0.1 * x.sum(axis=-1, keepdims=True)


class Mixing(Base):
    """Rows of a batch see each other."""

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return super().step(prepared, x, state - state.mean(axis=0), timespan)


class Remembering(Base):
    """What it computes depends on how often it was called."""

    calls = 0

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        self.calls += 1
        return super().step(prepared, x, state, timespan) + 0.01 * self.calls


FAULTS = {
    Undeclared: "declared: the parameter 'sensory_w' has no home",
    Misplaced: r"declared: 'w' has shape \(\d+,\), not \(11,\)",
    Leaking: "graph is law: .* from which no path leads to it",
    Mixing: r"padding: the first \d samples of a padded row is off by",
    Remembering: "time spans: step by step is off by",
}


def test_a_sound_cell_of_ones_own_passes() -> None:
    assert check_cell(Base(CIRCUIT)) == tuple(CHECKS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_what_is_wrong_is_said(kind: Any) -> None:
    with pytest.raises(AssertionError, match=FAULTS[kind]):
        check_cell(kind(CIRCUIT))


def test_what_cannot_be_checked() -> None:
    with pytest.raises(TypeError, match=r"expected a cell, such as gl\.LTCCell"):
        check_cell(gl.LTC(CIRCUIT))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no check is called 'speed'"):
        check_cell(Base(CIRCUIT), skip=["speed"])
    with pytest.raises(ValueError, match="the LiquidCell is not built yet"):
        check_cell(gl.LiquidCell(8))
    assert "exports" not in check_cell(Base(CIRCUIT), skip=["exports"])
