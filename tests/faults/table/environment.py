"""Machines that are not kind: homes, limits, encodings, outputs that take nothing, builders of nothing."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from .fault import Fault
from .running import HEADER, LINES, TRAIN

SHOW = "show good.json"
NETWORK = "gl.LTC(gl.auto_ncp(12, 2, inputs=3), engine='fused')(np.ones((40, 3, 3), np.float32))"
"""A network that must have a kernel."""


def given(**variables: str | None) -> Callable[[], None]:
    """Change variables of the environment; None takes one away."""

    def within() -> None:
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    return within


def encoded(encoding: str) -> Callable[[], None]:
    """Streams in another encoding, strict as Python makes them."""

    def within() -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding=encoding, errors="strict")  # type: ignore[union-attr]

    return within


def closed(*numbers: int) -> Callable[[], None]:
    def within() -> None:
        for number in numbers:
            os.close(number)
            setattr(sys, ("stdin", "stdout", "stderr")[number], None)

    return within


def full(number: int = 1) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, number)


def nobody_listens() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)
    sys.stdout = os.fdopen(1, "w", closefd=False)


def without(*names: str) -> Callable[[], None]:
    """Packages that are not installed."""

    def within() -> None:
        for name in names:
            sys.modules[name] = None  # type: ignore[assignment]

    return within


def memory(room: int) -> Callable[[], None]:
    """So many bytes more than the process has now."""

    def within() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + room
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    return within


def builder(text: str) -> Callable[[], None]:
    """A compiler of this text, and an empty cache."""

    def within() -> None:
        path = Path("c++").absolute()
        path.write_text(text)
        path.chmod(0o755)
        os.environ.update(CXX=str(path), GANGLION_CACHE=str(Path("cache").absolute()), GANGLION_NODES="0")

    return within


def compiler(name: str) -> Callable[[], None]:
    return lambda: os.environ.update(CXX=name, GANGLION_CACHE=str(Path("cache").absolute()))


def cache(make: Callable[[Path], object]) -> Callable[[], None]:
    def within() -> None:
        make(Path("there"))
        os.environ["GANGLION_CACHE"] = str(Path("there").absolute())

    return within


def as_somebody() -> None:
    """Without the rights of root, in a folder that can only be read."""
    os.chmod("..", 0o755)
    os.chmod(".", 0o555)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(43210)
        os.setuid(43210)


def unreadable() -> None:
    os.chmod("good.json", 0o000)
    os.chmod("good.csv", 0o000)
    as_somebody()


def gone() -> None:
    """The current folder was removed by somebody else."""
    Path("away").mkdir()
    os.chdir("away")
    Path("../away").rmdir()


READ_ONLY = "read-only"
ROWS = [
    # What still works says nothing, and works.
    Fault("ASCII", SHOW, "", within=encoded("ascii"), code=0, printed="+---"),
    Fault("Latin-1", SHOW, "", within=encoded("latin-1"), code=0, printed="motor_1"),
    Fault("a Japanese terminal", SHOW, "", within=encoded("shift-jis"), code=0, printed="motor_1"),
    Fault("EBCDIC", SHOW, "", within=encoded("cp037"), code=0, printed="…"),
    Fault("an unknown name in ASCII", "show \u03b1.json", "there is no file", within=encoded("ascii")),
    *(
        Fault(f"COLUMNS={value!r}", SHOW, "", within=given(COLUMNS=value), code=0, printed="motor")
        for value in ("0", "1", "-5", "9" * 12, "9" * 5000, "wide", "")
    ),
    *(
        Fault(f"{name}={value!r}", SHOW, "", within=given(**{name: value}), code=0, printed="motor_1")
        for name, value in (
            ("TERM", "dumb"),
            ("TERM", "\x1b[31m"),
            ("NO_COLOR", "1"),
            ("LINES", "0"),
            ("HOME", None),
            ("HOME", ""),
            ("HOME", "/nonexistent"),
            ("HOME", "/dev/null"),
            ("TMPDIR", "/nonexistent"),
            ("PATH", ""),
            ("PATH", None),
            ("TZ", "Nowhere/Else"),
            ("LC_ALL", "xx_YY"),
            ("PYTHONHASHSEED", "many"),
            ("GANGLION_CACHE", "\udcff"),
            ("GANGLION_NUM_THREADS", "many"),
        )
    ),
    Fault(
        "plot: MPLCONFIGDIR in a file",
        "plot good.json -o f.png",
        "",
        within=given(MPLCONFIGDIR="good.csv"),
        code=0,
        left=("f.png",),
        printed="f.png",
    ),
    Fault(
        "plot: another MPLBACKEND",
        "plot good.json -o f.png",
        "",
        within=given(MPLBACKEND="TkAgg"),
        code=0,
        left=("f.png",),
        printed="f.png",
    ),
    Fault("closed output", SHOW, "ganglion: standard output is closed", within=closed(1)),
    Fault("closed input", SHOW, "", within=closed(0), code=0, printed="motor_1"),
    Fault("closed outputs", SHOW, "", within=closed(1, 2)),
    Fault("everything closed", SHOW, "", within=closed(0, 1, 2)),
    Fault("closed error", "show nothing.json", "", within=closed(2)),
    Fault("a full output", SHOW, "No space left on device", within=full),
    Fault("a full output for help", "--help", "No space left on device", within=full),
    Fault("a full output for a check", "check good.json", "No space left on device", within=full),
    Fault("a full error", "show nothing.json", "", within=lambda: full(2)),
    Fault("nobody listens", SHOW, "", within=nobody_listens, code=141),
    Fault("nobody listens to help", "train --help", "", within=nobody_listens, code=141),
    # Memory.
    Fault(
        "a file that is greater than the memory",
        "show bad.json",
        "there is not enough memory",
        lambda: Path("bad.json").write_bytes(b" " * 40_000_000),
        within=memory(10_000_000),
    ),
    Fault(
        "2 MB of memory",
        TRAIN,
        "there is not enough memory",
        lambda: Path("good.csv").write_text("\n".join([HEADER, *LINES * 20_000])),
        within=memory(2_000_000),
    ),
    Fault(
        "100 MB for a million neurons",
        "new random --units 200000 --outputs 2 --inputs 3 --sparsity 0.9999 -o new.json",
        "there is not enough memory",
        within=memory(100_000_000),
        lines=2,  # the first says how much such a graph takes
    ),
    # Folders.
    Fault("a folder of somebody else: plot", "plot good.json -o f.svg", READ_ONLY, within=as_somebody),
    Fault("a folder of somebody else: convert", "convert good.json f.gml", READ_ONLY, within=as_somebody),
    Fault("a folder of somebody else: train", TRAIN, "Permission denied", within=as_somebody),
    Fault("a file of somebody else: show", SHOW, "Permission denied", within=unreadable),
    Fault(
        "a file of somebody else: plot",
        "plot good.json -o /tmp/f.png",
        "Permission denied",
        within=unreadable,
    ),
    Fault(
        "a table of somebody else", "predict run good.csv -o said.csv", "Permission denied", within=unreadable
    ),
    Fault("a folder that is gone: show", SHOW, "no file", within=gone),
    Fault(
        "a folder that is gone: new",
        "new random --units 5 --outputs 1 --inputs 1 -o c.json",
        "the current folder is not there any more",
        within=gone,
    ),
    Fault("a folder that is gone: train", TRAIN, "there is no file good.json", within=gone),
    # Caches.
    Fault(
        "a cache in a file",
        "cache",
        "",
        within=cache(lambda path: path.write_text("")),
        code=0,
        printed="no kernels",
        left=("there",),
    ),
    Fault(
        "a cache in a pipe",
        "cache",
        "",
        within=cache(os.mkfifo),
        code=0,
        printed="no kernels",
        left=("there",),
    ),
    Fault(
        "a cache in a circle",
        "cache",
        "",
        within=cache(lambda path: path.symlink_to("there")),
        code=0,
        printed="no kernels",
        left=("there",),
    ),
    Fault(
        "a cache in a device",
        "cache --clear",
        "",
        within=given(GANGLION_CACHE="/dev/null"),
        code=0,
        printed="…",
    ),
    Fault(
        "no home and no cache",
        "cache",
        "",
        within=given(HOME="/nonexistent", XDG_CACHE_HOME="", GANGLION_CACHE=""),
        code=0,
        printed="no kernels",
    ),
    # Builders.
    *(
        Fault(f"CXX={name}", NETWORK, "KernelError", within=compiler(name), left=("cache…",), lines=3)
        for name in ("/nowhere/c++", "/bin/true", "/bin/false", "'c++", "/etc/passwd", ".", "/dev/null")
    ),
    *(
        Fault(
            given_,
            NETWORK,
            "KernelError",
            within=builder(f"#!/bin/sh\n{text}\n"),
            left=("cache…", "c++"),
            lines=9,
        )
        for given_, text in (
            ("a builder that prints no text", "printf '\\377\\376' >&2; exit 1"),
            ("a builder that prints without end", "head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 1"),
            ("a builder that kills itself", "kill -9 $$"),
            ("a builder that writes text", 'while [ "$1" != -o ]; do shift; done; echo no library > "$2"'),
            ("a builder that writes nothing", 'while [ "$1" != -o ]; do shift; done; : > "$2"'),
            ("a builder that makes a folder", 'while [ "$1" != -o ]; do shift; done; rm -f "$2"; mkdir "$2"'),
            ("a builder that makes a pipe", 'while [ "$1" != -o ]; do shift; done; rm -f "$2"; mkfifo "$2"'),
        )
    ),
]
