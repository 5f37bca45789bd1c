"""JSON: networkx's node-link form with a format name and a version. The format that keeps everything.

    {"format": "ganglion-circuit", "version": 1, "directed": true, "multigraph": false,
     "graph": {...},
     "nodes": [{"id": "sensory_0", "role": "sensory"}, ...],
     "edges": [{"source": "sensory_0", "target": "motor_0", "polarity": -1}, ...]}

One neuron or synapse per line, so that versions compare well. An attribute that has one of the names which
the form uses itself, such as `id`, is called `@id` there. JSON of other programs is read by `json_dialects`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NoReturn

import networkx as nx

from ...errors import CircuitError
from ...storage import finite
from ...versions import version_fault
from ..roles import label, synapse_label
from .at_once import ODD, OtherFormError, Plain, Values, lines_in, lines_of, sound
from .format import Format, one
from .json_dialects import read_dialect
from .plain import name_from, plain, plain_name
from .raw import Attributes, Edge, Node, RawGraph
from .source import Source
from .tables import Ends
from .writing import neurons_of, synapses_of

FORMAT_NAME = "ganglion-circuit"
VERSION = 1
_TAKEN = ("id", "source", "target")
_ENDS, _BEGUN = {"source": 0, "target": 0}, '{"source": 0, "target": 0'
_EDGES, _TAIL = b'\n"edges": [\n', b"]}\n"
_NAME = r'"([^"\\\x00-\x1f]+)"'
_EDGE = re.compile(rf'^ \{{"source": {_NAME}, "target": {_NAME}(?:, (.+))?\}},?$', re.MULTILINE)


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as JSON.

    Raises:
        CircuitError: an attribute or a name that JSON does not hold, such as a set or NaN.
    """
    nodes = [
        _record(f"neuron {name!r}", {"id": name}, attributes)
        for name, attributes in neurons_of(circuit, strict)
    ]
    edges = _edges(circuit, strict)
    text = (
        f'{{"format": "{FORMAT_NAME}", "version": {VERSION}, "directed": true, "multigraph": false,\n'
        f'"graph": {_record("the circuit", {}, dict(circuit.graph))},\n'
        f'"nodes": [{_lines(nodes)}],\n'
        f'"edges": [{_lines(edges)}]}}\n'
    )
    # Lone surrogates, legal in a Python text, have no UTF-8; their backslash form is exactly JSON's escape.
    return text.encode("utf-8", "backslashreplace")


