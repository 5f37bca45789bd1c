"""What a synapse is said to be: a slip in the kind or in the name of an attribute is no chemical synapse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, check, circuit_from, read, write

ELECTRIC = (
    "synapse 'a' -> 'b' has kind 'electric'; expected 'chemical' or 'electrical'; did you mean 'electrical'?"
)
MEANT = ", which means nothing; did you mean"


def pair() -> Circuit:
    circuit = Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neurons(["a", "b"], role="motor")
    circuit.add_synapses([("eye", "a"), ("eye", "b")])
    return circuit


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "electric"}, ELECTRIC),
        ({"kind": "electricl"}, "has kind 'electricl'; expected .* did you mean 'electrical'"),
        ({"kind": "gap junction"}, "did you mean 'electrical'"),
        ({"kind": "chem"}, "did you mean 'chemical'"),
        ({"kind": 3}, "has kind 3; expected 'chemical' or 'electrical'$"),
        ({"polarty": -1}, "'a' -> 'b' is given the attribute 'polarty', .*; did you mean 'polarity'"),
        ({"sign": -1}, "the attribute 'sign', .*; did you mean 'polarity'"),
        ({"wieght": 2}, "did you mean 'weight'"),
        ({"Kind": "electrical"}, "did you mean 'kind'"),
        (
            {"kind": "electrical", "polarity": -1},
            "electrical, without a sign; expected no polarity, got -1",
        ),
        ({"kind": "electrical", "weight": -1}, "strength -1; expected a finite number of at least 0"),
    ],
)
def test_a_synapse_that_is_added(given: dict[str, Any], message: str) -> None:
    circuit = pair()
    with pytest.raises(CircuitError, match=message):
        circuit.add_synapse("a", "b", **given)
    assert not circuit.has_edge("a", "b")


def test_an_electrical_synapse_joins_two_neurons_with_state() -> None:
    circuit = pair()
    with pytest.raises(CircuitError, match="between 'a' and 'a' joins a neuron to itself"):
        circuit.add_synapse("a", "a", kind="electrical")
    circuit.remove_synapse("eye", "a")
    with pytest.raises(CircuitError, match="is one of 'eye', which is sensory"):
        circuit.add_synapse("eye", "a", kind="electrical")
    circuit.add_synapse("a", "b", kind="electrical", weight=2)
    with pytest.raises(CircuitError, match="is given from both ends, with 2 and 3"):
        circuit.add_synapse("b", "a", kind="electrical", weight=3)
    circuit.remove_synapse("a", "b")
    circuit.add_synapse("a", "b", gap=2)
    with pytest.raises(CircuitError, match="is given from both ends, with 2 and 3"):
        circuit.add_synapse("b", "a", kind="electrical", weight=3)


def test_an_electrical_synapse_has_no_sign_to_turn_and_no_end_that_is_an_input() -> None:
    circuit = pair()
    circuit.remove_synapse("eye", "a")
    circuit.add_synapse("a", "b", kind="electrical")
    with pytest.raises(CircuitError, match="'a' -> 'b' is electrical, without a sign that could be turned"):
        circuit.flip("a", "b")
    assert circuit.edges["a", "b"]["polarity"] == 1
    circuit.edges["a", "b"]["polarity"] = -1  # past the door, as a graph of networkx, a file or an edit may
    assert [problem.message for problem in check(circuit)] == [
        "synapse 'a' -> 'b' is electrical, without a sign; expected no polarity, got -1"
    ]
    circuit.edges["a", "b"]["polarity"] = 1
    with pytest.raises(
        CircuitError, match="'a' has an electrical synapse with 'b', so it cannot become sens"
    ):
        circuit.set_role("a", "sensory")
    assert circuit.nodes["a"]["role"] == "motor"


def test_a_neuron_that_is_added() -> None:
    circuit = pair()
    with pytest.raises(CircuitError, match=r"the attribute 'rol', .*; did you mean 'role'"):
        circuit.add_neuron("c", rol="motor")  # ty: ignore
    assert "c" not in circuit


def test_attributes_of_ones_own_mean_nothing_and_pass() -> None:
    circuit = pair()
    own = {"type": "GABA", "height": 3, "delay2": 1, "layer": "4", "sign_from": "Chalfie", "made_from": "x"}
    own |= {"weight_sd": 0.1, "weighted": True, "delayed": False}
    circuit.add_synapse("a", "b", **own, kind="chemical", gap=None)
    circuit.add_neuron("c", type="T4", soma=(1, 2), taum=3, x=1.0, note="n", threshold_v=-50)
    circuit.add_synapse("eye", "c", kind=None)
    circuit.set_role("c", "motor")
    assert check(circuit) == []


def test_what_networkx_holds(tmp_path: Path) -> None:
    graph = nx.DiGraph(pair())
    graph.add_edge("a", "b", polarity=1, kind="electric", wieght=3)
    graph.nodes["b"]["rol"] = "inter"
    found = [(str(problem), problem.kind, problem.neuron or problem.synapse) for problem in check(graph)]
    assert found == [
        (f"error: {ELECTRIC}", "kind", ("a", "b")),
        (f"warning: neuron 'b' has the attribute 'rol'{MEANT} 'role'?", "attribute", "b"),
        (f"warning: synapse 'a' -> 'b' has the attribute 'wieght'{MEANT} 'weight'?", "attribute", ("a", "b")),
    ]
    with pytest.raises(CircuitError, match="has kind 'electric'"):
        write(graph, tmp_path / "c.json")
    assert circuit_from(graph).edges["a", "b"]["kind"] == "electrical"  # which reads what people write
    graph.edges["a", "b"]["kind"] = "electrcal"
    with pytest.raises(CircuitError, match=r"has kind 'electrcal'; .* kind=\('kind', {'electrcal'"):
        circuit_from(graph)
    assert "kind" not in circuit_from(graph, kind=("kind", {"electrcal": "chemical"})).edges["a", "b"]
    with pytest.raises(CircuitError, match=r"'electrcal' is called 'electric'; expected .* or None"):
        circuit_from(graph, kind=("kind", {"electrcal": "electric"}))


@pytest.mark.parametrize("ending", [".json", ".csv", ".graphml"])
def test_what_a_file_holds(ending: str, tmp_path: Path) -> None:
    circuit = pair()
    circuit.add_edge("a", "b", polarity=1, kind="electrcal")
    path = tmp_path / f"c{ending}"
    with pytest.raises(CircuitError, match="has kind 'electrcal'"):
        write(circuit, path)
    write(circuit, path, strict=False)
    with pytest.raises(CircuitError, match=rf"c.*{ending}.*: synapse 'a' -> 'b' has kind 'electrcal'"):
        read(path)
    (found,) = check(read(path, strict=False))
    assert found.kind == "kind"


def test_a_column_that_nearly_tells(tmp_path: Path) -> None:
    table = tmp_path / "edges.csv"
    table.write_text("pre,post,polarity,type\na,b,1,electrcal\nb,c,1,chemical\n")
    with pytest.raises(CircuitError, match=r"'type' tells electrical from .* 'electrcal' is neither"):
        read(table, roles={"sensory": ["a"], "motor": ["c"]})


@pytest.mark.parametrize("key", ["kind", "type"])
@pytest.mark.parametrize("missing", [None, float("nan")])
def test_what_is_missing_is_chemical(key: str, missing: Any) -> None:
    graph = nx.DiGraph(pair())
    graph.add_edge("a", "b", polarity=1, **{key: "electrical"})
    graph.edges["eye", "a"][key] = missing
    assert check(graph) == []
    found = circuit_from(graph)
    assert found.edges["a", "b"]["kind"] == "electrical"
    assert "kind" not in found.edges["eye", "a"]
