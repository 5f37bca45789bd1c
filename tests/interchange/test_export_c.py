"""Exported C files: they compile without a warning and compute what the Python network computes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl
from ganglion.errors import KernelError

from ..support.exported import BACKWARDS, NETWORKS, samples

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
CIRCUIT = gl.auto_ncp(20, 3, inputs=4, seed=2)


def compiled(*arguments: object) -> None:
    """Compile as strictly as a user may."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    command = [compiler, *STRICT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def program_of(source: Path, *options: str) -> Path:
    """The program that a file is by itself."""
    program = source.with_suffix("")
    compiled("-std=c99", "-O1", f"-D{source.stem}_MAIN", *options, source, "-o", program, "-lm")
    return program


def run(program: Path, text: str | bytes) -> subprocess.CompletedProcess[str]:
    given = text.encode() if isinstance(text, str) else text
    ran = subprocess.run([str(program)], input=given, capture_output=True, check=False)
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def table(x: np.ndarray, spans: np.ndarray | None = None) -> str:
    rows = x if spans is None else np.column_stack([x, spans])
    return "".join(",".join(map(repr, map(float, row))) + "\n" for row in rows)


def numbers(text: str) -> np.ndarray:
    return np.array([[float(cell) for cell in line.split(",")] for line in text.splitlines()])


