"""Random wrong calls of every public name.

    make fuzz-api CALLS=10000 SEED=0
    python -m tests.fuzz.api --calls 10000 --seed 0

One to three arguments of a right call are exchanged for something that was not meant there. It ends with how
the calls ended, and with 1 if any of them ended badly: in an error from inside, a message without end, a
hang, a refused edit that changed something, or a stand-in that passed for a boolean, a number or a text.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import networkx as nx

from . import junk
from .calls import TABLE
from .calls_of_ops import ROWS
from .ends import End, ending
from .rows import parameters, tidy

KEPT = {"pipe.json", "socket.csv", "c.json", "c.csv", "model.safetensors", "run", "e.journal"}
"""What calls are given to read."""

OWN = {"activation", "loss", "measure", "names", "polarity", "rate", "roles", "train", "validation"}
"""Arguments that may be functions: what these throw is their caller's."""


@dataclass
class Tried:
    """A call and how it ended."""

    name: str
    changed: dict[str, str]
    end: End

    def __str__(self) -> str:
        changes = ", ".join(f"{name}={text}" for name, text in self.changed.items())
        text = f"{self.end.kind}: {self.name}({changes}) -> {self.end.message} [{self.end.where}]"
        return " ".join(text.split())


def attempt(name: str, chance: random.Random) -> Tried:
    """One call of a name with one to three arguments exchanged."""
    call = TABLE[name]()
    known = list(parameters(call))
    arguments, changed = dict(call.arguments), {}
    if known:
        for parameter in chance.sample(known, min(len(known), chance.choice((1, 1, 1, 2, 3)))):
            value = junk.value(chance.randrange(junk.COUNT))
            arguments[parameter.name] = value
            changed[parameter.name] = (str(parameter.annotation), value)
    before = _exact(call.watched)
    files = set(os.listdir())
    end = ending(lambda: call.function(**arguments), changed)
    if end.kind == "unclear" and any(key in OWN and callable(value) for key, (_, value) in changed.items()):
        end = End("clear", end.message, end.where)
    if name in ROWS and end.message.startswith("ValueError: ["):  # MLX's own words about what was given
        end = End("clear", end.message, end.where)
    if end.kind == "clear" and _exact(call.watched) != before:
        end = End("half an edit", end.message, end.where)
    new = set(os.listdir()) - files
    told = end.message.startswith("RuntimeError")  # what an experiment recorded stays
    if end.kind == "clear" and new - KEPT and not told:
        end = End("half a file", f"{sorted(new)} after {end.message}", end.where)
    for left in new - KEPT:
        if os.path.isfile(left) or os.path.islink(left):
            os.unlink(left)
    tidy()
    return Tried(name, {key: _text(value) for key, (_, value) in changed.items()}, end)


def attempts(count: int, seed: int, names: list[str] | None = None) -> Iterator[Tried]:
    """So many calls, spread over all names."""
    chance = random.Random(seed)
    chosen = names or list(TABLE)
    with somewhere():
        for k in range(count):
            yield attempt(chosen[k % len(chosen)], chance)


@contextmanager
def somewhere() -> Iterator[None]:
    """An empty folder as the current one."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


def _exact(held: Any) -> Any:
    if not isinstance(held, nx.DiGraph):
        return None
    return (
        list(held.nodes(data=True)).__repr__(),
        list(held.edges(data=True)).__repr__(),
        dict(held.graph).__repr__(),
    )


def _text(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:
        return f"<{type(value).__name__}>"
    return text if len(text) < 60 else f"{text[:60]}..."


def main() -> None:
    """Run, report and exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", action="append", help="only calls of this name")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    for tried in attempts(options.calls, options.seed, options.name):
        counts[tried.end.kind if tried.end.kind in ("answer", "clear") else "bad"] += 1
        if not tried.end.fine:
            print(tried, flush=True)
    print(
        f"seed {options.seed}: {counts.total()} calls of {len(options.name or TABLE)} names: "
        f"{counts['clear']} clear errors, {counts['answer']} answers, {counts['bad']} bad ends"
    )
    sys.exit(counts["bad"] > 0)


if __name__ == "__main__":
    main()
