"""Noise in exported C: the numbers are those of the network, for any seed, row and sample."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.equations.noise import normals
from ganglion.cells.threefry import threefry

from ..equations.test_noise import Alone, Noisy

CIRCUIT, STEPS = gl.auto_ncp(11, 2, inputs=3, seed=4), 2000
STRICT = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Werror", "-pedantic"]
COUNTS = 1 << 32
DRIVER = """
static NAME_state NAME_own;
void NAME_begin(void) { NAME_reset(&NAME_own); }
void NAME_run(int count, const NAME_number *x, const float *spans, NAME_number *y) {
    for (int t = 0; t < count; t++) NAME_step(&NAME_own, x + t * NAME_inputs, spans[t], y + t * NAME_outputs);
}
"""
CHOICES = """
void NAME_choose(uint32_t seed, uint32_t row, uint32_t samples, uint32_t quiet) {
    NAME_own.seed[0] = seed;
    NAME_own.row = row;
    NAME_own.samples = samples;
    NAME_own.quiet = quiet;
}
uint32_t NAME_bits(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return NAME_word(a, b, c, d); }
float NAME_drawn(uint32_t word) { return (float)NAME_normal(word); }
"""


class Tired(gl.EquationCell):
    """Noise beside states of synapses and delays."""

    parameters: ClassVar = {"w": gl.synapse("signed_glorot"), "s": gl.neuron(0.2, 0.5)}
    synapse: ClassVar = {"i": "w * (1 - d) * tanh(v_pre)"}
    synapse_states = "dd/dt = -d + (1 - d) * sigmoid(v_pre)"
    dynamics = "dv/dt = i - v"
    noise: ClassVar = {"v": "s"}
    unfolds = 2


def stack() -> gl.Stack:
    first = gl.RNN(Noisy(gl.auto_ncp(11, 4, inputs=3, seed=4), seed=1))
    second = gl.LTCCell(gl.auto_ncp(11, 4, inputs=4, seed=5))
    last = gl.MissingValueCell(Noisy(gl.auto_ncp(11, 2, inputs=12, seed=6), seed=COUNTS - 1))
    return gl.Stack([first, gl.RNN(second), gl.RNN(last)])


def row(state: Any) -> Any:
    """The first row of a state."""
    return tuple(map(row, state)) if isinstance(state, tuple) else state[0]


def data(steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (steps, 3)).astype(np.float32)
    return x, rng.choice([0.0, 0.3, 1.0], steps).astype(np.float32)


class Exported:
    """A network and its C."""

    def __init__(self, library: ctypes.CDLL, name: str, network: Any) -> None:
        self.network, self._library, self._name = network, library, name
        self.begin()

    def __getattr__(self, function: str) -> Any:
        return getattr(self._library, f"{self._name}_{function}")

    def run(self, x: np.ndarray, spans: np.ndarray) -> np.ndarray:
        y = np.zeros((len(x), 2), np.float32)
        given = [np.ascontiguousarray(a, np.float32) for a in (x, spans)]
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*given, y)]
        getattr(self._library, f"{self._name}_run")(len(x), *pointers)
        return y


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """All networks in one library, compiled as strictly as a user may."""
    folder = tmp_path_factory.mktemp("noise")
    mx.random.seed(1)
    x, spans = data(200)
    made = {
        "two": gl.RNN(Noisy(CIRCUIT, seed=7)),
        "fixed": gl.RNN(Noisy(CIRCUIT, seed=7)),
        "parted": gl.RNN(Noisy(CIRCUIT, seed=7, max_step=0.4)),
        "tired": gl.RNN(Tired(CIRCUIT, seed=1 << 31, delays=2)),
        "alone": gl.RNN(Alone(CIRCUIT)),
        "stacked": stack(),
        "none": gl.RNN(Noisy(CIRCUIT, seed=7)),
    }
    made["none"].update(made["two"].parameters())
    unit = []
    for name, network in made.items():
        options = {"fixed": {"fixed": (x, spans)}, "none": {"noise": False}}.get(name, {})
        gl.export_c(network, folder / f"{name}.c", **options)
        own = DRIVER + (CHOICES if network is not made["none"] else "")
        unit.append(f'#include "{name}.c"\n' + own.replace("NAME", name))
    (folder / "unit.c").write_text("".join(unit))
    command = [shutil.which("cc") or "gcc", *STRICT, "-fPIC", "-shared", "unit.c", "-o", "unit.so", "-lm"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    library = ctypes.CDLL(str(folder / "unit.so"))
    for name in made:
        if name != "none":
            arguments = [ctypes.c_uint32] * 4
            getattr(library, f"{name}_choose").argtypes = arguments
            getattr(library, f"{name}_bits").argtypes = arguments
            getattr(library, f"{name}_bits").restype = ctypes.c_uint32
            getattr(library, f"{name}_drawn").argtypes = [ctypes.c_uint32]
            getattr(library, f"{name}_drawn").restype = ctypes.c_float
    return {name: Exported(library, name, network) for name, network in made.items()}


def python(network: Any, x: np.ndarray, spans: np.ndarray, state: Any = None, rows: int = 1) -> np.ndarray:
    """(T, M) outputs of the last of some rows that are alike."""
    given = (mx.broadcast_to(mx.array(a), (rows, *a.shape)) for a in (x, spans))
    return np.array(network(next(given), state, next(given))[0])[-1]


@pytest.mark.parametrize("name", ["two", "fixed", "parted", "tired", "alone", "stacked"])
def test_numbers_are_those_of_the_network(name: str, exported: dict[str, Exported]) -> None:
    one, (x, spans) = exported[name], data()
    one.begin()
    expected = python(one.network, x, spans)
    assert expected.std() > 0.1
    assert np.abs(one.run(x, spans) - expected).max() < 1e-5


def test_words_are_those_of_threefry(exported: dict[str, Exported]) -> None:
    """The known answers of its authors, and any others; numbers are the same bits."""
    most, one = COUNTS - 1, exported["two"]
    assert one.bits(0, 0, 0, 0) == 0x6B200159
    assert one.bits(most, most, most, most) == 0x1CB996FC
    assert one.bits(0x13198A2E, 0x03707344, 0x243F6A88, 0x85A308D3) == 0xC4923A9C
    words = np.random.default_rng(2).integers(0, COUNTS, (4, 500), dtype=np.uint32)
    a, b, c, d = words
    found = np.array([one.bits(*map(int, each)) for each in words.T], np.uint32)
    np.testing.assert_array_equal(found, threefry((a, b), (c, d))[0])
    drawn = np.array([one.drawn(int(word)) for word in found], np.float32)
    np.testing.assert_array_equal(drawn, normals((a, b), (c, d)))


def test_seed_row_and_reset_are_chosen_at_run_time(exported: dict[str, Exported]) -> None:
    one, (x, spans) = exported["two"], data(30)
    one.begin()
    before = one.run(x, spans)
    one.begin()
    np.testing.assert_array_equal(one.run(x, spans), before)
    one.begin()
    one.choose(7, 3, 0, 0)
    assert np.abs(one.run(x, spans) - python(one.network, x, spans, rows=3)).max() < 1e-5
    one.begin()
    one.choose(8, 1, 0, 0)
    one.network.cell.seed = 8
    expected = python(one.network, x, spans)
    one.network.cell.seed = 7
    assert np.abs(one.run(x, spans) - expected).max() < 1e-5
    assert np.abs(expected - before).max() > 0.1


def test_an_episode_goes_on_with_the_noise(exported: dict[str, Exported]) -> None:
    one, (x, spans) = exported["two"], data(30)
    ends = np.arange(30) == 11
    expected = np.array(one.network(mx.array(x), timespans=mx.array(spans), ends=ends)[0])
    one.begin()
    first = one.run(x[:12], spans[:12])
    one.begin()
    one.choose(7, 1, 12, 0)
    found = np.concatenate([first, one.run(x[12:], spans[12:])])
    assert np.abs(found - expected).max() < 1e-5


def test_noise_is_switched_off(exported: dict[str, Exported]) -> None:
    """At run time it is what it is without, and later numbers are those that come then."""
    one, none, alone, (x, spans) = exported["two"], exported["none"], exported["alone"], data(30)
    one.begin()
    one.choose(7, 1, 0, 1)
    none.begin()
    quiet = one.run(x, spans)
    assert np.abs(quiet - none.run(x, spans)).max() < 1e-6
    assert np.abs(quiet).max() > 0
    alone.begin()
    alone.run(x[:4], spans[:4])
    alone.choose(0, 1, 4, 1)
    assert not alone.run(x[:3], spans[:3]).any()
    alone.choose(0, 1, 7, 0)
    assert np.abs(alone.run(x[7:], spans[7:]) - python(alone.network, x, spans)[7:]).max() < 1e-6


def test_counts_begin_again_where_words_end(exported: dict[str, Exported]) -> None:
    alone, (x, spans) = exported["alone"], data(5)
    *states, _ = alone.network.get_initial_state(batch_size=1)
    late = mx.array([[1, 0, 0, 0, 254, 255, 255, 255]], mx.float32)
    alone.begin()
    alone.choose(0, 1, COUNTS - 2, 0)
    expected = python(alone.network, x, spans, (*states, late))
    assert np.abs(alone.run(x, spans) - expected).max() < 1e-6


def test_the_noise_of_several_cells_is_normal(exported: dict[str, Exported]) -> None:
    alone, (x, spans) = exported["alone"], data()
    alone.begin()
    drawn = alone.run(x, spans)
    assert drawn.std() == pytest.approx(1, abs=0.04)
    assert abs(drawn.mean()) < 0.06
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.1
    assert abs((drawn[1:] * drawn[:-1]).mean()) < 0.06


def test_it_begins_where_a_state_ends_and_its_program_takes_seeds(tmp_path: Path) -> None:
    network, (x, spans) = stack(), data(12)
    whole, _ = network(mx.array(x)[None], timespans=mx.array(spans))
    _, state = network(mx.array(x[:5])[None], timespans=mx.array(spans[:5]))
    gl.export_c(network, tmp_path / "net.c", state=row(state))
    command = [shutil.which("cc") or "gcc", *STRICT, "-Dnet_MAIN", "net.c", "-o", "net", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    table = "".join(
        ",".join(map(repr, map(float, (*a, b)))) + "\n" for a, b in zip(x[5:], spans[5:], strict=True)
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(tmp_path / "net"), *words],
            input=table,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def outputs(*words: str) -> np.ndarray:
        return np.array(
            [[float(cell) for cell in line.split(",")] for line in run(*words).stdout.splitlines()]
        )

    assert np.abs(outputs() - np.array(whole)[0, 5:]).max() < 1e-5
    np.testing.assert_array_equal(outputs("1", str(COUNTS - 1)), outputs())
    assert np.abs(outputs("1", "2") - outputs()).max() > 1e-3
    for word in ("-1", "x", "1.5", "", str(COUNTS), "1 ", "99999999999999999999"):
        refused = run(word)
        assert refused.returncode == 2
        assert refused.stderr == f"net: {word}: expected a seed, a whole number from 0 to 4294967295\n"
    assert "expected at most 2 seeds" in run("1", "2", "3").stderr


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    network, one = stack(), gl.RNN(Noisy(CIRCUIT))
    with pytest.raises(TypeError, match="noise must be True or False, got 'no'"):
        gl.export_c(one, tmp_path / "net.c", noise="no")
    with pytest.raises(gl.KernelError, match="no noise is exported to ONNX: noise=False leaves it out"):
        gl.export_onnx(one, tmp_path / "net.onnx")
    gl.export_onnx(one, tmp_path / "net.onnx", noise=False)
    zeros = [mx.zeros(11), mx.zeros(11)]
    with pytest.raises(
        ValueError, match=r"shapes \(11,\), \(11,\), \(3,\): expected \(11,\), \(11,\), \(8,\)"
    ):
        gl.export_c(one, tmp_path / "net.c", state=(*zeros, mx.zeros(3)))
    first, second, last = row(network.get_initial_state(batch_size=1))
    later = mx.array([1, 0, 0, 0, 9, 0, 0, 0], mx.float32)
    with pytest.raises(ValueError, match="noise of other rows or samples in some cells than in others"):
        gl.export_c(network, tmp_path / "net.c", state=(first, second, (*last[:2], later, *last[3:])))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx"]
