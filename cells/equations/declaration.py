"""What the class of an equation cell declares: quantities with their homes, and equations as text."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...arguments import MOST_UNFOLDS, flag, label, one_of, real, whole
from ..parameters import (
    SIGNS,
    Parameter,
    Start,
    constant,
    from_polarity,
    glorot,
    signed_glorot,
    uniform,
)
from .parsing import EquationError, Text, sound_name, tree

SOLVERS = ("semi_implicit", "euler", "explicit", "exponential", "rk4")
"""Of which "explicit" is another name of Euler's, as other cells call it."""
STARTS: dict[str, tuple[Start, str]] = {
    "polarity": (from_polarity, "synapse"),
    "glorot": (glorot, "free"),
    "signed_glorot": (signed_glorot, "synapse"),
}
"""Starts by name, and what the sign of what begins so has to do with those of synapses."""


@dataclass(frozen=True)
class Quantity:
    """A quantity of an equation: what it lies on, where it starts, and what it has to keep."""

    home: str
    parameter: Parameter

    def parameters(self, name: str) -> dict[str, Parameter]:
        """The parameters of a cell that it is: one each for recurrent and sensory synapses, or one."""
        if self.home != "synapse":
            return {name: self.parameter}
        return {name: self.parameter, f"sensory_{name}": replace(self.parameter, home="sensory")}


def synapse(
    low: float | str,
    high: float | None = None,
    *,
    positive: bool = False,
    sign: str | None = None,
    strength: bool = False,
) -> Quantity:
    """A quantity of every chemical synapse: ``w`` (E,) on recurrent and ``sensory_w`` (S,) on sensory ones.

    Args:
        low, high: where it starts: uniform from low to high, at one number, or by a name: "polarity" (the
            signs of the synapses, which it keeps with ``polarity="fixed"``), "glorot" (uniform in
            +-sqrt(3 / k), k the synapses of a neuron on average, rounded up) or "signed_glorot" (the
            same, with the signs of the synapses).
        positive: whether it has to be at least 0.
        sign: what a negative value does: "positive" if it would turn its synapse round, "synapse" if it has
            the sign of the synapse, "free" if nothing; "positive" for positive ones if not given.
        strength: whether it says how strongly a synapse acts, so that a factor such as a count belongs to it.

    Raises:
        TypeError, ValueError: a start that is none, or a range that is negative where it has to be positive.

    Example:
        >>> parameters = {"w": gl.synapse(0.001, 1.0, positive=True, strength=True)}
    """
    return _quantity("synapse", low, high, positive, sign, strength)


def electrical(low: float, high: float | None = None, *, positive: bool = True) -> Quantity:
    """A quantity of every electrical synapse (L,), the same both ways; see `synapse`."""
    return _quantity("electrical", low, high, positive, None, True)


def neuron(low: float, high: float | None = None, *, positive: bool = False) -> Quantity:
    """A quantity of every neuron with state (N,); see `synapse`.

    Example:
        >>> parameters = {"gleak": gl.neuron(0.001, 1.0, positive=True), "vleak": gl.neuron(-0.2, 0.2)}
    """
    return _quantity("neuron", low, high, positive, None, False)


def sensor(low: float, high: float | None = None) -> Quantity:
    """A quantity of every sensor (I,), for `inputs`; see `synapse`."""
    return _quantity("sensor", low, high, False, None, False)


def motor(low: float, high: float | None = None) -> Quantity:
    """A quantity of every motor neuron (M,), for `outputs`; see `synapse`."""
    return _quantity("motor", low, high, False, None, False)


def _quantity(kind: str, low: Any, high: Any, positive: Any, sign: Any, strength: Any) -> Quantity:
    flag("positive", positive)
    flag("strength", strength)
    kept = "positive" if positive and kind in ("synapse", "electrical") else "free"
    if isinstance(low, str):
        if kind != "synapse":
            raise TypeError(f"a gl.{kind} starts at numbers, got {label(low)}")
        start, kept = STARTS[one_of("start", low, tuple(STARTS))]
        if high is not None:
            raise TypeError(f"gl.{kind}({low!r}) has no upper end, got {label(high)}")
    else:
        least = {"least": 0.0} if positive else {}
        real(f"the start of a gl.{kind}", low, **least)
        if high is None:
            start = constant(float(low))
        elif real(f"the upper end of a gl.{kind}", high) < low:
            raise ValueError(f"gl.{kind}({low}, {high}): the upper end is below the lower one")
        else:
            start = uniform(float(low), float(high))
    if sign is not None:
        kept = one_of("sign", sign, SIGNS)
    home = "recurrent" if kind == "synapse" else kind
    return Quantity(kind, Parameter(home, start, kept, non_negative=positive, strength=strength))


HOMES = ("synapse", "electrical", "neuron", "sensor", "motor")
MAPPINGS = ("synapse", "sensory", "electrical", "let", "noise")
TEXTS = ("inputs", "outputs")
LISTS = ("dynamics", "update", "synapse_states", "sensory_states")
WORDS = ("parameters", *MAPPINGS, *TEXTS, *LISTS, "functions", "units", "clip", "solver", "unfolds")
"""The attributes of a class that declare something."""


