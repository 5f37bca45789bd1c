"""A program as a C file and its header: what stands around the loops."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...cells.equations.noise import table
from ...cells.timing import EXACT, MOST_PARTS
from .loops import Loops
from .noise import Noise
from .numbers import Fixed, Floats, literal
from .operations import ELEMENTWISE
from .program import NOISE, Program, Units

FOLDER = Path(__file__).parent
COARSE = 1e-3
"""The largest step between two numbers of float32, in units of their spread, with which float32 will do."""
GENERATED = re.compile(r"sensory_\d+")
"""Names of sensory neurons that nobody chose, beside which a table may have names of its own."""
_FUNCTION = re.compile(
    r"(?:^//[^\n]*\n)*^static inline \w+ (\w+)\((?:[^\n]*}\n|.*?^}\n)", re.MULTILINE | re.DOTALL
)

NEEDED = {"math": ("INFINITY", "NAN"), "float": ("FLT_MAX",)}
"""What a body uses of the headers of C."""

SIGNATURE = (
    "void NAME_step(NAME_state *self, const NAME_number *inputs, float timespan, NAME_number *outputs)"
)
PARTED = f"""\
// A time span of more than MAX_STEP is equal parts of at most that, with the same inputs.
{SIGNATURE} {{
    const float ratio = timespan / MAX_STEP * {EXACT!r}f;
    int parts = ratio > 1.0f ? ratio < {MOST_PARTS}.0f ? (int)ratio : {MOST_PARTS} : 1;
    if ((float)parts < ratio && parts < {MOST_PARTS}) parts++;
    for (int p = 0; p < parts; p++) NAME_part(self, inputs, timespan / (float)parts, outputs);
}}"""
TOLD_OF_NOISE = """\
//
// Noise depends on a seed, the row of a batch, the sample and the neuron alone, as in Python: NAME_reset
// begins with the network's seed, the first row and the first sample. Behind it, these may be written:
//     state.seed[0] = 7;   // other noise
//     state.row = 2;       // that of the second row of a batch, and so on
//     state.quiet = 1;     // none; samples are counted on, so that 0 goes on with what comes then
// To begin an episode and go on with the noise, keep `samples` over NAME_reset. After COUNT samples, numbers
// come again.
"""
HEADER = """\
// NAME: a network exported by Ganglion.
//
//     NAME_state state;
//     NAME_reset(&state);
//     NAME_step(&state, inputs, timespan, outputs);   // once per sample
//
// A state is plain memory: copy it to go back to it. Nothing else is kept, and nothing is allocated.LIBRARY
//@units@
#ifndef NAME_H
#define NAME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef NUMBER NAME_number;

enum { NAME_inputs = INPUTS, NAME_outputs = OUTPUTS };

typedef struct {
STATE
} NAME_state;

// Begin anew, as before the first sample.
void NAME_reset(NAME_state *self);

// One time step: `inputs` come `timespan` after those of the step before; 0 or more.
SIGNATURE;

#ifdef __cplusplus
}
#endif

#endif
"""

SOURCE = """\
// NAME: a network exported by Ganglion; NAME.h says how to call it.
//
// Compiles as C99 and as C++.LIBRARY With -DNAME_MAIN it is a program that reads one sample per line
// from standard input: INPUTS numbers with commas between them and, if there is one more, the time since the
// sample before. It writes OUTPUTS numbers per line.
#include "NAME.h"

