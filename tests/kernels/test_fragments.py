"""A fragment of a kernel is C that reads names of whoever includes it, and says which.

The line behind its description lists, after ``//: uses``, the names that it reads; after ``writes`` those
that it changes, and after ``makes`` those that it declares for what follows.
``python -m tests.kernels.test_fragments`` prints the lines that would be right.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganglion.compile.kernels.source import SOURCE

from ..support.kernels import FOLDERS

TYPES = {"int", "int64_t", "float", "real"}
WORDS = TYPES | {"const", "for", "if", "else", "continue", "define", "undef", "elif", "endif", "return"}
HEADERS = "".join((SOURCE / name).read_text() for name in ("functions.h", "lanes_cpu.h", "lanes_gpu.h"))
KNOWN = WORDS | set(re.findall(r"#define (\w+)", HEADERS)) | set(re.findall(r"FUNCTION \w+ (\w+)\(", HEADERS))
"""The words of the small language: those of C, and what the lanes and the shared functions define."""
LOOPS = {"EACH", "EACH_SPLIT", "EACH_ANY", "EACH_IN", "EACH_SYNAPSE"}  # that declare their first argument
CHANGERS = {"FETCH", "CLEAR", "ADD_PRODUCTS", "ADD_OUTER"}  # macros that write their first argument
TOKEN = re.compile(r"[A-Za-z_]\w*|[-+*/]?=(?!=)|[<>=!]=|\d[\w.]*|\S")


def fragments() -> list[Path]:
    folders = [*FOLDERS.values(), SOURCE / "frame"]
    paths = [path for folder in folders for path in sorted(folder.glob("*.c"))]
    return [path for path in paths if not path.stem.endswith(("_forward", "_backward"))]


def tokens_of(path: Path) -> tuple[list[str], list[str]]:
    """The tokens of a fragment, and the fragments that it includes."""
    lines = [line.partition("//")[0] for line in path.read_text().splitlines()]
    included = [match[1] for line in lines if (match := re.search(r'#include "(.+)"', line))]
    lines = [line for line in lines if "#include" not in line and "#undef" not in line]
    return TOKEN.findall(re.sub(r"\w+##\w+", "", "\n".join(lines))), included


def declared(tokens: list[str]) -> tuple[set[str], set[str]]:
    """The names that tokens declare: all, and those outside of braces, which stay visible."""
    found: set[str] = set()
    visible: set[str] = set()
    depth = 0
    for k, token in enumerate(tokens):
        depth += (token in "({") - (token in ")}")
        following = tokens[k + 1] if k + 1 < len(tokens) else ""
        if token == "define":
            found.add(following)
            if tokens[k + 2] == "(":  # its parameters
                found |= {name for name in tokens[k + 3 : tokens.index(")", k)] if name != ","}
        elif token in LOOPS and following == "(":
            found.add(tokens[k + 2])
        elif token == "EACH_BY":
            found.add(tokens[k + 4])
        elif token in TYPES and following.isidentifier() and following not in WORDS:
            inner, name_next = 0, True
            for other in tokens[k + 1 :]:
                inner += (other in "([{") - (other in ")]}")
                if name_next:
                    found.add(other)
                    visible |= {other} if depth == 0 else set()
                name_next = other == "," and inner == 0
                if (other == ";" and inner == 0) or inner < 0:
                    break
    return found, visible


def written(tokens: list[str]) -> set[str]:
    """The names that stand, with an index or not, left of an assignment, or in a FETCH or a CLEAR."""
    found = {tokens[k + 2] for k, token in enumerate(tokens) if token in CHANGERS}
    for k, token in enumerate(tokens):
        if token not in ("=", "+=", "-=", "*=", "/="):
            continue
        place, depth = k - 1, 0
        while tokens[place] in ")]" or depth:
            depth += (tokens[place] in ")]") - (tokens[place] in "([")
            place -= 1
        found.add(tokens[place])
    return found


def uses(path: Path) -> tuple[set[str], set[str], set[str]]:
    """The names that a fragment reads, changes and makes, those of the fragments in it included."""
    tokens, included = tokens_of(path)
    own, made = declared(tokens)
    names = {token for token in tokens if token.isidentifier()}
    changed = written(tokens)
    for other in included:
        beside = path.parent / other
        inner_read, inner_changed, inner_made = uses(beside if beside.exists() else SOURCE / other)
        names, changed, own = names | inner_read, changed | inner_changed, own | inner_made
    names, changed = names - own - KNOWN, changed - own - KNOWN
    return names - changed, changed, made


def line_of(path: Path) -> str:
    read, changed, made = uses(path)
    parts = [("uses", read), ("writes", changed), ("makes", made)]
    return "//: " + ", ".join(" ".join([word, *sorted(names)]) for word, names in parts if names)


@pytest.mark.parametrize("path", fragments(), ids=lambda path: path.stem)
def test_a_fragment_says_what_it_uses(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.startswith("//: ")]
    assert lines == [line_of(path)]


if __name__ == "__main__":
    for path in fragments():
        print(path.stem, line_of(path), sep="\n    ")
