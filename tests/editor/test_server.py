"""The standalone server: whom it lets in, what it answers, and that everyone sees the same circuit."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.editor.pages import Page, circuit_from
from tests.support.edits import exact
from websockets.exceptions import ConnectionClosed

import ganglion as gl
from ganglion.editor import EditSession
from ganglion.editor.document import Document
from ganglion.editor.exports import exported
from ganglion.editor.standalone import Standalone
from ganglion.wiring import edits

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def small() -> gl.Circuit:
    circuit = gl.Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neurons(["a", "b"], role="inter")
    circuit.add_neuron("m", role="motor")
    circuit.add_synapses([("eye", "a"), ("a", "b"), ("b", "m", -1)])
    return circuit


@pytest.fixture
def editor() -> Iterator[Standalone]:
    with Standalone(EditSession(small()), browser=False, live=False) as editor:
        yield editor


@pytest.fixture
def page(editor: Standalone) -> Iterator[Page]:
    page = Page(editor.url)
    page.hello()
    yield page
    page.close()


def get(url: str, path: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", path or f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, text


# Who may come in


def test_the_page_is_served_and_loads_nothing_from_elsewhere(editor: Standalone) -> None:
    status, headers, text = get(editor.url)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'data-session="/session"' in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not re.findall(r"(?:src|href)=\"(?!/|data:)", text)
    status, headers, text = get(editor.url, "/editor.js")
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/javascript")
    assert get(editor.url, "/editor.css")[0] == 200
    assert get(editor.url, "/other.js")[0] == 404
    assert get(editor.url, "/..%2fpackage.json")[0] == 404


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Host": "localhost"}, 403),
        ("", {"Host": "evil.example"}, 403),
        ("", {"Host": "evil.example:80"}, 403),
        ("", {"Origin": "https://evil.example"}, 403),
        ("", {"Origin": "null"}, 403),
        ("/editor.js", {"Host": "evil.example"}, 403),
    ],
)
def test_others_are_refused(editor: Standalone, path: str, headers: dict[str, str], status: int) -> None:
    assert get(editor.url, path, **headers)[0] == status


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"token": "wrong"}, 4401),
        ({"token": ""}, 4401),
        ({"token": "%ff"}, 4401),
        ({"origin": "http://evil.example"}, 4403),
        ({"origin": "null"}, 4403),
        ({"origin": None}, 4403),
        ({"origin": "https://127.0.0.1"}, 4403),
        ({"additional_headers": {}, "origin": "http://127.0.0.1:1"}, 4403),
    ],
)
def test_foreign_sockets_are_refused(editor: Standalone, options: dict[str, Any], code: int) -> None:
    assert Page(editor.url, **options).ended() == code


def test_it_listens_on_this_machine_only(editor: Standalone) -> None:
    assert urlsplit(editor.url).hostname == "127.0.0.1"
    assert len(editor.url.rpartition("token=")[2]) >= 32
    other = Standalone(EditSession(small()), browser=False, live=False)
    assert other.url.rpartition("token=")[2] != editor.url.rpartition("token=")[2]
    other.close()


# Messages


def test_an_edit_reaches_python_and_every_page(editor: Standalone, page: Page) -> None:
    other = Page(editor.url, "bob")
    other.hello()
    answer = page.edit(edits.Add([("c", {"role": "inter"})], [("c", "m", {"polarity": -1})]))
    assert (answer["type"], answer["by"], answer["label"]) == ("diff", "ann", "add 1 neuron and 1 synapse")
    assert editor.circuit.edges["c", "m"] == {"polarity": -1}
    other.wait("diff", revision=1)
    assert exact(page.circuit) == exact(other.circuit) == exact(editor.circuit)
    other.send("undo", base=1)  # bob has made nothing, so he undoes what ann did
    page.wait("diff", revision=2)
    assert exact(editor.circuit) == exact(small())
    other.close()


def test_what_python_does_reaches_the_page(editor: Standalone, page: Page) -> None:
    editor.session.apply(edits.Rename({"a": "AVA"}))
    assert page.wait("diff")["by"] == "python"
    editor.circuit.add_neuron("new")
    message = page.wait("diff")
    assert (message["by"], message["label"]) == ("python", "changed in Python")
    assert exact(page.circuit) == exact(editor.circuit)


def test_a_page_hears_what_was_done_before_it_came_and_can_look_at_it(editor: Standalone) -> None:
    editor.session.apply(edits.Remove(["a"]))
    editor.session.apply(edits.Rename({"m": "arm"}), "bob")
    page = Page(editor.url)
    page.send("hello", protocol=1)
    snapshot = page.wait("snapshot")
    assert (snapshot["opened"], snapshot["revision"]) == (0, 2)
    assert snapshot["log"] == [[1, "remove 1 neuron", "python"], [2, "rename 'm'", "bob"]]
    for revision, state in ((0, exact(small())), (2, exact(editor.circuit))):
        page.send("revision", revision=revision)
        assert exact(circuit_from(page.wait("revision", revision=revision)["circuit"])) == state
    for revision in (-1, 3, 1.5, None):
        number = page.send("revision", revision=revision)
        assert "revision must be a whole number from 0 to 2" in page.wait("refused", id=number)["why"]
    page.close()


def test_what_does_not_fit_is_refused_with_the_reason(editor: Standalone, page: Page) -> None:
    before = exact(editor.circuit)
    answer = page.edit(edits.Remove(["nobody"]))
    assert (answer["type"], answer["why"]) == ("refused", "there is no neuron 'nobody'")
    for message, why in [
        ({"type": "edit", "edit": {"kind": "explode"}}, "an edit is an object whose kind"),
        ({"type": "edit"}, "an edit is an object whose kind"),
        ({"type": "dance"}, "there is no message of type 'dance'"),
        ({"type": "undo"}, "there is nothing to undo"),
        ({"type": "save"}, "this circuit has no file"),
        ({"type": "play", "on": 1}, "on must be true or false"),
        ({"type": "play", "on": True, "speed": 1e9}, "speed must be from"),
        ({"type": "step", "count": -1}, "count must be a whole number"),
        ({"type": "what-if", "neurons": 5}, "neurons must be a list"),
        ({"type": "signal", "sensor": "eye", "signal": 5}, "a signal is an object"),
        ({"type": "signal", "sensor": "a", "signal": {"kind": "constant"}}, "there is no sensory neuron 'a'"),
        ({"type": "export", "what": "exe"}, "what can be exported is"),
        ({"type": "open", "name": "c.exe", "text": ""}, "a circuit can be dropped as"),
        ({"type": "open", "name": "c.json", "text": "{"}, "c.json, line 1"),
        ({"type": "inputs", "name": "x.csv", "text": "p\n1"}, "no column is named like"),
        ({"type": "preview", "edit": {"kind": "remove", "neurons": ["q"]}}, "there is no neuron 'q'"),
        ({"type": "train", "action": "pause"}, "nothing is being trained"),
    ]:
        number = page.send(**{"kind": message.pop("type"), **message})
        assert why in page.wait("refused", id=number)["why"]
    assert exact(editor.circuit) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 4400),
        ("[]", 4400),
        ("{}", 4400),
        ('{"type": "ping"}', 4400),
        ('{"type": 5, "client": "ann"}', 4400),
        ('{"type": "ping", "client": ""}', 4400),
        ('{"type": "ping", "client": "ann", "id": "x"}', 4400),
        ('{"type": "ping", "client": "ann", "id": NaN}', 4400),
        ("[" * 100_000, 4400),
        (b"\x00\x01", 4400),
        ("x" * (9 * 2**20), 1009),
    ],
)
def test_what_is_no_message_ends_the_connection_and_nothing_else(
    editor: Standalone, page: Page, text: str | bytes, code: int
) -> None:
    bad = Page(editor.url, "eve")
    bad.socket.send(text)
    assert bad.ended() == code
    assert page.edit(edits.Set([("a", "x", 1)]))["type"] == "diff"


def test_a_flood_is_cut_off(editor: Standalone, page: Page) -> None:
    bad = Page(editor.url, "eve")
    with suppress(ConnectionClosed):
        for _ in range(20_000):
            bad.send("ping")
    assert bad.ended() == 4408
    assert page.edit(edits.Set([("a", "x", 1)]))["type"] == "diff"


def test_messages_out_of_order_decide_by_names(editor: Standalone, page: Page) -> None:
    page.edit(edits.Set([("a", "x", 1)]))
    number = page.send("edit", edit=edits.Set([("a", "x", 2)]).to_json(), base=0)
    page.wait("diff", id=number)
    page.send("edit", edit=edits.Remove(["a"]).to_json(), base=10**9)
    page.wait("diff", revision=3)
    number = page.send("edit", edit=edits.Set([("a", "x", 3)]).to_json(), base=2)
    assert page.wait("refused", id=number)["revision"] == 3
    page.send("resync")
    assert page.wait("snapshot")["revision"] == 3
    assert exact(page.circuit)[1] == exact(editor.circuit)[1]


MANY = edits.Add([(f"n{k}", {"role": "inter"}) for k in range(900)])


@pytest.mark.parametrize(
    "edit",
    [
        edits.Generate("random", {"units": 10**9, "outputs": 1, "inputs": 1, "sparsity": 0.5, "seed": 1}),
        edits.Generate("fully_connected", {"units": 5000, "outputs": 1, "inputs": 1}),
        edits.Batch([edits.Generate("ncp", {"inter": 19_000, "command": 2000})]),
        edits.Batch([MANY, edits.Connect("inter", "inter")]),
        edits.Batch([MANY, edits.Connect([f"n{k}" for k in range(900)], [f"n{k}" for k in range(900)])]),
        edits.Batch(
            [
                edits.Batch([MANY]),
                edits.Connect("inter", "inter", "one_to_one", projection="p"),
                edits.Redraw("p", {"rule": "all_to_all"}),
            ]
        ),
        edits.Batch(
            [
                MANY,
                edits.Set(neurons=[(f"n{k}", "role", "command") for k in range(900)]),
                edits.Connect("command", "command"),
            ]
        ),
    ],
)
def test_what_would_fill_the_memory_is_refused_before_it_does(page: Page, edit: edits.Edit) -> None:
    answer = page.edit(edit)
    assert answer["type"] == "refused"
    assert "a page can make" in answer["why"]


def test_a_rule_over_too_many_neurons_is_refused_before_it_is_drawn(editor: Standalone, page: Page) -> None:
    editor.session.apply(edits.Add([(f"n{k}", {"role": "inter"}) for k in range(1000)]))
    answer = page.edit(edits.Connect("inter", "inter"))
    assert "a page can make 500,000 at most" in answer["why"]
    answer = page.edit(edits.Connect("inter", "inter", "fixed_indegree", indegree=2, seed=1))
    assert answer["type"] == "diff"


def test_a_preview_changes_nothing(editor: Standalone, page: Page) -> None:
    before = exact(editor.circuit)
    edit = edits.Connect("inter", "motor", "fixed_indegree", indegree=1, skip_existing=True, seed=1)
    page.send("preview", edit=edit.to_json())
    changes = page.wait("preview")["changes"]
    assert exact(editor.circuit) == before
    assert editor.session.revision == 0
    edit.apply(page.circuit)
    again = small()
    for change in changes:
        edits.from_json(change).apply(again)
    assert exact(again) == exact(page.circuit)


def test_undo_is_for_each_page_its_own(editor: Standalone, page: Page) -> None:
    other = Page(editor.url, "bob")
    other.hello()
    page.edit(edits.Set([("a", "x", 1)]))
    answer = other.edit(edits.Set([("b", "x", 1)]))
    assert answer["undo"] == {"ann": "move 1 neuron", "bob": "move 1 neuron"}
    page.send("undo", base=2)
    other.wait("diff", revision=3)
    assert "x" not in editor.circuit.nodes["a"]
    assert editor.circuit.nodes["b"]["x"] == 1
    page.send("redo", base=3)
    other.wait("diff", revision=4)
    assert exact(other.circuit) == exact(editor.circuit)
    other.close()


def test_dropping_a_file_is_one_edit(editor: Standalone, page: Page, tmp_path: Path) -> None:
    for ending in ("json", "graphml"):
        gl.write(gl.auto_ncp(8, 2, inputs=2, seed=1), tmp_path / f"c.{ending}")
        text = (tmp_path / f"c.{ending}").read_text()
        page.send("open", name=f"c.{ending}", text=text)
        message = page.wait("diff")
        assert message["label"] == f"open c.{ending}"
        assert exact(editor.circuit) == exact(gl.read(tmp_path / f"c.{ending}")) == exact(page.circuit)
        page.send("undo", base=message["revision"])
        page.wait("diff")
        assert exact(editor.circuit) == exact(small())


def test_taking_it_home(editor: Standalone, page: Page, tmp_path: Path) -> None:
    formats = ("json", "graphml", "gexf", "gml", "dot", "csv", "tsv")
    for what, count in [(form, 2 if form in ("csv", "tsv") else 1) for form in formats] + [
        ("python", 1),
        ("html", 1),
    ]:
        page.send("export", what=what)
        for _ in range(count):
            message = page.wait("file")
            (tmp_path / message["name"]).write_text(message["text"])
    for form in formats:
        assert gl.read(tmp_path / f"circuit.{form}").digest() == small().digest(), form
    namespace: dict[str, Any] = {}
    exec((tmp_path / "circuit.py").read_text(), namespace)
    assert exact(namespace["circuit"]) == exact(small())


def test_names_that_are_markup_stay_texts(editor: Standalone, page: Page) -> None:
    edit = edits.Add([(SCRIPT, {"role": "inter", "note": SCRIPT, SCRIPT: SCRIPT})])
    assert page.edit(edit)["type"] == "diff"
    page.send("export", what="html")
    text = page.wait("file")["text"]
    assert "<img" not in text
    assert text.count("</script>") == 2
    held = re.search(r'id="ganglion-data">(.*?)</script>', text, re.DOTALL)
    assert held is not None
    names = [node["id"] for node in json.loads(held[1])["circuit"]["nodes"]]
    assert names == list(editor.circuit)


# Files


def test_saving_from_the_page(tmp_path: Path) -> None:
    gl.write(small(), tmp_path / "c.json")
    document = Document(tmp_path / "c.json")
    with Standalone(document.session, document, browser=False, live=False) as editor:
        page = Page(editor.url)
        assert page.hello()["file"] == "c.json"
        page.edit(edits.Remove(["a"]))
        assert page.wait("journal", synced=True)["pending"] == 0
        page.send("save")
        assert page.wait("saved")["revision"] == 1
        assert exact(gl.read(tmp_path / "c.json")) == exact(editor.circuit)
        page.send("save", path="copy.graphml")
        assert page.wait("saved")["file"] == "copy.graphml"
        number = page.send("save", path="../escape.json")
        assert "under a plain name" in page.wait("refused", id=number)["why"]
        (tmp_path / "c.json").unlink()
        (tmp_path / "c.json").mkdir()
        number = page.send("save")
        assert "c.json" in page.wait("refused", id=number)["why"]
        page.close()


def test_live_over_the_wire() -> None:
    with Standalone(EditSession(small()), browser=False) as editor:
        page = Page(editor.url)
        page.hello()
        page.wait("facts")
        page.send("signal", sensor="eye", signal={"kind": "constant", "value": 1})
        page.wait("signals")
        page.send("step", count=5)
        frame = page.wait("frame", step=5)
        assert (len(frame["states"]), frame["inputs"]) == (3, [1.0])
        page.send("what-if", neurons=["a"], synapses=[["a", "b"]], steps=5)
        assert len(page.wait("what-if")["without"][0]) == 5
        page.send("rank", steps=5)
        assert {name for name, _ in page.wait("ranking")["effects"]} == {"eye", "a", "b"}
        page.edit(edits.Rename({"a": "AVA"}))
        assert "AVA" in page.wait("network", revision=1)["neurons"]
        page.send("export", what="c")
        file = page.wait("file")
        assert file["name"] == "circuit.c"
        assert "circuit_step(" in file["text"]
    assert page.ended() is not None


@pytest.mark.parametrize(
    ("stem", "name"), [("steering", "steering"), ("my circuit-2", "my_circuit_2"), ("2nd", "network_2nd")]
)
def test_c_is_called_by_the_name_of_the_file(stem: str, name: str) -> None:
    circuit = small()
    for (file, text), ending in zip(
        exported("c", EditSession(circuit), gl.LTC(circuit), stem), ("c", "h"), strict=True
    ):
        assert file == f"{name}.{ending}"
        assert f"{name}_step(" in text


def test_the_command_is_killed_and_goes_on(tmp_path: Path) -> None:
    gl.write(small(), tmp_path / "c.json")
    command = [
        sys.executable,
        "-m",
        "ganglion",
        "edit",
        str(tmp_path / "c.json"),
        "--no-browser",
        "--no-live",
    ]

    def start() -> tuple[subprocess.Popen[str], str, list[str]]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if found := re.search(r"http://\S+", line):
                return process, found[0], lines
        raise AssertionError(lines)

    process, url, lines = start()
    assert len(lines) == 1
    page = Page(url)
    page.hello()
    page.edit(edits.Remove(["a"]))
    page.edit(edits.Set([("b", "x", 5)]))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process, url, lines = start()
    assert lines[0] == "2 edits that were not saved are there again"
    again = Page(url)
    assert again.hello()["recovered"] == 2
    assert exact(again.circuit)[1] == exact(page.circuit)[1]
    again.send("save")
    again.wait("saved")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert not (tmp_path / "c.json.journal").exists()
    assert gl.read(tmp_path / "c.json").nodes["b"] == {"role": "inter", "x": 5}
