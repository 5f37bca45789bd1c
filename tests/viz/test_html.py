"""The page that stands alone: it holds the circuit exactly, hostile texts stay texts, nothing is fetched."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.errors import CircuitError
from ganglion.recording import Recording

HOSTILE = "</script><script>alert(1)</script><!-- \"' & \u2028 <img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts by their type."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.title = ""
        self.inside: tuple[str, dict[str, str | None]] = ("", {})
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = (tag, dict(attrs))
        self.tags.append(self.inside)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ("", {})

    def handle_data(self, data: str) -> None:
        tag, attributes = self.inside
        if tag == "script":
            kind = str(attributes["type"])
            self.scripts[kind] = self.scripts.get(kind, "") + data
        elif tag == "title":
            self.title += data

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.scripts["application/json"]))


def circuit_of(page: Page, folder: Path) -> gl.Circuit:
    path = folder / "back.json"
    path.write_text(json.dumps(page.data["circuit"]), encoding="utf-8")
    return gl.read(path)


def same(a: nx.DiGraph[Any], b: nx.DiGraph[Any]) -> bool:
    return (
        list(a.nodes(data=True)) == list(b.nodes(data=True))
        and list(a.edges(data=True)) == list(b.edges(data=True))
        and a.graph == b.graph
    )


def test_the_page_holds_the_circuit(tmp_path: Path) -> None:
    circuit = gl.auto_ncp(16, 2, inputs=4, seed=3)
    circuit.nodes["motor_0"].update(x=12.5, y=-3, note="left")
    circuit.graph["name"] = "steering"
    page = Page(gl.viz.to_html(circuit))
    assert same(circuit_of(page, tmp_path), circuit)
    assert page.title == "steering"
    assert page.data["recording"] is None


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    circuit = gl.Circuit(name=HOSTILE, note=HOSTILE)
    circuit.add_neuron(HOSTILE, role="sensory", **{HOSTILE: HOSTILE})
    circuit.add_neuron("motor", role="motor")
    circuit.add_synapse(HOSTILE, "motor", note=HOSTILE)
    plain = Page(gl.viz.to_html(gl.Circuit()))
    page = Page(gl.viz.to_html(circuit, title=HOSTILE))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.title == HOSTILE
    assert same(circuit_of(page, tmp_path), circuit)


def test_nothing_is_fetched() -> None:
    page = Page(gl.viz.to_html(gl.auto_ncp(8, 2, inputs=2)))
    assert not [(tag, a) for tag, a in page.tags if {"src", "href"} & set(a)]
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy


def test_a_recording_is_played_with_its_gaps() -> None:
    states = np.array([[[0.123456, np.nan], [1, 2]]], dtype=np.float32)
    recording = Recording(
        states, states[..., :1], states[..., 1:], np.arange(2.0), ("motor_0", "inter_0"), ("sensory_0",),
        ("motor", "inter"),
    )  # fmt: skip
    played = Page(gl.viz.to_html(gl.Circuit(), recording=recording)).data["recording"]
    assert played["states"] == [[0.1235, None], [1, 2]]
    assert played["inputs"] == [[0.1235], [1]]
    assert played["times"] == [0, 1]
    assert played["outputs"] == ["motor_0"]


def test_a_recording_of_a_network() -> None:
    circuit = gl.auto_ncp(8, 2, inputs=2)
    recording = gl.record(gl.LTC(circuit), mx.ones((1, 5, 2)))
    played = Page(gl.viz.to_html(circuit, recording=recording)).data["recording"]
    assert np.shape(played["states"]) == (5, 8)
    assert np.allclose(played["states"], np.asarray(recording.states)[0], rtol=1e-3)
    assert set(played["neurons"]) | set(played["sensors"]) == set(circuit)


def test_the_page_is_written_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    text = gl.viz.to_html(gl.auto_ncp(8, 2, inputs=2), path, readonly=True, theme="dark")
    assert path.read_text(encoding="utf-8") == text
    assert Page(text).data["options"] == {"theme": "dark", "readonly": True}
    circuit = gl.Circuit()
    circuit.add_neuron("a", weight={1, 2})
    with pytest.raises(CircuitError, match="weight"):
        gl.viz.to_html(circuit, path)
    assert path.read_text(encoding="utf-8") == text
    with pytest.raises(ValueError, match="unknown theme 'blue'"):
        gl.viz.to_html(gl.Circuit(), theme="blue")
