"""What a process loads before it is forked for every row that needs one of its own."""

import importlib

for name in (
    "encodings.utf_8_sig",
    "ganglion.cli",
    "ganglion.cells",
    "ganglion.demo",
    "ganglion.editor.standalone",
    "ganglion.training.series",
    "ganglion.viz",
    "ganglion.wiring",
    "matplotlib.pyplot",
    "mlx.nn",
    "mlx.optimizers",
    "rich.console",
    "rich.table",
    "tests.faults.table",
):
    importlib.import_module(name)
