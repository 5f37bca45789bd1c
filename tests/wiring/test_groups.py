"""One vocabulary for several neurons: roles, names, groups, lists, attributes, predicates."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl


def circuit() -> gl.Circuit:
    made = gl.Circuit()
    made.add_neurons(["touch", "smell"], role="sensory")
    made.add_neuron("AVAL", role="command", type="AVA", side="left", group="reverse")
    made.add_neuron("AVAR", role="command", type="AVA", side="right", group="reverse")
    made.add_neuron("AVBL", role="command", type="AVB", side="left", size=3.5)
    made.add_neurons(["back", "forth"], role="motor")
    made.connect("sensory", "command")
    made.connect("command", "motor")
    return made


WORDS = {
    "role": ("command", ["AVAL", "AVAR", "AVBL"]),
    "name": ("AVAL", ["AVAL"]),
    "group": ("reverse", ["AVAL", "AVAR"]),
    "list": (["AVBL", "AVAL"], ["AVBL", "AVAL"]),
    "attribute": ({"type": "AVA"}, ["AVAL", "AVAR"]),
    "several values": ({"type": ["AVA", "AVB"], "side": "left"}, ["AVAL", "AVBL"]),
    "number": ({"size": 3.5}, ["AVBL"]),
    "predicate": (lambda name, data: name.endswith("R") and data["role"] == "command", ["AVAR"]),
}


@pytest.mark.parametrize("kind", WORDS)
def test_methods_of_circuits_and_lesions_take_the_same_words(kind: str) -> None:
    words, names = WORDS[kind]
    graph = circuit()
    assert [pre for pre, _, _ in graph.synapses(words, "back")] == [n for n in graph if n in names]
    rnn = gl.LTC(circuit())
    assert set(rnn.cell.neurons) - set(gl.lesion(rnn, words).cell.neurons) == set(names)
    graph.remove_neurons(words)
    assert not set(names) & set(graph)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("AVA", "there is no neuron 'AVA'; .*did you mean 'AVA[LR]'"),
        ({"typ": "AVA"}, r"no neuron has an attribute 'typ'; they have .*'type'.*did you mean 'type'"),
        ({"type": "AVC"}, "no neuron has type = 'AVC'; there are 'AVA', 'AVB'"),
        ({}, "an empty mapping names no neurons"),
        (lambda name, data: False, "the predicate is true for no neuron"),
        (["AVAL", "AVAX"], "neuron 'AVAX'"),
    ],
)
def test_words_that_name_nobody_are_refused(words: object, message: str) -> None:
    graph, rnn = circuit(), gl.LTC(circuit())
    with pytest.raises(gl.CircuitError, match=message):
        graph.remove_neurons(words)
    with pytest.raises(gl.CircuitError, match=message):
        gl.lesion(rnn, words)
    assert len(graph) == len(circuit())


def test_a_predicate_of_another_form_is_named() -> None:
    with pytest.raises(TypeError, match="a predicate of neurons takes a name and its attributes"):
        circuit().remove_neurons(lambda name: True)


def test_a_lesion_that_changes_inputs_or_outputs_says_so() -> None:
    rnn = gl.LTC(circuit())
    with pytest.warns(UserWarning, match="without 'smell' the network has 1 input instead of 2: keep_shapes"):
        blind = gl.lesion(rnn, "smell")
    assert blind(mx.zeros((2, 3, 1)))[0].shape == (2, 3, 2)
    with pytest.warns(UserWarning, match="1 output instead of 2"):
        gl.lesion(rnn, "back")
    assert np.shape(gl.lesion(rnn, "back", keep_shapes=False)(mx.zeros((2, 3, 2)))[0]) == (2, 3, 1)
