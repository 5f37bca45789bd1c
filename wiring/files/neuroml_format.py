"""NeuroML 2: a network of populations and projections, as simulators of neuroscience exchange it.

Each neuron is a population of one cell, each synapse a projection: a graded synapse, whose reversal potential
has the sign of the polarity, or a gap junction. Cells and synapses have numbers of no meaning, because a
circuit has none; a trained network's equation is what `gl.export_lems` writes. Properties hold attributes, as
texts or as numbers of JSON, and an annotation of the network those of synapses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

import networkx as nx

from ...errors import CircuitError
from ..digest import ELECTRICAL
from ..roles import is_polarity, synapse_label
from .format import Format, one
from .graphml_format import legal
from .identifiers import identifiers
from .neuroml_reader import MARK, Reader, value_in
from .raw import Attributes, RawGraph
from .source import Source
from .tables import Ends
from .writing import neurons_of, require_texts, synapses_of, texts_of_names, unboxed
from .xml_tree import parse

_SCHEMA = "http://www.neuroml.org/schema/neuroml2"
_HEAD = f"""\
<?xml version="1.0" encoding="utf-8"?>
<neuroml xmlns="{_SCHEMA}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="{_SCHEMA} https://raw.github.com/NeuroML/NeuroML2/master/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"
    id="circuit">
<notes>A circuit of Ganglion. The numbers of cells and synapses mean nothing.</notes>
<gapJunction id="gap" conductance="0.01nS"/>
<silentSynapse id="silent"/>
<gradedSynapse id="excitatory" conductance="0.1nS" delta="5mV" Vth="-35mV" k="0.025per_ms" erev="0mV"/>
<gradedSynapse id="inhibitory" conductance="0.1nS" delta="5mV" Vth="-35mV" k="0.025per_ms" erev="-80mV"/>
<gradedSynapse id="unsigned" conductance="0.1nS" delta="5mV" Vth="-35mV" k="0.025per_ms" erev="-50mV"/>
<iafCell id="neuron" leakReversal="-50mV" thresh="100mV" reset="-50mV" C="3pF" leakConductance="0.1nS"/>
<network id="network">"""
_SIGNS = {1: "excitatory", -1: "inhibitory"}


def decode(sources: Sequence[Source], _: Ends = None) -> RawGraph:
    """The graph of the network in a NeuroML file.

    Raises:
        CircuitError: what is wrong and at which line.
    """
    (source,) = sources
    return Reader(source, parse(source)).graph()


def encode(circuit: nx.DiGraph[Any], strict: bool = True) -> bytes:
    """The circuit as NeuroML 2.3, which validates against its schema.

    Raises:
        CircuitError: an attribute that is no text, number or boolean, or a character that XML does not allow.
    """
    texts = texts_of_names(circuit)
    ids = identifiers(texts.values())
    require_texts("the circuit", circuit.graph)
    lines = [_HEAD, *_properties("the circuit", circuit.graph)]
    populations = list(_populations(circuit, texts, ids, strict))
    projections: dict[str, list[str]] = {"electricalProjection": [], "continuousProjection": []}
    annotation = []
    taken = set(ids.values())
    for pre, post, data in synapses_of(circuit, strict):
        ends = ids[texts[pre]], ids[texts[post]]
        own = "_to_".join(ends)
        while own in taken or f"{own}_" in taken:
            own += "_"
        taken.add(own)
        electrical = str(data.get("kind")) == ELECTRICAL
        left = dict(data)
        sign = data.get("polarity")
        component = _SIGNS[int(left.pop("polarity"))] if not electrical and is_polarity(sign) else "unsigned"
        tag = "electricalProjection" if electrical else "continuousProjection"
        projections[tag] += _projection(own, ends, component, electrical, data.get("weight"))
        if given := _properties(synapse_label(pre, post), left):
            annotation.append(f'<synapse projection="{own}">{"".join(given)}</synapse>')
        if "gap" in data and not electrical:  # it is beside a chemical synapse, and a projection for others
            taken.add(beside := f"{own}_")
            projections["electricalProjection"] += _projection(beside, ends, "", True, data["gap"])
            annotation.append(f'<repeated projection="{beside}"/>')
    lines += [f"<annotation><{MARK}>", *annotation, f"</{MARK}></annotation>", *populations]
    lines += [line for part in projections.values() for line in part]
    return "\n".join([*lines, "</network>", "</neuroml>", ""]).encode()


def _populations(
    circuit: nx.DiGraph[Any], texts: dict[Any, str], ids: dict[str, str], strict: bool
) -> Iterator[str]:
    for name, data in neurons_of(circuit, strict):
        owner, text = f"neuron {name!r}", texts[name]
        called = f'<property tag="name" value={quoteattr(legal(owner, text))}/>'
        yield f'<population id="{ids[text]}" component="neuron" size="1" type="populationList">'
        yield "".join([called, *_properties(owner, data)])
        yield '<instance id="0"><location x="0" y="0" z="0"/></instance></population>'


def _projection(
    own: str, ends: tuple[str, str], component: str, electrical: bool, weight: object
) -> list[str]:
    """One synapse; of a weight that is no number, other programs read 1."""
    number = unboxed(weight)
    strength = float(number) if type(number) in (int, float) and abs(number) < 1e30 else 1.0
    cells = " ".join(
        f'{side}Cell="../{end}/0/neuron"' for side, end in zip(("pre", "post"), ends, strict=True)
    )
    kind, between = ("electrical", 'synapse="gap"') if electrical else (
        "continuous", f'preComponent="silent" postComponent="{component}"'
    )  # fmt: skip
    return [
        f'<{kind}Projection id="{own}" presynapticPopulation="{ends[0]}" postsynapticPopulation="{ends[1]}">',
        f'<{kind}ConnectionInstanceW id="0" {cells} {between} weight="{strength!r}"/></{kind}Projection>',
    ]


def _properties(owner: str, attributes: Attributes) -> list[str]:
    found = []
    for name, value in attributes.items():
        what = f"attribute {name!r} of {owner}"
        tag = quoteattr(legal(what, name))
        found.append(f"<property tag={tag} value={quoteattr(legal(what, _text(what, unboxed(value))))}/>")
    return found


def _text(what: str, value: Any) -> str:
    """A value as a property holds it: a text that would be read as a number has quotes."""
    if type(value) not in (str, int, float, bool):
        raise CircuitError(
            f"{what} is a {type(value).__name__}; NeuroML holds texts, numbers and booleans, JSON more"
        )
    if isinstance(value, str) and value_in(value) == value:
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except ValueError as error:
        raise CircuitError(f"{what} cannot be written: {error}") from None


FORMAT = Format("NeuroML", (".nml",), decode, lambda head: "<neuroml" in head, one(encode))
