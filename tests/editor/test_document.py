"""A circuit's file while it is edited: journals, recovery, saving, and disks that refuse."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.edits import exact

import ganglion as gl
from ganglion.editor import EditSession
from ganglion.editor.document import Document
from ganglion.editor.journal import Journal
from ganglion.wiring import edits

KILLED = Path(__file__).with_name("killed.py")


def small() -> gl.Circuit:
    circuit = gl.Circuit()
    circuit.add_neurons(["a", "b"], role="inter")
    circuit.add_neuron("m", role="motor")
    circuit.add_synapses([("a", "b"), ("b", "m", -1)])
    return circuit


def move(name: str, x: int) -> edits.Edit:
    return edits.Set(neurons=[(name, "x", x)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    gl.write(small(), tmp_path / "c.json")
    return tmp_path / "c.json"


def crash(document: Document) -> None:
    """Let go of the journal as a killed process does."""
    assert document.journal is not None
    document.journal.close()


def test_a_process_that_is_killed_loses_at_most_the_edit_in_flight(tmp_path: Path) -> None:
    command = [sys.executable, str(KILLED), str(tmp_path), "100", "7"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [tuple(map(int, line.split())) for line in ran.stdout.splitlines()]
    assert len(rows) == 100
    assert sum(last > 0 for last, _, _ in rows) >= 90
    assert any(recovered > 0 for _, _, recovered in rows)
    assert any(count > 17 for _, count, _ in rows)


def test_what_was_not_saved_is_there_again_and_can_be_undone(path: Path) -> None:
    document = Document(path)
    document.session.apply(move("a", 1), "ann")
    document.session.apply(edits.Remove(["b"]), "bob")
    document.session.undo("ann")
    end = exact(document.session.circuit)
    crash(document)
    assert exact(gl.read(path)) == exact(small())
    again = Document(path)
    assert (again.recovered, again.notice) == (3, None)
    assert exact(again.session.circuit) == end
    again.session.undo("bob")
    again.session.redo("ann")
    assert exact(again.session.circuit)[1][0] == ("a", {"role": "inter", "x": 1})
    crash(again)
    third = Document(path)
    assert exact(third.session.circuit) == exact(again.session.circuit)
    third.close()


def test_edits_before_a_save_can_be_undone_after_it_and_that_is_recovered(path: Path) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    document.session.apply(move("a", 2))
    document.save()
    document.session.undo()
    document.session.apply(move("b", 3))
    document.session.undo()
    end = exact(document.session.circuit)
    crash(document)
    for _ in range(3):
        again = Document(path)
        assert exact(again.session.circuit) == end
        crash(again)


def test_saving_writes_the_file_and_starts_the_journal_anew(path: Path) -> None:
    document = Document(path)
    document.session.apply(edits.Remove(["a"]))
    assert document.saved == 0
    document.save()
    assert document.saved == document.session.revision == 1
    assert exact(gl.read(path)) == exact(document.session.circuit)
    assert len((path.parent / "c.json.journal").read_text().splitlines()) == 1
    document.close()
    assert not (path.parent / "c.json.journal").exists()


def test_a_crash_between_the_file_and_its_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    monkeypatch.setattr(Journal, "start", lambda self, content: None)
    document.save()
    monkeypatch.undo()
    document.session.apply(move("a", 2))
    end = exact(document.session.circuit)
    crash(document)
    again = Document(path)
    assert (again.recovered, again.notice) == (1, None)
    assert exact(again.session.circuit) == end
    again.close()


def test_a_file_that_was_changed_by_something_else_sets_the_journal_aside(path: Path) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    crash(document)
    other = small()
    other.add_neuron("new")
    gl.write(other, path)
    kept = (path.parent / "c.json.journal").read_bytes()
    again = Document(path)
    assert exact(again.session.circuit) == exact(other)
    assert again.recovered == 0
    assert again.notice == (
        "the journal was set aside as c.json.journal.1: it does not belong to what is in the file now"
    )
    assert (path.parent / "c.json.journal.1").read_bytes() == kept
    again.close()


@pytest.mark.parametrize(
    ("spoil", "recovered", "why"),
    [
        (lambda data: data[:-3], 1, None),
        (lambda data: data + b'{"revision": 3, "by', 2, None),
        (lambda data: data + b"\n", 0, "line 4: this is no record of a journal"),
        (lambda data: data.replace(b'"by"', b"by", 1), 0, "line 2: this is no record of a journal"),
        (lambda data: data.replace(b"ganglion-edits", b"diary"), 0, "is no journal of this version"),
        (lambda data: data.replace(b'"a", "x", 2', b'"q", "x", 2'), 1, "there is no neuron 'q'"),
        (lambda data: data.replace(b'"set"', b'"sat"'), 0, "an edit is an object whose kind"),
        (lambda data: b"", 0, None),
    ],
)
def test_a_torn_or_broken_journal(path: Path, spoil, recovered: int, why: str | None) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    document.session.apply(move("a", 2))
    crash(document)
    journal = path.parent / "c.json.journal"
    journal.write_bytes(spoil(journal.read_bytes()))
    for _ in range(2):  # what was recovered is recovered again, and nothing is set aside twice
        again = Document(path)
        assert again.recovered == recovered
        assert (why in again.notice) if why and again.notice else (again.notice is None)
        assert again.session.circuit.nodes["a"].get("x") == (recovered or None)
        crash(again)
    assert (path.parent / "c.json.journal.1").exists() == (why is not None)
    assert not (path.parent / "c.json.journal.2").exists()


def test_only_one_process_edits_a_file(path: Path) -> None:
    document = Document(path)
    with pytest.raises(gl.CircuitError, match="another editor or another process is editing this circuit"):
        Document(path)
    document.close()
    Document(path).close()


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    document = Document(tmp_path / "new.json")
    document.session.apply(edits.Add([("a", {"role": "motor"})]))
    document.save()
    document.close()
    assert list(gl.read(tmp_path / "new.json")) == ["a"]
    with pytest.raises(FileNotFoundError, match="no such directory"):
        Document(tmp_path / "nowhere" / "c.json")
    with pytest.raises(ValueError, match="must end in"):
        Document(tmp_path / "c.txt")


def test_half_of_a_table_is_not_taken_for_an_empty_circuit(tmp_path: Path) -> None:
    gl.write(small(), tmp_path / "c.csv")
    (tmp_path / "c.synapses.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"c\.synapses\.csv"):
        Document(tmp_path / "c.csv")


@pytest.mark.parametrize("ending", ["graphml", "csv"])
def test_other_formats_are_saved_and_recovered_too(tmp_path: Path, ending: str) -> None:
    document = Document(tmp_path / f"c.{ending}", small())
    document.session.apply(move("a", 1))
    document.save()
    document.session.apply(move("b", 2))
    end = exact(document.session.circuit)
    crash(document)
    again = Document(tmp_path / f"c.{ending}")
    assert (again.recovered, again.notice) == (1, None)
    assert exact(again.session.circuit)[1:] == end[1:]
    again.close()


# Disks that refuse


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that takes no more than so many bytes of a file: writes are cut short, then refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_no_editing_and_says_so(path: Path) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    journal = path.parent / "c.json.journal"
    kept = journal.read_bytes()
    with files_of_at_most(len(kept) + 20):
        document.session.apply(move("a", 2))
        document.session.apply(move("a", 3))
        assert journal.read_bytes() == kept
        assert document.state.pending == 2
        assert document.state.error is not None
        with pytest.raises(OSError, match=r"File too large|No space"):
            document.save()
        assert exact(gl.read(path)) == exact(small())
    document.session.apply(move("a", 4))
    assert (document.state.pending, document.state.error) == (0, None)
    crash(document)
    again = Document(path)
    assert again.recovered == 4
    assert again.session.circuit.nodes["a"]["x"] == 4
    again.close()


def test_a_device_that_is_full_from_the_start(path: Path) -> None:
    (path.parent / "c.json.journal").symlink_to("/dev/full")
    document = Document(path)
    document.session.apply(move("a", 1))
    assert document.state.error == "No space left on device"
    document.save()
    assert gl.read(path).nodes["a"]["x"] == 1
    document.close()  # or this process holds the lock of the machine's /dev/full


def test_a_folder_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gl.write(small(), folder / "c.json")
        folder.chmod(0o555)
        uid = os.geteuid()
        if uid == 0:
            os.seteuid(65534)
        try:
            document = Document(folder / "c.json")
            document.session.apply(move("a", 1))
            assert document.notice is not None
            assert "edits are not kept until they are saved" in document.notice
            assert "Permission denied" in document.notice
            assert document.state.pending == 1
            with pytest.raises(PermissionError, match=r"read-only|Permission denied"):
                document.save()
            document.close()
        finally:
            os.seteuid(uid)
            folder.chmod(0o755)
        assert exact(gl.read(folder / "c.json")) == exact(small())


def test_the_journal_is_flushed_on_save_and_says_so(path: Path) -> None:
    states = []
    document = Document(path)
    assert document.journal is not None
    document.journal.changed = states.append
    document.session.apply(move("a", 1))
    assert not document.state.synced
    document.journal.sync()
    assert document.state.synced
    document.session.apply(move("a", 2))
    document.save()
    assert document.state.synced
    assert [state.synced for state in states] == [False, True, False, True]
    document.close()


def test_a_journal_is_lines_of_json(path: Path) -> None:
    document = Document(path)
    document.session.apply(move("a", 1))
    lines = (path.parent / "c.json.journal").read_text().splitlines()
    assert json.loads(lines[1]) == {
        "revision": 1,
        "by": "python",
        "edit": {"kind": "set", "neurons": [["a", "x", 1]]},
    }
    document.close()


def test_a_session_needs_no_file() -> None:
    session = EditSession(small())
    session.apply(move("a", 1))
    assert session.circuit.nodes["a"]["x"] == 1


@pytest.mark.parametrize("name", ["c.json", "c.csv"])
def test_what_something_else_wrote_into_the_file_is_kept_on_save(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    gl.write(small(), path)
    document = Document(path)
    told: list[Path | None] = []

    class Ear:
        def journalled(self, state: object) -> None: ...

        def saved(self, path: Path, revision: int, aside: Path | None) -> None:
            told.append(aside)

    document.watch(Ear())
    document.session.apply(move("a", 1))
    document.save()
    other = gl.fully_connected(3, inputs=2, outputs=1, seed=1)
    gl.write(other, path)
    document.session.apply(move("a", 2))
    with pytest.warns(UserWarning, match=r"something else had written into .*is kept as .*\.1"):
        document.save()
    document.session.apply(move("a", 3))
    document.save()
    document.close()
    assert [kept and kept.suffix for kept in told] == [None, ".1", None]
    assert gl.read(path).nodes["a"]["x"] == 3
    for kept in tmp_path.glob("*.1"):
        kept.rename(kept.with_suffix(""))
    assert list(gl.read(path)) == list(other)
