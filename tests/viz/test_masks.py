import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from ganglion.compile import compile_circuit
from ganglion.errors import CircuitError
from ganglion.viz import current, plot_masks


def cells(picture):
    """(pre, post) -> (row from the top, column) as drawn."""
    found = {}
    for pair, place in picture.synapses.items():
        x, y = place.artist.get_offsets()[place.item]
        found[pair] = (x, y)
    return found


def test_cells_are_rows_before_and_columns_behind_from_sensory_to_motor(circuit):
    picture = plot_masks(circuit)
    order = [n for role in ("inter", "command", "motor") for n in circuit if circuit.nodes[n]["role"] == role]
    sensors = [n for n in circuit if circuit.nodes[n]["role"] == "sensory"]
    top = max(y for _, y in cells(picture).values()) if sensors else 0
    assert set(picture.synapses) == set(circuit.edges)
    for (pre, post), (x, y) in cells(picture).items():
        assert x == order.index(post) + 0.5
        if pre in order:
            assert y == -order.index(pre) - 0.5
        else:
            assert y > 0
    rows = {pre: y for (pre, _), (_, y) in cells(picture).items() if pre in sensors}
    assert sorted(rows, key=rows.get, reverse=True) == [n for n in sensors if n in rows]
    assert top > 0


def test_colours_are_polarities(circuit):
    picture = plot_masks(circuit)
    look = current(picture.ax)
    for pre, post, sign in circuit.edges(data="polarity"):
        artist = picture.synapses[pre, post].artist
        assert to_hex(artist.get_facecolor()[0]) == look.polarity(sign).lower()


def test_masks_of_a_compiled_circuit_are_those_arrays(circuit):
    compiled = compile_circuit(circuit)
    picture = plot_masks(compiled)
    index = compiled.plan.neurons.index
    mask = np.array(compiled.recurrent.mask)
    drawn = [pair for pair in cells(picture) if pair[0] in compiled.plan.neurons]
    assert len(drawn) == (mask != 0).sum()
    assert all(mask[index(pre), index(post)] for pre, post in drawn)


def test_blocks_cover_every_synapse_and_tell_their_fill(circuit):
    picture = plot_masks(circuit, block_size=4)
    paths = picture.artists["blocks"].get_paths()
    for x, y in cells(picture).values():
        assert sum(path.contains_point((x, y)) for path in paths) == 1
    area = sum(np.ptp(path.vertices[:, 0]) * np.ptp(path.vertices[:, 1]) for path in paths)
    labels = [text.get_text() for text in picture.artists["legend"].get_texts()]
    assert f"blocks of 4, {circuit.size() / round(area):.0%} full" in labels


def test_role_bands_and_titles(circuit):
    picture = plot_masks(circuit)
    look = current(picture.ax)
    bands = [to_hex(color) for color in picture.artists["roles"].get_facecolor()]
    roles = ["sensory", "inter", "command", "motor", "inter", "command", "motor"]
    assert bands == [look.colors[role].lower() for role in roles]
    titles = [text.get_text() for text in picture.ax.texts]
    assert {"presynaptic", "postsynaptic"} <= set(titles)
    states = [name for name in circuit if circuit.nodes[name]["role"] != "sensory"]
    assert all(titles.count(name) == 2 for name in states)
    assert set(circuit) <= set(titles)


def test_of_many_rows_every_few_are_named_and_of_too_many_the_roles(build):
    some = [text.get_text() for text in plot_masks(build((4, 60, 20, 3))).ax.texts]
    assert 20 < len(some) < 80
    many = [text.get_text() for text in plot_masks(build((4, 300, 200, 3))).ax.texts]
    assert many.count("motor · 3") == 2
    assert many.count("sensory · 4") == 1


@pytest.mark.parametrize("sizes", [(1, 40, 2, 1), (30, 3, 1, 1), (1, 1, 1, 60)])
@pytest.mark.parametrize("size", [(3.4, 3.6), (7, 7)])
def test_titles_never_overlap(build, sizes, size):
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    picture = plot_masks(build(sizes), ax=ax)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in [*ax.texts, *picture.artists["legend"].get_texts()]]
    assert not [1 for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
    assert min(box.x0 for box in boxes) >= -0.5
    assert max(box.y1 for box in boxes) <= figure.bbox.height + 0.5


def test_no_synapse_of_a_large_circuit_vanishes(build):
    picture = plot_masks(build((5, 300, 200, 5), density=0.01))
    cell = picture.artists["synapses/excitatory"]
    cell.figure.canvas.draw()
    size = cell.get_transform().transform([[0, 0], [1, 1]])
    assert np.ptp(size[:, 0]) >= 0.69 * picture.figure.dpi / 72


def test_one_neuron_no_synapse_and_illegal_synapses():
    graph = nx.DiGraph()
    graph.add_node("m", role="motor")
    assert plot_masks(graph).synapses == {}
    graph.add_node("s", role="sensory")
    graph.add_edge("m", "s", polarity=1)
    with pytest.raises(CircuitError, match="'m' -> 's' ends at a sensory neuron"):
        plot_masks(graph)
    only = nx.DiGraph()
    only.add_node("s", role="sensory")
    with pytest.raises(CircuitError, match="no neurons with state"):
        plot_masks(only)


@pytest.mark.parametrize("order", ["role", "rcm", "block"])
def test_a_blocked_circuit_is_drawn_in_its_order(build, order):
    compiled = compile_circuit(build((6, 30, 20, 5), density=0.2), layout="block", block_size=8, order=order)
    picture = plot_masks(compiled)
    recurrent, plan = compiled.recurrent, compiled.plan
    cell = cells(picture)
    for pre, post in zip(plan.recurrent.pre.tolist(), plan.recurrent.post.tolist(), strict=True):
        x, y = cell[plan.neurons[pre], plan.neurons[post]]
        assert recurrent.order.pre[int(-y)] == pre
        assert recurrent.order.post[int(x)] == post
    tiles = [path for path in picture.artists["blocks"].get_paths() if path.vertices[:, 1].max() <= 0]
    assert len(tiles) == len(recurrent.tile_index)


def test_scattered_roles_are_told_by_the_legend(build):
    compiled = compile_circuit(
        build((6, 60, 40, 5), density=0.1), layout="block", block_size=8, order="block"
    )
    texts = {text.get_text() for text in plot_masks(compiled).artists["legend"].get_texts()}
    assert {"sensory", "inter", "command", "motor"} <= texts
