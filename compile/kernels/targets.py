"""The source of a kernel for each target: the lane type, the functions, and the body between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, TypeAlias

from .source import PRIVATE, SOURCE, Array, CallSizes, Kernel

BESIDE = 4
"""Neurons whose synapses `WEIGHED` sums up side by side."""

# How arrays of each kind are seen by a kernel on the CPU.
TYPES = {
    "index": "const int",
    "values": "const float",
    "rows": "const float",
    "saved": "const real",  # what forward keeps for backward alone
    "results": "float",
    "saves": "real",
}
ROWS = ("rows", "results", "saves", "saved")  # arrays with one row per row of the batch
# What the two GPU languages call things.
LANGUAGES = {
    "cuda": {
        "FUNCTION": "static __device__ inline",
        "GLOBAL": "",
        "SHARED": "__shared__",
        "BARRIER": "__syncthreads();",
        # A block's threads must all find registers. MLX writes the function's first line: this changes it.
        "__global__": "__attribute__((global)) __launch_bounds__(THREADS)",
        # Without care for denormal numbers, which costs a branch.
        "INVERSE(value)": "__fdividef(1.0f, value)",
        # What the thread so far away has, among the PARTS threads of this one.
        "NEIGHBOUR(value, distance)": "__shfl_xor_sync(SHARING, value, distance)",
        "SHARING": "(unsigned)((1ull << PARTS) - 1) << (me & 31 & -PARTS)",
        "block": "blockIdx.x",
        "thread": "threadIdx.x",
    },
    "metal": {
        "FUNCTION": "static inline",
        "GLOBAL": "device",
        "SHARED": "threadgroup",
        "BARRIER": "threadgroup_barrier(metal::mem_flags::mem_threadgroup | metal::mem_flags::mem_device);",
        "INVERSE(value)": "(1.0f / (value))",
        "NEIGHBOUR(value, distance)": "simd_shuffle_xor(value, distance)",
        "block": "threadgroup_position_in_grid.x",
        "thread": "thread_position_in_threadgroup.x",
    },
}
Form: TypeAlias = Literal["", "crew", "two"]
"""What a kernel is on a CPU, beside what it computes."""
SHARED_LIMIT = 32768  # bytes that every GPU has for one block


def cpu_source(kernel: Kernel, lanes: int, constants: tuple[int, ...] = (), *, form: Form = "") -> str:
    """The C++ source of a kernel for a CPU, with `lanes` rows of the batch in one vector.

    As a "crew", threads share the neurons of one block after the other, in place of the blocks; as "two",
    each takes two blocks at once.
    """
    crew, two = form == "crew", form == "two"
    given = kernel.of(*TYPES)
    lines = [
        f"// {kernel.name} for a CPU. Generated from the files in compile/kernels/source.",
        f"#define LANES {lanes}",
        *(f"#define {name} {value}" for name, value in zip(kernel.constants, constants, strict=True)),
        *_gcc(kernel),
        _text("lanes_cpu.h"),
        *([_text("crew.h"), _text("lanes_crew.h")] if crew else []),
        *([_text("lanes_two.h")] if two else []),
        *([f"#define BESIDE {BESIDE}", _text("weighed.h")] if kernel.weighs and not crew else []),
        _text("functions.h"),
        *([_text("products.h")] if kernel.multiplies else []),
        f'extern "C" int {kernel.name}(const int64_t *sizes, const float *numbers,',
        "    void *const *arrays, int64_t batch, int64_t *next) {",
    ]
    lines += [f"const int {name} = (int)sizes[{i}];" for i, name in enumerate(kernel.sizes)]
    lines += [f"const float {name} = numbers[{i}];" for i, name in enumerate(kernel.numbers)]
    types = TYPES | {"saves": "Half", "saved": "const Half"} if two else TYPES
    for i, array in enumerate(given):
        lines += [_pointer(array, types[array.kind], f"arrays[{i}]"), *_row_shape(array)]
    lines += _cpu_memory(kernel, len(given) + 1 if crew else None, two=two)
    lines.append("int folding = 1;")
    if crew:
        lines += ["for (int64_t index = crew.first; index * LANES < batch; index++, folding = 0) {"]
        lines += ["const Block block = block_at(index, batch);"]
    elif two:
        lines += ["for (Blocks block; (block = take_blocks(next, batch)).a.count > 0; folding = 0) {"]
    else:
        lines += ["for (Block block; (block = take_block(next, batch)).count > 0; folding = 0) {"]
    totals = kernel.of("totals")
    if totals and two:
        start = f"(float *)arrays[{len(given)}] + block.a.index * ({_sum(totals)})"
        lines += [f"float *row = {start}, *other = block.b.count > 0 ? row + ({_sum(totals)}) : unseen;"]
        for array in totals:
            lines.append(f"const Totals {array.name} = {{row, other}};")
            lines.append(f"row += {array.size}, other += {array.size};")
    elif totals:
        lines.append(f"float *row = (float *)arrays[{len(given)}] + block.index * ({_sum(totals)});")
        lines += _in_sequence(totals, "float", "row")
    end = ["BARRIER"] if crew else []
    return "\n".join([*lines, kernel.body, *end, "}", "return 0;", "}", ""])


def gpu_header(language: str, threads: int, parts: int) -> str:
    """What stands in front of a kernel's function on a GPU, whose blocks have so many threads."""
    words = {name: text for name, text in LANGUAGES[language].items() if name not in ("block", "thread")}
    words |= {"THREADS": str(threads), "PARTS": str(parts)}
    defined = [f"#undef {name.split('(')[0]}\n#define {name} {text}" for name, text in words.items()]
    return "\n".join([*defined, _text("lanes_gpu.h"), _text("functions.h")])


