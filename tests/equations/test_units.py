"""Units of quantities: read, and compared in the equations of a class."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import mlx.core as mx
import pytest

import ganglion as gl
from ganglion.cells.equations.units import ONE, unit_of

GOOD: dict[str, Any] = {
    "parameters": {
        "w": gl.synapse(0.1, 1.0),
        "slope": gl.synapse(0.1),
        "mu": gl.synapse(-40.0),
        "e": gl.synapse(0.0),
        "tau_s": gl.synapse(20.0),
        "gap": gl.electrical(0.5),
        "g": gl.neuron(0.5),
        "rest": gl.neuron(-65.0),
        "cm": gl.neuron(1.0),
        "a": gl.sensor(1.0),
        "o": gl.motor(1.0),
    },
    "let": {"far": "v - rest"},
    "synapse": {"i": "w * s * sigmoid(slope * (v_pre - mu)) * (e - v)"},
    "electrical": {"c": "gap * (v_pre - v)"},
    "synapse_states": "tau_s * ds/dt = -s + sigmoid(slope * (v_pre - mu))",
    "dynamics": [
        "cm * dv/dt = -g * far + i + c + 0",
        "1.5 * dq/dt = q - where(far < 0, q, 2 * q) - q**3 / (q * q)",
    ],
    "noise": {"v": "g * far / cm / sqrt(g / cm)"},
    "inputs": "a * x + a",
    "outputs": "o * v",
    "units": {
        "v": "mV",
        "rest": "mV",
        "mu": "mV",
        "e": "mV",
        "slope": "1/mV",
        "w": "nS",
        "gap": "nS",
        "g": "nS",
        "cm": "pF",
        "timespan": "ms",
        "tau_s": "ms",
        "s": "1",
        "i": "pA",
        "far": "mV",
        "a": "mV",
    },
}


def made(**changed: Any) -> Any:
    return type("Wrong", (gl.EquationCell,), {**GOOD, **changed})


def units(**changed: str) -> dict[str, dict[str, str]]:
    return {"units": {**GOOD["units"], **changed}}


def test_units_that_fit_are_taken() -> None:
    cell = made()(gl.auto_ncp(11, 2, inputs=3))
    assert gl.RNN(cell)(mx.zeros((1, 2, 3)))[0].shape == (1, 2, 2)
    assert made(units={}).model.declaration.digest == made().model.declaration.digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("V/ohm", "A"),
        ("nS*mV", "pA"),
        ("pF*mV/ms", "pA"),
        ("1/Hz", "s"),
        ("M", "mol/L"),
        ("uF/cm**2", "uF*cm**-2"),
        ("mV/ms**0.5", "mV*ms**-0.5"),
        ("J", "V*C"),
        ("min", "s*s/s*min/s"),
        ("kHz*ms", "1"),
    ],
)
def test_units_are_equal(one: str, other: str) -> None:
    assert unit_of(one).same(unit_of(other))


def test_units_are_printed() -> None:
    assert str(unit_of("nS*mV/ms") * unit_of("ms")) == "nS*mV"
    assert str(ONE / unit_of("ms") ** Fraction(1, 2)) == "1/ms**(1/2)"
    assert str(unit_of("cm**2")) == "cm**2"
    assert not unit_of("mV").same(unit_of("V"))


@pytest.mark.parametrize(
    "text",
    ["", "mv", "2", "mV + mV", "mV**x", "mV**9", "mV**0.3", "xV", "__import__('os')", "mV(", "as", "V.real"],
)
def test_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("is no unit: expected such as mV")):
        unit_of(text)
    with pytest.raises(ValueError, match=re.escape("Wrong.units['v']: ")):
        made(**units(v=text))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (units(rest="V"), "Wrong.let['far'], column 5: 'rest' is in V, and what stands beside it is in mV"),
        (units(far="V"), "Wrong.let['far'], column 1: this is in mV: 'far' is in V"),
        (units(i="nA"), "Wrong.synapse['i'], column 1: this is in nS*mV: 'i' is in nA"),
        (
            units(slope="1/V"),
            "synapse['i'], column 17: 'slope * (v_pre - mu)' is in mV/V: sigmoid is of a number",
        ),
        (
            units(slope="mV"),
            "column 17: 'slope * (v_pre - mu)' is in mV**2: sigmoid is of a number without any",
        ),
        (units(gap="uS"), "Wrong.dynamics[0], column 29: 'c' is in uS*mV, and what stands beside it is in"),
        (
            units(cm="nF"),
            "Wrong.dynamics[0], column 13: this is in nS*mV: what stands on the left is in mV*nF/ms",
        ),
        (
            units(tau_s="s"),
            "Wrong.synapse_states, column 16: this has no unit: what stands on the left is in s/ms",
        ),
        (units(timespan="s"), "what stands on the left is in mV*pF/s"),
        (
            units(q="mV") | {"dynamics": ["cm * dv/dt = -g * far", "dq/dt = q + 1"]},
            "column 13: '1' has no unit, and",
        ),
        (
            {"noise": {"v": "far"}},
            "Wrong.noise['v'], column 1: this is in mV: the noise of 'v' is in mV/ms**(1/2)",
        ),
        (units(a="V"), "Wrong.inputs, column 1: this is in V: what a sensor shows is in mV"),
        (units(x="V"), "'mu' is in mV, and what stands beside it is in V"),
        ({"let": {"far": "max(v - rest, g)"}}, "column 15: 'g' is in nS, and what stands beside it is in mV"),
        ({"let": {"far": "where(v < g, v, v)"}}, "column 11: 'g' is in nS"),
        ({"let": {"far": "v ** 2"}}, "this is in mV**2: 'far' is in mV"),
        ({"let": {"far": "sqrt(v * v) + exp(v)"}}, "column 19: 'v' is in mV: exp is of a number without any"),
        (units(speed="mV"), "Wrong.units: there is no 'speed': expected one of a, c, cm"),
        ({"units": ["mV"]}, "Wrong.units: expected {'v': 'mV', ...}, got"),
        ({"units": {"v": 1}}, "Wrong.units: expected {'v': 'mV', ...}, got"),
    ],
)
def test_units_that_do_not_fit_are_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        made(**changed)


def test_an_update_keeps_its_unit() -> None:
    words = {"parameters": {"tau": gl.neuron(1.0)}, "update": "v = v * exp(-timespan / tau)"}
    kind = type("Kept", (gl.EquationCell,), {**words, "units": {"tau": "ms", "timespan": "ms", "v": "mV"}})
    assert kind.model.states == ("v",)
    with pytest.raises(ValueError, match=r"column 13: '-timespan / tau' is in ms/s: exp is of a number"):
        type("Kept", (gl.EquationCell,), {**words, "units": {"tau": "s", "timespan": "ms"}})