@dataclass(frozen=True)
class Declaration:
    """What a class says, as it stands there, once its form is right.

    Attributes:
        owner: the class.
        parameters: quantities by name.
        synapse, sensory, electrical: sums over the synapses onto a neuron, by name.
        let: names for parts of equations.
        noise: how strong the noise of states is, by state.
        dynamics, update: equations of states.
        synapse_states, sensory_states: those of states that each synapse has, of the same form.
        inputs, outputs: what sensors make of samples, and motor neurons of states.
        units: of quantities, states, sums and time, by name.
        functions: functions of arrays that equations do not have, by name.
        clip: the largest absolute value of a state; None for no limit.
        solver: how `dynamics` are solved.
        unfolds: solver steps per sample.
    """

    owner: str
    parameters: Mapping[str, Quantity] = field(default_factory=dict)
    synapse: Mapping[str, str] = field(default_factory=dict)
    sensory: Mapping[str, str] = field(default_factory=dict)
    electrical: Mapping[str, str] = field(default_factory=dict)
    let: Mapping[str, str] = field(default_factory=dict)
    noise: Mapping[str, str] = field(default_factory=dict)
    dynamics: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    synapse_states: tuple[str, ...] = ()
    sensory_states: tuple[str, ...] = ()
    inputs: str | None = None
    outputs: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    clip: float | None = None
    solver: str = "semi_implicit"
    unfolds: int = 6

    @classmethod
    def of(cls, owner: str, given: Mapping[str, Any]) -> Declaration:
        """The declaration of a class, from its attributes.

        Raises:
            EquationError: an attribute that has not the form it should have.
        """
        found: dict[str, Any] = {}
        for word, value in given.items():
            try:
                found[word] = _FORMS[word](f"{owner}.{word}", value)
            except EquationError:
                raise
            except (TypeError, ValueError) as error:
                raise EquationError(f"{owner}.{word}: {error}") from None
        return cls(owner, **found)

    def text(self, word: str, entry: str | int | None = None) -> Text:
        """One equation, and where it stands."""
        value: Any = getattr(self, word)
        if entry is None:
            return Text(f"{self.owner}.{word}", value, own=self.functions)
        if isinstance(value, tuple):
            where = f"{self.owner}.{word}" + (f"[{entry}]" if len(value) > 1 else "")
            return Text(where, value[int(entry)], own=self.functions)
        return Text(f"{self.owner}.{word}[{entry!r}]", value[entry], own=self.functions)

    @property
    def digest(self) -> str:
        """A text that is equal exactly where equations are, whatever their spaces and brackets."""
        state = hashlib.sha256()
        for word in (*MAPPINGS, *TEXTS, *LISTS):
            value = getattr(self, word)
            entries = value if isinstance(value, Mapping) else dict(enumerate(value or ()))
            if isinstance(value, str):
                entries = {0: value}
            for key, text in entries.items():
                left, equals, right = text.partition("=") if word in LISTS else ("", "", text)
                read = ast.unparse(tree(Text("", right)))
                state.update(repr((word, key, left.replace(" ", ""), equals, read)).encode())
        homes = {
            name: (quantity.home, quantity.parameter.sign, quantity.parameter.non_negative)
            for name, quantity in self.parameters.items()
        }
        state.update(repr((homes, self.solver)).encode())
        if self.functions or self.clip is not None:
            state.update(repr((sorted(self.functions), self.clip)).encode())
        return state.hexdigest()[:16]


def _quantities(where: str, given: Any) -> dict[str, Quantity]:
    if not isinstance(given, Mapping):
        raise TypeError(f"expected {{'w': gl.synapse(...), ...}}, got {label(given)}")
    found = {}
    for key, value in given.items():
        sound_name(f"a quantity of {where}", key)
        if not isinstance(value, Quantity):
            raise TypeError(
                f"{key!r} is {label(value, 60)}: expected {', '.join(f'gl.{home}(...)' for home in HOMES)}"
            )
        found[key] = value
    return found


def _named_texts(where: str, given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise TypeError(f"expected {{'g': 'w * v_pre', ...}}, got {label(given)}")
    return {sound_name(f"an entry of {where}", key): _text(where, text) for key, text in given.items()}


def _functions(where: str, given: Any) -> dict[str, Callable[..., Any]]:
    if not isinstance(given, Mapping):
        raise TypeError(f"expected {{'f': a function of arrays}}, got {label(given)}")
    for key, value in given.items():
        sound_name(f"an entry of {where}", key)
        if not callable(value) or isinstance(value, type):
            raise TypeError(f"{key!r} is {label(value, 60)}: expected a function of arrays of MLX")
    return dict(given)


def _units(_: str, given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping) or not all(isinstance(k, str) for k in (*given, *given.values())):
        raise TypeError(f"expected {{'v': 'mV', ...}}, got {label(given, 60)}")
    return dict(given)


def _text(where: str, given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"expected an equation as text, got {label(given, 60)}")
    return given


def _texts(where: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list | tuple) or not given:
        raise TypeError(f"expected an equation as text, or several of them, got {label(given, 60)}")
    return tuple(_text(where, text) for text in given)


def _any_texts(where: str, given: Any) -> tuple[str, ...]:
    """With none, a class has none of what it would have from its base."""
    return () if isinstance(given, list | tuple) and not given else _texts(where, given)


_FORMS: dict[str, Any] = {
    "parameters": _quantities,
    **dict.fromkeys(MAPPINGS, _named_texts),
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(("dynamics", "update"), _texts),
    **dict.fromkeys(("synapse_states", "sensory_states"), _any_texts),
    "functions": _functions,
    "units": _units,
    "clip": lambda _, given: None if given is None else real("clip", given, above=0),
    "solver": lambda _, given: one_of("solver", given, SOLVERS),
    "unfolds": lambda _, given: whole("unfolds", given, most=MOST_UNFOLDS),
}
