"""Tables, models and runs that are damaged, or of something else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from .fault import Fault, spoilt, written
from .running import HEADER, LINES, TABLE, TARGETS

COMMANDS = (f"train good.json bad.csv {TARGETS} --out new", "predict run bad.csv -o said.csv")


def changed(row: int, text: str) -> str:
    return "\n".join((HEADER, *LINES[:row], text, *LINES[row + 1 :])) + "\n"


TABLES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "bad.csv is empty"),
    "a header only": (HEADER + "\n", "has a header but no rows"),
    "other columns": (TABLE.replace("motor_0", "other").replace("sensory_0", "one"), "no column"),
    "a column twice": (TABLE.replace("sensory_1", "sensory_0", 1), "2 columns named 'sensory_0'"),
    "colons": (TABLE.replace(",", ":"), "no column … --separator"),
    "a short row": (changed(3, "1,2,3"), "line 5: 3 cells, but the header has 5"),
    "a long row": (changed(3, "1,2,3,4,5,6"), "line 5: 6 cells, but the header has 5"),
    "a text": (changed(3, "1,two,3,4,5"), "line 5: column 'sensory_1' holds 'two', not a finite number"),
    "nan": (changed(3, "1,nan,3,4,5"), "line 5: column 'sensory_1' holds 'nan', not a finite number"),
    "1e400": (changed(3, "1,1e400,3,4,5"), "line 5: column 'sensory_1' holds '1e400', not a finite"),
    "inf": (changed(3, "1,inf,3,4,5"), "line 5: column 'sensory_1' holds 'inf', not a finite"),
    "an empty cell": (changed(3, "1,,3,4,5"), "line 5: column 'sensory_1' holds '', not a finite number"),
    "an underscore": (changed(3, "1,1_0,3,4,5"), "line 5: column 'sensory_1' holds '1_0', not a"),
    "a number with a unit": (changed(3, "1,3 mV,3,4,5"), "line 5: column 'sensory_1' holds '3 mV'"),
    "a cell of 900,000 letters": (changed(3, f"1,{'x' * 900_000},3,4,5"), "line 5:"),
    "a line of two million": (changed(3, f"1,{'x' * 2_000_000},3,4,5"), "line 5: longer than"),
    "an open quotation": (changed(3, '1,"2,3,4,5'), "bad.csv"),
    "no text": (TABLE.encode().replace(b"0.", b"\xff.", 1), "0xff is not UTF-8 text"),
    "UTF-16": (TABLE.encode("utf-16"), "bad.csv"),
    "zeros": (bytes(4000), "bad.csv"),
    "a line without end": (b"x" * 3_000_000, "line 1: longer than"),
    "gzip that is cut": (b"\x1f\x8b\x08\x00\x00", "bad.csv"),
    "a spreadsheet": (b"PK\x03\x04" + bytes(200), "bad.csv"),
}
RUN: dict[str, tuple[str, bytes, str]] = {
    "settings that are cut": ("run.json", b'{"format": ', "run.json is not sound JSON"),
    "a list for settings": ("run.json", b"[]", 'run.json has no "format": "ganglion-run"'),
    "settings of a later version": (
        "run.json",
        b'{"format": "ganglion-run", "version": 3}',
        "run.json is of version 3",
    ),
    "settings that are no text": ("run.json", b"\xff\xff", "run.json is not sound JSON"),
    "settings without columns": (
        "run.json",
        b'{"format": "ganglion-run", "version": 1}',
        "the columns are None",
    ),
    "settings with NaN": ("run.json", b'{"format": "ganglion-run", "version": NaN}', "NaN is not JSON"),
    "a model that is cut": ("best.safetensors", b"\0" * 7, "best.safetensors"),
    "a model of noise": ("best.safetensors", b"\xff" * 999, "best.safetensors"),
    "no bytes of a model": ("best.safetensors", b"", "best.safetensors"),
}
STATE: dict[str, tuple[str, bytes, str]] = {
    "a checkpoint's state that is cut": ("state.json", b'{"format"', "state.json"),
    "a checkpoint's state of a later version": (
        "state.json",
        b'{"format": "ganglion-checkpoint", "version": 9}',
        "state.json",
    ),
    "an optimizer of noise": ("optimizer.safetensors", b"\xff" * 999, "optimizer.safetensors"),
    "another optimizer's bytes": ("optimizer.safetensors", b"", "optimizer.safetensors"),
    "another circuit": ("model.circuit.json", b"{}", "model.circuit.json"),
    "a model that changed": ("model.safetensors", b"\0" * 7, "model.safetensors"),
}


def model(change: Callable[[bytes], bytes]) -> Callable[[], object]:
    def put() -> None:
        path = Path("good.safetensors")
        path.write_bytes(change(path.read_bytes()))

    return put


def header(data: bytes, old: bytes, new: bytes) -> bytes:
    """With another text of the same length in the header, so that its length stays right."""
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new, 1)


MODELS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "that is cut": (lambda data: data[:-9], "good.safetensors"),
    "with bytes behind it": (lambda data: data + b"more", "good.safetensors"),
    "without a header": (lambda data: data[:5], "good.safetensors"),
    "of noise": (lambda data: b"\xfe" * 300, "good.safetensors"),
    "whose header is longer than itself": (lambda data: b"\xff" * 7 + b"\0" + data[8:], "good.safetensors"),
    "with another type": (lambda data: header(data, b'"F32"', b'"I32"'), "good.safetensors"),
    "with a type of its own": (lambda data: header(data, b'"F32"', b'"Q99"'), "good.safetensors"),
    "of nothing": (lambda data: b"", "good.safetensors"),
    "that is a pickle": (lambda data: b"\x80\x04cos\nsystem\n(S'true'\ntR.", "good.safetensors"),
    "with NaN weights": (lambda data: data[:-4] + b"\0\0\xc0\x7f", "good.safetensors"),
    "with infinite weights": (lambda data: data[:-4] + b"\0\0\x80\x7f", "good.safetensors"),
}

ROWS = [
    *(
        Fault(f"{kind} in a table", command, says, written("bad.csv", content))
        for (kind, (content, says)), command in zip(TABLES.items(), cycle(COMMANDS), strict=False)
    ),
    *(
        Fault(kind, "predict run good.csv -o said.csv", says, spoilt(name, content))
        for kind, (name, content, says) in RUN.items()
    ),
    *(
        Fault(
            kind,
            f"train good.json good.csv {TARGETS.replace('epochs 1', 'epochs 2')} --out run",
            says,
            spoilt(name, content),
        )
        for kind, (name, content, says) in STATE.items()
    ),
    *(
        Fault(f"a saved model {kind}", "gl.load('good.safetensors')", says, model(change))
        for kind, (change, says) in MODELS.items()
    ),
    Fault("no trained run", "predict nowhere good.csv -o said.csv", "nowhere holds no trained network"),
    Fault("a table for a run", "predict good.csv good.csv -o said.csv", "good.csv holds no trained network"),
    Fault("another folder for a run", "predict . good.csv -o said.csv", "holds no trained network"),
    Fault("an empty folder for a run", "gl.load('empty')", "empty", lambda: Path("empty").mkdir()),
]
