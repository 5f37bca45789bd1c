"""Files of circuits that hold something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from .fault import Fault, written
from .running import TARGETS

COMMANDS = (
    "show bad.json",
    "plot bad.json -o figure.svg",
    f"train bad.json good.csv {TARGETS} --out new",
    "convert bad.json new.graphml",
    "gl.read('bad.json')",
)


def changed(**changes: Any) -> bytes:
    content: dict[str, Any] = json.loads(Path("good.json").read_bytes())
    return json.dumps({**content, **changes}).encode()


def neurons(*given: Any) -> bytes:
    return changed(nodes=list(given), edges=[])


def synapse(**given: Any) -> bytes:
    return changed(edges=[{"source": "sensory_0", "target": "motor_0", "polarity": 1, **given}])


NEURON = {"id": "a", "role": "sensory"}
LONG = 1_000_000
JSON: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "the file is empty"),
    "blanks": (lambda: b" \n\n", "the file is empty"),
    "no text": (lambda: b"\xff\xfe\xfd" * 9, "UTF-"),
    "half of it": (lambda: changed()[:200], "this is not JSON"),
    "a byte of another encoding": (lambda: changed().replace(b"inter_0", b"inter\xe9"), "UTF-8"),
    "zeros": (lambda: bytes(1000), "bad.json"),
    "100,000 brackets": (lambda: b"[" * 100_000, "nested too deeply"),
    "a number of 5000 digits": (lambda: changed()[:-1] + b',"n":' + b"9" * 5000 + b"}", "digits"),
    "NaN": (lambda: changed()[:-1] + b', "x": NaN}', "NaN is not JSON"),
    "1e400": (lambda: changed()[:-1] + b', "x": 1e400}', "1e400 is not JSON"),
    "-Infinity": (lambda: changed()[:-1] + b', "x": -Infinity}', "-Infinity is not JSON"),
    "a list": (lambda: b"[1, 2]", "bad.json"),
    "a text": (lambda: b'"circuit"', "bad.json"),
    "a number for elements": (lambda: b'{"elements": 3}', "bad.json"),
    "a number": (lambda: b"3", "bad.json"),
    "null": (lambda: b"null", "bad.json"),
    "no neurons": (lambda: changed(nodes=None), '"nodes" must be a list'),
    "a later version": (lambda: changed(version=2), "version is 2; this release reads version 1"),
    "a version as text": (lambda: changed(version="1"), "version is '1'"),
    "true for a version": (lambda: changed(version=True), "version is True"),
    "undirected": (lambda: changed(directed=False), 'expected "directed": true'),
    "0 for directed": (lambda: changed(directed=0), '"directed"'),
    "a text for directed": (lambda: changed(directed="no"), '"directed"'),
    "1 for multigraph": (lambda: changed(multigraph=1), '"multigraph"'),
    "a list for graph": (lambda: changed(graph=[]), '"graph" must be an object'),
    "an object for nodes": (lambda: changed(nodes={}), '"nodes" must be a list'),
    "a text for edges": (lambda: changed(edges="ab"), '"edges" must be a list'),
    "a number for a neuron": (lambda: changed(nodes=[3]), "expected an object"),
    "a list for a synapse": (lambda: changed(edges=[["a", "b"]]), "expected an object"),
    "a neuron without a name": (lambda: neurons({"role": "inter"}), "id"),
    "null for a name": (lambda: neurons({"id": None, "role": "inter"}), "name"),
    "an object for a name": (lambda: neurons({"id": {"a": 1}, "role": "inter"}), "name"),
    "no role": (lambda: neurons({"id": "a"}), "role"),
    "a role of its own": (lambda: neurons({"id": "a", "role": "boss"}), "unknown role 'boss'"),
    "a number for a role": (lambda: neurons({"id": "a", "role": 3}), "unknown role 3"),
    "null for a role": (lambda: neurons({"id": "a", "role": None}), "role"),
    "a neuron twice": (lambda: neurons(NEURON, NEURON), "'a' is given twice"),
    "a synapse twice": (
        lambda: changed(edges=[{"source": "sensory_0", "target": "motor_0", "polarity": 1}] * 2),
        "twice",
    ),
    "a synapse from nobody": (
        lambda: changed(edges=[{"source": "x", "target": "motor_0", "polarity": 1}]),
        "no neuron 'x'",
    ),
    "a synapse without an end": (
        lambda: changed(edges=[{"source": "motor_0", "polarity": 1}]),
        "target",
    ),
    "polarity 0": (lambda: synapse(polarity=0), "has polarity 0"),
    "polarity true": (lambda: synapse(polarity=True), "has polarity True"),
    "polarity 0.5": (lambda: synapse(polarity=0.5), "has polarity 0.5"),
    "polarity as text": (lambda: synapse(polarity="-1"), "polarity"),
    "no polarity": (lambda: changed(edges=[{"source": "sensory_0", "target": "motor_0"}]), "polarity"),
    "a key twice": (lambda: b'{"nodes": [], "nodes": []}', "given twice"),
    "a name of a million letters": (lambda: neurons({"id": "n" * LONG, "role": 3}), "unknown role 3"),
    "a role of a million letters": (lambda: neurons({"id": "a", "role": "r" * LONG}), "unknown role 'rrr"),
    "a key of a million letters": (
        lambda: b'{"' + b"k" * LONG + b'": 1, "' + b"k" * LONG + b'": 2}',
        "given twice",
    ),
}
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="node" attr.name="role" '
    'attr.type="string"/><key id="d1" for="edge" attr.name="polarity" attr.type="long"/>'
    '<graph edgedefault="directed"><node id="a"><data key="d0">{role}</data></node>'
    '<node id="b"><data key="d0">motor</data></node>{more}</graph></graphml>'
)
EDGE = '<edge source="{}" target="{}"><data key="d1">{}</data></edge>'
OTHERS: dict[str, tuple[str, str | bytes, str]] = {
    "GraphML that is cut": ("graphml", GRAPHML[:150], "bad.graphml"),
    "GraphML with an unknown role": ("graphml", GRAPHML.format(role="boss", more=""), "unknown role 'boss'"),
    "GraphML with a synapse to nobody": (
        "graphml",
        GRAPHML.format(role="sensory", more=EDGE.format("a", "c", 1)),
        "'c'",
    ),
    "GraphML with a text for a sign": (
        "graphml",
        GRAPHML.format(role="sensory", more=EDGE.format("a", "b", "plus")),
        "plus",
    ),
    "GraphML of a billion laughs": (
        "graphml",
        '<!DOCTYPE g [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><graphml>&b;</graphml>',
        "bad.graphml",
    ),
    "GraphML that asks for a file": (
        "graphml",
        '<!DOCTYPE g [<!ENTITY a SYSTEM "file:///etc/passwd">]><graphml>&a;</graphml>',
        "bad.graphml",
    ),
    "GraphML without a graph": ("graphml", "<graphml/>", "bad.graphml"),
    "HTML": ("graphml", "<html><body>not found</body></html>", "bad.graphml"),
    "GEXF that is cut": ("gexf", '<gexf version="1.2"><graph><nodes>', "bad.gexf"),
    "GML that is cut": ("gml", "graph [ directed 1 node [ id 0", "bad.gml"),
    "GML without a graph": ("gml", "hello", "bad.gml"),
    "GML with a neuron twice": (
        "gml",
        'graph [ directed 1 node [ id 0 label "a" ] node [ id 0 label "b" ] ]',
        "bad.gml",
    ),
    "Pajek of nothing": ("net", "*Vertices many\n", "bad.net"),
    "Pajek with an arc to nobody": ("net", "*Vertices 1\n1 a\n*Arcs\n1 7 1\n", "bad.net"),
    "DOT that is cut": ("dot", "digraph { a -> ", "bad.dot"),
    "DOT of an undirected graph": ("dot", "graph { a -- b }", "bad.dot"),
    "NeuroML that is cut": ("nml", "<neuroml><network id='a'><population id='b'", "bad.nml"),
    "NeuroML without a network": ("nml", "<neuroml/>", "got 0 networks"),
    "LEMS, which is no network": ("nml", "<Lems><network/></Lems>", "got <Lems>"),
    "NeuroML of too many cells": (
        "nml",
        "<neuroml><network><population id='a' component='b' size='99999999999'/></network></neuroml>",
        "expected at most 10000000 cells",
    ),
    "a CSV of one column": ("csv", "pre\na\n", "bad.csv"),
    "a CSV without a header": ("csv", "1,2\n3,4\n", "bad.csv"),
    "a CSV of unequal rows": ("csv", "pre,post,polarity\na,b,1\na,b\n", "bad.csv"),
    "gzip of nothing": ("json.gz", b"\x1f\x8b\x08\x00", "bad.json.gz"),
    "gzip that is no gzip": ("json.gz", "{}", "bad.json.gz"),
    "Parquet of text": ("parquet", "PAR1", "bad.parquet"),
    "an unknown ending": ("xyz", "what is this?\n", "format"),
    "no ending": ("", "what is this?\n", "format"),
}


def made(make: Callable[[], bytes]) -> Callable[[], object]:
    return lambda: Path("bad.json").write_bytes(make())


ROWS = [
    *(
        Fault(f"{kind} in a .json", command, says, made(make))
        for (kind, (make, says)), command in zip(JSON.items(), cycle(COMMANDS), strict=False)
    ),
    Fault(
        "a synapse onto a sensor in a .json",
        f"train bad.json good.csv {TARGETS} --out new",
        "'motor_0' -> 'sensory_0'",
        made(lambda: synapse(source="motor_0", target="sensory_0")),
    ),
    *(
        Fault(kind, f"{command} {name}{rest}", says, written(name, content))
        for (kind, (ending, content, says)), (command, rest) in zip(
            OTHERS.items(), cycle([("show", ""), ("convert", " new.json"), ("check", "")]), strict=False
        )
        for name in [f"bad.{ending}" if ending else "bad"]
    ),
]
