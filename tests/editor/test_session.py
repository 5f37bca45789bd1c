"""Sessions: undo and redo, two editors, batches, changes from outside, and the script of it all."""

from __future__ import annotations

import json
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.edits import any_edit, exact
from tests.support.strategies import circuits

import ganglion as gl
from ganglion.editor import EditSession
from ganglion.wiring import edits
from ganglion.wiring.order import twin


class Kept:
    """A journal in memory, through JSON."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def append(self, record: dict[str, Any]) -> None:
        self.lines.append(json.dumps(record))


def drive(data: st.DataObject, session: EditSession, steps: int) -> None:
    """Random edits, undos and redos by two authors; and now and then a change behind the session's back."""
    for _ in range(steps):
        by = data.draw(st.sampled_from(["ann", "bob"]))
        what = data.draw(st.sampled_from(["edit", "edit", "edit", "undo", "redo", "outside"]))
        try:
            if what == "edit":
                session.apply(data.draw(any_edit(session.circuit)), by)
            elif what == "outside":
                data.draw(any_edit(session.circuit)).apply(session.circuit)
            else:
                getattr(session, what)(data.draw(st.sampled_from([by, None])))
        except gl.CircuitError:
            continue


@settings(max_examples=40, deadline=None)
@given(st.data(), circuits())
def test_a_session_replays_from_its_journal(data: st.DataObject, graph: nx.DiGraph) -> None:
    kept = Kept()
    circuit = gl.Circuit(graph)
    session = EditSession(circuit, journal=kept)
    drive(data, session, data.draw(st.integers(1, 12)))
    session.notice()
    other = EditSession(gl.Circuit(graph))
    for line in kept.lines:
        other.replay(json.loads(line))
    assert exact(other.circuit) == exact(circuit)
    assert other.circuit.digest() == circuit.digest()
    assert [e.label for e in other.entries] == [e.label for e in session.entries]
    for by in ("ann", "bob"):
        undo, again = session.next_undo(by), other.next_undo(by)
        assert (undo and undo.revision) == (again and again.revision)


@settings(max_examples=40, deadline=None)
@given(st.data(), circuits())
def test_a_session_as_python_rebuilds_its_circuit(data: st.DataObject, graph: nx.DiGraph) -> None:
    session = EditSession(gl.Circuit(graph))
    drive(data, session, data.draw(st.integers(1, 12)))
    session.notice()
    namespace: dict[str, Any] = {}
    exec(session.as_python(), namespace)
    assert exact(namespace["circuit"]) == exact(session.circuit)


@settings(max_examples=40, deadline=None)
@given(st.data(), circuits())
def test_two_editors_end_equal(data: st.DataObject, graph: nx.DiGraph) -> None:
    """Each editor has a copy and hears only what changed; edits are made on what each had seen by then."""
    session = EditSession(gl.Circuit(graph))
    copies = {name: gl.Circuit(graph) for name in ("ann", "bob")}
    inbox: dict[str, list[str]] = {name: [] for name in copies}

    def tell(entry: Any) -> None:
        for box in inbox.values():
            box.append(json.dumps([change.to_json() for change in entry.changes]))

    session.observe(tell)
    for _ in range(data.draw(st.integers(1, 12))):
        by = data.draw(st.sampled_from(sorted(copies)))
        for line in inbox[by][: data.draw(st.integers(0, 3))]:
            inbox[by].remove(line)
            for change in json.loads(line):
                edits.from_json(change).apply(copies[by])
        edit = data.draw(any_edit(copies[by]))
        try:
            if data.draw(st.booleans()):
                session.apply(edit, by)
            else:
                session.undo(by)
        except gl.CircuitError:
            continue
    for by, copy in copies.items():
        for line in inbox[by]:
            for change in json.loads(line):
                edits.from_json(change).apply(copy)
    assert exact(copies["ann"]) == exact(copies["bob"]) == exact(session.circuit)


@settings(max_examples=40, deadline=None)
@given(st.data(), circuits())
def test_undoing_and_redoing_everything(data: st.DataObject, graph: nx.DiGraph) -> None:
    circuit = gl.Circuit(graph)
    session = EditSession(circuit)
    states = [exact(circuit)]
    for _ in range(data.draw(st.integers(1, 8))):
        edit = data.draw(any_edit(circuit))
        try:
            if data.draw(st.booleans()):
                session.apply(edit)
            else:
                edit.apply(circuit)
        except gl.CircuitError:
            continue
        if session.notice() or exact(circuit) != states[-1] or session.revision == len(states):
            states.append(exact(circuit))
    for state in states[-2::-1]:
        session.undo()
        assert exact(circuit) == state
    assert session.next_undo() is None
    for state in states[1:]:
        session.redo()
        assert exact(circuit) == state


