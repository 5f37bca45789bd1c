"""check(): every problem at once, on any digraph."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import ROLES, Circuit, Dense, Problem, check, circuit_from, dense


class Mute:
    """A node without text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def sound() -> Circuit:
    circuit = Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neuron("hub")
    circuit.add_neuron("muscle", role="motor")
    circuit.add_synapses([("eye", "hub"), ("hub", "muscle", -1)])
    return circuit


def only(graph: nx.DiGraph) -> Problem:
    (problem,) = check(graph)
    return problem


def test_a_sound_circuit_has_no_problems() -> None:
    assert check(sound()) == []
    assert check(nx.DiGraph(sound())) == []


def test_no_neurons() -> None:
    problem = only(nx.DiGraph())
    assert str(problem) == "error: the circuit has no neurons"
    assert problem.kind == "no-neurons"


def test_no_motor_neuron() -> None:
    circuit = sound()
    circuit.set_role("muscle", "inter")
    problem = only(circuit)
    assert (problem.severity, problem.kind) == ("error", "no-motor")
    assert str(problem) == "error: the circuit has no motor neuron, so it has no outputs"
    assert circuit.check() == [problem]


def test_no_sensory_neuron() -> None:
    circuit = sound()
    circuit.set_role("eye", "inter")
    problem = only(circuit)
    assert (problem.severity, problem.kind) == ("warning", "no-sensory")


@pytest.mark.parametrize("role", ["boss", None, 3, ["motor"], np.array(["motor", "inter"]), "Motor"])
def test_an_unknown_role(role: Any) -> None:
    circuit = sound()
    circuit.nodes["hub"]["role"] = role
    problem = only(circuit)
    assert (problem.severity, problem.kind, problem.neuron) == ("error", "role", "hub")
    assert (
        problem.message == f"neuron 'hub' has role {role!r}; expected one of sensory, inter, command, motor"
    )


def test_a_missing_role() -> None:
    circuit = sound()
    del circuit.nodes["hub"]["role"]
    assert only(circuit).message == "neuron 'hub' has no role; expected one of sensory, inter, command, motor"


@pytest.mark.parametrize("polarity", [0, 2, 0.5, float("nan"), True, np.True_, None, "1", np.zeros(3), 1j])
def test_an_illegal_polarity(polarity: Any) -> None:
    circuit = sound()
    circuit.edges["eye", "hub"]["polarity"] = polarity
    problem = only(circuit)
    assert (problem.severity, problem.kind, problem.synapse) == ("error", "polarity", ("eye", "hub"))
    assert problem.message == f"synapse 'eye' -> 'hub' has polarity {polarity!r}; expected +1 or -1"


@pytest.mark.parametrize("polarity", [1, -1, 1.0, np.int8(-1), np.float32(1)])
def test_a_legal_polarity(polarity: Any) -> None:
    circuit = sound()
    circuit.edges["eye", "hub"]["polarity"] = polarity
    assert check(circuit) == []


def test_a_missing_polarity() -> None:
    circuit = sound()
    del circuit.edges["eye", "hub"]["polarity"]
    assert only(circuit).message == "synapse 'eye' -> 'hub' has no polarity; expected +1 or -1"


def test_a_synapse_onto_a_sensory_neuron() -> None:
    circuit = sound()
    circuit.add_edge("hub", "eye", polarity=1)
    problem = only(circuit)
    assert (problem.severity, problem.kind, problem.synapse) == ("error", "onto-sensory", ("hub", "eye"))
    assert "synapse 'hub' -> 'eye' ends on a sensory neuron" in problem.message


def test_neurons_that_are_not_on_a_path() -> None:
    circuit = sound()
    circuit.add_neurons(["source", "sink", "island"])
    circuit.add_neuron("blind", role="sensory")
    circuit.add_synapses([("source", "hub"), ("hub", "sink"), ("island", "island")])
    found = [(problem.severity, problem.kind, problem.neuron) for problem in check(circuit)]
    assert found == [
        ("warning", "unreached", "source"),
        ("warning", "unreached", "island"),
        ("warning", "dead-end", "sink"),
        ("warning", "dead-end", "island"),
        ("warning", "dead-end", "blind"),
    ]
    assert "no path leads from a sensory neuron to neuron 'source'" in check(circuit)[0].message


def test_duplicate_names() -> None:
    circuit = sound()
    circuit.add_nodes_from([1, "1"], role="motor")
    problem = check(circuit)[0]
    assert (problem.severity, problem.kind, problem.neuron) == ("error", "duplicate-name", "1")
    assert problem.message == "neurons 1 (int) and '1' (str) have the same name '1'"


@pytest.mark.parametrize("name", ["", Mute()])
def test_names_without_text(name: Any) -> None:
    graph = nx.DiGraph(sound())
    graph.add_node(name, role="inter")
    graph.add_edge("eye", name, polarity=1)
    graph.add_edge(name, "muscle", polarity=1)
    problem = only(graph)
    assert (problem.severity, problem.kind) == ("error", "name")
    assert problem.neuron is name
    assert "has a name whose str() fails or is empty" in problem.message