#include <string.h>
"""


def c99_files(program: Program, name: str, numbers: Floats | Fixed) -> dict[str, str]:
    """The C file and its header, by the endings of their names."""
    reads = {program.sample: "x", program.timespan: "span"}
    reads |= {state: f"state{k}" for k, state in enumerate(program.states)} | {NOISE: NOISE}
    loops = Loops(program, reads, numbers)
    printed = loops.print()
    step = Step(program, loops, numbers)
    begin = {f"NAME_start{k}": numbers.array(state) for k, state in enumerate(program.start) if state.size}
    library = any(ELEMENTWISE[node.op].library for node in program.nodes if node.op in ELEMENTWISE)
    includes = [
        f"#include <{h}.h>"
        for h, words in NEEDED.items()
        if any(w in step.text for w in words) or (h == "math" and library)
    ]
    source = [
        SOURCE.replace("LIBRARY", " Link it with -lm." if library else ""),
        *includes,
        "" if includes else None,
        functions(step.text, numbers),
        *(constant(table, values) for table, values in (printed.tables | step.tables | begin).items()),
        _reset(begin, program.noise),
        step.text,
        _main(program, step.wide),
    ]
    fields = [
        f"{numbers.kind} state{k}[{math.prod(program.shapes[state])}];"
        for k, state in enumerate(program.states)
        if math.prod(program.shapes[state])
    ]
    if program.noise:
        fields.append(f"uint32_t row, samples, quiet, seed[{len(program.noise.seeds)}];  // of the noise")
    fields += [f"{numbers.kind} work[{printed.work}];  // of a step alone"] if printed.work else []
    header = HEADER.replace("NUMBER", "double" if step.wide else "float")
    header = header.replace("SIGNATURE", SIGNATURE).replace(
        "STATE", "\n".join(f"    {line}" for line in fields or ["char none;"])
    )
    header = header.replace("LIBRARY", " Link with -lm." if library else "")
    words = {"INPUTS": str(program.n_inputs), "OUTPUTS": str(program.n_outputs), "NAME": name}
    texts = {".c": "\n".join(part for part in source if part is not None), ".h": header}
    for word, value in words.items():
        texts = {ending: text.replace(word, value) for ending, text in texts.items()}
    # What users have named comes last, so that nothing in it is replaced.
    told = (
        _told(program)
        + _told_of_noise(program.noise).replace("NAME", name)
        + (_told_of_fixed(numbers) if isinstance(numbers, Fixed) else "")
    )
    texts[".h"] = texts[".h"].replace("//@units@\n", told)
    columns = _columns(program)
    listed = ", ".join(f'"{"".join(_escaped(byte) for byte in name.encode())}"' for name in columns)
    only = int(not all(not name or GENERATED.fullmatch(name) for name in columns))
    texts[".c"] = texts[".c"].replace("@only@", str(only)).replace("@columns@", listed)
    return texts


class Step:
    """The step function.

    Attributes:
        text: the function.
        tables: the constants of the units around it.
        wide: whether its inputs and outputs are doubles.
    """

    def __init__(self, program: Program, loops: Loops, numbers: Floats | Fixed) -> None:
        self._program, self._loops, self._numbers = program, loops, numbers
        self.tables: dict[str, NDArray[Any]] = {}
        self.wide = program.units is not None and is_coarse(program.units)
        inner = loops.printed.lines
        used = "\n".join([*inner, *self._results()])
        lines = [
            f"{SIGNATURE} {{",
            *self._inputs(used),
            *self._noise(used),
            *(
                f"    const {numbers.kind} *const state{k} = self->state{k};"
                for k in range(len(program.states))
                if f"state{k}[" in "\n".join(inner)
            ),
            *(
                f"    {numbers.kind} *const {value} = self->work + {at};"
                for value, at in loops.printed.places.items()
            ),
            *inner,
            *self._results(),
            "}",
        ]
        if program.noise:
            lines.insert(-1, "    self->samples++;")
        if "self->" not in "\n".join(lines):
            lines.insert(1, "    (void)self;")
        self.text = "\n".join(lines)
        if program.max_step is not None:
            part = self.text.replace("void NAME_step", "static void NAME_part", 1)
            self.text = part + "\n\n" + PARTED.replace("MAX_STEP", literal(program.max_step))

    def _inputs(self, used: str) -> Iterator[str]:
        units, unit = self._program.units, self._program.time_unit
        if "span[" not in used:
            yield "    (void)timespan;"
        elif unit == 1.0:
            yield f"    const {self._numbers.kind} span[1] = {{{self._numbers.taken('timespan')}}};"
        else:
            span = self._numbers.taken(f"timespan / {literal(unit)}")
            yield f"    const {self._numbers.kind} span[1] = {{{span}}};"
        if "x[" not in used:
            yield "    (void)inputs;"
        elif units is None and isinstance(self._numbers, Floats):
            yield "    const float *const x = inputs;"
        else:
            taken = self._numbers.taken("inputs[i]" if units is None else self._scaled(units))
            yield f"    {self._numbers.kind} x[NAME_inputs];"
            yield f"    for (int i = 0; i < NAME_inputs; i++) x[i] = {taken};"

    def _noise(self, used: str) -> Iterator[str]:
        if "noise[" in used:
            words = [
                "row",
                "samples",
                "quiet",
                *(f"seed[{k}]" for k in range(len(self._program.noise.seeds))),
            ]
            yield f"    const uint32_t noise[] = {{{', '.join(f'self->{word}' for word in words)}}};"

    def _scaled(self, units: Units) -> str:
        """An input in the units of the network."""
        mean = self._vector("mean", units.mean)
        spread = self._vector("spread", units.spread)
        if self.wide:
            return f"(float)((inputs[i] - {mean}) / {spread})"
        rest = units.mean - units.mean.astype(
            np.float32
        )  # one of float32 may be a part of a spread beside it
        if not rest.any():
            return f"(inputs[i] - {mean}) / {spread}"
        return f"((inputs[i] - {mean}) - {self._vector('rest', rest)}) / {spread}"

    def _results(self) -> list[str]:
        program, loops, lines = self._program, self._loops, []
        value = loops.name_of(program.output)
        place = self._numbers.given(value if program.n_outputs == 1 else f"{value}[j]")
        units = program.units
        if units is not None:
            offset, scale = (self._vector(n, getattr(units, n), "j") for n in ("offset", "scale"))
            place = f"{offset} + {scale} * {place}"
        lines.append(f"    for (int j = 0; j < NAME_outputs; j++) outputs[j] = {place};")
        for k, new in enumerate(program.new):
            found = loops.name_of(new)
            if not math.prod(program.shapes[new]):  # of synapses of which there are none
                continue
            one = math.prod(program.shapes[new]) == 1
            copied = f"memcpy(self->state{k}, {found}, sizeof self->state{k});"
            lines.append(f"    self->state{k}[0] = {found};" if one else f"    {copied}")
        return lines

    def _vector(self, name: str, values: NDArray[np.float64], index: str = "i") -> str:
        self.tables[f"NAME_{name}"] = values if self.wide else values.astype(np.float32)
        return f"NAME_{name}[{index}]"


def _reset(tables: Iterable[str], noise: Noise) -> str:
    """The function that begins anew: with zeros, or with what tables hold, and with the network's noise."""
    states = {table: table.replace("NAME_start", "self->state") for table in tables}
    lines = [f"    memcpy({state}, {table}, sizeof {table});" for table, state in states.items()]
    if noise:
        lines += [f"    self->row = {noise.row}u;", f"    self->samples = {noise.samples}u;"]
        lines += [f"    self->seed[{k}] = {seed}u;" for k, seed in enumerate(noise.seeds)]
    clear = "memset(self, 0, sizeof *self);"
    if not lines:
        return f"\nvoid NAME_reset(NAME_state *self) {{ {clear} }}\n"
    return "\n".join(["\nvoid NAME_reset(NAME_state *self) {", f"    {clear}", *lines, "}\n"])


