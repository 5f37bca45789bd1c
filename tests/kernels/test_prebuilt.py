"""Kernels that a wheel carries: all that networks ask for, found before anything is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ganglion as gl
from ganglion.cells.offers import cell_kernel
from ganglion.compile.kernels import build, prebuilt, processor
from ganglion.compile.kernels.cpu import CPURunner, _code
from ganglion.compile.kernels.sequence import FusedSequence
from ganglion.errors import KernelError

from ..support.electrical import with_pairs
from ..support.kernels import CELLS, kernel_named

SOURCE = 'extern "C" int answer() { return 42; }\n'
BUILT = os.environ.get("GANGLION_CACHE")
CIRCUIT = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
V3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the package carries kernels; there is no compiler, and no cache yet."""

    def forget() -> None:
        for cached in (prebuilt.find, build._carried, build.compiler, build._identity, processor.levels):
            cached.cache_clear()

    monkeypatch.setattr(prebuilt, "FOLDER", tmp_path / "prebuilt")
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CXX", "/nowhere/c++")
    forget()
    yield tmp_path / "prebuilt"
    monkeypatch.undo()
    forget()


def carry(folder: Path, source: str, name: str, text: str | None = None) -> Path:
    """Put a library for all processors into the package, under the name for `source`."""
    lowest = processor.levels()[-1]
    path = folder / lowest.name / prebuilt._file(source, name)
    path.parent.mkdir(parents=True)
    command = ["c++", "-shared", "-fPIC", "-x", "c++", "-", "-o", str(path)]
    subprocess.run(command, input=(text or source).encode(), check=True)
    return path


def test_what_the_package_carries_needs_no_compiler_and_no_cache(folder: Path) -> None:
    carry(folder, SOURCE, "answer")
    assert build.load_library(SOURCE, "answer", "answer").answer() == 42
    assert build.origin(SOURCE, "answer", "answer") == (
        f"carried by the package for {processor.levels()[-1].name}"
    )
    assert prebuilt.carried() == {processor.levels()[-1].name: 1}
    assert not (folder.parent / "cache").exists()


@pytest.mark.parametrize("asked", [SOURCE.replace("42", "43"), f"// a word more\n{SOURCE}"])
def test_a_text_that_has_changed_since_is_built_anew(asked: str, folder: Path) -> None:
    carry(folder, SOURCE, "answer")
    with pytest.raises(KernelError, match="no C"):
        build.load_library(asked, "answer", "answer")
    assert build.origin(asked, "answer", "answer") == "built on this machine"


@pytest.mark.parametrize("wrong", ["no library", "no symbol"])
def test_what_cannot_be_loaded_is_built_anew(
    wrong: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = carry(folder, SOURCE, "answer", SOURCE.replace("answer", "another"))
    if wrong == "no library":
        path.write_bytes(b"\x7fELF and nothing else")
    monkeypatch.setenv("CXX", "c++")
    assert build.load_library(SOURCE, "answer", "answer").answer() == 42
    assert build.origin(SOURCE, "answer", "answer") == "built on this machine"


NETWORKS = {
    "LTC": lambda: gl.LTC(CIRCUIT),
    **{
        f"CfC {mode}": lambda mode=mode: gl.CfC(CIRCUIT, mode=mode) for mode in ("default", "pure", "no_gate")
    },
    "CfC of ncps": lambda: gl.CfC(CIRCUIT, ncps_compat=True),
    **{
        f"dense CfC {mode}": lambda mode=mode: gl.CfC(gl.dense(3, 5), mode=mode)
        for mode in ("default", "pure", "no_gate")
    },
    "electrical LTC": lambda: gl.LTC(with_pairs(CIRCUIT)),
    "LTC with memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "CfC with memory": lambda: gl.CfC(CIRCUIT, mixed_memory=True),
    "CTRNN": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT)),
    "dense CfC with memory": lambda: gl.CfC(gl.dense(3, 5), mixed_memory=True),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wheel_carries_every_kernel_that_networks_run(name: str) -> None:
    lanes = (4, 8, 16)
    held = set(prebuilt.kernel_texts(CELLS, lanes))
    cell = NETWORKS[name]().cell
    sequences = [cell_kernel(cell, all_states=all_states).sequence for all_states in (False, True)]
    for sequence in tuple(sequences):
        sequences += [part for part in vars(sequence).values() if isinstance(part, FusedSequence)]
    for sequence in sequences:
        for runner in sequence.runners(CPURunner):
            for count in lanes:
                source, library, _ = _code(runner.kernel, count, runner.constants)
                assert (library, source) in held, (
                    f"{library} with {runner.kernel.constants}={runner.constants}"
                )
            if runner.kernel.by_twos:
                source, library, _ = _code(runner.kernel, lanes[-1], runner.constants, "two")
                assert (library, source) in held, library


