"""The built page of the editor: that of its sources, small, and alone. Its own tests are in its folder."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

import ganglion as gl

PAGE = Path(__file__).resolve().parents[2] / "viz" / "editor" / "page"
MODULE = PAGE / "dist" / "editor.js"
STYLES = PAGE / "dist" / "editor.css"


def sources() -> list[Path]:
    """What the built page depends on."""
    found = [path for path in (PAGE / "src").rglob("*") if path.suffix in (".ts", ".tsx", ".css", ".json")]
    return [*found, PAGE / "build.mjs", PAGE / "package-lock.json"]


def test_the_committed_page_is_that_of_its_sources() -> None:
    digest = hashlib.sha256()
    for path in sorted(sources(), key=lambda path: path.relative_to(PAGE).as_posix()):
        digest.update(f"{path.relative_to(PAGE).as_posix()}\n".encode() + path.read_bytes())
    head = MODULE.read_text(encoding="utf-8")[:400]
    assert f"sources {digest.hexdigest()}" in head, "run make page and commit viz/editor/page/dist"


def test_the_module_is_small() -> None:
    assert len(gzip.compress(MODULE.read_bytes(), 9)) <= 120_000


@pytest.mark.parametrize("path", [MODULE, STYLES])
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`)]*", path.read_text(encoding="utf-8")))
    names = {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1998/Math/MathML",
    }
    assert {a for a in addresses if not a.startswith(tuple(names))} == set()
    assert not re.search(r"@import|url\(\s*[\"']?(?!data:)", STYLES.read_text(encoding="utf-8"))


def test_what_people_wrote_is_never_read_as_html() -> None:
    for path in sources():
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
            path.read_text(encoding="utf-8"),
        )
        assert not found, f"{path.name}: {found[0]}"


def test_the_motif_of_tap_withdrawal_is_the_connectome() -> None:
    motif = json.loads((PAGE / "src" / "model" / "tap.json").read_text(encoding="utf-8"))
    circuit = gl.connectomes.tap_withdrawal()
    assert motif["neurons"] == [[name, data] for name, data in circuit.nodes(data=True)]
    assert motif["synapses"] == [[pre, post, data] for pre, post, data in circuit.edges(data=True)]
