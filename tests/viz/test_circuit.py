from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path
from matplotlib.testing.compare import compare_images

import ganglion as gl
from ganglion.compile import compile_circuit
from ganglion.errors import CircuitError
from ganglion.viz import current, layout, plot_circuit, styled
from ganglion.viz.picture import Place
from ganglion.wiring import ROLES


def colour(place: Place, kind="facecolor"):
    colors = getattr(place.artist, f"get_{kind}")()
    return to_hex(colors[place.item % len(colors)])


def rendered(picture):
    picture.figure.canvas.draw()
    return np.asarray(picture.figure.canvas.buffer_rgba()).copy()


def overlaps(texts, figure):
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]


def test_one_collection_for_each_kind_of_artist(build):
    for sizes in ((4, 6, 5, 3), (20, 60, 40, 10)):
        picture = plot_circuit(build(sizes))
        neurons = {f"neurons/{role}" for role in ("sensory", "inter", "command", "motor")}
        assert set(picture.artists) == {*neurons, "synapses", "heads", "legend"}
        assert len(picture.ax.collections) == 6


def test_neurons_have_the_colour_shape_and_place_of_their_role(circuit):
    pos = layout(circuit, aspect=1.0)
    picture = plot_circuit(circuit, pos=pos)
    look = current(picture.ax)
    for node, role in circuit.nodes(data="role"):
        place = picture.neurons[node]
        assert place.artist is picture.artists[f"neurons/{role}"]
        assert colour(place) == look.colors[role].lower()
        np.testing.assert_allclose(place.artist.get_offsets()[place.item], pos[node])
    outlines = {role: len(picture.artists[f"neurons/{role}"].get_paths()[0].vertices) for role in look.colors}
    corners = {role: picture.artists[f"neurons/{role}"].get_paths()[0].vertices for role in look.colors}
    assert len({outlines["sensory"], outlines["inter"], outlines["motor"]}) == 3
    assert not np.allclose(corners["command"], corners["motor"])  # both squares, one stands on its corner


def test_synapses_have_the_colour_and_head_of_their_polarity(circuit):
    picture = plot_circuit(circuit)
    look = current(picture.ax)
    heads = picture.artists["heads"]
    for pre, post, sign in circuit.edges(data="polarity"):
        place = picture.synapses[pre, post]
        assert place.artist is picture.artists["synapses"]
        assert colour(place, "edgecolor") == colour(Place(heads, place.item)) == look.polarity(sign).lower()
        a, b, c, d = heads.get_paths()[place.item].vertices[:4]
        parallel = np.allclose(a - b, d - c)  # a bar has parallel sides, an arrowhead has barbs
        assert parallel == (sign < 0)


def test_a_synapse_starts_and_ends_at_its_neurons(circuit):
    pos = {n: np.array([3.0 * k, (k * k) % 7]) for k, n in enumerate(circuit)}
    picture = plot_circuit(circuit, pos=pos)
    for (pre, post), place in picture.synapses.items():
        if pre == post:
            continue
        curve = place.artist.get_segments()[place.item]
        assert np.linalg.norm(curve[0] - pos[pre]) < 0.8 * np.linalg.norm(curve[0] - pos[post])
        assert np.linalg.norm(curve[-1] - pos[post]) < 0.8 * np.linalg.norm(curve[-1] - pos[pre])


def test_neurons_lie_on_heads_and_heads_on_synapses(circuit):
    z = {key.split("/")[0]: artist.get_zorder() for key, artist in plot_circuit(circuit).artists.items()}
    assert z["synapses"] < z["heads"] < z["neurons"] < z["legend"]