def test_all_problems_at_once_and_errors_first() -> None:
    graph = nx.DiGraph()
    graph.add_node("a", role="boss")
    graph.add_node("s", role="sensory")
    graph.add_node(Mute(), role="inter")
    graph.add_nodes_from([1, "1"], role="inter")
    graph.add_edge("a", "s")
    problems = check(graph)
    assert {p.kind for p in problems} == {
        "no-motor", "role", "name", "duplicate-name", "polarity", "onto-sensory", "unreached"
    }  # fmt: skip
    severities = [p.severity for p in problems]
    assert severities == sorted(severities)


VALUES = st.one_of(
    st.none(),
    st.integers(-2, 2),
    st.floats(),
    st.text(max_size=2),
    st.sampled_from(ROLES),
    st.lists(st.none()),
)
NODES = st.one_of(
    st.integers(0, 3),
    st.sampled_from("0123"),
    st.text(max_size=1),
    st.builds(Mute),
    st.tuples(st.integers(0, 1)),
)


@given(
    st.lists(st.tuples(NODES, st.dictionaries(st.sampled_from(["role", "x"]), VALUES)), max_size=6),
    st.lists(st.tuples(NODES, NODES, st.dictionaries(st.sampled_from(["polarity"]), VALUES)), max_size=8),
)
def test_any_digraph_can_be_checked_and_summarised(nodes: Any, edges: Any) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    problems = check(graph)
    assert all(isinstance(str(problem), str) for problem in problems)
    roles = [data.get("role") for _, data in graph.nodes(data=True)]
    legal = [role for role in roles if isinstance(role, str) and role in ROLES]
    assert sum(p.kind == "role" for p in problems) == len(roles) - len(legal)
    assert ("no-motor" in {p.kind for p in problems}) == ("motor" not in legal and len(graph) > 0)
    assert str(Circuit(graph).summary())


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20), st.integers(1, 7))
def test_paths_agree_with_networkx(pairs: list[tuple[int, int]], n_sensory: int) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n_sensory), role="sensory")
    graph.add_nodes_from(range(n_sensory, 7), role="inter")
    graph.add_node(7, role="motor")
    graph.add_edges_from(pairs, polarity=1)
    reached = {n for n in graph if any(nx.has_path(graph, s, n) for s in range(n_sensory))}
    useful = {n for n in graph if nx.has_path(graph, n, 7)}
    problems = check(graph)
    assert {p.neuron for p in problems if p.kind == "unreached"} == set(graph) - reached
    assert {p.neuron for p in problems if p.kind == "dead-end"} == set(graph) - useful


@pytest.mark.parametrize("other", [nx.Graph(), nx.MultiDiGraph(), None, [("a", "b")], "circuit"])
def test_anything_but_a_digraph_is_refused(other: Any) -> None:
    with pytest.raises(TypeError, match=rf"check\(\) takes a networkx\.DiGraph, got {type(other).__name__}"):
        check(other)


def test_problems_are_values() -> None:
    assert Problem("error", "role", "text", "a") == Problem("error", "role", "text", "a")
    assert len({Problem("error", "role", "text"), Problem("error", "role", "text")}) == 1


