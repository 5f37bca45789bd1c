"""The noise of equations in kernels: the random numbers of `noise.py` in the small language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..threefry import PARITY, ROTATIONS, ROUNDS
from .emission import Term
from .expression import Expression, name
from .model import Model

_KEYS = ("key_", "row_", "third_")
_TURNS = [
    f"    {' '.join(f'ROUND_({by})' for by in ROTATIONS[turn % 2])} "
    f"a_ += {_KEYS[(turn + 1) % 3]}; b_ += {_KEYS[(turn + 2) % 3]} + {turn + 1}u; \\"
    for turn in range(ROUNDS // 4)
]
PRELUDE = "\n".join(
    [
        "#ifdef LANES",
        "typedef uint32_t bits __attribute__((vector_size(4 * LANES)));",
        "#define BITS(value) ((bits)__builtin_convertvector(value, whole))",
        "#define REAL(value) __builtin_convertvector((whole)(value), real)",
        "#define LOOK(at) ({ union { bits all; uint32_t each[LANES]; } look_ = {(at)}; \\",
        "    union { real all; float each[LANES]; } found_; \\",
        "    for (int lane_ = 0; lane_ < LANES; lane_++) found_.each[lane_] = normal[look_.each[lane_]]; \\",
        "    found_.all; })",
        "#else",
        "typedef unsigned int bits;",
        "#define BITS(value) ((bits)(value))",
        "#define REAL(value) ((real)(value))",
        "#define LOOK(at) normal[at]",
        "#endif",
        "#define WORD(from) \\",
        "    (BITS(v[from]) | BITS(v[(from) + 1]) << 8 \\",
        "    | BITS(v[(from) + 2]) << 16 | BITS(v[(from) + 3]) << 24)",
        "#define ROUND_(by) a_ += b_; b_ = ((b_ << by) | (b_ >> (32 - by))) ^ a_;",
        "#define THREEFRY(draw) bits a_ = turn_ + (unsigned int)(draw) + key_, b_ = row_ + own_; \\",
        *_TURNS,
        "    b_ = a_;",
        "#define NORMAL ((LOOK(a_ & 255u) + LOOK((a_ >> 8) & 255u)) \\",
        "    + (LOOK((a_ >> 16) & 255u) + LOOK((a_ >> 24) & 255u)))",
        "",
    ]
)


@dataclass(frozen=True)
class Noise:
    """The lines that a kernel has for the noise of a model; none without any.

    Attributes:
        model: the equations.
        at: where in a state the noise goes on from.
    """

    model: Model
    at: str

    @property
    def prelude(self) -> list[str]:
        return PRELUDE.splitlines() if self.model.noisy else []

    @property
    def values(self) -> list[str]:
        """What kernels take beside parameters: the table, the halves of the seed, and those of places."""
        return ["normal[256]", "seed[2]", "place[2*P]"] if self.model.noisy else []

    def names(self) -> dict[Expression, Term]:
        """What the normal numbers of a step are called."""
        states = self.model.states
        return {name("noise", v): Term(f"z{states.index(v)}") for v in self.model.noisy}

    def entered(self) -> list[str]:
        """Lines in front of the loop over neurons."""
        if not self.model.noisy:
            return []
        return [
            f"const bits row_ = WORD(now + {self.at});",
            f"const bits turn_ = WORD(now + {self.at} + 4) * (UNFOLDS * {len(self.model.states)}u);",
            f"const unsigned int key_ = {_halves('seed', '0')};",
            f"const bits third_ = row_ ^ key_ ^ {PARITY}u;",
        ]

    def drawn(self) -> list[str]:
        """Lines that draw the numbers of neuron j."""
        if not self.model.noisy:
            return []
        lines, count = [f"const unsigned int own_ = {_halves('place', 'j')};"], len(self.model.states)
        for k, state in enumerate(self.model.states):
            if state in self.model.noisy:
                lines += [f"real z{k};", f"{{ THREEFRY(u * {count} + {k}) z{k} = NORMAL; }}"]
        return lines

    def kept(self) -> list[str]:
        """Lines that take it along from `now` to `next`."""
        if not self.model.noisy:
            return []
        return [f"EACH_IN(j, {self.at}, N) {{", "v[next + j] = v[now + j];", "REMEMBER_STATE(j)", "}"]

    def counted(self, from_: str, to: str, and_then: str = "") -> list[str]:
        """Lines that count a sample, from a state to another one or itself."""
        if not self.model.noisy:
            return []
        return [
            f"const bits row_ = WORD({from_} + {self.at}), tally_ = WORD({from_} + {self.at} + 4) + 1u;",
            "BARRIER",
            f"EACH_IN(j, {self.at}, N) {{",
            f"v[{to} + j] = {self.byte};",
            *([and_then] if and_then else []),
            "}",
        ]

    def ended(self, place: str) -> list[str]:
        """Lines that let it go on behind the end of an episode, at which the frame writes zeros."""
        if not self.model.noisy:
            return []
        return [f"EACH_IN(j, {self.at}, N) {place} = choose(event > 0.0f, {self.byte}, {place});"]

    @property
    def byte(self) -> str:
        """Entry j of what it goes on from."""
        start = self.at
        which = f"(j < {start} + 4 ? row_ : tally_)"
        return f"REAL(({which} >> (unsigned int)(8 * ((j - {start}) % 4))) & 255u)"

    def cleared(self) -> list[str]:
        """Lines for the gradients of what has none."""
        if not self.model.noisy:
            return []
        return [f"EACH_IN(j, {self.at}, N) g[j] = splat(0.0f);"]

    def totals(self) -> list[str]:
        """Lines for those of what is no parameter."""
        if not self.model.noisy:
            return []
        return [
            "EACH(j, 256) d_normal[j] = 0.0f;",
            "EACH(j, 2) d_seed[j] = 0.0f;",
            "EACH(j, 2 * P) d_place[j] = 0.0f;",
        ]


def _halves(of: str, at: str) -> str:
    """A word, which a kernel has as two numbers."""
    return f"((unsigned int){of}[2 * {at} + 1] << 16 | (unsigned int){of}[2 * {at}])"


def halves(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Words as kernels take them."""
    return np.stack([words & 0xFFFF, words >> 16], axis=1).astype(np.float32).reshape(-1)