def test_legend_explains_what_is_there(circuit, build):
    texts = [text.get_text() for text in plot_circuit(circuit).artists["legend"].get_texts()]
    assert texts == ["excitatory", "inhibitory"]  # headings name the roles
    texts = [text.get_text() for text in plot_circuit(circuit, pos="radial").artists["legend"].get_texts()]
    assert texts == ["sensory", "inter", "command", "motor", "excitatory", "inhibitory"]
    only = plot_circuit(build(inhibitory=1.0)).artists["legend"].get_texts()
    assert [text.get_text() for text in only] == ["inhibitory"]
    assert "legend" not in plot_circuit(circuit, legend=False).artists


@pytest.mark.parametrize("size", [(7.0, 4.2), (3.4, 2.6), (3.4, 5.0)])
@pytest.mark.parametrize("options", [{}, {"pos": "radial"}, {"direction": "down"}, {"pos": "hierarchy"}])
def test_no_text_overlaps_or_is_clipped(build, size, options):
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    picture = plot_circuit(build((5, 12, 8, 4)), ax=ax, **options)
    figure.canvas.draw()
    texts = [*ax.texts, *picture.artists["legend"].get_texts()]
    assert overlaps(texts, figure) == []
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= -0.5
        assert box.y0 >= -0.5
        assert box.x1 <= figure.bbox.width + 0.5
        assert box.y1 <= figure.bbox.height + 0.5


def test_labels_may_be_all_none_or_some(circuit):
    def names(**options):
        return {text.get_text() for text in plot_circuit(circuit, **options).ax.texts}

    headings = {"sensory · 4", "inter · 6", "command · 5", "motor · 3"}
    assert names(labels=False) == headings
    assert names() == headings | {str(k) for k in range(6)}
    assert names(labels={"motor_0": "steer"}) == headings | {"steer"}
    with pytest.raises(CircuitError, match="no neuron 'motor_9'"):
        plot_circuit(circuit, labels={"motor_9": "x"})


def test_color_by_attribute_array_and_category(circuit):
    numbers = np.arange(len(circuit), dtype=float)
    nx.set_node_attributes(circuit, dict(zip(circuit, numbers.tolist(), strict=True)), "gain")
    nx.set_node_attributes(circuit, {n: "left" if n.endswith("0") else "right" for n in circuit}, "side")
    by_name, by_array = plot_circuit(circuit, color_by="gain"), plot_circuit(circuit, color_by=numbers)
    seen = [[colour(picture.neurons[n]) for n in circuit] for picture in (by_name, by_array)]
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 10
    assert "scale" in by_name.artists
    sides = plot_circuit(circuit, color_by="side")
    assert len({colour(sides.neurons[n]) for n in circuit}) == 2
    assert {"left", "right"} <= {text.get_text() for text in sides.artists["legend"].get_texts()}
    with pytest.raises(ValueError, match="no neuron has an attribute 'weight'"):
        plot_circuit(circuit, color_by="weight")
    with pytest.raises(ValueError, match=r"color_by has shape \(3,\); expected \(18,\)"):
        plot_circuit(circuit, color_by=[1, 2, 3])


def test_width_by_and_top(circuit):
    weights = {edge: float(k) for k, edge in enumerate(circuit.edges)}
    nx.set_edge_attributes(circuit, weights, "w")
    picture = plot_circuit(circuit, width_by="w")
    widths = {edge: place.artist.get_linewidth()[place.item] for edge, place in picture.synapses.items()}
    assert sorted(widths, key=widths.get) == sorted(weights, key=weights.get)
    for same in (weights, list(weights.values())):
        other = plot_circuit(circuit, width_by=same).synapses
        assert all(place.artist.get_linewidth()[place.item] == widths[edge] for edge, place in other.items())
    strongest = plot_circuit(circuit, width_by="w", top=5).synapses
    assert set(strongest) == set(sorted(weights, key=weights.get)[-5:])
    assert len(plot_circuit(circuit, width_by="w", top=0.1).synapses) == round(0.1 * len(weights))
    with pytest.raises(ValueError, match="top needs width_by"):
        plot_circuit(circuit, top=3)
    with pytest.raises(ValueError, match="has no attribute 'speed'"):
        plot_circuit(circuit, width_by="speed")


