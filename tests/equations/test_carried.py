"""Kernels of cells from equations that wheels carry: they lie in a folder, as these cells write them.

python -m tests.equations.test_carried      # after a change of what they are written by; read the difference
"""

from __future__ import annotations

import shutil
from typing import Any

import mlx.core as mx
import pytest

import ganglion as gl
from ganglion.cells.equations.kernel import written
from ganglion.compile.kernels import prebuilt
from ganglion.compile.kernels.cpu import CPURunner, _code

from ..support.kernels import CELLS

FOLDER = CELLS / "published" / "carried"
CIRCUIT = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
CARRIED: dict[str, Any] = {
    "stc": lambda: gl.STC(CIRCUIT),
    "lrc": lambda: gl.LRC(CIRCUIT),
    "lrcu": lambda: gl.LRCU(CIRCUIT),
    "leaky_rate": lambda: gl.LeakyRate(CIRCUIT),
    "lif": lambda: gl.LIF(CIRCUIT),
    "min_gru": lambda: gl.MinGRU(CIRCUIT),
    "ctrnn": lambda: gl.CTRNNCell(CIRCUIT),
}
"""What a user has without asking for anything; what options make of it is built where it runs."""


def texts() -> dict[str, dict[str, str]]:
    """The kernels of each variant as text, by the names of their files."""
    found = {}
    for variant, make in CARRIED.items():
        cell = make()
        for ending, all_states in (("", False), ("_states", True)):
            made = dict(written(cell.model, cell.steps_with[0], False, all_states).texts.files)
            if made not in found.values():
                found[variant + ending] = made
    return found


def test_what_is_carried_is_what_cells_write() -> None:
    held = {
        folder.name: {path.stem: path.read_text() for path in folder.iterdir()} for folder in FOLDER.iterdir()
    }
    assert held == texts(), "python -m tests.equations.test_carried writes them anew"


@pytest.mark.parametrize("variant", CARRIED)
def test_a_wheel_has_the_kernels_of_cells_that_ship(variant: str) -> None:
    held = {item for item in prebuilt.kernel_texts(CELLS, (8,)) if item[0].startswith("equations_")}
    mx.random.seed(0)
    cell = CARRIED[variant]()
    for all_states in (False, True):
        for runner in cell.kernel(all_states=all_states).sequence.runners(CPURunner):
            source, library, _ = _code(runner.kernel, 8, runner.constants)
            assert (library, source) in held


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    for variant, files in texts().items():
        (FOLDER / variant).mkdir(parents=True)
        for title, text in files.items():
            (FOLDER / variant / f"{title}.c").write_text(text)