DRIVER = """
static int run_NAME(FILE *in, FILE *out) {
    static NAME_state state;
    static NAME_number inputs[NAME_inputs], outputs[NAME_outputs];
    float sample[NAME_inputs + 1];
    NAME_reset(&state);
    for (int step = 0; step < STEPS; step++) {
        if (fread(sample, sizeof sample, 1, in) != 1) return 1;
        for (int i = 0; i < NAME_inputs; i++) inputs[i] = sample[i];
        NAME_step(&state, inputs, sample[NAME_inputs], outputs);
        for (int j = 0; j < NAME_outputs; j++) {
            const float output = (float)outputs[j];
            if (fwrite(&output, sizeof output, 1, out) != 1) return 1;
        }
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each network what its C gives and what it gives, all linked into one program under sanitizers."""
    folder = tmp_path_factory.mktemp("everything")
    driver = ["#include <stdio.h>", *(f'#include "{name}.h"' for name in NETWORKS)]
    expected, given = {}, b""
    for name, make in NETWORKS.items():
        mx.random.seed(
            0
        )  # with some weights, a full recurrence is so close to chaos that rounding errors grow
        network = make()
        gl.export_c(network, folder / f"{name}.c")
        x, spans = samples(name, network)
        driver.append(DRIVER.replace("NAME", name).replace("STEPS", str(len(x))))
        given += np.column_stack([x, spans]).astype(np.float32).tobytes()
        network.eval()
        expected[name] = np.array(network(mx.array(x), timespans=mx.array(spans))[0])
    driver.append("int main(void) {")
    driver += [f"    if (run_{name}(stdin, stdout)) return 1;" for name in NETWORKS]
    driver.append("    return 0;\n}\n")
    (folder / "driver.c").write_text("\n".join(driver))
    sources = [folder / "driver.c", *(folder / f"{name}.c" for name in NETWORKS)]
    for source in sources[1:]:
        shutil.copy(source, source.with_suffix(".cpp"))
    sanitized = "-fsanitize=address,undefined", "-fno-sanitize-recover=all"
    compiled("-std=c99", "-O0", *sanitized, *sources, "-o", folder / "driver", "-lm")
    # As C++, all in one unit: no name of one file is one of another.
    unit = folder / "unit.cpp"
    unit.write_text("".join(f'#include "{name}.cpp"\n' for name in NETWORKS))
    compiled("-x", "c++", "-fsyntax-only", unit)
    ran = subprocess.run([folder / "driver"], input=given, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    sizes = [expected[name].size for name in NETWORKS]
    parts = np.split(np.frombuffer(ran.stdout, np.float32), np.cumsum(sizes)[:-1])
    return {
        name: (part.reshape(expected[name].shape), expected[name])
        for name, part in zip(NETWORKS, parts, strict=True)
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_the_steps_agree(name: str, everything: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    found, expected = everything[name]
    assert expected.std(axis=0).max() > 3e-4  # so that something is compared
    assert np.abs(found - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", BACKWARDS)
def test_what_reads_backwards_is_refused(name: str, tmp_path: Path) -> None:
    make, message = BACKWARDS[name]
    with pytest.raises(ValueError, match=message):
        gl.export_c(make(), tmp_path / "net.c")
    assert not list(tmp_path.iterdir())


def test_missing_values_are_empty_cells(tmp_path: Path) -> None:
    rnn = gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(8, 2, inputs=6, seed=1))))
    gl.export_c(rnn, tmp_path / "net.c")
    found = run(program_of(tmp_path / "net.c"), "1,\n,2\nnan,NA\n,\n")
    x = np.array([[1, np.nan], [np.nan, 2], [np.nan, np.nan], [np.nan, np.nan]], np.float32)
    assert np.abs(numbers(found.stdout) - np.array(rnn(mx.array(x))[0])).max() < 1e-5


def test_a_perturbed_network_is_exported_as_it_is(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    with gl.silenced(rnn, "command_0", to=0.3):
        gl.export_c(rnn, tmp_path / "net.c")
        expected = np.array(rnn(mx.array(X))[0])
    found = run(program_of(tmp_path / "net.c"), table(X))
    assert np.abs(numbers(found.stdout) - expected).max() < 1e-5
    assert np.abs(expected - np.array(rnn(mx.array(X))[0])).max() > 1e-3


# The program


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A network and its program."""
    mx.random.seed(0)
    rnn, path = gl.CfC(CIRCUIT), tmp_path_factory.mktemp("policy") / "policy.c"
    gl.export_c(rnn, path)
    return rnn, program_of(path, "-fsanitize=address,undefined")


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A network in units of the data, whose values float32 could not tell apart, and its program."""
    mx.random.seed(0)
    network = gl.Scaled(
        gl.CfC(CIRCUIT), ["seconds", "inflow", 'a "b"?', "d"], ["x", "y", "z"],
        mean=[1.6e9, 3.0, 0.0, -1.0], spread=[5.0, 0.5, 1.0, 2.0], offset=[1e9, 2.0, 0.0],
        scale=[0.5, 1.0, 3.0], time_unit=0.02,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("scaled") / "scaled.c"
    gl.export_c(network, path)
    return network, program_of(path, "-fsanitize=address,undefined")


X = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)


@pytest.mark.parametrize(
    "text",
    [
        table(X),
        "inflow,b,c,d\n" + table(X),
        "infinity,nancy,1e,-\n" + table(X),
        "\ufeffa,b,c,d\r\n" + table(X).replace("\n", "\r\n"),
        "\ufeff" + table(X).rstrip(),
        "\n \n" + table(X).replace("\n", "\n\n").replace(",", " ,\t"),
        "a,b,c,d,dt\n" + table(X, np.ones(5)),
    ],
)
def test_tables_as_people_write_them(policy: tuple[Any, Path], text: str) -> None:
    rnn, program = policy
    found = run(program, text)
    assert (found.returncode, found.stderr) == (0, "")
    assert np.abs(numbers(found.stdout) - np.array(rnn(mx.array(X))[0])).max() < 1e-5


GOOD = "1,2,3,4\n"
NUMBER = "1" * 300
BAD: dict[str, tuple[str | bytes, str]] = {
    "three numbers": (GOOD + "1,2,3\n", "line 2: 3 numbers, expected 4, or a time span more"),
    "six numbers": (GOOD + "1,2,3,4,5,6\n", "line 2: 6 numbers, expected 4, or a time span more"),
    "a word": (GOOD + "1,2,x,4\n", "line 2, column 3: 'x' is no number"),
    "a comma at the end": (GOOD + "1,2,3,4,\n", "line 2, column 5: '' is no time span"),
    "two commas at the end": ("1,2,3,4,1,\n", "line 1: 6 numbers"),
    "an empty cell": ("1,,3,4\n", "line 1, column 2: '' is missing, and the network needs every number"),
    "nan": ("1,nan,3,4\n", "line 1, column 2: 'nan' is missing"),
    "infinity": (GOOD + "inf,2,3,4\n", "line 2, column 1: 'inf' is no number"),
    "minus infinity": ("1,-inf,3,4\n", "line 1, column 2: '-inf' is no number"),
    "too large": ("1,1e39,3,4\n", "line 1, column 2: '1e39' is beyond the largest number"),
    "far too large": ("1,-1e999,3,4\n", "line 1, column 2: '-1e999' is beyond the largest number"),
    "a date": ("1,2026-11-28,3,4\n", "line 1, column 2: '2026-11-28' is no number"),
    "three in one": ("1-2-3,1,2,3\n", "line 1, column 2: '1' is a number beside names"),
    "three in one, later": (GOOD + "1-2-3,1,2,3\n", "line 2, column 1: '1-2-3' is no number"),
    "a name beside numbers": ("x,1,2,3\n", "line 1, column 2: '1' is a number beside names"),
    "a number beside names": ("a,b,c,4\n", "line 1, column 4: '4' is a number beside names"),
    "names behind a number": ("1,b,c,d\n", "line 1, column 2: 'b' is no number"),
    "a header of three": ("a,b,c\n" + GOOD, "line 1: 3 names, expected 4"),
    "a header of six": ("a,b,c,d,e,f\n" + GOOD, "line 1: 6 names, expected 4"),
    "two headers": ("a,b,c,d\na,b,c,d\n" + GOOD, "line 2, column 1: 'a' is no number"),
    "a header between": (GOOD + "a,b,c,d\n", "line 2, column 1: 'a' is no number"),
    "a header alone": ("a,b,c,d\n", "no samples on standard input"),
    "nothing": ("", "no samples on standard input"),
    "blank lines": ("\n\n\n", "no samples on standard input"),
    "a mark alone": ("\ufeff", "no samples on standard input"),
    "semicolons": ("1;2;3;4\n", "line 1: 1 names, expected 4"),
    "spaces": ("1 2 3 4\n", "line 1: 1 names, expected 4"),
    "tabs": (GOOD + "1\t2\t3\t4\n", "line 2, column 1: '1?2?3?4' is no number"),
    "hexadecimal": ("1,0x10,3,4\n", "line 1, column 2: '0x10' is no number"),
    "a decimal comma": ("1,5,2,5,3,5,4,5\n", "line 1: 8 numbers, expected 4"),
    "thousands": (GOOD + "1'000,2,3,4\n", "line 2, column 1: '1'000' is no number"),
    "a quoted number": ('"1",2,3,4\n', "line 1, column 2: '2' is a number beside names"),
    "a minus of typographers": ("1,\u22122,3,4\n", "line 1, column 2: '\u22122' is no number"),
    "two signs": ("1,--2,3,4\n", "line 1, column 2: '--2' is no number"),
    "an exponent without digits": ("1,2e,3,4\n", "line 1, column 2: '2e' is no number"),
    "a comment": ("# of today\n" + GOOD, "line 1: 1 names, expected 4"),
    "a zero byte": (b"1,2\x003,3,4\n", "line 1: a zero byte: expected text"),
    "sixteen bits": ("1,2,3,4\n".encode("utf-16"), "line 1: a zero byte: expected text"),
    "a carriage return inside": ("1,2\r3,3,4\n", "line 1, column 2: '2?3' is no number"),
    "what moves a terminal": (GOOD + "\x1b[2J,2,3,4\n", "line 2, column 1: '?[2J' is no number"),
    "lines of an old Mac": ("1,2,3,4\r1,2,3,4\r", "line 1, column 4: '4?1' is no number"),
    "a compressed table": (b"\x1f\x8b\x08\x00abc\n", "line 1: a zero byte: expected text"),
    "an object": ('{"a":1}\n' + GOOD, "line 1: 1 names, expected 4"),
    "a number with its unit": (GOOD + "10 m,2,3,4\n", "line 2, column 1: '10 m' is no number"),
    "a point alone": (GOOD + ".,2,3,4\n", "line 2, column 1: '.' is no number"),
    "a dash for nothing": (GOOD + "-,2,3,4\n", "line 2, column 1: '-' is no number"),
    "null": (GOOD + "NULL,2,3,4\n", "line 2, column 1: 'NULL' is no number"),
    "digits of another script": (GOOD + "\uff11,2,3,4\n", "line 2, column 1: '\uff11' is no number"),
    "a space that does not break": (GOOD + "1\u00a0,2,3,4\n", "line 2, column 1: '1\u00a0' is no number"),
    "a mark inside": (GOOD + "\ufeff1,2,3,4\n", "line 2, column 1: '\ufeff1' is no number"),
    "a time span barely negative": ("1,2,3,4,-1e-300\n", "line 1, column 5: '-1e-300' is no time span"),
    "a zero byte at the end": (b"1,2,3,4\n\x00", "line 2: a zero byte: expected text"),
    "a long cell": (f"1,{NUMBER},3,4\n", "line 1: a cell is longer than any number"),
    "a line of a megabyte": ("1," * (1 << 19) + "1\n", "line 1: 524289 numbers, expected 4"),
    "a negative time span": ("1,2,3,4,1\n1,2,3,4,-1\n", "line 2, column 5: '-1' is no time span"),
    "a time span that is no number": ("1,2,3,4,nan\n", "line 1, column 5: 'nan' is no time span"),
    "an infinite time span": ("1,2,3,4,1e39\n", "line 1, column 5: '1e39' is no time span"),
    "a torn line": (GOOD + "1,2", "line 2: 2 numbers, expected 4"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_named(policy: tuple[Any, Path], name: str) -> None:
    text, message = BAD[name]
    found = run(policy[1], text)
    assert found.returncode == 2
    assert found.stderr.startswith(f"policy: {message}")
    assert found.stderr.count("\n") == 1
    assert len(found.stdout.splitlines()) < 2


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("< .", "standard input: Is a directory"),
        ("<&-", "standard input: Bad file descriptor"),
        ("> /dev/full", "standard output: No space left on device"),
        (">&-", "standard output: Bad file descriptor"),
        ("samples.csv", "samples.csv: expected no argument"),
    ],
)
def test_lost_input_and_output_are_told(policy: tuple[Any, Path], redirection: str, message: str) -> None:
    source = "" if "<" in redirection else "echo 1,2,3,4 |"
    found = subprocess.run(
        f"{source} {policy[1]} {redirection}", shell=True, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith(f"policy: {message}")


def test_an_output_that_is_not_finite_is_told(tmp_path: Path) -> None:
    gl.export_c(gl.RNN(gl.CTRNNCell(CIRCUIT, solver="explicit")), tmp_path / "n.c")
    found = run(program_of(tmp_path / "n.c"), "1,2,3,4,1e38\n")
    assert (found.returncode, found.stderr) == (2, "n: line 1: an output is not finite\n")


def test_a_stream_shows_every_output_at_once(policy: tuple[Any, Path]) -> None:
    with subprocess.Popen([policy[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(GOOD)
            process.stdin.flush()
            assert process.stdout.readline().count(",") == 2
        process.stdin.close()


def test_units_of_the_data(scaled: tuple[Any, Path]) -> None:
    network, program = scaled
    rng = np.random.default_rng(3)
    x = np.column_stack([1.6e9 + rng.normal(size=50) * 4, rng.normal(size=(50, 3))])
    spans = rng.uniform(0.01, 0.05, 50)
    found = run(program, table(x, spans))
    assert found.stderr == ""
    assert np.abs(numbers(found.stdout) - network.predict(x, spans)).max() < 1e-5
    found = run(program, 'seconds,inflow,a "b"?,d\n' + table(x))  # time_unit apart
    assert np.abs(numbers(found.stdout) - network.predict(x)).max() < 1e-5


def test_a_time_span_that_is_infinite_in_its_unit_is_refused(scaled: tuple[Any, Path]) -> None:
    for span, code in (("6.7e36", 0), ("6.9e36", 2), ("1e-300", 0)):
        found = run(scaled[1], f"1.6e9,2,3,4,{span}\n1.6e9,2,3,4\n")
        assert found.returncode == code
        assert ("is no time span: expected a finite number" in found.stderr) == (code == 2)


def test_other_columns_than_those_trained_on_are_refused(scaled: tuple[Any, Path]) -> None:
    found = run(scaled[1], 'inflow,seconds,a "b"?,d\n1,2,3,4\n')
    assert found.returncode == 2
    assert found.stderr == "scaled: line 1, column 1: 'inflow': expected 'seconds'\n"


def test_a_header_names_the_sensory_neurons_of_a_network_without_units(
    policy: tuple[Any, Path], tmp_path: Path
) -> None:
    """Names that somebody gave are the only ones; those of a generator must not stand in another's place."""
    circuit = gl.auto_ncp(4, 1, inputs=2, sparsity=0.2)
    circuit.rename({"sensory_0": "left", "sensory_1": "right"})
    gl.export_c(gl.CfC(circuit), tmp_path / "named.c")
    named = program_of(tmp_path / "named.c")
    assert run(named, "left,right,dt\n1,2,1\n").returncode == 0
    for header in ("right,left", "a,b"):
        found = run(named, f"{header}\n1,2\n")
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr == f"named: line 1, column 1: '{header.split(',')[0]}': expected 'left'\n"
    plain = [f"sensory_{k}" for k in range(4)]
    assert run(policy[1], f"{','.join(plain)}\n{GOOD}").returncode == 0
    found = run(policy[1], f"{','.join(plain[::-1])}\n{GOOD}")
    assert (found.returncode, found.stderr) == (
        2,
        "policy: line 1, column 1: 'sensory_3': expected 'sensory_0'\n",
    )
    circuit.rename({"left": 0, "right": " right"})  # a number in a header cannot be, nor a blank be read
    gl.export_c(gl.CfC(circuit), tmp_path / "numbered.c")
    numbered = program_of(tmp_path / "numbered.c")
    assert run(numbered, "a, right\n1,2\n").returncode == 0
    assert run(numbered, "a,b\n1,2\n").stderr == "numbered: line 1, column 2: 'b': expected 'right'\n"


# What is written


def test_the_header_tells_units_and_names(scaled: tuple[Any, Path]) -> None:
    text = scaled[1].with_suffix(".h").read_text()
    assert "typedef double scaled_number;" in text
    for line in ("inputs[0]: seconds", 'inputs[2]: a "b"_', "outputs[2]: z", "0.02 is the usual time span"):
        assert line in text
    assert "-lm" not in text


def test_the_header_names_neurons_where_there_are_no_units(tmp_path: Path) -> None:
    circuit = CIRCUIT.copy()
    circuit.rename({"sensory_1": "left eye", "motor_0": "wheel"})
    for network, outputs in (
        (gl.CfC(circuit, time_scale=0.25), ["outputs[0]: wheel", "outputs[1]: motor_1"]),
        (gl.CfC(circuit, proj_size=3), []),
    ):
        gl.export_c(network, tmp_path / "named.c")
        lines = [line[2:].strip() for line in (tmp_path / "named.h").read_text().splitlines()]
        assert lines[lines.index("inputs[0]: sensory_0") + 1] == "inputs[1]: left eye"
        assert [line for line in lines if line.startswith("outputs[")][:2] == outputs
        assert any(line.endswith(f"; {network.time_scale or 1:g} is the usual time span.") for line in lines)


def test_names_of_columns_do_not_end_a_string_or_comment(tmp_path: Path) -> None:
    names = ['NAME_state"', "INPUTS\n*/", "??/", "back\\"]
    network = gl.Scaled(gl.CfC(CIRCUIT), names, ["\u00e4", "%s", "@columns@"])
    gl.export_c(network, tmp_path / "odd.c")
    found = run(program_of(tmp_path / "odd.c"), GOOD)
    assert found.returncode == 0


def test_the_same_network_gives_the_same_files(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    rnn.train()
    before, cell = rnn.training, rnn.cell
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        gl.export_c(rnn, tmp_path / name / "net.c")
    for ending in (".c", ".h"):
        assert (tmp_path / "a" / f"net{ending}").read_text() == (tmp_path / "b" / f"net{ending}").read_text()
    assert (rnn.training, rnn.cell is cell) == (before, True)


def test_only_synapses_are_stored(tmp_path: Path) -> None:
    gl.export_c(gl.LTC(gl.random(200, inputs=4, outputs=2, sparsity=0.98, seed=1)), tmp_path / "net.c")
    assert (tmp_path / "net.c").stat().st_size < 150_000  # a dense matrix has 40,000 numbers


def test_names_and_numbers_are_checked(tmp_path: Path) -> None:
    rnn = gl.LTC(CIRCUIT)
    for name in ("my-net.c", "net.h", "2.c"):
        with pytest.raises(ValueError, match=rf"'{name}' begins the names"):
            gl.export_c(rnn, tmp_path / name)
    rnn.cell.w[0] = mx.nan
    with pytest.raises(ValueError, match=r"the parameter cell\.w is not finite"):
        gl.export_c(rnn, tmp_path / "net.c")
    with pytest.raises(TypeError, match="a network"):
        gl.export_c(nn.Linear(2, 2), tmp_path / "policy.c")
    with pytest.raises(ValueError, match="not built yet"):
        gl.export_c(gl.Stack([gl.NCPDense(3)]), tmp_path / "policy.c")
    with pytest.raises(KernelError, match="MLX operation"):
        gl.export_c(gl.Stack([gl.LTC(CIRCUIT), lambda x: mx.cumsum(x, axis=-1)]), tmp_path / "policy.c")
    assert not list(tmp_path.iterdir())


def test_a_class_whose_name_another_has_taken_is_exported_as_it_is(tmp_path: Path) -> None:
    """As in a notebook whose cell ran twice: an object of the first class has the equation of the first."""

    def twice(factor: float) -> type[gl.NCPRNNCell]:
        class Twice(gl.NCPRNNCell):
            def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
                return factor * x

        return Twice

    def of(kind: type[gl.NCPRNNCell]) -> gl.RNN:
        return gl.RNN(kind(gl.dense(3, 3)))

    first, second = twice(2.0), twice(3.0)
    for network, factor in ((of(first), 2.0), (of(second), 3.0), (gl.Stack([of(first), of(second)]), 6.0)):
        gl.export_c(network, tmp_path / "net.c")
        compiled("-Dnet_MAIN", tmp_path / "net.c", "-o", tmp_path / "net", "-lm")
        said = subprocess.run([tmp_path / "net"], input="1,2,4\n", capture_output=True, text=True, check=True)
        assert [float(word) for word in said.stdout.split(",")] == [factor, 2 * factor, 4 * factor]


def test_layers_of_different_time_scales_need_every_time_span(tmp_path: Path) -> None:
    inner = gl.auto_ncp(6, 2, inputs=gl.compile_circuit(CIRCUIT).plan.n_outputs, seed=1)
    stack = gl.Stack([gl.CfC(CIRCUIT, time_scale=2.0), gl.CfC(inner, time_scale=3.0)])
    gl.export_c(stack, tmp_path / "net.c")
    assert "different time scales" in (tmp_path / "net.h").read_text()
    program = program_of(tmp_path / "net.c")
    x, spans = np.random.default_rng(0).normal(size=(5, stack.input_size)), np.full(5, 1.5)
    told = run(program, table(x))
    assert told.returncode == 2
    assert "line 1 has no time span behind its numbers" in told.stderr
    said = numbers(run(program, table(x, spans)).stdout)
    expected = np.array(stack(mx.array(x, mx.float32), timespans=1.5)[0])
    np.testing.assert_allclose(said, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"expected fixed=\(samples, time spans\)"):
        gl.export_c(stack, tmp_path / "fixed.c", fixed=x)


def test_parts_of_a_time_span_do_not_cross_a_cell_that_acts_once_per_sample(tmp_path: Path) -> None:
    cell = gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(6, 2, inputs=6), max_step=0.1))
    with pytest.raises(gl.KernelError, match="a MissingValueCell acts once per sample, of which max_step"):
        gl.export_c(gl.RNN(cell), tmp_path / "net.c")
