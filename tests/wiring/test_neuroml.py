"""NeuroML: our circuits as networks that its schema allows, and networks of others as circuits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from neuroml.utils import is_valid_neuroml2

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, circuit_from, connectomes, read, write
from ganglion.wiring.files.identifiers import identifiers
from ganglion.wiring.files.neuroml_format import FORMAT
from ganglion.wiring.files.source import Source

from .test_files import circuits, plain_numbers, xml_text

FOREIGN = """\
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="worm">
  <include href="cells.nml"/>
  <gapJunction id="gap" conductance="1nS"/>
  <expTwoSynapse id="exc" tauRise="1ms" tauDecay="2ms" gbase="1nS" erev="0 mV"/>
  <expTwoSynapse id="inh" tauRise="1ms" tauDecay="2ms" gbase="1nS" erev="-0.08V"/>
  <iafCell id="iaf" leakReversal="-60mV" thresh="-50mV" reset="-65mV" C="1pF" leakConductance="1nS"/>
  <network id="net">
    <population id="AVA" component="iaf" size="1"><property tag="type" value="command"/></population>
    <population id="MN" component="iaf" type="populationList">
      <instance id="0"><location x="0" y="0" z="0"/></instance>
      <instance id="1"><location x="1" y="0" z="0"/></instance>
    </population>
    <synapticConnection from="AVA[0]" to="MN[1]" synapse="exc"/>
    <projection id="p" presynapticPopulation="MN" postsynapticPopulation="AVA" synapse="inh">
      <connectionWD id="0" preCellId="../MN/1/iaf" postCellId="../AVA/0/iaf" weight="2.5" delay="1ms"/>
    </projection>
    <electricalProjection id="e" presynapticPopulation="MN" postsynapticPopulation="MN">
      <electricalConnection id="0" preCell="0" postCell="1" synapse="gap"/>
    </electricalProjection>
  </network>
