"""Delays of synapses in kernels: a state is followed by what it was, which synapses read at taps.

Behind states lie lines: for each state, ``P * DEEP`` numbers, of which number ``j * DEEP + d - 1`` is what
neuron j had d samples ago; then ``I * FAR`` of the same for sensors. A tap is one such number that some
synapse reads: source ``P + u`` is the u-th tap of a neuron, ``I + u`` that of a sensor. What synapses read of
it is the same for all steps of a solver, so it is computed once per sample; then the lines move on by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compile.synapses import Index, Synapses, pointers
from .delays import Delays
from .emission import Lines, Term
from .expression import Expression, name
from .model import SAMPLE, Model

BASE = {"recurrent": "P", "sensory": "I", "electrical": "P"}
"""How many sources there are of a kind, but for taps."""


@dataclass(frozen=True)
class Taps:
    """The lines that a kernel has for delays; none without any.

    Attributes:
        model: the equations.
        there: whether synapses have delays.
    """

    model: Model
    there: bool

    # Declarations

    @property
    def declared(self) -> list[str]:
        if not self.there:
            return []
        return [
            "//: sizes    U W DEEP FAR",
            "//: index    tap_ptr[P+1] tap[U] sensory_tap_ptr[I+1] sensory_tap[W]",
        ]

    def ends(self, kind: str) -> str:
        """How many sources there are of a kind."""
        more = {"recurrent": "U", "sensory": "W"} if self.there else {}
        return f"({BASE[kind]} + {more[kind]})" if kind in more else BASE[kind]

    @property
    def begin(self) -> str:
        """Where the lines begin in a state."""
        many = len(self.model.synaptic)
        return f"({len(self.model.states)} * P{f' + {many} * (EW + SW)' if many else ''})"

    @property
    def length(self) -> str:
        """How long the lines are."""
        return f"({len(self.model.states)} * P * DEEP + I * FAR)"

    @property
    def end(self) -> str:
        """Where what follows the lines begins."""
        return f"({self.begin} + {self.length})" if self.there else self.begin

    def line(self, s: int) -> str:
        """Where that of a state begins; behind all of them comes that of sensors."""
        return f"{self.begin} + {s} * P * DEEP"

    @property
    def far(self) -> str:
        return self.line(len(self.model.states))

    # What synapses read

    def states(self) -> dict[Expression, Term]:
        """What the states of neuron j were at its tap u."""
        return {
            name("state", key): Term(f"v[line + {self.line(s)} + tap[u]]")
            for s, key in enumerate(self.model.states)
        }

    def sample(self) -> dict[Expression, Term]:
        """What sensor i showed at its tap u."""
        return {SAMPLE: Term(f"v[line + {self.far} + sensory_tap[u]]")}

    # Forward

    def kept(self) -> list[str]:
        """Lines in front of a solver's steps."""
        if not self.there:
            return []
        states = range(len(self.model.states))
        first = [f"first[{s} * P + j] = v[now + {s} * P + j];" for s in states]
        return ["EACH(j, P) {", *first, "}"]

    @property
    def scratch(self) -> list[str]:
        return [f"first[{len(self.model.states)}*P]"] if self.there else []

    def moved(self, to: str, first: str, shown: Expression, names: dict[Expression, Term]) -> list[str]:
        """Lines that move the lines on, from `line` to `to`.

        Args:
            to: where the state behind the sample begins.
            first: what has the states before it, by their number.
            shown: what a sensor makes of a sample.
            names: what that is of, for sensor i.
        """
        if not self.there:
            return []
        lines = Lines("m")
        lines.add("BARRIER", "EACH(j, P) if (DEEP) {")
        for s in range(len(self.model.states)):
            at = f"{self.line(s)} + j * DEEP"
            lines.add(f"for (int k = DEEP - 1; k > 0; k--) v[{to} + {at} + k] = v[line + {at} + k - 1];")
            lines.add(f"v[{to} + {at}] = {first.format(s)};")
        lines.add("}", "EACH(i, I) if (FAR) {")
        at = f"{self.far} + i * FAR"
        lines.add(f"for (int k = FAR - 1; k > 0; k--) v[{to} + {at} + k] = v[line + {at} + k - 1];")
        (term,) = lines.values([shown], names)
        lines.add(f"v[{to} + {at}] = {term.real};", "}", "BARRIER")
        return lines.lines

    @property
    def saved(self) -> list[str]:
        """Lines that save them for the sample that follows."""
        if not self.there:
            return []
        here = f"SAVE(states, step * STRIDE + UNFOLDS, {self.begin} + j, v[now + {self.begin} + j])"
        return [f"EACH(j, {self.length}) {{ {here} }}"]

    # Backward

    def back(self) -> list[str]:
        """Lines from gradients of the lines behind a sample to those before, and to what was new in them."""
        if not self.there:
            return []
        lines = ["BARRIER", "EACH(j, P) {"]
        for s in range(len(self.model.states)):
            at = f"{self.line(s)} + j * DEEP"
            lines += [
                f"d_first[{s} * P + j] = splat(0.0f);",
                "if (DEEP) {",
                f"d_first[{s} * P + j] = g[{at}];",
                f"for (int k = 0; k < DEEP - 1; k++) g[{at} + k] = g[{at} + k + 1];",
                f"g[{at} + DEEP - 1] = splat(0.0f);",
                "}",
            ]
        at = f"{self.far} + i * FAR"
        return [
            *lines,
            "}",
            "EACH(i, I) {",
            "d_new[i] = splat(0.0f);",
            "if (FAR) {",
            f"d_new[i] = g[{at}];",
            f"for (int k = 0; k < FAR - 1; k++) g[{at} + k] = g[{at} + k + 1];",
            f"g[{at} + FAR - 1] = splat(0.0f);",
            "}",
            "}",
            "BARRIER",
        ]

    def first_back(self) -> list[str]:
        """Lines that give what was new in the lines to the states that it was of."""
        if not self.there:
            return []
        states = range(len(self.model.states))
        added = [f"g[{s} * P + j] += d_first[{s} * P + j];" for s in states]
        return ["BARRIER", "EACH(j, P) {", *added, "}", "BARRIER"]


def tap_arrays(delays: Delays, recurrent: Synapses, sensory: Synapses) -> dict[str, Index]:
    """The taps of synapses by their sources, and the index arrays of synapses that lead from them, too."""
    found: dict[str, Index] = {}
    for kind, prefix, synapses in (("recurrent", "", recurrent), ("sensory", "sensory_", sensory)):
        late: Index = getattr(delays, kind)
        deep, n = delays.depth(kind), synapses.n_pre
        places = synapses.pre.astype(np.int64) * deep + late - 1
        taps, numbers = np.unique(places[late > 0], return_inverse=True)
        pre = synapses.pre.copy()
        pre[late > 0] = n + numbers
        out = np.argsort(pre, kind="stable").astype(np.int32)
        arrays = {
            "tap": taps.astype(np.int32),
            "tap_ptr": pointers(taps // max(deep, 1), n),
            "pre": pre,
            "out_ptr": pointers(pre, n + len(taps)),
            "out": out,
            "out_post": synapses.post[out],
        }
        found |= {f"{prefix}{name}": array for name, array in arrays.items()}
    return found
