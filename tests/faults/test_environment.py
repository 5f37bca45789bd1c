"""Commands in an environment that is not kind to them, where a Python of its own must start in it.

Each row is a process; what is expected are the exit code and a pattern of each stream. `table` has many more,
for which a fork will do.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ganglion as gl
from ganglion import cli, demo

GANGLION = f"{sys.executable} -m ganglion"
BEFORE = "import sys\nfrom ganglion import cli, demo\n"
"""For rows in which the command itself is replaced by one line that goes wrong."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    circuit = gl.auto_ncp(12, 2, inputs=3, seed=1)
    gl.write(circuit, folder / "good.json")
    circuit.rename({"inter_0": "\N{GREEK SMALL LETTER ALPHA}\x1b[31m\n[red]\ud800"})
    gl.write(circuit, folder / "names.json")
    return folder


def shell(command: str, place: Path, **environment: str) -> tuple[int, str, str]:
    """Run a line of bash; the code is that of the first command of a pipeline."""
    ran = subprocess.run(
        ["bash", "-c", command + "; exit ${PIPESTATUS[0]}"],
        cwd=place,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    return ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")


FULL = "ganglion: No space left on device\n"
CLOSED = "ganglion: standard output is closed\n"
SHELL: dict[str, tuple[str, dict[str, str], int, str, str]] = {
    "ascii": (
        "show good.json",
        {"PYTHONIOENCODING": "ascii"},
        0,
        r"\+-+\+\n\| role .*from row to column",
        "",
    ),
    "C": ("show good.json", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0, "motor_1", ""),
    "names": ("show names.json", {}, 0, "\N{GREEK SMALL LETTER ALPHA}\ufffd\\[31m\ufffd\\[red\\]", ""),
    "help at columns 1": ("--help", {"COLUMNS": "1"}, 0, "ganglion", ""),
    "closed pipe": ("show good.json | true", {}, 141, "", "^$"),
    "full, version": ("--version > /dev/full", {}, 2, "^$", f"^{FULL}$"),
    "full, unbuffered": ("--version > /dev/full", {"PYTHONUNBUFFERED": "1"}, 2, "^$", f"^{FULL}$"),
    "closed": ("show good.json >&-", {}, 2, "^$", f"^{CLOSED}$"),
    "both closed": ("show good.json >&- 2>&-", {}, 2, "^$", "^$"),
    "error full": ("show nothing.json 2> /dev/full", {}, 2, "^$", "^$"),
    "no home": (
        "cache",
        {"HOME": "/nonexistent", "XDG_CACHE_HOME": "", "GANGLION_CACHE": ""},
        0,
        "no kernels",
        "",
    ),
}


@pytest.mark.parametrize("row", SHELL)
def test_shells(row: str, place: Path) -> None:
    arguments, environment, code, out, err = SHELL[row]
    before = sorted(place.iterdir())
    found = shell(f"{GANGLION} {arguments}", place, **environment)
    assert found[0] == code, found
    assert re.search(out, found[1], re.DOTALL), found
    assert re.search(err, found[2]), found
    assert "Traceback" not in found[2]
    assert sorted(place.iterdir()) == before


def python(code: str, **options: object) -> subprocess.CompletedProcess[str]:
    program = f"{BEFORE}{code}\nsys.exit(cli.main(['demo']))"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False, **options
    )  # type: ignore[call-overload, no-any-return]


THROWN = {
    "KeyError": ("raise KeyError('x')", "a mistake inside Ganglion: KeyError: 'x'; the traceback is in "),
    "ValueError": (
        "raise ValueError('a\\nb')",
        "a mistake inside Ganglion: ValueError: a b; the traceback is in ",
    ),
    "long": ("raise RuntimeError('x' * 10**7)", "a mistake inside Ganglion: RuntimeError: xxx"),
    "recursion": (
        "def f(g): return g(g)\nf(f)",
        "a mistake inside Ganglion: RecursionError: maximum recursion depth",
    ),
    "memory": ("raise MemoryError", "there is not enough memory"),
    "great array": ("import numpy; numpy.zeros(2**50)", "there is not enough memory: "),
    "import": ("import nothing_of_ours", "a mistake inside Ganglion: ModuleNotFoundError"),
    "mlx": ("raise ImportError('x', name='mlx.core')", r'needs the package mlx.core.*"ganglion-mlx\[cpu\]"'),
    "kernel": ("raise __import__('ganglion').KernelError('no compiler')", "ganglion demo: no compiler$"),
    "layout": ("raise __import__('ganglion').LayoutError('no layout')", "ganglion demo: no layout$"),
    "os": ("raise OSError(5, 'Input/output error', 'disk')", "ganglion demo: disk: Input/output error$"),
    "os bytes": ("raise OSError(5, 'Input/output error', b'\\xff')", "Input/output error$"),
    "surrogates": ("raise FileNotFoundError(2, 'No such file', 'a\\udcffb')", r"No such file$"),
    "escapes": (
        "raise FileNotFoundError(2, 'No such file', '\\x1b[31m')",
        r"^ganglion demo: [^\x1b]*No such file$",
    ),
}


