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
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import ganglion as gl
from ganglion.cells import NCPLayer
from ganglion.editor.hub import Channel, Hub
from ganglion.editor.journal import Journal
from ganglion.training.series import predict_series
from ganglion.training.series.sequences import read_columns
from ganglion.wiring import edits

from . import rows
from .api import somewhere
from .ends import End, ending
from .mutate import spoilt

DIALECTS = Path(__file__).parents[1] / "wiring" / "dialects"
KEPT = Path("out/fuzz").resolve()
Seeds = dict[str, bytes]
Reader = Callable[[bytes, str], Any]
EDITS: list[dict[str, Any]] = [
    {"kind": "remove", "neurons": ["inter_0"], "synapses": []},
    {
        "kind": "add",
        "neurons": [["new", {"role": "inter"}]],
        "synapses": [["new", "motor_0", {"polarity": 1}]],
    },
    {"kind": "set", "neurons": [["inter_0", "x", 1.5]], "synapses": [], "circuit": [["name", "c"]]},
    {"kind": "rename", "names": [["inter_0", "other"]]},
    {
        "kind": "connect",
        "pre": "inter",
        "post": "motor",
        "rule": "fixed_indegree",
        "indegree": 1,
        "seed": 3,
        "skip_existing": True,
        "projection": "p",
    },
    {
        "kind": "generate",
        "generator": "random",
        "arguments": {"units": 3, "outputs": 1, "inputs": 1},
        "prefix": "g ",
    },
    {"kind": "batch", "label": "two", "edits": [{"kind": "remove", "neurons": ["inter_1"]}]},
]


def written(ending_: str) -> bytes:
    """A circuit in a format."""
    path = Path(f"seed{ending_}")
    gl.write(gl.auto_ncp(6, 2, inputs=2, seed=3), path)
    return path.read_bytes() if path.exists() else b""


def circuits(*endings: str, samples: str = "") -> Callable[[], Seeds]:
    """Seeds of a format: a circuit of ours and what other programs have written."""

    def seeds() -> Seeds:
        found = {f"written{end}": written(end) for end in endings}
        for path in sorted(DIALECTS.glob(samples)) if samples else ():
            found[path.name] = path.read_bytes()
        return {name: data for name, data in found.items() if data}

    return seeds


def read_circuit(data: bytes, name: str) -> None:
    """Read it; what was read must come back the same from JSON."""
    path = Path(
        "fuzzed" + "".join(Path(name).suffixes[-2:] if name.endswith(".gz") else Path(name).suffixes[-1:])
    )
    path.write_bytes(data)
    circuit = gl.circuit_from(path, roles=None, strict=False)
    if gl.check(circuit) and any(p.severity == "error" for p in gl.check(circuit)):
        return
    gl.write(circuit, "again.json")
    if gl.read("again.json").digest() != circuit.digest():
        raise AssertionError("the circuit does not come back from JSON")


def two_tables() -> Seeds:
    gl.write(gl.auto_ncp(6, 2, inputs=2, seed=3), "t.csv")
    return {name: Path(name).read_bytes() for name in ("t.neurons.csv", "t.synapses.csv")}


def read_tables(data: bytes, name: str) -> None:
    two_tables()
    Path(name).write_bytes(data)
    gl.read("t.csv", strict=False)


@cache
def models() -> Seeds:
    found = {}
    for name, model in {
        "ltc": rows.ltc(),
        "cfc": rows.cfc(),
        "dense": gl.CfC(gl.dense(2, 3)),
        "scaled": gl.Scaled(gl.Stack([gl.CfC(gl.dense(2, 3)), gl.NCPDense(2)]), ["a", "b"], ["c", "d"]),
    }.items():
        if not model.built:
            model.build((1, 1, 2))
        gl.save(model, "m.safetensors")
        found[f"{name}.safetensors"] = Path("m.safetensors").read_bytes()
    return found


def read_model(data: bytes, _: str) -> None:
    Path("m.safetensors").write_bytes(data)
    gl.load("m.safetensors")


COLUMNS = gl.training.series.Columns(("a", "b"), ("y",), "t", "g")


def series() -> Seeds:
    lines = [f"{k / 10},{k % 3},{k * 0.5},{-k},g{k // 10}" for k in range(20)]
    dated = [f"2026-01-{k + 1:02d}T00:00:00,{k},{k},{k},1" for k in range(20)]
    return {f"{n}.csv": "\n".join(["t,a,b,y,g", *rows]).encode() for n, rows in (("n", lines), ("d", dated))}


def read_csv(data: bytes, _: str) -> None:
    Path("s.csv").write_bytes(data)
    read_columns(Path("s.csv"), COLUMNS)


