"""Edits as values: whole or not at all, taken back exactly, the same on every copy, through JSON and back."""

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
from ganglion.wiring import changed, edits, projections


def tap() -> gl.Circuit:
    circuit = gl.Circuit()
    circuit.add_neurons(["eye", "ear"], role="sensory")
    circuit.add_neurons(["a", "b", "c"], role="inter", group="core")
    circuit.add_neuron("arm", role="motor")
    circuit.add_synapses([("eye", "a"), ("ear", "b", -1), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "arm")])
    return circuit


def outcome(edit: edits.Edit, circuit: gl.Circuit) -> tuple[edits.Done | None, str]:
    try:
        return edit.run(circuit), ""
    except gl.CircuitError as error:
        return None, str(error)


# Properties


@settings(max_examples=60, deadline=None)
@given(st.data(), circuits())
def test_random_edits_undo_to_the_identical_circuit(data: st.DataObject, graph: nx.DiGraph) -> None:
    circuit = gl.Circuit(graph)
    start, digest = exact(circuit), circuit.digest()
    inverses = []
    for _ in range(data.draw(st.integers(1, 8))):
        edit = data.draw(any_edit(circuit))
        before = exact(circuit)
        try:
            inverses.append(edit.apply(circuit))
        except gl.CircuitError:
            assert exact(circuit) == before
    for inverse in reversed(inverses):
        inverse.apply(circuit)
    assert exact(circuit) == start
    assert circuit.digest() == digest


@settings(max_examples=60, deadline=None)
@given(st.data(), circuits())
def test_what_an_edit_says_it_changed_does_the_same_elsewhere(data: st.DataObject, graph: nx.DiGraph) -> None:
    """A page that knows only the four primitive kinds stays equal, edit after edit, through JSON."""
    ours, theirs, again = (gl.Circuit(graph) for _ in range(3))
    for _ in range(data.draw(st.integers(1, 8))):
        edit = data.draw(any_edit(ours))
        sent = json.loads(json.dumps(edit.to_json()))
        assert edits.from_json(sent) == edit
        done, why = outcome(edit, ours)
        assert outcome(edits.from_json(sent), again)[1] == why
        if done is None:
            continue
        for change in done.changes:
            assert change.kind in ("add", "remove", "set", "rename")
            edits.from_json(json.loads(json.dumps(change.to_json()))).run(theirs)
        assert exact(theirs) == exact(ours) == exact(again)


@settings(max_examples=60, deadline=None)
@given(st.data(), circuits())
def test_inverses_travel_as_json(data: st.DataObject, graph: nx.DiGraph) -> None:
    circuit = gl.Circuit(graph)
    edit = data.draw(any_edit(circuit))
    before = exact(circuit)
    try:
        inverse = edit.apply(circuit)
    except gl.CircuitError:
        return
    edits.from_json(json.loads(json.dumps(inverse.to_json()))).apply(circuit)
    assert exact(circuit) == before


# Each kind


def test_a_removed_neuron_comes_back_where_it_was_with_its_synapses() -> None:
    circuit = tap()
    before = exact(circuit)
    inverse = edits.Remove(neurons=["b", "eye"], synapses=[("c", "arm")]).apply(circuit)
    assert list(circuit) == ["ear", "a", "c", "arm"]
    assert circuit.number_of_edges() == 0
    inverse.apply(circuit)
    assert exact(circuit) == before
    assert list(circuit.predecessors("a")) == ["eye", "b"]


def test_set_changes_many_at_once_and_removes_attributes() -> None:
    circuit = tap()
    edits.Set(
        neurons=[("a", "x", 1.5), ("a", "y", 2), ("b", "group"), ("c", "role", "command")],
        synapses=[("a", "b", "polarity", -1)],
        circuit=[("note", "tap")],
    ).apply(circuit)
    assert circuit.nodes["a"] == {"role": "inter", "group": "core", "x": 1.5, "y": 2}
    assert circuit.nodes["b"] == {"role": "inter"}
    assert circuit.nodes["c"]["role"] == "command"
    assert circuit.edges["a", "b"]["polarity"] == -1
    assert circuit.graph == {"note": "tap"}


def test_names_may_be_exchanged_and_every_order_stays() -> None:
    circuit = tap()
    after = [list(circuit.successors(name)) for name in circuit]
    before = [list(circuit.predecessors(name)) for name in circuit]
    edits.Rename({"a": "b", "b": "a"}).apply(circuit)
    back = {"a": "b", "b": "a"}
    assert list(circuit) == ["eye", "ear", "b", "a", "c", "arm"]
    assert [[back.get(n, n) for n in circuit.successors(name)] for name in circuit] == after
    assert [[back.get(n, n) for n in circuit.predecessors(name)] for name in circuit] == before


