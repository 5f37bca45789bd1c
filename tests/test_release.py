"""What make release writes and refuses; that it builds, its own run shows."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from . import release
from .package_check import ROOT, sources

VERSION = "9.8.7"
METADATA = f"Name: ganglion-mlx\nVersion: {VERSION}\nLicense-Expression: Apache-2.0\nLicense-File: LICENSE\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in (release.CHANGELOG, release.DISTRIBUTION):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / release.CHANGELOG).write_text("# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n")
    return tmp_path


def test_a_version_is_written_where_it_is_declared_and_changes_become_its_section(root: Path) -> None:
    release.write_version(root, VERSION, "2026-11-28")
    found: dict[str, str] = {}
    exec((root / release.DISTRIBUTION).read_text(), found)
    assert found["__version__"] == VERSION
    changes = (root / release.CHANGELOG).read_text()
    assert changes == (
        f"# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-11-28\n\n### Added\n\n- A thing.\n"
    )
    assert release.notes_of(changes, VERSION) == "### Added\n\n- A thing."
    assert release.notes_of(changes, "Unreleased") == ""
    before = (root / release.DISTRIBUTION).read_text()
    for version, told in (
        (VERSION, "has a section for 9.8.7"),
        ("9.9.0", "nothing .* unreleased"),
        ("v1", "no version"),
    ):
        with pytest.raises(SystemExit, match=told):
            release.write_version(root, version, "2026-11-29")
    assert (root / release.CHANGELOG).read_text() == changes
    assert (root / release.DISTRIBUTION).read_text() == before


def test_the_changelog_has_what_a_release_needs() -> None:
    changes = (ROOT / release.CHANGELOG).read_text()
    assert changes.count(release.UNRELEASED) == 1
    assert release.notes_of(changes, "Unreleased").startswith("### ")


def packed(path: Path, when: int, user: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in ("a/b.py", "a/a.py") if user == "root" else ("a/a.py", "a/b.py"):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname, member.mode = 4, when, user, 0o600 if when else 0o664
            archive.addfile(member, io.BytesIO(name[2:].encode()))


def test_an_sdist_says_nothing_of_who_built_it_when(tmp_path: Path) -> None:
    one, other = tmp_path / "one.tar.gz", tmp_path / "other.tar.gz"
    packed(one, 0, "root")
    packed(other, 12345, "me")
    assert one.read_bytes() != other.read_bytes()
    for path in (one, other):
        release.repack(path, 1_700_000_000)
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as archive:
        assert [member.name for member in archive] == ["a/a.py", "a/b.py"]
        assert archive.extractfile("a/b.py").read() == b"b.py"  # type: ignore[union-attr]
    assert int.from_bytes(one.read_bytes()[4:8], "little") == 1_700_000_000  # in the header of gzip


def wheel(path: Path, change: Callable[[dict[str, str]], object]) -> Path:
    info = f"ganglion_mlx-{VERSION}.dist-info"
    held = {f"ganglion/{name}": "" for name in sources()}
    held |= {f"{info}/METADATA": METADATA, f"{info}/licenses/LICENSE": "", f"{info}/RECORD": ""}
    change(held)
    path = path / f"ganglion_mlx-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in held.items():
            archive.writestr(name, text)
    return path


INFO = f"ganglion_mlx-{VERSION}.dist-info"
CHANGES: dict[str, Callable[[dict[str, str]], object]] = {
    r"lacks cli\.py": lambda held: held.pop("ganglion/cli.py"),
    "has no licence file": lambda held: held.pop(f"{INFO}/licenses/LICENSE"),
    r"says .*'MIT'": lambda held: held.update({f"{INFO}/METADATA": METADATA.replace("Apache-2.0", "MIT")}),
    r"says .*'0\.1'": lambda held: held.update({f"{INFO}/METADATA": METADATA.replace(VERSION, "0.1")}),
    "also holds tests/a.py": lambda held: held.update({"tests/a.py": ""}),
    "also holds .*__pycache__": lambda held: held.update({"ganglion/__pycache__/cli.pyc": ""}),
    "holds 1 kernels": lambda held: held.update({"ganglion/compile/kernels/prebuilt/x/a.so": ""}),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_wheel_that_is_not_as_it_should_be_is_refused(told: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=told):
        release.check_contents(wheel(tmp_path, CHANGES[told]), VERSION)


def test_a_sound_wheel_is_not_refused(tmp_path: Path) -> None:
    release.check_contents(wheel(tmp_path, lambda _: None), VERSION)


def test_the_bill_of_materials_has_our_version_and_what_the_page_holds() -> None:
    given = {"metadata": {"component": {"name": "ganglion-mlx"}}, "components": [{"name": "numpy"}]}
    found = json.loads(release.completed(json.dumps(given), VERSION))
    assert found["metadata"]["component"] == {"name": "ganglion-mlx", "version": VERSION}
    declared = json.loads((ROOT / release.LOCK).with_name("package.json").read_text())["dependencies"]
    assert {part["name"]: part.get("version") for part in found["components"][1:]} == declared
    assert found["components"][1]["licenses"] == [{"license": {"id": "MIT"}}]


def test_what_is_not_committed_is_not_released(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(release, "git", lambda *_: " M README.md\n?? new.py")
    with pytest.raises(SystemExit, match="commit first: 2 files"):
        release.build_release(tmp_path / "dist")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "workflow", sorted((ROOT / ".github" / "workflows").iterdir()), ids=lambda path: path.name
)
def test_workflows_ask_for_what_make_has(workflow: Path) -> None:
    asked = re.findall(r"run: make (.*)", workflow.read_text())
    assert asked
    for words in asked:
        subprocess.run(["make", "-n", *words.split()], cwd=ROOT, check=True, capture_output=True)
