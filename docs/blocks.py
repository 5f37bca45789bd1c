"""The code blocks of a page: run in order in one namespace, their output compared, their pictures kept.

A ``text`` block right behind a Python block is what that one prints. A picture ``pictures/PAGE/NAME.png`` on
a page is the file ``NAME.png`` that its blocks save. After a change that is meant, make both again and look:

    python docs/blocks.py quickstart
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
FENCE = re.compile(r"^```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line where it begins, and what it is said to print."""

    language: str
    code: str
    line: int
    shown: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text()
    found = list(FENCE.finditer(text))
    blocks = []
    for block, after in zip(found, [*found[1:], None], strict=False):
        shown = None
        if after and after["language"] == "text" and not text[block.end() : after.start()].strip():
            shown = after["code"]
        line = text.count("\n", 0, block.start()) + 2
        blocks.append(Block(block["language"], block["code"], line, shown))
    return blocks


def pictures_of(page: Path) -> list[Path]:
    """The files of the pictures that the page's own blocks draw."""
    found = re.findall(rf"\((?:\.\./)?(pictures/{page.stem}/[\w-]+\.png)\)", page.read_text())
    return [DOCS / name for name in found]


def run(page: Path, names: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Run a page's Python blocks in the current folder.

    Returns:
        For each block that shows its output: its line, what it is said to print, and what it printed.
    """
    said = []
    for block in blocks_of(page):
        if block.language != "python":
            continue
        # Blank lines in front make a traceback point at the line of the page.
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, names)
        if block.shown is not None:
            said.append((block.line, block.shown.rstrip(), printed.getvalue().rstrip()))
    return said


def main(*pages: str) -> None:
    """Draw the pictures of pages again, and write what their blocks print where it is shown."""
    import matplotlib
    from PIL import Image

    matplotlib.use("Agg")
    for name in pages:
        page = DOCS / f"{name}.md"
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for line, shown, printed in run(page, {"__name__": "__main__"}):
                if shown != printed:
                    print(f"{page.name}, behind line {line}:\n{printed}\n")
                    page.write_text(
                        page.read_text().replace(f"```text\n{shown}\n```", f"```text\n{printed}\n```")
                    )
            for picture in pictures_of(page):
                picture.parent.mkdir(exist_ok=True)
                with Image.open(picture.name) as drawn:  # fewer colours, so that the repository stays small
                    drawn.convert("RGB").quantize(128).save(picture, optimize=True)
            os.chdir(DOCS)


if __name__ == "__main__":
    main(*sys.argv[1:])
