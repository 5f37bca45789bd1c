"""A release: written down, built twice, checked, and put together with what goes with it.

    make release VERSION=0.2.0   write the version and the section of the changelog; then commit and tag
    make release                 build what is committed: sdist, wheels, bill of materials, notes, checksums

Everything is built in two folders and must be the same to the byte. It needs the network for pip, and changes
nothing outside this checkout. Exits with 1 and one sentence if something is wrong.
"""

from __future__ import annotations

import argparse
import email
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from .package_check import IMPORT_EVERYTHING, ROOT, RUN_KERNELS, expect_sources, real_files, run

DISTRIBUTION, CHANGELOG = Path("src", "ganglion", "distribution.py"), Path("CHANGELOG.md")
LOCK = Path("viz", "editor", "page", "package-lock.json")
PLATFORM = "manylinux_2_35"
"""Of MLX's own wheels, too; auditwheel checks that ours need nothing newer."""
CROSS = {"x86_64": "aarch64-linux-gnu-g++", "aarch64": "x86_64-linux-gnu-g++"}
UNRELEASED = "## [Unreleased]\n"


def main() -> None:
    """Write a version down, or build the one that is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--version", help="write this version down instead of building")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the release goes")
    options = parser.parse_args()
    if options.version:
        write_version(ROOT, options.version, datetime.now(UTC).date().isoformat())
        print(f"{options.version} is written down: commit, tag it v{options.version}, and run make release")
    else:
        build_release(options.out)


def write_version(root: Path, version: str, day: str) -> None:
    """Set the version, and make the section of the changelog that is not released yet that of the version."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        sys.exit(f"{version!r} is no version: expected one such as 0.2.0 or 1.0.0rc1")
    changes, declared = (root / CHANGELOG).read_text(), (root / DISTRIBUTION).read_text()
    if f"## [{version}]" in changes:
        sys.exit(f"the changelog has a section for {version} already")
    if not notes_of(changes, "Unreleased"):
        sys.exit("nothing in the changelog is unreleased")
    section = f"{UNRELEASED}\n## [{version}] - {day}\n"
    (root / CHANGELOG).write_text(changes.replace(UNRELEASED, section, 1))
    changed = re.sub(r'^__version__ = ".*"$', f'__version__ = "{version}"', declared, flags=re.MULTILINE)
    (root / DISTRIBUTION).write_text(changed)


def notes_of(changes: str, version: str) -> str:
    """What a section of the changelog says."""
    found = re.search(rf"^## \[{re.escape(version)}\].*\n((?:(?!## ).*\n?)*)", changes, re.MULTILINE)
    return found[1].strip() if found else ""


def build_release(out: Path) -> None:
    """Build what is committed twice, check it, and leave it in a folder."""
    if changed := git("status", "--porcelain"):
        sys.exit(f"commit first: {len(changed.splitlines())} files are not as they were committed")
    namespace: dict[str, str] = {}
    exec((ROOT / DISTRIBUTION).read_text(), namespace)
    version = namespace["__version__"]
    if not (notes := notes_of((ROOT / CHANGELOG).read_text(), version)):
        sys.exit(f"the changelog has no section for {version}: run make release VERSION=...")
    with tempfile.TemporaryDirectory(prefix="ganglion-release-") as folder:
        first, second = (build_all(Path(folder, name)) for name in ("first", "second"))
        for one, other in zip(first, second, strict=True):
            if one.read_bytes() != other.read_bytes():
                sys.exit(f"{one.name} is not the same when it is built again")
        run(sys.executable, "-m", "twine", "check", "--strict", *map(str, first))
        for archive in first:
            check_contents(archive, version)
        bill = Path(folder, f"ganglion_mlx-{version}.cdx.json")
        use(first, Path(folder, "empty"), bill)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for file in (*first, bill):
            shutil.copy(file, out)
    (out / "NOTES.md").write_text(notes + "\n")
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(out.iterdir())
    ]
    (out / "SHA256SUMS").write_text("".join(sums))
    print("".join(sums), end="")


