"""The cache of built kernels: private, whole, shared between processes, and able to heal."""

from __future__ import annotations

import os
import platform
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganglion import cli
from ganglion.compile.kernels import build, prebuilt, processor
from ganglion.compile.kernels import cache as kernel_cache
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
    return tmp_path / "cache" / "kernels"


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the compiler's command."""

    def forget() -> None:
        build.compiler.cache_clear()
        build._identity.cache_clear()

    def choose(command: str) -> None:
        monkeypatch.setenv("CXX", command)
        forget()

    yield choose
    monkeypatch.undo()
    forget()


def start(source: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, source], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def built(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.so"))


def test_a_kernel_is_built_once(cache: Path) -> None:
    assert build.load_library(SOURCE, "answer").answer() == 42
    (path,) = built(cache)
    before = path.stat().st_ino
    assert build.load_library(SOURCE, "answer").answer() == 42
    assert built(cache) == [path]
    assert path.stat().st_ino == before


def test_another_source_is_another_file(cache: Path) -> None:
    build.load_library(SOURCE, "answer")
    assert build.load_library(SOURCE.replace("42", "43"), "answer").answer() == 43
    assert len(built(cache)) == 2


def test_the_cache_is_private(cache: Path) -> None:
    cache.parent.mkdir(mode=0o755)
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
from ganglion.compile.kernels.cache import cache_directory
from ganglion.compile.kernels.cpu import kernel_function
from tests.support.kernels import kernel_named

slow = threading.Thread(target=kernel_function, args=(kernel_named("dense_backward"), 16, (4, 32)))
slow.start()
while not list(cache_directory().glob("build-*/kernel.cpp")):
    time.sleep(0.001)
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    kernel_function(kernel_named("ltc_forward"), 8, (0,))
    os._exit(0)
slow.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, check=False)
    assert ran.returncode == 0
    assert len(built(cache)) == 2


def test_what_the_compiler_says_is_passed_on(cache: Path) -> None:
    with pytest.raises(KernelError, match=r"(?s)failed \(exit code 1\):.*error"):
        build.load_library("this is not C++", "broken")
    assert built(cache) == []


SCRIPTS = {
    "says bytes": r"printf '\377\376' >&2; exit 3",
    "makes nothing": "exit 0",
    "makes an empty file": ': > "$out"',
    "makes garbage": 'echo garbage > "$out"',
    "makes a directory": 'mkdir "$out"',
    "makes a FIFO": 'mkfifo "$out"',
    "makes a library without the function": 'c++ -shared -x c++ -o "$out" /dev/null',
    "is killed": "kill -9 $$",
    "reads for ever": "cat; exit 1",
    "says very much": "yes | head -c 3000000 >&2; exit 1",
}
"""Compilers that fail, each in its way; the last argument is where the library is expected."""


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("says bytes", r"failed \(exit code 3\):\n\ufffd\ufffd$"),
        ("makes nothing", "made no library"),
        ("makes an empty file", "cannot load the kernel .*answer.*so: .*file too short"),
        ("makes garbage", "cannot load the kernel .*answer.*so: .*"),
        ("makes a directory", "made no library"),
        ("makes a FIFO", "made no library"),
        ("makes a library without the function", "cannot load the kernel .*answer.*undefined symbol: answer"),
        ("is killed", r"failed \(exit code -9\)"),
        ("reads for ever", r"failed \(exit code 1\)"),
        ("says very much", r"failed \(exit code 1\):\ny\n"),
    ],
)
def test_a_compiler_that_fails_is_a_kernel_error(
    script: str, told: str, cache: Path, tmp_path: Path, compiler: Callable[[str], None]
) -> None:
    path = tmp_path / "compiler"
    path.write_text(f"#!/bin/sh\nfor out; do :; done\n{SCRIPTS[script]}\n")
    path.chmod(0o755)
    compiler(str(path))
    for _ in range(2):  # what cannot be used is not kept
        with pytest.raises(KernelError, match=f"(?s){told}") as caught:
            build.load_library(SOURCE, "answer", "answer")
        assert len(str(caught.value)) < 5000
        assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/bin/true", "/bin/true .* made no library"),
        ("/nowhere/c++", "no C.. compiler: looked for /nowhere/c"),
        ("/", "no C.. compiler: looked for /$"),
        ("'c++", 'CXX is "\'c..", which is no command: No closing quotation'),
        ("c++ \udcff", "(?s)failed .*no input|such file"),
        ("TEXT", "cannot build the kernel answer: .*Exec format error"),
    ],
)
def test_a_command_that_is_no_compiler_is_a_kernel_error(
    command: str, told: str, cache: Path, tmp_path: Path, compiler: Callable[[str], None]
) -> None:
    if command == "TEXT":
        command = str(tmp_path / "text")
        Path(command).write_text("no program\n")
        Path(command).chmod(0o755)
    compiler(command)
    with pytest.raises(KernelError, match=told):
        build.load_library(SOURCE, "answer", "answer")


