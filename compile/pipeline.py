"""From a circuit to masks, in numbered passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx

from ..errors import CircuitError, LayoutError
from ..wiring import Circuit, check
from .layouts import LAYOUTS, Projection, lay_out
from .plan import Plan

# What can be compiled: a Circuit or any other DiGraph, a plan, or what was compiled before.
Source: TypeAlias = "nx.DiGraph[Any] | Plan | CompiledCircuit"

ORDERS = ("role",)
BLOCK_SIZES = (8, 16, 32, 64)


@dataclass(frozen=True)
class CompiledCircuit:
    """A circuit that cells can run: its plan, and its synapses in one layout.

    Attributes:
        plan: names, orders and index arrays.
        layout: how the synapses are executed.
        recurrent: the synapses between neurons with state; `.mask` and `.polarity` are (N, N).
        sensory: the synapses from sensory neurons; `.mask` and `.polarity` are (I, N).
    """

    plan: Plan
    layout: str
    recurrent: Projection
    sensory: Projection

    def with_plan(self, plan: Plan) -> CompiledCircuit:
        """Another plan, laid out in the same way."""
        return compile_circuit(plan, self.layout)

    def describe(self) -> str:
        """Sizes, density and memory, and the layout that was chosen."""
        return f"{self.plan.describe()}\nlayout: {self.layout}"

    def __repr__(self) -> str:
        return f"CompiledCircuit({self.plan!r}, layout={self.layout!r})"


def compile_circuit(
    source: Source,
    layout: str = "dense",
    block_size: int = 32,
    order: str = "role",
) -> CompiledCircuit:
    """Compile a circuit into masks that cells can run.

    Args:
        source: a `Circuit`, any DiGraph with `role` and `polarity`, or a `Plan`.
        layout: how synapses are executed.
        block_size: side of a tile in the block layout.
        order: order of the neurons inside a layout. Results never depend on it.

    Raises:
        CircuitError: the circuit breaks a rule; the message lists every broken one.
        LayoutError: an unknown layout, block size or order.

    Example:
        >>> compiled = gl.compile_circuit(gl.auto_ncp(64, 8, inputs=16))
        >>> compiled.recurrent.mask.shape          # (64, 64), pre before post
    """
    _check_options(layout, block_size, order)  # 1. refuse what cannot be done before doing anything
    plan = make_plan(source)  # 2. circuit -> names and index arrays
    recurrent = lay_out(plan.recurrent, layout)  # 3. index arrays -> layout
    sensory = lay_out(plan.sensory, layout)
    return CompiledCircuit(plan, layout, recurrent, sensory)


def make_plan(source: Source) -> Plan:
    """The plan of a circuit, after checking it in full.

    Raises:
        CircuitError: the circuit breaks a rule; the message lists every broken one.
        TypeError: `source` is no directed graph, plan or compiled circuit.
    """
    if isinstance(source, CompiledCircuit):
        return source.plan
    if isinstance(source, Plan):
        return source
    if not isinstance(source, nx.DiGraph):
        raise TypeError(f"expected a Circuit, networkx.DiGraph or Plan, got {type(source).__name__}")
    errors = [problem.message for problem in check(source) if problem.severity == "error"]
    if errors:
        listed = "".join(f"\n  - {message}" for message in errors)
        raise CircuitError(f"the circuit cannot be compiled, {len(errors)} problem(s):{listed}")
    circuit = source if isinstance(source, Circuit) else Circuit(source)
    return Plan.from_circuit_arrays(circuit.to_arrays())


def _check_options(layout: str, block_size: int, order: str) -> None:
    for what, given, known in (
        ("layout", layout, LAYOUTS),
        ("order", order, ORDERS),
        ("block_size", block_size, BLOCK_SIZES),
    ):
        if given not in known:
            raise LayoutError(f"unknown {what} {given!r}: expected one of {', '.join(map(str, known))}")
