"""The kernels of a model as text in the small language, inside the frame of all cells: what both share."""

from __future__ import annotations

from collections.abc import Iterable

from .emission import Lines, Names, Term
from .expression import Expression, name, substituted
from .folding import Folded, costly_in_a_sample
from .model import SAMPLE, SPAN, STEP
from .noise_kernel import Noise
from .shape import Shape, Synapses
from .taps import Taps

RAW = name("raw", "x")
"""A sample before it is encoded."""
HOMES = {
    "recurrent": ("r", "E"),
    "sensory": ("s", "S"),
    "electrical": ("e", "K"),
    "neuron": ("n", "P"),
    "sensor": ("i", "I"),
    "motor": ("m", "M"),
}
"""The letter of a home, and how many values a parameter of it has."""
AT = {
    "recurrent": ("ptr", "pre"),
    "electrical": ("link_ptr", "link_pre"),
    "sensory": ("sensory_ptr", "sensory_pre"),
}
"""The index of a kind of synapses by their neurons, and that by their sources."""
OUT = {
    "recurrent": ("out_ptr", "out", "out_post"),
    "electrical": (
        "link_ptr",
        "",
        "link_pre",
    ),  # the way back is the other link of the pair, and conducts as much
    "sensory": ("sensory_out_ptr", "sensory_out", "sensory_out_post"),
}


def row(k: int, place: str) -> str:
    """Where the k-th of several values of a neuron is."""
    return f"{k} * P + {place}" if k else place