def test_the_legend_says_what_widths_mean_and_no_strength_is_dotted(circuit):
    edges = list(circuit.edges)
    weights = {edge: 0.5 + k / len(edges) for k, edge in enumerate(edges)} | {edges[0]: -2.0, edges[3]: 0.0}
    nx.set_edge_attributes(circuit, weights, "weight")
    picture = plot_circuit(circuit, width_by="weight")
    legend, lines = picture.artists["legend"], picture.artists["synapses"]
    told = {handle.get_label(): handle for handle in legend.legend_handles}
    assert list(told)[-3:] == [f"|weight| {0.5 + 1 / len(edges):.3g}", "|weight| 2", "|weight| 0"]
    for label, edge in zip(list(told)[-3:], (edges[1], edges[0], edges[3]), strict=True):
        item = picture.synapses[edge].item
        assert told[label].get_linewidth() == pytest.approx(lines.get_linewidth()[item])
        assert told[label].is_dashed() == (lines.get_linestyle()[item][1] is not None) == (edge == edges[3])
    assert sum(dash is not None for _, dash in lines.get_linestyle()) == 1
    alike = plot_circuit(circuit, width_by=np.full(len(edges), 2.0)).artists["legend"].get_texts()
    assert [text.get_text() for text in alike][-2:] == ["inhibitory", "value 2"]


def test_highlight_fades_all_else_and_is_drawn_last(circuit):
    edge = next(iter(circuit.edges))
    picture = plot_circuit(circuit, highlight=[edge, "motor_2"])
    look = current(picture.ax)
    for node, role in circuit.nodes(data="role"):
        kept = colour(picture.neurons[node]) == look.colors[role].lower()
        assert kept == (node in {*edge, "motor_2"})
    place = picture.synapses[edge]
    alphas = place.artist.get_alpha()
    assert alphas[place.item] == max(alphas) > 4 * min(alphas)
    assert place.item == len(alphas) - 1
    with pytest.raises(ValueError, match="no synapse 'motor_0' -> 'sensory_0'"):
        plot_circuit(circuit, highlight=[("motor_0", "sensory_0")])


@pytest.mark.parametrize("pos", ["radial", "hierarchy", "hive", "spring", "circular"])
def test_every_layout_draws(circuit, pos):
    picture = plot_circuit(circuit, pos=pos)
    assert set(picture.neurons) == set(circuit)
    assert set(picture.synapses) == set(circuit.edges)


def test_positions_as_mapping_and_as_array_are_the_same_picture(circuit, tmp_path):
    pos = layout(circuit, "spring")
    plot_circuit(circuit, pos=pos).save(tmp_path / "a.png", dpi=80)
    plot_circuit(circuit, pos=np.array(list(pos.values()))).save(tmp_path / "b.png", dpi=80)
    assert compare_images(tmp_path / "a.png", tmp_path / "b.png", tol=0) is None


def test_positions_that_miss_a_neuron_are_refused(circuit):
    pos = layout(circuit)
    del pos["inter_0"]
    with pytest.raises(ValueError, match="no position for neuron 'inter_0'"):
        plot_circuit(circuit, pos=pos)
    with pytest.raises(ValueError, match=r"expected finite \(18, 2\)"):
        plot_circuit(circuit, pos=np.full((18, 2), np.nan))


def test_ax_is_used_and_nothing_is_shown(circuit, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("a picture called show()"))
    _, axes = plt.subplots(1, 2)
    assert plot_circuit(circuit, ax=axes[1]).ax is axes[1]
    assert not axes[0].collections
    assert len(plt.get_fignums()) == 1


def test_same_circuit_gives_the_same_pixels(circuit):
    assert (rendered(plot_circuit(circuit)) == rendered(plot_circuit(circuit.copy()))).all()


