"""Arguments that users give, checked in one place so that every message reads alike.

A value of the wrong kind is a `TypeError`, one out of range a `ValueError`; the message names the argument,
what it must be and what was given, cut to a length that can be read.
"""

from __future__ import annotations

import inspect
import math
import operator
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

from .errors import FileError

Given = TypeVar("Given")

LARGEST = 2**31 - 1
"""The largest size: kernels count in 32 bits."""
MOST_NEURONS, MOST_SYNAPSES = 2**20, 2**25
"""What a generated circuit may have: a graph of so many Python objects takes some 12 GB."""
MOST_UNFOLDS = 10_000
"""Steps of a solver inside one time step."""
LONGEST_PATH = 4096
"""Characters of a path; systems take no more."""


def label(value: Any, most: int = 200) -> str:
    """`repr(value)` for a message, whatever the value is, on one line and cut to `most` characters.

    Of an array that does not fit its library and shape, which say more than its first numbers.
    """
    try:
        text = repr(value)
    except Exception:  # a number of 5000 digits, or any error of a foreign class
        return f"<a {type(value).__name__} without text>"
    if "\n" in text:
        text = " ".join(text.split())
    if len(text) <= most:
        return text
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        library = type(value).__module__.partition(".")[0]
        told = {"mlx": "an MLX", "numpy": "a NumPy"}.get(library, f"a {library}")
        return f"{told} array of shape {tuple(shape)}"
    return f"{text[:most]}..."


def counted(number: int, thing: str) -> str:
    """ "1 synapse" or "2 synapses": how many there are of a thing, whose name is given in the singular."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def short(value: Any) -> str:
    """`label`, of what a file holds: never longer than a line."""
    return label(value, 80)


def whole(name: str, value: Any, least: int = 1, most: int = LARGEST) -> int:
    """The whole number `value`, from `least` to `most`, or an error that names the argument."""
    number: int | None = None
    if isinstance(value, Integral) or not hasattr(value, "shape"):  # arrays of one number are no numbers
        with suppress(TypeError):
            number = operator.index(value)
    if number is None or _is_bool(value):
        raise TypeError(f"{name} must be a whole number, got {label(value)}")
    if number < least:
        raise ValueError(f"{name} must be {least} or more, got {label(number)}")
    if number > most:
        raise ValueError(f"{name} must be {most} or less, got {label(number)}")
    return number


def seed_number(seed: Any) -> int:
    """The seed, or an error; one limit for both of NumPy's generators, so that seeds can be swapped."""
    number = whole("seed", seed, 0, 2**64)
    if number >= 2**32:
        raise ValueError(f"seed must be below 2**32, got {number}")
    return number


def real(name: str, value: Any, *, least: float = -math.inf, above: float = -math.inf) -> float:
    """The finite number `value`, `least` or more and above `above`, or an error that names the argument."""
    number = scalar(name, value)
    if not math.isfinite(number) or number < least or number <= above:
        limit = f"{least} or more" if least > above else f"above {above}"
        limit = "finite" if least == above else f"finite and {limit}"
        raise ValueError(f"{name} must be {limit}, got {label(value)}")
    return number


def fraction(name: str, value: Any, low: float = 0.0, high: float = 1.0, below: bool = False) -> float:
    """The number `value`, from low to high (or `below` high), or an error that names the argument."""
    number = scalar(name, value)
    inside = low <= number < high if below else low <= number <= high
    if math.isnan(number) or not inside:
        limit = f"from {low} to {'below ' if below else ''}{high}"
        raise ValueError(f"{name} must be {limit}, got {label(value)}")
    return number


def flag(name: str, value: Any) -> bool:
    """The boolean `value`; nothing else passes for one, as "no" and 0 would by being true or false."""
    if not _is_bool(value):
        raise TypeError(f"{name} must be True or False, got {label(value)}")
    return bool(value)