def gpu_body(kernel: Kernel, language: str, sizes: Mapping[str, int]) -> str:
    """The body of a kernel's function on a GPU, as `mx.fast.cuda_kernel` and `mx.fast.metal_kernel` take it.

    A function there can have 31 arrays at most, so the index arrays come in one, and so do the values. Its
    inputs are `call` (its `CallSizes`), `numbers`, `index`, `values`, the rows and what was saved, its
    outputs the results, what it saves, `totals`, `workspace` and `prepared`; `totals` and `workspace` have
    one row per block. `gpu.py` puts them together.
    """
    words = LANGUAGES[language]
    of_call = [name for name in kernel.sizes if name in CallSizes._fields]
    fixed = [name for name in kernel.sizes if name not in CallSizes._fields]
    lines = [
        f"// {kernel.name} for {language}. Generated from the files in compile/kernels/source.",
        *(f"#define {name} {sizes[name]}" for name in kernel.constants),
        f"const int64_t block = {words['block']};",
        f"const int me = {words['thread']};",
        *(f"const int {name} = call[{CallSizes._fields.index(name)}];" for name in of_call),
        *(f"const int {name} = {sizes[name]};" for name in fixed),
        *(f"const float {name} = numbers[{i}];" for i, name in enumerate(kernel.numbers)),
        *_packed(kernel.of("index"), "const GLOBAL int", "index", "next_index"),
        *_packed(kernel.of("values"), "const GLOBAL float", "values", "next_value"),
        *(line for array in kernel.of(*ROWS) for line in _row_shape(array)),
    ]
    if totals := kernel.of("totals"):
        lines += _packed(totals, "GLOBAL float", f"totals + block * ({_sum(totals)})", "next_total")
    shared, prepared, own = memory_of(kernel, sizes)
    lines += [f"SHARED float {array.name}[({array.size}) + 1];" for array in shared]
    lines += _packed(prepared, "GLOBAL float", "prepared", "next_prepared")
    lines += _packed(own, "GLOBAL float", f"workspace + block * ({_sum(own)})", "next_work")
    return "\n".join([*lines, "BARRIER", kernel.body])


