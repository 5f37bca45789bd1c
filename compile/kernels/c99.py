"""A network as one C99 file: a step function and a state, without dependencies and without heap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from .sequence import FusedSequence
from .source import SOURCE, Array, CallSizes, Kernel, read_kernel

# A function with the comment above it, and the part of a body that only some numbers of maps have.
_FUNCTION = re.compile(
    r"(?:^//[^\n]*\n)*^FUNCTION \w+ (?P<name>\w+)\((?:[^\n]*}[^\n]*\n|.*?^}\n)\n*", re.MULTILINE | re.DOTALL
)
# A statement about row events, with what stands in its braces: nothing happens to an exported network's row.
_EVENTS = re.compile(
    r"^( *)(?=[^\n]*\b(?:EVENTS|event)\b)(?:[^\n]*\{\n.*?^\1\}\n|[^\n]*\n)", re.MULTILINE | re.DOTALL
)
_MAPS = re.compile(r"^ *#if MAPS > 1\n(.*?)^ *#else\n(.*?)^ *#endif\n", re.MULTILINE | re.DOTALL)
_COUPLED = re.compile(r"^ *#if COUPLED\n(.*?)^ *#endif\n", re.MULTILINE | re.DOTALL)
Values = dict[str, NDArray[Any]]

# How a file begins and ends; the kernel stands between, and NAME is the network's name throughout.
HEAD = """\
// NAME: a network exported by Ganglion.
//
//     NAME_state state;
//     NAME_reset(&state);
//     NAME_step(&state, inputs, timespan, outputs);   // once per sample
//
// compiles as C99. With -DNAME_MAIN it is a program that reads one sample per line from standard input:
// INPUTS numbers and, if there is one more, the time since the sample before (0 or more; 1 if there is none).
// It writes OUTPUTS numbers per line. A first line that does not begin with a number is taken for a header.
#include <stdint.h>
#include <string.h>

