"""Networks made of networks: both directions of time, and layers one behind the other."""

from __future__ import annotations

import json
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl

B, T, I, N, M = 4, 6, 3, 12, 2  # noqa: E741
CIRCUIT = gl.auto_ncp(N, M, inputs=I)
X = mx.array(np.random.default_rng(0).normal(size=(B, T, I)).astype(np.float32))
SPANS = mx.array(np.random.default_rng(1).uniform(0.5, 2, (B, T)).astype(np.float32))
LENGTHS = np.array([6, 2, 4, 1])

MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "sum": np.add,
    "mean": lambda a, b: (a + b) / 2,
    "max": np.maximum,
    "mul": np.multiply,
}


# Both directions


@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("return_sequences", [True, False])
def test_bidirectional_merges_both_directions(merge: str, return_sequences: bool) -> None:
    rnn = gl.Bidirectional(gl.LTC(CIRCUIT, return_sequences=return_sequences), merge=merge)
    y, (ahead, back) = rnn(X, timespans=SPANS)
    first, first_last = rnn.forward(X, timespans=SPANS)
    second, second_last = rnn.backward(X, timespans=SPANS)
    np.testing.assert_allclose(np.array(y), MERGES[merge](np.array(first), np.array(second)), atol=1e-6)
    assert mx.array_equal(ahead, first_last)
    assert mx.array_equal(back, second_last)
    assert tuple(y.shape) == rnn.compute_output_shape(X.shape)


def test_bidirectional_has_parameters_of_its_own_in_each_direction() -> None:
    rnn = gl.Bidirectional(gl.LTC(CIRCUIT))
    assert rnn.backward.reverse
    assert not mx.array_equal(rnn.forward.cell.w, rnn.backward.cell.w)
    assert rnn.forward.cell.compiled.plan == rnn.backward.cell.compiled.plan


def test_every_output_of_a_bidirectional_sees_the_whole_sequence() -> None:
    rnn = gl.Bidirectional(gl.CfC(CIRCUIT), merge="sum")
    for t in (0, T - 1):
        gradient = mx.grad(lambda x, t=t: rnn(x)[0][:, t].sum())(X)
        assert (np.abs(np.array(gradient)).max(axis=2) > 0).all()


def test_bidirectional_with_states_and_padding() -> None:
    rnn = gl.Bidirectional(gl.CfC(CIRCUIT))
    start = tuple(mx.full((B, N), value) for value in (0.1, -0.2))
    y, _ = rnn(X, start, SPANS, lengths=LENGTHS)
    for k, n in enumerate(LENGTHS):
        one, _ = rnn(X[k, : int(n)], (start[0][k], start[1][k]), SPANS[k, : int(n)])
        assert mx.allclose(y[k, : int(n)], one, atol=1e-6)
    zeros = rnn.get_initial_state(batch_size=3)
    assert [part.shape for part in zeros] == [(3, N), (3, N)]


def test_bidirectional_of_two_given_networks() -> None:
    backward = gl.CfC(CIRCUIT, reverse=True, proj_size=5)
    rnn = gl.Bidirectional(gl.LTC(CIRCUIT), backward=backward)
    assert rnn.backward is backward
    assert rnn(X)[0].shape == (B, T, M + 5) == rnn.compute_output_shape(X.shape)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"merge": "average"}, "unknown merge 'average': expected one of concat, sum, mean, max, mul"),
        ({"backward": gl.LTC(CIRCUIT)}, "reverse=True"),
        ({"backward": gl.LTC(gl.auto_ncp(N, M, inputs=5), reverse=True)}, "input_size is 3 forwards and 5"),
        ({"backward": gl.LTC(CIRCUIT, reverse=True, return_sequences=False)}, "return_sequences is True"),
        ({"backward": gl.LTC(CIRCUIT, reverse=True, proj_size=4), "merge": "mul"}, "the mul of 2 and 4"),
    ],
)
def test_bidirectional_refuses_what_does_not_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gl.Bidirectional(gl.LTC(CIRCUIT), **arguments)


def test_backwards_is_of_the_class_that_forwards_is() -> None:
    def own(factor: float) -> type[gl.LTC]:
        class Namesake(gl.LTC):
            def __call__(self, *given: Any, **options: Any) -> Any:
                y, state = super().__call__(*given, **options)
                return factor * y, state

        return Namesake

    first = own(2.0)
    own(3.0)  # a cell of a notebook that was run twice
    rnn = gl.Bidirectional(first(CIRCUIT))
    assert type(rnn.backward) is first
    plain = gl.LTC(CIRCUIT, reverse=True)
    plain.update(rnn.backward.parameters())
    np.testing.assert_allclose(np.array(rnn.backward(X)[0]), 2 * np.array(plain(X)[0]), rtol=1e-6)


# Stacks


def make_stack(**options: Any) -> gl.Stack:
    layers = [
        gl.NCPDense(5, "tanh"),
        gl.Bidirectional(gl.LTC(gl.auto_ncp(N, M, inputs=5))),
        nn.LayerNorm(2 * M),
        gl.CfC(gl.dense(2 * M, 6), backbone_units=8),
        gl.NCPDense(3),
    ]
    return gl.Stack(layers, **options)


def test_a_stack_is_its_layers_one_by_one() -> None:
    stack = make_stack()
    y, states = stack(X, timespans=SPANS)
    dense, both, norm, cfc, last = stack.layers
    between, first = both(dense(X), timespans=SPANS)
    values, second = cfc(norm(between), timespans=SPANS)
    assert mx.allclose(y, last(values), atol=1e-6)
    assert mx.allclose(states[0][1], first[1])
    assert mx.allclose(states[1], second)
    assert tuple(y.shape) == stack.compute_output_shape(X.shape)
    assert make_stack(return_state=False)(X).shape == y.shape


