"""Equations for people, in LaTeX."""

from __future__ import annotations

import ast
import re

from .declaration import Declaration
from .functions import FUNCTIONS
from .parsing import Sides, Text, sides, tree

GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|"
    "omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
SIGNS = {ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge"}


def latex(declaration: Declaration) -> str:
    """The equations of neurons, one a line, as the body of ``aligned``; `inputs` and `outputs` are left out.

    Example:
        >>> print(LRC.latex())
    """
    d, lines = declaration, list[str]()
    synaptic = {key for key, q in d.parameters.items() if q.home in ("synapse", "electrical")}
    plastic = [sides(Text("", text), derivative=bool(d.dynamics)) for text in d.synapse_states]
    from_sensors = [sides(Text("", text), derivative=bool(d.dynamics)) for text in d.sensory_states]
    synaptic |= {side.state for side in plastic}

    def sum_of(key: str, text: str, over: str) -> str:
        return rf"{_name(key)}_j &= \sum_{{{over}}} {_printed(text, synaptic, at_synapse=True, tight=2)}"

    def noise(state: str, mass: str = "") -> str:
        """The noise of a state, which is that of its derivative."""
        strong = d.noise.get(state)
        return "" if strong is None else rf" + {mass}{_printed(strong, synaptic, tight=2)}\,\xi_j"

    for key, text in d.synapse.items():
        lines.append(sum_of(key, text, r"i \to j"))
        if key in d.sensory:
            lines[-1] += (
                rf" + \sum_{{s \to j}} {_printed(d.sensory[key], synaptic, at_synapse=True, tight=2)}"
            )
    lines += [sum_of(key, text, "i - j") for key, text in d.electrical.items()]
    lines += [rf"{_name(key)}_j &= {_printed(text, synaptic)}" for key, text in d.let.items()]

    def derived(side: Sides, of: str) -> str:
        """An equation for a state of neurons or synapses."""
        right = _printed(side.right.text, synaptic, at_synapse=of == "ij")
        state = rf"{_name(side.state)}_{{{of}}}" if len(of) > 1 else f"{_name(side.state)}_{of}"
        if not d.dynamics:
            return rf"{state} &\leftarrow {right}{noise(side.state)}"
        mass = ""
        if side.mass is not None:
            mass = rf"{_printed(side.mass.text, synaptic, at_synapse=of == 'ij', tight=2)}\,"
        return rf"{mass}\frac{{d{state}}}{{dt}} &= {right}{noise(side.state, mass)}"

    lines += [derived(side, "ij") for side in plastic]
    lines += [rf"{derived(side, 'ij')} \quad \text{{from sensors}}" for side in from_sensors]
    texts = d.dynamics or d.update
    lines += [derived(sides(Text("", text), derivative=bool(d.dynamics)), "j") for text in texts]
    return " \\\\\n".join(lines)


def _printed(text: str, synaptic: set[str], *, at_synapse: bool = False, tight: int = 0) -> str:
    def name(key: str) -> str:
        if key == "x":
            return "x_s"
        if key == "timespan":
            return r"\Delta t"
        if key.endswith("_pre"):
            return f"{_name(key[:-4])}_i"
        return f"{_name(key)}_{{ij}}" if at_synapse and key in synaptic else f"{_name(key)}_j"

    def of(node: ast.expr, tight: int = 0) -> str:
        """A part; `tight` is how strongly what is around it binds."""
        if isinstance(node, ast.Constant):
            return repr(node.value).removesuffix(".0") if isinstance(node.value, int | float) else ""
        if isinstance(node, ast.Name):
            return name(node.id)
        if isinstance(node, ast.UnaryOp):
            sign = "-" if isinstance(node.op, ast.USub) else ""
            return _around(f"{sign}{of(node.operand, 2)}", tight > 1)
        if isinstance(node, ast.BinOp):
            return operation(node, tight)
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "where":
            return where(node)
        parts = [of(part) for part in node.args]
        if node.func.id not in FUNCTIONS:
            return rf"{_name(node.func.id)}\left({', '.join(parts)}\right)"
        return FUNCTIONS[node.func.id].latex.format(*parts)

    def where(node: ast.Call) -> str:
        test = node.args[0]
        assert isinstance(test, ast.Compare)
        left, right = of(test.left), of(test.comparators[0])
        yes, no = (of(part) for part in node.args[1:])
        return (
            rf"\begin{{cases}}{yes} & {left} {SIGNS[type(test.ops[0])]} {right}\\"
            rf"{no} & \text{{otherwise}}\end{{cases}}"
        )

    def operation(node: ast.BinOp, tight: int) -> str:
        if isinstance(node.op, ast.Div):
            return rf"\frac{{{of(node.left)}}}{{{of(node.right)}}}"
        if isinstance(node.op, ast.Pow):
            base = _around(of(node.left), not isinstance(node.left, ast.Name | ast.Constant))
            return rf"{base}^{{{of(node.right)}}}"
        if isinstance(node.op, ast.Mult):
            return _around(rf"{of(node.left, 2)}\,{of(node.right, 2)}", tight > 2)
        sign = "+" if isinstance(node.op, ast.Add) else "-"
        right = of(node.right, 2 if sign == "-" else 1)
        return _around(f"{of(node.left, 1)} {sign} {right}", tight > 1)

    return of(tree(Text("", text)), tight)


def _around(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text


def _name(key: str) -> str:
    """A name as a letter, or as upright text."""
    if GREEK.fullmatch(key):
        return rf"\{key}"
    if len(key) == 1:
        return key
    word = re.sub("_", r"\\_", key)
    return rf"\mathrm{{{word}}}"