def memory_of(kernel: Kernel, sizes: Mapping[str, int]) -> tuple[list[Array], list[Array], list[Array]]:
    """Where the private arrays of a kernel lie on a GPU.

    Returns:
        Those in the memory that the threads of a block share, as many as fit; those in main memory that
        are the same for all blocks, each of which writes all of them before it reads; and those there that
        each block has for itself.
    """
    left = SHARED_LIMIT
    shared: list[Array] = []
    prepared: list[Array] = []
    own: list[Array] = []
    for array in (array for kind in ("scratch", "work", "sums", "folded") for array in kernel.of(kind)):
        bytes_ = math.inf if array.of_call else 4 * (array.count(sizes) + 1)
        if bytes_ <= left:
            shared.append(array)
            left -= int(bytes_)
        else:
            (prepared if array.kind == "folded" else own).append(array)
    return shared, prepared, own


def _text(name: str) -> str:
    return (SOURCE / name).read_text()


def _gcc(kernel: Kernel) -> list[str]:
    """Optimizations for one kernel; Clang, which has others, reads over them."""
    chosen = ", ".join(f'"{name}"' for name in kernel.gcc)
    return ["#ifndef __clang__", f"#pragma GCC optimize({chosen})", "#endif"] if chosen else []


def _sum(arrays: list[Array]) -> str:
    return " + ".join(array.size for array in arrays) or "0"


def _pointer(array: Array, kind: str, place: str) -> str:
    return f"{kind} *__restrict const {array.name} = ({kind} *){place};"


def _row_shape(array: Array) -> list[str]:
    """What FETCH and STORE need to know of an array with one row per row of the batch."""
    if array.kind not in ROWS:
        return []
    rows, width = array.dims
    return [f"const int64_t {array.name}_rows = {rows}, {array.name}_width = {width};"]


def _in_sequence(arrays: list[Array], kind: str, cursor: str) -> list[str]:
    """Arrays that lie one behind the other from where the pointer `cursor` stands."""
    return [line for a in arrays for line in (_pointer(a, kind, cursor), f"{cursor} += {a.size};")]


def _packed(arrays: list[Array], kind: str, start: str, cursor: str) -> list[str]:
    """The same on a GPU, from the expression `start` on."""
    lines = [f"{kind} *{cursor} = {start};"]
    for array in arrays:
        lines += [f"{kind} *const {array.name} = {cursor};", f"{cursor} += {array.size};"]
    return lines if arrays else []


def _cpu_memory(kernel: Kernel, crew: int | None, *, two: bool) -> list[str]:
    """Lines that lay the private arrays out in the thread's workspace; each starts at a whole vector.

    `crew` says which argument is the crew whose first thread has that workspace, if there is one. With `two`
    there is room for totals of a block without rows, too.
    """
    private = kernel.of(*PRIVATE)
    unseen = [Array("unseen", "folded", (_sum(kernel.of("totals")),))] if two else []
    floats = ("folded",) if crew is None else ("folded", "sums")
    lanes = {
        array.name: f"({array.size} + LANES - 1) / LANES" if array.kind in floats else array.size
        for array in private + unseen
    }
    size = " + ".join(lanes.values())
    lines = [f"real *memory = (real *)workspace.reserve(sizeof(real) / sizeof(Half) * ({size}));"]
    if not two:
        lines = [f"real *memory = workspace.reserve({size});"]
    lines.append("if (!memory) return 1;")
    if crew is not None:
        lines = [
            f"Crew &crew = *(Crew *)arrays[{crew}];",
            f"const Place place = join(crew, {size}, N);",
            "if (place.me < 0 || !place.memory) return place.me == 0;",
            "real *memory = place.memory;",
        ]
    for array in private + unseen:
        lines.append(_pointer(array, "float" if array.kind in floats else "real", "memory"))
        lines.append(f"memory += {lanes[array.name]};")
    return lines
