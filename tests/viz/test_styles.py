import itertools

import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt

from ganglion.viz import current, plot_circuit


def test_big_circuits_are_summed_up_and_say_so(build):
    circuit = build((30, 300, 200, 20), density=0.03)
    with pytest.warns(
        UserWarning, match="550 neurons and .* synapses are summed up by role; style='links' draws"
    ):
        picture = plot_circuit(circuit)
    assert len(picture.artists["neurons/inter"].get_offsets()) == 1
    assert set(picture.neurons) == set(circuit)
    assert set(picture.synapses) == set(circuit.edges)


@pytest.mark.filterwarnings("error")
def test_links_draw_a_big_circuit_when_asked(build):
    picture = plot_circuit(build((30, 300, 200, 20), density=0.03), style="links")
    assert len(picture.artists["neurons/inter"].get_offsets()) == 300


def test_blocks_count_synapses_by_role_and_polarity(circuit):
    picture = plot_circuit(circuit, style="blocks")
    roles = nx.get_node_attributes(circuit, "role")
    groups = {}
    for pre, post, sign in circuit.edges(data="polarity"):
        groups.setdefault((roles[pre], roles[post], sign), []).append((pre, post))
    ribbons = picture.artists["synapses"]
    assert len(ribbons.get_segments()) == len(groups)
    texts = sorted(text.get_text() for text in picture.ax.texts if "·" not in text.get_text())
    assert texts == sorted(str(len(pairs)) for pairs in groups.values())
    for pairs in groups.values():
        assert len({picture.synapses[pair].item for pair in pairs}) == 1
    widths = {key: ribbons.get_linewidth()[picture.synapses[pairs[0]].item] for key, pairs in groups.items()}
    most = max(groups, key=lambda key: len(groups[key]))
    assert widths[most] == max(widths.values())


@pytest.mark.parametrize("size", [(7, 4.2), (3.4, 2.6)])
def test_ribbons_of_different_kinds_are_told_apart(size):
    graph = nx.DiGraph()
    for role in ("inter", "command", "motor"):
        graph.add_nodes_from([f"{role}_{k}" for k in range(2)], role=role)
    for sign, (pre, post) in itertools.product((1, -1), itertools.product(list(graph), repeat=2)):
        if (pre[-1] == post[-1]) == (sign > 0):
            graph.add_edge(pre, post, polarity=sign)
    figure, ax = plt.subplots(figsize=size)
    picture = plot_circuit(graph, style="blocks", ax=ax)
    middles = np.array([curve[len(curve) // 2] for curve in picture.artists["synapses"].get_segments()])
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=-1) + np.eye(len(middles))
    assert len(middles) == 18
    assert apart.min() > 0.01
    figure.canvas.draw()
    headings = [text.get_window_extent() for text in ax.texts if "·" in text.get_text()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(headings, 2))


def test_blocks_of_one_neuron():
    graph = nx.DiGraph()
    graph.add_node("m", role="motor")
    plot_circuit(graph, style="blocks").figure.canvas.draw()
    graph.add_edge("m", "m", polarity=-1)
    assert set(plot_circuit(graph, style="blocks").synapses) == {("m", "m")}


def test_matrix_is_the_mask_and_hive_has_an_axis_per_role(circuit):
    assert list(plot_circuit(circuit, style="matrix").axes) == ["masks"]
    picture = plot_circuit(circuit, style="hive")
    for role in ("sensory", "inter", "command", "motor"):
        spots = np.asarray(picture.artists[f"neurons/{role}"].get_offsets())
        scale = np.linalg.svd(spots - spots.mean(axis=0), compute_uv=False)
        assert scale[1] < 1e-9 * scale[0] + 1e-9


def test_unknown_style_is_refused(circuit):
    with pytest.raises(
        ValueError, match="unknown style 'pretty': expected one of auto, links, matrix, blocks, hive"
    ):
        plot_circuit(circuit, style="pretty")


def test_no_block_is_hidden_by_its_ground(build):
    with plt.style.context("dark_background"):
        picture = plot_circuit(build(), style="blocks")
    assert current(picture.ax).ground == "#000000"
