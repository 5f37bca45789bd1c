"""The tests on the lowest versions that are promised and on the newest, each in an environment of its own.

    make matrix                               # lowest, and newest on every Python from the floor up
    make matrix ROWS="--quick lowest newest"  # what .ci/run does: the tests that know most about versions
    python tests/matrix.py lowest newest-3.13 -- tests/wiring

`lowest` is the floor of `requires-python` with every dependency at its lowest promised version; `newest-X.Y`
has the newest of everything on that Python, and deprecations are errors there; `newest` is that of the last
Python here. Pythons are those of this machine (PATH, pyenv, uv's own); missing ones are named. uv, from
PyPI, makes the environments, in `.matrix/`.

It also checks the promise itself: support follows SPEC 0 (https://scientific-python.org/specs/spec-0000/). An
environment with the newest Python, NumPy, SciPy, networkx and matplotlib of two years ago, and of three for
Python, must satisfy what `pyproject.toml` asks for; and the floor of Python still gets security fixes.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PLACE = HERE / ".matrix"
EXTRAS = "cpu,demo,dev"
SPEC0 = ("matplotlib", "networkx", "numpy", "scipy")
RELEASED = {
    "3.11": "2022-10-24",
    "3.12": "2023-10-02",
    "3.13": "2024-10-07",
    "3.14": "2025-10-07",
    "3.15": "2026-10-01",
}
"""When each Python came out; it gets fixes for five years, and SPEC 0 asks for three."""
QUICK = (
    "tests/cells/test_ties.py",
    "tests/cells/test_weight_files.py",
    "tests/compat",
    "tests/compile/test_large.py",
)
"""Where versions have made a difference, and what reads and writes."""
STRICT = [f"-Werror::{kind}" for kind in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")]


def run(*command: str | Path, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout, and end if it fails."""
    return subprocess.run([*map(str, command)], cwd=HERE, check=check, text=True, **options)  # type: ignore[call-overload, no-any-return]


def uv() -> Path:
    """uv, installed beside the environments."""
    tool = PLACE / "uv" / "bin" / "uv"
    if not tool.exists():
        PLACE.mkdir(exist_ok=True)
        run(sys.executable, "-m", "venv", PLACE / "uv")
        run(PLACE / "uv" / "bin" / "python", "-m", "pip", "install", "-q", "uv>=0.5")
    return tool


def project() -> dict[str, object]:
    """The table `project` of pyproject.toml."""
    return dict(tomllib.loads((HERE / "pyproject.toml").read_text())["project"])


def floor() -> str:
    """The lowest Python that is promised."""
    found = re.search(r">=\s*([\d.]+)", str(project()["requires-python"]))
    assert found is not None
    return found[1]


def pythons() -> dict[str, Path]:
    """A Python of each version from the floor up, by version; the machine's own come first."""
    names = sorted(RELEASED, key=lambda name: int(name.split(".")[1]))
    found = {}
    for name in names[names.index(floor()) :]:
        places = [
            *sorted(Path.home().glob(f".pyenv/versions/{name}.*/bin/python{name}")),
            Path(f"/usr/bin/python{name}"),
        ]
        there = [place for place in places if place.exists()]
        if not there:
            asked = run(
                uv(), "python", "find", "--no-python-downloads", name, check=False, capture_output=True
            )
            there = [Path(asked.stdout.strip())] if asked.returncode == 0 else []
        if there:
            found[name] = there[0]
    return found


def spec0(today: datetime.date) -> list[str]:
    """What of SPEC 0 the project does not keep; empty if it keeps all."""
    faults = []
    released = {name: datetime.date.fromisoformat(day) for name, day in RELEASED.items()}
    asked = [name for name, day in released.items() if (today - day).days <= 3 * 365.25]
    lowest = min(asked, key=lambda name: int(name.split(".")[1]))
    if int(floor().split(".")[1]) > int(lowest.split(".")[1]):
        faults.append(f"Python {lowest} is younger than three years, but the floor is {floor()}")
    if (today - released[floor()]).days > 5 * 365.25:
        faults.append(f"Python {floor()} gets no fixes any more: raise the floor")
    then = today - datetime.timedelta(days=731)
    wanted = [text for text in project()["dependencies"] if re.match(r"[\w-]+", text)[0] in SPEC0]  # type: ignore[attr-defined, index]
    asked_for = "\n".join(wanted)
    made = run(
        uv(),
        "pip",
        "compile",
        "-q",
        "--python-version",
        "3.12",
        "--exclude-newer",
        then.isoformat(),
        "-",
        input=asked_for,
        check=False,
        capture_output=True,
    )
    if made.returncode:
        faults.append(f"versions of {then} do not satisfy {', '.join(wanted)}: {made.stderr.strip()[-300:]}")
    return faults


def environment(row: str, python: Path) -> Path:
    """The Python of a row's environment, made or brought up to date."""
    place = PLACE / row
    if not (place / "bin" / "python").exists():
        run(uv(), "venv", "-q", "--python", python, place)
    how = ["--resolution", "lowest-direct"] if row == "lowest" else ["--upgrade"]
    run(uv(), "pip", "install", "-q", "--python", place / "bin" / "python", *how, "-e", f".[{EXTRAS}]")
    return place / "bin" / "python"


def main() -> None:
    """Run, report and exit."""
    before, _, tests = " ".join(sys.argv[1:]).partition("-- ")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help="lowest, newest, newest-3.13, ...; all if none is named")
    parser.add_argument("--quick", action="store_true", help="only tests that know most about versions")
    parser.add_argument("--ready", action="store_true", help="only make the environments")
    parser.add_argument("--list", action="store_true", help="only say what there is, and check SPEC 0")
    options = parser.parse_args(before.split())
    known = pythons()
    missing = [name for name in RELEASED if name not in known and int(name[2:]) >= int(floor()[2:])]
    rows = {"lowest": known[floor()], **{f"newest-{name}": path for name, path in known.items()}}
    named = [f"newest-{list(known)[-1]}" if row == "newest" else row for row in options.rows]
    if unknown := set(named) - set(rows):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    print(f"Pythons here: {', '.join(known)}; missing: {', '.join(missing) or 'none'}")
    faults = []
    if not (options.quick or options.ready):
        faults = spec0(datetime.date.today())
        print("\n".join(f"SPEC 0: {fault}" for fault in faults) or "SPEC 0: kept")
    if options.list:
        sys.exit(bool(faults))
    ended = {}
    for row in named or rows:
        python = environment(row, rows[row])
        if options.ready:
            continue
        strict = [] if row == "lowest" else STRICT
        print(f"== {row}", flush=True)
        done = run(
            python,
            *strict,
            "-m",
            "pytest",
            "-n",
            "2",
            *(tests.split() or (QUICK if options.quick else ["tests"])),
            check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        ended[row] = done.returncode
    for row, code in ended.items():
        print(f"{row}: {'green' if code == 0 else f'pytest ended with {code}'}")
    sys.exit(bool(faults) or any(ended.values()))


if __name__ == "__main__":
    main()
