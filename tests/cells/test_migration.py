"""The tables of the migration guide: every row has a test here, and every name of ncps has a row.

The tests are named by the rows, "section/name". What a row says in code about Ganglion is evaluated, and its
check in `tests/support/migration.py` looks whether it does what the ncps name stands for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import mlx.core as mx
import ncps
import ncps.wirings
import pytest

import ganglion as gl

from ..support.migration import (
    CALLS,
    CFCS,
    CHECKS,
    EVERY,
    LTCS,
    MEMORY,
    METHODS,
    OTHERS,
    PORTS,
    TABLES,
    WIRING_OPTIONS,
    WIRINGS,
    Given,
    names_in,
)  # fmt: skip

NCPS = Path(ncps.__file__).parent

ROWS = [f"{section}/{name}" for section, rows in TABLES.items() for name in rows]

# The parts of ncps, each with the classes whose names are read off its source: it need not run here.
PARTS = ("torch", "keras", "tf", "paddle", "wirings", "datasets")
CALLED = ("__init__", "__call__", "call", "forward")

# Names without a row, and why.
LEFT_OUT = {
    "add_weight": "makes a parameter, for the constructor",
    "init_weights": "draws the initial values, for the constructor",
    "shape": "the initializers of a wiring ignore it",
    "dtype": "the initializers of a wiring ignore it",
    "split_tensor": "a helper of the wired cell on Keras",
    "py_load": "a helper of the data sets",
    "load_fn": "a helper of the data sets",
    "download_and_unzip": "a helper of the data sets",
}

# The MLX port's public classes with their options, arguments of a call and methods, and its functions
# (MLXPorts/ncps-mlx, ncps/neurons, as of November 2025). Its wirings are those of ncps.
NETWORK = (
    "input_size",
    "units",
    "return_sequences",
    "return_state",
    "batch_first",
    "inputs",
    "hx",
    "timespans",
)
CELL = ("units", "profile", "inputs", "state")
COUNTS = ("synapse_count", "sensory_synapse_count")
SIZES = ("state_size", "sensory_size", "motor_size", "output_size")
PORT = {
    "LTC": ("input_size", "units", "return_sequences", "batch_first", "input_mapping", "output_mapping",
            "ode_unfolds", "epsilon", "implicit_param_constraints", "inputs", "hx", "timespans",
            "apply_weight_constraints", *COUNTS),
    "LTCCell": ("wiring", "in_features", "input_mapping", "output_mapping", "ode_unfolds", "epsilon",
                "implicit_param_constraints", "inputs", "state", "elapsed_time", "apply_weight_constraints",
                *SIZES),
    "CfC": ("input_size", "units", "proj_size", "return_sequences", "batch_first", "mixed_memory", "mode",
            "activation", "backbone_units", "backbone_layers", "backbone_dropout", "custom_activations",
            "inputs", "hx", "timespans"),
    "CfCCell": ("input_size", "hidden_size", "mode", "activation", "backbone_units", "backbone_layers",
                "backbone_dropout", "sparsity_mask", "custom_activations", "inputs", "hx", "ts"),
    "WiredCfCCell": ("input_size", "wiring", "mode", "activation", "custom_activations", "inputs", "hx",
                     "timespans", "layer_sizes", "num_layers", *SIZES, *COUNTS),
    "CfCProfiled": ("input_size", "profile", "overrides", "inputs", "hx", "timespans", "return_state",
                    "apply_constraints"),
    "CTRNN": (*NETWORK, "activation", "profile"), "CTRNNCell": CELL,
    "CTRNNSECell": (*CELL, "ensure_parameters", "input_dim"),
    "CTGRU": (*NETWORK, "cell_clip", "profile"), "CTGRUCell": CELL,
    "CTGRUSECell": (*CELL, "ensure_parameters", "input_dim"),
    "ELTC": (*NETWORK, "wiring", "solver", "ode_unfolds", "activation"),
    "ELTCCell": ("wiring", "in_features", "activation", "solver", "ode_unfolds", "inputs", "state", "time",
                 "state_size", "output_size"),
    "LTC4": (*NETWORK, "activation", "solver", "ode_unfolds"),
    "LTC4Cell": ("units", "activation", "solver", "ode_unfolds", "input_dim", "inputs", "state", "time"),
    "LTCSECell": (*CELL, "erev_init_factor", "elapsed_time", "apply_constraints"),
    "NODE": (*NETWORK, "profile"), "NODESECell": CELL,
    "IcraCfCCell": ("lidar_bins", "state_dim", "profile", "overrides", "state_seq", "lidar_seq", "hx",
                    "return_state", "apply_constraints", "to_config", "state_size", "zero_state",
                    "batch_size", "step", "state_t", "lidar_t"),
    "HyperProfile": ("name", "description", "ode_unfolds", "solver", "input_mapping", "initializers",
                     "constraints", "extras"),
    "load_profile": (), "NCPLayer": (), "NCPDense": (), "NCPRNNCell": (), "LeCunTanh": (), "lecun_tanh": (),
    "sigmoid": (), "get_activation": (), "euler_solve": (), "rk4_solve": (), "semi_implicit_solve": (),
    "TrainingState": (), "create_training_state": (), "train_for_epochs": (),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("Agg")
    mx.random.seed(2)
    gl.write(gl.auto_ncp(16, 2, inputs=8), "circuit.json")
    CHECKS[name](Given(name, tmp_path))


def test_no_test_is_without_a_row() -> None:
    assert set(CHECKS) <= set(ROWS)


def public(name: str) -> bool:
    return not name.startswith("_") and name not in LEFT_OUT


def names_of(node: ast.ClassDef) -> list[str]:
    """The options, arguments of a call, properties, methods and their arguments of a class."""
    found = []
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and (part.name in CALLED or public(part.name)):
            given = part.args.posonlyargs + part.args.args + part.args.kwonlyargs
            found += [argument.arg for argument in given if argument.arg not in ("self", "cls")]
            found += [part.name] if part.name not in CALLED else []
    return [name for name in dict.fromkeys(found) if public(name)]


def signatures(part: str) -> dict[str, list[str]]:
    """The public classes and functions of a part of ncps, exported or not, with the names of the classes."""
    found: dict[str, list[str]] = {}
    for path in sorted((NCPS / part).rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and public(node.name):
                known = found.setdefault(node.name, [])
                known += names_of(node) if isinstance(node, ast.ClassDef) else []
    return found


def missing(part: str, classes: Mapping[str, Iterable[str]]) -> list[str]:
    """What has no row where a reader would look for it."""
    found = [name for name in classes if name not in names_in("Classes", WIRINGS, OTHERS)]
    for name, names in classes.items():
        rows = names_in(*sections_of(part, name))
        found += [f"{name}.{given}" for given in names if given not in rows]
    return found


def sections_of(part: str, name: str) -> list[str]:
    if part in ("wirings", "datasets"):
        return [WIRINGS, WIRING_OPTIONS] if part == "wirings" else [OTHERS]
    found = [EVERY, CALLS, METHODS] + ([PORTS] if part == "MLX port" else [])
    found += [LTCS] if name in ("LTC", "LTCCell", "ELTC", "ELTCCell", "HyperProfile") else []
    found += [CFCS] if "CfC" in name or name == "LSTMCell" else []
    return found + ([MEMORY] if name == "MixedMemoryRNN" else [])


@pytest.mark.parametrize("part", [*PARTS, "MLX port"])
def test_every_name_has_a_row(part: str) -> None:
    classes = PORT if part == "MLX port" else signatures(part)
    assert classes
    # The activation's only argument is the input.
    assert [name for name in missing(part, classes) if name != "LeCun.x"] == []


def test_a_name_without_a_row_is_seen() -> None:
    source = """class LTC:
    def __init__(self, units, *, novel): ...
    def forward(self, input, unheard): ...
    def method(self, argument): ...
    @property
    def size(self): ..."""
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.ClassDef)
    unknown = ["novel", "unheard", "argument", "method", "size"]
    assert missing("torch", {"LTC": names_of(node)}) == [f"LTC.{name}" for name in unknown]
