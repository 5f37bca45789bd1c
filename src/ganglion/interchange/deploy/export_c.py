"""Networks as C files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import flag
from ...arguments import numbers as as_numbers
from ...arguments import path as as_path
from ...cells import NCPLayer
from ...cells.equations.noise import BYTES
from ...cells.networks.resting import is_rest, rest
from ...cells.timing import parts_of
from ...cells.values import real_array
from ...storage import replace_files
from .c99 import c99_files
from .numbers import Fixed, Floats, fraction_for
from .program import Array, Program
from .simulated import largest_differences
from .trace import traced

MOST, MEASURED = 2000, 1000
"""Samples that are looked at for numbers in fixed point, and those over which their error is measured."""


def export_c(
    model: NCPLayer, path: str | Path, *, fixed: Any = None, state: Any = None, noise: bool = True
) -> Array | None:
    """Write a trained network as a C file and a header, without dependencies and without heap.

    The files have a state struct and two functions, ``<name>_reset`` and ``<name>_step``, where the name is
    that of the file and begins all names in it; the header says how to call them. Compiled with
    ``-D<name>_MAIN`` it is a program that reads samples as CSV from standard input, a time span behind each
    if there is one more number, and writes the outputs.
    Numbers are float32, and the files are C99 and C++.

    Args:
        model: a network that reads forwards: `LTC`, `CfC`, `RNN` over any cell, `Stack`, or `Scaled`, whose
            C is in the units of the data.
        path: where to write, such as ``policy.c``; the header lies beside it.
        fixed: (B, T, I) or (T, I) samples as they will come, or a pair of them and their time spans, for
            numbers in fixed point: 32 bits, of which as many are behind the point as leave room for twice
            what these samples lead to; beyond, numbers stop at the largest, and NaN counts as 0. Inputs and
            outputs stay floats. None for float32.
        state: where ``<name>_reset`` begins: a state of one row, as the network takes it, or "rest", the one
            at which it stays with inputs of 0, see `rest`; zeros if not given.
        noise: whether a cell from equations with noise keeps it. Its numbers are those of the network; the
            seed, the row and a switch stand in the state struct, and seeds are arguments of the program.

    Returns:
        In fixed point, (M,) how far each output is from that of float32 at most, in its unit, over the first
        1000 of these samples, one behind the other; the header says it, too. None for float32.

    Raises:
        TypeError: no network.
        ValueError: the network reads backwards or looks at several samples, is not built, or has a parameter
            that is not finite; the file's name is no C identifier with the ending ``.c``.
        KernelError: an operation that has no C here.
        OSError: a file cannot be written; those that were there stay.

    Example:
        >>> gl.export_c(rnn, "policy.c")
        >>> # cc -O2 -Dpolicy_MAIN policy.c -o policy -lm && ./policy < samples.csv
    """
    path = as_path("path", path)
    if not re.fullmatch(r"[A-Za-z_]\w*", path.stem, re.ASCII) or path.suffix != ".c":
        raise ValueError(
            f"{path.name!r} begins the names in the file: expected letters, digits and underscores, and "
            "the ending .c"
        )
    program = begun(traced(model, sparse=True, noise=flag("noise", noise)), model, state)
    if fixed is None:
        _write(path, c99_files(program, path.stem, Floats()))
        return None
    samples, spans = _looked_at(program, fixed)
    numbers = Fixed(fraction_for(program, samples, spans))
    samples, spans = samples[:MEASURED], spans[:MEASURED]
    differ = largest_differences(program, numbers, samples, spans)
    differ *= 1.0 if program.units is None else program.units.scale
    told = replace(numbers, samples=len(samples), differ=tuple(differ.tolist()))
    _write(path, c99_files(program, path.stem, told))
    return differ


def begun(program: Program, model: NCPLayer, state: Any) -> Program:
    """A program that begins at a state of one row, as `export_c` takes it."""
    if state is None:
        return program
    values = rest(model) if is_rest(state) else state
    given = [real_array("the state", part) for part in leaves_of(values)]
    shapes, leaves = [program.shapes[name] for name in program.states], program.noise.leaves
    for leaf in leaves:
        shapes.insert(leaf, (1, BYTES))
    if [(1, *part.shape) for part in given] != shapes:
        told = ", ".join(str(tuple(part.shape)) for part in given) or "nothing"
        expected = ", ".join(str(tuple(shape[1:])) for shape in shapes) or "nothing"
        raise ValueError(f"the state has shapes {told}: expected {expected}, those of one row")
    start = [np.array(part, np.float32)[None] for part in given]
    if not all(np.isfinite(part).all() for part in start):
        raise ValueError("the state has a number that is not finite: no program can begin there")
    noise = program.noise.begun([start[leaf] for leaf in leaves])
    kept = tuple(part for k, part in enumerate(start) if k not in leaves)
    return replace(program, start=kept, noise=noise)


def leaves_of(state: Any) -> list[Any]:
    """The arrays of a state, which may be tuples in tuples."""
    return [leaf for part in state for leaf in leaves_of(part)] if isinstance(state, tuple) else [state]


def _write(path: Path, files: dict[str, str]) -> None:
    replace_files({path.with_suffix(ending): text.encode() for ending, text in files.items()})


def _looked_at(program: Program, fixed: Any) -> tuple[Array, Array]:
    """(T, I) samples of a user and (T,) their time spans, in the units of the network."""
    x, spans = fixed if isinstance(fixed, tuple) and len(fixed) == 2 else (fixed, None)
    samples, n = as_numbers("fixed", x).astype(np.float64), program.n_inputs
    if samples.shape[-1:] != (n,) or samples.ndim not in (2, 3) or not samples.size:
        raise ValueError(f"fixed has shape {samples.shape}: expected samples (B, T, {n}) or (T, {n})")
    if program.missing and any(program.sample in node.inputs for node in program.nodes):
        raise ValueError(
            "a network with missing values has no fixed-point form, whose numbers cannot be missing: export "
            "it as floats"
        )
    if not np.isfinite(samples).all():
        raise ValueError("fixed has a sample that is not finite: numbers in fixed point cannot be missing")
    units, shape = program.units, samples.shape[:-1]
    unit = program.time_unit
    if spans is None and program.needs_timespans:
        raise ValueError("the layers have different time scales: expected fixed=(samples, time spans)")
    times = as_numbers("the time spans of fixed", unit if spans is None else spans).astype(np.float64) / unit
    if units is not None:
        samples = (samples - units.mean) / units.spread
    try:
        times = np.broadcast_to(times, shape)
    except ValueError:
        raise ValueError(f"the time spans of fixed have shape {times.shape}: expected {shape}") from None
    flat, spans = samples.reshape(-1, n)[:MOST].astype(np.float32), times.reshape(-1)[:MOST]
    if program.max_step is not None:  # each part is a step
        parts = parts_of(spans, program.max_step / unit)
        flat, spans = np.repeat(flat, parts, axis=0)[:MOST], np.repeat(spans / parts, parts)[:MOST]
    return flat, spans.astype(np.float32)
