import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gl
from ganglion.errors import LayoutError
from ganglion.viz import layout
from ganglion.viz.exchange import exchange, lines_crossed, sides
from ganglion.viz.labels import spread
from ganglion.viz.layout import depths, page_places, positions
from ganglion.viz.order import _crossings, _sweep, _tables, crossings
from ganglion.viz.view import view


def test_layers_stand_in_columns_from_sensory_to_motor(circuit):
    pos = layout(circuit)
    for role in ("sensory", "inter", "command", "motor"):
        x = {pos[n][0] for n, r in circuit.nodes(data="role") if r == role}
        assert len(x) == 1
    assert pos["sensory_0"][0] < pos["inter_0"][0] < pos["command_0"][0] < pos["motor_0"][0]


def test_down_is_right_turned(circuit):
    down = layout(circuit, direction="down")
    assert down["sensory_0"][1] > down["inter_0"][1] > down["motor_0"][1]


def test_crowded_layers_fold_but_never_overlap(build):
    pos = np.array(list(layout(build((10, 120, 60, 5), density=0.03)).values()))
    apart = np.linalg.norm(pos[:, None] - pos[None], axis=-1) + np.eye(len(pos))
    assert apart.min() > 0.005
    assert (pos >= -1e-9).all()
    assert (pos <= np.array([1.6, 1.0]) + 1e-9).all()


CIRCUITS = {
    "auto_ncp": lambda seed: gl.auto_ncp(270, 20, inputs=30, sparsity=0.855, seed=seed),
    "ncp": lambda seed: gl.ncp(
        inter=120, command=120, motor=30, inputs=30, sensory_fanout=12, inter_fanout=10,
        recurrent_command_synapses=1100, motor_fanin=12, seed=seed,
    ),
    "random": lambda seed: gl.random(270, inputs=30, outputs=20, sparsity=0.963, seed=seed),
    "layered": lambda seed: gl.layered(
        [80, 60, 60], inputs=30, outputs=20, command=50, density=0.165, seed=seed
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CIRCUITS)
def test_a_quarter_of_the_crossings_goes(kind):
    circuit = CIRCUITS[kind](1)
    assert len(circuit) == 300
    assert 2900 < circuit.size() < 3200
    seen = view(circuit)
    graph, better = (
        crossings(positions(seen, "layered", order=order), seen.pre, seen.post)
        for order in ("graph", "barycentre")
    )
    assert better <= 0.75 * graph


@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["layered", "radial", "hierarchy"]))
@settings(max_examples=25, deadline=None)
def test_the_picture_never_crosses_more_than_the_order_of_the_graph(seed, kind):
    graph = nx.gnp_random_graph(14, 0.25, seed=seed, directed=True)
    roles = np.random.default_rng(seed).choice(["sensory", "inter", "motor"], 14)
    nx.set_node_attributes(graph, dict(enumerate(roles.tolist())), "role")
    nx.set_edge_attributes(graph, 1, "polarity")
    seen = view(graph)
    better = positions(seen, kind)
    assert len(np.unique(better.round(9), axis=0)) == 14
    if kind != "radial":  # which knows no other order
        worse = positions(seen, kind, order="graph")
        assert crossings(better, seen.pre, seen.post) <= crossings(worse, seen.pre, seen.post)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_lines_crossed_are_those_that_cross(seed):
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 5, (9, 2)).astype(float)  # with places on a line and on each other
    start, end = rng.integers(0, 9, (2, 12))
    found = lines_crossed(sides(xy), start, end)
    for a in range(9):
        for b in range(9):
            lines = zip(start, end, strict=True)
            expected = sum(crossings(xy, np.array([a, c]), np.array([b, d])) for c, d in lines)
            assert found[a, b] == expected


def test_exchanges_undo_a_tangle():
    """Two rows of neurons, each joined to its twin, in a random order: untangled, nothing crosses."""
    count, rng = 12, np.random.default_rng(0)
    xy = np.array([(x, y) for x in (0.0, 1.0) for y in range(count)])
    pre, post = np.arange(count), count + rng.permutation(count)
    place = exchange(xy, np.repeat([0, 1], count), pre, post)
    assert sorted(place[:count]) == list(range(count))
    assert sorted(place[count:]) == list(range(count, 2 * count))
    assert crossings(xy[place], pre, post) == 0 < crossings(xy, pre, post)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_sweeps_never_add_crossings_and_the_count_is_right(seed):
    rng = np.random.default_rng(seed)
    graph = nx.gnp_random_graph(12, 0.3, seed=seed, directed=True)
    roles = rng.choice(["sensory", "inter", "motor"], 12)
    nx.set_node_attributes(graph, dict(enumerate(roles.tolist())), "role")
    nx.set_edge_attributes(graph, 1, "polarity")
    seen = view(graph)
    layers = [seen.of_role(role) for role in seen.drawn_roles]
    tables, orders = _tables(seen, layers), [np.arange(len(layer)) for layer in layers]
    ends = zip(seen.pre.tolist(), seen.post.tolist(), strict=True)
    pairs = [tuple(sorted(pair, key=lambda n: seen.role_ids[n])) for pair in ends]
    brute = sum(
        (seen.role_ids[a], seen.role_ids[b]) == (seen.role_ids[c], seen.role_ids[d])
        and seen.role_ids[a] != seen.role_ids[b]
        and (a - c) * (b - d) < 0
        for k, (a, b) in enumerate(pairs)
        for c, d in pairs[:k]
    )
    assert _crossings(tables, orders) == brute
    assert _crossings(tables, _sweep(tables, orders)) <= brute


