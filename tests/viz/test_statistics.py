import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt

from ganglion.viz import plot_balance, plot_degrees, plot_summary


def test_degrees_are_those_of_the_graph(circuit):
    picture = plot_degrees(circuit)
    for node in circuit:
        place = picture.neurons[node]
        assert place.artist.get_offsets()[place.item][1] == circuit.out_degree(node)
    for role in ("sensory", "inter", "command", "motor"):
        members = [n for n, r in circuit.nodes(data="role") if r == role]
        heights = picture.artists[f"in/{role}"].get_offsets()[:, 1]
        np.testing.assert_array_equal(heights, [circuit.in_degree(n) for n in members])


def test_neurons_of_equal_degree_stand_side_by_side(circuit):
    spots = np.asarray(plot_degrees(circuit).artists["out/inter"].get_offsets())
    assert len(np.unique(spots.round(6), axis=0)) == len(spots)


def test_balance_counts_what_each_role_sends(circuit):
    picture = plot_balance(circuit)
    roles = nx.get_node_attributes(circuit, "role")
    for sign, name in ((1, "excitatory"), (-1, "inhibitory")):
        ends = [
            path.vertices[:, 0][np.abs(path.vertices[:, 0]).argmax()]
            for path in picture.artists[name].get_paths()
        ]
        sent = [
            sum(roles[pre] == role and found == sign for pre, _, found in circuit.edges(data="polarity"))
            for role in ("sensory", "inter", "command", "motor")
        ]
        assert ends == [sign * count for count in sent]


def test_summary_has_its_panels(circuit):
    picture = plot_summary(circuit)
    assert list(picture.axes) == ["circuit", "masks", "degrees", "balance"]
    assert set(picture.synapses) == set(circuit.edges)
    letters = [text.get_text() for text in picture.figure.axes[0].texts]
    assert letters == ["a", "b", "c", "d"]
    picture.figure.canvas.draw()


@pytest.mark.parametrize("ground", ["default", "dark_background"])
@pytest.mark.parametrize("draw", [plot_degrees, plot_balance])
@pytest.mark.parametrize("size", [(2.4, 2.2), (7, 3)])
def test_texts_do_not_overlap(circuit, draw, size, ground):
    with plt.style.context(ground):
        figure, ax = plt.subplots(figsize=size, layout="constrained")
        draw(circuit, ax=ax)
        figure.canvas.draw()
    labels = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
    boxes = [text.get_window_extent() for text in labels if text.get_text() and text.get_visible()]
    assert not [1 for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


@pytest.mark.parametrize("draw", [plot_degrees, plot_balance, plot_summary])
def test_one_neuron_without_synapses(draw):
    graph = nx.DiGraph()
    graph.add_node("m", role="motor")
    draw(graph).figure.canvas.draw()


@pytest.mark.parametrize("synapses", [[], [("a", "a"), ("b", "b")]])
def test_degrees_that_are_all_alike_are_counted_from_zero(synapses):
    graph = nx.DiGraph()
    graph.add_nodes_from("ab", role="inter")
    graph.add_edges_from(synapses, polarity=1)
    axes = plot_degrees(graph).ax
    low, high = axes.get_ylim()
    assert -0.5 < low < 0 < 1 < high
    assert {0, 1} <= {tick for tick in axes.get_yticks() if low <= tick <= high}
    assert all(tick == int(tick) for tick in axes.get_yticks())
