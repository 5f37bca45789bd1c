"""Build the sdist and the wheels, look inside, and use a wheel in an empty environment without a compiler.

One wheel is for every platform; the other one carries the kernels of this one.

Run by ``make package``; it needs the network for pip. Exits with 1 and one sentence if something is wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ganglion"

IMPORT_EVERYTHING = """
import pathlib, sys
import ganglion
for name in ganglion.__all__:
    getattr(ganglion, name)
home = pathlib.Path(ganglion.__file__).resolve()
assert pathlib.Path(sys.prefix).resolve() in home.parents, f"imported from {home}"
print("imported", len(ganglion.__all__), "names from", home.parent)
"""

RUN_KERNELS = """
import os, pathlib, shutil
import mlx.core as mx
import ganglion as gl
assert not [name for name in ("c++", "g++", "clang++", "cc", "gcc") if shutil.which(name)]
circuit = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
networks = [
    make(graph, mixed_memory=memory)
    for memory in (False, True)
    for make, graph in ((gl.LTC, circuit), (gl.CfC, circuit), (gl.CfC, gl.dense(3, 5)))
]
of_equations = (gl.STC, gl.LRC, gl.LRCU, gl.LeakyRate, gl.LIF, gl.MinGRU, gl.CTRNNCell)
networks += [gl.CfC(circuit, mode="pure"), *(gl.RNN(kind(circuit)) for kind in of_equations)]
for rnn in networks:
    rnn.engine = "fused"
    loss = lambda parameters, x: (rnn.update(parameters), (rnn(x)[0] ** 2).mean())[1]
    for batch in (1, 40):
        mx.eval(mx.value_and_grad(loss)(rnn.parameters(), mx.random.normal((batch, 5, 3))))
    assert "with code carried by the package for" in rnn.explain(), rnn.explain()
assert not list(pathlib.Path(os.environ["HOME"], ".cache").rglob("*.so"))
print(rnn.explain())
"""


def main() -> None:
    """Build, inspect, install, import, compute."""
    with tempfile.TemporaryDirectory(prefix="ganglion-package-") as folder:
        dist, home = Path(folder, "dist"), Path(folder, "empty")
        run(sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT), quiet=True)
        (sdist,), (pure,) = dist.glob("*.tar.gz"), dist.glob("*-py3-none-any.whl")
        unpacked = Path(folder, sdist.name.removesuffix(".tar.gz"))
        run("tar", "-xf", str(sdist), "-C", folder)
        tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build = (sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(unpacked))
        run(*build, quiet=True, environment={**os.environ, "GANGLION_KERNELS": tag})
        (wheel,) = dist.glob(f"*-py3-none-{tag}.whl")
        for archive in (pure, wheel):
            names = set(zipfile.ZipFile(archive).namelist())
            expect_sources(archive, names, prefix="ganglion")
            kernels = {name for name in names if name.endswith(".so")}
            if bool(kernels) != (archive == wheel) or any("/prebuilt/" not in name for name in kernels):
                sys.exit(f"{archive.name} has the kernels {sorted(kernels)}")
        expect_sources(sdist, real_files(sdist), prefix=f"{sdist.name.removesuffix('.tar.gz')}/src/ganglion")
        venv.create(home, with_pip=True)
        python = home / "bin" / "python"
        run(str(python), "-m", "pip", "install", "-q", f"{wheel}[cpu]")
        run(str(python), "-c", IMPORT_EVERYTHING, cwd=home)
        run(str(home / "bin" / "ganglion"), "--version", cwd=home)
        alone = {"HOME": str(home), "PATH": str(home / "bin")}
        run(str(python), "-c", RUN_KERNELS, cwd=home, environment=alone)


def expect_sources(archive: Path, names: set[str], prefix: str) -> None:
    """Fail unless an archive holds every source file of the package, and nothing of it twice."""
    missing = [name for name in sources() if f"{prefix}/{name}" not in names]
    if missing:
        sys.exit(f"{archive.name} lacks {', '.join(missing)}")
    print(f"{archive.name}: {len(names)} files")


def sources() -> list[str]:
    """Every file of the package but caches and guides for readers, links followed, relative to it.

    Of the editor's page only what is built of it.
    """
    found = [path.relative_to(PACKAGE) for path in walk(PACKAGE) if path.suffix != ".md"]
    page = Path("viz", "editor", "page")
    return sorted(str(path) for path in found if page not in path.parents or page / "dist" in path.parents)


def walk(folder: Path) -> list[Path]:
    """The files below a folder; unlike ``rglob`` it enters linked folders on every Python."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            found += walk(path)
        elif path.is_file():
            found.append(path)
    return found


def real_files(sdist: Path) -> set[str]:
    """The members of an sdist, which may hold no links."""
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    links = [member.name for member in members if member.issym() or member.islnk()]
    if links:
        sys.exit(f"{sdist.name} holds links: {', '.join(links)}")
    return {member.name for member in members if member.isfile()}


def run(
    *command: str, cwd: Path = ROOT, quiet: bool = False, environment: dict[str, str] | None = None
) -> None:
    """Run a command, and exit with its output if it fails."""
    ran = subprocess.run(command, cwd=cwd, capture_output=quiet, text=True, env=environment, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed\n{ran.stdout or ''}{ran.stderr or ''}")


if __name__ == "__main__":
    main()