def is_coarse(units: Units) -> bool:
    """Whether float32 cannot tell values of the data apart that are well apart for the network."""
    return any(
        bool((np.spacing(np.abs(zero).astype(np.float32)) > COARSE * unit).any())
        for zero, unit in ((units.mean, units.spread), (units.offset, units.scale))
    )


def functions(body: str, numbers: Floats | Fixed) -> str:
    """The functions that a body calls, and those that they call."""
    needed, kept = body, []
    text = "\n".join((FOLDER / file).read_text() for file in (numbers.functions, "noise.h"))
    for match in reversed(list(_FUNCTION.finditer(text.replace("KIND", numbers.kind)))):
        if re.search(rf"\b{match[1]}\b", needed):  # a function only calls those in front of it
            needed += match[0]
            kept.append(match[0])
    head = f"enum {{ NAME_fraction = {numbers.fraction} }};\n\n" if isinstance(numbers, Fixed) else ""
    if "NAME_normals" in needed:
        head += constant("NAME_normals", numbers.array(table())) + "\n\n"
    return head + "\n".join(reversed(kept))


def constant(name: str, values: NDArray[Any]) -> str:
    """A constant array, of the smallest type for whole numbers."""
    whole = values.dtype.kind in "iub"
    double = values.dtype == np.float64
    kind = "double" if double else "float"
    if whole:
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        size = next(
            bits for bits in (8, 16, 32) if low >= -(1 << (bits - 1)) and high < 1 << (bits - (low < 0))
        )
        signed = low < 0 or (size == 32 and high < 1 << 31 and values.dtype.kind != "u")
        kind = f"int{size}_t" if signed else f"uint{size}_t"
    cells = [
        str(int(v)) if whole else repr(float(v)) if double else literal(v).strip("()") for v in values.ravel()
    ]
    lines = [", ".join(cells[i : i + 8]) for i in range(0, len(cells), 8)]
    joined = ",\n    ".join(lines)
    return f"static const {kind} {name}[] = {{\n    {joined}\n}};"


