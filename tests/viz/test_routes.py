"""No line of a synapse runs behind a neuron that is not its own."""

from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from matplotlib.figure import Figure

from ganglion.viz import plot_circuit
from ganglion.viz.routes import clipped, crossed, touched
from ganglion.viz.streets import Streets, lengths

ROLES = ("sensory", "inter", "command", "motor")


def handmade(seed):
    """A small irregular circuit with synapses that skip layers, lead back or stay in theirs."""
    rng, graph, layers = np.random.default_rng(seed), nx.DiGraph(), []
    for role, most in zip(ROLES, (5, 8, 6, 4), strict=True):
        layers.append([f"{role}_{k}" for k in range(int(rng.integers(1, most)))])
        graph.add_nodes_from(layers[-1], role=role)
    pairs = {pair for some in pairwise(layers) for pair in product(*some) if rng.random() < 0.4}
    pairs |= {tuple(map(str, rng.choice(list(graph), 2))) for _ in range(8)}
    for pre, post in sorted(pairs):
        if not post.startswith("sensory"):
            kind = {"kind": "electrical"} if rng.random() < 0.1 and pre[0] != "s" and pre != post else {}
            graph.add_edge(pre, post, polarity=int(rng.choice((1, -1))), **kind)
    return graph


def lines(graph, **options):
    """The curves as drawn, and the places and reaches of the markers, in pixels."""
    ax = Figure(figsize=(7, 4.2)).add_subplot()
    picture = plot_circuit(graph, ax=ax, labels=False, legend=False, style="links", **options)
    to_page, found, pos, reach = ax.transData, {}, {}, {}
    for name, (artist, item) in picture.neurons.items():
        pos[name] = to_page.transform(artist.get_offsets()[item])
        shape = np.concatenate(artist.get_transform().transform_path(artist.get_paths()[0]).to_polygons())
        reach[name] = np.linalg.norm(shape, axis=1).max()
    for pair, (artist, item) in picture.synapses.items():
        found[pair] = to_page.transform(artist.get_segments()[item])
    return found, pos, reach


def nearest(curve, point):
    """How near a line through points comes to a point, from many points of it."""
    dense = np.concatenate([np.linspace(a, b, 30) for a, b in pairwise(curve)])
    return np.linalg.norm(dense - point, axis=1).min()


@pytest.mark.parametrize("options", [{}, {"direction": "down"}, {"pos": "hierarchy"}, {"pos": "radial"}])
def test_no_synapse_runs_behind_a_foreign_neuron(options):
    for seed in range(4):
        graph = handmade(seed)
        found, pos, reach = lines(graph, **options)
        for pair, curve in found.items():
            for name in set(graph) - set(pair):
                assert nearest(curve, pos[name]) > 0.995 * reach[name], (seed, pair, name)


def test_a_synapse_that_skips_a_layer_passes_its_gap():
    graph = nx.DiGraph()
    for name, role in zip("stabm", ("sensory", "sensory", "inter", "inter", "motor"), strict=True):
        graph.add_node(name, role=role)
    for pre, post in ("sa", "tb", "am", "bm", "sm"):
        graph.add_edge(pre, post, polarity=1)
    graph.add_edge("t", "m", polarity=-1)
    found, pos, reach = lines(graph)
    for pair in (("s", "m"), ("t", "m")):
        for name in "ab":
            assert nearest(found[pair], pos[name]) > reach[name]
        curve = found[pair]
        assert (np.diff(curve[:, 0]) > 0).all()  # it never turns back


def test_what_lies_behind_is_found_by_every_point_of_a_line():
    rng = np.random.default_rng(3)
    pos, reach = rng.uniform(0, 10, (12, 2)), rng.uniform(0.1, 0.6, 12)
    pre, post = rng.integers(0, 12, 40), rng.integers(0, 12, 40)
    curves = np.cumsum(rng.normal(0, 0.5, (40, 15, 2)), axis=1) + pos[pre][:, None]
    expected = {
        (k, n)
        for k in range(40)
        for n in range(12)
        if n not in (pre[k], post[k]) and nearest(curves[k], pos[n]) < reach[n]
    }
    found = set(map(tuple, touched(curves, pos, reach, pre, post).tolist()))
    for k, n in expected ^ found:  # points of the check are some way apart
        assert nearest(curves[k], pos[n]) == pytest.approx(reach[n], abs=0.02)


def test_ways_go_from_border_to_border():
    t = np.linspace(0, 1, 160)
    way = np.stack([10 * t, 3 * np.sin(3 * t)], axis=1)
    links = clipped(way[None], np.array([1.0]), np.array([1.5]), np.array([0.5]))
    assert np.linalg.norm(links.curves[0, 0] - way[0]) == pytest.approx(1.0, abs=1e-2)
    assert np.linalg.norm(links.tips[0] - way[-1]) == pytest.approx(1.5, abs=1e-2)
    assert np.linalg.norm(links.curves[0, -1] - way[-1]) == pytest.approx(2.0, abs=1e-2)
    assert np.linalg.norm(links.headings[0]) == pytest.approx(1)
    on_each_other = clipped(np.zeros((1, 160, 2)), np.array([1.0]), np.array([1.0]), np.array([0.5]))
    assert np.isfinite(on_each_other.curves).all()
    assert np.isfinite(on_each_other.headings).all()


def test_crossings_are_counted():
    a = np.array([[[0, 0], [1, 1], [2, 2]]], float)
    others = np.array([[[0, 1], [1.2, 0.4], [2, 0]], [[0, 5], [1, 5], [2, 5]]], float)
    assert crossed(a, others).tolist() == [1]
    assert crossed(others, a).tolist() == [1, 0]


def test_the_shortest_way_through_two_columns_and_others_beside_it():
    pos = np.array([[0, 0], [10, -3], [10, 0], [10, 3], [20, -3], [20, 0], [20, 3], [30, 0]], float)
    streets = Streets.of(pos, np.full(8, 0.5), np.array([1.0, 0.0]))
    assert len(streets.columns) == 4
    ways = list(streets.ways(pos[0], pos[7]))
    assert len(ways) == 5
    lengthy = lengths(np.array(ways))[:, -1]
    assert lengthy.argmin() == 0
    for way in ways:
        assert min(np.linalg.norm(way - pos[k], axis=1).min() for k in range(1, 7)) > 0.5
    down = Streets.of(pos[:, ::-1] * (1, -1), np.full(8, 0.5), np.array([0.0, -1.0]))
    assert len(list(down.ways(*(pos[[0, 7]][:, ::-1] * (1, -1))))) == 5
    assert list(streets.ways(pos[0], pos[1])) == []
    beside = list(streets.ways(pos[1], pos[3]))
    assert len(beside) == 8
    assert min(np.linalg.norm(beside[0] - pos[2], axis=1)) > 0.5
