"""Run the table and print it: what is given, what is said of it, the exit code, what is left on disk.

make faults
python -m tests.faults.table.page out/faults.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from . import GROUPS
from .fault import Fault, Found, wrong
from .running import run

START = """# What cannot be served

Each row was run as it stands here, in a folder with a circuit, a table, a saved network and a trained run. A
negative exit code is the number of the signal that ended the process. What works all the same says nothing.
"""


def lines(group: str) -> tuple[list[str], int]:
    """The rows of a group as lines of Markdown, and how many of them did not end as they say."""
    found, bad = (
        [f"\n## {group}\n", "| given | command | sentence | code | left |", "|---|---|---|---|---|"],
        0,
    )
    for row in GROUPS[group]:
        ended = run(row, group)
        faults = wrong(row, ended)
        bad += bool(faults)
        found.append(_line(row, ended, faults))
    return found, bad


def _line(row: Fault, ended: Found, faults: list[str]) -> str:
    said = re.sub(
        r"/tmp/ganglion-faults-\w+/here/", "", ended.said.strip().splitlines()[-1] if ended.said else ""
    )
    left = ", ".join(dict.fromkeys(name.partition("/")[0] for name in ended.left)) or "as it was"
    code = f"**{ended.code}: {'; '.join(faults)}**" if faults else str(ended.code)
    return f"| {_cell(row.given)} | {_code(row.command)} | {_cell(said, 200)} | {code} | {_cell(left)} |"


def _cell(text: str, most: int = 80) -> str:
    text = text if len(text) <= most else f"{text[:most]}…"
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text).replace(
        "|", "\\|"
    )


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def main() -> None:
    """Print, write and exit."""
    groups = {group: lines(group) for group in GROUPS}
    count, bad = sum(map(len, GROUPS.values())), sum(wrong_ones for _, wrong_ones in groups.values())
    text = "\n".join([START, *(line for found, _ in groups.values() for line in found), ""])
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "out/faults.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"{count} faults, {bad} of which did not end as they say: {path}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