class TestDense:
    def test_sizes(self) -> None:
        assert dense(16, 64) == Dense(inputs=16, units=64)
        assert type(dense(np.int64(3), 4).inputs) is int
        assert hash(dense(1, 2)) == hash(dense(1, 2))

    @pytest.mark.parametrize(
        ("inputs", "units", "error", "message"),
        [
            (0, 4, ValueError, "dense: inputs must be 1 or more, got 0"),
            (4, -1, ValueError, "dense: units must be 1 or more, got -1"),
            (2.0, 4, TypeError, r"dense: inputs must be a whole number, got 2\.0"),
            (4, "8", TypeError, "dense: units must be a whole number, got '8'"),
            (True, 4, TypeError, "dense: inputs must be a whole number, got True"),
        ],
    )
    def test_bad_sizes(self, inputs: Any, units: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            dense(inputs, units)


def test_numbers_that_are_none_and_names_that_look_alike() -> None:
    circuit = Circuit()
    circuit.add_neurons(["I1", "I1 "], role="sensory")
    circuit.add_neuron("m", role="motor", vleak=-0.5)
    circuit.add_synapse("I1", "m", weight=3)
    circuit.add_synapse("I1 ", "m", weight=0, delay=2, note="any text")
    assert [problem.kind for problem in check(circuit)] == ["alike"]
    circuit.nodes["m"]["tau"] = "fast"
    circuit.edges["I1", "m"].update(weight="3")
    circuit.edges["I1 ", "m"].update(weight=float("nan"), delay=-1)
    since = ", since the sign is the polarity"
    assert [(problem.severity, problem.kind, problem.message) for problem in check(circuit)] == [
        ("warning", "attribute", "neuron 'm' has tau 'fast'; expected a finite number above 0"),
        (
            "warning",
            "attribute",
            f"synapse 'I1' -> 'm' has weight '3'; expected a finite number of at least 0{since}",
        ),
        (
            "warning",
            "attribute",
            f"synapse 'I1 ' -> 'm' has weight nan; expected a finite number of at least 0{since}",
        ),
        ("warning", "attribute", "synapse 'I1 ' -> 'm' has delay -1; expected a number of at least 0"),
        ("warning", "alike", "the names 'I1' and 'I1 ' differ by blanks only"),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"tua": 2}, "'tua', which means nothing; did you mean 'tau'"),
        ({"taau": 2}, "did you mean 'tau'"),
        ({"cmm": 2}, "did you mean 'cm'"),
        ({"biass": 2}, "did you mean 'bias'"),
        ({"tau": -2}, "tau -2; expected a number above 0"),
        ({"tau": "two"}, "tau 'two'; expected a finite number above 0"),
        ({"tau": float("nan")}, "tau nan; expected a finite number above 0"),
        ({"cm": 0}, "cm 0; expected a number above 0"),
        ({"gleak": -1.0}, "gleak -1.0; expected a number of at least 0"),
        ({"vleak": True}, "vleak True; expected a finite number"),
        ({"bias": [1]}, r"bias \[1\]; expected a finite number"),
    ],
)
def test_a_neuron_is_added_with_numbers_as_they_should_be(given: dict[str, Any], expected: str) -> None:
    circuit = Circuit()
    with pytest.raises(CircuitError, match=expected):
        circuit.add_neuron("a", **given)
    assert not len(circuit)


def test_a_notebook_shows_what_was_found_and_that_nothing_was() -> None:
    circuit = sound()
    assert check(circuit)._repr_html_() == "<p>No problem was found.</p>"
    circuit.nodes["hub"]["role"] = "<boss>"
    shown = check(circuit)._repr_html_()
    assert "<li>error: neuron &#x27;hub&#x27; has role &#x27;&lt;boss&gt;&#x27;;" in shown


def test_attributes_of_the_users_own_are_nobodys_slips() -> None:
    circuit = Circuit()
    own = [
        "taus",
        "tau_m",
        "tan",
        "area",
        "bits",
        "type",
        "cell",
        "mc",
        "cmap",
        "x",
        "y",
        "tag",
        "tuna",
        "gene",
    ]
    circuit.add_neuron("a", **dict.fromkeys(own, 1), tau=None, cm=np.float32(0.5), gleak=0, threshold=-3)
    circuit.add_neuron("b", role="motor")
    circuit.add_synapse(
        "a", "b", **dict.fromkeys(["page", "age", "delayed", "weight_sd", "gape"], 1), delay=0
    )
    assert all(problem.kind != "attribute" or "tau None" in problem.message for problem in check(circuit))
    for key, expected in (("weight", "since the sign is"), ("delay", "at least 0$"), ("gap", "at least 0$")):
        with pytest.raises(CircuitError, match=rf"'b' -> 'a' is given {key} -1; .*{expected}"):
            circuit.add_synapse("b", "a", **{key: -1})
    with pytest.raises(CircuitError, match="did you mean 'gap'"):
        circuit.add_synapse("b", "a", gaap=1)


def test_a_weight_whose_sign_is_not_the_polarity_is_told() -> None:
    """In a circuit made by hand by `check`, and of signed weights read with a given polarity at once."""
    edges = [("a", "b", -3.0), ("a", "c", 2.0)]
    with pytest.warns(UserWarning, match="kept 1 negative weight without the sign"):
        circuit = circuit_from(edges, polarity=1, roles="infer")
    assert [w for _, _, w in circuit.edges(data="weight")] == [3.0, 2.0]
    assert not check(circuit)
    circuit.edges["a", "b"]["weight"] = -3.0
    (problem,) = check(circuit)
    assert str(problem) == (
        "warning: synapse 'a' -> 'b' has weight -3.0; expected a number of at least 0, since the sign is the "
        "polarity"
    )
    assert not check(circuit_from(edges, roles="infer"))


def test_what_was_meant() -> None:
    circuit = Circuit()
    circuit.add_neurons(["ASEL", "ASER"], role="motor")
    for act in (
        lambda: circuit.remove_neuron("ASEl"),
        lambda: circuit.add_synapse("ASER", "ASEl"),
        lambda: circuit.synapses("asel"),
        lambda: circuit.remove_neurons(["ASELL"]),
    ):
        with pytest.raises(CircuitError, match="did you mean 'ASEL'"):
            act()
    with pytest.raises(CircuitError, match="did you mean 'motor'"):
        circuit.subgraph("motr")
