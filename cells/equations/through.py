"""Backward through synapses: from gradients of sums to sources, neurons, their states and parameters."""

from __future__ import annotations

from .algebra import gradients
from .emission import Lines, Names, Term, lowered
from .expression import Expression, name
from .folding import Folded
from .model import SAMPLE, SPAN, STEP
from .shape import Synapses
from .text import AT, HOMES, OUT, RAW, Writer, row
from .weights import Weights

Outputs = list[tuple[Expression, Expression]]


def seed(key: str) -> Expression:
    """The name of a gradient that is known."""
    return name("seed", key)


class Through:
    """The part of a backward kernel that goes over synapses."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.shape = writer, writer.shape
        self.sums, self.states = len(writer.totals), len(writer.states)
        self.time = STEP if writer.continuous else SPAN
        self.weights = Weights(writer)

    def gradients(self, outputs: Outputs, places: dict[Expression, str]) -> dict[str, Expression]:
        """The gradients that are not 0, by the place where they are added."""
        found = gradients(outputs, places)
        pairs = zip(places.values(), found, strict=True)
        return {place: lowered(part) for place, part in pairs if part.op != "number" or part.number}

    def summed(self, home: str, place: str) -> dict[Expression, str]:
        """Where the gradients of a home's parameters are summed up."""
        letter, length = HOMES[home]
        keys = enumerate(self.shape.used(home))
        return {name(home, key): f"sum_{letter}[{k} * {length} + {place}]" for k, key in keys}

    def scratch(self) -> str:
        """What it needs for synapses that have states, and for those that have delays."""
        parts = ["back[P]"] if self.writer.weighed else []
        if self.writer.plastic:
            posts = sum(len(each.posts) for each in self.shape.synapses.values())
            parts += [f"at_post[{posts}*P]", f"d_input[{self.shown_by_sensors}*I]"]
        if self.writer.taps.there:
            many = len(self.writer.sources_shown())
            parts += [f"d_first[{self.states}*P]", "d_new[I]"]
            parts += [f"d_late[{many}*U]", f"d_far[{self.shown_by_sensors}*W]"]
        return " ".join(part for part in parts if "[0*" not in part)

    @property
    def shown_by_sensors(self) -> int:
        """How many things a sensor shows."""
        sensory = self.shape.synapses.get("sensory")
        return len(sensory.shown) if sensory else 0

    # Synapses that have states

    def began(self) -> list[str]:
        """Lines that begin what a sample's sensors and taps add up over the steps of a solver."""
        plastic, shown = self.writer.plastic, self.shown_by_sensors
        sums = [("d_input", "I", shown)] if plastic else []
        if self.writer.taps.there:
            sums.append(("d_late", "U", len(self.writer.sources_shown())))
            sums += [("d_far", "W", shown)] if plastic else []
        return [
            f"EACH(i, {length}) {{ "
            + " ".join(f"{key}[{k} * {length} + i] = splat(0.0f);" for k in range(many))
            + " }"
            for key, length, many in sums
            if many
        ]

    def _each_shown(self, line: str, shown: dict[Expression, Expression]) -> list[str]:
        return [line.format(k) for k in range(len(shown))]

    def posts(self) -> list[str]:
        """Lines from the gradients of sums and of states of synapses to the neurons that they lead to."""
        writer, lines = self.writer, Lines("p")
        if not writer.plastic:
            return []
        writer.sources(lines)
        lines.add("EACH_SPLIT(j, P) {")
        after: list[str] = []
        outputs: Outputs = []
        names, at = writer.at_neuron("j"), 0
        for kind in writer.stepped:
            each = self.shape.synapses.get(kind)
            if each is None:
                continue
            posts = writer.posts(lines, each)
            keep = [f"at_post[{at + k} * P + j] = {term.text};" for k, term in enumerate(posts.values())]
            lines.add(*([f"if (PART == 0) {{ {' '.join(keep)} }}"] if keep else []))
            at += len(posts)
            places = {part: f"d_{term.text}" for part, term in posts.items()}
            lines.add(*(f"real {place} = splat(0.0f);" for place in places.values()))
            self._onto(lines, each, posts, places)
            after += [f"{place} = JOINED({place});" for place in places.values()]
            outputs += [(value, seed(places[part])) for part, value in each.posts.items()]
            names |= {seed(place): Term(place) for place in places.values()}
        lines.add(*after, "if (PART == 0) {")
        to = {state: f"local[{row(s, 'j')}]" for s, state in enumerate(writer.states)}
        to |= self.summed("neuron", "j") | {self.time: "g_time[j]"}
        found = self.gradients(outputs, to)
        terms = lines.values(found.values(), names)
        lines.add(*(f"{place} += {term.text};" for place, term in zip(found, terms, strict=True)))
        lines.add("}", "}", "BARRIER")
        return lines.lines

    def _onto(
        self, lines: Lines, each: Synapses, posts: dict[Expression, Term], places: dict[Expression, str]
    ) -> None:
        """Write a loop over the synapses onto neuron j."""
        writer, (ptr, pre), (letter, _) = self.writer, AT[each.kind], HOMES[each.kind]
        seeds = [seed(f"{each.kind}{k}") for k in range(len(each.folded.of))]
        found = self.gradients(list(zip(each.folded.of, seeds, strict=True)), places)
        if not found:
            return
        offset = writer.totals.index(each.totals[0]) if each.totals else 0
        names = {**writer.at_synapse(each, "k"), **writer.read(each), **writer.held(each), **posts}
        for k, part in enumerate(seeds[: len(each.totals)]):
            names[part] = Term(f"g_{letter}{k}")
            lines.add(f"const real g_{letter}{k} = d_sum[{offset + k} * P + j];")
        for part, place in zip(seeds[len(each.totals) :], writer.places(each), strict=True):
            names[part] = Term(f"g[{place}]")
        lines.add(f"for (int k = {ptr}[j] + PART; k < {ptr}[j + 1]; k += PARTS) {{")
        if each.shown:
            lines.add(f"const int from = {pre}[k];")
        terms = lines.values(found.values(), names)
        lines.add(*(f"{place} += {term.text};" for place, term in zip(found, terms, strict=True)), "}")

    def sensors(self) -> list[str]:
        """Lines from the same through synapses from sensors, of one step."""
        if not self.writer.plastic:
            return []
        lines, each = Lines("s"), self.shape.synapses["sensory"]
        lines.add("EACH_SPLIT(i, I) {")
        self._from_sensors(lines, each, "d_sum")
        lines.add("if (PART == 0) {", *self._each_shown("d_input[{0} * I + i] += d_from{0};", each.shown))
        lines.add("}", "}")
        if self.writer.taps.there:
            self._from_far(lines, each, "d_sum", "+=")
        return lines.lines

    def _from_sensors(self, lines: Lines, each: Synapses, sums: str) -> None:
        """Write what synapses bring back to source i of theirs."""
        ends = self.writer.taps.ends("sensory")
        shown = {part: Term(f"input[{k} * {ends} + i]") for k, part in enumerate(each.shown)}
        places = {part: f"d_from{k}" for k, part in enumerate(each.shown)}
        lines.add(*(f"real {place} = splat(0.0f);" for place in places.values()))
        self.through(lines, each, shown, places, sums)
        lines.add(*(f"{place} = JOINED({place});" for place in places.values()))

    # Synapses that have delays

    def _from_far(self, lines: Lines, each: Synapses, sums: str, into: str) -> None:
        """Write what synapses bring back to what sensors showed before."""
        lines.add("EACH_SPLIT(tap_, W) {", "const int i = I + tap_;")
        self._from_sensors(lines, each, sums)
        place = f"d_far[{{0}} * W + tap_] {into} d_from{{0}};"
        lines.add("if (PART == 0) {", *self._each_shown(place, each.shown))
        lines.add("}", "}")

    def _from_late(self, lines: Lines) -> None:
        """Write what synapses bring back, of one step, to what neurons showed before."""
        writer, each = self.writer, self.shape.synapses.get("recurrent")
        if each is None or not each.shown:
            return
        order = list(writer.sources_shown())
        lines.add("EACH_SPLIT(tap_, U) {", "const int i = P + tap_;")
        shown, places = {}, {}
        for part in each.shown:
            k = order.index(part)
            shown[part], places[part] = Term(writer.show(k, "i")), f"d_from{k}"
        lines.add(*(f"real {place} = splat(0.0f);" for place in places.values()))
        self.through(lines, each, shown, places, "d_sum")
        lines.add(*(f"{place} = JOINED({place});" for place in places.values()), "if (PART == 0) {")
        lines.add(*(f"d_late[{order.index(part)} * U + tap_] += {place};" for part, place in places.items()))
        lines.add("}", "}")

    def late(self) -> list[str]:
        """Lines from what neurons and sensors showed before to their states and samples then."""
        writer, lines, taps = self.writer, Lines("l"), self.writer.taps
        if not taps.there:
            return []
        sources = writer.sources_shown()
        of_neurons = writer.parameters("neuron", "j") | taps.states()
        to = {state: f"g[{taps.line(s)} + tap[u]]" for s, state in enumerate(writer.states)} | self.summed(
            "neuron", "j"
        )
        seeds = [seed(f"d_late[{k} * U + u]") for k in range(len(sources))]
        lines.add("BARRIER", "EACH(j, P) for (int u = tap_ptr[j]; u < tap_ptr[j + 1]; u++) {")
        self._added(lines, list(zip(sources.values(), seeds, strict=True)), to, of_neurons)
        lines.add("}")
        each = self.shape.synapses.get("sensory")
        if each is not None:
            seeds = [seed(f"d_far[{k} * W + u]") for k in range(len(each.shown))]
            lines.add("EACH(i, I) for (int u = sensory_tap_ptr[i]; u < sensory_tap_ptr[i + 1]; u++) {")
            outputs = list(zip(each.shown.values(), seeds, strict=True))
            self._added(lines, outputs, {SAMPLE: f"g[{taps.far} + sensory_tap[u]]"}, taps.sample())
            lines.add("}")
        return [*lines.lines, "BARRIER"]

    def _added(self, lines: Lines, outputs: Outputs, to: dict[Expression, str], names: Names) -> None:
        """Write what is added to the gradients of what outputs are of; seeds are called as where they are."""
        found = self.gradients(outputs, to)
        known = {**names, **{part: Term(part.symbol.name) for _, part in outputs}}
        terms = lines.values(found.values(), known)
        lines.add(*(f"{place} += {term.text};" for place, term in zip(found, terms, strict=True)))

    # All synapses

    def synapses(self) -> list[str]:
        """Lines from the gradients of sums through every synapse back to its source, and on to its state."""
        writer, lines = self.writer, Lines("b")
        kinds = [self.shape.synapses[k] for k in ("recurrent", "electrical") if k in self.shape.synapses]
        rows = [row(s, "i") for s in range(self.states)]
        shown: dict[Expression, Expression] = {}
        for each in kinds:
            shown |= each.shown
        if writer.weighed:
            lines.add(f"WEIGHED(back, ofr{writer.weighed[0]}, d_sum, out_ptr, out_post, back)")
        lines.add("EACH(i, P) {" if writer.weighed else "EACH_SPLIT(i, P) {")
        brought = "back[i]" if writer.weighed else "splat(0.0f)"
        names = writer.at_neuron("i")
        values = dict(zip(shown, lines.values(shown.values(), names), strict=True))
        for k, (part, term) in enumerate(list(values.items())):
            lines.add(f"const real from{k} = {term.real};", f"real d_from{k} = {brought};")
            values[part] = Term(f"from{k}")
        if self.weights.there:
            lines.add(*self.weights.noted(values))
        places = {part: f"d_from{k}" for k, part in enumerate(shown)}
        if not writer.weighed:
            for each in kinds:
                self.through(lines, each, values, places, "d_sum")
            lines.add(*(f"{place} = JOINED({place});" for place in places.values()))
        lines.add("if (PART == 0) {")
        seeds = {part: seed(place) for part, place in places.items()}
        to = dict(zip(writer.states, rows, strict=True))
        to |= self.summed("neuron", "i")
        found = self.gradients([(value, seeds[part]) for part, value in shown.items()], to)
        known = names | {seeds[part]: Term(place) for part, place in places.items()}
        terms = dict(zip(found, lines.values(found.values(), known), strict=True))
        for at in rows:
            more = f" + {terms[at].text}" if at in terms else ""
            lines.add(f"g[{at}] = local[{at}]{more};")
        lines.add(*(f"{place} += {term.text};" for place, term in terms.items() if place not in rows))
        lines.add("}", "}")
        if writer.taps.there:
            self._from_late(lines)
        return [*lines.lines, "BARRIER"]

    def sensory(self) -> list[str]:
        """Lines from the gradients of drives to samples, sensors and sensory synapses."""
        lines, each = Lines("c"), self.shape.synapses.get("sensory")
        late = self.writer.taps.there
        if each is None and not late:
            return ["EACH(i, I) g_sample[i] = splat(0.0f);"]
        shown = {} if each is None else each.shown
        lines.add("BARRIER")
        if each is not None and late and not self.writer.plastic:
            self._from_far(lines, each, "d_drive", "=")
        lines.add("EACH_SPLIT(i, I) {")
        if each is None:
            pass  # samples are kept for later ones, though nothing reads them
        elif self.writer.plastic:
            lines.add(*self._each_shown("const real d_from{0} = d_input[{0} * I + i];", each.shown))
        else:
            self._from_sensors(lines, each, "d_drive")
        lines.add("if (PART == 0) {")
        to = {RAW: "g_sample[i]", **self.summed("sensor", "i")}
        seeds = [seed(f"d_from{k}") for k in range(len(shown))]
        outputs = [(self.writer.of_raw(v), part) for v, part in zip(shown.values(), seeds, strict=True)]
        if late:
            seeds.append(seed("d_new[i]"))
            outputs.append((self.writer.of_raw(SAMPLE), seeds[-1]))
        found = self.gradients(outputs, to)
        names = self.writer.parameters("sensor", "i")
        names |= {RAW: Term("sample[i]")} | {part: Term(part.symbol.name) for part in seeds}
        terms = dict(zip(found, lines.values(found.values(), names), strict=True))
        lines.add(f"g_sample[i] = {terms.get('g_sample[i]', Term('0.0f', True)).real};")
        lines.add(*(f"{place} += {term.text};" for place, term in terms.items() if place != "g_sample[i]"))
        lines.add("}", "}")
        return lines.lines

    def through(
        self, lines: Lines, each: Synapses, shown: dict[Expression, Term], places: dict[Expression, str],
        sums: str,
    ) -> None:  # fmt: skip
        """Write a loop over the synapses that leave source i."""
        (ptr, out, post), (letter, _) = OUT[each.kind], HOMES[each.kind]
        writer, many = self.writer, len(each.totals)
        apart = each.kind == "recurrent" and self.weights.there
        mine = {part: place for part, place in places.items() if part in each.shown}
        seeds = [seed(f"{each.kind}{k}") for k in range(len(each.folded.of))]
        to = {
            Folded.symbol(k): f"sum_{letter}[{len(each.folded.parts)} * q + {k}]"
            for k in range(0 if apart else len(each.folded.parts))
        }
        held = dict(zip(each.states, (f"g[{place}]" for place in writer.places(each)), strict=True))
        found = self.gradients(list(zip(each.folded.of, seeds, strict=True)), to | mine | held)
        prefix = "" if each.kind == "electrical" else "o"
        names = {**writer.at_synapse(each, "q", prefix), **shown, **writer.held(each)}
        names |= {part: Term(f"at_post[{self._post(each, k)} * P + j]") for k, part in enumerate(each.posts)}
        lines.add(
            f"for (int q = {ptr}[i] + PART; q < {ptr}[i + 1]; q += PARTS) {{", f"const int j = {post}[q];"
        )
        if held:
            lines.add(f"const int k = {out}[q];")
        offset = writer.totals.index(each.totals[0]) if each.totals and sums == "d_sum" else 0
        for k, part in enumerate(seeds):
            place = f"{sums}[{offset + k} * P + j]" if k < many else f"g[{writer.places(each)[k - many]}]"
            lines.add(f"const real g_{letter}{k} = {place};")
            names[part] = Term(f"g_{letter}{k}")
        terms = dict(zip(found, lines.values(found.values(), names), strict=True))
        zero = Term("0.0f", True)
        lines.add(
            *(f"{place} += {term.text};" for place, term in terms.items() if place not in held.values())
        )
        lines.add(*(f"{place} = {terms.get(place, zero).real};" for place in held.values()), "}")

    def _post(self, each: Synapses, k: int) -> int:
        """Which of all that neurons have for their synapses is the k-th of a kind."""
        before = 0
        for kind in self.writer.stepped[: self.writer.stepped.index(each.kind)]:
            before += len(self.shape.synapses[kind].posts) if kind in self.shape.synapses else 0
        return before + k
