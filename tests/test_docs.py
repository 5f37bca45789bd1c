"""Every code block of the README and the documentation does what it says.

Python blocks run, page by page in one namespace, in an empty folder. Shell blocks are taken line by line:
a make target must exist, a `ganglion` line must be understood, an extra must be declared. Anything else
fails, so that no block stands untested.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from packaging.version import Version
from PIL import Image

import ganglion as gl
from ganglion.cli import build_parser

from .support.ncps_models import Recorded

ROOT = Path(__file__).resolve().parents[1]
DOCS = [p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "gallery"} & set(p.parts)]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS)]
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)[^)]*\)")
BUILT_BY_SPHINX = {"{image}", "{toctree}", "{eval-rst}", "{include}", "{offers}", "{commands}"}
PLAIN = {"text"}


def _module(name: str) -> ModuleType:
    """A file of `docs/`, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # for its dataclasses
    spec.loader.exec_module(module)
    return module


BLOCKS, OFFERED = _module("blocks"), _module("offered")
blocks_of = BLOCKS.blocks_of


def namespace_of(page: Path) -> dict[str, Any]:
    """What a page takes for granted: the migration guide has a torch model at hand, and what it computed.

    It is a stand-in for ``ncps.torch.LTC(5, AutoNCP(12, 3, seed=7))``, whose outputs were recorded, and which
    `tests/golden/make_ncps_models.py` gives to the same calls itself.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    if page.name == "migration.md":
        recorded = Recorded.load("ltc-wired")
        names |= {"model": recorded.model(), "outputs_of_model": recorded["outputs"]}
        names |= {"x": recorded["x"], "timespans": recorded["timespans"]}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("Agg")
    for line, shown, printed in BLOCKS.run(page, namespace_of(page)):
        assert shown == printed, f"{page.name}, line {line}"
    for picture in BLOCKS.pictures_of(page):
        assert_alike(tmp_path / picture.name, picture)
    plt.close("all")


def assert_alike(drawn: Path, kept: Path) -> None:
    """A picture on a page is what the page's blocks draw, but for fonts and rounding."""
    with Image.open(drawn) as one, Image.open(kept) as other:
        assert one.size == other.size, f"{kept}: python docs/blocks.py {kept.parent.name}"
        small = [np.asarray(image.convert("L").resize((64, 64)), float) for image in (one, other)]
    older = Version(matplotlib.__version__) < Version("3.11")  # which measures texts in another way
    assert np.sqrt(np.mean((small[0] - small[1]) ** 2)) < (24 if older else 12), f"{kept}: draw it again"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_tested(page: Path) -> None:
    known = {"python", "sh", "c"} | PLAIN | BUILT_BY_SPHINX
    unknown = [(block.line, block.language) for block in blocks_of(page) if block.language not in known]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_lines_can_be_followed(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "sh":
            for line in filter(None, (shlex.split(line, comments=True) for line in block.code.splitlines())):
                check_shell_line(line)


def check_shell_line(words: list[str]) -> None:
    while "=" in words[0]:
        words = words[1:]
    match words:
        case ["make", *arguments]:
            subprocess.run(["make", "-n", *arguments], cwd=ROOT, check=True, capture_output=True)
        case ["ganglion", *arguments] | ["python", "-m", "ganglion", *arguments]:
            if "--help" not in arguments:
                build_parser().parse_args(arguments)
        case ["pip", "install", requirement] | ["pip", "install", requirement, "jupyterlab"]:
            extras = re.findall(r"[\w-]+", requirement.partition("[")[2])
            assert set(extras) <= declared_extras(), requirement
        case ["python", script, *_]:
            assert (ROOT / script).is_file(), script
        case ["git", "clone", _] | ["cd", _] | ["jupyter", "lab"]:
            pass
        case ["arm-none-eabi-gcc", *_] | ["qemu-system-arm", *_]:
            pass  # tests/interchange/test_boards.py runs them
        case _:
            pytest.fail(f"no test knows how to follow: {shlex.join(words)}")


def declared_extras() -> set[str]:
    section = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    return set(re.findall(r"^(\w+) = \[", section.partition("\n[")[0], re.MULTILINE))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text())]
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("script", sorted((ROOT / "docs" / "pictures").glob("*.py")), ids=lambda s: s.name)
def test_pictures_can_be_drawn_again(script: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "picture.png"
    with plt.rc_context():
        runpy.run_path(str(script))["main"](drawn)
    plt.close("all")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert script.with_suffix(".svg").exists()


def test_the_reference_has_every_public_name() -> None:
    """What a module offers in the reference is there by name; every public name must be of such a module."""
    found = set()
    for page in (ROOT / "docs" / "reference").glob("*.md"):
        for module, body in re.findall(r"```\{offers\} (\S+)\n(.*?)```", page.read_text(), re.DOTALL):
            listed = [line for line in body.split() if not line.startswith(":")]
            offered = importlib.import_module(module)
            for name in listed or OFFERED.public_names(offered):
                found.add(id(getattr(offered, name)))
                assert inspect.getdoc(getattr(offered, name)), f"{module}.{name} says nothing"
    rooms = [
        gl,
        gl.cells,
        gl.compile,
        gl.editor,
        gl.interchange,
        gl.meaning,
        gl.studies,
        gl.training,
        gl.viz,
        gl.wiring,
    ]
    missing = []
    for room in rooms:
        for name in room.__all__:
            value = getattr(room, name)
            if not isinstance(value, ModuleType | str | tuple) and id(value) not in found:
                missing.append(f"{room.__name__}.{name}")
    assert missing == []


def test_every_command_has_its_place_on_the_page_of_commands() -> None:
    names = [name for name, _ in OFFERED.commands_of(build_parser())]
    assert {"ganglion", "ganglion train", "ganglion show"} <= set(names)


def test_the_page_of_commands_has_every_option() -> None:
    """Also of those whose options are made when they are used."""
    page = {name: parser.format_help() for name, parser in OFFERED.commands_of(build_parser())}
    for option in ("--units", "--outputs", "--inputs", "--sparsity", "--seed", "--out"):
        assert option in page["ganglion new auto-ncp"]
    for name, parser in OFFERED.commands_of(build_parser()):
        told = io.StringIO()
        with contextlib.redirect_stdout(told), pytest.raises(SystemExit):
            parser.parse_args(["--help"])
        assert told.getvalue() == page[name]


def test_nobody_is_told_to_install_the_package_of_others() -> None:
    """On PyPI, ``ganglion`` is not ours: its name stands in no command and in no extra."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    tools = r"\b(?:pip3?|uv|pipx|conda|poetry)\b[^\n`]*\b(?:install|add)\b"
    wrong = re.compile(rf"""\bganglion\[|{tools}[^\n`]*?["' ]ganglion(?![-\w/.])""")
    found = []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if path.suffix in (".py", ".pyi", ".md", ".toml", ".ts", ".tsx", ".txt", ".yml") and path.is_file():
            found += [f"{name}: {match[0]}" for match in wrong.finditer(path.read_text())]
    own = "tests/test_docs.py"
    assert [line for line in found if not line.startswith(own)] == []


@pytest.mark.parametrize("extra", sorted(declared_extras()))
def test_how_to_install_an_extra_names_our_distribution(extra: str) -> None:
    from ganglion.distribution import NAME, how_to_install

    assert f'name = "{NAME}"' in (ROOT / "pyproject.toml").read_text()
    assert f"{NAME}[{extra}]" in how_to_install(extra)


def test_the_version_is_one() -> None:
    import ganglion

    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", ganglion.__version__)
    assert "version" not in re.findall(r"^(\w+) =", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[:1]