def test_a_stack_continues_from_its_states() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(4), gl.LTC(gl.auto_ncp(8, 1, inputs=4))])
    whole, last = stack(X)
    _, middle = stack(X[:, :2])
    rest, end = stack(X[:, 2:], middle)
    assert mx.allclose(rest, whole[:, 2:], atol=1e-6)
    for a, b in zip(end, last, strict=True):
        assert mx.allclose(a, b, atol=1e-6)
    assert [state.shape for state in stack.get_initial_state(batch_size=3)] == [(3, N), (3, 8)]
    with pytest.raises(ValueError, match="1 state for 2 layers"):
        stack(X, (middle[0],))


def test_a_stack_with_padding() -> None:
    stack = make_stack()
    y, _ = stack(X, timespans=SPANS, lengths=LENGTHS)
    for k, n in enumerate(LENGTHS):
        one, _ = stack(X[k, : int(n)], timespans=SPANS[k, : int(n)])
        assert mx.allclose(y[k, : int(n)], one, atol=1e-6)


def test_dropout_lies_between_the_layers_and_acts_in_training_only() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT, key=mx.random.key(0)), gl.NCPDense(200)], dropout=0.5)
    stack.train()
    assert not mx.allclose(stack(X)[0], stack(X)[0])
    stack.eval()
    assert mx.allclose(stack(X)[0], stack(X)[0])
    assert mx.allclose(stack(X)[0], stack.layers[1](stack.layers[0](X)[0]))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: [], "a stack of no layers"),
        (
            lambda: [gl.LTC(CIRCUIT), gl.LTC(CIRCUIT)],
            r"layer 1 \(LTC\) reads 3 features, but layer 0 \(LTC\) gives 2",
        ),
        (
            lambda: [gl.NCPDense(7), gl.Bidirectional(gl.CfC(CIRCUIT))],
            r"layer 1 \(Bidirectional\) reads 3 features, but layer 0 \(NCPDense\) gives 7",
        ),
        (
            lambda: [gl.LTC(CIRCUIT), nn.LayerNorm(M), gl.LTC(CIRCUIT)],
            r"layer 2 \(LTC\) reads 3 features, but layer 1 \(LayerNorm\) gives 2",
        ),
        (
            lambda: [gl.LTC(CIRCUIT, return_sequences=False), gl.LTC(gl.auto_ncp(8, 1, inputs=M))],
            r"layer 1 \(LTC\) reads sequences, but layer 0 \(LTC\) returns only its last output",
        ),
    ],
)
def test_a_stack_refuses_layers_that_do_not_fit(layers: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gl.Stack(layers())


def test_a_stack_may_end_in_its_last_output() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT, return_sequences=False), gl.NCPDense(5)])
    assert stack(X)[0].shape == (B, 5) == stack.compute_output_shape(X.shape)


# What all networks do


def make_nested() -> gl.Stack:
    inner = gl.Stack([gl.NCPDense(I, "relu"), gl.Bidirectional(gl.LTC(CIRCUIT, mixed_memory=True), "mean")])
    return gl.Stack([inner, gl.CfC(gl.auto_ncp(8, 1, inputs=M), proj_size=2)], dropout=0.2)


def test_containers_survive_their_config() -> None:
    network = make_nested()
    network.eval()
    expected = network(X, timespans=SPANS)[0]
    twin = gl.NCPLayer.from_config(json.loads(json.dumps(network.get_config())))
    twin.build(X.shape)
    twin.eval()
    twin.update(network.parameters())
    assert mx.allclose(twin(X, timespans=SPANS)[0], expected, atol=1e-6)


def test_containers_learn_and_apply_their_constraints() -> None:
    network = make_nested()
    network.build(X.shape)
    optimizer = optim.Adam(0.02)
    losses = []
    for _ in range(8):
        loss, gradients = nn.value_and_grad(network, lambda m: ((m(X)[0] - 0.3) ** 2).mean())(network)
        optimizer.update(network, gradients)
        network.apply_constraints()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    ltc = network.layers[0].layers[1].forward.cell.cell
    ltc.w = ltc.w - 10.0
    network.apply_constraints()
    assert float(ltc.w.min()) == 0.0


@pytest.mark.parametrize("where", [mx.cpu, mx.new_stream(mx.cpu)], ids=["device", "stream"])
def test_containers_run_where_they_are_told(where: Any) -> None:
    network = make_stack()
    assert mx.array_equal(network(X, stream=where)[0], network(X)[0])
    both = network.layers[1]
    given = mx.zeros((B, T, 5))
    assert mx.array_equal(both(given, stream=where)[0], both(given)[0])


def test_containers_explain_who_runs_them() -> None:
    layers = [gl.Bidirectional(gl.LTC(CIRCUIT)), gl.NCPDense(I), gl.RNN(gl.CTGRUCell(CIRCUIT))]
    network = gl.Stack(layers)
    first, second, dense, mixed = network.explain().split("\n")
    assert first.startswith("Layer 0, Bidirectional: Forwards, LTCCell")
    assert second.startswith("Backwards, LTCCell")
    assert "one fused kernel" in first
    assert dense == "Layer 1, NCPDense: no state, so it runs in plain MLX operations."
    assert "no fused kernel for CTGRUCell" in mixed
    assert "layout" in mixed
