"""What a circuit costs in every layout and order, as a table with a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from .. import shown
from ..shown import human_bytes
from .cost import BATCH, OPERATIONS, Cost, cost
from .layouts import BlockProjection, MixedProjection, Projection
from .orders import ORDERS, find_orders
from .plan import Plan
from .tiling import Tiling

# Greedy grouping takes about a second for 2000 neurons; a report leaves it out for larger circuits.
MOST_FOR_BLOCK_ORDER = 4096
HEAD = ("layout", "order", "tiles", "fill", "bytes/weight", "sums", "matmul")


@dataclass(frozen=True)
class Row:
    """One layout under one order, recurrent and sensory synapses together.

    Attributes:
        layout: "dense", "block" or "edge".
        order: order of the neurons, which only tiles depend on; "any" otherwise.
        tiles: non-empty tiles and all tiles; None without tiles.
        fill: the fraction of the stored entries that are synapses.
        cost: bytes of one weight, and predicted seconds.
    """

    layout: str
    order: str
    tiles: tuple[int, int] | None
    fill: float
    cost: Cost

    def cells(self) -> tuple[str, ...]:
        """The row as texts."""
        tiles = "" if self.tiles is None else f"{self.tiles[0]} of {self.tiles[1]}"
        times = (_duration(self.cost.sums), _duration(self.cost.matmul))
        if not self.cost.possible:
            times = ("too large", "")
        return self.layout, self.order, tiles, f"{100 * self.fill:.3g}%", human_bytes(self.cost.bytes), *times


@dataclass(frozen=True)
class Report:
    """What `CompiledCircuit.report` returns; print it.

    Attributes:
        rows: one per layout and order.
        choice: a sentence on the layout in use.
        block_size: neurons per side of a tile.
    """

    rows: tuple[Row, ...]
    choice: str
    block_size: int

    def __str__(self) -> str:
        table = [HEAD, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        note = (
            f"Tiles are {self.block_size} x {self.block_size}. sums and matmul: predicted time of a forward "
            f"and backward pass of an LTC unfold and of a matrix product, batch {BATCH}."
        )
        return "\n".join([*lines, note, self.choice])

    def _repr_html_(self) -> str:
        return shown.table("Layouts", (row.cells() for row in self.rows), HEAD) + shown.text("", self.choice)


def make_report(plan: Plan, layout: str, order: str, block_size: int, recurrent: Projection) -> Report:
    """The report of a compiled circuit, whose recurrent synapses are laid out as `recurrent`."""
    rows = [_row(plan, "dense", "any", block_size), _row(plan, "edge", "any", block_size)]
    for name in ORDERS:
        if name != "block" or plan.n_neurons <= MOST_FOR_BLOCK_ORDER or name == order:
            rows.append(_row(plan, "block", name, block_size))
    return Report(tuple(rows), _choice(plan, layout, recurrent), block_size)


def _row(plan: Plan, layout: str, order: str, block_size: int) -> Row:
    pairs = (plan.recurrent, plan.sensory)
    synapses = sum(map(len, pairs))
    if layout != "block":
        total = cost(pairs[0], layout) + cost(pairs[1], layout)
        return Row(layout, order, None, _fraction(4 * synapses, total.bytes), total)
    orders = find_orders(plan, order, block_size)
    tilings = [Tiling.of(part, by, block_size) for part, by in zip(pairs, orders, strict=True)]
    total = cost(pairs[0], layout, tilings[0]) + cost(pairs[1], layout, tilings[1])
    tiles = sum(map(len, tilings)), sum(t.blocks[0] * t.blocks[1] for t in tilings)
    return Row(layout, order, tiles, _fraction(4 * synapses, total.bytes), total)


def _choice(plan: Plan, layout: str, recurrent: Projection) -> str:
    """Which layout runs the recurrent synapses, and why."""
    share = f"{100 * plan.recurrent.density:.3g}% of the recurrent pairs of neurons are synapses"
    if layout != "auto":
        return f"The layout {layout} was asked for; {share}."
    gains = []
    for operation in OPERATIONS:
        chosen = recurrent
        if isinstance(recurrent, MixedProjection):
            chosen = recurrent.for_sums if operation == "sums" else recurrent.for_products
        tiling = chosen.tiling if isinstance(chosen, BlockProjection) else None
        dense, taken = cost(plan.recurrent, "dense"), cost(plan.recurrent, chosen.name, tiling)
        gain = getattr(dense, operation) / getattr(taken, operation)
        times = f"{gain:,.0f}" if gain >= 10 else f"{gain:.1f}"
        speed = f" (predicted {times} times as fast as dense)" if chosen.name != "dense" else ""
        gains.append(f"{chosen.name} for {operation}{speed}")
    return f"auto took {' and '.join(gains)}, since {share}."


def _fraction(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