@pytest.mark.parametrize("what", ["mkdtemp", "replace", "fsync", "write", "start"])
def test_a_disk_that_is_full_is_a_kernel_error(
    what: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    holder = {"mkdtemp": tempfile, "write": Path, "start": subprocess}.get(what, os)
    name = {"write": "write_text", "start": "run"}.get(what, what)
    monkeypatch.setattr(holder, name, full)
    with pytest.raises(KernelError, match="cannot build the kernel answer: No space left on device"):
        build.load_library(SOURCE, "answer", "answer")
    monkeypatch.undo()
    monkeypatch.setenv("GANGLION_CACHE", str(cache.parent))
    assert list(cache.iterdir()) == []
    assert build.load_library(SOURCE, "answer", "answer").answer() == 42


def test_the_first_build_says_so_in_one_line(cache: Path) -> None:
    program = PROGRAM + "load_library(sys.argv[1] + '//', 'answer')"
    said = [
        subprocess.run(
            [sys.executable, "-c", program, SOURCE], capture_output=True, text=True, check=True
        ).stderr
        for _ in range(2)
    ]
    assert said[0].startswith("ganglion: building kernels for this processor with ")
    assert said[0].endswith(f", once, for some seconds; kept in {cache}\n")
    assert said[0].count("\n") == 1
    assert said[1] == ""


def test_the_cache_is_bounded_and_the_oldest_goes_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [SOURCE.replace("42", str(number)) for number in range(5)]
    for number, source in enumerate(sources[:4]):
        build.load_library(source, f"kernel{number}")
        os.utime(next(cache.glob(f"kernel{number}-*")), (number + 10, number + 10))
    build.load_library(sources[0], "kernel0")  # used again
    monkeypatch.setattr(kernel_cache, "MOST", 3 * built(cache)[0].stat().st_size)
    build.load_library(sources[4], "kernel4")
    assert [path.name.partition("-")[0] for path in built(cache)] == ["kernel0", "kernel3", "kernel4"]
    monkeypatch.setattr(kernel_cache, "MOST", 0)
    build.load_library(sources[1], "kernel1")  # the newest stays, however large
    assert [path.name.partition("-")[0] for path in built(cache)] == ["kernel1"]


def test_another_processor_is_another_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("flags : avx2", "flags : avx2 avx512vl"):
        monkeypatch.setattr(processor, "features", lambda kind=kind: kind)
        monkeypatch.setattr(build, "features", lambda kind=kind: kind)
        assert build.load_library(SOURCE, "answer").answer() == 42
    first, second = (path.name.split("-") for path in built(cache))
    assert first[:2] == second[:2] == ["answer", platform.machine()]
    assert first[2] != second[2]


@pytest.mark.parametrize("platform_of", ["linux", "darwin"])
def test_a_processor_that_tells_nothing_is_that_of_its_host(
    platform_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(processor.sys, "platform", platform_of)
    monkeypatch.setattr(Path, "read_text", fails)
    monkeypatch.setattr(subprocess, "run", fails)
    assert platform.node() in processor.features.__wrapped__()


def command_line(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "ganglion", "cache", *arguments], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_command_shows_and_clears_the_cache(cache: Path) -> None:
    assert command_line() == (0, f"{cache}: no kernels, nothing was built yet\n")
    assert not cache.parent.exists()
    build.load_library(SOURCE, "answer")
    code, text = command_line()
    assert code == 0
    assert built(cache)[0].name in text
    assert f"{cache}: 1 kernels, 0.0 MiB of 64 MiB at most" in text
    assert command_line("--clear") == (0, f"{cache}: 1 kernels removed\n")
    assert list(cache.iterdir()) == []


def test_the_command_shows_what_the_package_carries(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    level = processor.levels()[-1].name
    (tmp_path / "carried" / level).mkdir(parents=True)
    (tmp_path / "carried" / level / "answer-0.so").touch()
    monkeypatch.setattr(prebuilt, "FOLDER", tmp_path / "carried")
    assert cli.main(["cache"]) == 0
    assert capsys.readouterr().out.startswith(
        f"the package carries 1 kernels for {level}\n{cache}: no kernels"
    )


def test_the_command_says_why_a_cache_is_not_used(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "answer.so").write_text("")
    cache.chmod(0o777)
    for arguments in ((), ("--clear",)):
        code, text = command_line(*arguments)
        assert code == 2
        assert f"{cache} can be written by others (mode 0777)" in text
        assert text.count("\n") == 1
    assert (cache / "answer.so").exists()


def test_there_are_no_flags_that_break_the_exponential() -> None:
    assert not [flag for flag in build.FLAGS if flag in ("-ffast-math", "-Ofast", "-fassociative-math")]


def test_what_a_killed_build_left_goes_in_time(cache: Path) -> None:
    old, new = cache / "build-old", cache / "build-new"
    for left in (old, new):
        left.mkdir(mode=0o700, parents=True)
    cache.chmod(0o700)
    os.utime(old, (0, 0))
    build.load_library(SOURCE, "answer")
    assert not old.exists()
    assert new.exists()
