"""Whether the units that a class says of its quantities fit its equations."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction

from ...arguments import label
from .declaration import Declaration
from .parsing import EquationError, Text, column_of, sides, tree
from .units import ONE, Unit, unit_of

PURE = frozenset({"exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus", "spike"})
"""Functions of what has no unit."""
OTHERS = ("timespan", "x")
"""What has a unit beside what a class declares: the time, and what sensors show."""
Names = Callable[[str], "Unit | None"]


def check_units(declaration: Declaration) -> None:
    """Compare the units of all equations; what has none said of it fits anything.

    Raises:
        EquationError: a unit of nothing, or units that do not fit, with the column at fault.
    """
    if declaration.units:
        _Checking(declaration).check()


class _Checking:
    """Goes through the equations of a class."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = d = declaration
        self.states = [
            (text, sides(text, derivative=bool(d.dynamics)), word)
            for word in ("dynamics", "update", "synapse_states", "sensory_states")
            for text in (d.text(word, k) for k in range(len(getattr(d, word))))
        ]
        self.first = self.states[0][1].state
        known = {*d.parameters, *d.synapse, *d.electrical, *d.let, *OTHERS}
        known |= {side.state for _, side, _ in self.states}
        self.said: dict[str, Unit] = {}
        for key, text in d.units.items():
            if key not in known:
                raise EquationError(
                    f"{d.owner}.units: there is no {label(key)}: expected one of {', '.join(sorted(known))}"
                )
            try:
                self.said[key] = unit_of(text)
            except ValueError as error:
                raise EquationError(f"{d.owner}.units[{key!r}]: {error}") from None
        self.found: dict[str, Unit | None] = {}

    def check(self) -> None:
        """All equations."""
        d = self.declaration
        for key in (*d.synapse, *d.electrical, *d.let):
            self.of_neuron(key)
        time = self.said.get("timespan")
        for _, side, word in self.states:
            names = self.of_sensor if word == "sensory_states" else self.of_neuron
            unit = self.said.get(side.state)
            if d.dynamics:
                mass = ONE if side.mass is None else self.of(side.mass, names)
                known = unit is not None and mass is not None and time is not None
                unit = unit * mass / time if known and unit and mass and time else None
            self.expect(side.right, unit, names, "what stands on the left")
        for state, _ in d.noise.items():
            unit = self.said.get(state)
            if d.dynamics:
                unit = unit / time ** Fraction(1, 2) if unit is not None and time is not None else None
            self.expect(d.text("noise", state), unit, self.of_neuron, f"the noise of {state!r}")
        if d.inputs is not None:
            shown = self.said.get("x", self.said.get(self.first))
            named = self.said | {"x": None}  # the sample, before it is encoded
            self.expect(d.text("inputs"), shown, named.get, "what a sensor shows")
        if d.outputs is not None:
            self.of(d.text("outputs"), self.of_neuron)

    def expect(self, text: Text, unit: Unit | None, names: Names, what: str) -> None:
        """Refuse a text that is in another unit."""
        found = self.of(text, names)
        if unit is not None and found is not None and not found.same(unit):
            raise text.error(f"this {_in(found)}: {what} {_in(unit)}")

    def of(self, text: Text, names: Names) -> Unit | None:
        """The unit of a text; None if it is not known."""
        return _Text(text, names, self.declaration.functions).of(tree(text))

    def of_neuron(self, key: str) -> Unit | None:
        """The unit of a name at a neuron, or at a recurrent synapse."""
        d = self.declaration
        key = key.removesuffix("_pre")
        if key not in self.found:
            self.found[key] = self.said.get(key)
            texts = [(word, self.of_neuron) for word in ("synapse", "electrical", "let")]
            texts.append(("sensory" if key in d.sensory else "synapse", self.of_sensor))
            for word, names in texts:
                if key in getattr(d, word):
                    self.expect(d.text(word, key), self.found[key], names, repr(key))
                    self.found[key] = self.found[key] or self.of(d.text(word, key), names)
        return self.found[key]

    def of_sensor(self, key: str) -> Unit | None:
        """The unit of a name at a synapse from a sensor."""
        shown = key in ("x", f"{self.first}_pre")
        return self.said.get("x", self.said.get(self.first)) if shown else self.of_neuron(key)


def _in(unit: Unit) -> str:
    return "has no unit" if unit.same(ONE) else f"is in {unit}"


class _Text:
    """Goes through one text."""

    def __init__(self, text: Text, names: Names, own: Mapping[str, object]) -> None:
        self.text, self.names, self.own = text, names, own

    def of(self, node: ast.expr) -> Unit | None:
        """The unit of a part; None if it is not known, or may be any."""
        if isinstance(node, ast.Constant):
            return ONE if node.value else None
        if isinstance(node, ast.Name):
            return self.names(node.id)
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand)
        if isinstance(node, ast.BinOp):
            return self.operation(node)
        assert isinstance(node, ast.Call)
        return self.called(node)

    def operation(self, node: ast.BinOp) -> Unit | None:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Add | ast.Sub):
            return self.alike(node.right, right, left)
        if isinstance(node.op, ast.Pow):
            try:
                return None if left is None else left ** int(ast.literal_eval(node.right))
            except ValueError:  # a power that is computed
                return None
        if left is None or right is None:
            return None
        return left * right if isinstance(node.op, ast.Mult) else left / right

    def alike(self, node: ast.expr, unit: Unit | None, other: Unit | None) -> Unit | None:
        """The unit of two parts that have to have the same one."""
        if unit is not None and other is not None and not unit.same(other):
            raise self.wrong(node, f"{_in(unit)}, and what stands beside it {_in(other)}")
        return unit if other is None else other

    def called(self, node: ast.Call) -> Unit | None:
        assert isinstance(node.func, ast.Name)
        function = node.func.id
        if function == "where":
            test = node.args[0]
            assert isinstance(test, ast.Compare)
            self.alike(test.comparators[0], self.of(test.comparators[0]), self.of(test.left))
            return self.alike(node.args[2], self.of(node.args[2]), self.of(node.args[1]))
        units = [self.of(part) for part in node.args]
        if function in self.own:
            return None
        if function in PURE:
            for part, unit in zip(node.args, units, strict=True):
                if unit is not None and not unit.same(ONE):
                    raise self.wrong(part, f"{_in(unit)}: {function} is of a number without any")
            return ONE
        if function == "sqrt":
            return None if units[0] is None else units[0] ** Fraction(1, 2)
        if len(units) == 2:  # min and max
            return self.alike(node.args[1], units[1], units[0])
        return units[0]

    def wrong(self, node: ast.expr, told: str) -> EquationError:
        return self.text.error(f"{label(ast.unparse(node), 60)} {told}", column_of(self.text, node))