</neuroml>
"""


def written(circuit: nx.DiGraph[Any]) -> Circuit:
    (data,) = FORMAT.encode(circuit, True)
    raw = FORMAT.decode([Source(Path("c.nml"), data)], None)
    found = Circuit()
    found.graph.update(raw.graph)
    found.add_nodes_from((node.id, node.data) for node in raw.nodes)
    found.add_edges_from((edge.pre, edge.post, edge.data) for edge in raw.edges)
    return found


@given(circuits(xml_text, xml_text, xml_text | plain_numbers))
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_comes_back(circuit: Circuit) -> None:
    back = written(circuit)
    assert back.digest() == circuit.digest()
    assert list(back.nodes(data=True)) == list(circuit.nodes(data=True))
    assert {(i, j): d for i, j, d in back.edges(data=True)} == {
        (i, j): d for i, j, d in circuit.edges(data=True)
    }
    assert back.graph == circuit.graph
    types = [[type(v) for v in d.values()] for _, d in circuit.nodes(data=True)]
    assert [[type(v) for v in d.values()] for _, d in back.nodes(data=True)] == types


def test_the_schema_allows_it(tmp_path: Path) -> None:
    circuit = connectomes.tap_withdrawal()
    circuit.add_neuron("left eye", role="sensory")
    circuit.add_synapse("left eye", "AVA", polarity=1)
    circuit.add_neuron("AVA_to_AVD", role="inter")  # what a projection would be called
    circuit.add_edge("AVA", "AVA_to_AVD", kind="electrical", polarity=1, weight=2)
    circuit.edges["AVD", "AVA"]["gap"] = 1.5
    write(circuit, tmp_path / "c.nml")
    assert is_valid_neuroml2(str(tmp_path / "c.nml"))
    back = read(tmp_path / "c.nml")
    assert back.digest() == circuit.digest() == read(tmp_path / "c.nml", electrical="keep").digest()
    text = (tmp_path / "c.nml").read_text()
    assert text.count("<electricalProjection") == 2
    assert text.count("<population ") == len(circuit)
    assert 'id="PLM_to_PVC" presynapticPopulation="PLM"' in text


def test_a_network_of_others(tmp_path: Path) -> None:
    (tmp_path / "net.nml").write_text(FOREIGN)
    roles = {"sensory": [], "motor": ["MN[0]", "MN[1]"]}
    circuit = circuit_from(tmp_path / "net.nml", roles=roles)
    assert circuit.edges["AVA", "MN[1]"] == {"synapse": "exc", "erev": 0.0, "polarity": 1}
    assert circuit.edges["MN[1]", "AVA"] == {
        "synapse": "inh", "erev": -80.0, "polarity": -1, "weight": 2.5
    }  # fmt: skip
    assert circuit.edges["MN[0]", "MN[1]"]["kind"] == "electrical"
    assert circuit.nodes["AVA"]["type"] == "command"
    assert "1 included files were not read" in str(circuit.origin)
    # Content tells the format where the ending does not.
    (tmp_path / "net.txt").write_text(FOREIGN)
    assert circuit_from(tmp_path / "net.txt", roles=roles).digest() == circuit.digest()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<network id", '<network id="b"/><network id', "expected <neuroml> with one <network>, got 2"),
        ("neuroml", "Lems", "expected <neuroml> with one <network>, got <Lems>"),
        ('size="1"', 'size="-1"', "line 8: population 'AVA' has size '-1'"),
        ('size="1"', 'size="999999999"', "expected at most 10000000 cells"),
        ('"AVA[0]"', '"AVA[7]"', "line 13: population 'AVA' has no cell 'AVA[7]'"),
        ('<instance id="1">', '<instance id="0">', "of size 2 has the instances 0, 0: expected a number"),
        ('preCell="0"', 'preCell="zero"', "population 'MN' has no cell 'zero'"),
        ('"0 mV"', '"none"', "line 4: erev is 'none': expected a voltage such as '-80mV'"),
        ('weight="2.5"', 'weight="much"', "line 15: weight is no number, got 'much'"),
        ('presynapticPopulation="MN" postsynapticPopulation="AVA"', 'presynapticPopulation="DB1"', "no post"),
        ('presynapticPopulation="MN" postsynapticPopulation="AVA"',
         'presynapticPopulation="DB1" postsynapticPopulation="AVA"', "there is no population 'DB1'"),
        ('id="MN"', 'id="AVA"', "population 'AVA' is there twice"),
    ],
)  # fmt: skip
def test_wrong_files(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in FOREIGN
    (tmp_path / "net.nml").write_text(FOREIGN.replace(old, new))
    with pytest.raises(CircuitError) as caught:
        read(tmp_path / "net.nml", roles="infer")
    assert said in str(caught.value)
    assert "net.nml" in str(caught.value)


def test_paths_name_instances_by_their_own_numbers(tmp_path: Path) -> None:
    of_its_own = FOREIGN.replace('id="1"><location', 'id="2"><location').replace(
        'id="0"><location', 'id="1"><location'
    )
    assert of_its_own != FOREIGN
    of_its_own = of_its_own.replace("MN[1]", "MN[2]").replace(
        'preCell="0" postCell="1"', 'preCell="1" postCell="2"'
    )
    (tmp_path / "net.nml").write_text(of_its_own)
    found = circuit_from(tmp_path / "net.nml", roles="infer", electrical="keep")
    assert set(found.edges) >= {("AVA", "MN[2]"), ("MN[1]", "AVA"), ("MN[1]", "MN[2]")}


def test_what_it_has_no_place_for(tmp_path: Path) -> None:
    circuit = auto_ncp(6, 2, inputs=2)
    circuit.nodes["motor_0"]["place"] = [1, 2]
    with pytest.raises(CircuitError, match="attribute 'place' of neuron 'motor_0' is a list; NeuroML holds"):
        write(circuit, tmp_path / "c.nml")
    assert not list(tmp_path.iterdir())


def test_identifiers_are_of_their_own() -> None:
    names = ["a b", "a_b", "a-b", "1", "_1", "", "é", "AVA"]
    found = identifiers(names)
    assert found["a_b"] == "a_b"
    assert found["AVA"] == "AVA"
    assert list(found) != []
    assert len(set(found.values())) == len(names)
    assert all(v.isidentifier() for v in found.values())
