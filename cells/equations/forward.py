"""The forward kernel of a model: its equations, from the first time step to the last."""

from __future__ import annotations

from .emission import PRELUDE
from .text import Writer, joined


def forward(writer: Writer, title: str) -> str:
    """The forward kernel."""
    sums = len(writer.totals)
    head = [
        f"// {title}_forward: a whole sequence for one block of the batch. Generated from equations.",
        *writer.declared(),
        "//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] state[1][N]",
        "//: results  outputs[T][M] last[1][N] kept[(T+KEEP-1)/KEEP][N]",
        f"//: saves    states[{writer.saved_states}][N]",
        *([f"//: saves    sums[SAVING*T*UNFOLDS][{sums}*P]"] if sums else []),
        f"//: folded   {' '.join(writer.folds())}",
        f"//: scratch  v[2*N] sample[I] {writer.scratch()} shown[M] showing[M] before[N] still[N]",
        *(f"//: scratch  {part}" for part in writer.taps.scratch),
        *PRELUDE.splitlines(),
        *writer.noise.prelude,
        "#define REMEMBER(k, value) SAVE(sums, step * UNFOLDS + u, k * P + j, value)",
        *(
            ["#define REMEMBER_STATE(i)", "#define STRIDE 1"]
            if writer.weighed
            else [
                "#define REMEMBER_STATE(i) SAVE(states, step * STRIDE + u + 1, i, v[next + i])",
                "#define STRIDE (UNFOLDS + EVENTS)",
            ]
        ),
        "#define SAMPLE sample",
        "#define STATE (v + now)",
        f"#define SHOW(j) {writer.shown('now')}",
    ]
    still = [
        "const int stays = SOME(span < TINY);",
        "if (stays) EACH(j, N) still[j] = v[now + j];",
    ]
    back = [
        "if (stays) {",
        *("EACH(j, N) {", "v[now + j] = choose(span < TINY, still[j], v[now + j]);"),
        *([] if writer.weighed else ["SAVE(states, step * STRIDE + UNFOLDS, j, v[now + j])"]),
        *("}", "}"),
    ]
    body = [
        *writer.folding(),
        "int now = 0, next = N, here;",
        f"real {'dt, ' if writer.continuous else ''}span;",
        "real event = splat(0.0f);",
        "FETCH(v, state, 0);",
        *(["EACH(j, N) v[N + j] = splat(0.0f);"] if writer.plastic else []),  # of synapses that are cut
        "if (EVENTS) EACH(j, M) showing[j] = splat(0.0f);",
        "for (int step = 0; step < T; step++) {",
        '#include "frame/open.c"',
        '#include "frame/sample.c"',
        '#include "frame/memory.c"',
        ("" if writer.weighed else "if (step == 0 || EVENTS) ")
        + "EACH(j, N) { SAVE(states, step * STRIDE, j, v[now + j]) }",
        *(["const int line = now;"] if writer.taps.there else []),
        *writer.inputs(),
        *(still if writer.continuous else []),
        "BARRIER",
        *writer.taps.kept(),
        "for (int u = 0; u < UNFOLDS; u++) {",
        *writer.unfold(),
        *("const int old = now;", "now = next;", "next = old;", "}"),
        *(back if writer.continuous else []),
        *writer.moved("now", "first[{} * P + j]"),
        *writer.taps.saved,
        *writer.noise.counted("now", "now", "SAVE(states, step * STRIDE + UNFOLDS, j, v[now + j])"),
        '#include "frame/close.c"',
        *writer.noise.ended("v[now + j]"),
        "}",
        "STORE(last, 0, v + now);",
    ]
    return joined(head, body)