def test_every_family_of_kernels_is_in_that_list() -> None:
    """A new file of a kernel, or a new way to read one, must be carried."""
    stems = {path.stem for path in CELLS.glob("*/*ward.c")}
    with_memory = {stem.replace("_", "_memory_") for stem in stems if "variants" not in stem}
    of_equations = {path.stem for path in CELLS.glob("*/carried/*/*.c")}
    texts = prebuilt.kernel_texts(CELLS, (4,))
    names = {name.rpartition("-")[0] for name, _ in texts}
    assert {name.removesuffix("_two") for name in names} == stems | with_memory | of_equations


def test_explain_says_where_the_code_is_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "c++")
    if BUILT is None:  # where they were built before, not anew
        monkeypatch.delenv("GANGLION_CACHE")
    else:
        monkeypatch.setenv("GANGLION_CACHE", BUILT)
    rnn = gl.LTC(CIRCUIT)
    assert "with code built on this machine." in rnn.explain()
    (forward, _) = cell_kernel(rnn.cell).sequence.runners(CPURunner)
    source, library, symbol = _code(forward.kernel, min(8, processor.vector_floats()), forward.constants)
    carry(folder, source, library, SOURCE.replace("answer", symbol))
    prebuilt.find.cache_clear()
    build._carried.cache_clear()
    assert f"with code carried by the package for {processor.levels()[-1].name}." in rnn.explain()


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("flags : sse2", ["x86-64"]),
        (f"flags : {V3}", ["x86-64-v3", "x86-64"]),
        (f"flags : {V3.replace('fma', '')}", ["x86-64"]),
        (f"flags : {V4}", ["x86-64-v4", "x86-64-v3", "x86-64"]),
        (f"flags : {V4.replace('avx512bw', '')}", ["x86-64-v3", "x86-64"]),
    ],
)
def test_a_processor_takes_only_levels_that_it_has(
    flags: str, names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "features", lambda: flags)
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(processor.sys, "platform", "linux")
    assert [level.name for level in processor.levels()] == names


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        ("linux_x86_64", ["x86-64-v4", "x86-64-v3", "x86-64"]),
        ("manylinux_2_35_aarch64", ["armv8-a"]),
        ("macosx_14_0_arm64", ["armv8-a"]),
        ("linux_riscv64", []),
        ("macosx_10_9_x86_64", []),  # there is no MLX
        ("win_amd64", []),
    ],
)
def test_the_levels_of_a_platform(tag: str, names: list[str]) -> None:
    assert [level.name for level in processor.levels_for(tag)] == names


def test_the_step_of_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "ganglion"
    shutil.copytree(CELLS / "ltc", package / "cells" / "ltc")
    for other in ("ltc_backward.c", "ltc_variants_forward.c"):
        (package / "cells" / "ltc" / other).unlink()
    lowest = processor.levels()[-1]
    tag = f"{'macosx' if sys.platform == 'darwin' else 'linux'}_{lowest.machine}"
    monkeypatch.setattr(processor, "LEVELS", [lowest._replace(floats=4)])
    built = prebuilt.build_kernels(package, tag, ["c++"])
    texts = kernel_named("ltc_forward").carried
    names = ["ltc_forward-4", "ltc_memory_forward-4"] * len(texts) + ["pool"]
    assert sorted(path.name.rpartition("-")[0] for path in built) == sorted(names)
    for path in built:
        assert path.parent == package / "compile" / "kernels" / "prebuilt" / lowest.name
        assert b"ltc_forward.c" not in (data := path.read_bytes())
        assert str(tmp_path).encode() not in data
    before = [path.read_bytes() for path in built]
    assert [path.read_bytes() for path in prebuilt.build_kernels(package, tag, ["c++"])] == before


def test_a_step_of_the_build_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="for 'win_amd64': nothing is known"):
        prebuilt.build_kernels(tmp_path, "win_amd64", ["c++"])
    with pytest.raises(
        KernelError, match=r"(?s)c\+\+ .*--no-such-flag.* failed \(exit code 1\):.*unrecognized"
    ):
        prebuilt.build_kernels(tmp_path, "linux_x86_64", ["c++", "--no-such-flag"])
