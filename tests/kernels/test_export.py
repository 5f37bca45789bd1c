"""Exported C files: they compile without a warning and compute what the Python network computes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl
from ganglion import export_c
from ganglion.errors import KernelError

from ..support.electrical import with_pairs

STEPS = 1000
CIRCUIT = gl.auto_ncp(20, 3, inputs=4, seed=2)
DENSE = gl.dense(4, 9)
NETWORKS: dict[str, Any] = {
    "ltc": lambda: gl.LTC(CIRCUIT),
    "ltc_softplus": lambda: gl.LTC(CIRCUIT, positive="softplus", input_mapping=None, output_mapping=None),
    "ltc_electrical": lambda: gl.LTC(with_pairs(CIRCUIT)),
    "cfc": lambda: gl.CfC(CIRCUIT),
    "cfc_synchronous": lambda: gl.CfC(CIRCUIT, mode="no_gate", schedule="synchronous"),
    "cfc_pure": lambda: gl.CfC(CIRCUIT, mode="pure"),
    "cfc_ncps": lambda: gl.CfC(CIRCUIT, ncps_compat=True),
    "ltc_memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "cfc_memory": lambda: gl.CfC(CIRCUIT, mode="pure", mixed_memory=True),
    "dense_gelu": lambda: gl.CfC(DENSE, backbone_activation="gelu", backbone_layers=2, backbone_units=11),
    "dense_silu": lambda: gl.CfC(DENSE, mode="no_gate", backbone_activation="silu"),
    "dense_bare": lambda: gl.CfC(DENSE, mode="pure", backbone_layers=0),
}


def build(source: Path, *options: str) -> Path:
    """Compile as strictly as a user may."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    program = source.with_suffix("")
    strict = ["-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-std=c99"]
    ran = subprocess.run(
        [compiler, *strict, *options, str(source), "-o", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return program


def run(program: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program)], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )


def numbers(text: str) -> np.ndarray:
    return np.array([[float(cell) for cell in line.split(",")] for line in text.splitlines()])


@pytest.mark.parametrize("name", NETWORKS)
def test_a_thousand_steps_agree(name: str, tmp_path: Path) -> None:
    mx.random.seed(0)  # with some weights, a full recurrence is so close to chaos that rounding errors grow
    rnn = NETWORKS[name]()
    export_c(rnn, tmp_path / f"{name}.c")
    program = build(tmp_path / f"{name}.c", f"-D{name}_MAIN")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STEPS, 4)).astype(np.float32)
    spans = rng.uniform(0.2, 2.0, STEPS).astype(np.float32)
    rows = [",".join(map(str, [*row, span])) for row, span in zip(x, spans, strict=True)]
    rnn.engine = "ops"
    expected = np.array(rnn(mx.array(x), timespans=mx.array(spans))[0])
    assert np.abs(numbers(run(program, rows).stdout) - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["ltc", "cfc", "cfc_pure"])
def test_gaps_of_no_time_agree(name: str, tmp_path: Path) -> None:
    rnn = NETWORKS[name]()
    export_c(rnn, tmp_path / f"{name}.c")
    program = build(tmp_path / f"{name}.c", f"-D{name}_MAIN")
    x = np.random.default_rng(3).normal(size=(6, 4)).astype(np.float32)
    spans = np.array([0.0, 1.0, 1e-40, 0.5, 1e-31, 0.0], np.float32)
    rows = [",".join(map(str, [*row, span])) for row, span in zip(x, spans, strict=True)]
    expected = np.array(rnn(mx.array(x), timespans=mx.array(spans))[0])
    assert np.abs(numbers(run(program, rows).stdout) - expected).max() < 1e-5
    for bad in ("-1", "nan", "inf"):
        found = run(program, ["1,2,3,4,1", f"1,2,3,4,{bad}"])
        assert found.returncode == 2
        assert found.stderr == f"line 2: the time span is {bad}: expected a finite number of at least 0\n"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A network and its program."""
    rnn, path = gl.CfC(CIRCUIT), tmp_path_factory.mktemp("policy") / "policy.c"
    export_c(rnn, path)
    return rnn, build(path, "-Dpolicy_MAIN")


def test_a_header_is_skipped_and_time_spans_are_one(policy: tuple[Any, Path]) -> None:
    rnn, program = policy
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    found = run(program, ["a,b,c,d", *(",".join(map(str, row)) for row in x)])
    assert np.abs(numbers(found.stdout) - np.array(rnn(mx.array(x))[0])).max() < 1e-5


@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5,6", "1,2,x,4", "1,2,3,4 5 6", ""])
def test_a_bad_line_is_named(policy: tuple[Any, Path], line: str) -> None:
    found = run(policy[1], ["1,2,3,4", line, "1,2,3,4"])
    assert found.returncode == 2
    assert found.stderr.startswith("line 2: expected 4 numbers")
    assert len(found.stdout.splitlines()) == 1


def test_the_file_links_into_another_program(tmp_path: Path) -> None:
    export_c(gl.LTC(CIRCUIT), tmp_path / "one.c")
    export_c(gl.CfC(CIRCUIT), tmp_path / "two.c")
    for name in ("one", "two"):
        build(tmp_path / f"{name}.c", "-c")


def test_the_same_network_gives_the_same_file(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        export_c(rnn, tmp_path / name / "net.c")
    assert (tmp_path / "a" / "net.c").read_text() == (tmp_path / "b" / "net.c").read_text()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gl.LTC(CIRCUIT, reverse=True), KernelError, "reverse"),
        (lambda: gl.LTC(CIRCUIT, proj_size=2), KernelError, "proj_size"),
        (
            lambda: gl.CfC(DENSE, features=nn.Linear(4, 4), mixed_memory=True),
            KernelError,
            "no mixed memory for a cell with a layer in front",
        ),
        (lambda: gl.CfC(DENSE, features=nn.Linear(4, 4)), KernelError, "go through a layer"),
        (lambda: gl.CfC(DENSE, backbone_activation="softplus"), KernelError, "softplus"),
    ],
)
def test_what_cannot_be_exported_is_named(make: Any, error: type, message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        export_c(make(), tmp_path / "net.c")
    assert not (tmp_path / "net.c").exists()


def test_names_and_numbers_are_checked(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    with pytest.raises(ValueError, match=r"'my-net.c' begins the names"):
        export_c(rnn, tmp_path / "my-net.c")
    rnn.cell.w[0] = mx.nan
    with pytest.raises(ValueError, match="not finite"):
        export_c(rnn, tmp_path / "net.c")


def test_only_a_network_over_a_cell_becomes_c(tmp_path: Path) -> None:
    scaled = gl.Scaled(gl.LTC(gl.auto_ncp(16, 2, inputs=1)), ["speed"], ["left", "right"])
    with pytest.raises(TypeError, match=r"got Scaled; export the network inside, \.model"):
        gl.export_c(scaled, tmp_path / "policy.c")
    with pytest.raises(TypeError, match=r"expected a network such as gl\.LTC\(circuit\), got Linear"):
        gl.export_c(nn.Linear(2, 2), tmp_path / "policy.c")
    assert not list(tmp_path.iterdir())
