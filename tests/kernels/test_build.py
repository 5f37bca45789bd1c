"""The cache of built kernels: private, whole, shared between processes, and able to heal."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganglion.compile.kernels import build
from ganglion.errors import KernelError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = 'extern "C" int answer() { return 42; }\n'
SLOW = "#include <regex>\n#include <iostream>\n" + SOURCE
PROGRAM = """
import sys
from ganglion.compile.kernels.build import load_library
print(load_library(sys.argv[1], "answer").answer())
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def start(source: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, source], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def built(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.so"))


def test_a_kernel_is_built_once(cache: Path) -> None:
    assert build.load_library(SOURCE, "answer").answer() == 42
    (path,) = built(cache)
    before = path.stat().st_mtime_ns
    assert build.load_library(SOURCE, "answer").answer() == 42
    assert built(cache) == [path]
    assert path.stat().st_mtime_ns == before


def test_another_source_is_another_file(cache: Path) -> None:
    build.load_library(SOURCE, "answer")
    assert build.load_library(SOURCE.replace("42", "43"), "answer").answer() == 43
    assert len(built(cache)) == 2


def test_the_cache_is_private(cache: Path) -> None:
    cache.mkdir(mode=0o755)
    build.load_library(SOURCE, "answer")
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(built(cache)[0].stat().st_mode) == 0o700
    assert sorted(cache.iterdir()) == built(cache)  # nothing is left behind


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_file_that_was_cut_short_is_built_again(cache: Path, keep: int) -> None:
    assert start(SOURCE).wait() == 0
    (path,) = built(cache)
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    assert build.load_library(SOURCE, "answer").answer() == 42
    assert path.read_bytes() != whole[:keep]


def test_a_changed_byte_is_noticed(cache: Path) -> None:
    assert start(SOURCE).wait() == 0
    (path,) = built(cache)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert build.load_library(SOURCE, "answer").answer() == 42
    assert path.read_bytes() != data


def test_two_processes_can_build_at_once(cache: Path) -> None:
    processes = [start(SLOW) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["42\n", "42\n"]
    assert len(built(cache)) == 1


def test_killing_a_build_harms_nobody(cache: Path) -> None:
    process = start(SLOW)
    deadline = time.monotonic() + 60
    while not list(cache.glob("build-*/kernel.cpp")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert built(cache) == []
    assert start(SLOW).communicate()[0] == "42\n"
    assert len(built(cache)) == 1


def test_a_fork_during_a_build_can_build(cache: Path) -> None:
    program = """
import os, signal, sys, threading, time
from ganglion.compile.kernels.build import cache_directory
from ganglion.compile.kernels.cpu import kernel_function
from tests.support.kernels import kernel_named

slow = threading.Thread(target=kernel_function, args=(kernel_named("dense_backward"), 16, (4, 32)))
slow.start()
while not list(cache_directory().glob("build-*/kernel.cpp")):
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    kernel_function(kernel_named("ltc_forward"), 8, ())
    os._exit(0)
slow.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, check=False)
    assert ran.returncode == 0
    assert len(built(cache)) == 2


def test_what_the_compiler_says_is_passed_on(cache: Path) -> None:
    with pytest.raises(KernelError, match=r"(?s)failed:.*error"):
        build.load_library("this is not C++", "broken")
    assert built(cache) == []


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(KernelError, match=r"cannot use the kernel cache .*set GANGLION_CACHE"):
        build.load_library(SOURCE, "answer")


def test_there_are_no_flags_that_break_the_exponential() -> None:
    assert not [flag for flag in build.FLAGS if flag in ("-ffast-math", "-Ofast", "-fassociative-math")]


def test_what_a_killed_build_left_goes_in_time(cache: Path) -> None:
    old, new = cache / "build-old", cache / "build-new"
    for left in (old, new):
        left.mkdir(parents=True)
    os.utime(old, (0, 0))
    build.load_library(SOURCE, "answer")
    assert not old.exists()
    assert new.exists()
