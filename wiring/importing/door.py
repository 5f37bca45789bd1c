"""The one door: any file, graph, matrix or table in, a circuit out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ...arguments import flag, seed_number, text
from ..bulk import collecting_later
from ..circuit import Circuit
from ..digest import CHEMICAL
from ..files.raw import RawGraph
from ..files.tables import Ends
from ..guards import warn_of_size
from ..origin import Origin
from ..roles import is_polarity, require_polarity
from .draft import Draft, rename_key
from .kinds import Kind, direct_edges, sort_kinds
from .merging import merge_parallel
from .naming import Cleaning, Names, name_neurons
from .polarity import Polarity, assign_polarity, draw_polarity
from .roles import Roles, assign_roles
from .sensors import settle_sensors
from .sources import file_in, open_source
from .weights import read_weights


def circuit_from(
    source: Any,
    *,
    names: Names = None,
    roles: Roles = None,
    polarity: Polarity = None,
    weight: str | None = None,
    parallel: str | None = None,
    kind: Kind = None,
    electrical: str | None = None,
    sensors: str | None = None,
    clean_names: Cleaning = None,
    ends: Ends = None,
    neurons: Any = None,
    format: str | None = None,
    seed: int = 1111,
    strict: bool = True,
) -> Circuit:
    """The circuit in any file, graph, matrix or table.

    What the source does not say by itself, an argument says; nothing is dropped in silence. `circuit.origin`
    is the import report; what was lost without having been asked for gives one warning.

    Args:
        source: a path or open file (JSON of Ganglion, networkx, Cytoscape.js and others, GraphML, GEXF,
            GML, Pajek, DOT, NeuroML, SONATA, CSV or TSV as two tables, one list of edges or a matrix; also
            .gz), a networkx graph of any class, an igraph graph, a NumPy or SciPy matrix, a pandas or polars
            frame of edges, or a list of (pre, post), (pre, post, weight) or (pre, post, attributes).
        names: what neurons are called: a node attribute, "id", a mapping from ids, a list in the order of
            the nodes, or a function. By default what the tool shows as the name, else the id.
        roles: a node attribute, (attribute, {value: role}), {"sensory": [...], "motor": [...]} (others
            keep their role or are inter neurons), {name: role}, a function of the name, or "infer": sources
            are sensory, sinks motor, and neurons onto sinks that are two or more synapses from any source
            command neurons. By default the attribute `role`, in whatever words ("Sensory neuron").
        polarity: an attribute of the edge or else of its first neuron, (attribute, {value: sign}) such as
            ("transmitter", {"GABA": -1, "ACh": 1}) (the value None stands for all others), "weight sign",
            a list of inhibitory neurons, {neuron: sign} or {(pre, post): sign}, 1 or -1 for all, or a
            share such as 0.2 of the synapses to draw. By default `polarity`, or the sign of signed
            weights.
        weight: the edge attribute that becomes `weight`; by default `weight` or a column of counts.
        parallel: of several edges between the same two neurons: "sum" (the default), "majority" (adds as
            well, and takes the heavier sign), "first", "strongest", "refuse", or an attribute, whose largest
            value chooses.
        kind: the edge attribute that tells chemical from electrical synapses, or (attribute, {value:
            kind}), where the kind None leaves out.
        electrical: "keep" (the default: each pair of neurons once, with the larger weight where its two
            directions differ, which an LTC runs as a conductance), "drop", or "synapses": each becomes an
            excitatory synapse each way.
        sensors: of sensory neurons that receive synapses: "split" (the default) makes each an input that
            drives a neuron with state, "drop" leaves out what they receive, "keep" leaves them as they
            are.
        clean_names: whether blanks around and inside of names are tidied (the default); "case" and
            "zeros" (VD01 is VD1), or both in a list, do more.
        ends: the two columns of a table with the ends of an edge: names, or numbers if it has no header.
        neurons: a second table, with a neuron in each row: a path, frame or mapping of names to
            attributes.
        format: the format of an open file or of a file of another ending, such as "graphml".
        seed: of polarities that are drawn.
        strict: False keeps neurons without role and synapses without polarity, for `check` to find.

    Raises:
        CircuitError: what is wrong, where, and which argument would help.
        ValueError, TypeError: an argument of the wrong kind, or a source that is none of the above.
        FileNotFoundError: there is no such file.

    Example:
        >>> circuit = circuit_from("edges.csv", roles="infer", polarity=["DD01", "VD01"])
        >>> print(circuit.origin)
    """
    flag("strict", strict)
    for name, value in (("weight", weight), ("parallel", parallel), ("electrical", electrical),
                        ("sensors", sensors), ("format", format)):  # fmt: skip
        if value is not None:
            text(name, value)
    seed = seed_number(seed)
    asked = (names, roles, polarity, weight, parallel, kind, electrical, sensors, clean_names, ends, neurons)
    with collecting_later():
        file, plain = file_in(source, format), None
        if file is not None and strict and all(each is None for each in asked):
            plain = file.form.at_once(file.sources)
        if file is not None and plain is not None:
            warn_of_size(plain.count)
            if (made := plain.circuit(file.called)) is not None:
                return made
        raw, called = open_source(file or source, ends, neurons)
        if plain is None:
            warn_of_size(len(raw.edges))
        draft = Draft(raw, Origin(called, raw.form, len(raw.nodes), len(raw.edges)), strict)
        _standard_keys(raw)
        name_neurons(draft, names, clean_names)
        direct_edges(draft)
        read_weights(draft, weight)
        sort_kinds(draft, kind, electrical)
        assign_polarity(draft, polarity)
        merge_parallel(draft, parallel, polarity)
        assign_roles(draft, roles)
        settle_sensors(draft, sensors)
        draw_polarity(draft, polarity, seed)
        return _finished(draft)


_STANDARD = ("role", "polarity", "weight", "kind")


def _standard_keys(raw: RawGraph) -> None:
    """Call `Role` and ` WEIGHT ` what they are in a circuit; spreadsheets write headers as they like."""
    if raw.own:
        return
    for records in (raw.nodes, raw.edges):
        for record in records:
            for key in list(record.data):
                plain = key.strip().casefold() if isinstance(key, str) else key
                if plain != key and plain in _STANDARD and plain not in record.data:
                    rename_key(record.data, key, plain)


def _finished(draft: Draft) -> Circuit:
    raw, origin = draft.raw, draft.origin
    circuit = Circuit()
    circuit.graph.update(raw.graph)
    circuit.add_nodes_from((name, node.data) for name, node in draft.neurons.items())
    tables: Any = circuit  # as in `conversion.fill`
    outgoing, incoming = tables._succ, tables._pred
    for edge in draft.synapses:
        outgoing[edge.pre][edge.post] = incoming[edge.post][edge.pre] = _tidy(edge.data, edge.pre, edge.post)
    for note in raw.notes:
        origin.add("note", 1, note)
    origin.neurons, origin.synapses = len(circuit), circuit.number_of_edges()
    circuit.origin = origin
    origin.warn()
    return circuit


def _tidy(data: dict[str, Any], pre: Hashable, post: Hashable) -> dict[str, Any]:
    sign = data.get("polarity")
    if type(sign) is not int and is_polarity(sign):
        data["polarity"] = require_polarity(data["polarity"], pre, post)
    if data.get("kind") == CHEMICAL:
        del data["kind"]  # it is the rule
    return data
