"""The backward kernel of a model: its equations, differentiated, from the last time step to the first."""

from __future__ import annotations

from .emission import PRELUDE, Lines, Term
from .expression import name
from .text import HOMES, OUT, Writer, joined, row
from .through import Through, seed

OWN = ("neuron", "motor", "sensor")
"""The homes whose sums one thread adds up for each place."""


def backward(writer: Writer, title: str) -> str:
    """The backward kernel."""
    return _Backward(writer).text(title)


class _Backward(Through):
    # Memory

    def head(self, title: str) -> list[str]:
        writer = self.writer
        totals = " ".join(f"d_q_{key}[{writer.length(key)}]" for key in self.shape.values())
        out = " ".join(f"{key}[{length}]" for _, key, length in self._out_index())
        copies = [fold for fold in writer.folds("o") if not fold.startswith("ofe")]
        work = [
            *(self.room(kind, len(each.folded.parts)) for kind, each in self.shape.synapses.items()),
            *(self.room(home, len(self.shape.used(home))) for home in OWN),
            f"sums_of[UNFOLDS*{self.sums}*P]",
            *self.weights.memory(self.sums),
        ]
        unsaved = "if (!SAVING) " if writer.weighed else ""
        work = [part for part in work if "[0*" not in part and "*0*" not in part]
        sums = f"{_some('d_sum', self.sums)} {_some('d_drive', len(writer.drives))}"
        return [
            f"// {title}_backward: the gradients of {title}_forward. Generated from equations.",
            *writer.declared(),
            f"//: index    {out}",
            *(
                ["//: index    back_order[P] back_many[P] back_read[E] back_spot[E]"]
                if writer.weighed
                else []
            ),
            "//: rows     x[T][I] timespans[T][1] events[EVENTS*T][1] kept[(T+KEEP-1)/KEEP][N]",
            "//: rows     d_outputs[T][M] d_last[1][N]",
            f"//: saved    states[{writer.saved_states}][N]",
            *([f"//: saved    sums[SAVING*T*UNFOLDS][{self.sums}*P]"] if self.sums else []),
            "//: results  d_x[T][I] d_timespans[T][1] d_state[1][N]",
            f"//: totals   {' '.join([totals, 'd_held[P]', *(f'd_{v}' for v in writer.noise.values)])}",
            f"//: folded   {' '.join([*writer.folds(), *copies])}",
            f"//: scratch  v[(UNFOLDS+1)*N] sample[I] {writer.scratch()} shown[M] owed[M] passed[N] still[N]",
            f"//: scratch  g[N] local[N] {sums} {self.scratch()} g_time[P] g_sample[I] g_span[1]",
            f"//: work     path[KEEP*N] {' '.join(work)}",
            *PRELUDE.splitlines(),
            *writer.noise.prelude,
            f"#define REMEMBER(k, value) {unsaved}sums_of[(u * {self.sums} + k) * P + j] = value;",
            "#define REMEMBER_STATE(i)",
            *([] if writer.weighed else ["#define STRIDE (UNFOLDS + EVENTS)"]),
            "#define SAMPLE sample",
            "#define SAMPLE_BACK g_sample",
            "#define STATE v",
            "#define SHOW_BACK(j) \\",
            *(f"    {line} \\" for line in self.show_back()),
            "",
        ]

    def room(self, home: str, count: int) -> str:
        """The declaration of the sums over the rows for some values of a home."""
        letter, length = HOMES[home]
        return f"sum_{letter}[{count}*{length}]"

    def _out_index(self) -> list[tuple[str, str, str]]:
        """The index arrays by source: their kinds, names and lengths."""
        found = []
        for kind in ("recurrent", "sensory"):
            ptr, out, post = OUT[kind]
            _, length = HOMES[kind]
            ends = self.writer.taps.ends(kind).strip("()").replace(" ", "") + "+1"
            found += [(kind, ptr, ends), (kind, out, length), (kind, post, length)]
        return found

    # Parts

    def show_back(self) -> list[str]:
        """From what motor neuron j shows to its state and to parameters."""
        decoded = self.shape.decoded
        if decoded is None:
            return ["g[j] += shown[j];"]
        names = self.writer.at_neuron("j", "UNFOLDS * N") | self.writer.parameters("motor", "j")
        names[seed("shown")] = Term("shown[j]")
        places = {
            self.writer.states[0]: "g[j]", **self.summed("neuron", "j"), **self.summed("motor", "j")
        }  # fmt: skip
        found = self.gradients([(decoded, seed("shown"))], places)
        terms = Lines().values(found.values(), names, inline=True)
        return [f"{place} += {term.text};" for place, term in zip(found, terms, strict=True)]

    def clearing(self) -> list[str]:
        """Lines that begin all sums at 0."""
        lines = []
        for kind, each in self.shape.synapses.items():
            if each.folded.parts:
                letter, length = HOMES[kind]
                count = f"{len(each.folded.parts)} * {length}"
                zero = f"sum_{letter}[i] = splat(0.0f);"
                if self.weights.there and kind == "recurrent":
                    zero = "NO_SUM(sum_r, i)"
                lines.append(f"EACH_ANY(i, {count}) {zero}")
        for home in OWN:  # by the thread that adds up there
            zeros = [f"{place} = splat(0.0f);" for place in self.summed(home, "j").values()]
            lines += [f"EACH(j, {HOMES[home][1]}) {{", *zeros, "}"] if zeros else []
        return lines

    def copies(self) -> list[str]:
        """Lines that put folded parameters into the order in which sources have their synapses."""
        lines = []
        for kind in ("recurrent", "sensory"):
            count = self.writer.taps.ends(kind)
            each = self.shape.synapses.get(kind)
            if each and each.folded.parts:
                (ptr, out, _), (letter, _) = OUT[kind], HOMES[kind]
                to, at = "q", f"{out}[q]"
                if self.writer.weighed and kind == "recurrent":
                    to, at = "SPOT(q, back)", f"SPOT({at}, in)"
                lines += [
                    f"EACH_SPLIT(i, {count}) {{",
                    f"for (int q = {ptr}[i] + PART; q < {ptr}[i + 1]; q += PARTS) {{",
                ]
                lines += [f"of{letter}{k}[{to}] = f{letter}{k}[{at}];" for k in range(len(each.folded.parts))]
                lines += ["}", "}"]
        return lines

    def neurons(self) -> list[str]:
        """Lines from the gradients g of new states to those of what each neuron computed them from."""
        writer, lines = self.writer, Lines("a")
        names = writer.at_neuron("j") | writer.noise.names()
        names |= {t: Term(f"was{k}") for k, t in enumerate(writer.totals)}
        again = f"sums_of[(u * {self.sums} + {{0}}) * P + j]"
        was = f"SAVING ? SAVED(sums, t * UNFOLDS + u, {{0}} * P + j) : {again}"
        seeds = [seed(str(s)) for s in range(self.states)]
        rows = [row(s, "j") for s in range(self.states)]
        names |= {s: Term(f"g[{at}]") for s, at in zip(seeds, rows, strict=True)}
        assigned = {state: f"local[{at}]" for state, at in zip(writer.states, rows, strict=True)}
        assigned |= {t: f"d_sum[{k} * P + j]" for k, t in enumerate(writer.totals)}
        added = {t: f"d_drive[{k} * P + j]" for k, t in enumerate(writer.drives)}
        added |= self.summed("neuron", "j")
        added[self.time] = "g_time[j]"
        outputs = list(zip(self.shape.new, seeds, strict=True))
        gradients = self.gradients(outputs, assigned | added)
        found = {place: writer.by_fixed(part) for place, part in gradients.items()}
        lines.add(*writer.noise.entered(), "EACH(j, P) {", "if (held[j] > 0.0f) {")
        lines.add(*(f"local[{at}] = g[{at}];" for at in rows))
        lines.add(*(f"d_sum[{k} * P + j] = splat(0.0f);" for k in range(self.sums)), "} else {")
        lines.add(*(f"const real was{k} = {was.format(k)};" for k in range(self.sums)))
        lines.add(*writer.noise.drawn())
        terms = dict(zip(found, lines.values(found.values(), names), strict=True))
        zero = Term("0.0f", True)
        lines.add(*(f"{place} = {terms.get(place, zero).real};" for place in assigned.values()))
        lines.add(*(f"{place} += {terms[place].text};" for place in added.values() if place in terms))
        lines.add("}")
        if self.weights.there:
            noted = "d_sums[({0} * P + j) * UNFOLDS + u] = d_sum[{0} * P + j];"
            lines.add(*(noted.format(k) for k in range(self.sums)))
        lines.add("}", "BARRIER")
        return lines.lines

    def span(self) -> list[str]:
        """Lines to the gradient of the time span."""
        by = " * (1.0f / UNFOLDS)" if self.writer.continuous else ""
        return [
            "EACH_SPLIT(only, 1) {",
            "real sum = splat(0.0f);",
            "for (int j = PART; j < P; j += PARTS) sum += g_time[j];",
            "sum = JOINED(sum);",
            f"if (PART == 0) g_span[only] = sum{by};",
            "}",
        ]

    def totals(self) -> list[str]:
        """Lines that add the gradients of parameters up over the rows."""
        lines = Lines("t")
        for home in ("neuron", "sensor", "motor"):
            for part, place in self.summed(home, "j").items():
                lines.add(f"EACH(j, {HOMES[home][1]}) d_q_{part.symbol.name}[j] = TOTAL({place});")
        lines.add("EACH(j, P) d_held[j] = 0.0f;", *self.writer.noise.totals())
        for kind, each in self.shape.synapses.items():
            (ptr, out, _), (letter, _) = OUT[kind], HOMES[kind]
            if not each.folded.parts:
                continue
            parts = range(len(each.folded.parts))
            lines.add(f"EACH_SPLIT(i, {self.writer.taps.ends(kind)}) {{")
            lines.add(f"for (int q = {ptr}[i] + PART; q < {ptr}[i + 1]; q += PARTS) {{")
            lines.add(f"const int k = {out}[q];" if out else "const int k = q;")
            for k in parts:
                at = f"{len(each.folded.parts)} * q + {k}"
                apart = self.weights.there and kind == "recurrent"
                summed = f"SUM_TOTAL(sum_r, {at})" if apart else f"TOTAL(sum_{letter}[{at}])"
                lines.add(f"const over_rows s{k} = {summed};")
            to = {name(kind, key): f"d_q_{key}[k]" for key in self.shape.used(kind)}
            found = self.gradients([(part, seed(str(k))) for k, part in enumerate(each.folded.parts)], to)
            names = self.writer.parameters(kind, "k")
            names |= {seed(str(k)): Term(f"s{k}", True) for k in parts}
            terms = dict(zip(found, lines.values(found.values(), names), strict=True))
            lines.add(
                *(f"{place} = {terms[place].text if place in terms else '0.0f'};" for place in to.values())
            )
            lines.add("}", "}")
        return lines.lines

    def text(self, title: str) -> str:
        """The whole kernel."""
        body = [
            *self.writer.folding(),
            *self.copies(),
            *self.clearing(),
            "FETCH(g, d_last, 0);",
            *self.writer.noise.cleared(),
            *(["const int line = 0;"] if self.writer.taps.there else []),
            "if (EVENTS) EACH(j, M) owed[j] = splat(0.0f);",
            '#include "frame/memory_begin_back.c"',
            "BARRIER",
            "int here, entered = T;",
            f"real {'dt, ' if self.writer.continuous else ''}span;",
            "real event = splat(0.0f);",
            "for (int t = T - 1; t >= 0; t--) {",
            *(
                "if (EVENTS) {",
                "const int step = t;",
                '#include "frame/enter.c"',
                "if (!SOME(event >= 0.0f)) {",
            ),
            *('#include "frame/skip_back.c"', "continue;", "}", "}"),
            *self.again(),
            '#include "frame/open_back.c"',
            *self.step_back(),
            '#include "frame/close_back.c"',
            *("STORE(d_x, here, g_sample);", "STORE(d_timespans, here, g_span);", "BARRIER", "}"),
            "STORE(d_state, 0, g);",
            *self.totals(),
        ]
        return joined(self.head(title), body)

    def again(self) -> list[str]:
        """Lines that fetch the solver's steps at a sample, or take them again from a state that was kept."""
        writer = self.writer
        ended = writer.noise.ended("path[(step + 1 - start) * N + j]")
        stays = "EACH(j, N) v[UNFOLDS * N + j] = choose(span < TINY, v[j], v[UNFOLDS * N + j]);"
        return [
            "const int start = t - t % KEEP;",
            "const int entering = start != entered;",
            "entered = start;",
            "if (entering && !SAVING) FETCH(path, kept, start / KEEP);",
            '#include "frame/memory_enter.c"',
            "BARRIER",
            "if (SAVING) {",
            *self.fetched(),
            "}",
            "for (int step = entering && !SAVING ? start : t; step <= t; step++) {",
            *('#include "frame/enter.c"', '#include "frame/sample.c"'),
            "if (!SAVING) EACH(j, N) v[j] = path[(step - start) * N + j];",
            '#include "frame/memory_again.c"',
            *writer.inputs(),
            *([] if writer.weighed else ["if (SAVING) break;"]),
            "BARRIER",
            "for (int u = 0; u < UNFOLDS; u++) {",
            "const int now = u * N, next = now + N;",
            *writer.unfold(again=True),
            "}",
            *([stays] if writer.continuous else []),
            *(["if (SAVING) break;"] if writer.weighed else []),
            *writer.moved("UNFOLDS * N", "v[{} * P + j]"),
            *writer.noise.counted("0", "UNFOLDS * N"),
            "if (step < t) EACH(j, N) path[(step + 1 - start) * N + j] = v[UNFOLDS * N + j];",
            '#include "frame/path.c"',
            *(["if (EVENTS && step < t) {", *ended, "}"] if ended else []),
            "BARRIER",
            "}",
        ]

    def fetched(self) -> list[str]:
        """Lines that fetch states before and behind all steps of the solver; lines of delays before alone."""
        taps, row = self.writer.taps, "v[u * N + i] = SAVED(states, t * STRIDE + u, i);"
        if self.writer.weighed:
            return ["EACH(j, N) v[j] = SAVED(states, t, j);"]
        if not taps.there:
            return ["EACH_ANY(i, (UNFOLDS + 1) * N) v[i] = SAVED(states, t * STRIDE, i);"]
        return [
            "for (int u = 0; u <= UNFOLDS; u++) {",
            f"EACH_ANY(i, u ? {taps.begin} : N) {row}",
            f"if (u) EACH_IN(i, {taps.end}, N) {row}",
            "}",
        ]

    def step_back(self) -> list[str]:
        """Lines from gradients of the states after a sample to those before, of the sample and its span."""
        held = [
            "const int stays = SOME(span < TINY);",
            *("if (stays) {", "EACH(j, N) {", "still[j] = g[j];"),
            *("g[j] = choose(span < TINY, splat(0.0f), g[j]);", "}", "}"),
        ]
        stayed = "if (stays) EACH(j, N) g[j] = choose(span < TINY, still[j], g[j]);"
        return [
            *self.writer.taps.back(),
            *(held if self.writer.continuous else []),
            "EACH(j, P) {",
            "g_time[j] = splat(0.0f);",
            *(f"d_drive[{k} * P + j] = splat(0.0f);" for k in range(len(self.writer.drives))),
            "}",
            *self.began(),
            "BARRIER",
            "for (int u = UNFOLDS - 1; u >= 0; u--) {",
            "const int now = u * N;",
            *self.neurons(),
            *self.posts(),
            *self.sensors(),
            *self.synapses(),
            "}",
            *self.weights.lines(self.gradients),
            *self.sensory(),
            *self.late(),
            *self.span(),
            *([stayed] if self.writer.continuous else []),
            *self.writer.taps.first_back(),
        ]


def _some(key: str, count: int) -> str:
    return f"{key}[{count}*P]" if count else ""
