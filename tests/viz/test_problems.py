"""A broken circuit is drawn, with what is wrong marked and said."""

import networkx as nx
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from ganglion.errors import CircuitError
from ganglion.viz import current, plot_circuit
from ganglion.wiring import check

BREAK = {
    "role": lambda g: g.nodes["inter_0"].pop("role"),
    "unknown": lambda g: g.nodes["inter_0"].update(role="boss"),
    "polarity": lambda g: g.add_edge("inter_0", "motor_0"),
    "sign": lambda g: g.add_edge("inter_0", "motor_0", polarity=0.5),
    "onto": lambda g: g.add_edge("inter_0", "sensory_0", polarity=1),
    "coupled": lambda g: g.add_edge("inter_0", "inter_0", polarity=1, kind="electrical"),
    "outputs": lambda g: g.remove_nodes_from([n for n in g if n.startswith("motor")]),
}


@pytest.mark.parametrize("kind", BREAK)
def test_what_is_wrong_is_marked_and_said(circuit, kind):
    BREAK[kind](circuit)
    before = nx.node_link_data(circuit)
    picture = plot_circuit(circuit)
    accent = current(picture.ax).accent.lower()
    said = [text.get_text() for text in picture.artists["legend"].get_texts()]
    assert nx.node_link_data(circuit) == before
    if kind == "outputs":
        assert any("no motor neuron" in text for text in said)
        return
    assert any("'inter_0'" in text for text in said)
    edges = [to_hex(c) for c in np.atleast_2d(picture.neurons["inter_0"].artist.get_edgecolor())]
    lines = [to_hex(c) for c in picture.artists["synapses"].get_colors()]
    assert (accent in edges, accent in lines) == (
        kind in ("role", "unknown"),
        kind not in ("role", "unknown"),
    )
    assert lines.count(accent) + edges.count(accent) == 1


def test_many_problems_are_counted_and_a_sound_circuit_has_none(circuit):
    assert "check" not in "".join(t.get_text() for t in plot_circuit(circuit).artists["legend"].get_texts())
    for name in list(circuit):
        circuit.nodes[name].pop("role")
    said = [text.get_text() for text in plot_circuit(circuit).artists["legend"].get_texts()]
    assert said[-1] == f"and {len(circuit) + 1 - 4} more problems: gl.check(circuit)"


def test_a_long_problem_is_said_whole_beneath_the_neurons(circuit):
    wordy = "a neuron with a name of many words " * 4
    graph = nx.relabel_nodes(circuit, {"inter_0": wordy.strip()})
    graph.nodes[wordy.strip()].pop("role")
    ax = Figure(figsize=(4, 3), dpi=100).add_subplot()
    legend = plot_circuit(graph, ax=ax, labels=False).artists["legend"]
    said = [text.get_text().replace("\n", " ") for text in legend.get_texts()]
    assert check(graph)[0].message in said
    ax.figure.draw_without_rendering()
    box = legend.get_window_extent()
    assert ax.bbox.x0 <= box.x0 < box.x1 <= ax.bbox.x1
    assert ax.bbox.y0 - 1 <= box.y0
    dots = [artist for artist in ax.collections if isinstance(artist, PathCollection)]
    assert box.y1 < min(ax.transData.transform(dot.get_offsets())[:, 1].min() for dot in dots)


@pytest.mark.parametrize("style", ["matrix", "blocks"])
def test_only_lines_can_show_what_is_wrong(circuit, style):
    circuit.nodes["inter_0"].pop("role")
    with pytest.raises(CircuitError, match="'inter_0' has role None"):
        plot_circuit(circuit, style=style)
    with pytest.raises(CircuitError, match="no neurons"):
        plot_circuit(nx.DiGraph())
