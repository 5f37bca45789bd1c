"""Exported C in fixed point: for boards that have no floats."""

from __future__ import annotations

import re
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.errors import KernelError

from ..support.exported import NETWORKS, samples
from .test_export_c import numbers, program_of, run, table

CIRCUIT = gl.auto_ncp(8, 2, inputs=2, seed=1)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ltc", 2e-5),
        ("cfc", 1e-5),
        ("ltc_memory", 1e-5),
        ("scaled_stack", 1e-4),
        ("ctrnn", 1e-5),
        ("ctgru", 2e-4),
    ],
)
def test_the_steps_agree(name: str, error: float, tmp_path: Path) -> None:
    mx.random.seed(0)
    network = NETWORKS[name]()
    x, spans = samples(name, network)
    told = gl.export_c(network, tmp_path / "net.c", fixed=(x, spans))
    text = (tmp_path / "net.c").read_text()
    assert "float" not in text.partition("net_step(")[2].partition("\n}\n")[0].replace(
        "net_float(", ""
    ).replace("float timespan", "")
    found = run(program_of(tmp_path / "net.c", "-fsanitize=address,undefined"), table(x, spans))
    assert found.stderr == ""
    expected = np.array(network(mx.array(x), timespans=mx.array(spans))[0])
    differ = np.abs(numbers(found.stdout) - expected).max(axis=0)
    assert differ.max() < error
    # What is said of the error was computed without the C, number by number as it does; kernels round, too.
    np.testing.assert_allclose(told, differ, rtol=0.2, atol=8e-7 * max(1.0, np.abs(expected).max()))


def test_the_header_says_how_exact_fixed_point_is(tmp_path: Path) -> None:
    network = gl.Scaled(
        gl.CfC(CIRCUIT, key=mx.random.key(1)), ["a", "b"], ["force", "torque"], scale=[10.0, 1000.0]
    )
    x = np.random.default_rng(0).normal(size=(50, 2))
    told = gl.export_c(network, tmp_path / "net.c", fixed=x)
    assert told is not None
    assert (told > 0).all()
    assert told[0] < 1e-4
    header = (tmp_path / "net.h").read_text()
    assert re.search(r"numbers of 32 bits, of which 2[789] are behind the point", header)
    assert "Over 50 samples, outputs differed from those of floats by at most:" in header
    assert f"//     outputs[0]: {told[0]:.1e}\n//     outputs[1]: {told[1]:.1e}\n" in header
    assert gl.export_c(network, tmp_path / "net.c") is None
    assert "32 bits" not in (tmp_path / "net.h").read_text()


def test_what_is_beyond_all_samples_stops_at_the_largest_number(tmp_path: Path) -> None:
    mx.random.seed(0)
    rnn = gl.CfC(CIRCUIT)
    gl.export_c(rnn, tmp_path / "net.c", fixed=np.ones((3, 2)))
    x = np.array([[1e30, -1e30], [3e5, 0.0], [0.0, 0.0]], np.float32)
    found = run(program_of(tmp_path / "net.c", "-fsanitize=address,undefined"), table(x))
    assert found.stderr == ""
    assert np.abs(numbers(found.stdout)).max() <= 1.0


@pytest.mark.parametrize(
    ("make", "fixed", "error", "message"),
    [
        (lambda: gl.CfC(CIRCUIT), np.ones((5, 3)), ValueError, r"fixed has shape \(5, 3\): expected samples"),
        (lambda: gl.CfC(CIRCUIT), [], ValueError, "fixed"),
        (lambda: gl.CfC(CIRCUIT), "many", TypeError, "fixed"),
        (lambda: gl.CfC(CIRCUIT), np.full((5, 2), np.nan), ValueError, "cannot be missing"),
        (lambda: gl.CfC(CIRCUIT), (np.ones((5, 2)), np.ones(4)), ValueError, r"fixed have shape \(4,\)"),
        (
            lambda: gl.CfC(gl.dense(2, 4), backbone_activation="gelu"),
            np.ones((5, 2)),
            KernelError,
            "the operation Erf has no fixed-point form: export it as floats",
        ),
        (
            lambda: gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(8, 2, inputs=6, seed=1)))),
            np.ones((5, 2)),
            ValueError,
            "a network with missing values has no fixed-point form",
        ),
    ],
)  # fmt: skip
def test_what_has_no_fixed_point_form_is_named(
    make: object, fixed: object, error: type, message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        gl.export_c(make(), tmp_path / "net.c", fixed=fixed)  # type: ignore[operator]
    assert not list(tmp_path.iterdir())