def test_renaming_a_circuit_keeps_the_order_of_predecessors_too() -> None:
    circuit = gl.Circuit()
    circuit.add_neurons(["p", "q", "r"])
    circuit.add_synapses([("r", "p"), ("q", "p")])
    circuit.rename({"p": "z"})
    assert list(circuit.predecessors("z")) == ["r", "q"]


def test_connecting_makes_the_synapses_of_the_circuits_own_method() -> None:
    ours, theirs = tap(), tap()
    options: dict[str, Any] = {"indegree": 2, "inhibitory": 0.5, "seed": 3, "skip_existing": True}
    edits.Connect("inter", "motor", "fixed_indegree", **options).apply(ours)
    theirs.connect("inter", "motor", "fixed_indegree", **options)
    assert exact(ours) == exact(theirs)


def test_a_generator_beside_and_instead() -> None:
    circuit = tap()
    made = {"units": 8, "outputs": 2, "inputs": 2, "seed": 5}
    edits.Generate("auto_ncp", made, prefix="left ").apply(circuit)
    other = gl.auto_ncp(8, 2, inputs=2, seed=5)
    assert [name for name in circuit if str(name).startswith("left ")] == [f"left {name}" for name in other]
    edits.Generate("auto_ncp", made, replace=True).apply(circuit)
    assert exact(circuit)[1:] == exact(other)[1:]


@pytest.mark.parametrize(
    "edit",
    [
        edits.Add([("d", {"role": "inter"})]),
        edits.Remove(["a"]),
        edits.Set([("a", "x", 1)]),
        edits.Rename({"a": "z"}),
    ],
)
def test_frozen_circuits_stay_as_they_are(edit: edits.Edit) -> None:
    circuit = tap()
    before = exact(circuit)
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        edit.apply(circuit.subgraph(list(circuit)))
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        edit.apply(nx.freeze(circuit))
    assert exact(circuit) == before


def test_a_batch_is_refused_whole() -> None:
    circuit = tap()
    before = exact(circuit)
    batch = edits.Batch([edits.Remove(["a"]), edits.Rename({"b": "c"})])
    with pytest.raises(gl.CircuitError, match="the name is taken"):
        batch.apply(circuit)
    assert exact(circuit) == before


def test_attributes_of_an_edit_and_of_the_circuit_share_nothing() -> None:
    circuit = tap()
    held = {"role": "inter", "tags": ["x"]}
    edit = edits.Add([("d", held)])
    held["tags"] = "gone"
    edit.apply(circuit)
    circuit.nodes["d"]["tags"].append("y")
    assert edit.neurons == (("d", {"role": "inter", "tags": ["x"]}),)


def test_numpy_values_become_what_json_holds() -> None:
    edit = edits.Set(neurons=[("a", "tau", np.float32(0.5)), ("a", "mask", np.array([1, 2]))])
    assert edit.neurons == (("a", "tau", 0.5), ("a", "mask", [1, 2]))