def test_a_plan_gives_the_picture_of_its_graph(circuit):
    picture = plot_circuit(compile_circuit(circuit))
    assert set(picture.synapses) == set(circuit.edges)


def test_picture_prints_and_saves(circuit, tmp_path):
    picture = plot_circuit(circuit)
    assert repr(picture) == f"Picture(circuit: 18 neurons, {circuit.size()} synapses, 7 artists)"
    for ending in ("png", "pdf", "svg"):
        picture.save(tmp_path / f"c.{ending}")
        assert (tmp_path / f"c.{ending}").stat().st_size > 5000


def edge_cases():
    one, loops, words = nx.DiGraph(), nx.DiGraph(), nx.DiGraph()
    one.add_node("only", role="motor")
    loops.add_nodes_from("abc", role="command")
    loops.add_edges_from([(n, n) for n in "abc"], polarity=1)
    names = ["a_name_of_forty_characters_in_a_circuit_", "моторный_нейрон", "νευρώνας", "ünïcödé", "$x_1$"]
    words.add_nodes_from(names[:2], role="sensory")
    words.add_nodes_from(names[2:], role="motor")
    words.add_edges_from([(names[0], names[2]), (names[1], names[4])], polarity=-1)
    parts = nx.DiGraph()
    parts.add_nodes_from(["s0", "s1"], role="sensory")
    parts.add_nodes_from(["m0", "m1"], role="motor")
    parts.add_edges_from([("s0", "m0"), ("s1", "m1")], polarity=1)
    unconnected = nx.DiGraph()
    unconnected.add_nodes_from(["s0", "s1"], role="sensory")
    unconnected.add_nodes_from(["m0"], role="motor")
    return {"one": one, "no synapse": unconnected, "loops": loops, "words": words, "parts": parts}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pos", ["layered", "radial", "hierarchy", "hive", "spring"])
@pytest.mark.parametrize("case", edge_cases())
def test_edge_cases(case, pos):
    graph = edge_cases()[case]
    picture = plot_circuit(graph, pos=pos, labels=True)
    picture.figure.canvas.draw()
    assert set(picture.neurons) == set(graph)
    assert set(picture.synapses) == set(graph.edges)
    assert overlaps(picture.ax.texts, picture.figure) == []


def test_long_names_are_cut_in_the_middle_and_no_name_is_mathtext():
    texts = {text.get_text() for text in plot_circuit(edge_cases()["words"]).ax.texts}
    assert "$x_1$" in texts
    assert any("…" in text and text.startswith("a_na") and text.endswith("uit_") for text in texts)


def test_styled_changes_one_picture_only(circuit):
    with styled(excitatory="#123456", colors={"motor": "#abcdef"}):
        inside = plot_circuit(circuit)
    outside = plot_circuit(circuit)
    assert "#123456" in map(to_hex, inside.artists["synapses"].get_color())
    assert colour(inside.neurons["motor_0"]) == "#abcdef"
    assert colour(inside.neurons["inter_0"]) == colour(outside.neurons["inter_0"])
    assert "#123456" not in map(to_hex, outside.artists["synapses"].get_color())


def test_style_sheets_set_ground_and_text(circuit):
    with plt.style.context("dark_background"):
        picture = plot_circuit(circuit)
    assert to_rgb(picture.ax.texts[0].get_color()) == (1, 1, 1)
    assert current(picture.ax).ground == "#000000"


@pytest.mark.parametrize("outputs", [1, 10, 100])
def test_the_numbers_of_a_summary_do_not_cover_each_other(outputs):
    """Every pair of roles has synapses here, of both polarities, and loops are small and large."""
    circuit = gl.random(500, inputs=20, outputs=outputs, sparsity=0.9)
    figure = plot_circuit(circuit, style="blocks").figure
    figure.canvas.draw()
    numbers = [text for text in figure.axes[0].texts if text.get_text().replace(",", "").isdigit()]
    assert len(numbers) >= 10
    boxes = [text.get_window_extent() for text in numbers]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


