"""Paths at which there is nothing that can be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from .fault import Fault
from .running import TARGETS

COMMANDS = {
    "show": "show {}.json",
    "plot": "plot {}.json -o figure.png",
    "train a circuit": f"train {{}}.graphml good.csv {TARGETS} --out new",
    "convert": "convert {}.gml new.json",
    "check": "check {}.gexf",
    "edit": "edit --no-browser {}.graphml",
    "train on a table": f"train good.json {{}}.csv {TARGETS} --out new",
    "predict": "predict run {}.csv -o said.csv",
    "load": "gl.load('{}.safetensors')",
    "read": "gl.read('{}.dot')",
    "read series": "gl.read_series('{}.csv', inputs=['sensory_0'])",
}
"""Everything that reads a file; each has an ending of its own."""


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def in_a_file(path: Path) -> None:
    path.parent.write_text("")


KINDS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "nothing there": ("bad", lambda path: None, "bad"),
    "a directory": ("bad", Path.mkdir, "bad…: this is a directory, expected a file"),
    "a pipe": ("bad", os.mkfifo, "bad…: this is a pipe, expected a file"),
    "a socket": ("bad", bound, "bad…: this is a socket, expected a file"),
    "a device without end": (
        "bad",
        lambda path: path.symlink_to("/dev/zero"),
        "bad…: this is a device, expected a file",
    ),
    "a link to itself": ("bad", lambda path: path.symlink_to(path.name), "bad"),
    "a link to nothing": ("bad", lambda path: path.symlink_to("nothing"), "bad"),
    "a file for a directory": ("file/bad", in_a_file, "file"),
    "a name of 300 letters": ("b" * 300, lambda path: None, "File name too long"),
    "a name with a zero": ("b\N{SYMBOL FOR NULL}d", lambda path: None, "which is no path of a file"),
}


RIGHT = {("nothing there", "edit"), ("a link to nothing", "edit"), ("a directory", "load")}
"""A new file to edit; a directory of checkpoints."""


def put(kind: str, command: str) -> Callable[[], object]:
    name, make, _ = KINDS[kind]
    ending = COMMANDS[command].partition("{}")[2][:12].split()[0].split("'")[0]
    plain = len(name) < 250 and "\N{SYMBOL FOR NULL}" not in name
    return lambda: make(Path(name + ending)) if plain else None


ROWS = [
    Fault(f"{command}: {kind}", COMMANDS[command].format(name), says, put(kind, command))
    for kind, (name, _, says) in KINDS.items()
    for command in COMMANDS
    if (kind, command) not in RIGHT
]