enum { NAME_inputs = INPUTS, NAME_outputs = OUTPUTS, NAME_neurons = NEURONS };
"""
MAIN = """
#ifdef NAME_MAIN
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    static NAME_state state;
    static char line[1 << 20];
    NAME_reset(&state);
    for (long number = 1; fgets(line, sizeof line, stdin); number++) {
        float given[NAME_inputs + 1], outputs[NAME_outputs];
        char *cell = line;
        int count = 0;
        for (; count <= NAME_inputs; count++) {
            char *end;
            given[count] = strtof(cell, &end);
            if (end == cell) break;
            cell = *end == ',' ? end + 1 : end;
        }
        cell += strspn(cell, " \\t\\r\\n");
        if (number == 1 && count == 0) continue;
        if (*cell || count < NAME_inputs) {
            fprintf(stderr, "line %ld: expected %d numbers, or a time span more\\n", number, NAME_inputs);
            return 2;
        }
        const float timespan = count > NAME_inputs ? given[NAME_inputs] : 1.0f;
        if (!(timespan >= 0.0f && timespan <= FLT_MAX)) {
            fprintf(stderr, "line %ld: the time span is %g: ", number, timespan);
            fprintf(stderr, "expected a finite number of at least 0\\n");
            return 2;
        }
        NAME_step(&state, given, timespan, outputs);
        for (int j = 0; j < NAME_outputs; j++) printf("%s%.9g", j ? "," : "", outputs[j]);
        putchar('\\n');
    }
    return 0;
}
#endif
"""


def c99_source(sequence: FusedSequence, parameters: Sequence[mx.array], name: str) -> str:
    """The C99 source of a network's kernel with its parameters.

    Args:
        sequence: the kernel.
        parameters: the kernel's values, in the order it declares them.
        name: what names in the file begin with; a C identifier.
    """
    # Parameters are folded here once instead of at every step there.
    kernel = read_kernel(
        sequence.folder,
        f"{sequence.name}_forward",
        () if sequence.fold is None else (sequence.fold.fragment,),
        memory=sequence.memory,
    )
    sizes = {**sequence.sizes, **CallSizes(1)._asdict()}
    kept = 1 if sizes.get("MAPS", 1) > 1 else 2
    body = _MAPS.sub(lambda m: m[kept], kernel.body)
    body = _COUPLED.sub(lambda m: m[1] if sizes["COUPLED"] else "", body)
    kernel = replace(kernel, body=_EVENTS.sub("", body))
    values: Values = {**sequence.index}
    values |= {a.name: np.array(p) for a, p in zip(kernel.of("values"), parameters, strict=True)}
    if sequence.fold is not None:
        values |= sequence.fold.computed(values)
    used = _used(kernel, "index", "values", "folded")
    outputs = sizes.get("M", sizes["N"])
    parts = [
        HEAD.replace("INPUTS", str(sizes["I"]))
        .replace("OUTPUTS", str(outputs))
        .replace("NEURONS", str(sizes["N"])),
        *(f"#define {word} {sizes[word]}" for word in kernel.constants),
        _functions(kernel.body),
        *(_constant(array.name, values[array.name]) for array in used),
        _state(kernel, sizes, sequence.memory),
        _step(kernel, sequence),
        MAIN,
    ]
    return "\n".join(parts).replace("NAME", name)


def _uses(code: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", re.sub("//.*", "", code)) is not None


def _used(kernel: Kernel, *kinds: str) -> list[Array]:
    """The arrays of some kinds that the body needs."""
    return [array for array in kernel.of(*kinds) if _uses(kernel.body, array.name)]


def _functions(body: str) -> str:
    """The lane and the shared functions, but for those that the body does not need: compilers would warn."""
    text = (SOURCE / "lanes_c99.h").read_text() + "\n" + (SOURCE / "functions.h").read_text()
    found = list(_FUNCTION.finditer(text))
    needed = body
    for match in reversed(found):  # a function only calls those in front of it
        if _uses(needed, match["name"]):
            needed += match[0]
        else:
            text = text[: match.start()] + text[match.end() :]
    return text


def _constant(name: str, values: NDArray[Any]) -> str:
    """A constant array; C has none that are empty."""
    whole = values.dtype.kind == "i"
    cells = [str(v) if whole else _number(v) for v in values.ravel()] or ["0"]
    lines = [", ".join(cells[i : i + 8]) for i in range(0, len(cells), 8)]
    body = ",\n    ".join(lines)
    return f"static const {'int' if whole else 'float'} {name}[] = {{\n    {body}\n}};"


def _state(kernel: Kernel, sizes: dict[str, int], memory: bool) -> str:
    """The struct with the states of the neurons and the working memory of a step."""
    fields = [f"    float {a.name}[{max(a.count(sizes), 1)}];" for a in _used(kernel, "scratch", "work")]
    return "\n".join(
        [
            "typedef struct {",
            f"    float neurons[{sizes['N']}];  // what is carried from sample to sample",
            *([f"    float remembered[{sizes['N']}];  // and the cells of the LSTM"] if memory else []),
            *fields,
            "} NAME_state;",
            "",
            "// Begin anew.",
            "void NAME_reset(NAME_state *self) { memset(self, 0, sizeof *self); }",
        ]
    )


def _step(kernel: Kernel, sequence: FusedSequence) -> str:
    """The step function: the forward kernel for one row and one time step."""
    sizes = {**sequence.sizes, **CallSizes(1)._asdict()}
    rows = _used(kernel, "rows", "results")
    text = kernel.body + " ".join(array.dims[1] for array in rows)
    names = [name for name in kernel.sizes if name not in kernel.constants and _uses(text, name)]
    # The kernel would keep the old state for a backward pass: it may write it where it took it from.
    places = {"x": "inputs", "timespans": "&timespan", "outputs": "outputs"}
    places |= dict.fromkeys(("first_memory", "last_memory", "kept_memory"), "self->remembered")
    lines = [
        "void NAME_step(NAME_state *self, const float *inputs, float timespan, float *outputs);",
        "void NAME_step(NAME_state *self, const float *inputs, float timespan, float *outputs) {",
        f"    enum {{ {', '.join(f'{name} = {sizes[name]}' for name in names)} }};",
        f"    enum {{ {', '.join(f'{array.name}_width = {array.dims[1]}' for array in rows)} }};",
    ]
    for name, value in sequence.numbers.items():
        if _uses(kernel.body, name):
            lines.append(f"    const float {name} = {_number(value)};")
    for array in rows:
        if array.name != "outputs":
            constant = "const " if array.kind == "rows" else ""
            lines.append(
                f"    {constant}float *const {array.name} = {places.get(array.name, 'self->neurons')};"
            )
    lines += [f"    float *const {a.name} = self->{a.name};" for a in _used(kernel, "scratch", "work")]
    return "\n".join([*lines, *(f"    {line}".rstrip() for line in kernel.body.splitlines()), "}"])


def _number(value: float) -> str:
    return f"{np.float32(value)!s}f"
