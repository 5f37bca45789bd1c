import networkx as nx
import numpy as np
import pytest
from matplotlib.colors import to_hex

from ganglion.errors import CircuitError
from ganglion.viz import current, plot_diff, plot_paths


@pytest.fixture
def chain():
    """s -> a -> m is short but weak; s -> b -> c -> m is long, strong and inhibits."""
    graph = nx.DiGraph()
    graph.add_node("s", role="sensory")
    graph.add_nodes_from("abc", role="inter")
    graph.add_node("m", role="motor")
    graph.add_edge("s", "a", polarity=1, w=0.1)
    graph.add_edge("a", "m", polarity=1, w=0.2)
    graph.add_edge("s", "b", polarity=1, w=0.9)
    graph.add_edge("b", "c", polarity=-1, w=-0.9)
    graph.add_edge("c", "m", polarity=1, w=1.0)
    return graph


def test_shortest_and_strongest_routes(chain):
    short, strong = plot_paths(chain, "s", "m"), plot_paths(chain, "s", "m", weight="w")
    assert short.paths == (("s", "a", "m"), ("s", "b", "c", "m"))
    assert strong.paths == short.paths[::-1]
    assert strong.signs == (-1, 1)
    assert plot_paths(chain, "s", "m", count=1).paths == (("s", "a", "m"),)


def test_the_best_route_is_the_widest_and_all_else_is_faint(chain):
    chain.add_edge("a", "b", polarity=1, w=0.01)
    picture = plot_paths(chain, "s", "m", weight="w", count=2)
    lines = picture.artists["synapses"]
    width = {pair: lines.get_linewidth()[place.item] for pair, place in picture.synapses.items()}
    alpha = {pair: lines.get_alpha()[place.item] for pair, place in picture.synapses.items()}
    assert width["s", "b"] == width["b", "c"] > width["s", "a"] > width["a", "b"]
    assert alpha["s", "b"] == alpha["s", "a"] > 4 * alpha["a", "b"]


def test_a_synapse_without_strength_leads_nowhere(chain):
    nx.set_edge_attributes(chain, {("a", "m"): 0.0, ("c", "m"): 0.0}, "w")
    with pytest.raises(ValueError, match="no route leads from 's' to 'm'"):
        plot_paths(chain, "s", "m", weight="w")


def test_routes_between_unknown_neurons_are_refused(chain):
    with pytest.raises(CircuitError, match="no neuron 'x' in this circuit of 5 neurons"):
        plot_paths(chain, "x", "m")
    with pytest.raises(ValueError, match="no route leads from 'm' to 's'"):
        plot_paths(chain, "m", "s")


def test_diff_names_every_change(circuit):
    edited = circuit.copy()
    edges = list(circuit.edges)
    edited.edges[edges[0]]["polarity"] *= -1
    edited.remove_edge(*edges[1])
    edited.add_node("new", role="command")
    edited.add_edge("new", "motor_0", polarity=-1)
    edited.nodes["inter_1"]["role"] = "command"
    edited.remove_node("inter_5")
    picture = plot_diff(circuit, edited)
    changes = picture.synapse_changes
    assert changes[edges[0]] == "changed"
    assert changes[edges[1]] == "removed"
    assert changes["new", "motor_0"] == "added"
    assert all(changes[edge] == "removed" for edge in edges if "inter_5" in edge)
    named = {name: kind for name, kind in picture.neuron_changes.items() if kind != "unchanged"}
    assert named == {"new": "added", "inter_1": "changed", "inter_5": "removed"}
    assert set(picture.synapses) == set(circuit.edges) | set(edited.edges)


def test_diff_shows_every_change(circuit):
    edited = circuit.copy()
    edges = list(circuit.edges)
    edited.edges[edges[0]]["polarity"] *= -1
    edited.remove_edge(*edges[1])
    edited.add_edge("motor_0", "inter_0", polarity=1)
    picture = plot_diff(circuit, edited)
    look, lines = current(picture.ax), picture.artists["synapses"]

    def shown(pair):
        at = picture.synapses[pair].item
        return to_hex(lines.get_color()[at]), lines.get_linestyle()[at][1] is not None

    assert shown(edges[0]) == (look.accent.lower(), False)
    assert shown(edges[1]) == (look.ink, True)
    assert shown(("motor_0", "inter_0")) == (look.excitatory.lower(), False)
    assert shown(edges[2]) == (look.muted.lower(), False)
    items = [picture.synapses[pair].item for pair in (edges[2], edges[1], ("motor_0", "inter_0"), edges[0])]
    assert items == sorted(items)  # what changed lies on what did not
    legend = picture.artists["legend"]
    texts = {text.get_text() for text in legend.get_texts()}
    assert {"added: 1 excitatory synapse", "removed: 1 synapse", "changed: 1 synapse"} < texts
    told = {to_hex(line.get_color()) for line in legend.get_lines()}
    assert told == {
        to_hex(color) for color in lines.get_color()
    }  # the legend has what is drawn, and all of it


def test_diff_of_equal_circuits_and_of_nothing_in_common(circuit):
    same = plot_diff(circuit, circuit.copy())
    assert set(same.synapse_changes.values()) == set(same.neuron_changes.values()) == {"unchanged"}
    other = nx.relabel_nodes(circuit, {n: f"x_{n}" for n in circuit})
    assert set(plot_diff(circuit, other).neuron_changes.values()) == {"added", "removed"}


def test_an_added_neuron_has_a_thick_border_and_a_removed_one_is_hollow(circuit):
    edited = circuit.copy()
    edited.add_node("new", role="motor")
    edited.remove_node("motor_1")
    picture = plot_diff(circuit, edited)
    dots = picture.artists["neurons/motor"]
    new, gone, kept = (picture.neurons[name].item for name in ("new", "motor_1", "motor_0"))
    assert dots.get_linewidth()[new] > dots.get_linewidth()[kept]
    np.testing.assert_allclose(dots.get_facecolor()[gone][:3], 1.0)
