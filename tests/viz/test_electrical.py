"""Electrical synapses have no sign and no direction, and every picture shows them as that."""

import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_hex

from ganglion import compile_circuit
from ganglion.viz import current, plot_balance, plot_circuit, plot_degrees, plot_diff, plot_masks, plot_paths
from ganglion.viz.links import resistors
from ganglion.viz.view import view

ROLES = {"s": "sensory", "a": "inter", "b": "inter", "c": "command", "m": "motor"}


@pytest.fixture
def coupled():
    graph = nx.DiGraph()
    for name, role in ROLES.items():
        graph.add_node(name, role=role)
    graph.add_edge("s", "a", polarity=1)
    graph.add_edge("a", "b", polarity=1, kind="electrical")
    graph.add_edge("b", "c", polarity=-1, gap=0.5)
    graph.add_edge("c", "m", polarity=1)
    return graph


def segments(picture, pair):
    place = picture.synapses[pair]
    return place.artist.get_segments()[place.item], to_hex(place.artist.get_colors()[place.item])


def test_the_view_of_graph_and_plan_has_them_without_a_sign(coupled):
    for circuit, synapses in ((coupled, 5), (compile_circuit(coupled), 5)):
        seen = view(circuit)
        rows = sorted(zip(seen.synapses, seen.polarity.tolist(), strict=True))
        electrical = {frozenset(pair) for pair, sign in rows if not sign}
        assert len(rows) == synapses
        assert electrical == {frozenset("ab"), frozenset("bc")}
        assert sorted(pair for pair, sign in rows if sign) == [("b", "c"), ("c", "m"), ("s", "a")]


def test_a_resistor_without_a_head_in_a_colour_of_its_own(coupled):
    picture = plot_circuit(coupled)
    look = current(picture.ax)
    line, color = segments(picture, ("a", "b"))
    assert color == look.electrical.lower()
    (x, y), (u, v) = np.diff(line, axis=0)[:-1].T, np.diff(line, axis=0)[1:].T
    turns = x * v - y * u
    assert turns.max() > 0.1 * np.abs(turns).max() > 0.01 * turns.min()  # both ways: a zigzag
    assert turns.min() < -0.1 * turns.max()
    assert segments(picture, ("b", "c"))[1] == look.inhibitory.lower()  # the pair is the chemical one's
    assert [to_hex(c) for c in picture.artists["synapses"].get_colors()].count(look.electrical.lower()) == 2
    heads = picture.artists["heads"].get_paths()
    flat = [np.ptp(path.vertices, axis=0).max() < 1e-12 for path in heads]
    assert sum(flat) == 2
    assert "electrical" in [text.get_text() for text in picture.artists["legend"].get_texts()]


def test_zigzags_keep_the_ends_of_their_curves_and_stand_in_the_middle():
    t = np.linspace(0, 1, 20)
    curve = np.stack([100 * t, 30 * t * (1 - t)], axis=1)
    drawn = resistors(curve[None], 14.0)[0]
    np.testing.assert_allclose(drawn[[0, -1]], curve[[0, -1]])
    zigzag = drawn[5:14]
    np.testing.assert_allclose(zigzag[[0, -1]].mean(axis=0)[0], 50, atol=1)
    assert np.linalg.norm(zigzag[-1] - zigzag[0]) == pytest.approx(14, rel=0.05)
    short = resistors(np.stack([t, 0 * t], axis=1)[None], 14.0)[0]
    assert short[:, 0].min() == 0
    assert short[:, 0].max() == 1


def test_widths_and_emphasis_know_both_kinds_of_one_pair(coupled):
    nx.set_edge_attributes(coupled, {pair: 1.0 + (pair == ("a", "b")) for pair in coupled.edges}, "weight")
    widths = plot_circuit(coupled, width_by="weight").artists["synapses"].get_linewidths()
    assert len(widths) == 5
    assert max(widths) == widths[1]
    artists = plot_circuit(coupled, width_by=[1, 2, 3, 4]).artists
    values = artists["synapses"].get_linewidths()
    assert min(values) == values[-1]  # the one beside has no value
    assert [dash is not None for _, dash in artists["synapses"].get_linestyle()] == [False] * 4 + [True]
    assert artists["legend"].get_texts()[-1].get_text() == "no value"
    picture = plot_circuit(coupled, highlight=[("b", "a")])
    assert (np.asarray(picture.artists["synapses"].get_alpha()) < 0.2).sum() == 4
    with pytest.raises(ValueError, match=r"no synapse 'm' -> 'c'"):
        plot_circuit(coupled, highlight=[("m", "c")])


def test_masks_show_them_on_both_sides_and_smaller(coupled):
    picture = plot_masks(coupled)
    cells = picture.artists["synapses/electrical"].get_offsets()
    assert len(cells) == 4
    assert picture.synapses["b", "c"].artist is picture.artists["synapses/inhibitory"]
    assert "synapses/electrical" not in plot_masks(nx.DiGraph(_chemical(coupled))).artists


def test_counts_leave_them_out_and_blocks_have_their_own_ribbon(coupled):
    assert plot_degrees(coupled).artists["in/inter"].get_offsets()[:, 1].tolist() == [1, 0]
    assert plot_balance(coupled).artists["excitatory"].get_paths()[1].vertices[:, 0].max() == 0
    blocks = plot_circuit(coupled, style="blocks")
    electrical = current(blocks.ax).electrical.lower()
    assert [to_hex(c) for c in blocks.artists["synapses"].get_colors()].count(electrical) == 2
    assert blocks.synapses["a", "b"].artist is blocks.artists["synapses"]


def test_paths_lead_through_them_both_ways(coupled):
    coupled.add_edge("b", "m", polarity=-1)
    coupled.add_edge("s", "b", polarity=1)
    coupled.add_edge("a", "m", polarity=1)
    picture = plot_paths(coupled, "s", "m", count=4)
    assert dict(zip(picture.paths, picture.signs, strict=True)) == {
        ("s", "a", "m"): 1, ("s", "b", "m"): -1, ("s", "a", "b", "m"): -1, ("s", "b", "a", "m"): 1,
    }  # fmt: skip


def test_differences_of_kind_and_of_what_lies_beside(coupled):
    after = coupled.copy()
    del after.edges["b", "c"]["gap"]
    del after.edges["a", "b"]["kind"]
    assert plot_diff(coupled, after).synapse_changes == {
        ("s", "a"): "unchanged", ("a", "b"): "changed", ("b", "c"): "changed", ("c", "m"): "unchanged",
    }  # fmt: skip
    turned = coupled.copy()
    turned.remove_edge("a", "b")
    turned.add_edge("b", "a", polarity=1, kind="electrical")
    assert set(plot_diff(coupled, turned).synapse_changes.values()) == {"unchanged"}


def _chemical(graph):
    kept = graph.copy()
    kept.remove_edge("a", "b")
    del kept.edges["b", "c"]["gap"]
    return kept
