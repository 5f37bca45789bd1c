"""The tables of the migration guide: every row has a test here, and every class and option of ncps has a row.

The tests are named by the rows, "section/name". What a row says in code about Ganglion is evaluated, and its
check in `tests/support/migration.py` looks whether it does what the ncps name stands for.
"""

from __future__ import annotations

import ast
from pathlib import Path

import matplotlib.pyplot as plt
import mlx.core as mx
import ncps
import ncps.wirings
import pytest

import ganglion as gl

from ..support.migration import CFCS, CHECKS, EVERY, LTCS, MEMORY, PORTS, TABLES, WIRINGS, Given

NCPS = Path(ncps.__file__).parent

ROWS = [f"{section}/{name}" for section, rows in TABLES.items() for name in rows]

# The MLX port's public classes and their options (MLXPorts/ncps-mlx, ncps/neurons, as of November 2025).
NETWORK = ("input_size", "units", "return_sequences", "return_state", "batch_first")
PORT = {
    "LTC": ("input_size", "units", "return_sequences", "batch_first", "input_mapping", "output_mapping",
            "ode_unfolds", "epsilon", "implicit_param_constraints"),
    "LTCCell": ("wiring", "in_features", "input_mapping", "output_mapping", "ode_unfolds", "epsilon",
                "implicit_param_constraints"),
    "CfC": ("input_size", "units", "proj_size", "return_sequences", "batch_first", "mixed_memory", "mode",
            "activation", "backbone_units", "backbone_layers", "backbone_dropout", "custom_activations"),
    "CfCCell": ("input_size", "hidden_size", "mode", "activation", "backbone_units", "backbone_layers",
                "backbone_dropout", "sparsity_mask", "custom_activations"),
    "WiredCfCCell": ("input_size", "wiring", "mode", "activation", "custom_activations"),
    "CfCProfiled": ("input_size", "profile", "overrides"),
    "CTRNN": (*NETWORK, "activation", "profile"), "CTRNNCell": ("units", "profile"),
    "CTRNNSECell": ("units", "profile"),
    "CTGRU": (*NETWORK, "cell_clip", "profile"), "CTGRUCell": ("units", "profile"),
    "CTGRUSECell": ("units", "profile"),
    "ELTC": ("input_size", "wiring", "return_sequences", "return_state", "batch_first", "solver",
             "ode_unfolds", "activation"),
    "ELTCCell": ("wiring", "in_features", "activation", "solver", "ode_unfolds"),
    "LTC4": ("input_size", "units", "return_sequences", "return_state", "batch_first", "activation", "solver",
             "ode_unfolds"),
    "LTC4Cell": ("units", "activation", "solver", "ode_unfolds", "input_dim"),
    "LTCSECell": ("units", "profile", "erev_init_factor"),
    "NODE": (*NETWORK, "profile"), "NODESECell": ("units", "profile"),
    "IcraCfCCell": ("lidar_bins", "state_dim", "profile", "overrides"),
    "HyperProfile": (), "load_profile": (), "NCPLayer": (), "NCPDense": (), "NCPRNNCell": (),
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


def signatures(folder: str) -> dict[str, list[str]]:
    """The public classes of a part of ncps and their options, read off its source: it need not run here."""
    found = {}
    for path in sorted((NCPS / folder).glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                makers = [
                    part
                    for part in node.body
                    if isinstance(part, ast.FunctionDef) and part.name == "__init__"
                ]
                found[node.name] = [argument.arg for maker in makers for argument in maker.args.args[1:]]
    exported = ast.parse((NCPS / folder / "__init__.py").read_text())
    public = next(node.value for node in exported.body if isinstance(node, ast.Assign))
    return {name: found[name] for name in ast.literal_eval(public)}


def sections_of(name: str) -> list[str]:
    found = [EVERY, PORTS]
    found += [LTCS] if name in ("LTC", "LTCCell", "ELTC", "ELTCCell") else []
    found += [CFCS] if "CfC" in name else []
    return found + ([MEMORY] if name == "MixedMemoryRNN" else [])


@pytest.mark.parametrize("part", ["torch", "keras", "MLX port"])
def test_every_class_and_option_has_a_row(part: str) -> None:
    classes = PORT if part == "MLX port" else signatures(part)
    assert len(classes) >= 5
    listed = {name for names in TABLES["Classes"] for name in names.split(", ")}
    assert set(classes) <= listed
    missing = [
        f"{name}({option})"
        for name, options in classes.items()
        for option in options
        if not any(option in TABLES[section] for section in sections_of(name))
    ]
    assert missing == []


def test_every_wiring_and_method_has_a_row() -> None:
    names = ["FullyConnected", "Random", "NCP", "AutoNCP", "Wiring"]
    methods = {name for name in vars(ncps.wirings.Wiring) if not name.startswith("_")}
    methods -= {"erev_initializer", "sensory_erev_initializer"}  # the matrices once more
    methods -= {"is_built", "num_layers", "set_input_dim", "set_output_dim"}  # how `build` goes about it
    assert methods | set(names) <= set(TABLES[WIRINGS])
    assert all(hasattr(ncps.wirings, name) for name in names)