def text(name: str, value: Any) -> str:
    """The text `value`, or an error that names the argument."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, got {label(value)}")
    return value


def path(name: str, value: Any) -> Path:
    """The path of a file, or an error that names the argument."""
    given = value
    if isinstance(value, os.PathLike):
        value = value.__fspath__()
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a path, got {label(given)}")
    try:
        sound = b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:  # half a character
        sound = False
    if not sound:
        raise FileError(f"{name} is {label(value)}, which is no path of a file")
    if value.strip("/") == "":
        raise FileError(f"{name} is {label(value)}, which is no file")
    if len(value) > LONGEST_PATH:
        raise FileError(f"{name} has {len(value)} characters: {label(value, 60)}")
    return Path(value)


def at_home(name: str, value: Any) -> Path:
    """As `path`, where a path that begins with ~ lies in somebody's home."""
    return Path(os.path.expanduser(path(name, value)))  # Path's own raises RuntimeError for ~nobody


def several(name: str, value: Iterable[Any], of: str) -> list[Any]:
    """The items of `value`, or an error; a text is not taken for the list of its letters."""
    if not isinstance(value, str | bytes):
        try:
            return list(value)
        except (TypeError, IndexError):  # of an array without axes; the latter of older releases of MLX
            pass
    raise TypeError(f"{name} must be a list of {of}, got {label(value)}")


def function_of(name: str, value: Any, of: str, count: int = 1) -> Callable[..., Any]:
    """The function `value` of `count` arguments, which `of` says in words, or an error that names it."""
    if not callable(value):
        raise TypeError(f"{name} must be a function of {of}, got {label(value)}")
    try:
        inspect.signature(value).bind(*[None] * count)
    except TypeError as error:
        told = getattr(value, "__name__", label(value, 60))
        raise TypeError(f"{name} is called with {of}, as {told} cannot be: {error}") from None
    except ValueError:  # a function that does not say what it takes
        pass
    return value  # type: ignore[no-any-return]


def mapping_of(name: str, value: Any, of: str) -> Mapping[Any, Any]:
    """The mapping `value`, or an error; `of` says from what to what."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping of {of}, got {label(value)}")
    return value


def array_of(value: Any) -> Any:
    """`value` as an array of NumPy; None for what makes none, whose errors are long and name no argument."""
    import numpy as np  # here, because the commands import this module before they know whether they compute

    if type(value) is np.ndarray:  # as most calls have it; what follows takes longer than a short kernel
        return value
    try:
        with np.errstate(all="ignore"):
            return np.asarray(value.tolist() if "bfloat16" in str(getattr(value, "dtype", "")) else value)
    except Exception:  # rows of unequal lengths, and whatever a foreign class throws
        return None


def numbers(name: str, value: Any) -> Any:
    """The real numbers in an array or in lists, as an array of NumPy, or an error that names the argument."""
    array = array_of(value)
    if array is None or array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got {label(value)}")
    return array


def require_synapses(count: float) -> None:
    """Refuse a circuit that would fill the memory before it is drawn."""
    if count > MOST_SYNAPSES:
        raise ValueError(
            f"the circuit would have {count:.3g} synapses: expected at most {MOST_SYNAPSES}; take fewer "
            "neurons or a higher sparsity, or give arrays to gl.Plan.from_arrays"
        )


def one_of(name: str, value: Given, known: Collection[Any], error: type[ValueError] = ValueError) -> Given:
    """The option `value`, or an error that lists the known ones."""
    kinds = tuple({type(option) for option in known})
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} must be {_listed(known)}, got {label(value)}")
    if value not in known:
        raise error(f"unknown {name} {label(value)}: expected {_listed(known)}")
    return value


def instance(name: str, value: Given, kind: type | tuple[type, ...], expected: str) -> Given:
    """`value`, or an error if it is not of a kind; `expected` says in words which that is."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {expected}, got {label(value)}")
    return value


def _is_bool(value: Any) -> bool:
    kind = type(value)
    return kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"))


def scalar(name: str, value: Any) -> float:
    """The number `value`, infinite and NaN ones too, or an error that names the argument."""
    # One number in an array of MLX or NumPy will do: learning rates come so.
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {label(value)}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _listed(known: Collection[Any]) -> str:
    return f"one of {', '.join(map(str, known))}"


def refuse_masked(what: str, values: object) -> None:
    """Raise TypeError for a masked array of NumPy: what it hides would count.

    Raises:
        TypeError: something in it is masked.
    """
    hidden = getattr(values, "mask", None)
    if type(values).__name__ == "MaskedArray" and getattr(hidden, "any", bool)():
        raise TypeError(
            f"{what} is a NumPy masked array, of which MLX would take the hidden values, too: give its mask "
            "as mask=, or fill it with NaN and let a MissingValueCell read it"
        )