def test_crossings_of_straight_lines():
    pos = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5]], dtype=float)
    ids = np.intp
    assert crossings(pos, np.array([0, 1], ids), np.array([3, 2], ids)) == 1
    assert crossings(pos, np.array([0, 1], ids), np.array([2, 3], ids)) == 0
    assert crossings(pos, np.array([0, 0], ids), np.array([3, 2], ids)) == 0  # they share a neuron
    assert crossings(pos, np.array([0, 4], ids), np.array([3, 2], ids)) == 0  # they touch


def test_depth_counts_synapses_from_the_sensors(circuit):
    circuit.add_node("lost", role="inter")
    depth = dict(zip(circuit, depths(view(circuit)).tolist(), strict=True))
    lengths = nx.multi_source_dijkstra_path_length(
        circuit, {n for n in circuit if n.startswith("sensory")}, weight=None
    )
    assert {n: d for n, d in depth.items() if d >= 0} == lengths
    assert depth["lost"] == -1
    pos = layout(circuit, "hierarchy")
    assert pos["lost"][0] == max(x for x, _ in pos.values())


def test_depth_without_sensors_starts_at_the_sources():
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    nx.set_node_attributes(graph, "inter", "role")
    nx.set_edge_attributes(graph, 1, "polarity")
    assert depths(view(graph)).tolist() == [0, 1, 2]
    graph.add_edge("c", "a", polarity=1)
    assert depths(view(graph)).tolist() == [0, 1, 2]


def test_radial_puts_motors_inside(circuit):
    pos = layout(circuit, "radial", aspect=1.0)
    reach = {n: np.hypot(*(xy - 0.5)) for n, xy in pos.items()}
    assert reach["sensory_0"] > reach["inter_0"] > reach["command_0"] > reach["motor_0"] > 0


def test_hive_sorts_an_axis_by_degree(circuit):
    pos = layout(circuit, "hive")
    inter = sorted((n for n in circuit if n.startswith("inter")), key=circuit.degree)
    motor_axis = np.array([pos[n] for n in inter])
    step = np.diff(motor_axis, axis=0)
    assert np.allclose(np.cross(np.c_[step, np.zeros(len(step))], [*step[0], 0]), 0, atol=1e-9)


def test_given_reads_x_and_y(circuit):
    for k, node in enumerate(circuit):
        circuit.nodes[node].update(x=k, y=-k)
    assert layout(circuit, "given")["inter_2"].tolist() == [6, -6]
    del circuit.nodes["motor_0"]["y"]
    with pytest.raises(LayoutError, match="'motor_0' has no x and y"):
        layout(circuit, "given")


@pytest.mark.parametrize("kind", ["spring", "circular", "kamada_kawai", "shell_layout"])
def test_networkx_layouts_by_name(circuit, kind):
    first, again = layout(circuit, kind), layout(circuit, kind)
    assert list(first) == list(circuit)
    assert all((first[n] == again[n]).all() for n in circuit)


def test_unknown_layouts_are_refused(circuit):
    with pytest.raises(LayoutError, match="unknown layout 'pretty'; expected layered"):
        layout(circuit, "pretty")
    with pytest.raises(LayoutError, match="unknown direction 'up'"):
        layout(circuit, direction="up")
    with pytest.raises(LayoutError, match="unknown order 'best'"):
        layout(circuit, order="best")


@given(wanted=st.lists(st.floats(0, 10), min_size=1, max_size=8))
def test_spread_keeps_order_distance_and_limits(wanted):
    values = np.array(wanted)
    placed = spread(values, 1.0, 0.0, 10.0)
    assert (np.diff(placed[np.argsort(values, kind="stable")]) >= 1 - 1e-9).all()
    assert placed.min() >= -1e-9
    assert placed.max() <= 10 + 1e-9
    if len(values) == 1 or np.diff(np.sort(values)).min() >= 1:
        assert np.allclose(placed, values)


@pytest.mark.parametrize("kind", ["planar", "bipartite", "rescale", "rescale_layout"])
def test_networkx_layouts_that_do_not_suit_are_refused(build, kind):
    dense = build(density=1.0, inner=1.0)
    with pytest.raises(LayoutError, match=f"'{kind}'"):
        layout(dense, kind)


def test_multipartite_takes_roles_for_parts(circuit):
    found = layout(circuit, "multipartite")
    columns = {
        role: {found[n][0].round(6) for n, r in circuit.nodes(data="role") if r == role}
        for role in ("sensory", "inter", "command", "motor")
    }
    assert [len(column) for column in columns.values()] == [1, 1, 1, 1]
    assert len(set.union(*columns.values())) == 4


def test_the_page_is_told_the_places_of_the_pictures(circuit):
    places = np.array(page_places(circuit))
    drawn = positions(view(circuit), "layered") * (1, -1)
    scale = np.ptp(places, axis=0) / np.ptp(drawn, axis=0)
    assert scale[0] == pytest.approx(scale[1], rel=1e-2)
    np.testing.assert_allclose(places - places[0], (drawn - drawn[0]) * scale, atol=0.2)
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(len(places))
    assert apart.min() == pytest.approx(60, abs=0.2)
    placed = circuit.copy()
    placed.nodes["inter_0"]["x"] = 3
    assert page_places(placed) is None
    broken = circuit.copy()
    del broken.nodes["inter_0"]["role"]
    assert page_places(broken) is None
    assert page_places(nx.DiGraph()) is None
    alone = nx.DiGraph()
    alone.add_node("m", role="motor")
    assert len(page_places(alone)) == 1
