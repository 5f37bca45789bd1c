"""Backward to the weights of synapses that do nothing but weigh what their sources show."""

from __future__ import annotations

from collections.abc import Callable

from .emission import Lines, Names, Term
from .expression import Expression, name
from .folding import Folded
from .shape import Synapses
from .text import OUT, Writer, row

USUAL = 6
"""Steps of the solver that are written one behind the other: what a source showed stays in registers."""
Gradients = Callable[[list[tuple[Expression, Expression]], dict[Expression, str]], dict[str, Expression]]


class Weights:
    """Their gradients, once per sample and for all steps of the solver.

    A step goes through the synapses for their sources alone. What it would add to each gradient is added up
    over the steps in a register, so that sums for each synapse are fetched once per sample; these keep four
    lanes, not all.

    Args:
        writer: of the kernels.

    Attributes:
        there: whether the kernel's recurrent synapses are of that kind.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer, self._each = writer, writer.shape.synapses.get("recurrent")
        self.there = writer.linear and self._each is not None and writer.weights_apart

    @property
    def _synapses(self) -> Synapses:
        assert self._each is not None
        return self._each

    @property
    def _computed(self) -> list[Expression]:
        """What sources show, other than a state as it is."""
        return [part for part, value in self._synapses.shown.items() if value.op != "name"]

    def memory(self, sums: int) -> list[str]:
        """What is needed from all steps of a sample: gradients of sums, and what sources showed."""
        if not self.there:
            return []
        shows = len(self._computed)
        return [f"d_sums[UNFOLDS*{sums}*P]", *([f"shows[UNFOLDS*{shows}*P]"] if shows else [])]

    def noted(self, values: Names) -> list[str]:
        """Lines that note what source i shows in step u."""
        shows = len(self._computed)
        return [
            f"if (PART == 0) shows[(u * {shows} + {k}) * P + i] = {values[part].real};"
            for k, part in enumerate(self._computed)
        ]

    def lines(self, gradients: Gradients) -> list[str]:
        """Lines that add what a sample gives to the gradients."""
        if not self.there:
            return []
        lines = Lines("w")
        lines.add(f"if (UNFOLDS == {USUAL}) {{", "EACH_SPLIT(i, P) {")
        shown = [self._shown(lines, str(u), f"_{u}") for u in range(USUAL)]
        self._loop(lines, gradients, [(str(u), names) for u, names in enumerate(shown)], str(USUAL))
        lines.add("}", "} else {", "EACH_SPLIT(i, P) {")
        self._loop(lines, gradients, [("u", None)], "UNFOLDS")
        return [*lines.lines, "}", "}"]

    def _loop(
        self,
        lines: Lines,
        gradients: Gradients,
        steps: list[tuple[str, Names | None]],
        unfolds: str,
    ) -> None:
        """Write a loop over the synapses that leave source i; steps have what it showed, if that is known."""
        (ptr, _, post), each = OUT["recurrent"], self._synapses
        many, first = len(each.folded.parts), self.writer.totals.index(each.totals[0])
        seeds = [name("seed", f"weighed {k}") for k in range(len(each.totals))]
        sums = {Folded.symbol(n): f"w_{n}" for n in range(many)}
        found = gradients(list(zip(each.folded.of, seeds, strict=True)), sums)
        lines.add(f"for (int q = {ptr}[i] + PART; q < {ptr}[i + 1]; q += PARTS) {{")
        lines.add(f"const int at = {post}[q] * {unfolds};")
        lines.add(*(f"real w_{n} = splat(0.0f);" for n in range(many)))
        for u, known in steps:
            if known is None:
                lines.add(f"for (int u = 0; u < {unfolds}; u++) {{")
            names = dict(known or self._shown(lines, u, ""))
            for k, part in enumerate(seeds):
                names[part] = Term(f"d_sums[{first + k} * P * {unfolds} + at + {u}]")
            terms = lines.values(found.values(), names)
            lines.add(*(f"{place} += {term.text};" for place, term in zip(found, terms, strict=True)))
            if known is None:
                lines.add("}")
        lines.add(*(f"ADD_SUM(sum_r, {many} * q + {n}, w_{n})" for n in range(many)), "}")

    def _shown(self, lines: Lines, u: str, ending: str) -> dict[Expression, Term]:
        """What source i showed in step u, behind lines that fetch it."""
        shows, found = len(self._computed), {}
        for n, (part, value) in enumerate(self._synapses.shown.items()):
            if value.op == "name":
                place = f"v[{u} * N + {row(self.writer.states.index(value), 'i')}]"
            else:
                place = f"shows[({u} * {shows} + {self._computed.index(part)}) * P + i]"
            found[part] = Term(f"from{n}{ending}")
            lines.add(f"const real {found[part].text} = {place};")
        return found