@settings(max_examples=30, deadline=None)
@given(st.data(), circuits())
def test_every_revision_can_be_looked_at_again(data: st.DataObject, graph: nx.DiGraph) -> None:
    session = EditSession(gl.Circuit(graph), revision=3)
    states = [exact(session.circuit)]
    session.observe(lambda _: states.append(exact(session.circuit)))
    drive(data, session, data.draw(st.integers(1, 8)))
    session.notice()
    now = exact(session.circuit)
    assert [exact(session.at(session.opened + k)) for k in range(len(states))] == states
    assert exact(session.circuit) == now


def test_a_revision_that_never_was_is_refused() -> None:
    session = EditSession(small(), revision=4)
    session.apply(edits.Remove(["a"]))
    for revision in (3, 6):
        with pytest.raises(gl.CircuitError, match=f"has the revisions 4 to 5, not {revision}"):
            session.at(revision)


def small() -> gl.Circuit:
    circuit = gl.Circuit()
    circuit.add_neurons(["a", "b"], role="inter")
    circuit.add_neuron("m", role="motor")
    circuit.add_synapses([("a", "b"), ("b", "m", -1)])
    return circuit


def test_undo_and_redo_go_back_and_forth() -> None:
    circuit = small()
    session = EditSession(circuit)
    states = [exact(circuit)]
    for edit in (
        edits.Remove(["a"]),
        edits.Add([("c", {"role": "inter"})], [("c", "m", {"polarity": 1})]),
        edits.Connect("inter", "inter", "pairwise_bernoulli", p=0.9, seed=3, projection="p"),
        edits.Rename({"b": "z"}),
    ):
        session.apply(edit)
        states.append(exact(circuit))
    for state in states[-2::-1]:
        session.undo()
        assert exact(circuit) == state
    with pytest.raises(gl.CircuitError, match="nothing to undo"):
        session.undo()
    for state in states[1:]:
        session.redo()
        assert exact(circuit) == state
    with pytest.raises(gl.CircuitError, match="nothing to redo"):
        session.redo()
    assert session.revision == 12


def test_a_new_edit_forgets_what_its_author_could_redo_and_nobody_elses() -> None:
    session = EditSession(small())
    session.apply(edits.Set([("a", "x", 1)]), "ann")
    session.apply(edits.Set([("b", "x", 1)]), "bob")
    session.undo("ann")
    session.apply(edits.Set([("b", "y", 1)]), "bob")
    assert session.next_redo("ann") is not None
    session.undo("bob")
    session.apply(edits.Set([("b", "y", 2)]), "bob")
    assert session.next_redo("bob") is None
    session.redo("ann")
    assert session.circuit.nodes["a"]["x"] == 1


def test_an_undo_that_fits_no_more_says_why_and_gives_way_to_the_one_before() -> None:
    session = EditSession(small())
    session.apply(edits.Set([("m", "x", 5)]), "ann")
    session.apply(edits.Set([("a", "x", 5)]), "ann")
    session.apply(edits.Remove(["a"]), "bob")
    before = exact(session.circuit)
    why = "'move 1 neuron' cannot be taken back any more: there is no neuron 'a'"
    with pytest.raises(gl.CircuitError, match=why):
        session.undo("ann")
    assert exact(session.circuit) == before
    session.undo("ann")
    assert "x" not in session.circuit.nodes["m"]


def test_a_drag_is_one_revision_and_one_undo() -> None:
    circuit = small()
    session = EditSession(circuit)
    seen: list[Any] = []
    session.observe(seen.append)
    with session.batch("drag a"):
        for x in range(100):
            session.apply(edits.Set([("a", "x", x), ("a", "y", 2 * x)]))
    assert (session.revision, len(seen)) == (1, 1)
    assert seen[0].label == "drag a"
    assert seen[0].changes == (edits.Set([("a", "x", 99), ("a", "y", 198)]),)
    session.undo()
    assert circuit.nodes["a"] == {"role": "inter"}


