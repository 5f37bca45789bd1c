"""What Ganglion does with what it cannot serve: one declared table, by group.

`make faults` runs it and prints it; `tests/faults/test_table.py` runs it with the tests.
"""

from __future__ import annotations

from . import calls, contents, environment, exports, options, outputs, paths, series, signals, sweeps
from .fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "Paths": paths.ROWS,
    "Files of circuits": contents.ROWS,
    "Tables, models and runs": series.ROWS,
    "Arguments of commands": options.ROWS,
    "Places to write": outputs.ROWS,
    "Environments": environment.ROWS,
    "Signals": signals.ROWS,
    "Sweeps": sweeps.ROWS,
    "Exports": exports.ROWS,
    "Calls": calls.ROWS,
}