def _edges(circuit: nx.DiGraph[Any], strict: bool) -> list[str]:
    """The lines of synapses, most of which hold the same few numbers."""
    named = {name: json.dumps(plain_name(name), ensure_ascii=False) for name in circuit}
    held: dict[Any, str] = {}
    lines = []
    for pre, post, attributes in synapses_of(circuit, strict):
        begun = f'{{"source": {named[pre]}, "target": {named[post]}'
        plainly = tuple(attributes.items()) if set(map(type, attributes.values())) == {int} else None
        text = held.get(plainly) if plainly else None
        if text is None:
            whole = _record(synapse_label(pre, post), _ENDS, attributes)
            text = whole.removeprefix(_BEGUN)
            if plainly:
                held[plainly] = text
        lines.append(begun + text)
    return lines


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The circuit in a JSON file, of Ganglion or of another program.

    Raises:
        CircuitError: what is wrong and at which line, neuron or synapse.
    """
    (source,) = sources
    try:
        document = _parse(source)
        if isinstance(document, dict) and document.get("format") == FORMAT_NAME:
            raw = _decode(source, document)
        else:
            raw = read_dialect(document, source.error)
    except RecursionError:
        raise source.error("the JSON is nested too deeply") from None
    raw.node_error = lambda problem, at: source.error(problem, f"nodes[{at}]")
    raw.edge_error = lambda problem, at: source.error(problem, f"edges[{at}]")
    return raw


def at_once(sources: Sequence[Source]) -> Plain | None:
    """What is in a large file of our own, with a synapse in each line; None to let `decode` look."""
    (source,) = sources
    data = source.data
    begin, end = data.find(_EDGES) + len(_EDGES), len(data) - len(_TAIL)
    try:
        lines = lines_in(data, begin, end)
        commas = data.count(b"},\n", begin, end)
        if begin < len(_EDGES) or not data.endswith(_TAIL) or commas != lines - 1:
            return None
        document = _parse(Source(source.path, data[:begin] + _TAIL))
        if data.endswith(b",\n", begin, end) or document.get("format") != FORMAT_NAME:
            return None
        raw = _decode(source, document)
    except (*ODD, RecursionError):
        return None
    values = Values(_of_synapse)
    synapses = lines_of(_EDGE, data, begin, end)
    made = ((pre, post, values(held)) for pre, post, held in synapses)
    return Plain(raw.form, raw.graph, [(node.id, node.data) for node in raw.nodes], lines, made)


def _of_synapse(held: str) -> Attributes:
    """The attributes that stand in a line behind the names."""
    attributes: Attributes = _READ(f"{{{held}}}")
    if any(key.lstrip("@") in _TAKEN for key in attributes):
        raise OtherFormError
    if any(isinstance(value, dict | list) for value in attributes.values()):  # which synapses would share
        raise OtherFormError
    return sound(attributes)


def _decode(source: Source, document: dict[str, Any]) -> RawGraph:
    if (fault := version_fault(document, VERSION)) is not None:
        raise source.error(f"the format's version {fault}")
    if document.get("directed", True) is not True or document.get("multigraph", False) is not False:
        raise source.error('expected "directed": true and "multigraph": false')
    attributes = document.get("graph", {})
    if not isinstance(attributes, dict):
        raise source.error(f'"graph" must be an object of attributes, got {label(attributes, 60)}')
    raw = RawGraph("JSON of Ganglion", graph=attributes, own=True)
    for k, record in enumerate(_list(source, document, "nodes")):
        try:
            name, *_ = _take(record, ["id"])
        except CircuitError as error:
            raise source.error(error, f"nodes[{k}]") from None
        raw.nodes.append(Node(name, _unescaped(record), k))
    for k, record in enumerate(_list(source, document, "edges")):
        try:
            pre, post = _take(record, ["source", "target"])
        except CircuitError as error:
            raise source.error(error, f"edges[{k}]") from None
        raw.edges.append(Edge(pre, post, _unescaped(record), k))
    return raw


def _escaped(key: Any) -> Any:
    """The key of an attribute whose own name is taken, with a mark more in front."""
    return f"@{key}" if isinstance(key, str) and key.lstrip("@") in _TAKEN else key


def _unescaped(record: Attributes) -> Attributes:
    return {
        key[1:] if key.startswith("@") and key.lstrip("@") in _TAKEN else key: value
        for key, value in record.items()
    }


def _record(owner: str, names: Attributes, attributes: Attributes) -> str:
    """One line of JSON: what the record is called, then its attributes."""
    record = {key: plain_name(name) for key, name in names.items()}
    for key, value in attributes.items():
        try:
            if not isinstance(key, str):
                raise TypeError("attributes are named by texts")
            record[_escaped(key) if names else key] = plain(value)
        except (TypeError, ValueError) as error:
            raise CircuitError(f"attribute {key!r} of {owner} cannot be written to JSON: {error}") from None
        except RecursionError:
            raise CircuitError(f"attribute {key!r} of {owner} is nested too deeply for JSON") from None
    try:
        return json.dumps(record, ensure_ascii=False)
    except (ValueError, RecursionError) as error:  # an int of thousands of digits
        raise CircuitError(f"{owner} cannot be written to JSON: {error}") from None


def _lines(records: list[str]) -> str:
    return "\n " + ",\n ".join(records) + "\n" if records else ""


def _parse(source: Source) -> Any:
    text = source.text()
    constants: list[str] = []
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_constant=constants.append, parse_float=finite
        )
    except json.JSONDecodeError as error:
        raise source.error(
            f"this is not JSON: {error.msg}", f"line {error.lineno}, column {error.colno}"
        ) from None
    except ValueError as error:
        if "integer string conversion" in str(error):  # what Python says of it is for programmers
            raise source.error("a number has thousands of digits") from None
        raise source.error(error) from None  # a key that is given twice
    if constants:
        _refuse_constant(source, text)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {label(twice, 60)} is given twice in {label(record, 60)}")
    return record


def _no_constant(name: str) -> NoReturn:
    raise OtherFormError(name)


_READ = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=finite).decode


def _refuse_constant(source: Source, text: str) -> NoReturn:
    """Point at the NaN or Infinity that Python's parser accepts although JSON has none."""
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)', text):
        if match[1]:
            raise source.error(f"{match[1]} is not JSON", f"line {text.count(chr(10), 0, match.start()) + 1}")
    raise source.error("NaN and Infinity are not JSON")


def _list(source: Source, document: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(document.get(key), list):
        raise source.error(f'"{key}" must be a list, got {label(document.get(key), 60)}')
    return list(document[key])


def _take(record: Any, keys: list[str]) -> list[Hashable]:
    """Remove the names from a record, which leaves its attributes."""
    if not isinstance(record, dict):
        raise CircuitError(f"expected an object, got {label(record, 60)}")
    for key in keys:
        if key not in record:
            raise CircuitError(f'there is no "{key}" in {label(record, 60)}')
    return [name_from(record.pop(key)) for key in keys]


FORMAT = Format(
    "JSON", (".json", ".cyjs"), decode, lambda head: head[:1] in ("{", "["), one(encode), at_once=at_once
)