def test_a_batch_that_fails_leaves_nothing() -> None:
    circuit = small()
    session = EditSession(circuit)
    before = exact(circuit)

    def two(first: str, second: str) -> None:
        with session.batch():
            session.apply(edits.Remove([first]))
            session.apply(edits.Remove([second]))

    with pytest.raises(gl.CircuitError, match="no neuron 'q'"):
        two("a", "q")
    assert exact(circuit) == before
    assert session.revision == 0


def test_what_is_done_in_python_becomes_a_revision() -> None:
    circuit = small()
    session = EditSession(circuit)
    seen: list[Any] = []
    session.observe(seen.append)
    assert session.notice() is None
    circuit.add_neuron("n", role="command")
    circuit.flip("a", "b")
    circuit.nodes["a"]["tags"] = ["x"]
    after = exact(circuit)
    session.apply(edits.Set([("m", "x", 1)]))
    assert [entry.label for entry in seen] == ["changed in Python", "move 1 neuron"]
    circuit.nodes["a"]["tags"].append("y")
    assert session.notice() is not None
    for _ in range(3):
        session.undo()
    assert exact(circuit) == exact(small())
    session.redo()
    assert exact(circuit) == after


def test_what_no_edit_makes_is_said() -> None:
    circuit = small()
    session = EditSession(circuit)
    circuit.add_node("stray")
    with pytest.raises(gl.CircuitError, match="unknown role None"):
        session.notice()


def test_another_order_is_a_change_too() -> None:
    circuit = small()
    session = EditSession(circuit)
    circuit.remove_synapse("a", "b")
    circuit.remove_neuron("a")
    circuit.add_neuron("a")
    circuit.add_synapse("a", "b")
    session.notice()
    assert list(circuit) == ["b", "m", "a"]
    session.undo()
    assert exact(circuit) == exact(small())


def test_attributes_that_are_arrays() -> None:
    circuit = small()
    circuit.nodes["a"]["trace"] = np.array([1.0, 2.0])
    session = EditSession(circuit)
    assert session.notice() is None
    session.apply(edits.Set([("b", "trace", np.array([3, 4]))]))
    assert session.notice() is None
    circuit.nodes["a"]["trace"] = np.array([1.0, 5.0])
    assert session.notice() is not None


@pytest.mark.parametrize(
    ("graph", "error", "why"),
    [
        (nx.Graph(), TypeError, "takes a networkx.DiGraph"),
        (nx.DiGraph([("a", "b")]), gl.CircuitError, "unknown role None"),
        (nx.freeze(small()), nx.NetworkXError, "Frozen"),
    ],
)
def test_what_cannot_be_edited_is_refused(graph: Any, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        EditSession(graph)


def test_a_plain_networkx_graph_is_edited_in_place() -> None:
    graph = nx.DiGraph()
    graph.add_node("a", role="inter")
    session = EditSession(graph)
    session.apply(edits.Add([("b", {"role": "motor"})], [("a", "b", {"polarity": -1})]))
    assert graph.edges["a", "b"] == {"polarity": -1}


def test_a_twin_keeps_every_order() -> None:
    circuit = gl.Circuit()
    circuit.add_neurons(["p", "q", "r"])
    circuit.add_synapses([("r", "p"), ("q", "p")])
    assert exact(twin(circuit)) == exact(circuit)


def test_an_observer_can_leave() -> None:
    session = EditSession(small())
    seen: list[Any] = []
    leave = session.observe(seen.append)
    session.apply(edits.Remove(["a"]))
    leave()
    leave()
    session.undo()
    assert len(seen) == 1


def test_the_script_reads_like_one() -> None:
    session = EditSession()
    session.apply(edits.Generate("auto_ncp", {"units": 8, "outputs": 2, "inputs": 2, "seed": 5}))
    session.apply(edits.Rename({"motor_0": "left"}))
    session.apply(edits.Add(synapses=[("left", "left", {"polarity": -1})]))
    session.apply(edits.Remove(["inter_0"]))
    session.undo()
    assert session.as_python() == (
        "import ganglion as gl\n"
        "from ganglion.wiring import edits\n"
        "\n"
        "circuit = gl.Circuit()\n"
        "edits.Generate(generator='auto_ncp', arguments={'units': 8, 'outputs': 2, 'inputs': 2, 'seed': 5})"
        ".apply(circuit)\n"
        "circuit.rename({'motor_0': 'left'})\n"
        "circuit.add_synapses([('left', 'left', -1)])\n"
    )