def _main(program: Program, wide: bool) -> str:
    begin = (FOLDER / ("main_seeds.c" if program.noise else "main_plain.c")).read_text()
    text = (FOLDER / "main.c").read_text().replace("@begin@", begin)
    unit = float(program.time_unit)
    known = {
        "NAME_timespan": "-1.0" if program.needs_timespans else repr(unit),
        "NAME_span": repr(float(np.finfo(np.float32).max) * min(1.0, unit * (1.0 - 1e-6))),
        "NAME_seeds": str(len(program.noise.seeds)),
        "NAME_missing": str(int(program.missing)),
        "NAME_most": "DBL_MAX" if wide else "FLT_MAX",
    }
    for word, value in known.items():
        text = text.replace(word, value)
    return text


def _told(program: Program) -> str:
    """The names and units of inputs and outputs, and of time, as comments."""
    units, unit = program.units, program.time_unit
    usual = (
        "the layers have different time scales"
        if program.needs_timespans
        else f"{unit:g} is the usual time span"
    )
    named, lines = program.names, ["//", f"// Time spans are in the unit of the data; {usual}."]
    if units is not None:
        named, lines[1] = (units.inputs, units.outputs), f"// In the units of the data; {usual}."
    for what, names in zip(("inputs", "outputs"), named, strict=True):
        lines += [f"//     {what}[{k}]: {_plain(name)}" for k, name in enumerate(names)]
    return "\n".join(lines) + "\n"


def _told_of_noise(noise: Noise) -> str:
    """How noise is chosen, as comments."""
    if not noise:
        return ""
    return TOLD_OF_NOISE.replace("COUNT", f"{(1 << 32) // noise.draws:,}")


def _told_of_fixed(numbers: Fixed) -> str:
    """How exact fixed point was, as comments."""
    lines = [
        "//",
        f"// It computes with numbers of 32 bits, of which {numbers.fraction} are behind the point.",
    ]
    if numbers.differ:
        lines.append(f"// Over {numbers.samples} samples, outputs differed from those of floats by at most:")
        lines += [f"//     outputs[{k}]: {most:.1e}" for k, most in enumerate(numbers.differ)]
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """A name that cannot end a comment or go on in the next line."""
    return "".join(mark if mark.isprintable() and mark not in "\\?" else "_" for mark in name)


def _columns(program: Program) -> Sequence[str]:
    """The names of the inputs as a header has them: columns, or sensory neurons; empty where any will do."""
    if program.units is not None:
        return program.units.inputs
    return [_in_a_header(name) for name in program.names[0]] or [""] * program.n_inputs


def _in_a_header(name: str) -> str:
    """The name of a neuron as the program reads it in a header; nothing for a number, which is a sample."""
    told = name.strip(" \t")
    with suppress(ValueError):
        float(told)
        return ""
    return "" if told == "NA" else told


def _escaped(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
    return chr(byte) if plain else f"\\{byte:03o}"
