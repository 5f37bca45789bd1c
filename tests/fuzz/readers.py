"""Spoilt files and messages for everything that reads them.

    make fuzz SECONDS=60 SEED=0
    python -m tests.fuzz.readers --seconds 60 --seed 0 --reader json

A reader either understands what is left, or says in one bounded sentence that it does not: with a FileError,
a CircuitError or another ValueError of ours, in seconds, and without anything being changed. A circuit that
was read can be written and read again. It ends with a table, and with 1 if anything ended otherwise; the
content is then kept in `out/fuzz/`.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from . import circuit_files, editor_texts, training_files
from .api import somewhere
from .circuit_files import Reader, Seeds, circuits, read_circuit, written
from .ends import End, ending
from .mutate import spoilt

KEPT = Path("out/fuzz").resolve()
READERS: dict[str, tuple[Callable[[], Seeds], Reader]] = {
    "json": (circuits(".json", samples="*.json"), read_circuit),
    "graphml": (circuits(".graphml", samples="*.graphml"), read_circuit),
    "gexf": (circuits(".gexf", samples="*.gexf"), read_circuit),
    "gml": (circuits(".gml", samples="*.gml"), read_circuit),
    "pajek": (circuits(".net", samples="*.net"), read_circuit),
    "dot": (circuits(".dot", samples="*.dot"), read_circuit),
    "neuroml": (circuits(".nml"), read_circuit),
    "sonata": (circuit_files.sonata, circuit_files.read_sonata),
    "edges": (circuits(samples="*.csv"), read_circuit),
    "tables": (circuit_files.two_tables, circuit_files.read_tables),
    "gzip": (lambda: {"c.json.gz": gzip.compress(written(".json"), mtime=0)}, read_circuit),
    "model": (training_files.models, training_files.read_model),
    "series": (training_files.series, training_files.read_csv),
    "config": (training_files.configs, training_files.read_config),
    "run": (training_files.runs, training_files.read_run),
    "edit": (editor_texts.edit_texts, editor_texts.read_edit),
    "journal": (editor_texts.journals, editor_texts.read_journal),
    "study": (training_files.studies, training_files.read_study),
    "experiment": (training_files.experiments, training_files.read_experiment),
    "sweep": (training_files.sweeps, training_files.read_sweep),
    "columns": (circuit_files.columns, circuit_files.read_columns),
    "message": (editor_texts.message_texts, editor_texts.read_message),
}


def tried(reader: str, chance: random.Random) -> tuple[bytes, str, End]:
    """One spoilt content for a reader, and how reading it ended."""
    seeds, read = READERS[reader]
    known = seeds()
    name = chance.choice(sorted(known))
    data = spoilt(known[name], chance)
    return data, name, ending(lambda: read(data, name), {})


def tries(reader: str, count: int, seed: int) -> Iterator[tuple[bytes, str, End]]:
    """So many of them, in an empty folder."""
    chance = random.Random(f"{reader} {seed}")
    with somewhere():
        for files in (training_files.models, training_files.runs):
            files.cache_clear()
        for _ in range(count):
            yield tried(reader, chance)


def main() -> None:
    """Run, report and exit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", action="append", choices=list(READERS))
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    for reader in options.reader or READERS:
        counts[reader] = Counter()
        stop = time.monotonic() + options.seconds
        for data, name, end in tries(reader, 10**9, options.seed):
            counts[reader][end.kind if end.fine else "bad"] += 1
            if not end.fine:
                KEPT.mkdir(parents=True, exist_ok=True)
                kept = KEPT / f"{reader}-{options.seed}-{counts[reader].total()}-{Path(name).name}"
                kept.write_bytes(data)
                print(f"{reader} {name}: {end.kind}: {end.message!r} [{end.where}] {kept}", flush=True)
            if time.monotonic() > stop:
                break
    print("| reader | contents | refused | understood | bad ends |\n|---|---|---|---|---|")
    for reader, found in counts.items():
        print(f"| {reader} | {found.total()} | {found['clear']} | {found['answer']} | {found['bad']} |")
    sys.exit(any(found["bad"] for found in counts.values()))


if __name__ == "__main__":
    main()
