"""From a circuit to masks, in numbered passes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, TypeAlias

import networkx as nx

from .. import shown
from ..arguments import counted, label, one_of
from ..errors import CircuitError, LayoutError
from ..wiring import Circuit
from ..wiring.attributes import unused
from ..wiring.checks import errors_of
from .attributes import Attributes
from .cost import cheapest
from .electrical import Coupling
from .layouts import LAYOUTS, MixedProjection, Projection, lay_out
from .orders import ORDERS, find_orders
from .plan import Plan
from .report import Report, make_report
from .synapses import Index, Synapses
from .tiling import Order, Tiling

# What can be compiled: a Circuit or any other DiGraph, a plan, or what was compiled before.
Source: TypeAlias = "nx.DiGraph[Any] | Plan | CompiledCircuit"

CHOICES = ("auto", *LAYOUTS)
BLOCK_SIZES = (8, 16, 32, 64)
READ_TWICE = 20_000  # synapses up to which a circuit is read twice, to notice any edit and not only its size
TRIES = 20
EDITED = RuntimeError, KeyError, ValueError
"""What reading ends in while another thread edits: another size, a lost neuron, too few items."""
MOST_LISTED = 20  # problems in one message


@dataclass(frozen=True)
class CompiledCircuit:
    """A circuit that cells can run: its plan, and its synapses in a layout.

    Attributes:
        plan: names, orders and index arrays.
        layout: how the synapses are executed; "auto" if that was left to the cost model.
        recurrent: the synapses between neurons with state; `.mask` and `.polarity` are (N, N).
        sensory: the synapses from sensory neurons; `.mask` and `.polarity` are (I, N).
        block_size: neurons per side of a tile.
        order: how neurons are arranged in tiles.
        electrical: the electrical synapses, if there are any.
    """

    plan: Plan
    layout: str
    recurrent: Projection = field(compare=False)  # follows from the others
    sensory: Projection = field(compare=False)
    block_size: int = 32
    order: str = "role"
    electrical: Coupling | None = field(default=None, compare=False)

    def with_plan(self, plan: Plan) -> CompiledCircuit:
        """Another plan, compiled with the same options."""
        return compile_circuit(plan, self.layout, self.block_size, self.order)

    def only(self, kept: Mapping[str, Index]) -> CompiledCircuit:
        """The same with some of the synapses alone; see `Plan.only`."""
        plan = self.plan.only(kept)
        bare = self.with_plan(replace(plan, attributes=Attributes()))  # whose use is nobody's question here
        return replace(bare, plan=plan)

    def report(self) -> Report:
        """Tiles, fill, memory and predicted time of every layout and order, and why this one is in use.

        Example:
            >>> print(compiled.report())
        """
        return make_report(self.plan, self.layout, self.order, self.block_size, self.recurrent)

    def describe(self) -> str:
        """Sizes, density and memory, and the layout that was chosen."""
        return f"{self.plan.describe()}\nlayout: {self.layout}"

    def __repr__(self) -> str:
        return f"CompiledCircuit({self.plan!r}, layout={self.layout!r})"

    def _repr_html_(self) -> str:
        chosen = shown.text(f"Compiled circuit, layout {self.layout}", self.report().choice)
        return chosen + self.plan._repr_html_()


def compile_circuit(
    source: Source,
    layout: str = "auto",
    block_size: int = 32,
    order: str = "role",
) -> CompiledCircuit:
    """Compile a circuit into masks that cells can run.

    Args:
        source: a `Circuit`, any DiGraph with `role` and `polarity`, or a `Plan`.
        layout: how synapses are executed: "dense" (matrices), "block" (non-empty tiles), "edge" (a list of
            synapses), or "auto" (what the cost model predicts to be fastest, for each operation).
        block_size: side of a tile in the block layout: 8, 16, 32 or 64.
        order: order of the neurons inside the block layout: "role", "given" (that of the circuit), "rcm"
            (reverse Cuthill-McKee) or "block" (few tiles). Results never depend on it.

    Raises:
        CircuitError: the circuit breaks a rule; the message lists every broken one.
        LayoutError: an unknown layout, block size or order, or a circuit too large for dense matrices.

    Example:
        >>> compiled = gl.compile_circuit(gl.auto_ncp(64, 8, inputs=16))
        >>> compiled.recurrent.mask.shape          # (64, 64), pre before post
        >>> print(compiled.report())               # what every layout would cost
    """
    return compiled_for(source, (), layout, block_size, order, stacklevel=4)


def compiled_for(
    source: Source,
    used: Collection[str],
    layout: str = "auto",
    block_size: int = 32,
    order: str = "role",
    *,
    stacklevel: int = 3,
) -> CompiledCircuit:
    """The same for a cell that uses some attributes of the circuit, by name."""
    _check_options(layout, block_size, order)  # 1. refuse what cannot be done before doing anything
    _tell_unused(source, used, stacklevel)
    plan = make_plan(source)  # 2. circuit -> names and index arrays
    orders = find_orders(plan, order, block_size)  # 3. arrangement of the neurons in tiles
    recurrent, sensory = (  # 4. index arrays -> layout
        _lay_out(synapses, layout, block_size, by)
        for synapses, by in zip((plan.recurrent, plan.sensory), orders, strict=True)
    )
    coupled = "dense" if layout == "dense" else "edge"
    electrical = Coupling.of(plan.electrical, coupled) if len(plan.electrical) else None
    return CompiledCircuit(plan, layout, recurrent, sensory, block_size, order, electrical)


def _lay_out(synapses: Synapses, layout: str, block_size: int, order: Order) -> Projection:
    """One population pair in the layout asked for, or in those that the cost model prefers."""
    if layout != "auto":
        return lay_out(synapses, layout, block_size, order)
    tiling = Tiling.of(synapses, order, block_size)
    names = [cheapest(synapses, tiling, operation) for operation in ("sums", "matmul")]
    laid_out = {name: lay_out(synapses, name, block_size, order) for name in names}
    if len(laid_out) == 1:
        return laid_out[names[0]]
    return MixedProjection(laid_out[names[0]], laid_out[names[1]])


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
        raise TypeError(
            f"expected a Circuit, networkx.DiGraph or Plan, got {type(source).__name__}{_hint(source)}"
        )
    return _settled(source, lambda: _plan_of(source))


def _plan_of(source: nx.DiGraph[Any]) -> Plan:
    errors = [problem.message for problem in errors_of(source)]
    if errors:
        listed = "".join(f"\n  - {message}" for message in errors[:MOST_LISTED])
        if len(errors) > MOST_LISTED:
            listed += f"\n  - and {len(errors) - MOST_LISTED} more, which gl.check(circuit) lists"
        raise CircuitError(f"the circuit cannot be compiled, {counted(len(errors), 'problem')}:{listed}")
    circuit = source if isinstance(source, Circuit) else Circuit(source)
    return Plan.from_circuit_arrays(circuit.to_arrays())


def _tell_unused(source: object, used: Collection[str], stacklevel: int) -> None:
    """Say which numbers in a graph a cell does not use, so that nobody believes they act."""
    try:
        found = unused(source, used) if isinstance(source, nx.DiGraph) else []
    except EDITED:  # it is being edited, about which `make_plan` knows more
        found = []
    if found:
        warnings.warn(
            f"cells do not use these attributes of the circuit: {', '.join(found)} (an option such as "
            "start= or scale= may name one)",
            stacklevel=stacklevel,
        )


def _settled(circuit: nx.DiGraph[Any], make: Callable[[], Plan]) -> Plan:
    """A plan of the circuit at one moment, which another thread may be editing.

    Raises:
        CircuitError: it is edited all the time.
    """
    reason: Exception | None = None
    for _ in range(TRIES):
        size = _size(circuit)
        try:
            plan = make()
            alike = size == _size(circuit) and (len(plan.recurrent) > READ_TWICE or plan == make())
        except CircuitError:  # half of an edit, perhaps, which is over a moment later
            if size == _size(circuit):
                raise
            continue
        except EDITED as error:
            reason = error
            continue
        if alike:
            return plan
    raise CircuitError("the circuit is being edited, in another thread: compile it when it rests") from reason


def _size(circuit: nx.DiGraph[Any]) -> tuple[int, int] | None:
    """Neurons and synapses; None while they change."""
    try:
        return len(circuit), circuit.number_of_edges()
    except EDITED:
        return None


def _hint(given: object) -> str:
    """How to get a circuit from what people pass at first: a wiring, a number of inputs, a matrix, a path."""
    if hasattr(given, "sensory_adjacency_matrix"):
        return ", a wiring of ncps: gl.from_ncps(wiring) gives its circuit"
    if isinstance(given, str | PathLike):
        return ": gl.read(path) reads a circuit from a file"
    if hasattr(given, "shape") or hasattr(given, "columns") or isinstance(given, list | dict | nx.Graph):
        return (
            ": gl.circuit_from(source, roles=..., polarity=...) makes a circuit of any graph, matrix or table"
        )
    if isinstance(given, int):
        return f" ({label(given)}): a circuit knows its inputs, as in gl.auto_ncp(64, 8, inputs=16)"
    return ""


def _check_options(layout: str, block_size: int, order: str) -> None:
    one_of("layout", layout, CHOICES, LayoutError)
    one_of("order", order, ORDERS, LayoutError)
    one_of("block_size", block_size, BLOCK_SIZES, LayoutError)
