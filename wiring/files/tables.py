"""Tables of neurons and of edges, whatever their columns are called."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

from ...errors import CircuitError
from ..roles import label
from ..words import listed, suggestion
from .raw import Attributes, Edge, Node, RawGraph

Ends: TypeAlias = "tuple[str | int, str | int] | None"
Columns = Mapping[Any, Sequence[Any]]

PRE = ("pre", "source", "from", "src", "presynaptic", "pre name", "pre_name", "pre id", "pre_id",
       "pre_root_id", "pre_pt_root_id", "bodyid_pre", "sender", "neuron 1", "neuron1", "node1", "cell1",
       "origin", "row")  # fmt: skip
POST = ("post", "target", "to", "dst", "postsynaptic", "post name", "post_name", "post id", "post_id",
        "post_root_id", "post_pt_root_id", "bodyid_post", "receiver", "neuron 2", "neuron2", "node2", "cell2",
        "destination", "column")  # fmt: skip
_DIRECTED = {"directed": True, "undirected": False, "mutual": False}
NEURON = ("neuron", "name", "id", "label", "node", "cell", "root_id", "bodyid", "neuron id", "neuron name")


def column(columns: Columns | Sequence[Any], wanted: Sequence[str]) -> Any:
    """The column that is called one of `wanted`, the first of these that there is, or None."""
    plain = {
        " ".join(str(name).replace("_", " ").split()).casefold(): name for name in reversed(list(columns))
    }
    for text in wanted:
        if (found := plain.get(text.replace("_", " "))) is not None:
            return found
    return None


def ends_of(columns: Columns | Sequence[Any], ends: Ends) -> tuple[Any, Any]:
    """The two columns with the ends of an edge.

    Raises:
        CircuitError: there are none, or not those that are asked for.
    """
    names = list(columns)
    if ends is not None:
        if isinstance(ends, str) or len(tuple(ends)) != 2:
            raise TypeError(f"ends: expected two columns, got {label(ends)}")
        for name in ends:
            if name not in names:
                raise CircuitError(
                    f"ends: there is no column {label(name)}; they are "
                    f"{listed(names, 12)}{suggestion(name, names)}"
                )
        return ends[0], ends[1]
    pre, post = column(names, PRE), column(names, POST)
    if pre is None or post is None:
        raise CircuitError(
            f"which columns hold the ends of an edge? They are {listed(names, 12)}; ends=(pre, post) names "
            f"two, "
            "and ends=(0, 1) says that there is no header"
        )
    return pre, post


def edges_of_columns(raw: RawGraph, columns: Columns, ends: Ends) -> RawGraph:
    """Edges, and the neurons at their ends as they come; rows without ends are passed over."""
    pre, post = ends_of(columns, ends)
    ways = _ways(columns)
    others = [name for name in columns if name not in (pre, post, ways) and str(name).strip()]
    nodes: dict[Hashable, Node] = {}
    empty = 0
    for k, (u, v) in enumerate(zip(columns[pre], columns[post], strict=True)):
        if _blank(u) and _blank(v):
            empty += 1
            continue
        for end in (u, v):
            if _blank(end):
                raise raw.edge_error("this edge has one end only", k)
            nodes.setdefault(end, Node(end, {}, k))
        directed = ways is None or _DIRECTED.get(str(columns[ways][k]).strip().casefold(), True)
        raw.edges.append(Edge(u, v, _attributes(columns, others, k), k, directed))
    raw.nodes = list(nodes.values())
    raw.closed = False
    if empty:
        raw.notes.append(f"{empty} empty rows were passed over")
    return raw


def nodes_of_columns(raw: RawGraph, columns: Columns) -> RawGraph:
    """Neurons, one per row that is not empty."""
    name = column(columns, NEURON)
    if name is None:
        raise raw.node_error(
            f"which column names the neurons? They are {listed(columns, 12)}; expected `neuron`", -1
        )
    others = [other for other in columns if other != name and str(other).strip()]
    for k, given in enumerate(columns[name]):
        data = _attributes(columns, others, k)
        if _blank(given) and not data:
            continue
        raw.nodes.append(Node("" if given is None else given, data, k))
    return raw


def _ways(columns: Columns) -> Any:
    """The column that says of each edge whether it has a direction, as Gephi's tables do, or None."""
    name = column(columns, ("type", "edge type", "directed"))
    words = (
        {str(cell).strip().casefold() for cell in columns[name] if not _blank(cell)}
        if name is not None
        else ()
    )
    return name if words and words <= set(_DIRECTED) else None


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _attributes(columns: Columns, names: list[Any], row: int) -> Attributes:
    """What is set in a row; an empty cell means that nothing is."""
    return {str(name).strip(): value for name in names if not _blank(value := columns[name][row])}


def is_number(text: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def numbers_in(cells: Sequence[Any]) -> Sequence[Any]:
    """A column of texts as numbers, if each that is set is one; leading zeros are names and stay."""
    found: list[Any] = []
    for cell in cells:
        if _blank(cell):
            found.append(None)
            continue
        text = str(cell).strip()
        if len(text.lstrip("+-")) > 1 and text.lstrip("+-")[0] == "0" and text.lstrip("+-")[1].isdigit():
            return cells
        try:
            found.append(int(text) if text.lstrip("+-").isdigit() and len(text) < 19 else float(text))
        except ValueError:
            return cells
    return found