def test_names_that_are_numbers_and_tuples() -> None:
    circuit = gl.Circuit()
    edit = edits.Add(
        [(("l", 1), {"role": "sensory"}), (2, {"role": "motor"})], [(("l", 1), 2, {"polarity": 1})]
    )
    edits.from_json(json.loads(json.dumps(edit.to_json()))).apply(circuit)
    assert list(circuit) == [("l", 1), 2]
    with pytest.raises(gl.CircuitError, match="the name '2' is taken"):
        edits.Add([("2", {"role": "inter"})]).apply(circuit)


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (edits.Add([("a", {"role": "inter"})]), "the name 'a' is taken"),
        (edits.Add([("d", {"role": "inter"})] * 2), "the name 'd' is taken"),
        (edits.Add(synapses=[("a", "b", {"polarity": 1})]), "exists already$"),
        (
            edits.Add(synapses=[("a", "b", {"polarity": 1, "kind": "electrical"})]),
            r"is its attribute gap, as in circuit.edges\['a', 'b'\]\['gap'\] = 1.0",
        ),
        (edits.Add(synapses=[("arm", "a", {"polarity": 1})] * 2), "'arm' -> 'a' is given twice"),
        (edits.Add(synapses=[("a", "eye", {"polarity": 1})]), "ends on a sensory neuron"),
        (edits.Add(synapses=[("a", "zz", {"polarity": 1})]), "there is no neuron 'zz'"),
        (edits.Remove(["zz"]), "there is no neuron 'zz'"),
        (edits.Remove(synapses=[("a", "arm")]), "there is no synapse 'a' -> 'arm'"),
        (edits.Set([("zz", "x", 1)]), "there is no neuron 'zz'"),
        (edits.Set([("b", "role", "sensory")]), "receives 2 synapses, the first from 'ear'"),
        (edits.Set([("b", "role")]), "must have a role"),
        (edits.Set(synapses=[("a", "b", "polarity")]), "must have a polarity"),
        (edits.Rename({"a": "b"}), "cannot rename 'a' to 'b'"),
        (edits.Rename({"zz": "b"}), "there is no neuron 'zz'"),
        (edits.Connect("core", "sensory"), "ends on a sensory neuron"),
        (edits.Connect("crowd", "motor"), "the group 'crowd' has no neurons"),
        (edits.Connect("core", "motor"), "'c' -> 'arm' exists already"),
        (edits.Connect("core", "motor", "pairwise_bernoulli", p=0.5), "pass seed="),
        (edits.Connect("core", "motor", "fixed_indegree", p=0.5, seed=1), "takes indegree= and nothing else"),
        (edits.Redraw("up"), "there is no projection 'up'"),
        (edits.Generate("auto_ncp", {"units": 3}), "auto_ncp"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_whole(edit: edits.Edit, why: str) -> None:
    circuit = tap()
    before = exact(circuit)
    with pytest.raises(gl.CircuitError, match=why):
        edit.apply(circuit)
    assert exact(circuit) == before


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "an edit is an object whose kind"),
        ([], "an edit is an object whose kind"),
        ({"kind": "explode"}, "one of add, remove"),
        ({"kind": "add", "neuron": []}, "has no field 'neuron'"),
        ({"kind": "add", "neurons": "abc"}, "neurons must be a list"),
        ({"kind": "add", "neurons": [["d"]]}, r"takes \[name, attributes\]"),
        ({"kind": "add", "neurons": [["d", {}]]}, "unknown role None"),
        ({"kind": "add", "neurons": [["d", {"role": "king"}]]}, "unknown role 'king'"),
        ({"kind": "add", "neurons": [[None, {"role": "inter"}]]}, "the name None"),
        ({"kind": "add", "neurons": [[{}, {"role": "inter"}]]}, "a name is a text"),
        (
            {"kind": "add", "neurons": [["d", {"role": "inter", "x": "far"}]]},
            "must be a number, got 'far'",
        ),
        ({"kind": "add", "neurons": [["d", {"role": "inter", "x": float("nan")}]]}, "holds nan"),
        ({"kind": "add", "neurons": [["d", {"role": "inter", "id": 1}]]}, "'id' is no name for an"),
        (
            {"kind": "add", "neurons": [["d", {"role": "inter", "group": "motor"}]]},
            "be called 'motor'",
        ),
        ({"kind": "add", "synapses": [["a", "b", {"polarity": 2}]]}, "polarity 2; expected"),
        ({"kind": "add", "synapses": [["a", "b", {"polarity": True}]]}, "polarity True; expected"),
        ({"kind": "add", "places": [1]}, "places takes 0 whole numbers"),
        ({"kind": "set", "synapses": [["a", "b"]]}, r"takes \[pre, post, attribute, value\]"),
        ({"kind": "set", "circuit": [["projections", {"p": 1}]]}, "projection 'p' must be an object"),
        ({"kind": "rename", "names": [["a", "z"], ["a", "y"]]}, "renamed twice"),
        ({"kind": "connect", "pre": "inter", "post": "motor", "rule": "magic"}, "unknown rule 'magic'"),
        ({"kind": "connect", "pre": 3, "post": "motor"}, "pre is a role, a group or a list"),
        ({"kind": "connect", "pre": "inter", "post": "motor", "seed": "x"}, "must be a whole number"),
        ({"kind": "projection", "name": 5}, "takes its name"),
        ({"kind": "generate", "generator": "os.system"}, "unknown generator"),
        ({"kind": "generate", "generator": "random", "arguments": []}, "object of arguments"),
        ({"kind": "batch", "edits": [{"kind": "add"}, 7]}, "an edit is an object whose kind"),
        ({"kind": "batch", "edits": 7}, "edits must be a list"),
    ],
)
def test_what_is_no_edit_is_refused_with_the_reason(data: Any, why: str) -> None:
    with pytest.raises(gl.CircuitError, match=why):
        edits.from_json(data)