@pytest.mark.parametrize("options", [{"direction": "down"}, {"pos": "radial"}, {"style": "hive"}], ids=str)
def test_loops_stay_on_the_page_and_off_the_legend(options):
    graph = nx.DiGraph()
    graph.add_nodes_from((f"inter_{k}" for k in range(5)), role="inter")
    graph.add_node("motor_0", role="motor")
    graph.add_edges_from(((node, node) for node in graph), polarity=1)
    picture = plot_circuit(graph, **options)
    picture.figure.canvas.draw()
    legend = picture.artists["legend"].get_window_extent()
    axes = picture.ax
    curves = axes.transData.transform(np.concatenate(picture.artists["synapses"].get_segments()))
    assert (curves >= axes.bbox.min + 1).all()
    assert (curves <= axes.bbox.max - 1).all()
    assert not (legend.y1 > curves[:, 1])[(legend.x0 < curves[:, 0]) & (curves[:, 0] < legend.x1)].any()


@pytest.mark.parametrize("labels", [True, None])
@pytest.mark.parametrize(
    "options", [{"direction": "down"}, {"pos": "radial"}, {"pos": "circular"}, {}], ids=str
)
def test_long_names_stay_on_the_page(build, labels, options):
    graph = nx.relabel_nodes(
        build(sizes=(3, 4, 3, 2)), lambda name: f"{name}_of_the_ventral_nerve_cord".ljust(40, "x")
    )
    picture = plot_circuit(graph, labels=labels, **options)
    picture.figure.canvas.draw()
    page = picture.figure.bbox
    for text in picture.ax.texts:
        box = text.get_window_extent()
        assert min(box.x0 - page.x0, page.x1 - box.x1) >= -1, text
        assert min(box.y0 - page.y0, page.y1 - box.y1) >= -1, text


@pytest.mark.parametrize("direction", ["right", "down"])
def test_no_synapse_strikes_out_a_name_that_has_room_elsewhere(direction):
    graph = nx.DiGraph()
    for role, names in zip(
        ROLES, ("touch light", "giant relay", "brake drive", "flexor extensor"), strict=True
    ):
        graph.add_nodes_from(names.split(), role=role)
    pairs = "touch-giant light-relay touch-relay giant-brake relay-drive brake-flexor drive-extensor"
    skips = "giant-extensor relay-flexor light-drive touch-flexor drive-brake"
    graph.add_edges_from((tuple(pair.split("-")) for pair in f"{pairs} {skips}".split()), polarity=1)
    picture = plot_circuit(graph, direction=direction, labels=True)
    picture.figure.canvas.draw()
    written = [text for text in picture.ax.texts if text.get_text() in graph]
    assert len(written) == len(graph)
    to_page = picture.ax.transData.transform
    curves = [Path(to_page(curve)) for curve in picture.artists["synapses"].get_segments()]
    struck = [
        text
        for text in written
        for c in curves
        if c.intersects_bbox(text.get_window_extent().padded(2), filled=False)
    ]
    assert not struck


def test_the_title_of_a_colour_bar_keeps_off_names() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("light", role="sensory")
    circuit.add_neurons(["leg L", "leg R"], role="motor", time_constant=1.0)
    circuit.nodes["leg R"]["time_constant"] = 3.0
    circuit.add_synapses([("light", "leg L"), ("light", "leg R")])
    picture = gl.viz.plot_circuit(circuit, color_by="time_constant")
    axes = picture.axes["circuit"]
    axes.figure.canvas.draw()
    (bar,) = axes.child_axes
    title = min(text.get_window_extent().x0 for text in (bar.title, bar._right_title) if text.get_text())
    names = [text for text in axes.texts if text.get_text().startswith("leg")]
    assert len(names) == 2
    assert all(text.get_window_extent().x1 < title for text in names)
