"""The digest: the same text for the same network, for ever."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import ganglion as gl
from ganglion.wiring import Circuit, auto_ncp, layered, read, write

from ..support.strategies import circuits


def reflex() -> Circuit:
    circuit = Circuit(name="reflex")
    circuit.add_neurons(["eye", "ear"], role="sensory")
    circuit.add_neuron("muscle", role="motor")
    circuit.add_neuron("hub", role="inter")
    circuit.add_synapses([("eye", "hub"), ("ear", "hub", -1), ("hub", "hub"), ("hub", "muscle", -1)])
    return circuit


def test_golden() -> None:
    """Never change these: files in the world hold them."""
    assert Circuit().digest() == "ae9e6142f11a7dc552657ea921a2f8f163b456daba459cc89ea16f000d4a1153"
    assert reflex().digest() == "2c83065e95bc9c641c828db99c840d1e978945c237f031308fec6d3af467262e"
    assert (
        auto_ncp(8, 2, inputs=3).digest()
        == "a5b0db2a787260b7a0a950e2c73a2029176f69c837e43be5877cceb9b568857d"
    )


def test_it_is_the_hash_of_the_table() -> None:
    lines = [
        ["ganglion-circuit-digest 1"],
        ["eye", "sensory"],
        ["ear", "sensory"],
        ["muscle", "motor"],
        ["hub", "inter"],
        [0, 3, 1, "chemical"],
        [1, 3, -1, "chemical"],
        [3, 2, -1, "chemical"],
        [3, 3, 1, "chemical"],
    ]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    assert reflex().digest() == hashlib.sha256(text.encode()).hexdigest()


def test_what_is_part_of_it() -> None:
    def changed(edit: object) -> str:
        circuit = reflex()
        edit(circuit)  # type: ignore[operator]
        return circuit.digest()

    digests = [
        reflex().digest(),
        changed(lambda c: c.rename({"eye": "nose"})),
        changed(lambda c: c.rename({"eye": "ear", "ear": "eye"})),
        changed(lambda c: c.set_role("hub", "command")),
        changed(lambda c: c.flip("eye", "hub")),
        changed(lambda c: c.remove_synapse("hub", "hub")),
        changed(lambda c: c.add_synapse("eye", "muscle")),
        changed(lambda c: c.add_neuron("new")),
        changed(lambda c: c.add_edge("eye", "hub", kind="electrical")),
        changed(lambda c: c.add_node("new")),
        changed(lambda c: c.add_edge("eye", "muscle")),
    ]
    assert len(set(digests)) == len(digests)


def test_what_is_no_part_of_it() -> None:
    circuit = reflex()
    before = circuit.digest()
    circuit.name = "another"
    circuit.nodes["eye"].update(x=3.5, note="blue", color="#00f")
    circuit.edges["eye", "hub"].update(weight=3, kind="chemical", polarity=np.float32(1))
    assert circuit.digest() == before
    again = Circuit()  # the synapses in another order, and the roles among one another
    again.add_nodes_from((name, circuit.nodes[name]) for name in ("hub", "eye", "muscle", "ear"))
    again.add_edges_from(reversed(list(circuit.edges(data=True))))
    assert again.digest() == before


@settings(max_examples=30)
@given(circuits())
def test_arrays_keep_it(graph: nx.DiGraph) -> None:
    circuit = Circuit(graph)
    assert Circuit.from_arrays(circuit.to_arrays()).digest() == circuit.digest()


def test_the_order_of_a_plan_keeps_it() -> None:
    circuit = Circuit()
    circuit.add_neuron("hub", role="inter")
    circuit.add_neurons(["eye", "ear"], role="sensory")
    circuit.add_neuron("muscle", role="motor")
    circuit.add_synapses([("hub", "muscle", -1), ("ear", "hub"), ("eye", "muscle")])
    assert gl.circuit_of(circuit).digest() == circuit.digest()


@pytest.mark.parametrize("ending", ["json", "graphml", "csv"])
def test_files_keep_it(tmp_path: Path, ending: str) -> None:
    for circuit in (auto_ncp(20, 4, inputs=3), layered([4, 3], inputs=2, outputs=2, command=3), reflex()):
        write(circuit, tmp_path / f"c.{ending}")
        assert read(tmp_path / f"c.{ending}").digest() == circuit.digest()


def test_names_that_are_no_text() -> None:
    numbers, texts = Circuit(), Circuit()
    numbers.add_neurons([3, (0, 1)], role="motor")
    texts.add_neurons(["3", "(0, 1)"], role="motor")
    assert numbers.digest() == texts.digest()
    odd = Circuit()
    odd.add_neurons(["\ud800", "é", 'a"\n'], role="motor")
    assert len(odd.digest()) == 64
