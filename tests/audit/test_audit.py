"""The audit of a day: drawn networks, containers and data against independent references.

`make audit` runs the same checks for as long as you like, with another seed. `test_train.py` has the reports
of ``ganglion train``, and ``training/test_distributed.py`` what becomes of a run that loses a process.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl

from .cases import ELSEWHERE, NO_OPTIONS, OPTIONS, ROWS, cases
from .checks import CHECKS, SLOW


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("check", CHECKS)
def test_audit(check: str, row: str) -> None:
    examples = 1 if check == "distributed" else 2 if check in SLOW else 6

    @settings(max_examples=examples, deadline=None)
    @given(st.data())
    def audited(data: st.DataObject) -> None:
        CHECKS[check](data.draw(cases((row,))))

    audited()


CONTAINERS = {
    kind.__name__: kind
    for kind in gl.NCPLayer._classes.values()
    if kind.__module__.startswith("ganglion.") and (kind.recurrent or kind is gl.Scaled)
}


def test_every_container_has_a_row() -> None:
    named = {"LTC", "CfC"}  # drawn in every row
    elsewhere = {"Observed"}  # compared with SciPy in tests/cells/test_observing.py
    private = {name for name in CONTAINERS if name.startswith("_")}
    assert set(CONTAINERS) - private - named - elsewhere <= set(ROWS)


@pytest.mark.parametrize("name", sorted({*OPTIONS, *ELSEWHERE}))
def test_every_option_is_drawn_or_has_another_test(name: str) -> None:
    kind = getattr(gl, name)
    options = set(inspect.signature(kind.__init__).parameters) - NO_OPTIONS
    assert options == {*OPTIONS.get(name, ()), *ELSEWHERE.get(name, ())}
    for test in ELSEWHERE.get(name, {}).values():
        if test.endswith(".py"):
            assert (Path(__file__).parents[1] / test).is_file()


def test_every_container_has_its_options_listed() -> None:
    assert {name for name in ROWS if hasattr(gl, name)} <= {*OPTIONS, *ELSEWHERE}
