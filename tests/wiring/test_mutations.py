"""200 mutations of a file of each format: a circuit or one clear sentence, never a parser's own error."""

from __future__ import annotations

import random
import re
import shutil
import warnings
from pathlib import Path

import pytest

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, read, write

HERE = Path(__file__).parent / "dialects"
OWN = ("json", "graphml", "csv", "tsv", "gexf", "gml", "net", "dot", "nml", "json.gz")
FOREIGN = (
    "cytoscape.graphml", "yed.graphml", "nl3.json", "adj.json", "cyjs.json", "g.gexf", "g.gml", "g.net",
    "g.dot", "one_file_typed.csv", "case", "nx.graphml.gz",
)  # fmt: skip
WORDS = (
    b"1e999", b"-" + b"9" * 400, b"NaN", b"null", b"[]", b"{}", b'""', b"true", b"\xff\xfe", b"\x00", b"<",
    b">", b"&", b'"', b"'", b"\n", b";", b"\t", b"[" * 50, b"(" * 50, b"<a>" * 40, b"multigraph 1",
    b"directed 0", b"sensory",
    b"9" * 20, b"*Matrix\n", b"]]>", b"-->", b"\\", b"0x10", "\u2028\u00e9".encode(),
)  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The data with a random fault: cut, bytes changed, a piece doubled or replaced."""
    start = rng.randrange(len(data) + 1)
    stop = min(len(data), start + rng.choice([0, 1, 2, 5, 20, 200]))
    match rng.randrange(6):
        case 0:
            return data[:start]
        case 1:
            return data[:start] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4))) + data[stop:]
        case 2:
            return data[:start] + data[start:stop] * 2 + data[stop:]
        case 3:
            return data[:start] + rng.choice(WORDS) + data[stop:]
        case 4:  # another value in the place of one
            values = list(re.finditer(rb'"[^"\n]*"|-?\d+(\.\d+)?|\w+', data)) or [re.match(b"", data)]
            found = rng.choice(values)
            assert found is not None
            return data[: found.start()] + rng.choice(WORDS) + data[found.end() :]
        case _:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            return b"\n".join(lines)


def outcome(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return type(read(path, roles="role" if path.stem != "one_file_typed" else "infer")).__name__
        except CircuitError as error:
            return str(error)


def check(path: Path, files: list[Path], seed: str, times: int = 200) -> None:
    """Read mutations of the files that `path` stands for."""
    rng = random.Random(seed)
    whole = {file: file.read_bytes() for file in files}
    refused = 0
    for k in range(times):
        for file, data in whole.items():
            file.write_bytes(data)
        file = rng.choice(files)
        file.write_bytes(mutated(whole[file], rng))
        said = outcome(path)
        if said == "Circuit":
            continue
        refused += 1
        assert str(path.parent) in said or said.startswith(
            ("roles", "polarity", "weight", "names", "the ", "syn", "'")
        ), (k, said)
        assert len(said) < 1500, (k, said[:3000])
        assert "Traceback" not in said, (k, said)
    assert refused > times // 10, "mutations that change nothing test nothing"


def small() -> Circuit:
    circuit = Circuit(auto_ncp(6, 1, inputs=2))
    circuit.nodes["inter_0"].update(note="left hind", size=0.5)
    circuit.edges[next(iter(circuit.edges))]["weight"] = 3
    return circuit


@pytest.fixture(autouse=True)
def _needs_pydot(request: pytest.FixtureRequest) -> None:
    if "dot" in request.node.name.rpartition("[")[2]:
        pytest.importorskip("pydot")


@pytest.mark.parametrize("ending", OWN)
def test_our_own_files(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"c.{ending}"
    write(small(), path)
    check(path, sorted(tmp_path.iterdir()), ending, 30 if ending == "dot" else 200)  # pydot is slow


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_others(name: str, tmp_path: Path) -> None:
    if (HERE / name).is_dir():
        shutil.copytree(HERE / name, tmp_path, dirs_exist_ok=True)
        check(tmp_path / "c.csv", sorted(tmp_path.iterdir()), name)
    else:
        shutil.copy(HERE / name, tmp_path)
        check(tmp_path / name, [tmp_path / name], name)