def build_all(folder: Path) -> list[Path]:
    """The sdist, and from it the wheel for every platform and those with kernels."""
    source, dist = folder / "source", folder / "dist"
    source.mkdir(parents=True)
    when = git("log", "-1", "--format=%ct")
    subprocess.run(["tar", "-x", "-C", source], input=git_archive(), check=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": when}
    environment.pop("GANGLION_KERNELS", None)
    build = (sys.executable, "-m", "build", "--outdir", str(dist))
    run(*build, "--sdist", str(source), quiet=True, environment=environment)
    (sdist,) = dist.glob("*.tar.gz")
    repack(sdist, int(when))
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    run("tar", "-x", "-f", str(sdist), "-C", str(folder))
    run(*build, "--wheel", str(unpacked), quiet=True, environment=environment)
    for tag, compiler in platforms().items():
        kernels = {"GANGLION_KERNELS": tag, "CXX": compiler}
        run(*build, "--wheel", str(unpacked), quiet=True, environment=environment | kernels)
    return sorted(dist.iterdir())


def platforms() -> dict[str, str]:
    """The platforms that wheels with kernels can be built for here, each with its compiler."""
    machine = os.uname().machine
    if sys.platform != "linux":
        return {re.sub(r"[-.]", "_", sysconfig.get_platform()): "c++"}
    found = {f"{PLATFORM}_{machine}": "c++"}
    cross = CROSS.get(machine, "")
    if shutil.which(cross):
        found[f"{PLATFORM}_{cross.partition('-')[0]}"] = cross
    else:
        print(f"no wheel for the other kind of machine: there is no {cross or 'cross compiler'}")
    return found


def repack(sdist: Path, when: int) -> None:
    """Leave out of an sdist who built it when, which setuptools writes into it."""
    with tarfile.open(sdist) as archive:
        members = [(member, archive.extractfile(member)) for member in archive.getmembers()]
        held = {member.name: (member, file.read() if file else b"") for member, file in members}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for _, (member, content) in sorted(held.items()):
            fresh = tarfile.TarInfo(member.name)
            fresh.type, fresh.size, fresh.mtime = member.type, len(content), when
            fresh.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            archive.addfile(fresh, io.BytesIO(content))
    sdist.write_bytes(gzip.compress(data.getvalue(), mtime=when))


def check_contents(archive: Path, version: str) -> None:
    """Fail unless an archive holds all sources, the licence and true metadata, and a wheel nothing else."""
    stem = f"ganglion_mlx-{version}"
    if archive.suffix != ".whl":
        names = real_files(archive)
        expect_sources(archive, names, prefix=f"{stem}/src/ganglion")
        if missing := {f"{stem}/LICENSE", f"{stem}/README.md", f"{stem}/setup.py"} - names:
            sys.exit(f"{archive.name} lacks {', '.join(sorted(missing))}")
        return
    with zipfile.ZipFile(archive) as wheel:
        names, told = (
            set(wheel.namelist()),
            email.message_from_bytes(wheel.read(f"{stem}.dist-info/METADATA")),
        )
    expect_sources(archive, names, prefix="ganglion")
    said = (told["Name"], told["Version"], told["License-Expression"], told["License-File"])
    if said != (expected := ("ganglion-mlx", version, "Apache-2.0", "LICENSE")):
        sys.exit(f"{archive.name} says {said}: expected {expected}")
    if f"{stem}.dist-info/licenses/LICENSE" not in names:
        sys.exit(f"{archive.name} has no licence file")
    foreign = [name for name in names if not name.startswith(("ganglion/", f"{stem}.dist-info/"))]
    foreign += [name for name in names if "__pycache__" in name or "node_modules" in name]
    if foreign:
        sys.exit(f"{archive.name} also holds {', '.join(sorted(foreign)[:5])}")
    pure, kernels = archive.stem.endswith("-any"), [name for name in names if name.endswith(".so")]
    if pure == bool(kernels):
        sys.exit(f"{archive.name} holds {len(kernels)} kernels")
    if PLATFORM in archive.name:
        audit = subprocess.run(
            [sys.executable, "-m", "auditwheel", "show", str(archive)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if archive.stem.rpartition("-")[2] not in audit.stdout:
            sys.exit(f"{archive.name} needs more than its platform has:\n{audit.stdout}{audit.stderr}")


def use(archives: list[Path], home: Path, bill: Path) -> None:
    """Install the wheel for this machine in an empty environment, compute, and list what is there."""
    machine = os.uname().machine
    (wheel,) = (archive for archive in archives if archive.stem.endswith(f"_{machine}"))
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    run(str(python), "-m", "pip", "install", "-q", f"{wheel}[cpu]")
    run(str(python), "-c", IMPORT_EVERYTHING, cwd=home)
    alone = {"HOME": str(home), "PATH": str(home / "bin")}
    run(str(python), "-c", RUN_KERNELS, cwd=home, environment=alone)
    run(str(python), "-m", "pip", "uninstall", "-q", "-y", "pip", "setuptools")  # no part of it
    options = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library", "--output-reproducible")
    run(sys.executable, "-m", "cyclonedx_py", "environment", *options, "-o", str(bill), str(python))
    bill.write_text(completed(bill.read_text(), wheel.name.split("-")[1]))


def completed(bill: str, version: str) -> str:
    """A bill of materials with what no Python package tells: our version, and what the editor's page has."""
    found = json.loads(bill)
    found["metadata"]["component"]["version"] = version
    packages = json.loads((ROOT / LOCK).read_text())["packages"]
    for place, package in packages.items():
        if place and not package.get("dev"):
            name, given = place.removeprefix("node_modules/"), package["version"]
            reference = f"pkg:npm/{name}@{given}"
            licences = [{"license": {"id": package["license"]}}]
            component = {"type": "library", "name": name, "version": given, "licenses": licences}
            found["components"].append({"bom-ref": reference, "purl": reference, **component})
    return json.dumps(found, indent=2) + "\n"


def git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def git_archive() -> bytes:
    return subprocess.check_output(["git", "archive", "--format=tar", "HEAD"], cwd=ROOT)


if __name__ == "__main__":
    main()