def configs() -> Seeds:
    models = (
        rows.ltc(),
        rows.cfc(),
        gl.Stack([rows.cfc(), gl.NCPDense(2)]),
        gl.RNN(gl.CTRNNCell(rows.CIRCUIT)),
    )
    return {type(model).__name__: json.dumps(model.get_config()).encode() for model in models}


def read_config(data: bytes, _: str) -> None:
    try:
        config = json.loads(data)
    except (ValueError, RecursionError):
        return
    NCPLayer.from_config(config)


@cache
def runs() -> Seeds:
    call = rows_call()
    call.function(**call.arguments)
    return {
        str(p): p.read_bytes() for p in sorted(Path("run").rglob("*")) if p.is_file() and p.name != ".lock"
    }


def rows_call() -> Any:
    from .calls import TABLE

    return TABLE["train_series"]()


def read_run(data: bytes, name: str) -> None:
    for path, content in runs().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    Path(name).write_bytes(data)
    predict_series(Path("run"), Path("c.csv"), Path("said.csv"))


def edit_texts() -> Seeds:
    return {edit["kind"]: json.dumps(edit).encode() for edit in EDITS}


def read_edit(data: bytes, _: str) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    circuit = rows.circuit()
    edit = edits.from_json(document)
    edit.apply(circuit).apply(circuit)


def journals() -> Seeds:
    records = [{"journal": "ganglion-edits", "version": 1, "content": "x"}]
    records += [{"revision": k + 1, "by": "python", "edit": edit} for k, edit in enumerate(EDITS)]
    return {"journal": b"".join(json.dumps(record).encode() + b"\n" for record in records)}


def read_journal(data: bytes, _: str) -> None:
    path = Path("j.edits")
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    journal = Journal(path)
    try:
        session = gl.EditSession(rows.circuit())
        for record in journal.records()[1:]:
            session.replay(record)
    finally:
        journal.close()


MESSAGES: list[dict[str, Any]] = [
    {"type": "edit", "client": "a", "id": 1, "edit": EDITS[0]},
    {"type": "undo", "client": "a", "id": 2},
    {"type": "redo", "client": "a", "id": 3},
    {"type": "state", "client": "a", "id": 4, "since": 0},
    {"type": "check", "client": "a", "id": 5},
    {"type": "python", "client": "a", "id": 6},
    {"type": "export", "client": "a", "id": 7, "format": "json"},
    {"type": "paths", "client": "a", "id": 8, "source": "sensory_0", "target": "motor_0"},
    {"type": "summary", "client": "a", "id": 9},
    {"type": "stimulate", "client": "a", "id": 10, "sensor": "sensory_0", "value": 0.5},
]


def message_texts() -> Seeds:
    known = [name.removeprefix("_on_") for name in dir(Hub) if name.startswith("_on_")]
    plain = [{"type": kind, "client": "a", "id": 1} for kind in known if kind not in ("save", "train")]
    return {f"{k}": json.dumps(message).encode() for k, message in enumerate([*MESSAGES, *plain])}


def read_message(data: bytes, _: str) -> None:
    answers: list[str] = []
    hub = Hub(gl.EditSession(rows.circuit()))
    try:
        hub.receive(Channel(answers.append), data.decode("utf-8", "replace"))
    finally:
        hub.close()
    for answer in answers:
        json.loads(answer)
        if '"error"' in answer and len(answer) > 5000:
            raise AssertionError(f"an answer of {len(answer)} characters")


READERS: dict[str, tuple[Callable[[], Seeds], Reader]] = {
    "json": (circuits(".json", samples="*.json"), read_circuit),
    "graphml": (circuits(".graphml", samples="*.graphml"), read_circuit),
    "gexf": (circuits(".gexf", samples="*.gexf"), read_circuit),
    "gml": (circuits(".gml", samples="*.gml"), read_circuit),
    "pajek": (circuits(".net", samples="*.net"), read_circuit),
    "dot": (circuits(".dot", samples="*.dot"), read_circuit),
    "edges": (circuits(samples="*.csv"), read_circuit),
    "tables": (two_tables, read_tables),
    "gzip": (lambda: {"c.json.gz": gzip.compress(written(".json"), mtime=0)}, read_circuit),
    "model": (models, read_model),
    "series": (series, read_csv),
    "config": (configs, read_config),
    "run": (runs, read_run),
    "edit": (edit_texts, read_edit),
    "journal": (journals, read_journal),
    "message": (message_texts, read_message),
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
        models.cache_clear()
        runs.cache_clear()
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