def test_edits_nested_without_end_are_refused() -> None:
    nested: dict[str, Any] = {"kind": "add"}
    for _ in range(50):
        nested = {"kind": "batch", "edits": [nested]}
    with pytest.raises(gl.CircuitError, match="nested more than 20 deep"):
        edits.from_json(nested)


# Projections


def projected() -> gl.Circuit:
    circuit = tap()
    circuit.remove_synapses(circuit.synapses("inter", "motor"))
    circuit.add_neurons(["m1", "m2"], role="motor")
    edits.Connect("core", "motor", "fixed_indegree", indegree=2, seed=7, projection="down").apply(circuit)
    return circuit


def drawn(circuit: gl.Circuit) -> list[tuple[Any, Any, Any]]:
    return [
        (u, v, data["polarity"])
        for u, v, data in circuit.edges(data=True)
        if data.get("projection") == "down"
    ]


def test_a_projection_is_kept_and_drawn_again() -> None:
    circuit = projected()
    assert projections(circuit)["down"].rule == "fixed_indegree"
    assert len(drawn(circuit)) == 6
    assert changed(circuit, "down") is None
    edits.Redraw("down", {"indegree": 1, "inhibitory": 1.0, "seed": 8}).apply(circuit)
    other = tap()
    other.remove_synapses(other.synapses("inter", "motor"))
    other.add_neurons(["m1", "m2"], role="motor")
    expected = other.connect("inter", "motor", "fixed_indegree", indegree=1, inhibitory=1.0, seed=8)
    assert drawn(circuit) == expected
    edits.Redraw("down", {"rule": "all_to_all", "inhibitory": 0.0}).apply(circuit)
    assert len(drawn(circuit)) == 9
    edits.Redraw("down", remove=True).apply(circuit)
    assert drawn(circuit) == []
    assert "projections" not in circuit.graph


def test_a_projection_changed_by_hand_says_so() -> None:
    circuit = projected()
    (u, v, sign), (a, b, _), *_ = drawn(circuit)
    edits.Set(synapses=[(u, v, "polarity", -sign)]).apply(circuit)
    assert changed(circuit, "down") == "1 flipped by hand"
    inverse = edits.Remove(synapses=[(a, b)]).apply(circuit)
    assert changed(circuit, "down") == "1 removed, 1 flipped by hand"
    inverse.apply(circuit)
    circuit.flip(u, v)
    assert changed(circuit, "down") is None
    circuit.remove_neurons(["a", "b"])
    assert changed(circuit, "down") == (
        "cannot be drawn again: indegree is 2; expected 0 to 1, the number of different partners of each "
        "neuron"
    )


def test_a_projection_between_listed_neurons_follows_a_rename() -> None:
    circuit = tap()
    edits.Connect(["a", "b"], ["arm"], projection="p").apply(circuit)
    inverse = edits.Rename({"a": "AVA"}).apply(circuit)
    assert projections(circuit)["p"].pre == ("AVA", "b")
    assert changed(circuit, "p") is None
    inverse.apply(circuit)
    assert projections(circuit)["p"].pre == ("a", "b")
    circuit.rename({"b": "AVB"})
    assert projections(circuit)["p"].pre == ("a", "AVB")


def test_projections_travel_in_files(tmp_path: Any) -> None:
    circuit = projected()
    gl.write(circuit, tmp_path / "c.json")
    back = gl.read(tmp_path / "c.json")
    assert exact(back) == exact(circuit)
    assert changed(back, "down") is None


def test_a_projection_that_skips_what_exists_is_not_called_changed() -> None:
    circuit = tap()
    edits.Connect("core", "motor", skip_existing=True, projection="p").apply(circuit)
    assert circuit.edges["c", "arm"] == {"polarity": 1}
    assert changed(circuit, "p") is None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: edits.Add(synapses=[("a", "b", -1)]),
            "must be a dictionary, such as {'polarity': -1}, got -1",
        ),
        (
            lambda: edits.Add(synapses=[("a", "b", "x")]),
            "must be a dictionary, such as {'polarity': 1}, got 'x'",
        ),
        (lambda: edits.Add([("a", "inter")]), "must be a dictionary, such as {'role': 'inter'}, got 'inter'"),
    ],
)
def test_attributes_are_shown_as_they_are_wanted(make: Any, told: str) -> None:
    with pytest.raises(gl.CircuitError, match=told):
        make()
