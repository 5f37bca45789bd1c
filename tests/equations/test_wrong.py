"""Wrong equations are refused where the class is made, with the name and the column at fault."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import ganglion as gl

GOOD: dict[str, Any] = {
    "parameters": {
        "w": gl.synapse(0.1, 1.0),
        "g": gl.neuron(0.5),
        "gap": gl.electrical(0.5),
        "a": gl.sensor(1.0),
        "o": gl.motor(1.0),
    },
    "synapse": {"i": "w * tanh(v_pre)"},
    "electrical": {"c": "gap * (v_pre - v)"},
    "let": {"r": "tanh(v)"},
    "dynamics": "dv/dt = -g * v + i + c",
    "inputs": "a * x",
    "outputs": "o * v",
}


def made(**changed: Any) -> Any:
    words = {key: value for key, value in {**GOOD, **changed}.items() if value is not None}
    return type("Wrong", (gl.EquationCell,), words)


def test_the_good_one_is_good() -> None:
    assert made().model.states == ("v",)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a word": (
        {"dynamics": "dv/dt = -g * v + j"},
        "Wrong.dynamics, column 18: there is no 'j' here; there are c, g, i",
    ),
    "a near word": ({"dynamics": "dv/dt = -gg * v"}, "column 10: there is no 'gg' here; .* did you mean 'g'"),
    "a function": (
        {"synapse": {"i": "w * tanhh(v_pre)"}},
        r"synapse\['i'\], column 5: there is no function 'tanhh'; .*did you mean 'tanh'",
    ),
    "an attribute": (
        {"synapse": {"i": "w * v_pre.real"}},
        r"synapse\['i'\], column 5: 'v_pre.real' cannot stand in an equation",
    ),
    "a call of a call": ({"synapse": {"i": "w * (lambda: 1)()"}}, "there is no function"),
    "an import": ({"synapse": {"i": "__import__('os').system('true')"}}, "there is no function"),
    "a text": ({"synapse": {"i": "w * 'v'"}}, "'v' is no real number"),
    "a truth": ({"synapse": {"i": "w * True"}}, "True is no real number"),
    "an imaginary": ({"synapse": {"i": "w * 1j"}}, "1j is no real number"),
    "an infinity": ({"synapse": {"i": "w * 1e999"}}, "too large"),
    "a syntax": ({"synapse": {"i": "w * (v_pre"}}, r"synapse\['i'\], column 5: '\(' was never closed"),
    "nothing": ({"synapse": {"i": "  "}}, "there is no expression"),
    "two lines": ({"synapse": {"i": "w\n * vv_pre"}}, "column 6: there is no 'vv_pre'"),
    "a comparison": ({"let": {"r": "v < 1"}}, r"let\['r'\], column 1: a comparison stands in where"),
    "where": ({"let": {"r": "where(v, 1, 2)"}}, r"expected where\(a < b, yes, no\)"),
    "equal": ({"let": {"r": "where(v == 1, 1, 2)"}}, "expected one of < <= > >="),
    "arguments": ({"let": {"r": "tanh(v, v)"}}, "tanh takes 1 arguments, got 2"),
    "named arguments": ({"let": {"r": "tanh(x=v)"}}, "tanh takes its arguments by place"),
    "a function as a name": ({"let": {"r": "tanh + v"}}, r"tanh is a function: expected tanh\(...\)"),
    "a power": ({"let": {"r": "v ** 0.5"}}, "column 6: a power is a whole number from -8 to 8"),
    "a huge power": ({"let": {"r": "v ** 99999999"}}, "a power is a whole number from -8 to 8"),
    "a division": ({"let": {"r": "v / (1 - 1)"}}, "column 6: a division by 0"),
    "a huge product": ({"let": {"r": "v * 1e30 * 1e30"}}, "column 1: .* has a number that is too large"),
    "a huge quotient": ({"let": {"r": "v / 1e-40"}}, "column 1: 'v / 1e-40' has a number that is too large"),
    "a huge number's power": ({"let": {"r": "1e30 ** 8 + v"}}, "column 1: .* has a number that is too large"),
    "an inverse of 0": ({"let": {"r": "v + 0 ** -1"}}, "column 5: a division by 0"),
    "an operator": ({"let": {"r": "v % 2"}}, r"expected \+ - \* / or \*\*"),
    "length": ({"let": {"r": "v" + " + v" * 2000}}, "has 8001 characters"),
    "depth": ({"let": {"r": "-" * 3000 + "v"}}, "let"),
    "a circle": ({"let": {"r": "q", "q": "r"}}, "these equations are of each other: r -> q -> r"),
    "a circle through synapses": (
        {"synapse": {"i": "w * r_pre"}, "sensory": {"i": "w * x"}, "let": {"r": "i"}},
        "these equations are of each other: i -> r -> i",
    ),
    "both sides": (
        {"synapse": {"i": "w * tanh(v_pre * v)"}},
        r"synapse\['i'\], column 1: a function of both sides",
    ),
    "a synapse at a neuron": (
        {"dynamics": "dv/dt = -w * v"},
        "column 10: 'w' is of every synapse, which is not known here: sum",
    ),
    "a source at a neuron": ({"dynamics": "dv/dt = -v_pre"}, "v_pre is known at a synapse alone"),
    "a neuron at a sensor": (
        {"inputs": "g * x"},
        "column 1: 'g' is of every neuron, which is not known here",
    ),
    "a sample at a neuron": (
        {"dynamics": "dv/dt = x"},
        "x is what a sensor shows: expected in inputs or sensory",
    ),
    "a state that sensors lack": (
        {"synapse": {"i": "w * r_pre"}},
        r"a sensor has no 'r': say in sensory = \{...\}",
    ),
    "a state at a sensor": ({"sensory": {"i": "w * v_pre"}}, r"sensory\['i'\], column 5: a sensor shows x"),
    "sensory alone": ({"sensory": {"j": "w * x"}}, "there is no 'j' in synapse: expected one of i"),
    "the span": ({"dynamics": "dv/dt = -v * timespan"}, "timespan is for updates"),
    "outputs of sums": ({"outputs": "o * i"}, "not of sums over synapses"),
    "no equals sign": ({"dynamics": "-v"}, "'-v' is no equation: expected dv/dt = "),
    "another left side": ({"dynamics": "v' = -v"}, '"v\'" stands on the left: expected dv/dt = '),
    "an update for dynamics": (
        {"dynamics": None, "update": "dv/dt = -v"},
        "'dv/dt' stands on the left: expected v = ",
    ),
    "a mass of 0": ({"dynamics": "0 * dv/dt = -v"}, "column 1: 0 times a derivative"),
    "a wrong mass": ({"dynamics": "q * dv/dt = -v"}, "column 1: there is no 'q'"),
    "a sum for a mass": (
        {"dynamics": "1 + g * dv/dt = -v"},
        "'1 \\+ g \\* dv/dt' stands on the left: expected dv/dt = ..., or m",
    ),
    "a sum behind a mass": ({"dynamics": "-g - g*g * dv/dt = -v"}, "stands on the left: expected dv/dt"),
    "a power for a mass": ({"dynamics": "2 ** dv/dt = -v"}, "Wrong.dynamics, column"),
    "two of a state": ({"dynamics": ["dv/dt = -v", "dv/dt = v"]}, "'v' is declared in dynamics already"),
    "the second": (
        {"dynamics": ["dv/dt = -v", "du/dt = q"]},
        r"Wrong.dynamics\[1\], column 9: there is no 'q'",
    ),
    "neither": ({"dynamics": None}, "Wrong has neither dynamics nor update"),
    "both": ({"update": "v = v"}, "Wrong has both dynamics and update"),
    "a solver": ({"solver": "magic"}, "Wrong.solver: unknown solver 'magic'"),
    "unfolds": ({"unfolds": 0}, "Wrong.unfolds: unfolds must be 1 or more, got 0"),
    "noise of nothing": (
        {"noise": {"u": "0.1"}},
        "Wrong.noise: there is no state 'u': expected one of v",
    ),
    "noise of a synapse": ({"noise": {"v": "w"}}, r"noise\['v'\], column 1: 'w' is of every synapse"),
    "no mapping of noise": ({"noise": "0.1"}, r"Wrong.noise: expected \{'g'"),
    "a reset": ({"reset": "v = 0"}, "Wrong.reset: equations have no reset; they have parameters, synapse"),
    "a text that nothing reads": (
        {"sensori": {"i": "w * x"}},
        "Wrong.sensori is read by nothing: expected one of .*, or _sensori for .*; did you mean 'sensory'",
    ),
    "a start that nothing reads": ({"initial": {"v": 0.3}}, "Wrong.initial is read by nothing"),
    "a list that nothing reads": ({"dynamic": ["dv/dt = -v"]}, "did you mean 'dynamics'"),
    "a method's name": ({"reference": "Hodgkin"}, "Wrong.reference is read by nothing"),
    "a name of MLX": ({"state": {"v": 0.3}}, "Wrong.state is read by nothing"),
    "a quantity outside": (
        {"tau": gl.neuron(1.0)},
        r"Wrong.tau .*: a quantity stands in parameters = \{...\}",
    ),
    "an option": (
        {"positive": "softplus"},
        r"Wrong.positive: equations have no positive, .*: Wrong\(circuit, positive='softplus'\)",
    ),
    "an option's number": ({"time_scale": 0.001}, r"Wrong\(circuit, time_scale=0.001\)"),
    "a limit of 0": ({"clip": 0}, "Wrong.clip: clip must be finite and above 0, got 0"),
    "no function": ({"functions": {"f": 1.0}}, "Wrong.functions: 'f' is 1.0: expected a function of arrays"),
    "functions as a text": ({"functions": "gelu"}, "Wrong.functions: expected {'f': a function of arrays}"),
    "a function that is there": ({"functions": {"tanh": abs}}, "'tanh', as a function of equations"),
    "a function of its own for a name": (
        {"functions": {"f": abs}, "let": {"r": "f + v"}},
        r"let\['r'\], column 1: f is a function: expected f\(...\)",
    ),
    "an own function of nothing": (
        {"functions": {"f": abs}, "let": {"r": "f()"}},
        "column 1: f is of nothing",
    ),
    "an unknown function beside one": (
        {"functions": {"fold": abs}, "let": {"r": "folt(v)"}},
        "there is no function 'folt'; .*did you mean 'fold'",
    ),
    "a name twice, of a function": (
        {"functions": {"q": abs}, "let": {"q": "v"}},
        "'q' is declared in functions already",
    ),
    "no mapping": ({"synapse": "w * v_pre"}, r"Wrong.synapse: expected \{'g'"),
    "no text": ({"synapse": {"i": 1.0}}, "expected an equation as text, got 1.0"),
    "no texts": ({"dynamics": []}, r"expected an equation as text, or several of them, got \[\]"),
    "no quantity": ({"parameters": {"w": 1.0}}, r"'w' is 1.0: expected gl.synapse\(...\)"),
    "a name of a cell": (
        {"parameters": {**GOOD["parameters"], "step": gl.neuron(1.0)}},
        "'step' is what every cell has",
    ),
    "a name of Python": (
        {"parameters": {**GOOD["parameters"], "lambda": gl.neuron(1.0)}},
        "'lambda', a word of Python",
    ),
    "a name of functions": (
        {"parameters": {**GOOD["parameters"], "exp": gl.neuron(1.0)}},
        "'exp', as a function",
    ),
    "a name with a sign": (
        {"parameters": {**GOOD["parameters"], "a-b": gl.neuron(1.0)}},
        "expected letters, digits and",
    ),
    "a name twice": ({"let": {"g": "v"}}, "'g' is declared in parameters already"),
    "a twin's name": (
        {"parameters": {**GOOD["parameters"], "sensory_w": gl.neuron(1.0)}},
        "two of 'sensory_w'",
    ),
    "a reserved name": (
        {"let": {"timespan": "v"}},
        "'timespan' is the time span of the sample: choose another",
    ),
    "a source's name": ({"let": {"v_pre": "v"}}, "'v_pre' would be what the source of a synapse has"),
    "no inputs": ({"inputs": None}, "'a' is of every sensor, and there is no inputs = "),
    "no outputs": ({"outputs": None}, "'o' is of every motor, and there is no outputs = "),
    "sharpness": ({"let": {"r": "spike(v, v)"}}, "the sharpness of a spike's slope is a positive number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_class_is_refused(name: str) -> None:
    changed, told = WRONG[name]
    with pytest.raises(ValueError, match=told) as caught:
        made(**changed)
    assert str(caught.value).startswith(
        ("Wrong", "a quantity of Wrong", "what Wrong", "these equations", "an entry of Wrong")
    )


def test_constants_of_ones_own_and_names_of_a_base_are_there_to_be_set() -> None:
    class Base(made()):  # type: ignore[misc]
        _names = ("a", "b")
        times = 3

    class Own(Base):
        times = (1, 2)
        lasting = (1,)

        def helper(self) -> str:
            return "a method"

    assert (Own._names, Own.times, Own.model.states) == (("a", "b"), (1, 2), ("v",))


@pytest.mark.parametrize("mass", ["(1 + g)", "-g", "g / 2", "g * 2", "g**2"])
def test_a_mass_is_a_factor_of_the_derivative(mass: str) -> None:
    assert made(dynamics=f"{mass} * dv/dt = -v").model.continuous


def test_columns_are_where_they_are() -> None:
    """The column leads to the name, whatever stands before it."""
    for before in ("", "  ", "2.5 * ", "(v + 1) * ", "tanh(v)\n + "):
        with pytest.raises(ValueError, match="there is no 'nowhere'") as caught:
            made(let={"r": f"{before}nowhere"})
        assert int(re.search(r"column (\d+)", str(caught.value))[1]) == len(before) + 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: gl.synapse("weight"), "unknown start 'weight'"),
        (lambda: gl.neuron("polarity"), "a gl.neuron starts at numbers, got 'polarity'"),  # type: ignore[arg-type]
        (lambda: gl.synapse(1.0, 0.5), "the upper end is below the lower one"),
        (lambda: gl.synapse(np.nan), "must be finite, got nan"),
        (lambda: gl.neuron(-1.0, 1.0, positive=True), "must be finite and 0.0 or more, got -1.0"),
        (lambda: gl.synapse("polarity", 2.0), "has no upper end, got 2.0"),
        (lambda: gl.synapse(1.0, sign="plus"), "unknown sign 'plus'"),
        (lambda: gl.synapse(1.0, positive=1), "positive must be True or False"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_quantity_is_refused(make: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        make()


def test_wrong_options_are_refused() -> None:
    circuit = gl.auto_ncp(11, 2, inputs=3)
    updated = made(dynamics=None, update="v = i + c")
    for kind, options, told in (
        (made(), {"solver": "midpoint"}, "unknown solver 'midpoint': expected"),
        (made(), {"ode_unfolds": 1.5}, "ode_unfolds must be a whole number"),
        (updated, {"ode_unfolds": 2}, "a Wrong is updated once per sample: it has no ode_unfolds"),
        (made(), {"equations": "0"}, "the equations of Wrong are others now"),
        (gl.EquationCell, {}, "an EquationCell has no equations"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            kind(circuit, **options)


def test_what_cannot_be_cut_says_so() -> None:
    cell = made(synapse={"i": "exp(w) * v_pre"})(gl.auto_ncp(11, 2, inputs=3))
    with pytest.raises(TypeError, match="bring something where all their quantities are 0"):
        cell.conducting_parameters("recurrent")