class Writer:
    """Writes the two kernels of a shape."""

    def __init__(self, shape: Shape, *, delayed: bool = False) -> None:
        self.shape, self.model = shape, shape.model
        self.taps = Taps(shape.model, delayed)
        self.states = [name("state", key) for key in self.model.states]
        self.plastic = bool(self.model.synaptic)  # then nothing that sensors bring is constant in a sample
        self.stepped = ("recurrent", "electrical", *(["sensory"] if self.plastic else []))
        self.totals = [t for kind in self.stepped for t in self._symbols(kind)]
        self.drives = [] if self.plastic else self._symbols("sensory")
        self.continuous, self.noise = self.model.continuous, Noise(self.model, self.taps.end)
        self.encoded = shape.encoded
        self.linear = not self.plastic and not self.model.noisy and shape.linear
        each = shape.synapses.get("recurrent")
        alone = each and self.linear and self.weights_apart and len(self.totals) == 1
        self.weighed = each.product if each and alone else None  # summed up as WEIGHED does
        found = costly_in_a_sample(shape.new) if self.continuous else []
        self.fixed = {part: name("fixed", str(k)) for k, part in enumerate(found)}

    @property
    def weights_apart(self) -> bool:
        """Whether a sample has several steps, for gradients of weights to be added up over."""
        return self.continuous and not self.taps.there

    def _symbols(self, kind: str) -> list[Expression]:
        return self.shape.synapses[kind].totals if kind in self.shape.synapses else []

    # Declarations

    def declared(self) -> list[str]:
        """What both kernels declare."""
        values = [f"q_{key}[{self.length(key)}]" for key in self.shape.values()]
        return [
            "//: sizes    T KEEP SAVING EVENTS BACK I N P M E S K UNFOLDS",
            "//: index    ptr[P+1] pre[E] sensory_ptr[P+1] sensory_pre[S] link_ptr[P+1] link_pre[K]",
            *(["//: index    in_order[P] in_many[P] in_read[E] in_spot[E]"] if self.weighed else []),
            *(["//: sizes    EW SW", "//: index    own[E] sensory_own[S]"] if self.plastic else []),
            *self.taps.declared,
            *(["//: blocks   2"] if self.linear else []),
            f"//: values   {' '.join([*values, 'held[P]', *self.noise.values])}",
        ]

    def length(self, key: str) -> str:
        return HOMES[self.shape.home(key)][1]

    def folds(self, prefix: str = "") -> list[str]:
        return [
            f"{prefix}f{HOMES[kind][0]}{k}[{HOMES[kind][1]}]"
            for kind, each in self.shape.synapses.items()
            for k in range(len(each.folded.parts))
        ]

    # Names

    def parameters(self, home: str, place: str) -> dict[Expression, Term]:
        """What the parameters of a home are."""
        return {name(home, key): Term(f"q_{key}[{place}]", True) for key in self.shape.used(home)}

    def at_neuron(self, place: str, begin: str = "now") -> dict[Expression, Term]:
        """What a neuron's names are; `begin` is where its states begin."""
        names = self.parameters("neuron", place)
        for s, state in enumerate(self.states):
            names[state] = Term(f"v[{begin} + {row(s, place)}]")
        for k, drive in enumerate(self.drives):
            names[drive] = Term(f"drive[{k} * P + {place}]")
        for k, part in enumerate(self.fixed.values()):
            names[part] = Term(f"fixed[{k} * P + {place}]")
        return {**names, STEP: Term("dt"), SPAN: Term("span")}

    def at_synapse(self, each: Synapses, place: str, prefix: str = "") -> dict[Expression, Term]:
        letter, _ = HOMES[each.kind]
        return {
            Folded.symbol(k): Term(f"{prefix}f{letter}{k}[{place}]", True)
            for k in range(len(each.folded.parts))
        }

    def places(self, each: Synapses) -> list[str]:
        """Where in a state those of synapse k are; a state has room for synapses that are cut, too."""
        many, sensory = len(each.states), each.kind == "sensory"
        before = f" + {many} * EW" if sensory else ""
        length, place = ("SW", "sensory_own[k]") if sensory else ("EW", "own[k]")
        return [f"{len(self.states)} * P{before} + {m} * {length} + {place}" for m in range(many)]

    def held(self, each: Synapses, begin: str = "now") -> dict[Expression, Term]:
        """What the states of synapse k are."""
        pairs = zip(each.states, self.places(each), strict=True)
        return {state: Term(f"v[{begin} + {place}]") for state, place in pairs}

    # Parts of both

    def folding(self) -> list[str]:
        """Lines that fold the parameters of synapses."""
        lines = Lines("p")
        lines.add("EACH_SPLIT(j, P) {")
        for kind, each in self.shape.synapses.items():
            if each.folded.parts:
                (letter, _), (ptr, _) = HOMES[kind], AT[kind]
                names = self.parameters(kind, "k")
                lines.add(f"for (int k = {ptr}[j] + PART; k < {ptr}[j + 1]; k += PARTS) {{")
                for k, term in enumerate(lines.values(each.folded.parts, names)):
                    at = "SPOT(k, in)" if self.weighed and kind == "recurrent" else "k"
                    lines.add(f"f{letter}{k}[{at}] = {term.text};")
                lines.add("}")
        lines.add("}", "BARRIER")
        return lines.lines

    def inputs(self) -> list[str]:
        """Lines that make of a sample what does not change during the steps of a solver."""
        lines = Lines("i")
        if self.continuous:
            lines.add("dt = choose(span < TINY, splat(1.0f), span) * (1.0f / UNFOLDS);")
        if self.taps.there:
            self._at_taps(lines)
        each = self.shape.synapses.get("sensory")
        if each is not None:
            self._at_sensors(lines, each)
        if self.fixed:
            lines.add("EACH(j, P) {")
            for k, term in enumerate(lines.values(self.fixed, self.at_neuron("j"))):
                lines.add(f"fixed[{k} * P + j] = {term.real};")
            lines.add("}")
        return lines.lines

    def _at_sensors(self, lines: Lines, each: Synapses) -> None:
        """Write what sensors show, and what that brings to neurons in a sample."""
        names = self.parameters("sensor", "i")
        ends = self.taps.ends("sensory")
        if self.taps.there:
            lines.add("EACH(i, I) for (int u = sensory_tap_ptr[i]; u < sensory_tap_ptr[i + 1]; u++) {")
            for k, term in enumerate(lines.values(each.shown.values(), self.taps.sample())):
                lines.add(f"input[{k} * {ends} + I + u] = {term.real};")
            lines.add("}")
        lines.add("EACH(i, I) {")
        shown = [self.of_raw(value) for value in each.shown.values()]
        for k, term in enumerate(lines.values(shown, {**names, RAW: Term("sample[i]")})):
            lines.add(f"input[{k} * {ends} + i] = {term.real};")
        lines.add("}", "BARRIER")
        if self.plastic:
            return
        lines.add("EACH_SPLIT(j, P) {")
        lines.add(*self._sums(lines, each, self.read(each)), "if (PART == 0) {")
        lines.add(*(f"drive[{k} * P + j] = t_s{k};" for k in range(len(each.totals))), "}", "}")

    def _at_taps(self, lines: Lines) -> None:
        """Write what neurons show those synapses that have delays."""
        sources = self.sources_shown()
        lines.add("BARRIER")
        if sources:
            lines.add("EACH(j, P) for (int u = tap_ptr[j]; u < tap_ptr[j + 1]; u++) {")
            names = {**self.parameters("neuron", "j"), **self.taps.states()}
            for k, term in enumerate(lines.values(sources.values(), names)):
                lines.add(f"{self.show(k, 'P + u')} = {term.real};")
            lines.add("}")

    def show(self, k: int, source: str) -> str:
        """Where the k-th of what a source shows is."""
        return f"show[{k} * {self.taps.ends('recurrent')} + {source}]"

    def of_raw(self, value: Expression) -> Expression:
        return substituted(value, {SAMPLE: substituted(self.encoded, {SAMPLE: RAW})})

    def _sums(self, lines: Lines, each: Synapses, read: Names) -> list[str]:
        """Lines that sum up what synapses bring to neuron j, as t_r0 and so on."""
        (letter, _), (ptr, pre) = HOMES[each.kind], AT[each.kind]
        lines.add(*(f"real t_{letter}{k} = splat(0.0f);" for k in range(len(each.totals))))
        named = {**self.at_synapse(each, "k"), **read, **self.held(each), **self.posts(lines, each)}
        lines.add(f"for (int k = {ptr}[j] + PART; k < {ptr}[j + 1]; k += PARTS) {{")
        if read:
            lines.add(f"const int from = {pre}[k];")
        terms = lines.values(each.folded.of, named)
        many = len(each.totals)
        lines.add(*(f"t_{letter}{k} += {term.text};" for k, term in enumerate(terms[:many])))
        for place, term in zip(self.places(each), terms[many:], strict=True):
            lines.add(f"v[next + {place}] = {term.real};", f"REMEMBER_STATE({place})")
        lines.add("}")
        return [f"t_{letter}{k} = JOINED(t_{letter}{k});" for k in range(len(each.totals))]

    def posts(self, lines: Lines, each: Synapses) -> dict[Expression, Term]:
        """What neuron j has for its synapses, after lines that compute it."""
        found = {}
        values = lines.values(each.posts.values(), self.at_neuron("j"))
        for k, (part, term) in enumerate(zip(each.posts, values, strict=True)):
            found[part] = Term(f"post_{HOMES[each.kind][0]}{k}")
            lines.add(f"const real {found[part].text} = {term.real};")
        return found

    def read(self, each: Synapses, source: str = "from") -> dict[Expression, Term]:
        """What a source of a synapse shows in a step."""
        if each.kind == "sensory":
            ends = self.taps.ends("sensory")
            return {part: Term(f"input[{k} * {ends} + {source}]") for k, part in enumerate(each.shown)}
        named = {part: Term(self.show(k, source)) for k, part in enumerate(self.sources_shown())}
        states = self.at_neuron(source)
        return {part: named.get(part) or states[value] for part, value in each.shown.items()}

    def sources(self, lines: Lines) -> None:
        """Write what neurons show their synapses but for states as they are."""
        sources = self.sources_shown()
        if sources:
            lines.add("EACH(j, P) {")
            for k, term in enumerate(lines.values(sources.values(), self.at_neuron("j"))):
                lines.add(f"{self.show(k, 'j')} = {term.real};")
            lines.add("}", "BARRIER")

    def sources_shown(self) -> dict[Expression, Expression]:
        """What synapses between neurons read; without delays, states as they are need no copy."""
        found: dict[Expression, Expression] = {}
        for kind in ("recurrent", "electrical"):
            if kind in self.shape.synapses:
                found |= self.shape.synapses[kind].shown
        return {part: value for part, value in found.items() if value.op != "name" or self.taps.there}

    def unfold(self, *, again: bool = False) -> list[str]:
        """Lines of one step of the solver, from the states at `now` to those at `next`; `again`, backward."""
        lines = Lines("u")
        if self.weighed:
            return self._weighed_step(lines, self.weighed, again)
        self.sources(lines)
        lines.add(*self.noise.entered(), "EACH_SPLIT(j, P) {")
        joined: list[str] = []
        names = self.at_neuron("j") | self.noise.names()
        for kind in self.stepped:
            if kind in self.shape.synapses:
                each = self.shape.synapses[kind]
                joined += self._sums(lines, each, self.read(each))
                names |= {t: Term(f"t_{HOMES[kind][0]}{k}") for k, t in enumerate(each.totals)}
        lines.add(*joined, "if (PART == 0) {")
        if self.linear:  # a loop of its own: several neurons at once, no end of a loop over synapses between
            summed = [Term(f"summed[{k} * P + j]") for k in range(len(self.totals))]
            pairs = zip(summed, self.totals, strict=True)
            lines.add(*(f"{place.text} = {names[total].text};" for place, total in pairs))
            lines.add("}", "}", "EACH(j, P) {", "{")
            names |= dict(zip(self.totals, summed, strict=True))
        return self._stepped(lines, names)

    def _weighed_step(self, lines: Lines, weighed: tuple[int, Expression], again: bool) -> list[str]:
        """The same where synapses are products: again, their sums are taken from what forward saved."""
        (weight, shown), (total,) = weighed, self.totals
        begin = self.read(self.shape.synapses["recurrent"], "0")[shown].text
        lines.add(*(["if (!SAVING) {"] if again else []))
        self.sources(lines)
        lines.add(f"WEIGHED(summed, fr{weight}, &{begin}, ptr, pre, in)")
        lines.add(*(["}"] if again else []), "EACH(j, P) {", "{")
        summed = "summed[j]"
        if again:
            lines.add(f"const real was = SAVING ? SAVED(sums, step * UNFOLDS + u, j) : {summed};")
            summed = "was"
        return self._stepped(lines, self.at_neuron("j") | {total: Term(summed)})

    def _stepped(self, lines: Lines, names: Names) -> list[str]:
        """Lines that go on from its sums to the new states of neuron j."""
        for k, total in enumerate(self.totals):
            lines.add(f"REMEMBER({k}, {names[total].text})")
        lines.add("if (held[j] > 0.0f) {")
        places = [row(s, "j") for s in range(len(self.states))]
        lines.add(*(f"v[next + {place}] = v[now + {place}];" for place in places), "} else {")
        lines.add(*self.noise.drawn())
        terms = lines.values((self.by_fixed(part) for part in self.shape.new), names)
        lines.add(*(f"v[next + {place}] = {term.real};" for place, term in zip(places, terms, strict=True)))
        lines.add("}", *(f"REMEMBER_STATE({place})" for place in places), "}", "}")
        lines.add(*self.noise.kept(), "BARRIER")
        return lines.lines

    def by_fixed(self, part: Expression) -> Expression:
        """An expression at a neuron in which names stand for what no step of the solver changes."""
        return substituted(part, self.fixed)

    def shown(self, begin: str) -> str:
        """What motor neuron j shows, as one expression."""
        if self.shape.decoded is None:
            return f"v[{begin} + j]"
        names = self.at_neuron("j", begin) | self.parameters("motor", "j")
        return Lines().values([self.shape.decoded], names, inline=True)[0].real

    # What both need

    @property
    def saved_states(self) -> str:
        """How many states forward saves: all, or one per sample, where sums are all that the others take."""
        return "SAVING*T" if self.weighed else "SAVING*(T*(UNFOLDS+EVENTS)+1)"

    def moved(self, to: str, first: str) -> list[str]:
        """Lines that let what delays keep go on by one sample."""
        shown = substituted(self.encoded, {SAMPLE: RAW})
        names = {**self.parameters("sensor", "i"), RAW: Term("sample[i]")}
        return self.taps.moved(to, first, shown, names)

    def scratch(self) -> str:
        sensory = self.shape.synapses.get("sensory")
        inputs = len(sensory.shown) if sensory else 0
        ends = {kind: self.taps.ends(kind).replace(" ", "") for kind in ("recurrent", "sensory")}
        parts = [
            f"input[{inputs}*{ends['sensory']}]",
            f"drive[{len(self.drives)}*P]",
            f"fixed[{len(self.fixed)}*P]",
            f"summed[{len(self.totals) * self.linear}*P]",
            f"show[{len(self.sources_shown())}*{ends['recurrent']}]",
        ]
        return " ".join(part for part in parts if "[0*" not in part)


def joined(head: Iterable[str], body: Iterable[str]) -> str:
    """A file; its lines are indented by their braces."""
    depth, lines = 0, [*head, ""]
    for line in body:
        closing = len(line) - len(line.lstrip("}"))
        indent = 0 if line.startswith("#") and "include" not in line else depth - closing
        lines.append("    " * max(indent, 0) + line)
        depth += line.count("{") - line.count("}")
    return "\n".join(lines) + "\n"
