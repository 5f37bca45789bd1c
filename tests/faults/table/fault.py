"""What a row of the table is, and what is wrong with how one ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

NOTICES = ("fit: ", "ganglion: building kernels ")
"""How lines begin that tell of progress."""


def nothing() -> None:
    """What there is, is enough."""


def written(name: str, content: str | bytes) -> Callable[[], object]:
    """A file of this content."""
    return lambda: Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def spoilt(name: str, content: bytes = b"x") -> Callable[[], object]:
    """Other bytes in each file of the trained run whose name fits."""
    return lambda: [path.write_bytes(content) for path in Path("run").rglob(name)]


@dataclass(frozen=True)
class Fault:
    """One input that cannot be served, and how that ends.

    Attributes:
        given: what is wrong, in words.
        command: what is typed after `ganglion`, in a folder with good.json, good.csv, good.safetensors and a
            trained `run`; or a call, if it begins with `gl.`.
        says: what the sentence holds; … stands for anything.
        prepare: puts the fault into the current folder.
        code: the exit code.
        left: files that are new, gone or changed afterwards, … as above; none, if a command is refused.
        printed: what standard output holds.
        lines: lines of the sentence, if it quotes a compiler.
        within: changes the process before the command; such a row has a process of its own.
    """

    given: str
    command: str
    says: str
    prepare: Callable[[], Any] = nothing
    code: int = 2
    left: tuple[str, ...] = ()
    printed: str = ""
    lines: int = 1
    within: Callable[[], Any] | None = None


class Found(NamedTuple):
    """How a row ended: exit code (of a signal: its number below 0), both outputs, what changed on disk."""

    code: int | None
    out: str
    said: str
    left: tuple[str, ...]


def holds(text: str, pattern: str) -> bool:
    """Whether a text holds a pattern, in which … stands for anything."""
    return re.search(".*".join(map(re.escape, pattern.split("…"))), text, re.DOTALL) is not None


def wrong(row: Fault, found: Found) -> list[str]:
    """What is wrong with how a row ended; empty if nothing is."""
    faults = []
    if found.code != row.code:
        faults.append(f"exit code {found.code}")
    if not holds(found.said, row.says) or (found.said and not row.says):
        faults.append("another sentence")
    said = [line for line in found.said.splitlines() if not line.startswith(NOTICES)]
    if len(said) > row.lines or max(map(len, said), default=0) > 1000 * row.lines:
        faults.append("more than a sentence")
    if "Traceback" in found.said or "mistake inside" in found.said:
        faults.append("an error from inside")
    if not holds(found.out, row.printed) or (found.out and row.code == 2 and not row.printed):
        faults.append(f"printed {found.out[:200]!r}")
    if not all(any(holds(name, each) for each in row.left) for name in found.left):
        faults.append(f"left {', '.join(found.left)}")
    return faults
