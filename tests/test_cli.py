"""The command line: it explains itself, and a mistake costs one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ganglion as gl
from ganglion import cli


def ganglion(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh interpreter, after the statements in ``before``."""
    code = f"{before}\nimport sys\nfrom ganglion.cli import main\nsys.exit(main({list(arguments)!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def one_sentence(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["demo", "--help"])
    text = capsys.readouterr().out
    for option in ("--cell", "--epochs", "--seed", "--seeds", "--out"):
        assert option in text


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_leads_to_the_demo(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if arguments:
        with pytest.raises(SystemExit, match="0"):
            cli.main(arguments)
    else:
        assert cli.main(arguments) == 0
    assert "ganglion demo" in capsys.readouterr().out


def test_python_m_ganglion_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ganglion", "--version"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0
    assert ran.stdout.startswith("ganglion ")


def test_help_loads_no_array_library() -> None:
    loaded = "print([m for m in ('mlx', 'numpy', 'rich') if m in sys.modules])"
    ran = ganglion(before=f"import atexit, sys; atexit.register(lambda: {loaded})")
    assert ran.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dance"], "dance"),
        (["demo", "--epochs", "0"], "'0' is not a whole number of 1 or more"),
        (["demo", "--epochs", "ten"], "'ten'"),
        (["demo", "--seed", "-1"], "'-1' is not a whole number of 0 or more"),
        (["demo", "--seeds", "0"], "'0'"),
        (["demo", "--cell", "gru"], "gru"),
        (["demo", "--speed", "9"], "--speed"),
    ],
)
def test_a_wrong_argument_costs_one_sentence(arguments: list[str], named: str) -> None:
    assert named in one_sentence(ganglion(*arguments))


@pytest.mark.parametrize(("module", "extra"), [("sklearn", "demo"), ("mlx", "cpu")])
def test_a_missing_package_names_its_extra(module: str, extra: str, tmp_path: Path) -> None:
    message = one_sentence(
        ganglion("demo", "--out", str(tmp_path), before=f"import sys; sys.modules[{module!r}] = None")
    )
    assert f"ganglion-mlx[{extra}]" in message


def test_an_impossible_folder_is_refused_before_any_training(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert str(occupied) in one_sentence(ganglion("demo", "--out", str(occupied)))


def test_an_interrupt_in_a_destructor_is_not_lost() -> None:
    """Python prints such an exception and goes on."""
    before = """if True:
        import time
        from ganglion import demo

        class Short:
            def __del__(self):
                raise KeyboardInterrupt

        def run(**_):
            Short()
            time.sleep(60)

        demo.run = run
    """
    ran = ganglion("demo", before=before)
    assert ran.returncode == 130
    assert ran.stderr == "ganglion demo: interrupted\n"


def test_an_alarm_of_the_caller_is_his() -> None:
    before = """if True:
        import signal, time
        from ganglion import demo

        signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        demo.run = lambda **_: time.sleep(0.3)
    """
    ran = ganglion("demo", before=before)
    assert (ran.returncode, ran.stdout) == (0, "alarm\n")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("trian c.json", "'train'"),
        ("show c.json --qqqqqq", ""),
        ("train c.json d.csv --target y --out r --windw 3", "'--window'"),
        ("train c.json d.csv --target y --out r --missing imput", "'impute'"),
    ],
)
def test_what_was_meant_is_said(line: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(line.split())
    told = capsys.readouterr().err
    assert (f"did you mean {meant}?" in told) if meant else ("did you mean" not in told)


def test_names_and_options_are_suggested() -> None:
    with pytest.raises(AttributeError, match="ganglion has no 'auto_npc'; did you mean 'auto_ncp'"):
        gl.auto_npc  # noqa: B018
    with pytest.raises(TypeError, match="has no option 'unfolds'; did you mean 'ode_unfolds'"):
        gl.LTC(gl.auto_ncp(8, 1, inputs=2), unfolds=3)  # type: ignore[call-overload]
    assert not hasattr(gl, "__nothing__")
