"""One file with several editors, in one process and in several, and what is written without being asked."""

from __future__ import annotations

import fcntl
import os
import queue
from pathlib import Path
from typing import Any

import pytest
from tests.editor.pages import Page

import ganglion as gl
from ganglion.editor import document as documents
from ganglion.editor.document import Document
from ganglion.editor.journal import HEADER, Journal, JournalState
from ganglion.errors import CircuitError
from ganglion.wiring import edits

PATIENCE = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    gl.write(gl.auto_ncp(8, 2, inputs=2, seed=1), tmp_path / "c.json")
    return tmp_path / "c.json"


class Watcher:
    """Hears what a document tells."""

    def __init__(self) -> None:
        self.saves: queue.Queue[tuple[str, int]] = queue.Queue()

    def journalled(self, state: JournalState) -> None:
        pass

    def saved(self, path: Path, revision: int, aside: Path | None) -> None:
        self.saves.put((path.name, revision))


@pytest.mark.parametrize("others", [os.unlink, lambda path: os.rename(path, f"{path}.1")])
def test_a_journal_that_its_holder_takes_away_before_it_is_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch, others: Any
) -> None:
    """What is locked is the file of that name, not one that is gone."""
    lock, calls = fcntl.flock, list[int]()

    def late(file: int, operation: int) -> None:
        calls.append(file)
        if len(calls) == 1:  # just before we lock, whoever held it closes it and takes it away
            others(journal)
        lock(file, operation)

    journal = path.with_name("c.json.journal")
    monkeypatch.setattr(fcntl, "flock", late)
    held = Journal(journal)
    held.start("0" * 64)
    assert journal.read_text().count("\n") == 1
    with pytest.raises(CircuitError, match="another process is editing"):
        Journal(journal)
    held.close()


def test_a_journal_is_held_while_it_is_set_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = path.with_name("c.json.journal")
    journal.write_text(f'{{"journal": "{HEADER["journal"]}", "version": 1, "content": "another"}}\n')
    rename, refused = os.rename, list[bool]()

    def watched(source: Any, target: Any) -> None:
        with pytest.raises(CircuitError, match="another process is editing"):
            Journal(journal)
        refused.append(True)
        rename(source, target)

    monkeypatch.setattr(os, "rename", watched)
    document = Document(path)
    assert refused == [True]
    assert document.notice is not None
    assert "set aside as c.json.journal.1" in document.notice
    document.close()


def test_who_closes_first_leaves_the_journal_to_the_other(path: Path) -> None:
    first = gl.edit(path, browser=False, live=False, autosave=False)
    second = gl.edit(path, browser=False, live=False, autosave=False)
    first.close()
    first.close()  # as after a `with`
    second.session.apply(edits.Remove(["inter_0"]))
    assert second.document is not None
    assert second.document.journal is not None
    assert path.with_name("c.json.journal").read_text().count("\n") == 2
    second.close()
    assert second.document.journal is None
    third = Document(path)
    assert third.recovered == 1
    third.close()


def test_pages_of_both_editors_hear_of_the_journal_and_of_saves(path: Path) -> None:
    with (
        gl.edit(path, browser=False, live=False) as first,
        gl.edit(path, browser=False, live=False) as second,
    ):
        pages = [Page(first.url, "ann"), Page(second.url, "bob")]
        for page in pages:
            page.hello()
        pages[0].send("edit", edit=edits.Remove(["inter_0"]).to_json(), base=0)
        for page in pages:
            page.wait("journal", synced=False)
            page.wait("journal", synced=True)
        pages[1].send("save")
        for page in pages:
            assert page.wait("saved")["file"] == "c.json"


@pytest.mark.parametrize("ending", ["json", "graphml", "csv"])
def test_a_file_is_written_by_itself_when_nobody_edits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path = tmp_path / f"c.{ending}"
    circuit = gl.auto_ncp(8, 2, inputs=2, seed=1)
    gl.write(circuit, path)
    monkeypatch.setattr(documents, "IDLE", 0.01)
    document, watcher = Document(path, autosave=True), Watcher()
    document.watch(watcher)
    document.session.apply(edits.Remove(["inter_0"]))
    assert watcher.saves.get(timeout=PATIENCE) == (path.name, 1)
    assert "inter_0" not in gl.read(path)
    document.session.undo()
    assert watcher.saves.get(timeout=PATIENCE) == (path.name, 2)
    assert gl.read(path).digest() == circuit.digest()
    document.close()


def test_nothing_is_written_by_itself_where_that_is_not_wanted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Document) -> None:
        raise AssertionError("a timer was started")

    monkeypatch.setattr(Document, "_wait", refuse)
    with gl.edit(path, browser=False, live=False, autosave=False) as editor:
        editor.session.apply(edits.Remove(["inter_0"]))


def test_what_cannot_be_written_by_itself_stays_in_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document(path, autosave=True)
    document.session.apply(edits.Remove(["inter_0"]))

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "write", refuse)
    document._save_idle()
    assert document.saved == 0
    assert document.journal is not None
    document.journal.close()  # as a killed process does
    again = Document(path)
    assert again.recovered == 1
    again.close()
