"""`gl.edit` opens what it is given, and says what it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from tests.editor.pages import Page

import ganglion as gl
from ganglion.editor import opening
from ganglion.editor.standalone import Standalone
from ganglion.wiring import edits

NAMES = ("inter_0", "inter_1", "inter_2")


def test_a_circuit_is_edited_in_place(tmp_path: Path) -> None:
    circuit = gl.auto_ncp(8, 2, inputs=2, seed=1)
    with gl.edit(circuit, browser=False, live=False) as editor:
        page = Page(editor.url)
        page.hello()
        page.edit(edits.Remove(["inter_0"]))
        assert "inter_0" not in circuit
        assert editor.circuit is circuit


def test_a_network_keeps_its_weights() -> None:
    network = gl.LTC(gl.auto_ncp(8, 2, inputs=2, seed=1), key=mx.random.key(0))
    with gl.edit(network, browser=False) as editor:
        page = Page(editor.url)
        page.hello()
        page.wait("facts")
        page.send("signal", sensor="sensory_0", signal={"kind": "constant", "value": 1})
        page.send("step", count=5)
        frame = page.wait("frame", step=5)
        expected = np.array(network(mx.array([[1.0, 0.0]] * 5))[0])[-1]
        np.testing.assert_allclose(frame["outputs"], expected, rtol=1e-3, atol=1e-4)


def test_a_file_opened_twice_is_one_session(tmp_path: Path) -> None:
    gl.write(gl.auto_ncp(8, 2, inputs=2, seed=1), tmp_path / "c.json")
    first = gl.edit(tmp_path / "c.json", browser=False, live=False)
    second = gl.edit(str(tmp_path / "c.json"), browser=False, live=False)
    first.session.apply(edits.Remove(["inter_0"]))
    page = Page(second.url)
    page.hello()
    assert "inter_0" not in page.circuit
    first.close()
    second.close()
    third = gl.edit(tmp_path / "c.json", browser=False, live=False)
    assert third.document is not None
    assert third.document.recovered == 1
    third.close()


def test_a_circuit_with_a_file_is_saved_there(tmp_path: Path) -> None:
    circuit = gl.auto_ncp(8, 2, inputs=2, seed=1)
    with gl.edit(circuit, file=tmp_path / "new.json", browser=False, live=False) as editor:
        assert isinstance(editor, Standalone)
        assert editor.document is not None
        editor.session.apply(edits.Remove(["inter_0"]))
        editor.document.save()
    assert gl.read(tmp_path / "new.json").digest() == circuit.digest()


def test_places_are_kept_when_code_makes_the_circuit_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> gl.Circuit:
        circuit = gl.auto_ncp(8, 2, inputs=2, seed=1)
        circuit.nodes["inter_1"].update(x=1, y=2)
        return circuit

    def places(circuit: gl.Circuit) -> list[tuple[int, int] | None]:
        return [(data["x"], data["y"]) if "x" in data else None for data in map(circuit.nodes.get, NAMES)]

    move = edits.Set(neurons=[("inter_0", "x", 30), ("inter_0", "y", 40), ("inter_1", "x", 7)])
    path = tmp_path / "c.json"
    with gl.edit(made(), file=path, browser=False, live=False) as editor:
        editor.session.apply(move)
        editor.document.save()  # type: ignore[union-attr]
    again, other = made(), made()
    with gl.edit(again, file=path, browser=False, live=False):
        assert places(again) == [(30, 40), (1, 2), None]  # what code says of a place stands
    with gl.edit(other, browser=False, live=False):
        assert places(other) == [None, (1, 2), None]

    monkeypatch.setattr(opening, "in_notebook", lambda: True)
    widget = gl.edit(other, live=False)
    widget.session.apply(move)
    third = made()
    gl.edit(third, live=False).close()
    assert places(third) == [(30, 40), (1, 2), None]
    widget.close()


def test_what_could_not_be_opened_holds_nothing(tmp_path: Path) -> None:
    """Neither the lock of the journal nor the thread of the network."""
    circuit, path = gl.auto_ncp(8, 2, inputs=2, seed=1), tmp_path / "new.json"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="cannot be had"):
            gl.edit(circuit, file=path, port=taken.getsockname()[1], browser=False)
    assert "ganglion live" not in [thread.name for thread in threading.enumerate()]
    gl.edit(circuit, file=path, browser=False, live=False).close()


def test_pages_and_files_speak_utf8_whatever_the_machine_does() -> None:
    code = (
        "import json, ganglion as gl; from ganglion.editor import EditSession; "
        "from ganglion.editor.hub import Hub; "
        "circuit = gl.Circuit(); circuit.add_neuron('\\u00c4nder', role='motor'); "
        "hub = Hub(EditSession(circuit), live=False); heard = []; channel = hub.join(heard.append); "
        "send = lambda **message: hub.receive(channel, json.dumps({'client': 'c', 'id': 1, **message})); "
        "send(type='export', what='csv'); "
        "assert '\\u00c4nder' in json.loads(heard[0])['text'], heard; "
        "send(type='open', name='c.json', text=json.dumps({'nodes': [{'id': '\\u00d6dem', 'role': 'motor'}], "
        "'links': []}, ensure_ascii=False)); "
        "assert list(hub.session.circuit) == ['\\u00d6dem'], heard; hub.close()"
    )
    given = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", code],
        capture_output=True,
        text=True,
        env=given,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "/ganglion/editor/" not in ran.stderr


@pytest.mark.parametrize("what", [5, None, [1, 2]])
def test_other_things_are_refused(what: object) -> None:
    with pytest.raises(TypeError, match=r"gl\.edit takes a circuit"):
        gl.edit(what, browser=False)


def test_a_path_has_no_other_file() -> None:
    with pytest.raises(TypeError, match="a path is its own file"):
        gl.edit("c.json", file="d.json")


def test_the_session_needs_neither_mlx_nor_a_server() -> None:
    code = (
        "import sys, ganglion as gl; gl.EditSession(); "
        "print([m for m in ('mlx', 'starlette', 'anywidget', 'matplotlib') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_notebook_without_the_extra_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganglion.editor.opening.in_notebook", lambda: True)
    monkeypatch.delitem(sys.modules, "ganglion.editor.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r'needs the package anywidget, an extra: "ganglion-mlx\[editor\]"'):
        gl.edit(gl.auto_ncp(8, 1, inputs=2))