@pytest.mark.parametrize("row", THROWN)
def test_whatever_is_thrown(
    row: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, sentence = THROWN[row]

    def run(**_: object) -> None:
        exec(code)

    monkeypatch.setattr(demo, "run", run)
    assert cli.main(["demo"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert re.search(sentence, said.rstrip("\n")), said
    assert len(said) < 1000
    if (kept := re.search(r"traceback is in (\S+)$", said)) is not None:
        text = Path(kept[1]).read_text()
        Path(kept[1]).unlink()
        assert "Traceback (most recent call last)" in text


SLEEPING = "import time\ndef run(**_):\n    print('ready', flush=True)\n    time.sleep(60)\ndemo.run = run"
DROPPED = """
import time
class Short:
    def __del__(self):
        raise KeyboardInterrupt
def run(**_):
    Short()
    time.sleep(60)
demo.run = run
"""


def ignoring() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usual() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("before", [usual, ignoring])
def test_an_interrupt_in_a_destructor(before: object) -> None:
    """Also where SIGINT was ignored, as by runners of tests in the background."""
    ran = python(DROPPED, preexec_fn=before)
    assert (ran.returncode, ran.stderr) == (130, "ganglion demo: interrupted\n")


@pytest.mark.parametrize("before", [ignoring])
def test_an_interrupt_by_signal(before: object) -> None:
    program = f"{BEFORE}{SLEEPING}\nsys.exit(cli.main(['demo']))"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    ) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "ganglion demo: interrupted\n")


BUILDERS = {
    "missing": {"CXX": "/nowhere/c++"},
    "true": {"CXX": "/bin/true"},
    "threads long": {"GANGLION_NUM_THREADS": "9" * 5000},
}
NETWORK = """
import warnings, mlx.core as mx, numpy as np, ganglion as gl
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    rnn = gl.LTC(gl.auto_ncp(12, 2, inputs=3, seed=1), key=mx.random.key(1))
    found = np.array(rnn(mx.ones((40, 3, 3)))[0])
plain = gl.LTC(gl.auto_ncp(12, 2, inputs=3, seed=1), key=mx.random.key(1), engine="ops")
assert np.allclose(found, np.array(plain(mx.ones((40, 3, 3)))[0]), atol=1e-5)
print(len(told), *(str(each.message).split(":")[0] for each in told), sep="|")
try:
    gl.LTC(gl.auto_ncp(12, 2, inputs=3, seed=1), engine="fused")(mx.ones((40, 3, 3)))
except gl.KernelError:
    print("KernelError")
"""


@pytest.mark.parametrize("row", BUILDERS)
def test_without_kernels_operations_run_and_one_warning_says_why(row: str, tmp_path: Path) -> None:
    environment = {**os.environ, "GANGLION_CACHE": str(tmp_path), **BUILDERS[row]}
    ran = subprocess.run(
        [sys.executable, "-c", NETWORK], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "1|running plain operations instead of a fused kernel\nKernelError\n", ran.stderr


def test_a_command_that_is_killed_leaves_no_half_of_a_figure(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.svg"
    for wait in (0.3, 0.6, 0.9, 1.2):
        process = subprocess.Popen([*GANGLION.split(), "plot", "good.json", "-o", str(out)], cwd=place)
        time.sleep(wait)
        process.kill()
        process.wait()
        with contextlib.suppress(FileNotFoundError):
            assert out.read_bytes().endswith(b"</svg>\n")


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(ending: str, place: Path, tmp_path: Path) -> None:
    made = []
    for seed, day in (("1", "1000000000"), ("2", "1500000000")):
        out = tmp_path / f"f-{seed}.{ending}"
        environment = {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": day}
        assert shell(f"{GANGLION} plot good.json -o {out}", place, **environment)[0] == 0
        made.append(out.read_bytes())
    assert made[0] == made[1]
