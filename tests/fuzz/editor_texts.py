"""Edits, journals and messages of the editor, sound ones to begin with, and what reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import ganglion as gl
from ganglion.editor.document import Document
from ganglion.editor.hub import Channel, Hub
from ganglion.editor.journal import Journal
from ganglion.editor.requests import Requests
from ganglion.wiring import edits

from . import rows
from .circuit_files import Seeds

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


SINE = {"kind": "sine", "period": 4}
MESSAGES: list[dict[str, Any]] = [
    *({"type": "edit", "edit": edit} for edit in EDITS),
    {"type": "preview", "edit": EDITS[4]},
    {"type": "revision", "revision": 0},
    {"type": "play", "on": True, "speed": 30},
    {"type": "step", "count": 3},
    {"type": "live", "on": True},
    {"type": "signal", "sensor": "sensory_0", "signal": SINE},
    {"type": "signal", "sensor": "sensory_1", "signal": {"kind": "table", "values": [0.5, 1]}},
    {"type": "inputs", "text": "sensory_0,sensory_1\n0.5,1\n1,2\n"},
    {"type": "what-if", "neurons": ["inter_0"], "synapses": [["inter_1", "motor_0"]], "steps": 5},
    {"type": "rank", "steps": 5},
    {"type": "saliency", "steps": 5},
    {"type": "save", "path": "copy.json"},
    {"type": "train", "action": "pause"},
    *({"type": "export", "what": what} for what in ("json", "graphml", "csv", "dot", "python", "html", "c")),
    {"type": "open", "name": "c.csv", "text": "a,b,polarity\nx,y,1\n"},
]


def message_texts() -> Seeds:
    """Every type of message, with what it may hold and without."""
    known = [name.removeprefix("_on_").replace("_", "-") for name in dir(Requests) if name.startswith("_on_")]
    messages = [*MESSAGES, *({"type": kind} for kind in known)]
    return {
        f"{number} {message['type']}": json.dumps({"client": "a", "id": number, **message}).encode()
        for number, message in enumerate(messages)
    }


def read_message(data: bytes, name: str) -> None:
    """What a page sends, to a session with a file; half of them while a network runs."""
    gl.write(rows.CIRCUIT, "edited.json")
    document = Document(Path("edited.json"))
    answers: list[str] = []
    hub = Hub(document.session, document, live=int(name.split()[0]) % 2 == 0)
    try:
        hub.receive(Channel(answers.append), data.decode("utf-8", "replace"))
    finally:
        hub.close()
        document.close()
    for answer in answers:
        told = json.loads(answer)
        assert len(told.get("why", "")) < 1500, f"a refusal of {len(told['why'])} characters"
    error = hub._live.error or ""
    assert not re.match(r"[A-Z]\w+: ", error), f"the network's thread met {error}"
