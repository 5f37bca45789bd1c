"""The rules of the house: one way in, imports one way, no circles, a lazy face, links that travel."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ganglion"
ROOMS = ("wiring", "compile", "cells", "viz")
MAY_IMPORT = {
    "wiring": {"wiring"},
    "compile": {"compile", "wiring"},
    "cells": {"cells", "compile", "wiring"},
    "viz": {"viz", "wiring", "compile"},
}
"""Which rooms a room may import; the leaves of the face are open to all."""
LEAVES = {
    "arguments",
    "distribution",
    "errors",
    "forks",
    "palette",
    "recording",
    "rounding",
    "shown",
    "storage",
    "versions",
}
HEAVY = ("mlx", "matplotlib", "networkx", "scipy", "sklearn", "rich")


def module_files() -> dict[str, Path]:
    """Every module of the package by its dotted name, links followed."""
    files = {}
    for path in _walk(PACKAGE):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        files[".".join(("ganglion", *parts))] = path
    return files


def _walk(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            found += _walk(path)
        elif path.suffix == ".py":
            found.append(path)
    return found


def imports_of(module: str, path: Path, files: dict[str, Path], *, eager: bool = False) -> set[str]:
    """The modules of the package that a module imports; eager leaves out imports inside functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in _import_nodes(ast.parse(path.read_text()), eager):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            if node.level:
                ancestor = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                base = f"{ancestor}.{base}" if base else ancestor
            targets = [f"{base}.{alias.name}" for alias in node.names]
        for target in targets:
            while target and target not in files:
                target = target.rpartition(".")[0]
            if target:
                found.add(target)
    return found - {module}


def _import_nodes(tree: ast.AST, eager: bool) -> list[ast.Import | ast.ImportFrom]:
    nodes: list[ast.Import | ast.ImportFrom] = []
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom):
            nodes.append(child)
        elif eager and (isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _type_checking(child)):
            continue
        else:
            nodes += _import_nodes(child, eager)
    return nodes


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def python(code: str, *, cwd: Path = ROOT) -> str:
    """Run code in a fresh interpreter, with the repository's root as the current folder."""
    ran = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    files = module_files()
    for module, path in files.items():
        if module.split(".")[1:2] != [room]:
            continue
        for target in imports_of(module, path, files):
            assert target != "ganglion", f"{module} imports the face of the package"
            top = target.split(".")[1]
            assert top in MAY_IMPORT[room] | LEAVES, f"{module} imports {target}"


def test_no_room_is_imported_by_its_bare_name() -> None:
    for module, path in module_files().items():
        for node in _import_nodes(ast.parse(path.read_text()), eager=False):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [] if node.level else [node.module or ""]
            assert not [name for name in names if name.partition(".")[0] in ROOMS], f"{module}: {names}"


def test_no_import_circles() -> None:
    files = module_files()
    graph = nx.DiGraph()
    for module, path in files.items():
        # In cells, imports that only types need count too: a circle of those is hard to read all the same.
        eager = not module.startswith("ganglion.cells")
        graph.add_edges_from((module, target) for target in imports_of(module, path, files, eager=eager))
    # A package's __init__ gathers its modules; a module that asks its own package for a sibling is a circle.
    circles = list(nx.simple_cycles(graph))
    assert circles == []


def test_wiring_names_no_mlx() -> None:
    for module, path in module_files().items():
        if module.startswith("ganglion.wiring"):
            assert "mlx" not in {
                name.partition(".")[0]
                for node in _import_nodes(ast.parse(path.read_text()), eager=False)
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                )
            }, module


def test_kernels_get_into_a_wheel_without_numpy() -> None:
    """As setup.py loads what builds them, where nothing but setuptools is installed."""
    code = (
        "import importlib, sys, types, pathlib\n"
        "sys.modules |= {'numpy': None, 'mlx': None, 'networkx': None}\n"
        "for name in ('ganglion', 'ganglion.compile', 'ganglion.compile.kernels'):\n"
        "    module = sys.modules[name] = types.ModuleType(name)\n"
        f"    module.__path__ = [str(pathlib.Path({str(PACKAGE)!r}).joinpath(*name.split('.')[1:]))]\n"
        "print(callable(importlib.import_module('ganglion.compile.kernels.prebuilt').build_kernels))"
    )
    assert python(code) == "True"


def test_importing_wiring_loads_no_mlx() -> None:
    assert (
        python("import sys, ganglion.wiring; print([m for m in sys.modules if m.startswith('mlx')])") == "[]"
    )


def test_the_face_is_lazy() -> None:
    code = f"import sys, ganglion; print([m for m in {HEAVY} if m in sys.modules])"
    assert python(code) == "[]"


def test_no_bare_room_gets_loaded() -> None:
    code = (
        "import importlib, sys, ganglion\n"
        "[getattr(ganglion, name) for name in ganglion.__all__]\n"
        f"[importlib.import_module(name) for name in {sorted(set(module_files()) - {'ganglion.__main__'})}]\n"
        f"print([m for m in {ROOMS} if m in sys.modules])"
    )
    assert python(code) == "[]"


def test_every_public_name_resolves() -> None:
    code = (
        "import ganglion as gl\n"
        "print(len(gl.__all__), [name for name in gl.__all__ if getattr(gl, name, None) is None])"
    )
    count, missing = python(code).split(" ", 1)
    assert missing == "[]"
    assert int(count) >= 30


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_export_what_they_promise(room: str) -> None:
    missing = "[n for n in m.__all__ if not hasattr(m, n)]"
    assert python(f"import ganglion.{room} as m; print({missing}, bool(m.__all__))") == "[] True"


@pytest.mark.parametrize("room", ROOMS)
def test_links_are_relative(room: str) -> None:
    link = PACKAGE / room
    assert link.is_symlink()
    assert link.readlink() == Path("..", "..", room)
    assert link.resolve() == ROOT / room


def test_links_are_committed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-s", "src/ganglion"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    links = {line.split("\t")[1] for line in listed if line.startswith("120000")}
    assert links == {f"src/ganglion/{room}" for room in ROOMS}


def test_the_drawing_of_the_house_is_that_of_the_imports() -> None:
    """`docs/pictures/house.svg` names its arrows; they must be those of the import statements."""
    script = ROOT / "docs" / "pictures" / "house.py"
    drawn = re.findall(r'id="(\w+)-imports-(\w+)"', script.with_suffix(".svg").read_text())
    house = runpy.run_path(str(script))
    assert sorted(drawn) == sorted(house["imports"]().edges), f"python {script.relative_to(ROOT)}"
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(house["ROOMS"]) == folders
